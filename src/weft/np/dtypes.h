// Dtypes with NumPy's names: which there are, what kind each is, and what it can hold.
#pragma once

#include <cstdint>

#include "weft/base/location.h"
#include "weft/ir/dtype.h"

namespace weft::np {

using dtype = DType;
inline constexpr DType bool_ = boolean;
inline constexpr DType int8 = i8, int16 = i16, int32 = i32, int64 = i64;
inline constexpr DType uint8 = u8, uint16 = u16, uint32 = u32, uint64 = u64;
inline constexpr DType float16 = f16, bfloat16 = bf16, float32 = f32, float64 = f64;
inline constexpr DType complex64 = c64, complex128 = c128;

/// NumPy's abstract types, for issubdtype.
enum class DTypeKind : std::uint8_t {
  kGeneric,
  kNumber,
  kInteger,
  kSignedInteger,
  kUnsignedInteger,
  kInexact,
  kFloating,
  kComplexFloating
};
inline constexpr DTypeKind generic = DTypeKind::kGeneric, number = DTypeKind::kNumber, integer = DTypeKind::kInteger,
                           signedinteger = DTypeKind::kSignedInteger, unsignedinteger = DTypeKind::kUnsignedInteger,
                           inexact = DTypeKind::kInexact, floating = DTypeKind::kFloating,
                           complexfloating = DTypeKind::kComplexFloating;

/// Whether `t` is of the kind: issubdtype(f32, np::floating). bool is generic only.
constexpr bool issubdtype(DType t, DTypeKind kind) {
  switch (kind) {
    case DTypeKind::kGeneric: return true;
    case DTypeKind::kNumber: return t != boolean;
    case DTypeKind::kInteger: return is_integer(t);
    case DTypeKind::kSignedInteger: return is_signed_integer(t);
    case DTypeKind::kUnsignedInteger: return is_unsigned(t);
    case DTypeKind::kInexact: return is_inexact(t);
    case DTypeKind::kFloating: return is_float(t);
    case DTypeKind::kComplexFloating: return is_complex(t);
  }
  return false;
}
/// Whether they are the same.
constexpr bool issubdtype(DType t, DType u) { return t == u; }

/// Limits of a float dtype, exact as doubles. Of a complex one: those of its parts.
struct FloatInfo {
  DType dtype;
  int bits;                      ///< of an element
  int nmant;                     ///< explicit bits of the mantissa
  int nexp;                      ///< bits of the exponent
  double eps;                    ///< from 1 to the next larger number
  double max, min;               ///< the largest finite number and its negative
  double smallest_normal, tiny;  ///< two names of one number
  double smallest_subnormal;
};
/// DTypeError unless `t` is a float or complex dtype.
FloatInfo finfo(DType t, SourceLocation loc = std::source_location::current());

/// Limits of an integer dtype.
struct IntegerInfo {
  DType dtype;
  int bits;
  std::int64_t min;
  std::uint64_t max;
};
/// DTypeError unless `t` is an integer dtype.
IntegerInfo iinfo(DType t, SourceLocation loc = std::source_location::current());

}  // namespace weft::np
