// Trees: values built from arrays. A tree is an Array, or a std::vector, std::array, std::pair,
// std::tuple, std::map, std::optional or aggregate struct of trees; no macro is needed. A class
// with private state opts in with WEFT_TREE(members...).
//
// Arrays are the leaves that transformations act on; a `none` array is an absent leaf. Numbers,
// bool, strings and enums are static: they are part of the structure. Order: as declared, and
// maps by key.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "weft/base/hash.h"
#include "weft/core/array.h"
#include "weft/core/static_value.h"
#include "weft/core/tree_fields.h"

/// Inside a class: names the members that make it a tree.
#define WEFT_TREE(...)                                             \
  auto weft_tree_members() { return std::tie(__VA_ARGS__); }       \
  auto weft_tree_members() const { return std::tie(__VA_ARGS__); } \
  static constexpr std::string_view weft_tree_names() { return #__VA_ARGS__; }

namespace weft {

/// An argument of a jitted function that is part of the program even though it is a floating-point
/// number (or any type that is equality comparable and hashable with std::hash).
template <class T>
struct StaticArg {
  T value;
  operator const T&() const { return value; }  // stands for the value
  friend bool operator==(const StaticArg&, const StaticArg&) = default;
};
template <class T>
StaticArg<std::decay_t<T>> static_arg(T&& value) {
  return {std::forward<T>(value)};
}

namespace tree {

namespace detail {

template <class T, template <class...> class U>
inline constexpr bool is_a = false;
template <template <class...> class U, class... A>
inline constexpr bool is_a<U<A...>, U> = true;
template <class T>
inline constexpr bool is_std_array = false;
template <class T, std::size_t N>
inline constexpr bool is_std_array<std::array<T, N>> = true;

template <class T>
inline constexpr bool is_static =
    std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::string> || std::is_same_v<T, DType> ||
    std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>> || is_a<T, StaticArg>;

template <class T>
concept OptedIn = requires(T& t) {
  t.weft_tree_members();
  T::weft_tree_names();
};

/// The `i`th of "a_, b_, c_".
std::string_view nth_name(std::string_view names, std::size_t i);
/// Static values and keys as text; different values of a type have different texts.
std::string static_text(bool v);
std::string static_text(std::int64_t v);
std::string static_text(std::uint64_t v);
std::string static_text(float v);
std::string static_text(double v);
std::string static_text(DType v);
std::string static_text(const std::string& v);  // quoted
template <class U>
  requires std::is_integral_v<U> && (!std::is_same_v<U, bool>)
std::string static_text(U v) {
  if constexpr (std::is_signed_v<U>)
    return static_text(static_cast<std::int64_t>(v));
  else
    return static_text(static_cast<std::uint64_t>(v));
}
template <class U>
  requires std::is_enum_v<U> && (!std::is_same_v<U, DType>)
std::string static_text(U v) {
  return static_text(static_cast<std::int64_t>(v));
}
template <class U>
std::string static_text(const std::complex<U>& v) {
  return "(" + static_text(v.real()) + "," + static_text(v.imag()) + ")";
}
template <class U>
concept HasStaticText = requires(const U& v) { static_text(v); };
// NOLINTNEXTLINE(bugprone-return-const-ref-from-parameter): keys are lvalues of maps
inline const std::string& key_text(const std::string& key) { return key; }
template <class K>
std::string key_text(const K& key) {
  return static_text(key);
}

/// Whether static leaves of this type have a text; those of a StaticArg with a type of the user's may not.
template <class U>
constexpr bool has_text() {
  if constexpr (is_a<U, StaticArg>)
    return HasStaticText<decltype(U::value)>;
  else
    return true;
}
/// A static leaf as text. Of a StaticArg whose type has none, its hash.
template <class U>
std::string value_text(const U& v) {
  if constexpr (!is_a<U, StaticArg>)
    return static_text(v);
  else if constexpr (HasStaticText<decltype(v.value)>)
    return "static(" + static_text(v.value) + ")";
  else
    return "static(hash " + static_text(std::hash<decltype(v.value)>()(v.value)) + ")";
}

}  // namespace detail

/// What a node of a tree is.
enum class NodeKind : std::uint8_t { kStruct, kTuple, kList, kMap, kOptional };

/// Walks a tree in order. V has:
///   array(Array&)                       a leaf (const for a const tree)
///   value(const U&)                     a static value
///   enter(NodeKind, std::size_t n)      a node with n children
///   child(const std::string_view name)  before a struct member
///   child(std::size_t i)                before an element
///   child_key(const std::string& key)   before a map entry
///   leave_child(), leave()
template <class T, class V>
void visit(T& t, V& v) {
  using U = std::remove_const_t<T>;
  const auto elements = [&](NodeKind kind, auto& range, std::size_t n) {
    v.enter(kind, n);
    std::size_t i = 0;
    for (auto& e : range) {
      v.child(i++);
      visit(e, v);
      v.leave_child();
    }
    v.leave();
  };
  const auto members = [&](auto&& refs, auto&& name) {
    constexpr std::size_t n = std::tuple_size_v<std::remove_cvref_t<decltype(refs)>>;
    v.enter(NodeKind::kStruct, n);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((v.child(name(std::integral_constant<std::size_t, I>())), visit(std::get<I>(refs), v), v.leave_child()), ...);
    }(std::make_index_sequence<n>());
    v.leave();
  };
  if constexpr (std::is_same_v<U, Array>) {
    v.array(t);
  } else if constexpr (detail::is_static<U>) {
    v.value(t);
  } else if constexpr (detail::is_a<U, std::vector>) {
    if constexpr (std::is_same_v<U, std::vector<bool>>) {
      v.enter(NodeKind::kList, t.size());
      for (const bool b : t) v.value(b);
      v.leave();
    } else {
      elements(NodeKind::kList, t, t.size());
    }
  } else if constexpr (detail::is_std_array<U>) {
    elements(NodeKind::kList, t, t.size());
  } else if constexpr (detail::is_a<U, std::pair> || detail::is_a<U, std::tuple>) {
    constexpr std::size_t n = std::tuple_size_v<U>;
    v.enter(NodeKind::kTuple, n);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((v.child(I), visit(std::get<I>(t), v), v.leave_child()), ...);
    }(std::make_index_sequence<n>());
    v.leave();
  } else if constexpr (detail::is_a<U, std::map>) {
    v.enter(NodeKind::kMap, t.size());
    for (auto& [key, value] : t) {
      v.child_key(detail::key_text(key));
      visit(value, v);
      v.leave_child();
    }
    v.leave();
  } else if constexpr (detail::is_a<U, std::optional>) {
    v.enter(NodeKind::kOptional, t.has_value());
    if (t) visit(*t, v);
    v.leave();
  } else if constexpr (detail::OptedIn<U>) {
    members(t.weft_tree_members(), []<std::size_t I>(std::integral_constant<std::size_t, I>) {
      return detail::nth_name(U::weft_tree_names(), I);
    });
  } else {
    static_assert(!std::is_array_v<U>, "a C array is not a tree: use std::array or std::vector");
    static_assert(std::is_aggregate_v<U>,
                  "this type is not a tree: make it an aggregate of trees, or add WEFT_TREE(members...) to the class");
    if constexpr (detail::has_base<U>)
      static_assert(!detail::has_base<U>,
                    "this aggregate has a base class: make the base a member, or add WEFT_TREE(members...)");
    else if constexpr (std::is_aggregate_v<U>)
      static_assert(std::is_empty_v<U> || detail::field_count<U>() > 0,
                    "the members of this aggregate cannot be told: add WEFT_TREE(members...)");
    if constexpr (std::is_aggregate_v<U> && !std::is_array_v<U> && !detail::has_base<U>)
      members(detail::fields(t),
              []<std::size_t I>(std::integral_constant<std::size_t, I>) { return detail::field_name<U, I>(); });
  }
}

/// A visitor that ignores everything: derive and hide what matters.
struct NullVisitor {
  void array(const Array&) {}
  template <class U>
  void value(const U&) {}
  void enter(NodeKind, std::size_t) {}
  void child(std::string_view) {}
  void child(std::size_t) {}
  void child_key(const std::string&) {}
  void leave_child() {}
  void leave() {}
};

/// Calls `f(leaf)` for every array that is not none.
template <class T, class F>
void for_each(T& t, F&& f) {
  struct Visitor : NullVisitor {
    F& f;
    explicit Visitor(F& f) : f(f) {}
    using Leaf = std::conditional_t<std::is_const_v<T>, const Array, Array>;
    void array(Leaf& a) {
      if (a.defined()) f(a);
    }
  } v(f);
  visit(t, v);
}

/// The arrays of a tree in order, without the none.
template <class T>
Arrays leaves(const T& t) {
  Arrays r;
  for_each(t, [&](const Array& a) { r.push_back(a); });
  return r;
}

/// A copy of `t` whose arrays are replaced, in order, by `leaves` (as many as leaves(t)).
template <class T>
T with_leaves(T t, std::span<const Array> leaves) {
  std::size_t i = 0;
  for_each(t, [&](Array& a) {
    internal_check(i < leaves.size(), "with_leaves: too few leaves");
    a = leaves[i++];
  });
  internal_check(i == leaves.size(), "with_leaves: too many leaves");
  return t;
}

/// Keeps track of where a visitor is: "params.layers[2].w", "['key']".
class PathVisitor : public NullVisitor {
 public:
  explicit PathVisitor(std::string root = {}) : path_(std::move(root)) {}
  void child(std::string_view name) { push(".", name); }
  void child(std::size_t i) { push("[", std::to_string(i), "]"); }
  void child_key(const std::string& key) { push("['", key, "']"); }
  void leave_child() {
    path_.resize(lengths_.back());
    lengths_.pop_back();
  }
  const std::string& path() const { return path_; }

 private:
  void push(std::string_view before, std::string_view piece, std::string_view after = {}) {
    lengths_.push_back(path_.size());
    path_.append(before).append(piece).append(after);
  }
  std::string path_;
  std::vector<std::size_t> lengths_;
};

/// The structure of a tree as data: nodes, names, keys and static values, but not the arrays.
class TreeDef {
 public:
  /// "{w: *, b: none, layers: [{w: *}], name: \"mlp\"}"; `*` is an array.
  const std::string& str() const { return text_; }
  /// The path of every array, in order: ".layers[0].w". Empty for a tree that is one array.
  const std::vector<std::string>& paths() const { return paths_; }
  std::size_t num_leaves() const { return paths_.size(); }
  std::uint64_t hash() const { return hash_bytes(text_); }
  friend bool operator==(const TreeDef& a, const TreeDef& b) { return a.text_ == b.text_ && a.statics_ == b.statics_; }

 private:
  friend class TreeDefBuilder;
  std::string text_;
  std::vector<std::string> paths_;
  std::vector<StaticValue> statics_;  // those of which the text has only the hash
};

/// Builds a TreeDef while a tree is visited.
class TreeDefBuilder : public PathVisitor {
 public:
  void array(const Array& a);
  template <class U>
  void value(const U& v) {
    separate();
    def_.text_ += detail::value_text(v);
    if constexpr (detail::is_a<U, StaticArg>)
      if constexpr (!detail::HasStaticText<decltype(v.value)>) def_.statics_.emplace_back(v.value);
  }
  void enter(NodeKind kind, std::size_t n);
  void child(std::string_view name);
  void child(std::size_t i);
  void child_key(const std::string& key);
  void leave();
  TreeDef take() { return std::move(def_); }

 private:
  void separate();
  TreeDef def_;
  std::vector<NodeKind> kinds_;
  bool first_ = true;
};

template <class T>
TreeDef structure(const T& t) {
  TreeDefBuilder b;
  visit(t, b);
  return b.take();
}

namespace detail {

/// Everything in a tree that must agree with another's, by path.
struct Outline : PathVisitor {
  struct Entry {
    std::string path, text;
    std::optional<StaticValue> value = {};  // of a type without text
    bool operator==(const Entry&) const = default;
  };
  std::vector<Entry> entries;
  void add(std::string text) { entries.push_back({path(), std::move(text)}); }
  void array(const Array& a) { add(a.defined() ? "an array" : "none"); }
  template <class U>
  void value(const U& v) {
    if constexpr (has_text<U>())
      add("the static value " + value_text(v));
    else
      entries.push_back({path(), "a static value", StaticValue(v.value)});
  }
  void enter(NodeKind kind, std::size_t n);
};
[[noreturn]] void throw_structures_differ(std::string_view what, const Outline& a, const Outline& b,
                                          const SourceLocation& loc);

}  // namespace detail

/// Throws TreeError, naming the first path where they differ, unless the trees have equal structure.
template <class T, class U>
void check_same_structure(std::string_view what, const T& a, const U& b,
                          SourceLocation loc = std::source_location::current()) {
  if (structure(a) == structure(b)) return;
  detail::Outline x, y;
  visit(a, x);
  visit(b, y);
  detail::throw_structures_differ(what, x, y, loc);
}

namespace detail {

template <class F, class T, class... Rest>
T map(const SourceLocation& loc, F& f, const T& t, const Rest&... rest) {
  (check_same_structure("tree::map", t, rest, loc), ...);
  const Arrays first = leaves(t);
  const std::array<Arrays, sizeof...(Rest)> others{leaves(rest)...};
  Arrays out;
  for (std::size_t i = 0; i < first.size(); ++i) {
    [&]<std::size_t... J>(std::index_sequence<J...>) {
      out.push_back(f(first[i], others[J][i]...));
    }(std::make_index_sequence<sizeof...(Rest)>());
  }
  return with_leaves(t, out);
}

}  // namespace detail

/// Applies `f` to corresponding arrays of trees of equal structure (TreeError otherwise) and
/// returns a tree like the first.
template <class F, class T>
T map(F&& f, const T& t) {
  return detail::map(SourceLocation(), f, t);
}
template <class F, class T, class U>
T map(F&& f, const T& t, const U& u, SourceLocation loc = std::source_location::current()) {
  return detail::map(loc, f, t, u);
}
template <class F, class T, class U, class V>
T map(F&& f, const T& t, const U& u, const V& v, SourceLocation loc = std::source_location::current()) {
  return detail::map(loc, f, t, u, v);
}
template <class F, class T, class U, class V, class W>
T map(F&& f, const T& t, const U& u, const V& v, const W& w, SourceLocation loc = std::source_location::current()) {
  return detail::map(loc, f, t, u, v, w);
}
// Nothing can follow any number of trees, so here an error can only tell the line of the last call before.
template <class F, class T, class... Rest>
  requires(sizeof...(Rest) > 3)
T map(F&& f, const T& t, const Rest&... rest) {
  return detail::map(SourceLocation(), f, t, rest...);
}

/// The arrays with their paths.
template <class T>
std::vector<std::pair<std::string, Array>> leaves_with_path(const T& t) {
  const TreeDef def = structure(t);
  const Arrays arrays = leaves(t);
  std::vector<std::pair<std::string, Array>> r;
  r.reserve(arrays.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) r.emplace_back(def.paths()[i], arrays[i]);
  return r;
}

/// f(...f(f(initial, leaf0), leaf1)...).
template <class F, class T, class R>
R reduce(F&& f, const T& t, R initial) {
  for_each(t, [&](const Array& a) { initial = f(std::move(initial), a); });
  return initial;
}

}  // namespace tree
}  // namespace weft
