// Trees to state dictionaries and back, by Flax's conventions: struct members and map keys name entries, elements of
// lists and tuples have their positions ("0", "1", ...), an absent leaf is none, an empty struct an empty dictionary.
// Keys of a map with '/' in them ("Dense_0/kernel", as weft::nn keeps variables) become nested dictionaries, each in
// the order of its keys. Static values (numbers, bool, texts, enums, dtypes) are stored and restored, too.
#pragma once

#include <complex>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "train/state_dict.h"
#include "weft/core/tree.h"

namespace weft::train {

/// What a restored leaf may be.
enum class RestoreDType : std::uint8_t {
  kSame,    ///< only of the dtype of the target's leaf
  kTarget,  ///< converted to it, as lax::convert does
  kFile,    ///< of the dtype it has in the file
};

struct RestoreOptions {
  bool allow_missing = false;  ///< leaves that the file does not have stay as they are in the target
  bool allow_extra = false;    ///< leaves that the target does not have are left out
  RestoreDType dtype = RestoreDType::kSame;
};

namespace detail {

/// A static value of a tree as a state value; nullopt for those that are part of the program alone (StaticArg of a type
/// of the user's).
template <class U>
std::optional<StateValue> static_state(const U& v) {
  if constexpr (std::is_same_v<U, DType>)
    return StateValue(std::string(numpy_name(v)));
  else if constexpr (std::is_enum_v<U>)
    return static_state(static_cast<std::underlying_type_t<U>>(v));
  else if constexpr (std::is_same_v<U, bool> || std::is_same_v<U, std::string>)
    return StateValue(v);
  else if constexpr (std::is_same_v<U, char>)
    return StateValue(std::int64_t{v});
  else if constexpr (std::is_integral_v<U>)
    return std::in_range<std::int64_t>(v) ? StateValue(static_cast<std::int64_t>(v))
                                          : StateValue(static_cast<std::uint64_t>(v));
  else if constexpr (std::is_floating_point_v<U>)
    return StateValue(static_cast<double>(v));
  else if constexpr (tree::detail::is_a<U, std::complex>)
    return StateValue(std::complex<double>(v));
  else if constexpr (tree::detail::is_a<U, StaticArg>) {
    if constexpr (tree::detail::is_static<decltype(v.value)>) return static_state(v.value);
  }
  return std::nullopt;
}

/// Stores a state value in a static value; false when it is none of this type.
template <class U>
bool set_static(U& v, const StateValue& state) {
  if constexpr (std::is_same_v<U, DType>) {
    const auto* text = state.get_if<std::string>();
    const auto t = text != nullptr ? parse_dtype(*text) : std::nullopt;
    if (t) v = *t;
    return t.has_value();
  } else if constexpr (std::is_enum_v<U>) {
    std::underlying_type_t<U> number;
    if (!set_static(number, state)) return false;
    v = static_cast<U>(number);
    return true;
  } else if constexpr (std::is_same_v<U, bool> || std::is_same_v<U, std::string>) {
    const auto* same = state.get_if<U>();
    if (same != nullptr) v = *same;
    return same != nullptr;
  } else if constexpr (std::is_integral_v<U>) {
    const auto store = [&](const auto* number) {
      if (number == nullptr || !std::in_range<U>(*number)) return false;
      v = static_cast<U>(*number);
      return true;
    };
    if constexpr (std::is_same_v<U, char>) {
      signed char number;
      return set_static(number, state) && (v = static_cast<char>(number), true);
    } else {
      return store(state.get_if<std::int64_t>()) || store(state.get_if<std::uint64_t>());
    }
  } else if constexpr (std::is_floating_point_v<U>) {
    if (const auto* number = state.get_if<double>()) return v = static_cast<U>(*number), true;
    if (const auto* number = state.get_if<std::int64_t>()) return v = static_cast<U>(*number), true;
    return false;
  } else if constexpr (tree::detail::is_a<U, std::complex>) {
    const auto* number = state.get_if<std::complex<double>>();
    if (number != nullptr) v = U(*number);
    return number != nullptr;
  } else {
    return set_static(v.value, state);  // StaticArg
  }
}

/// Whether static_state has one for this type.
template <class U>
constexpr bool has_state() {
  if constexpr (tree::detail::is_a<U, StaticArg>)
    return tree::detail::is_static<decltype(U::value)>;
  else
    return true;
}

/// Builds the state value of a tree that it visits.
class StateBuilder {
 public:
  void array(const Array& a) { put(a.defined() ? StateValue(a) : StateValue()); }
  template <class U>
  void value(const U& v) {
    if (auto state = static_state(v))
      put(std::move(*state));
    else
      ++nodes_.back().next;
  }
  void enter(tree::NodeKind kind, std::size_t) { nodes_.push_back({.kind = kind}); }
  void child(std::string_view name) { nodes_.back().key = name; }
  void child(std::size_t i) { nodes_.back().key = std::to_string(i); }
  void child_key(const std::string& key) { nodes_.back().key = key; }
  void leave_child() { nodes_.back().key.reset(); }
  void leave();
  StateValue take() { return std::move(root_); }

 private:
  struct Node {
    tree::NodeKind kind;
    std::optional<std::string> key = {};
    std::size_t next = 0;  // the position of a list's element that comes without a key, as those of std::vector<bool>
    StateValue value = {};
    std::vector<StateEntry> entries = {};
    bool nested = false;  // whether keys have parts
  };
  void put(StateValue value);

  std::vector<Node> nodes_;
  StateValue root_;
};

/// Fills a tree that it visits from the leaves of a file, and remembers whatever does not fit.
class StateReader {
 public:
  /// `separator` stands between keys in the paths of `leaves`.
  StateReader(StateLeaves& leaves, const RestoreOptions& options, std::string separator = "/")
      : leaves_(leaves), options_(options), separator_(std::move(separator)) {}
  void array(Array& a);
  template <class U>
  void value(U& v) {
    if constexpr (!has_state<std::remove_const_t<U>>()) {
      ++nodes_.back().next;
    } else {
      const std::string path = leaf_path();
      const StateValue* state = take(path, "a static value");
      if (state == nullptr) return;
      if constexpr (std::is_const_v<U>) {  // an element of std::vector<bool>, which has no reference
        const auto* same = state->get_if<bool>();
        if (same == nullptr || *same != v) mismatch(path, *state, "a fixed bool");
      } else {
        if (!set_static(v, *state)) mismatch(path, *state, static_state(v)->str());
      }
    }
  }
  void enter(tree::NodeKind kind, std::size_t) { nodes_.push_back({kind}); }
  void child(std::string_view name) { open(std::string(name)); }
  void child(std::size_t i) { open(std::to_string(i)); }
  void child_key(const std::string& key) { open(key); }
  void leave_child() {
    path_.resize(lengths_.back());
    lengths_.pop_back();
    nodes_.back().open = false;
  }
  void leave() { nodes_.pop_back(); }

  /// TreeError that lists all differences, if any: "<op>: <source> must have the leaves of the target; got ...".
  void finish(std::string_view op, const std::string& source);

 private:
  struct Node {
    tree::NodeKind kind;
    bool open = false;
    std::size_t next = 0;
  };
  void open(std::string key);
  std::string leaf_path();
  /// The value in the file, or null after noting that it is missing.
  const StateValue* take(const std::string& path, const std::string& wanted);
  void mismatch(const std::string& path, const StateValue& got, const std::string& wanted);

  StateLeaves& leaves_;
  RestoreOptions options_;
  std::string separator_, path_;
  std::vector<std::size_t> lengths_;
  std::vector<Node> nodes_;
  std::vector<std::string> missing_, mismatched_;
};

template <class T>
T read_tree(std::string_view op, T target, StateLeaves& leaves, const std::string& source,
            const RestoreOptions& options, const std::string& separator = "/") {
  StateReader reader(leaves, options, separator);
  tree::visit(target, reader);
  reader.finish(op, source);
  return target;
}

}  // namespace detail

/// The tree as a state dictionary; of a tree that is one array, that array. ValueError when a key of a map is the
/// beginning of another up to a '/'.
template <class T>
StateValue to_state_dict(const T& t, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "to_state_dict");
  detail::StateBuilder builder;
  tree::visit(t, builder);
  return builder.take();
}

/// A tree like `target` with the leaves of the state dictionary; numbers become arrays without dimensions where the
/// target has such. TreeError that lists all leaves, by path, that are missing, extra, or of another shape or dtype.
template <class T>
T from_state_dict(T target, const StateValue& state, const RestoreOptions& options = {},
                  SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "from_state_dict");
  StateLeaves leaves(state, "the state dictionary");
  return detail::read_tree("from_state_dict", std::move(target), leaves, "the state dictionary", options);
}

}  // namespace weft::train
