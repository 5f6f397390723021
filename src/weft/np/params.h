// Axes as function parameters: one, several, or left out; and integers, real numbers and flags, each of which refuses
// what merely converts to it.
#pragma once

#include <concepts>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "weft/base/dims.h"
#include "weft/base/location.h"
#include "weft/ir/aval.h"

namespace weft::np {

/// An axis: an int, negative ones from the end. A bool is none: what looks like `np::sum(x, true)` in NumPy names
/// keepdims, which stands after the axis here: `np::sum(x, {}, true)`.
class Axis {
 public:
  constexpr Axis(int axis) : axis_(axis) {}  // implicit by design
  template <std::same_as<bool> B>
  Axis(B) = delete;  // a bool is no axis; keepdims comes after it: np::sum(x, {}, true)
  constexpr operator int() const { return axis_; }

 private:
  int axis_;
};

/// An axis that may be left out: `{}` or std::nullopt.
using OptionalAxis = std::optional<Axis>;

/// Axes to reduce: none given (all), one, or several.
class AxisArg {
 public:
  AxisArg() = default;
  AxisArg(int axis) : axes_{axis}, given_(true) {}
  AxisArg(Axis axis) : axes_{axis}, given_(true) {}
  AxisArg(std::initializer_list<int> axes) : axes_(axes), given_(true) {}
  AxisArg(std::vector<int> axes) : axes_(std::move(axes)), given_(true) {}
  AxisArg(std::nullopt_t) {}
  template <std::same_as<bool> B>
  AxisArg(B) = delete;  // a bool is no axis; keepdims comes after it: np::sum(x, {}, true)
  /// Counted from the front of x, ascending; IndexError when out of range or repeated.
  Dims resolve(std::string_view op, Aval x) const;

 private:
  std::vector<int> axes_;
  bool given_ = false;
};

/// One axis or several, in the order given.
class Axes {
 public:
  Axes() = default;
  Axes(int axis) : axes_{axis} {}
  Axes(Axis axis) : axes_{axis} {}
  Axes(std::initializer_list<int> axes) : axes_(axes) {}
  Axes(std::vector<int> axes) : axes_(std::move(axes)) {}
  template <std::same_as<bool> B>
  Axes(B) = delete;  // a bool is no axis
  const std::vector<int>& axes() const { return axes_; }

 private:
  std::vector<int> axes_;
};

namespace detail {
[[noreturn]] void throw_integer_wraps(std::uint64_t number, const SourceLocation& loc);
template <class T>
concept NoInteger = std::same_as<T, bool> || std::floating_point<T>;
}  // namespace detail

/// A count, a position or a seed: an integer of any type. ValueError for unsigned ones from 2^63.
class Integer {
 public:
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  constexpr Integer(T value, SourceLocation loc = std::source_location::current())  // implicit by design
      : value_(static_cast<std::int64_t>(value)) {
    if constexpr (std::is_unsigned_v<T>)
      if (value_ < 0) detail::throw_integer_wraps(value, loc);
  }
  template <detail::NoInteger T>
  Integer(T) = delete;  // a bool is no number, and a float would lose its fraction: cast to say which integer is meant
  constexpr operator std::int64_t() const { return value_; }

 private:
  std::int64_t value_;
};

/// A real number that is not an element, as a tolerance. A bool is none: what looks like NumPy's
/// `np.allclose(x, y, equal_nan=True)` has its flag after the tolerances.
class Real {
 public:
  template <class T>
    requires((std::integral<T> || std::floating_point<T>) && !std::same_as<T, bool>)
  constexpr Real(T value) : value_(static_cast<double>(value)) {}  // implicit by design
  template <std::same_as<bool> B>
  Real(B) = delete;  // a bool is no number
  constexpr operator double() const { return value_; }

 private:
  double value_;
};

/// A bool and nothing else, so that a number meant for another parameter (NumPy's ddof) does not pass for one.
class Flag {
 public:
  template <std::same_as<bool> B>
  constexpr Flag(B value) : value_(value) {}  // implicit by design
  constexpr operator bool() const { return value_; }

 private:
  bool value_;
};

}  // namespace weft::np
