// State dictionaries: trees with their C++ types forgotten, as Flax keeps them in files. A value is a number, a text,
// an array, or a list or dictionary of values; a dictionary keeps its entries in the order in which they were added.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "weft/core/array.h"

namespace weft::train {

struct StateValue;
struct StateEntry;

/// An array without dimensions that was written as a NumPy scalar (np.float32(3)), which Flax keeps apart from arrays.
struct NumpyScalar {
  Array value;
};

/// Values in their order.
using StateList = std::vector<StateValue>;

/// Values by keys that differ, in the order in which they were added.
class StateDict {
 public:
  // Where entries are complete: they have values, which may be dictionaries.
  StateDict();
  StateDict(const StateDict&);
  StateDict(StateDict&&) noexcept;
  StateDict& operator=(const StateDict&);
  StateDict& operator=(StateDict&&) noexcept;
  ~StateDict();

  bool empty() const { return begin() == end(); }
  std::size_t size() const;
  const StateEntry* begin() const;
  const StateEntry* end() const;
  /// The value of that key, or null.
  const StateValue* find(std::string_view key) const;
  StateValue* find(std::string_view key);
  /// The value of that key; IndexError when there is none.
  const StateValue& at(std::string_view key, SourceLocation loc = std::source_location::current()) const;
  /// Replaces the value of that key, or adds it at the end.
  void set(std::string key, StateValue value);
  /// Adds a key that the dictionary does not have, without looking.
  void append(std::string key, StateValue value);
  /// Orders the entries by their keys' bytes, which is the order of Python's strings. Dictionaries inside stay as they
  /// are.
  void sort();

 private:
  std::vector<StateEntry> entries_;
};

struct StateValue {
  /// std::monostate is Python's None; the signed integer holds whatever fits it.
  using Variant = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::complex<double>,
                               std::string, std::vector<std::byte>, Array, NumpyScalar, StateList, StateDict>;

  StateValue() = default;
  template <class T>
    requires(!std::is_same_v<T, StateValue> && std::is_constructible_v<Variant, T>)
  StateValue(T v) : value(std::move(v)) {}  // implicit by design
  StateValue(const char* text) : value(std::string(text)) {}
  StateValue(int v) : value(std::int64_t{v}) {}

  bool none() const { return std::holds_alternative<std::monostate>(value); }
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&value);
  }
  template <class T>
  T* get_if() {
    return std::get_if<T>(&value);
  }
  /// The array, of a NumPy scalar too, or null.
  const Array* array() const;
  /// What it is, for errors: "none", "f32[2,3]", "the integer 3", "a text", "a dictionary of 2".
  std::string str() const;

  Variant value;
};

struct StateEntry {
  std::string key;
  StateValue value;
};

inline std::size_t StateDict::size() const { return entries_.size(); }
inline const StateEntry* StateDict::begin() const { return entries_.data(); }
inline const StateEntry* StateDict::end() const { return entries_.data() + entries_.size(); }

/// The same value with the entries of all dictionaries in it in the order of their keys.
StateValue sorted(StateValue value);

/// The leaves of a value, which are whatever is no list or dictionary, by path: keys and positions with '/' between
/// them ("params/Dense_0/kernel", "opt_state/0/count"); "" when the value is a leaf itself. A key may have '/' in it.
class StateLeaves {
 public:
  struct Leaf {
    std::string path;
    const StateValue* value;
    bool taken = false;
  };

  /// Of a value that outlives this; ParseError naming `source` when two leaves have the same path.
  StateLeaves(const StateValue& value, const std::string& source);

  /// The leaf at that path, or null.
  Leaf* find(std::string_view path);
  /// In the order of their paths.
  const std::vector<Leaf>& all() const { return leaves_; }

 private:
  std::vector<Leaf> leaves_;
};

}  // namespace weft::train
