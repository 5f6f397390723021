#include "harness/check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "weft/runtime/reference.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/transpose.h"
#include "weft/transforms/vmap.h"
#include "weft/weft.h"

namespace weft::testing {

namespace {

FlatFunction apply(const Sample& s) {
  return [&s](std::span<const Array> args, Arrays& outs) { bind(s.op, s.params, args, outs); };
}

Arrays run(const FlatFunction& f, std::span<const Array> args) {
  Arrays outs;
  f(args, outs);
  return outs;
}

std::vector<std::complex<double>> elements(const Array& a) {
  if (is_complex(a.dtype())) return a.astype(c128).to_vector<std::complex<double>>();
  std::vector<std::complex<double>> r;
  for (const double v : a.astype(f64).to_vector<double>()) r.emplace_back(v);
  return r;
}

double epsilon(DType t) {
  switch (real_dtype(t)) {
    case DType::kF16: return 0x1p-10;
    case DType::kBF16: return 0x1p-7;
    case DType::kF32: return 0x1p-23;
    case DType::kF64: return 0x1p-52;
    default: return 0;
  }
}

bool same_bits(const Array& a, const Array& b) {
  const detail::HostView x = a.host("compare"), y = b.host("compare");
  return x.view.aval == y.view.aval && std::memcmp(x.view.data, y.view.data, static_cast<std::size_t>(x.view.aval.bytes())) == 0;
}

void expect_close(const std::string& what, const Array& got, const Array& expected, double tolerance) {
  ASSERT_EQ(got.aval().str(), expected.aval().str()) << what;
  const auto g = elements(got), e = elements(expected);
  double scale = 1;
  for (const auto& v : e)
    if (std::isfinite(std::abs(v))) scale = std::max(scale, std::abs(v));
  for (std::size_t i = 0; i < g.size(); ++i) {
    const bool both_nan = std::isnan(std::abs(g[i])) && std::isnan(std::abs(e[i]));
    if (g[i] == e[i] || both_nan) continue;
    EXPECT_LE(std::abs(g[i] - e[i]), tolerance * scale) << what << ": element " << i << " is " << g[i] << " instead of " << e[i];
  }
}

// A direction of the operand's type, of moderate size.
Array direction(const Array& like, int seed) {
  return np::sin(np::reshape(np::arange(static_cast<double>(like.size())), np::Shape(like.shape())) * 1.7 + seed).astype(like.dtype()) +
         (is_complex(like.dtype())
              ? np::cos(np::reshape(np::arange(static_cast<double>(like.size())), np::Shape(like.shape())) * 2.3 + seed).astype(like.dtype()) *
                    std::complex<double>(0, 1)
              : np::zeros(np::Shape(like.shape()), like.dtype()));
}

Arrays moved(std::span<const Array> args, std::span<const Array> tangents, double h) {
  Arrays r;
  for (std::size_t i = 0; i < args.size(); ++i) r.push_back(tangents[i].defined() ? args[i] + tangents[i] * h : args[i]);
  return r;
}

// The real part of sum(a * b): the pairing of cotangents and tangents.
double pairing(const Array& a, const Array& b) {
  const auto x = elements(a), y = elements(b);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] * y[i]).real();
  return sum;
}

bool double_precision(const Sample& s) {
  for (const int i : s.smooth_in)
    if (const DType t = s.operands[static_cast<std::size_t>(i)].dtype; t != f64 && t != c128) return false;
  return !s.smooth_in.empty();
}

}  // namespace

void check_evaluation(const Sample& s) {
  const Arrays args = make_operands(s);
  ir::Avals in, inferred;
  for (const Array& a : args) in.push_back(a.aval());
  ir::op_info(s.op).infer(s.params.get(), in, inferred);
  const Arrays outs = run(apply(s), args);
  ASSERT_EQ(outs.size(), inferred.size()) << s.name;
  for (std::size_t i = 0; i < outs.size(); ++i) EXPECT_EQ(outs[i].aval().str(), inferred[i].str()) << s.name << ": result " << i;

  if (!s.expected.empty()) {
    const auto got = elements(outs[0]);
    const std::size_t parts = is_complex(outs[0].dtype()) ? 2 : 1;
    ASSERT_EQ(got.size() * parts, s.expected.size()) << s.name;
    for (std::size_t i = 0; i < s.expected.size(); ++i) {
      const double v = i % parts ? got[i / parts].imag() : got[i / parts].real(), e = s.expected[i];
      const bool same = v == e || (std::isnan(v) && std::isnan(e)) || std::abs(v - e) <= s.tolerance * std::abs(e);
      EXPECT_TRUE(same) << s.name << ": element " << i << " is " << v << " instead of " << e;
    }
  }

  if (ir::op_info(s.op).eval) {
    Arrays reference;
    reference_evaluate(default_evaluator(), Call{s.op, s.params, args}, reference);
    // Kernels and libraries may round differently, by a few units in the last place.
    for (std::size_t i = 0; i < outs.size(); ++i) expect_close(s.name + ": kernel against reference", outs[i], reference[i], 32 * epsilon(outs[i].dtype()));
  }

  const Staged staged = stage(apply(s), in, s.name);
  ir::check(staged.jaxpr);
  EXPECT_EQ(ir::parse(staged.jaxpr.str()), staged.jaxpr) << s.name << ": " << staged.jaxpr.str();
  Arrays compiled;
  executable(staged.jaxpr)->run(args, compiled);
  for (std::size_t i = 0; i < outs.size(); ++i)
    EXPECT_TRUE(same_bits(compiled[i], outs[i])) << s.name << ": compiled result " << i << " differs from the eager one";
}

void check_derivatives(const Sample& s) {
  if (s.smooth_in.empty()) return;
  const Arrays args = make_operands(s);
  Arrays tangents(args.size());
  std::vector<bool> differentiated(args.size(), false);
  for (const int i : s.smooth_in) {
    tangents[static_cast<std::size_t>(i)] = direction(args[static_cast<std::size_t>(i)], i);
    differentiated[static_cast<std::size_t>(i)] = true;
  }
  const FlatFunction f = apply(s);
  Arrays outs, out_tangents;
  transforms::jvp(f, args, tangents, "test", outs, out_tangents);
  const bool precise = double_precision(s);
  if (precise) {
    const double h = 1e-5;
    const Arrays plus = run(f, moved(args, tangents, h)), minus = run(f, moved(args, tangents, -h));
    for (std::size_t i = 0; i < outs.size(); ++i) {
      if (!is_inexact(outs[i].dtype())) {
        EXPECT_FALSE(out_tangents[i].defined()) << s.name << ": an integer result has a tangent";
        continue;
      }
      const Array difference = (plus[i] - minus[i]) / (2 * h);
      const Array t = out_tangents[i].defined() ? out_tangents[i] : zeros_of(outs[i].aval());
      expect_close(s.name + ": jvp against central differences", t, difference, 1e-7);
    }
  }

  // <ct, J t> = <J^T ct, t>, directly and through a compiled call.
  const auto pull = [&](const FlatFunction& g, std::span<const Array> at, std::span<const Array> cts) {
    transforms::Linearized lin = transforms::linearize(g, at, differentiated, "test");
    Arrays operands = lin.residuals, wanted;
    for (const bool d : differentiated)
      if (d) operands.push_back(Array());
    for (std::size_t i = 0; i < cts.size(); ++i)
      if (lin.has_tangent[i]) wanted.push_back(cts[i]);
    Arrays all = transforms::backward_pass(lin.tangent, operands, wanted), r;
    for (std::size_t i = lin.residuals.size(); i < all.size(); ++i) r.push_back(all[i].defined() ? all[i] : zeros_of(lin.tangent.aval(static_cast<ir::Var>(i))));
    return r;
  };
  Arrays cts;
  for (std::size_t i = 0; i < outs.size(); ++i) cts.push_back(is_inexact(outs[i].dtype()) ? direction(outs[i], 7 + static_cast<int>(i)) : Array());
  const Arrays pulled = pull(f, args, cts);
  double left = 0, right = 0, scale = 1;
  for (std::size_t i = 0; i < outs.size(); ++i)
    if (cts[i].defined() && out_tangents[i].defined()) left += pairing(cts[i], out_tangents[i]);
  for (std::size_t i = 0, j = 0; i < args.size(); ++i) {
    if (!differentiated[i]) continue;
    right += pairing(pulled[j], tangents[i]);
    for (const auto& v : elements(pulled[j])) scale = std::max(scale, std::abs(v));
    ++j;
  }
  double eps = 0;
  for (const int i : s.smooth_in) eps = std::max(eps, epsilon(args[static_cast<std::size_t>(i)].dtype()));
  EXPECT_NEAR(left, right, 300 * eps * scale) << s.name << ": dot-product identity";

  const Staged staged = stage(f, [&] {
    ir::Avals in;
    for (const Array& a : args) in.push_back(a.aval());
    return in;
  }(), s.name);
  const ir::Params call = ir::make_params(CallParams{"f", staged.jaxpr});
  const FlatFunction called = [&](std::span<const Array> a, Arrays& o) { bind(OpCode::kCall, call, a, o); };
  const Arrays through_call = pull(called, args, cts);
  for (std::size_t i = 0; i < pulled.size(); ++i) expect_close(s.name + ": vjp through a call", through_call[i], pulled[i], 16 * eps);
  Arrays call_outs, call_tangents;
  transforms::jvp(called, args, tangents, "test", call_outs, call_tangents);
  for (std::size_t i = 0; i < outs.size(); ++i)
    if (out_tangents[i].defined()) expect_close(s.name + ": jvp through a call", call_tangents[i], out_tangents[i], 16 * eps);

  if (!precise) return;
  // Second order: the derivative of the pulled-back cotangents along the tangents.
  const FlatFunction gradient = [&](std::span<const Array> a, Arrays& o) {
    for (Array& g : pull(f, a, cts)) o.push_back(std::move(g));
  };
  Arrays g, second;
  transforms::jvp(gradient, args, tangents, "test", g, second);
  const double h = 1e-5;
  const Arrays plus = run(gradient, moved(args, tangents, h)), minus = run(gradient, moved(args, tangents, -h));
  for (std::size_t i = 0; i < g.size(); ++i) {
    const Array t = second[i].defined() ? second[i] : zeros_of(g[i].aval());
    expect_close(s.name + ": second derivative against differences", t, (plus[i] - minus[i]) / (2 * h), 1e-6);
  }
}

void check_batching(const Sample& s) {
  if (s.operands.empty()) return;
  const FlatFunction f = apply(s);
  const std::vector<Arrays> variants{make_operands(s, 0), make_operands(s, 1), make_operands(s, 2)};
  const std::size_t n = s.operands.size();
  const auto compare = [&](const std::vector<int>& bdims, const std::string& what) {
    Arrays args;
    for (std::size_t i = 0; i < n; ++i) {
      if (bdims[i] == kUnmapped) args.push_back(variants[0][i]);
      else args.push_back(np::stack({variants[0][i], variants[1][i], variants[2][i]}, bdims[i]));
    }
    Arrays outs;
    Bdims out_bdims;
    transforms::vmap(f, args, bdims, 3, "test", outs, out_bdims);
    for (std::size_t example = 0; example < 3; ++example) {
      Arrays one;
      for (std::size_t i = 0; i < n; ++i) one.push_back(variants[bdims[i] == kUnmapped ? 0 : example][i]);
      const Arrays expected = run(f, one);
      for (std::size_t o = 0; o < outs.size(); ++o) {
        Array got = outs[o];
        if (out_bdims[o] != kUnmapped) got = np::moveaxis(got, out_bdims[o], 0)(static_cast<int>(example));
        expect_close(s.name + ": vmap " + what + ", example " + std::to_string(example), got, expected[o], 64 * epsilon(got.dtype()));
      }
    }
  };
  for (std::size_t i = 0; i < n; ++i)
    for (int axis = 0; axis <= static_cast<int>(s.operands[i].shape.size()); ++axis) {
      std::vector<int> bdims(n, kUnmapped);
      bdims[i] = axis;
      compare(bdims, "of operand " + std::to_string(i) + " at axis " + std::to_string(axis));
    }
  compare(std::vector<int>(n, 0), "of all operands in front");
  std::vector<int> last;
  for (const SampleOperand& o : s.operands) last.push_back(static_cast<int>(o.shape.size()));
  compare(last, "of all operands at the back");

  // No examples, and one: only the shapes can be checked of the first.
  const Arrays single = run(f, variants[0]);
  for (const std::int64_t size : {0, 1}) {
    Arrays args;
    for (const Array& a : variants[0]) {
      Dims shape(a.shape());
      shape.insert(shape.begin(), size);
      args.push_back(size ? np::expand_dims(a, 0) : np::zeros(shape, a.dtype()));
    }
    Arrays outs;
    Bdims out_bdims;
    transforms::vmap(f, args, std::vector<int>(n, 0), size, "test", outs, out_bdims);
    for (std::size_t o = 0; o < outs.size(); ++o) {
      Dims shape(single[o].shape());
      if (out_bdims[o] != kUnmapped) shape.insert(shape.begin() + out_bdims[o], size);
      EXPECT_EQ(shape_str(outs[o].shape()), shape_str(shape)) << s.name << ": vmap over " << size << " examples";
    }
  }
}

namespace {

// Where factor `f` is a whole axis of an array; -1 when it is not there, -2 when it shares an axis.
int axis_of(const FactorTable::Axes& axes, int f) {
  for (std::size_t a = 0; a < axes.size(); ++a)
    for (const int g : axes[a])
      if (g == f) return axes[a].size() == 1 ? static_cast<int>(a) : -2;
  return -1;
}

Array half(const Array& a, int axis, int which) {
  if (axis < 0) return a;
  const std::int64_t size = a.shape(axis) / 2;
  Dims start(a.shape().size(), 0), limit(a.shape());
  start[static_cast<std::size_t>(axis)] = which * size;
  limit[static_cast<std::size_t>(axis)] = (which + 1) * size;
  return lax::slice(a, start, limit);
}

}  // namespace

void check_factors(const Sample& s) {
  const Arrays args = make_operands(s);
  const Arrays outs = run(apply(s), args);
  ir::Avals in, out;
  for (const Array& a : args) in.push_back(a.aval());
  for (const Array& a : outs) out.push_back(a.aval());
  const FactorTable table = op_rules(s.op).factors(s.params.get(), in, out);
  ASSERT_EQ(table.operands.size(), in.size()) << s.name;
  ASSERT_EQ(table.results.size(), out.size()) << s.name;
  const auto check = [&](const FactorTable::Axes& axes, Aval aval, const std::string& who) {
    ASSERT_EQ(axes.size(), aval.shape().size()) << s.name << ": " << who;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      std::int64_t size = 1;
      for (const int f : axes[a]) size *= table.factors[static_cast<std::size_t>(f)].size;
      EXPECT_EQ(size, aval.shape(a)) << s.name << ": factors of axis " << a << " of " << who;
    }
  };
  for (std::size_t i = 0; i < in.size(); ++i) check(table.operands[i], in[i], "operand " + std::to_string(i));
  for (std::size_t i = 0; i < out.size(); ++i) check(table.results[i], out[i], "result " + std::to_string(i));

  // Operations whose parameters hold sizes would need other parameters for a shard.
  switch (s.op) {
    case OpCode::kIota: case OpCode::kReshape: case OpCode::kBroadcastInDim: case OpCode::kSlice: case OpCode::kDynamicSlice:
    case OpCode::kPad: case OpCode::kGather: case OpCode::kCall: return;
    default: break;
  }
  for (int f = 0; f < static_cast<int>(table.factors.size()); ++f) {
    const auto& factor = table.factors[static_cast<std::size_t>(f)];
    const bool reduction = factor.kind == FactorTable::Kind::kReduction;
    if (factor.size < 2 || factor.size % 2 || !(reduction || factor.kind == FactorTable::Kind::kPassThrough)) continue;
    // Partial sums add up; other reductions have their own way to combine.
    const bool sums = s.op == OpCode::kDotGeneral || (s.params && ir::describe(s.op, s.params.get(), {}) == "reduce_sum");
    if (reduction && !sums) continue;
    std::vector<Arrays> shards;
    bool whole_axes = true;
    for (int which = 0; which < 2; ++which) {
      Arrays shard;
      for (std::size_t i = 0; i < args.size(); ++i) {
        const int axis = axis_of(table.operands[i], f);
        whole_axes &= axis != -2;
        shard.push_back(half(args[i], axis, which));
      }
      if (whole_axes) shards.push_back(run(apply(s), shard));
    }
    if (!whole_axes) continue;
    for (std::size_t o = 0; o < outs.size(); ++o) {
      const double tolerance = 64 * epsilon(outs[o].dtype());
      if (reduction) {
        expect_close(s.name + ": partial results of a reduction factor", lax::add(shards[0][o], shards[1][o]), outs[o], tolerance);
        continue;
      }
      const int axis = axis_of(table.results[o], f);
      for (int which = 0; which < 2; ++which)
        expect_close(s.name + ": a shard along a factor that passes through", shards[static_cast<std::size_t>(which)][o], half(outs[o], axis, which), tolerance);
    }
  }
}

}  // namespace weft::testing
