// jit, vmap, jvp and vjp in both orders.
#include "harness/functions.h"
#include "harness/values.h"
#include "samples/checks.h"

namespace weft::testing {

void checks::composition(const Sample& sample, Findings& findings) {
  constexpr int kSize = 3;
  const FlatFunction f = operation(sample);
  const std::size_t n = sample.operands.size();
  std::vector<Arrays> examples, results;
  for (int e = 0; e < kSize; ++e) {
    examples.push_back(make_operands(sample, e));
    results.push_back(call(f, examples.back()));
  }
  const std::vector<int> front(n, 0);
  const auto expect = [&](const char* what, const FlatFunction& g, std::span<const Array> operands,
                          std::span<const Array> want) {
    findings.add(what, difference(call(g, operands), want, tolerance_of(want)));
  };
  if (n > 0) {
    const Arrays batched = stacked_results(examples), want = stacked_results(results);
    expect("vmap of jit", vmapped(jitted(f), front, kSize), batched, want);
    expect("jit of vmap", jitted(vmapped(f, front, kSize)), batched, want);
  }
  const std::vector<int>& by = sample.smooth_in;
  if (by.empty()) return;

  // One value as two operands of a program.
  for (std::size_t k = 1; k < by.size(); ++k) {
    const auto i = static_cast<std::size_t>(by[0]), j = static_cast<std::size_t>(by[k]);
    if (examples[0][i].aval() != examples[0][j].aval()) continue;
    const auto aliased = [i, j](FlatFunction g) -> FlatFunction {
      return [g = std::move(g), i, j](std::span<const Array> args, Arrays& outs) {
        Arrays same(args);
        same[j] = same[i];
        g(same, outs);
      };
    };
    Arrays operands(examples[0]);
    for (const Array& y : inexact(results[0])) operands.push_back(draw(y.aval(), static_cast<int>(operands.size())));
    expect("vjp of jit of one value twice", pullback(aliased(jitted(f)), n, {by[0]}), operands,
           call(pullback(aliased(f), n, {by[0]}), operands));
    break;
  }

  // Forward and reverse mode have the same form: operands, then directions.
  const auto both_orders = [&](bool forward, const char* jit_of, const char* of_jit, const char* vmap_of,
                               const char* of_vmap, const char* tower) {
    const auto derivative = [&](FlatFunction g) {
      return forward ? pushforward(std::move(g), n, by) : pullback(std::move(g), n, by);
    };
    std::vector<Arrays> operands, derivatives;
    for (std::size_t e = 0; e < kSize; ++e) {
      Arrays ds;
      const int salt = 20 * static_cast<int>(e);
      if (forward) {
        for (const int i : by) ds.push_back(draw(examples[e][static_cast<std::size_t>(i)].aval(), salt + i));
      } else {
        for (const Array& y : inexact(results[e])) ds.push_back(draw(y.aval(), salt + static_cast<int>(ds.size())));
      }
      operands.push_back(joined(examples[e], ds));
      derivatives.push_back(call(derivative(f), operands.back()));
    }
    expect(of_jit, derivative(jitted(f)), operands[0], derivatives[0]);
    expect(jit_of, jitted(derivative(f)), operands[0], derivatives[0]);
    const std::vector<int> all(operands[0].size(), 0);
    const Arrays batched = stacked_results(operands), want = stacked_results(derivatives);
    expect(vmap_of, vmapped(derivative(f), all, kSize), batched, want);
    expect(of_vmap, derivative(vmapped(f, front, kSize)), batched, want);
    expect(tower, jitted(vmapped(derivative(jitted(f)), all, kSize)), batched, want);
  };
  both_orders(true, "jit of jvp", "jvp of jit", "vmap of jvp", "jvp of vmap", "jit of vmap of jvp of jit");
  both_orders(false, "jit of vjp", "vjp of jit", "vmap of vjp", "vjp of vmap", "jit of vmap of vjp of jit");
}

}  // namespace weft::testing
