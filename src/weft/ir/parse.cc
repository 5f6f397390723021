#include "weft/ir/parse.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <unordered_map>

#include "weft/base/text.h"
#include "weft/ir/builder.h"
#include "weft/ir/elements.h"
#include "weft/ir/print.h"

namespace weft::ir {

namespace {

// Programs nest through parameters; kMostNested keeps hostile text from exhausting the stack.
thread_local int depth = 0;
// The programs that "let name = { ... } in" has named in the text that this thread reads. Text does not nest there, but
// what walks over programs does, so the levels of a program with those it names have a limit, too.
constexpr int kMaxNamedDepth = 512;
struct NamedProgram {
  Jaxpr program;
  int levels;
};
using NamedPrograms = std::unordered_map<std::string, NamedProgram>;
thread_local NamedPrograms* named = nullptr;
thread_local int levels = 0;  // of the program that is being read, so far

struct Nesting {
  explicit Nesting(TextCursor& in) {
    if (++depth > kMostNested) {
      --depth;
      in.fail("at most " + std::to_string(kMostNested) + " nested programs");
    }
    levels = std::max(levels, depth);
  }
  ~Nesting() { --depth; }
};

// The error of inference under the name that the text gives the operation: "sin", not "sine".
std::string under_name(std::string_view name, OpCode op, const std::string& message) {
  const std::string prefix = std::string(op_name(op)) + ":";
  return message.starts_with(prefix) ? std::string(name) + message.substr(prefix.size() - 1) : message;
}

// An error's text as part of another's.
std::string_view without_full_stop(std::string_view message) {
  return message.ends_with('.') ? message.substr(0, message.size() - 1) : message;
}

Aval parse_type(TextCursor& in) {
  const std::size_t at = in.offset();
  const std::string_view word = in.identifier();
  const auto dtype = parse_dtype(word);
  if (!dtype) in.fail_at(at, "a dtype", word);
  in.expect("[");
  Dims shape;
  if (!in.accept("]")) {
    do {
      const std::size_t size_at = in.offset();
      shape.push_back(in.integer());
      if (shape.back() < 0) in.fail_at(size_at, "a size", std::to_string(shape.back()));
    } while (in.accept(","));
    in.expect("]");
  }
  try {
    return Aval(*dtype, shape);
  } catch (const ShapeError& e) {
    in.fail_at(at, "a type that an array can have", without_full_stop(e.message()));
  }
}

bool is_word(std::string_view s) {
  return s == "True" || s == "False" || s == "nan" || s == "inf" || s.starts_with("nan_");
}

// Looks whether a literal comes next. Variables never start like a number nor are named like one.
bool at_literal(TextCursor& in) {
  const char c = in.peek();
  if (std::isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '(') return true;
  if (!std::isalpha(static_cast<unsigned char>(c))) return false;
  const std::size_t at = in.offset();
  const bool word = is_word(in.identifier());
  in.seek(at);
  return word;
}

std::string_view element_text(TextCursor& in) {
  if (std::isalpha(static_cast<unsigned char>(in.peek()))) return in.identifier();
  return in.number_text();
}

// The bits of a NaN written out ("nan_FFC00000"), of an element of so many bytes.
std::optional<std::uint64_t> nan_bits(std::string_view s, std::size_t bytes) {
  std::uint64_t bits = 0;
  const std::string_view digits = s.substr(4);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.size() != 2 * bytes) return std::nullopt;
  return bits;
}

// An element of a storage type as its byte.
std::optional<std::uint8_t> parse_storage(DType t, std::string_view s) {
  if (!is_float(t)) {
    const auto v = parse_integer<std::int64_t>(s);
    std::uint8_t byte = 0;
    if (!v) return std::nullopt;
    convert_elements(i64, &*v, t, &byte, 1);
    return integer_element(t, &byte) == *v ? std::optional(byte) : std::nullopt;
  }
  const SmallFloatFormat& f = small_float_format(t);
  if (!s.starts_with("nan_")) return parse_small_float(f, s);
  const auto bits = nan_bits(s, 1);
  if (!bits || !is_small_float_nan(f, static_cast<std::uint8_t>(*bits))) return std::nullopt;
  return static_cast<std::uint8_t>(*bits);
}

template <class T>
std::optional<T> parse_element(std::string_view s) {
  if constexpr (std::is_same_v<T, bool>) {
    if (s == "True") return true;
    if (s == "False") return false;
    return std::nullopt;
  } else if constexpr (std::is_integral_v<T>) {
    return parse_integer<T>(s);
  } else if (s.starts_with("nan_")) {
    const auto bits = nan_bits(s, sizeof(T));
    if (!bits) return std::nullopt;
    T v;
    std::memcpy(static_cast<void*>(&v), &*bits, sizeof v);
    return v != v ? std::optional<T>(v) : std::nullopt;
  } else {
    return parse_number<T>(s);
  }
}

Literal parse_literal(TextCursor& in) {
  const std::size_t at = in.offset();
  std::string first, second;
  const bool complex = in.accept("(");
  if (complex) {
    // "(1.0+2.0j)" or "(1.0-2.0j)"; exponents have signs too, so the split is at the last sign not after 'e'.
    const std::size_t begin = in.offset();
    const std::size_t end = in.text().find("j)", begin);
    if (end == std::string_view::npos) in.fail("a complex number (a+bj)");
    const std::string_view body = in.text().substr(begin, end - begin);
    std::size_t split = body.find_last_of("+-");
    while (split != std::string_view::npos && split > 0 && body[split - 1] == 'e')
      split = body.find_last_of("+-", split - 1);
    if (split == std::string_view::npos || split == 0) in.fail("a complex number (a+bj)");
    first = body.substr(0, split);
    second = body.substr(body[split] == '+' ? split + 1 : split);
    in.seek(end);
    in.expect("j");
    in.expect(")");
  } else {
    first = element_text(in);
  }
  in.expect(":");
  Literal literal;
  literal.aval = parse_type(in);
  if (is_storage(literal.aval.dtype())) {
    const auto byte = parse_storage(literal.aval.dtype(), first);
    if (complex || !byte) in.fail_at(at, "an element of " + std::string(name(literal.aval.dtype())), first);
    literal.value[0] = std::byte{*byte};
    return literal;
  }
  const bool read = visit_dtype(literal.aval.dtype(), [&]<class T>(TypeTag<T>) {
    if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
      const auto re = parse_element<typename T::value_type>(first), im = parse_element<typename T::value_type>(second);
      if (!complex || !re || !im) return false;
      const T v(*re, *im);
      std::memcpy(literal.value.data(), &v, sizeof v);
    } else {
      const auto v = parse_element<T>(first);
      if (complex || !v) return false;
      std::memcpy(literal.value.data(), &*v, sizeof *v);
    }
    return true;
  });
  if (!read) in.fail_at(at, "an element of " + std::string(name(literal.aval.dtype())), first);
  return literal;
}

class Parser {
 public:
  explicit Parser(TextCursor& in) : in_(in) {}

  Jaxpr jaxpr() {
    const Nesting nesting(in_);
    in_.expect("{");
    in_.expect("lambda");
    std::vector<Var> consts, inputs;
    while (!in_.accept(";")) consts.push_back(input());
    while (!in_.accept(".")) inputs.push_back(input());
    in_.expect("let");
    while (!in_.looking_at("in")) equation();
    in_.expect("in");
    in_.expect("(");
    std::vector<Atom> outputs;
    while (!in_.accept(")")) {
      outputs.push_back(atom().first);
      if (!in_.accept(",")) {
        in_.expect(")");
        break;
      }
    }
    in_.expect("}");
    return builder_.build(consts, inputs, outputs);
  }

 private:
  struct Binder {
    std::size_t at;
    std::string name;
    Aval aval;
  };

  Binder binder() {
    const std::size_t at = in_.offset();
    std::string name(in_.identifier());
    in_.expect(":");
    return {at, std::move(name), parse_type(in_)};
  }

  void define(const Binder& b, Var v) {
    if (b.name == "_") return;
    if (!vars_.emplace(b.name, v).second) in_.fail_at(b.at, "a new variable", b.name + ", which is defined already");
  }

  Var input() {
    const Binder b = binder();
    const Var v = builder_.add_var(b.aval);
    define(b, v);
    return v;
  }

  std::pair<Atom, Aval> atom() {
    if (at_literal(in_)) {
      const Literal l = parse_literal(in_);
      return {builder_.add_literal(l), l.aval};
    }
    const std::size_t at = in_.offset();
    const std::string name(in_.identifier());
    const auto it = vars_.find(name);
    if (it == vars_.end()) in_.fail_at(at, "a variable defined above", name);
    return {Atom::var(it->second), builder_.aval(it->second)};
  }

  // An operand, unless what follows is the end of the equation or the next one's binder, or its "=" when that has no
  // results.
  bool at_operand() {
    if (in_.looking_at(";") || in_.looking_at("in") || in_.looking_at("=")) return false;
    if (at_literal(in_)) return true;
    const std::size_t at = in_.offset();
    in_.identifier();
    const bool is_binder = in_.looking_at(":");
    in_.seek(at);
    return !is_binder;
  }

  void equation() {
    SmallVector<Binder, 2> results;
    while (!in_.looking_at("=")) results.push_back(binder());
    in_.expect("=");
    const std::size_t at = in_.offset();
    const std::string word(in_.identifier());
    OpCode op;
    int variant;
    if (!find_op(word, op, variant)) in_.fail_at(at, "an operation", word);
    const OpInfo& info = op_info(op);
    Params params;
    if (in_.accept("[")) {
      if (!info.parse) in_.fail_at(at, "an operation with parameters", word);
      params = info.parse(in_, variant);
      in_.expect("]");
    } else if (info.parse) {
      if (variant < 0) in_.fail("the parameters of " + word);
      params = info.parse(in_, variant);  // all there is to say is in the name; refuses when there is more
    }
    SmallVector<Atom, 4> operands;
    Avals types, inferred, declared;
    while (at_operand()) {
      const auto [a, aval] = atom();
      operands.push_back(a);
      types.push_back(aval);
    }
    in_.accept(";");
    try {
      infer(op, params.get(), types, inferred);
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {
      in_.fail_at(at, "operands and parameters that fit", without_full_stop(under_name(word, op, e.message())));
    }
    for (const Binder& b : results) declared.push_back(b.aval);
    if (inferred.size() != declared.size())
      in_.fail_at(at, std::to_string(inferred.size()) + " results", std::to_string(declared.size()));
    for (std::size_t i = 0; i < inferred.size(); ++i)
      if (inferred[i] != declared[i]) in_.fail_at(results[i].at, "type " + inferred[i].str(), declared[i].str());
    const Var out = builder_.add_eqn(op, std::move(params), operands, inferred, SourceLocation());
    for (std::size_t i = 0; i < results.size(); ++i) define(results[i], out + static_cast<Var>(i));
  }

  TextCursor& in_;
  JaxprBuilder builder_;
  std::unordered_map<std::string, Var> vars_;
};

}  // namespace

Jaxpr parse(std::string_view text, SourceLocation loc) {
  const LocationScope scope(loc);
  try {
    TextCursor in(text, {.comment = "#"});
    NamedPrograms programs;
    struct Named {
      explicit Named(NamedPrograms* programs) : outer(std::exchange(named, programs)) {}
      ~Named() { named = outer; }
      NamedPrograms* outer;
    } scope_of_names(&programs);
    while (in.accept("let")) {
      const std::size_t at = in.offset();
      std::string name(in.identifier());
      in.expect("=");
      levels = 0;
      Jaxpr program = Parser(in).jaxpr();
      in.expect("in");
      if (!programs.emplace(name, NamedProgram{std::move(program), levels}).second)
        in.fail_at(at, "a new program", name + ", which is defined already");
    }
    levels = 0;
    Jaxpr jaxpr = Parser(in).jaxpr();
    if (!in.at_end()) in.fail("the end of the text");
    return jaxpr;
  } catch (const ParseError& e) {
    throw ParseError("parse: " + e.message(), e.hint());
  }
}

// ---- fields of parameters ----

void parse_param(TextCursor& in, Jaxpr& v) {
  if (!named || !std::isalpha(static_cast<unsigned char>(in.peek()))) {
    v = Parser(in).jaxpr();
    return;
  }
  const std::size_t at = in.offset();
  const std::string name(in.identifier());
  const auto it = named->find(name);
  if (it == named->end()) in.fail_at(at, "a program, or the name of one defined above", name);
  levels = std::max(levels, depth + it->second.levels);
  if (levels > kMaxNamedDepth)
    in.fail_at(at, "at most " + std::to_string(kMaxNamedDepth) + " levels of programs", name);
  v = it->second.program;
}

void parse_param(TextCursor& in, bool& v) {
  if (in.accept("True"))
    v = true;
  else {
    in.expect("False");
    v = false;
  }
}

void parse_param(TextCursor& in, std::int64_t& v) { v = in.integer(); }

void parse_param(TextCursor& in, Aval& v) { v = parse_type(in); }

void parse_param(TextCursor& in, DType& v) {
  const std::size_t at = in.offset();
  const std::string_view word = in.identifier();
  const auto t = parse_dtype(word);
  if (!t) in.fail_at(at, "a dtype", word);
  v = *t;
}

void parse_param(TextCursor& in, std::string& v) { v = in.peek() == '"' ? in.quoted() : std::string(in.identifier()); }

void parse_param(TextCursor& in, Dims& v) {
  v.clear();
  in.expect("(");
  while (!in.accept(")")) {
    v.push_back(in.integer());
    if (!in.accept(",")) {
      in.expect(")");
      break;
    }
  }
}

int parse_enum(TextCursor& in, std::span<const std::string_view> names) {
  const std::size_t at = in.offset();
  const std::string_view word = in.identifier();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (word == names[i]) return static_cast<int>(i);
  in.fail_at(at, "one of " + join(names, ", "), word);
}

void parse_field_name(TextCursor& in, std::string_view name) {
  in.expect(name);
  in.expect("=");
}

bool accept_field_name(TextCursor& in, std::string_view name) {
  if (!in.accept(name)) return false;
  in.expect("=");
  return true;
}

bool accept_none(TextCursor& in) { return in.accept("None"); }
void expect_token(TextCursor& in, std::string_view token) { in.expect(token); }
bool accept_token(TextCursor& in, std::string_view token) { return in.accept(token); }

}  // namespace weft::ir
