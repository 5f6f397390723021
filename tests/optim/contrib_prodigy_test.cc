#include "optim/contrib_prodigy.h"

#include "harness/errors.h"
#include "optim/plain.h"

namespace weft::optim::contrib {
namespace {

using plain::dot;
using plain::expect_follows;
using plain::Rule;
using plain::Tree;
using testing::error_of;

Rule rule(double b3, double decay, bool safeguard) {
  return [=, m = Tree(), v = Tree(), s = Tree(), first = Tree(), d = 0.0, r = 0.0](Tree& u, const Tree& p, int t,
                                                                                   double) mutable {
    const double d0 = 1e-2;
    if (t == 1) {
      m = v = s = plain::times(0, u);
      first = p;
      d = d0;
      r = 0;
    }
    const double l = d * 0.5 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
    r = b3 * r + d / d0 * l * dot(u, plain::add(first, -1, p));
    const Tree g = plain::times(d, u);
    m = plain::add(plain::times(0.9, m), 0.1, g);
    s = plain::add(plain::times(b3, s), (safeguard ? d : l) / d0, g);
    double size = 0;
    for (std::size_t i = 0; i < u.size(); ++i)
      for (std::size_t j = 0; j < u[i].size(); ++j) {
        v[i].x[j] = 0.999 * v[i].x[j] + 0.001 * g[i].x[j] * g[i].x[j];
        size += std::abs(s[i].x[j]);
      }
    d = std::max(d, 2 * r / size);
    for (std::size_t i = 0; i < u.size(); ++i)
      for (std::size_t j = 0; j < u[i].size(); ++j)
        u[i].x[j] = -l * (m[i].x[j] / (std::sqrt(v[i].x[j]) + d * 1e-8) + decay * p[i].x[j]);
  };
}
TEST(prodigy, follows_its_formula) {
  expect_follows(prodigy(0.5, {.estim_lr0 = 1e-2, .estim_lr_coef = 2}), rule(std::sqrt(0.999), 0, false), {.count = 6});
  expect_follows(
      prodigy(0.5,
              {.beta3 = 0.5, .estim_lr0 = 1e-2, .estim_lr_coef = 2, .weight_decay = 0.1, .safeguard_warmup = true}),
      rule(0.5, 0.1, true), {.count = 6});
}
TEST(prodigy, finds_its_learning_rate) {
  // From 1e-6 to the scale of the distance to the minimum, which no one told it.
  const auto f = [](const Array& x) { return np::sum(np::square(x - 3)); };
  const auto opt = prodigy();
  Array x = np::zeros({4});
  auto state = opt.init(x);
  const auto step = jit([&](Array x, decltype(state) s) {
    const auto [u, next] = opt.update(grad(f)(x), s, x);
    return std::pair(apply_updates(x, u), next);
  });
  for (int i = 0; i < 300; ++i) std::tie(x, state) = step(x, state);
  EXPECT_LT(f(x).item<float>(), 1e-2);
  EXPECT_GT(state.estim_lr.item<float>(), 0.05);
}
TEST(prodigy, of_gradients_that_are_0_does_not_move) {
  const auto opt = prodigy();
  const Array x = np::ones({2}), zero = np::zeros({2});
  const auto [u, state] = opt.update(zero, opt.init(x), x);
  EXPECT_EQ(u.to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_FLOAT_EQ(state.estim_lr.item<float>(), 1e-6f);
}
TEST(prodigy, refuses_hyperparameters_out_of_range) {
  EXPECT_EQ(error_of([] { prodigy(1.0, {.estim_lr0 = 0}); }),
            "ValueError: prodigy: estim_lr0 must be positive; got 0.0.");
  EXPECT_EQ(error_of([] { prodigy(1.0, {.beta3 = 2}); }), "ValueError: prodigy: beta3 must be in [0, 1]; got 2.0.");
}

}  // namespace
}  // namespace weft::optim::contrib
