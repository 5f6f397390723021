// The special functions of CHLO: erf and its relatives, Bessel, next_after (gamma and its relatives: special_gamma.cc;
// incomplete functions: special_incomplete.cc).
// Each block is headed by the tangent along t.
#include "weft/ops/elementwise.h"
#include "weft/ops/special_functions.h"

namespace weft {

using ops::binary, ops::kAcceptFloat, ops::kThroughDouble, ops::smooth_rules, ops::unary, ops::unary_info;

namespace {

constexpr double kTwoOverSqrtPi = 1.12837916709551257390;

Array gaussian(const Array& x) { return lax::exponential(lax::negate(lax::square(x))); }

}  // namespace

// erf x: t 2/sqrt(pi) e^(-x^2)
Array lax::erf(const Arg& x) { return unary(OpCode::kErf, x); }
const ir::OpInfo op_infos::erf =
    unary_info<OpCode::kErf, kAcceptFloat>(kThroughDouble<static_cast<double (*)(double)>(std::erf)>);
const OpRules op_rule_table::erf = smooth_rules([](const Array& t, const Array& x, const Array&) {
  return lax::multiply(t, lax::multiply(gaussian(x), kTwoOverSqrtPi));
});

// erfc x = 1 - erf x: -t 2/sqrt(pi) e^(-x^2)
Array lax::erfc(const Arg& x) { return unary(OpCode::kErfc, x); }
const ir::OpInfo op_infos::erfc =
    unary_info<OpCode::kErfc, kAcceptFloat>(kThroughDouble<static_cast<double (*)(double)>(std::erfc)>);
const OpRules op_rule_table::erfc = smooth_rules([](const Array& t, const Array& x, const Array&) {
  return lax::multiply(t, lax::multiply(gaussian(x), -kTwoOverSqrtPi));
});

// erf^-1 x: t sqrt(pi)/2 e^(y^2)
Array lax::erf_inv(const Arg& x) { return unary(OpCode::kErfInv, x); }
const ir::OpInfo op_infos::erf_inv = unary_info<OpCode::kErfInv, kAcceptFloat>(kThroughDouble<ops::erf_inv>);
const OpRules op_rule_table::erf_inv = smooth_rules([](const Array& t, const Array&, const Array& y) {
  return lax::multiply(t, lax::multiply(lax::exponential(lax::square(y)), 1 / kTwoOverSqrtPi));
});

namespace {

// What the slopes of halves are computed in: near 0, I1e(x) is a subnormal of few digits.
DType slope_dtype(DType t) { return byte_size(t) < 4 ? f32 : t; }

// d/dx e^-|x| I1(x). Near 0, where y / x divides what has few digits, and its derivatives what has none, the series
// of (1/2) sum over k of (3/2)_k (-2)^k (k + 1) |x|^k / ((3)_k k!). DLMF 13.6.9.
Array bessel_i1e_slope(const Array& x, const Array& y) {
  static constexpr double kSeries[] = {0.5, -1, 15.0 / 16, -7.0 / 12, 35.0 / 128, -33.0 / 320, 1001.0 / 30720};
  const Array size = lax::abs(x), near = lax::lt(size, 0x1p-7);
  Array series = lax::full(x.shape(), Scalar(0.0), x.dtype());
  for (std::size_t k = std::size(kSeries); k-- > 0;) series = lax::add(lax::multiply(series, size), kSeries[k]);
  const Array ratio = lax::divide(y, lax::select(near, 1.0, x));
  return lax::select(near, series,
                     lax::subtract(lax::subtract(lax::bessel_i0e(x), ratio), lax::multiply(lax::sign(x), y)));
}

}  // namespace

// e^-|x| I1(x): t (e^-|x| I0(x) - y / x - sign(x) y)
Array lax::bessel_i1e(const Arg& x) { return unary(OpCode::kBesselI1e, x); }
const ir::OpInfo op_infos::bessel_i1e = unary_info<OpCode::kBesselI1e, kAcceptFloat>(kThroughDouble<ops::bessel_i1e>);
const OpRules op_rule_table::bessel_i1e = smooth_rules([](const Array& t, const Array& x, const Array& y) {
  const DType wide = slope_dtype(x.dtype());
  if (wide == x.dtype()) return lax::multiply(t, bessel_i1e_slope(x, y));
  const Array v = lax::convert(x, wide);
  return lax::multiply(t, lax::convert(bessel_i1e_slope(v, lax::bessel_i1e(v)), x.dtype()));
});

// e^-|x| I0(x): t (I1e(x) - sign(x) y)
Array lax::bessel_i0e(const Arg& x) { return unary(OpCode::kBesselI0e, x); }
const ir::OpInfo op_infos::bessel_i0e = unary_info<OpCode::kBesselI0e, kAcceptFloat>(kThroughDouble<ops::bessel_i0e>);
const OpRules op_rule_table::bessel_i0e = smooth_rules([](const Array& t, const Array& x, const Array& y) {
  return lax::multiply(t, lax::subtract(lax::bessel_i1e(x), lax::multiply(lax::sign(x), y)));
});

// the next float after x towards y: no tangent
Array lax::next_after(const Arg& x, const Arg& y) { return binary(OpCode::kNextAfter, x, y); }

namespace {

// The code after x's towards y's: codes of one sign are ordered like their magnitudes.
std::uint8_t next_code(const SmallFloatFormat& f, std::uint8_t x, std::uint8_t y) {
  const double a = decode_small_float(f, x), b = decode_small_float(f, y);
  if (a != a) return x;
  if (b != b || a == b) return y;
  if (a == 0) return static_cast<std::uint8_t>(1u | (b < 0 ? f.sign_bit() : 0));
  const auto next = static_cast<std::uint8_t>((a < b) == (a > 0) ? x + 1 : x - 1);
  // Zero has no sign in some formats.
  return f.specials == SmallFloatSpecials::kUnsigned && next == f.nan_code() ? std::uint8_t{0} : next;
}

void eval_next_after(const ops::ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  if (is_storage(in[0].dtype())) {
    const SmallFloatFormat& f = small_float_format(in[0].dtype());
    const auto *x = in[0].as<std::uint8_t>(), *y = in[1].as<std::uint8_t>();
    for (std::int64_t i = 0; i < out[0].size(); ++i) out[0].as<std::uint8_t>()[i] = next_code(f, x[i], y[i]);
    return;
  }
  visit_dtype(in[0].dtype(), [&]<class T>(TypeTag<T>) {
    for (std::int64_t i = 0; i < out[0].size(); ++i) {
      const T x = in[0].as<T>()[i], y = in[1].as<T>()[i];
      T& z = out[0].as<T>()[i];
      if constexpr (std::is_floating_point_v<T>)
        z = std::nextafter(x, y);
      else if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>) {
        // The bit patterns of one sign are ordered like the numbers.
        const float a = x, b = y;
        if (a != a || b != b)
          z = T(std::numeric_limits<float>::quiet_NaN());
        else if (a == b)
          z = y;
        else if (a == 0)
          z = T::from_bits(static_cast<std::uint16_t>(b > 0 ? 0x0001 : 0x8001));
        else
          z = T::from_bits(static_cast<std::uint16_t>((a < b) == (a > 0) ? x.bits + 1 : x.bits - 1));
      }
    }
  });
}

}  // namespace

const ir::OpInfo op_infos::next_after{.operands = ir::takes(2),
                                      .infer = ops::infer_same<OpCode::kNextAfter, kAcceptFloat>,
                                      .eval = eval_next_after,
                                      .elementwise = true,
                                      .storage_types = true};
const OpRules op_rule_table::next_after = ops::kZeroTangentRules;

}  // namespace weft
