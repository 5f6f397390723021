// Arrays as text, the way NumPy and JAX print them.
// Works on host data only and keeps no process-wide state: options are arguments.
// Invariant: with default options the text is NumPy's (`np.array2string`), character for character.
#pragma once

#include <string>

#include "weft/ir/tensor.h"

namespace weft::np {

/// When to print how many digits; NumPy's `floatmode`.
enum class FloatMode : std::uint8_t {
  kMaxPrec,       ///< the fewest digits that identify the number, but at most `precision`
  kMaxPrecEqual,  ///< as kMaxPrec, then every number with as many digits as the longest
  kUnique,        ///< the fewest digits that identify the number
  kFixed,         ///< exactly `precision` digits
};

/// How positive numbers are marked; NumPy's `sign`.
enum class Sign : std::uint8_t { kMinus, kPlus, kSpace };

/// Print options with NumPy's defaults (`np.set_printoptions`).
struct PrintOptions {
  int precision = 8;              ///< digits after the point
  std::int64_t threshold = 1000;  ///< arrays with more elements are summarised
  int edgeitems = 3;              ///< elements kept at both ends of a summarised dimension
  int linewidth = 75;             ///< columns
  bool suppress = false;          ///< no scientific notation because of small numbers
  FloatMode floatmode = FloatMode::kMaxPrec;
  Sign sign = Sign::kMinus;
};

/// The elements in brackets, separated by spaces; a 0-d array is its element alone. NumPy's `str(array)`.
/// `shape` is what is printed; along axes where `stored` has size 1 instead, its elements repeat.
/// Throws ValueError for a negative precision, threshold or linewidth, or edgeitems below 1.
std::string array_str(TensorView stored, DimSpan shape, const PrintOptions& options = {});
inline std::string array_str(TensorView array, const PrintOptions& options = {}) {
  return array_str(array, array.shape(), options);
}

/// "Array([1., 2.], dtype=float32)". JAX's `repr(array)`; arguments and errors as for array_str.
std::string array_repr(TensorView stored, DimSpan shape, const PrintOptions& options = {});
inline std::string array_repr(TensorView array, const PrintOptions& options = {}) {
  return array_repr(array, array.shape(), options);
}

}  // namespace weft::np
