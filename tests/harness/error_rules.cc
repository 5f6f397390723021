#include "harness/error_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "weft/ir/contraction.h"
#include "weft/ir/elements.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/indexing.h"
#include "weft/ir/window.h"

namespace weft::testing {

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

bool infinite(const Numbers& errors) {
  return std::any_of(errors.begin(), errors.end(), [](double e) { return !std::isfinite(e); });
}

void forget(Held& h) { h.error.assign(h.size(), kInf); }

// ---- numbers ----

// Elements in double; of complex ones the sum of the parts' magnitudes.
Numbers numbers_of(const Held& h) {
  Numbers v(h.size());
  if (is_complex(h.aval.dtype())) {
    const DType part = real_dtype(h.aval.dtype());
    Numbers parts(2 * h.size());
    convert_elements(part, h.data(), f64, parts.data(), 2 * h.aval.size());
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = std::abs(parts[2 * i]) + std::abs(parts[2 * i + 1]);
  } else {
    convert_elements(h.aval.dtype(), h.data(), f64, v.data(), h.aval.size());
  }
  return v;
}

Numbers magnitudes(const Held& h) {
  Numbers v = numbers_of(h);
  for (double& x : v) x = std::abs(x);
  return v;
}

Numbers or_zeros(const Numbers& errors, std::size_t n) { return errors.empty() ? Numbers(n, 0.0) : errors; }

// Half a unit in the last place of 1, and the smallest number.
double unit(DType t) {
  switch (real_dtype(t)) {
    case DType::kF16: return 0x1p-11;
    case DType::kBF16: return 0x1p-8;
    case DType::kF32: return 0x1p-24;
    default: return 0x1p-53;
  }
}
double smallest(DType t) {
  switch (real_dtype(t)) {
    case DType::kF16: return 0x1p-24;
    case DType::kBF16: return 0x1p-133;
    case DType::kF32: return 0x1p-149;
    default: return 0x1p-1074;
  }
}
// Beyond this some implementation may have met an infinity.
double most_finite(DType t) {
  if (!is_inexact(t)) return kInf;
  return real_dtype(t) == f16 ? 6e4 : real_dtype(t) == f64 ? 1e308 : 3e38;
}
// Integers up to this are sums of integers whose partial sums are exact. Small floats add up in f32 at least, and a sum
// that is beyond their own mantissa is rounded once.
double most_exact(DType t) { return real_dtype(t) == f64 ? 0x1p53 : 0x1p24; }

bool has_nan(const Held& h) {
  if (!is_inexact(h.aval.dtype())) return false;
  const Numbers v = numbers_of(h);
  return std::any_of(v.begin(), v.end(), [](double x) { return std::isnan(x); });
}

bool all_integers(const Held& h) {
  if (!is_inexact(h.aval.dtype())) return true;
  Numbers v = numbers_of(h);
  if (is_complex(h.aval.dtype())) {
    v.resize(2 * h.size());
    convert_elements(real_dtype(h.aval.dtype()), h.data(), f64, v.data(), 2 * h.aval.size());
  }
  return std::all_of(v.begin(), v.end(), [](double x) { return x == std::trunc(x) && std::abs(x) < 0x1p53; });
}

// ---- the operation on doubles ----

// Results of the equation with the operands that `numbers` has replaced by doubles.
std::vector<Numbers> evaluate_in_double(const ir::Eqn& e, const ir::Params& params, std::span<const Held> in,
                                        const std::vector<std::optional<Numbers>>& numbers) {
  std::vector<TensorView> operands;
  ir::Avals types, out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    types.push_back(numbers[i] ? in[i].aval.with_dtype(f64) : in[i].aval);
    operands.push_back({types.back(), numbers[i] ? numbers[i]->data() : in[i].data()});
  }
  ir::infer(e.op, params.get(), types, out);
  std::vector<Numbers> results;
  std::vector<MutableTensorView> views;
  for (const Aval a : out) results.emplace_back(static_cast<std::size_t>(a.size()));
  for (std::size_t i = 0; i < out.size(); ++i) views.push_back({out[i], results[i].data()});
  ir::evaluate(e.op, params.get(), operands, views);
  return results;
}

// ---- what an operation adds by itself ----

// How many terms one result has at most.
double number_of_terms(const ir::Eqn& e, std::span<const Held> in) {
  double n = 1;
  switch (e.op) {
    case OpCode::kReduce:
      for (const std::int64_t a : ir::params_as<ReduceParams>(e.params).axes)
        n *= static_cast<double>(in[0].aval.shape(static_cast<std::size_t>(a)));
      return n;
    case OpCode::kDotGeneral:
      for (const std::int64_t a : ir::params_as<DotGeneralParams>(e.params).dimension_numbers.lhs_contracting)
        n *= static_cast<double>(in[0].aval.shape(static_cast<std::size_t>(a)));
      return n;
    case OpCode::kCumsum:
      return static_cast<double>(
          in[0].aval.shape(static_cast<std::size_t>(ir::params_as<CumsumParams>(e.params).axis)));
    case OpCode::kReduceWindow:
      return static_cast<double>(product(ir::params_as<ReduceWindowParams>(e.params).window.dimensions));
    case OpCode::kConvolution: return static_cast<double>(in[1].size());
    case OpCode::kScatter: return 1 + static_cast<double>(in[2].size());
    default: return static_cast<double>(in[0].size());
  }
}

bool is_product(const ir::Eqn& e) {
  return (e.op == OpCode::kReduce && ir::params_as<ReduceParams>(e.params).kind == ReduceKind::kProd) ||
         (e.op == OpCode::kReduceWindow && ir::params_as<ReduceWindowParams>(e.params).kind == ReduceKind::kProd) ||
         (e.op == OpCode::kScatter && ir::params_as<ScatterParams>(e.params).kind == ScatterKind::kMul);
}

// Largest and smallest do not depend on the order, but for zeros of complex numbers.
bool is_choice(const ir::Eqn& e) {
  const auto chooses = [](ReduceKind k) { return k == ReduceKind::kMax || k == ReduceKind::kMin; };
  if (e.op == OpCode::kReduce) return chooses(ir::params_as<ReduceParams>(e.params).kind);
  if (e.op == OpCode::kReduceWindow) return chooses(ir::params_as<ReduceWindowParams>(e.params).kind);
  if (e.op == OpCode::kScatter) {
    const ScatterKind k = ir::params_as<ScatterParams>(e.params).kind;
    return k != ScatterKind::kAdd && k != ScatterKind::kMul;
  }
  return false;
}

ir::Params params_in_double(const ir::Eqn& e) {
  if (e.op == OpCode::kDotGeneral) {
    auto p = ir::params_as<DotGeneralParams>(e.params);
    p.preferred_element_type = f64;
    return ir::make_params(std::move(p));
  }
  if (e.op == OpCode::kConvolution) {
    auto p = ir::params_as<ConvolutionParams>(e.params);
    p.preferred_element_type = f64;
    return ir::make_params(std::move(p));
  }
  return e.params;
}

// A largest or smallest element changes no more than the one that changes most.
ir::Params params_of_errors(const ir::Eqn& e) {
  if (!is_choice(e)) return params_in_double(e);
  if (e.op == OpCode::kReduce)
    return ir::make_params(ReduceParams{ReduceKind::kMax, ir::params_as<ReduceParams>(e.params).axes});
  return ir::make_params(ReduceWindowParams{ReduceKind::kMax, ir::params_as<ReduceWindowParams>(e.params).window});
}

// The same equation on magnitudes: how large partial sums can get, or products of what is not below 1.
Numbers sums_of_magnitudes(const ir::Eqn& e, std::span<const Held> in) {
  if (e.op == OpCode::kSelectAndScatter) return {};
  std::vector<std::optional<Numbers>> numbers(in.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (e.op == OpCode::kScatter && i == 1) continue;  // indices
    numbers[i] = magnitudes(in[i]);
    if (is_product(e))
      for (double& x : *numbers[i]) x = std::max(x, 1.0);
  }
  return evaluate_in_double(e, params_in_double(e), in, numbers)[0];
}

Numbers error_of_sum(const ir::Eqn& e, std::span<const Held> in, const Held& out) {
  const DType t = out.aval.dtype();
  if (out.size() == 0) return {};
  if (is_choice(e)) return is_complex(t) ? Numbers(out.size(), smallest(t)) : Numbers();
  const double terms = number_of_terms(e, in);
  const bool plain = e.op == OpCode::kReduce || e.op == OpCode::kCumsum;
  const bool same_operands = std::all_of(in.begin(), in.end(), [](const Held& h) { return h.error.empty(); });
  if (same_operands && plain && terms <= (is_product(e) && is_complex(t) ? 1 : 2)) return {};
  const Numbers sums = sums_of_magnitudes(e, in);
  if (sums.empty()) return Numbers(out.size(), kInf);
  const double limit = std::min(most_exact(t), most_exact(in[0].aval.dtype()));
  if (same_operands && std::all_of(in.begin(), in.end(), all_integers) &&
      std::all_of(sums.begin(), sums.end(), [&](double s) { return s <= limit; })) {
    // Those that round after each step must not round at all.
    const bool small = byte_size(t) == 2;
    const double own = t == f16 ? 0x1p11 : 0x1p8;
    if (!small || std::all_of(sums.begin(), sums.end(), [&](double s) { return s <= own; })) return {};
  }
  Numbers errors(out.size(), kInf);
  if (is_product(e)) return errors;
  const double u = std::max(unit(t), unit(in[0].aval.dtype()));
  for (std::size_t i = 0; i < errors.size(); ++i)
    if (sums[i] < most_finite(t)) errors[i] = 4 * (terms + 4) * (u * sums[i] + smallest(t));
  return errors;
}

// On equal operands. `mismatches`: between two forms of compilation, which share all but library calls.
Numbers own_error(const ir::Eqn& e, std::span<const Held> in, const Held& out, bool mismatches) {
  if (!is_inexact(out.aval.dtype()) || in.empty()) return {};
  if (mismatches && !is_library_call(e.op)) return {};
  const DType t = out.aval.dtype();
  switch (rounding_of(e.op, in[0].aval.dtype())) {
    case Rounding::kNone: return {};
    case Rounding::kSum: return error_of_sum(e, in, out);
    case Rounding::kFewUlps: {
      Numbers errors = magnitudes(out);
      for (double& x : errors) x = 32 * (unit(t) * x + smallest(t));
      return errors;
    }
    default: return Numbers(out.size(), kInf);
  }
}

// ---- what an operation makes of errors of its operands ----

// Elements are moved, not computed with; positions are exact.
bool moves(const ir::Eqn& e, std::span<const Held> in, bool mismatches) {
  const auto exact_from = [&](std::size_t i) {
    for (; i < in.size(); ++i)
      if (!in[i].of(mismatches).empty() || !in[i].error.empty()) return false;
    return true;
  };
  switch (e.op) {
    case OpCode::kReshape:
    case OpCode::kTranspose:
    case OpCode::kReverse:
    case OpCode::kSlice:
    case OpCode::kBroadcastInDim:
    case OpCode::kConcatenate:
    case OpCode::kSplit:
    case OpCode::kPad: return true;
    case OpCode::kSelect: return in[0].error.empty();
    case OpCode::kDynamicSlice: return exact_from(1);
    case OpCode::kDynamicUpdateSlice: return exact_from(2);
    case OpCode::kGather: return exact_from(1) && ir::params_as<GatherParams>(e.params).mode != IndexMode::kFillOrDrop;
    default: return false;
  }
}

// Sum of |f'| times error, plus the rounding of the result: errors of a smooth elementwise operation.
Numbers smooth_error(const ir::Eqn& e, std::span<const Held> in, const Held& out, bool mismatches) {
  const std::size_t n = out.size();
  const DType t = out.aval.dtype();
  const Numbers e0 = or_zeros(in[0].of(mismatches), n), z = magnitudes(out), x = numbers_of(in[0]);
  const Numbers e1 = in.size() > 1 ? or_zeros(in[1].of(mismatches), n) : Numbers(n, 0.0);
  const Numbers y = in.size() > 1 ? numbers_of(in[1]) : Numbers(n, 0.0);
  Numbers errors(n, kInf);
  // Bounds of clamp may be single numbers.
  for (const Numbers* operand : {&e0, &e1, &x, &y})
    if (operand->size() != n) return errors;
  const bool complex = is_complex(in[0].aval.dtype());
  for (std::size_t i = 0; i < n; ++i) {
    double& r = errors[i];
    const double ax = std::abs(x[i]), ay = std::abs(y[i]);
    switch (e.op) {
      case OpCode::kAdd:
      case OpCode::kSubtract: r = e0[i] + e1[i]; break;
      case OpCode::kMultiply: r = ax * e1[i] + ay * e0[i] + e0[i] * e1[i]; break;
      case OpCode::kNegate:
      case OpCode::kReal:
      case OpCode::kImag:
      case OpCode::kConj: r = e0[i]; break;
      case OpCode::kComplex: r = std::max(e0[i], e1[i]); break;
      default: break;
    }
    if (!complex) switch (e.op) {
        case OpCode::kAbs: r = e0[i]; break;
        case OpCode::kConvert: r = is_inexact(t) ? e0[i] : kInf; break;
        case OpCode::kMaximum:
        case OpCode::kMinimum: r = std::max(e0[i], e1[i]); break;
        case OpCode::kSquare: r = 2 * ax * e0[i] + e0[i] * e0[i]; break;
        case OpCode::kDivide: r = ay > 2 * e1[i] ? 2 * (e0[i] + z[i] * e1[i]) / ay : kInf; break;
        case OpCode::kExponential: r = e0[i] < 1 ? 2 * z[i] * e0[i] : kInf; break;
        case OpCode::kTanh:
        case OpCode::kLogistic:
        case OpCode::kErf:
        case OpCode::kSine:
        case OpCode::kCosine: r = 2 * e0[i]; break;
        case OpCode::kLog: r = x[i] > 2 * e0[i] ? 2 * e0[i] / x[i] : kInf; break;
        case OpCode::kSqrt: r = x[i] > 2 * e0[i] ? 2 * e0[i] / std::sqrt(x[i]) : kInf; break;
        case OpCode::kRsqrt: r = x[i] > 2 * e0[i] ? 2 * z[i] * e0[i] / x[i] : kInf; break;
        default: break;
      }
    // Also where nothing is left of the errors: the sign of zero.
    if (e0[i] > 0 || e1[i] > 0) r += 2 * (unit(t) * z[i] + smallest(t));
  }
  return errors;
}

// `op` is linear in one or two operands: the same on errors and magnitudes.
Numbers linear_error(const ir::Eqn& e, std::span<const Held> in, const Held& out, bool mismatches) {
  if (is_product(e) || e.op == OpCode::kScatter || e.op == OpCode::kSelectAndScatter) return Numbers(out.size(), kInf);
  const auto errors_at = [&](std::size_t i) { return or_zeros(in[i].of(mismatches), in[i].size()); };
  if (in.size() == 1) {
    Numbers r = evaluate_in_double(e, params_of_errors(e), in, {errors_at(0)})[0];
    for (double& x : r) x = std::max(x, 0.0);  // of no elements there is no error
    return r;
  }
  const Numbers x = magnitudes(in[0]), ex = errors_at(0);
  Numbers y = magnitudes(in[1]);
  const Numbers ey = errors_at(1);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += ey[i];
  const ir::Params params = params_in_double(e);
  Numbers r = evaluate_in_double(e, params, in, {ex, y})[0];
  const Numbers s = evaluate_in_double(e, params, in, {x, ey})[0];
  for (std::size_t i = 0; i < r.size(); ++i) r[i] += s[i] + smallest(out.aval.dtype());
  return r;
}

std::vector<Numbers> passed_on(const ir::Eqn& e, std::span<const Held> in, std::span<const Held> out, bool mismatches) {
  std::vector<Numbers> unknown;
  for (const Held& o : out) unknown.emplace_back(o.size(), kInf);
  if (ir::op_info(e.op).identity) {
    for (std::size_t i = 0; i < out.size(); ++i) unknown[i] = in[i].of(mismatches);
    return unknown;
  }
  if (out.empty() || e.op == OpCode::kSort || e.op == OpCode::kTopK) return unknown;
  if (moves(e, in, mismatches)) {
    std::vector<std::optional<Numbers>> numbers(in.size());
    const std::size_t begin = e.op == OpCode::kSelect ? 1 : 0;  // after the predicate, before positions
    const std::size_t end = e.op == OpCode::kDynamicSlice || e.op == OpCode::kGather ? 1
                            : e.op == OpCode::kDynamicUpdateSlice                    ? 2
                                                                                     : in.size();
    for (std::size_t i = begin; i < end; ++i) numbers[i] = or_zeros(in[i].of(mismatches), in[i].size());
    return evaluate_in_double(e, e.params, in, numbers);
  }
  if (!is_inexact(out[0].aval.dtype()) || !is_inexact(in[0].aval.dtype())) return unknown;
  if (ir::op_info(e.op).elementwise) return {smooth_error(e, in, out[0], mismatches)};
  const Rounding r = rounding_of(e.op, in[0].aval.dtype());
  if (r == Rounding::kSum && !(is_choice(e) && is_complex(in[0].aval.dtype())))
    return {linear_error(e, in, out[0], mismatches)};
  return unknown;
}

// ---- together ----

void add(const Numbers& more, Numbers& errors) {
  if (more.empty()) return;
  errors.resize(more.size(), 0.0);
  for (std::size_t i = 0; i < more.size(); ++i) errors[i] += more[i];
}

// Errors of what is not finite, or may not be, are not known. Those of mismatches were found with magnitudes of the
// reference's values: they are worth nothing where these are.
void make_consistent(Held& h) {
  for (Numbers* errors : {&h.error, &h.mismatch})
    if (std::all_of(errors->begin(), errors->end(), [](double e) { return e == 0; })) errors->clear();
  if (h.error.empty() && h.mismatch.empty()) return;
  const double most = most_finite(h.aval.dtype());
  const Numbers v = magnitudes(h);
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (!h.error.empty() && h.error[i] != 0 && !(v[i] + h.error[i] < most)) h.error[i] = kInf;
    if (!h.mismatch.empty() && h.mismatch[i] != 0)
      if (!(v[i] + h.mismatch[i] < most) || h.error.empty() || !std::isfinite(h.error[i])) h.mismatch[i] = kInf;
  }
}

}  // namespace

Rounding rounding_of(OpCode op, DType t) {
  if (!is_inexact(t)) return Rounding::kNone;
  const bool complex = is_complex(t);
  switch (op) {
    case OpCode::kReduce:
    case OpCode::kDotGeneral:
    case OpCode::kConvolution:
    case OpCode::kCumsum:
    case OpCode::kReduceWindow:
    case OpCode::kScatter:
    case OpCode::kSelectAndScatter: return Rounding::kSum;
    case OpCode::kAbs:
    case OpCode::kSign:
    case OpCode::kSqrt:
    case OpCode::kDivide:
    case OpCode::kSquare: return complex ? Rounding::kUnknown : Rounding::kNone;
    case OpCode::kExponential:
    case OpCode::kExponentialMinusOne:
    case OpCode::kLog:
    case OpCode::kLogPlusOne:
    case OpCode::kLogistic:
    case OpCode::kTanh:
    case OpCode::kSine:
    case OpCode::kCosine:
    case OpCode::kErf:
    case OpCode::kCbrt:
    case OpCode::kRsqrt:
    case OpCode::kAtan2:
    case OpCode::kPower: return complex ? Rounding::kUnknown : Rounding::kFewUlps;
    case OpCode::kFft:
    case OpCode::kCholesky:
    case OpCode::kTriangularSolve: return Rounding::kUnknown;
    case OpCode::kAdd:
    case OpCode::kSubtract:
    case OpCode::kMultiply:
    case OpCode::kNegate:
    case OpCode::kMaximum:
    case OpCode::kMinimum:
    case OpCode::kRemainder:
    case OpCode::kNextAfter:
    case OpCode::kCeil:
    case OpCode::kFloor:
    case OpCode::kRoundNearestAfz:
    case OpCode::kRoundNearestEven:
    case OpCode::kReal:
    case OpCode::kImag:
    case OpCode::kConj:
    case OpCode::kComplex:
    case OpCode::kIsFinite:
    case OpCode::kIsInf:
    case OpCode::kIsNegInf:
    case OpCode::kIsPosInf:
    case OpCode::kCompare:
    case OpCode::kSelect:
    case OpCode::kClamp:
    case OpCode::kConvert:
    case OpCode::kReducePrecision: return Rounding::kNone;
    default: return ir::op_info(op).elementwise && !ir::op_info(op).identity ? Rounding::kUnknown : Rounding::kNone;
  }
}

bool is_library_call(OpCode op) {
  return op == OpCode::kDotGeneral || op == OpCode::kConvolution || op == OpCode::kFft || op == OpCode::kCholesky ||
         op == OpCode::kTriangularSolve;
}

bool reads_nan(const ir::Eqn& e, DType t) {
  if (!is_inexact(t)) return false;
  switch (e.op) {
    case OpCode::kBitcastConvert:
    case OpCode::kTopK:
    case OpCode::kReducePrecision: return true;
    case OpCode::kCompare: {
      const ComparisonDirection d = ir::params_as<CompareParams>(e.params).direction;
      return d != usual_order(d);
    }
    default: return false;
  }
}

void set_errors(const ir::Eqn& e, std::span<const Held> in, std::span<Held> out) {
  for (const bool mismatches : {false, true}) {
    if (std::any_of(in.begin(), in.end(), [&](const Held& h) { return !h.of(mismatches).empty(); })) {
      std::vector<Numbers> errors = passed_on(e, in, out, mismatches);
      for (std::size_t i = 0; i < out.size(); ++i) out[i].of(mismatches) = std::move(errors[i]);
    }
    for (Held& o : out) add(own_error(e, in, o, mismatches), o.of(mismatches));
  }
  const bool read = std::any_of(in.begin(), in.end(), [&](const Held& h) {
    return reads_nan(e, h.aval.dtype()) && (has_nan(h) || infinite(h.error));
  });
  for (Held& o : out) {
    if (read) {
      forget(o);
      o.mismatch = o.error;
    }
    make_consistent(o);
  }
}

}  // namespace weft::testing
