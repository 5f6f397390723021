// What a dtype can hold, with NumPy's names.
#pragma once

#include <cstdint>

#include "weft/ir/dtype.h"

namespace weft::np {

/// Limits of a float dtype, exact as doubles. Of a complex one: those of its parts.
struct FloatInfo {
  DType dtype;
  int bits;                ///< of an element
  int nmant;               ///< explicit bits of the mantissa
  int nexp;                ///< bits of the exponent
  double eps;              ///< from 1 to the next larger number
  double max, min;         ///< the largest finite number and its negative
  double smallest_normal;  ///< also NumPy's `tiny`
  double smallest_subnormal;
};
/// DTypeError unless `t` is a float or complex dtype.
FloatInfo finfo(DType t);

/// Limits of an integer dtype.
struct IntegerInfo {
  DType dtype;
  int bits;
  std::int64_t min;
  std::uint64_t max;
};
/// DTypeError unless `t` is an integer dtype.
IntegerInfo iinfo(DType t);

}  // namespace weft::np
