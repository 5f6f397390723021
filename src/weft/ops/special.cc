// The special functions of CHLO: erf and its relatives, gamma and its relatives, Bessel, next_after.
// Each block is headed by the tangent along t.
#include "weft/ops/elementwise.h"
#include "weft/ops/special_functions.h"

namespace weft {

using ops::binary, ops::binary_info, ops::kAcceptFloat, ops::smooth_rules, ops::unary, ops::unary_info;

namespace {

constexpr double kTwoOverSqrtPi = 1.12837916709551257390;

// A function known in double, rounded once for float.
template <class T, class F>
T through_double(F f, T x) {
  return static_cast<T>(f(static_cast<double>(x)));
}

Array gaussian(const Array& x) { return lax::exponential(lax::negate(lax::square(x))); }

}  // namespace

// erf x: t 2/sqrt(pi) e^(-x^2)
Array lax::erf(const Arg& x) { return unary(OpCode::kErf, x); }
const ir::OpInfo op_infos::erf = unary_info<OpCode::kErf, kAcceptFloat>(
    [](auto x) { return through_double([](double v) { return std::erf(v); }, x); });
const OpRules op_rule_table::erf = smooth_rules([](const Array& t, const Array& x, const Array&) {
  return lax::multiply(t, lax::multiply(gaussian(x), kTwoOverSqrtPi));
});

// erfc x = 1 - erf x: -t 2/sqrt(pi) e^(-x^2)
Array lax::erfc(const Arg& x) { return unary(OpCode::kErfc, x); }
const ir::OpInfo op_infos::erfc = unary_info<OpCode::kErfc, kAcceptFloat>(
    [](auto x) { return through_double([](double v) { return std::erfc(v); }, x); });
const OpRules op_rule_table::erfc = smooth_rules([](const Array& t, const Array& x, const Array&) {
  return lax::multiply(t, lax::multiply(gaussian(x), -kTwoOverSqrtPi));
});

// erf^-1 x: t sqrt(pi)/2 e^(y^2)
Array lax::erf_inv(const Arg& x) { return unary(OpCode::kErfInv, x); }
const ir::OpInfo op_infos::erf_inv = unary_info<OpCode::kErfInv, kAcceptFloat>([](auto x) { return ops::erf_inv(x); });
const OpRules op_rule_table::erf_inv = smooth_rules([](const Array& t, const Array&, const Array& y) {
  return lax::multiply(t, lax::multiply(lax::exponential(lax::square(y)), 1 / kTwoOverSqrtPi));
});

// log |Gamma(x)|: t psi(x)
Array lax::lgamma(const Arg& x) { return unary(OpCode::kLgamma, x); }
const ir::OpInfo op_infos::lgamma = unary_info<OpCode::kLgamma, kAcceptFloat>(
    [](auto x) { return through_double([](double v) { return ops::lgamma(v); }, x); });
const OpRules op_rule_table::lgamma =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::multiply(t, lax::digamma(x)); });

// psi(x): t psi'(x)
Array lax::digamma(const Arg& x) { return unary(OpCode::kDigamma, x); }
const ir::OpInfo op_infos::digamma = unary_info<OpCode::kDigamma, kAcceptFloat>(
    [](auto x) { return through_double([](double v) { return ops::digamma(v); }, x); });
const OpRules op_rule_table::digamma =
    smooth_rules([](const Array& t, const Array& x, const Array&) { return lax::multiply(t, lax::polygamma(1.0, x)); });

// psi^(n)(x): t psi^(n+1)(x) by x; n is a whole number and has no tangent
Array lax::polygamma(const Arg& n, const Arg& x) { return binary(OpCode::kPolygamma, n, x); }
const ir::OpInfo op_infos::polygamma = binary_info<OpCode::kPolygamma, kAcceptFloat>([](auto n, auto x) {
  return static_cast<decltype(x)>(ops::polygamma(static_cast<double>(n), static_cast<double>(x)));
});
const OpRules op_rule_table::polygamma =
    smooth_rules([](const Array& t, const Array&, const Array&, const Array&) { return zeros_of(t.aval()); },
                 [](const Array& t, const Array& n, const Array& x, const Array&) {
                   return lax::multiply(t, lax::polygamma(lax::add(n, 1.0), x));
                 });

// zeta(s, q): -t s zeta(s + 1, q) by q
Array lax::zeta(const Arg& x, const Arg& q) { return binary(OpCode::kZeta, x, q); }
const ir::OpInfo op_infos::zeta = binary_info<OpCode::kZeta, kAcceptFloat>(
    [](auto s, auto q) { return static_cast<decltype(q)>(ops::zeta(static_cast<double>(s), static_cast<double>(q))); });
const OpRules op_rule_table::zeta = smooth_rules(
    // There is no elementary form; refusing is better than a wrong number.
    [](const Array&, const Array&, const Array&, const Array&) -> Array {
      throw NotDifferentiableError(
          "zeta: the derivative by the exponent is not available; got a tangent for operand 0.",
          "wrap the exponent in lax::stop_gradient if it is a constant.");
    },
    [](const Array& t, const Array& s, const Array& q, const Array&) {
      return lax::multiply(t, lax::negate(lax::multiply(s, lax::zeta(lax::add(s, 1.0), q))));
    });

// e^-|x| I1(x): t (e^-|x| I0(x) - y (sign x + 1/x))
Array lax::bessel_i1e(const Arg& x) { return unary(OpCode::kBesselI1e, x); }
const ir::OpInfo op_infos::bessel_i1e = unary_info<OpCode::kBesselI1e, kAcceptFloat>(
    [](auto x) { return through_double([](double v) { return ops::bessel_i1e(v); }, x); });
const OpRules op_rule_table::bessel_i1e = smooth_rules([](const Array& t, const Array& x, const Array& y) {
  // Tends to 1/2 at 0, where 1/x does not exist.
  const Array zero = lax::eq(x, 0.0);
  const Array safe = lax::select(zero, lax::full(x.shape(), Scalar(1.0), x.dtype()), x);
  const Array slope =
      lax::subtract(lax::bessel_i0e(x), lax::multiply(y, lax::add(lax::sign(x), lax::divide(1.0, safe))));
  return lax::multiply(t, lax::select(zero, lax::full(x.shape(), Scalar(0.5), x.dtype()), slope));
});

// e^-|x| I0(x): t (I1e(x) - sign(x) y)
Array lax::bessel_i0e(const Arg& x) { return unary(OpCode::kBesselI0e, x); }
const ir::OpInfo op_infos::bessel_i0e = unary_info<OpCode::kBesselI0e, kAcceptFloat>(
    [](auto x) { return through_double([](double v) { return ops::bessel_i0e(v); }, x); });
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
