#include "optim/lbfgs.h"

#include "harness/errors.h"
#include "optim/optimizers.h"
#include "optim/plain.h"

namespace weft::optim {
namespace {

using plain::dot;
using plain::expect_follows;
using plain::Rule;
using plain::Tree;
using testing::error_of;

// H u by the definition: the BFGS recursion applied to u, from the oldest pair on, without the two loops.
Tree inverse_hessian_times(const std::vector<std::pair<Tree, Tree>>& pairs, std::size_t n, double gamma,
                           const Tree& u) {
  if (n == 0) return plain::times(gamma, u);
  const auto& [s, y] = pairs[n - 1];
  const double rho = 1 / dot(y, s);
  // (I - rho s y^T) H (I - rho y s^T) u + rho s s^T u
  const Tree inner = inverse_hessian_times(pairs, n - 1, gamma, plain::add(u, -rho * dot(s, u), y));
  return plain::add(plain::add(inner, -rho * dot(y, inner), s), rho * dot(s, u), s);
}

TEST(lbfgs, applies_the_recursion_of_bfgs_to_the_last_pairs) {
  const auto rule = [](std::size_t memory, bool scaled) -> Rule {
    return [=, pairs = std::vector<std::pair<Tree, Tree>>(), last_p = Tree(), last_g = Tree()](Tree& u, const Tree& p,
                                                                                               int t, double) mutable {
      double gamma = 1;
      if (t == 1) {
        pairs.clear();
        if (scaled) gamma = std::min(1.0, 1 / std::sqrt(plain::squared_norm(u)));
      } else {
        pairs.emplace_back(plain::add(p, -1, last_p), plain::add(u, -1, last_g));
        if (pairs.size() > memory) pairs.erase(pairs.begin());
        const auto& [s, y] = pairs.back();
        if (scaled) gamma = dot(s, y) / dot(y, y);
      }
      last_p = p;
      last_g = u;
      u = plain::times(-0.1, inverse_hessian_times(pairs, pairs.size(), gamma, u));
    };
  };
  const auto opt = [](std::int64_t memory, bool scaled) {
    return lbfgs(
        {.learning_rate = 0.1, .memory_size = memory, .scale_init_precond = scaled, .linesearch = std::nullopt});
  };
  expect_follows(opt(3, true), rule(3, true), {.count = 6, .f64_tolerance = 1e-8, .f32_tolerance = 1e-2});
  expect_follows(opt(10, false), rule(10, false), {.count = 5, .f64_tolerance = 1e-8, .f32_tolerance = 1e-2});
  expect_follows(opt(1, true), rule(1, true), {.count = 4, .f64_tolerance = 1e-8, .f32_tolerance = 1e-2});
}

// Rosenbrock's valley, minimal at (1, 1, ...).
Array rosenbrock(const Array& x) {
  const std::int64_t n = x.size();
  const Array head = x(slice(0, n - 1)), tail = x(slice(1, n));
  return np::sum(100 * np::square(tail - np::square(head)) + np::square(1 - head));
}
TEST(lbfgs, finds_the_end_of_rosenbrocks_valley) {
  const auto opt = lbfgs();
  Array x = np::array({-1.2, 1.0, -0.5, 0.8});
  auto state = opt.init(x);
  const auto step = jit([&opt](Array x, decltype(state) s) {
    const auto [value, g] = value_and_grad_from_state(rosenbrock)(x, s);
    const auto [u, next] = opt.update(g, s, x, {.value = value, .grad = g, .value_fn = rosenbrock});
    return std::tuple(apply_updates(x, u), next, value);
  });
  Array value;
  for (int i = 0; i < 60; ++i) std::tie(x, state, value) = step(x, state);
  EXPECT_LT(value.item<double>(), 1e-12);
  EXPECT_TRUE(np::allclose(x, np::ones({4}), 1e-5).item<bool>());
  EXPECT_EQ(step.cache_size(), 1u);
}
TEST(lbfgs, keeps_a_memory_of_the_size_asked_for) {
  const auto state = scale_by_lbfgs({.memory_size = 7}).init(np::ones({2, 3}));
  EXPECT_EQ(state.diff_params_memory.shape(), (Shape{7, 2, 3}));
  EXPECT_EQ(state.weights_memory.shape(), (Shape{7}));
}
TEST(lbfgs, refuses_a_memory_of_nothing) {
  EXPECT_EQ(error_of([] { lbfgs({.memory_size = 0}); }), "ValueError: lbfgs: memory_size must be 1 or more; got 0.");
}

}  // namespace
}  // namespace weft::optim
