#include "harness/functions.h"

#include "harness/values.h"
#include "weft/ir/call.h"
#include "weft/ops/lax.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/transpose.h"
#include "weft/transforms/vmap.h"

namespace weft::testing {

Arrays call(const FlatFunction& f, std::span<const Array> args) {
  Arrays outs;
  f(args, outs);
  return outs;
}

Arrays inexact(std::span<const Array> xs) {
  Arrays r;
  for (const Array& x : xs)
    if (is_inexact(x.dtype())) r.push_back(x);
  return r;
}

FlatFunction jitted(FlatFunction f) {
  return [f = std::move(f)](std::span<const Array> args, Arrays& outs) {
    ir::Avals avals = avals_of(args);
    const Staged staged = stage(f, avals, "jit");
    Arrays operands = staged.captured;
    operands.append(args.begin(), args.end());
    bind(OpCode::kCall, ir::make_params(CallParams{"f", staged.jaxpr}), operands, outs);
  };
}

FlatFunction vmapped(FlatFunction f, std::vector<int> bdims, std::int64_t size) {
  return [f = std::move(f), bdims = std::move(bdims), size](std::span<const Array> args, Arrays& outs) {
    Arrays results;
    Bdims at;
    transforms::vmap(f, args, bdims, MappedAxis{size}, "vmap", results, at);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Array& r = results[i];
      Dims axes;
      if (at[i] == kUnmapped) {
        Dims shape{size};
        shape.append(r.shape().begin(), r.shape().end());
        for (int k = 0; k < r.ndim(); ++k) axes.push_back(k + 1);
        outs.push_back(lax::broadcast_in_dim(r, shape, axes));
      } else {
        axes.push_back(at[i]);
        for (int k = 0; k < r.ndim(); ++k)
          if (k != at[i]) axes.push_back(k);
        outs.push_back(lax::transpose(r, axes));
      }
    }
  };
}

FlatFunction pushforward(FlatFunction f, std::size_t n, std::vector<int> by) {
  return [f = std::move(f), n, by = std::move(by)](std::span<const Array> args, Arrays& outs) {
    Arrays tangents(n), results, result_tangents;
    for (std::size_t i = 0; i < by.size(); ++i) tangents[static_cast<std::size_t>(by[i])] = args[n + i];
    transforms::jvp(f, args.first(n), tangents, "jvp", results, result_tangents);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Array& t = result_tangents[i];
      if (!is_inexact(results[i].dtype())) {
        internal_check(!t.defined(), "jvp: a result without derivatives has a tangent");
        continue;
      }
      outs.push_back(t.defined() ? t : zeros_of(results[i].aval()));
    }
  };
}

FlatFunction pullback(FlatFunction f, std::size_t n, std::vector<int> by) {
  return [f = std::move(f), n, by = std::move(by)](std::span<const Array> args, Arrays& outs) {
    std::vector<bool> mask(n, false);
    for (const int i : by) mask[static_cast<std::size_t>(i)] = true;
    transforms::Linearized linear = transforms::linearize(f, args.first(n), mask, "vjp");
    Arrays operands(linear.residuals), cts;
    operands.resize(operands.size() + by.size());
    std::size_t next = n;
    for (std::size_t i = 0; i < linear.outs.size(); ++i) {
      const bool has_ct = is_inexact(linear.outs[i].dtype());
      internal_check(has_ct || !linear.has_tangent[i], "linearize: a result without derivatives has a tangent");
      if (linear.has_tangent[i]) cts.push_back(args[next]);
      next += has_ct;
    }
    internal_check(next == args.size(), "pullback: one cotangent per inexact result");
    Arrays results = transforms::backward_pass(linear.tangent, std::move(operands), std::move(cts));
    for (std::size_t i = 0; i < by.size(); ++i) {
      const Array& ct = results[results.size() - by.size() + i];
      outs.push_back(ct.defined() ? ct : zeros_of(args[static_cast<std::size_t>(by[i])].aval()));
    }
  };
}

namespace {

double step(DType t) { return is_double(t) ? 1.0 / 2048 : 1.0 / 64; }

}  // namespace

double quotient_precision(DType t) { return is_double(t) ? 1e-8 : 2e-3; }

Arrays difference_quotient(const FlatFunction& f, std::span<const Array> args, std::span<const int> by,
                           std::span<const Array> ts) {
  // Fourth order: the error is of order h^4 f'''''.
  double h = 1.0 / 2048;
  for (const int i : by) h = std::max(h, step(args[static_cast<std::size_t>(i)].dtype()));
  const auto at = [&](double s) {
    Arrays moved_args(args);
    for (std::size_t i = 0; i < by.size(); ++i) {
      Array& x = moved_args[static_cast<std::size_t>(by[i])];
      x = moved(x, ts[i], s * h);
    }
    return inexact(call(f, moved_args));
  };
  const Arrays p1 = at(1), m1 = at(-1), p2 = at(2), m2 = at(-2);
  Arrays r;
  for (std::size_t i = 0; i < p1.size(); ++i) {
    const auto a = elements(p1[i]), b = elements(m1[i]), c = elements(p2[i]), d = elements(m2[i]);
    std::vector<Complex> q(a.size());
    // Also infinities that stay what they are.
    const auto change = [](Complex to, Complex from) { return to == from ? Complex(0) : to - from; };
    for (std::size_t k = 0; k < q.size(); ++k) q[k] = (8.0 * change(a[k], b[k]) - change(c[k], d[k])) / (12 * h);
    r.push_back(array_of(p1[i].aval(), q));
  }
  return r;
}

}  // namespace weft::testing
