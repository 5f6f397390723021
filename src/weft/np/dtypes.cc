#include "weft/np/dtypes.h"

#include <cmath>
#include <string>

#include "weft/base/error.h"

namespace weft::np {

FloatInfo finfo(DType t, SourceLocation loc) {
  const LocationScope scope(loc, "finfo");
  if (!is_inexact(t)) throw DTypeError("finfo: the dtype must be float or complex; got " + std::string(name(t)) + ".");
  const DType part = real_dtype(t);
  if (is_storage(part)) {
    const SmallFloatFormat& f = small_float_format(part);
    const auto value = [&](unsigned code) { return decode_small_float(f, static_cast<std::uint8_t>(code)); };
    // A scale has neither signs nor subnormal numbers.
    const double normal = f.has_sign() ? std::ldexp(1, 1 - f.bias) : value(0);
    return {.dtype = part,
            .bits = f.width(),
            .nmant = f.mantissa_bits,
            .nexp = f.exponent_bits,
            .eps = std::ldexp(1, -f.mantissa_bits),
            .max = value(f.max_code()),
            .min = f.has_sign() ? -value(f.max_code()) : value(0),
            .smallest_normal = normal,
            .smallest_subnormal = f.has_sign() && f.mantissa_bits > 0 ? value(1) : normal};
  }
  const int bits = static_cast<int>(8 * byte_size(part));
  const int nmant = part == f16 ? 10 : part == bf16 ? 7 : part == f32 ? 23 : 52, nexp = bits - 1 - nmant;
  const int bias = (1 << (nexp - 1)) - 1;
  const double largest = std::ldexp(2 - std::ldexp(1, -nmant), bias);
  return {.dtype = part,
          .bits = bits,
          .nmant = nmant,
          .nexp = nexp,
          .eps = std::ldexp(1, -nmant),
          .max = largest,
          .min = -largest,
          .smallest_normal = std::ldexp(1, 1 - bias),
          .tiny = std::ldexp(1, 1 - bias),
          .smallest_subnormal = std::ldexp(1, 1 - bias - nmant)};
}

IntegerInfo iinfo(DType t, SourceLocation loc) {
  const LocationScope scope(loc, "iinfo");
  if (!is_integer(t)) throw DTypeError("iinfo: the dtype must be an integer's; got " + std::string(name(t)) + ".");
  const int bits = bit_width(t);
  const std::uint64_t ones = ~std::uint64_t{0} >> (64 - bits);
  if (is_unsigned(t)) return {.dtype = t, .bits = bits, .min = 0, .max = ones};
  return {.dtype = t, .bits = bits, .min = -static_cast<std::int64_t>(ones / 2) - 1, .max = ones / 2};
}

}  // namespace weft::np
