// Addition, subtraction, multiplication, division, remainder, power, atan2, maximum, minimum.
// Integers wrap around at their width. Each block is headed by the tangent of z = f(x, y) along s, t.
#include "weft/ops/complex_functions.h"
#include "weft/ops/elementwise.h"

namespace weft {

using namespace ops;

namespace {

// Integers as their bits, so that overflow wraps.
template <class T>
constexpr std::uint64_t bits_of(T x) {
  return static_cast<std::uint64_t>(x);
}

// Lexicographic order for complex.
template <class T>
bool less(T x, T y) {
  if constexpr (is_complex_v<T>)
    return x.real() < y.real() || (x.real() == y.real() && x.imag() < y.imag());
  else
    return x < y;
}
template <class T>
bool nan(T x) {
  if constexpr (is_complex_v<T>)
    return std::isnan(x.real()) || std::isnan(x.imag());
  else if constexpr (std::is_floating_point_v<T>)
    return std::isnan(x);
  else
    return false;
}
// IEEE 754-2019 maximum and minimum: NaN if either is, +0 above -0.
template <bool kMax, class T>
T extreme(T x, T y) {
  if (nan(x)) return x;
  if (nan(y)) return y;
  if constexpr (std::is_floating_point_v<T>)
    if (x == y) return std::signbit(x) == kMax ? y : x;
  return less(x, y) == kMax ? y : x;
}

template <class T>
T integer_power(T x, T y) {
  if constexpr (std::is_signed_v<T>) {
    if (y < 0) return x == 1 ? T(1) : x == -1 ? T(y % 2 ? -1 : 1) : T(0);
  }
  std::uint64_t result = 1, square = bits_of(x);
  for (std::uint64_t n = bits_of(y); n > 0; n >>= 1, square *= square)
    if (n & 1) result *= square;
  return static_cast<T>(result);
}

// d max(x, y) by x: 1 where x is the result, 1/2 where y is too.
Array share(const Array& x, const Array& other, const Array& result) {
  const Array weight = lax::select(lax::eq(other, result), 0.5, Array::full(x.shape(), x.dtype(), 1.0));
  return lax::select(lax::eq(x, result), weight, 0.0);
}

void transpose_add(const Call&, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  for (GradAccum* a : accums)
    if (a) a->add(cts[0]);
}
void transpose_subtract(const Call&, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  if (accums[0]) accums[0]->add(cts[0]);
  if (accums[1]) accums[1]->add(lax::negate(cts[0]));
}
void transpose_multiply(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  if (accums[0] && accums[1]) return rules::not_linear(call, cts, accums);
  if (accums[0])
    accums[0]->add(lax::multiply(cts[0], call.args[1]));
  else
    accums[1]->add(lax::multiply(call.args[0], cts[0]));
}
void transpose_divide(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  if (accums[1]) return rules::not_linear(call, cts, accums);
  accums[0]->add(lax::divide(cts[0], call.args[1]));
}

}  // namespace

// x + y: s + t
Array lax::add(const Arg& x, const Arg& y) { return binary(OpCode::kAdd, x, y); }
const ir::OpInfo op_infos::add = binary_info<OpCode::kAdd, kAll>([](auto x, auto y) {
  using T = decltype(x);
  if constexpr (std::is_same_v<T, bool>)
    return x || y;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(bits_of(x) + bits_of(y));
  else
    return x + y;
});
const OpRules op_rule_table::add =
    with_transpose(smooth_rules([](const Array& s, const Array&, const Array&, const Array&) { return s; },
                                [](const Array& t, const Array&, const Array&, const Array&) { return t; }),
                   transpose_add);

// x - y: s - t
Array lax::subtract(const Arg& x, const Arg& y) { return binary(OpCode::kSubtract, x, y); }
const ir::OpInfo op_infos::subtract = binary_info<OpCode::kSubtract, kNumber>([](auto x, auto y) {
  using T = decltype(x);
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(bits_of(x) - bits_of(y));
  else
    return x - y;
});
const OpRules op_rule_table::subtract{
    .jvp =
        [](const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
          outs.push_back(lax::subtract(call.args[0], call.args[1]));
          const Array &s = tangents[0], &t = tangents[1];
          out_tangents.push_back(!t.defined() ? s : s.defined() ? lax::subtract(s, t) : lax::negate(t));
        },
    .transpose = transpose_subtract,
    .batch = batch_elementwise,
    .factors = factors_elementwise};

// x y: s y + x t
Array lax::multiply(const Arg& x, const Arg& y) { return binary(OpCode::kMultiply, x, y); }
const ir::OpInfo op_infos::multiply = binary_info<OpCode::kMultiply, kAll>([](auto x, auto y) {
  using T = decltype(x);
  if constexpr (std::is_same_v<T, bool>)
    return x && y;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(bits_of(x) * bits_of(y));
  else if constexpr (is_complex_v<T>)
    return product(x, y);
  else
    return x * y;
});
const OpRules op_rule_table::multiply{
    .jvp = jvp_bilinear, .transpose = transpose_multiply, .batch = batch_elementwise, .factors = factors_elementwise};

// The upper half of the product of integers: no tangent
Array lax::mulhi(const Arg& x, const Arg& y) { return binary(OpCode::kMulhi, x, y); }
const ir::OpInfo op_infos::mulhi = binary_info<OpCode::kMulhi, kAcceptInteger>([](auto x, auto y, int bits) {
  using T = decltype(x);
  __extension__ using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
  return static_cast<T>((static_cast<Wide>(x) * static_cast<Wide>(y)) >> bits);
});
const OpRules op_rule_table::mulhi = kZeroTangentRules;

// x / y: s / y - t z / y
Array lax::divide(const Arg& x, const Arg& y) { return binary(OpCode::kDivide, x, y); }
const ir::OpInfo op_infos::divide = binary_info<OpCode::kDivide, kNumber>([](auto x, auto y) {
  using T = decltype(x);
  if constexpr (std::is_integral_v<T>) {
    if (y == 0) return static_cast<T>(~std::uint64_t{0});
    // The only quotient that overflows is lowest / -1.
    if (std::is_signed_v<T> && y == static_cast<T>(-1)) return static_cast<T>(0 - bits_of(x));
    return static_cast<T>(x / y);
  } else if constexpr (is_complex_v<T>) {
    return ops::divide(x, y);
  } else {
    return x / y;
  }
});
const OpRules op_rule_table::divide = with_transpose(
    smooth_rules([](const Array& s, const Array&, const Array& y, const Array&) { return lax::divide(s, y); },
                 [](const Array& t, const Array&, const Array& y, const Array& z) {
                   return lax::multiply(t, lax::negate(lax::divide(z, y)));
                 }),
    transpose_divide);

// x - y trunc(x / y): s - t trunc(x / y)
Array lax::remainder(const Arg& x, const Arg& y) { return binary(OpCode::kRemainder, x, y); }
const ir::OpInfo op_infos::remainder = binary_info < OpCode::kRemainder,
                 kAcceptInteger | kAcceptFloat > ([](auto x, auto y) {
                                    using T = decltype(x);
                                    if constexpr (std::is_integral_v<T>) {
                                      if (y == 0) return x;
                                      if (std::is_signed_v<T> && y == static_cast<T>(-1)) return T(0);
                                      return static_cast<T>(x % y);
                                    } else {
                                      return std::fmod(x, y);
                                    }
                                  });
const OpRules op_rule_table::remainder =
    smooth_rules([](const Array& s, const Array&, const Array&, const Array&) { return s; },
                 [](const Array& t, const Array& x, const Array& y, const Array&) {
                   const Array q = lax::divide(x, y);
                   return lax::multiply(lax::negate(t), lax::multiply(lax::sign(q), lax::floor(lax::abs(q))));
                 });

// x^y: s y x^(y-1), 0 where y = 0; t log(x) z, 0 where x = 0
Array lax::power(const Arg& x, const Arg& y) { return binary(OpCode::kPower, x, y); }
const ir::OpInfo op_infos::power = binary_info<OpCode::kPower, kNumber>([](auto x, auto y) {
  using T = decltype(x);
  if constexpr (std::is_integral_v<T>) {
    return integer_power(x, y);
  } else if constexpr (is_complex_v<T>) {
    return ops::power(x, y);
  } else {
    return std::pow(x, y);
  }
});
const OpRules op_rule_table::power = smooth_rules(
    [](const Array& s, const Array& x, const Array& y, const Array&) {
      const Array flat = lax::eq(y, 0.0);
      const Array lower = lax::power(x, lax::select(flat, 1.0, lax::subtract(y, 1.0)));
      return lax::multiply(s, lax::select(flat, 0.0, lax::multiply(y, lower)));
    },
    [](const Array& t, const Array& x, const Array&, const Array& z) {
      return lax::multiply(t, lax::multiply(lax::log(lax::select(lax::eq(x, 0.0), 1.0, x)), z));
    });

// The angle of (x, y), of which y comes first: (s x - t y) / (x^2 + y^2)
Array lax::atan2(const Arg& y, const Arg& x) { return binary(OpCode::kAtan2, y, x); }
const ir::OpInfo op_infos::atan2 = binary_info<OpCode::kAtan2, kInexact>([](auto y, auto x) {
  if constexpr (is_complex_v<decltype(x)>)
    return ops::atan2(y, x);
  else
    return std::atan2(y, x);
});
const OpRules op_rule_table::atan2 = smooth_rules(
    [](const Array& s, const Array& y, const Array& x, const Array&) {
      return lax::multiply(s, lax::divide(x, lax::add(lax::square(x), lax::square(y))));
    },
    [](const Array& t, const Array& y, const Array& x, const Array&) {
      return lax::multiply(t, lax::divide(lax::negate(y), lax::add(lax::square(x), lax::square(y))));
    });

// max(x, y): the tangent of the larger, half of each where they are equal
Array lax::maximum(const Arg& x, const Arg& y) { return binary(OpCode::kMaximum, x, y); }
const ir::OpInfo op_infos::maximum =
    binary_info<OpCode::kMaximum, kAll>([](auto x, auto y) { return extreme<true>(x, y); });
const OpRules op_rule_table::maximum = smooth_rules(
    [](const Array& s, const Array& x, const Array& y, const Array& z) { return lax::multiply(s, share(x, y, z)); },
    [](const Array& t, const Array& x, const Array& y, const Array& z) { return lax::multiply(t, share(y, x, z)); });

// min(x, y): the tangent of the smaller, half of each where they are equal
Array lax::minimum(const Arg& x, const Arg& y) { return binary(OpCode::kMinimum, x, y); }
const ir::OpInfo op_infos::minimum =
    binary_info<OpCode::kMinimum, kAll>([](auto x, auto y) { return extreme<false>(x, y); });
const OpRules op_rule_table::minimum = smooth_rules(
    [](const Array& s, const Array& x, const Array& y, const Array& z) { return lax::multiply(s, share(x, y, z)); },
    [](const Array& t, const Array& x, const Array& y, const Array& z) { return lax::multiply(t, share(y, x, z)); });

}  // namespace weft
