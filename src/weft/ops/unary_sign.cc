// Negation, magnitude, sign, rounding to integers, and the predicates of floats.
// Rounding, predicates and the sign of a real number vary with nothing: their tangents are zero.
#include "weft/ops/complex_functions.h"
#include "weft/ops/elementwise.h"

namespace weft {

using namespace ops;

namespace {

// Results have the real dtype of the operand's.
template <OpCode kOp, unsigned kAccept>
void infer_real(const ParamsBase*, std::span<const Aval> in, Avals& out) {
  infer_elementwise(kOp, in, kAccept, out);
  out.back() = out.back().with_dtype(real_dtype(in[0].dtype()));
}

// Floats are judged as doubles, which keeps infinities, NaN and finiteness.
template <bool (*kPredicate)(double)>
void eval_predicate(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  bool* y = out[0].as<bool>();
  visit_dtype(in[0].dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* x = in[0].as<T>();
    for (std::int64_t n = in[0].size(), i = 0; i < n; ++i) {
      if constexpr (is_complex_v<T>)
        y[i] = kPredicate(x[i].real()) && kPredicate(x[i].imag());
      else
        y[i] = kPredicate(static_cast<double>(static_cast<compute_t<T>>(x[i])));
    }
  });
}
template <OpCode kOp, unsigned kAccept, bool (*kPredicate)(double)>
constexpr ir::OpInfo predicate_info() {
  return {.infer = infer_predicate<kOp, kAccept>, .eval = eval_predicate<kPredicate>, .elementwise = true};
}

bool finite(double x) { return std::isfinite(x); }
bool infinite(double x) { return std::isinf(x); }
bool positive_infinite(double x) { return x == std::numeric_limits<double>::infinity(); }
bool negative_infinite(double x) { return x == -std::numeric_limits<double>::infinity(); }

template <class T>
T sign_of(T x) {
  if constexpr (std::is_unsigned_v<T>)
    return x != 0;
  else if constexpr (is_complex_v<T>)
    return ops::sign(x);
  else
    return x > 0 ? T(1) : x < 0 ? T(-1) : x;
}

}  // namespace

// -x: -t
Array lax::negate(const Arg& x) { return unary(OpCode::kNegate, x); }
const ir::OpInfo op_infos::negate = unary_info<OpCode::kNegate, kNumber>([](auto x) {
  if constexpr (std::is_integral_v<decltype(x)>)
    return static_cast<decltype(x)>(0 - static_cast<std::uint64_t>(x));
  else
    return -x;
});
const OpRules op_rule_table::negate{
    .jvp = jvp_linear,
    .transpose = [](const Call&, std::span<const Array> cts,
                    std::span<GradAccum* const> accums) { accums[0]->add(lax::negate(cts[0])); },
    .batch = batch_elementwise,
    .factors = factors_elementwise};

// |x|: t sign(x); complex: Re(t conj(x / |x|))
namespace {
void eval_abs(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto complex = [&](auto one) {
    using C = decltype(one);
    const C* x = in[0].as<C>();
    auto* y = out[0].as<typename C::value_type>();
    for (std::int64_t n = in[0].size(), i = 0; i < n; ++i) y[i] = std::abs(x[i]);
  };
  if (in[0].dtype() == c64) return complex(std::complex<float>());
  if (in[0].dtype() == c128) return complex(std::complex<double>());
  constexpr auto real = [](auto x) {
    if constexpr (std::is_integral_v<decltype(x)>)
      return x < 0 ? static_cast<decltype(x)>(0 - static_cast<std::uint64_t>(x)) : x;
    else
      return std::abs(x);
  };
  ops::each_element::eval_unary<kAcceptSigned | kAcceptFloat, decltype(real)>(params, in, out);
}
}  // namespace
Array lax::abs(const Arg& x) { return unary(OpCode::kAbs, x); }
const ir::OpInfo op_infos::abs{
    .infer = infer_real < OpCode::kAbs, kAcceptSigned | kInexact >, .eval = eval_abs, .elementwise = true};
const OpRules op_rule_table::abs = smooth_rules([](const Array& t, const Array& x, const Array&) {
  if (!is_complex(x.dtype())) return lax::multiply(t, lax::sign(x));
  return lax::real(lax::multiply(t, lax::conj(lax::sign(x))));
});

// x / |x|: 0 for reals; complex, where it is the direction u: (t - u Re(t conj u)) / |x|
Array lax::sign(const Arg& x) { return unary(OpCode::kSign, x); }
const ir::OpInfo op_infos::sign = unary_info<OpCode::kSign, kNumber>([](auto x) { return sign_of(x); });
const OpRules op_rule_table::sign{
    .jvp =
        [](const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
          if (!is_complex(call.args[0].dtype())) return rules::zero_tangent(call, tangents, outs, out_tangents);
          outs.push_back(lax::sign(call.args[0]));
          const Array &t = tangents[0], &u = outs[0];
          // At 0 the direction is taken as constant, so that the tangent is 0 and not NaN.
          const Array length = lax::abs(call.args[0]);
          const Array scale = lax::convert(lax::select(lax::eq(length, 0.0), 0.0, lax::divide(1.0, length)), u.dtype());
          const Array along = lax::convert(lax::real(lax::multiply(t, lax::conj(u))), u.dtype());
          out_tangents.push_back(lax::multiply(lax::subtract(t, lax::multiply(along, u)), scale));
        },
    .transpose = rules::not_linear,
    .batch = batch_elementwise,
    .factors = factors_elementwise};

// ---- rounding to integers ----

Array lax::ceil(const Arg& x) { return unary(OpCode::kCeil, x); }
const ir::OpInfo op_infos::ceil = unary_info<OpCode::kCeil, kAcceptFloat>([](auto x) { return std::ceil(x); });
const OpRules op_rule_table::ceil = kZeroTangentRules;

Array lax::floor(const Arg& x) { return unary(OpCode::kFloor, x); }
const ir::OpInfo op_infos::floor = unary_info<OpCode::kFloor, kAcceptFloat>([](auto x) { return std::floor(x); });
const OpRules op_rule_table::floor = kZeroTangentRules;

Array lax::round_nearest_afz(const Arg& x) { return unary(OpCode::kRoundNearestAfz, x); }
const ir::OpInfo op_infos::round_nearest_afz =
    unary_info<OpCode::kRoundNearestAfz, kAcceptFloat>([](auto x) { return std::round(x); });
const OpRules op_rule_table::round_nearest_afz = kZeroTangentRules;

Array lax::round_nearest_even(const Arg& x) { return unary(OpCode::kRoundNearestEven, x); }
const ir::OpInfo op_infos::round_nearest_even = unary_info<OpCode::kRoundNearestEven, kAcceptFloat>([](auto x) {
  // Not nearbyint, which follows the rounding mode of the thread.
  const auto r = std::round(x);
  return std::abs(r - x) == decltype(x)(0.5) ? 2 * std::round(x / 2) : r;
});
const OpRules op_rule_table::round_nearest_even = kZeroTangentRules;

// ---- predicates ----

Array lax::is_finite(const Arg& x) { return unary(OpCode::kIsFinite, x); }
const ir::OpInfo op_infos::is_finite = predicate_info<OpCode::kIsFinite, kNumber, finite>();
const OpRules op_rule_table::is_finite = kZeroTangentRules;

Array lax::is_inf(const Arg& x) { return unary(OpCode::kIsInf, x); }
const ir::OpInfo op_infos::is_inf = predicate_info<OpCode::kIsInf, kAcceptFloat, infinite>();
const OpRules op_rule_table::is_inf = kZeroTangentRules;

Array lax::is_neg_inf(const Arg& x) { return unary(OpCode::kIsNegInf, x); }
const ir::OpInfo op_infos::is_neg_inf = predicate_info<OpCode::kIsNegInf, kAcceptFloat, negative_infinite>();
const OpRules op_rule_table::is_neg_inf = kZeroTangentRules;

Array lax::is_pos_inf(const Arg& x) { return unary(OpCode::kIsPosInf, x); }
const ir::OpInfo op_infos::is_pos_inf = predicate_info<OpCode::kIsPosInf, kAcceptFloat, positive_infinite>();
const OpRules op_rule_table::is_pos_inf = kZeroTangentRules;

}  // namespace weft
