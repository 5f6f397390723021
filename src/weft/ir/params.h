// Parameters of an operation: plain structs with one field list each, held immutable and shared.
//
//   struct TransposeParams {
//     Dims permutation;
//     static constexpr auto fields(auto&& visit) { return visit(field("permutation", &TransposeParams::permutation)); }
//   };
//
// Hash, equality, printing and parsing all follow from `fields`, which hands the list to a visitor (a tuple would cost
// every user of these headers the instantiation of its pieces). A field's type supplies
// print_param / parse_param / hash_param (below, or found by argument-dependent lookup).
// Enums supply `enum_names(E)`, a span of names in the order of their values, starting at 0.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/base/dims.h"
#include "weft/base/function_ref.h"
#include "weft/base/hash.h"
#include "weft/base/ref.h"
#include "weft/ir/aval.h"
#include "weft/ir/dtype.h"

namespace weft {

class TextCursor;

namespace ir {

template <class Owner, class T>
struct Field {
  std::string_view name;
  T Owner::* member;
  bool optional = false;
};
template <class Owner, class T>
constexpr Field<Owner, T> field(std::string_view name, T Owner::* member) {
  return {name, member};
}
/// One that text leaves out where it has its initial value. Of parameters alone, not of structs in them.
template <class Owner, class T>
constexpr Field<Owner, T> optional_field(std::string_view name, T Owner::* member) {
  return {name, member, true};
}
template <class P>
concept HasFields = requires { P::fields([](const auto&...) {}); };

/// What the printers of a program and of the programs inside it share. Hands out variable names in the order in which
/// they are printed: a ... z, ba, bb, ...
class VarNames {
 public:
  explicit VarNames(bool name_scopes = false) : name_scopes_(name_scopes) {}
  std::string next();
  /// Whether equations show their name scopes.
  bool name_scopes() const { return name_scopes_; }

 private:
  std::uint64_t count_ = 0;
  bool name_scopes_;
};

/// Where a parameter's value is printed to. `indent` is the column of the enclosing line.
struct ParamWriter {
  std::string text;
  int indent = 0;
  VarNames* names = nullptr;
};

// ---- values of fields ----

inline void print_param(ParamWriter& w, bool v) { w.text += v ? "True" : "False"; }
inline void print_param(ParamWriter& w, std::int64_t v) { w.text += std::to_string(v); }
inline void print_param(ParamWriter& w, DType v) { w.text += numpy_name(v); }
/// As it is when it is an identifier, else quoted.
void print_param(ParamWriter& w, const std::string& v);
/// "f32[2,3]".
void print_param(ParamWriter& w, Aval v);
/// "(0, 1)", "(0,)", "()".
void print_param(ParamWriter& w, const Dims& v);

inline std::uint64_t hash_param(bool v) { return v; }
inline std::uint64_t hash_param(std::int64_t v) { return static_cast<std::uint64_t>(v); }
inline std::uint64_t hash_param(DType v) { return static_cast<std::uint64_t>(v); }
inline std::uint64_t hash_param(const std::string& v) { return hash_bytes(v); }
std::uint64_t hash_param(const Dims& v);
inline std::uint64_t hash_param(Aval v) { return v.hash(); }

void parse_param(TextCursor& in, bool& v);
void parse_param(TextCursor& in, std::int64_t& v);
void parse_param(TextCursor& in, DType& v);
void parse_param(TextCursor& in, std::string& v);
void parse_param(TextCursor& in, Dims& v);
void parse_param(TextCursor& in, Aval& v);

/// Reads one of `names` and returns its index; throws ParseError naming the choices.
int parse_enum(TextCursor& in, std::span<const std::string_view> names);
/// Reads "name=" and throws ParseError when another name stands there.
void parse_field_name(TextCursor& in, std::string_view name);
/// Whether "name=" stands there, which is read then.
bool accept_field_name(TextCursor& in, std::string_view name);
bool accept_none(TextCursor& in);
void expect_token(TextCursor& in, std::string_view token);
bool accept_token(TextCursor& in, std::string_view token);

template <class E>
  requires std::is_enum_v<E> && (!std::is_same_v<E, DType>)
void print_param(ParamWriter& w, E v) {
  w.text += enum_names(v)[static_cast<std::size_t>(v)];
}
template <class E>
  requires std::is_enum_v<E> && (!std::is_same_v<E, DType>)
std::uint64_t hash_param(E v) {
  return static_cast<std::uint64_t>(v);
}
template <class E>
  requires std::is_enum_v<E> && (!std::is_same_v<E, DType>)
void parse_param(TextCursor& in, E& v) {
  v = static_cast<E>(parse_enum(in, enum_names(v)));
}

template <class T>
void print_param(ParamWriter& w, const std::optional<T>& v) {
  if (v)
    print_param(w, *v);
  else
    w.text += "None";
}
template <class T>
std::uint64_t hash_param(const std::optional<T>& v) {
  return v ? hash_mix(1, hash_param(*v)) : 0;
}
template <class T>
void parse_param(TextCursor& in, std::optional<T>& v) {
  if (accept_none(in))
    v.reset();
  else
    parse_param(in, v.emplace());
}

// Declared before nested structs, which may hold lists of structs (with an operator== of their own).
template <class T>
  requires(!std::is_same_v<T, std::int64_t>)
void print_param(ParamWriter& w, const std::vector<T>& v);
template <class T>
std::uint64_t hash_param(const std::vector<T>& v);
template <class T>
void parse_param(TextCursor& in, std::vector<T>& v);

/// A nested struct prints as "(a=1, b=(2,))".
template <HasFields P>
void print_param(ParamWriter& w, const P& v) {
  w.text += "(";
  bool first = true;
  P::fields([&](const auto&... f) {
    ((w.text += first ? "" : ", ", first = false, w.text += f.name, w.text += "=", print_param(w, v.*f.member)), ...);
  });
  w.text += ")";
}
template <HasFields P>
std::uint64_t hash_param(const P& v) {
  std::uint64_t h = 1;
  P::fields([&](const auto&... f) { ((h = hash_mix(h, hash_param(v.*f.member))), ...); });
  return h;
}
template <HasFields P>
void parse_param(TextCursor& in, P& v) {
  expect_token(in, "(");
  bool first = true;
  P::fields([&](const auto&... f) {
    ((first ? void() : expect_token(in, ","), first = false, parse_field_name(in, f.name),
      parse_param(in, v.*f.member)),
     ...);
  });
  expect_token(in, ")");
}
template <HasFields P>
bool operator==(const P& a, const P& b) {
  return P::fields([&](const auto&... f) { return ((a.*f.member == b.*f.member) && ...); });
}

template <class T>
  requires(!std::is_same_v<T, std::int64_t>)
void print_param(ParamWriter& w, const std::vector<T>& v) {
  w.text += "(";
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (i) w.text += ", ";
    print_param(w, v[i]);
  }
  w.text += v.size() == 1 ? ",)" : ")";
}
template <class T>
std::uint64_t hash_param(const std::vector<T>& v) {
  std::uint64_t h = v.size();
  for (const T& e : v) h = hash_mix(h, hash_param(e));
  return h;
}
template <class T>
void parse_param(TextCursor& in, std::vector<T>& v) {
  v.clear();
  expect_token(in, "(");
  while (!accept_token(in, ")")) {
    parse_param(in, v.emplace_back());
    if (!accept_token(in, ",")) {
      expect_token(in, ")");
      break;
    }
  }
}

// ---- the named axes that parameters speak of (ir/mapped_axis.h), also in the programs they hold ----

using AxisNames = std::vector<std::string>;

template <class T>
void add_param_axes(const T&, AxisNames&) {}
template <HasFields P>
void add_param_axes(const P& v, AxisNames& names);
template <class T>
void add_param_axes(const std::optional<T>& v, AxisNames& names) {
  if (v) add_param_axes(*v, names);
}
template <class T>
void add_param_axes(const std::vector<T>& v, AxisNames& names) {
  for (const T& e : v) add_param_axes(e, names);
}
template <HasFields P>
void add_param_axes(const P& v, AxisNames& names) {
  P::fields([&](const auto&... f) { (add_param_axes(v.*f.member, names), ...); });
}

// ---- the programs that parameters hold ----

class Jaxpr;
/// What takes the place of each program. Those of custom rules stay as they are unless `in_rules`.
struct ProgramMap {
  FunctionRef<Jaxpr(const Jaxpr&)> map;
  bool in_rules;
};

template <class T>
void map_param_programs(T&, ProgramMap) {}
template <HasFields P>
void map_param_programs(P& v, ProgramMap f);
template <class T>
void map_param_programs(std::optional<T>& v, ProgramMap f) {
  if (v) map_param_programs(*v, f);
}
template <class T>
void map_param_programs(std::vector<T>& v, ProgramMap f) {
  for (T& e : v) map_param_programs(e, f);
}
template <HasFields P>
void map_param_programs(P& v, ProgramMap f) {
  P::fields([&](const auto&... field) { (map_param_programs(v.*field.member, f), ...); });
}

// ---- the holder ----

/// Parameters of unknown type. Null stands for an op that has none.
class ParamsBase : public RefCounted {
 public:
  virtual ~ParamsBase() = default;
  virtual std::uint64_t hash() const = 0;
  virtual bool equals(const ParamsBase& other) const = 0;
  /// Appends "name=value" pieces, one per field, leaving out the first `skip`.
  virtual void print(std::vector<std::string>& pieces, int indent, VarNames& names, std::size_t skip) const = 0;
  /// The value of the first field when it is an enum (selects an op's variant), else -1.
  virtual int variant() const = 0;
  /// Appends the names of the mapped axes it speaks of that are not yet there.
  virtual void add_axes(AxisNames& names) const = 0;
  /// The same with `f` of each program in it (ir/nested.h has what is made of this); itself where that changes nothing.
  virtual Ref<const ParamsBase> with_programs(ProgramMap f) const = 0;
};

using Params = Ref<const ParamsBase>;

/// Calls `use` with the first field when it is an enum, which selects an op's variant.
template <HasFields P, class Use>
void with_variant(P& params, Use&& use) {
  bool first = true;
  const auto one = [&](auto& value) {
    if constexpr (std::is_enum_v<std::remove_cvref_t<decltype(value)>>)
      if (first) use(value);
    first = false;
  };
  P::fields([&](const auto&... f) { (one(params.*f.member), ...); });
}

template <HasFields P>
class ParamsHolder final : public ParamsBase {
 public:
  explicit ParamsHolder(P v) : value(std::move(v)) {}
  const P value;

  std::uint64_t hash() const override { return hash_param(value); }
  bool equals(const ParamsBase& other) const override {
    const auto* o = dynamic_cast<const ParamsHolder*>(&other);
    return o && value == o->value;
  }
  void print(std::vector<std::string>& pieces, int indent, VarNames& names, std::size_t skip) const override {
    const P initial{};
    const auto one = [&](const auto& f) {
      if (skip > 0) {
        --skip;
        return;
      }
      if (f.optional && value.*f.member == initial.*f.member) return;
      ParamWriter w{std::string(f.name), indent, &names};
      w.text += '=';
      print_param(w, value.*f.member);
      pieces.push_back(std::move(w.text));
    };
    P::fields([&](const auto&... f) { (one(f), ...); });
  }
  int variant() const override {
    int variant = -1;
    with_variant(value, [&](auto v) { variant = static_cast<int>(v); });
    return variant;
  }
  void add_axes(AxisNames& names) const override { add_param_axes(value, names); }
  Ref<const ParamsBase> with_programs(ProgramMap f) const override {
    P copy = value;
    map_param_programs(copy, f);
    if (copy == value) return Ref<const ParamsBase>::share(this);
    return Ref<const ParamsBase>::adopt(new ParamsHolder(std::move(copy)));
  }
};

template <HasFields P>
Params make_params(P p) {
  return Params::adopt(new ParamsHolder<P>(std::move(p)));
}
/// The typed parameters. The op decides the type, so the cast is unchecked.
template <class P>
const P& params_as(const ParamsBase* p) {
  return static_cast<const ParamsHolder<P>*>(p)->value;
}
template <class P>
const P& params_as(const Params& p) {
  return params_as<P>(p.get());
}
inline bool same_params(const Params& a, const Params& b) { return a == b || (a && b && a->equals(*b)); }

/// Reads "name=value" for each field. When `variant` is not negative the first field is that
/// enumerator and is not in the text. Fields may be separated by blanks or new lines.
template <HasFields P>
Params parse_params(TextCursor& in, int variant) {
  P p{};
  std::size_t skip = variant >= 0 ? 1 : 0;
  if (variant >= 0) with_variant(p, [&](auto& v) { v = static_cast<std::remove_reference_t<decltype(v)>>(variant); });
  const auto one = [&](const auto& f) {
    if (skip > 0) {
      --skip;
      return;
    }
    if (f.optional) {
      if (!accept_field_name(in, f.name)) return;
    } else {
      parse_field_name(in, f.name);
    }
    parse_param(in, p.*f.member);
  };
  P::fields([&](const auto&... f) { (one(f), ...); });
  return make_params(std::move(p));
}

}  // namespace ir
}  // namespace weft
