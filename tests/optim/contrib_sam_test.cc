#include "optim/contrib_sam.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/optimizers.h"
#include "optim/plain.h"
#include "weft/weft.h"

namespace weft::optim::contrib {
namespace {

using testing::error_of;

Array loss(const Array& x) { return np::sum(np::square(np::square(x)) - x); }
std::vector<double> plain_gradient(const std::vector<double>& x) {
  std::vector<double> g;
  for (const double v : x) g.push_back(4 * v * v * v - 1);
  return g;
}
// One step of the paper: the gradient at p + rho g / |g|.
std::vector<double> plain_step(std::vector<double> x, double rate, double rho, int adversarial) {
  std::vector<double> at = x;
  for (int k = 0; k < adversarial; ++k) {
    const std::vector<double> g = plain_gradient(at);
    double norm = 0;
    for (const double v : g) norm += v * v;
    for (std::size_t i = 0; i < x.size(); ++i) at[i] += rho * g[i] / std::sqrt(norm);
  }
  const std::vector<double> g = plain_gradient(at);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] -= rate * g[i];
  return x;
}
const auto adversary = chain(normalize(), sgd(0.05));

TEST(sam, takes_gradients_uphill_of_the_parameters) {
  for (const int period : {2, 3}) {
    const auto opt = sam(sgd(0.01), adversary, {.sync_period = period});
    std::vector<double> want{1, -0.5, 0.3};
    Array x(want);
    auto state = opt.init(x);
    const auto step = jit([&opt](Array x, decltype(state) s) {
      const auto [u, next] = opt.update(grad(loss)(x), s, x);
      return std::pair(apply_updates(x, u), next);
    });
    for (int i = 1; i <= 3 * period; ++i) {
      std::tie(x, state) = step(x, state);
      EXPECT_EQ(state.steps_since_sync.item<int>(), i % period);
      if (i % period != 0) continue;
      want = plain_step(want, 0.01, 0.05, period - 1);
      for (std::size_t k = 0; k < want.size(); ++k) EXPECT_NEAR(x.to_vector<double>()[k], want[k], 1e-12) << i;
    }
    EXPECT_EQ(step.cache_size(), 1u);
  }
}
TEST(sam, follows_its_formula_on_a_tree) {
  // sum x^4 / 4 - x, with one adversarial step: the norm goes over all leaves.
  const auto gradient = [](plain::Tree x) {
    for (plain::Leaf& leaf : x)
      for (double& v : leaf.x) v = v * v * v - 1;
    return x;
  };
  const auto opt = sam(sgd(0.01), adversary);
  plain::Tree want = plain::random_tree(1);
  plain::Params x = plain::to_params(want, f64);
  auto state = opt.init(x);
  const auto step = jit([&opt](plain::Params x, decltype(state) s) {
    const auto g = tree::map([](const Array& v) { return v * v * v - 1; }, x);
    const auto [u, next] = opt.update(g, s, x);
    return std::pair(apply_updates(x, u), next);
  });
  for (int i = 1; i <= 6; ++i) {
    std::tie(x, state) = step(x, state);
    if (i % 2 != 0) continue;
    const plain::Tree g = gradient(want);
    want = plain::add(want, -0.01, gradient(plain::add(want, 0.05 / std::sqrt(plain::squared_norm(g)), g)));
    plain::expect_close(x, want, 1e-10, 1, "step " + std::to_string(i));
  }
  EXPECT_EQ(step.cache_size(), 1u);
}
TEST(sam, refuses_states_of_other_options_and_other_parameters) {
  const auto clear = sam(sgd(1.0), adversary), opaque = sam(sgd(1.0), adversary, {.opaque_mode = true});
  const Array x = np::ones({2});
  const Extra<Array> extra{.grad_fn = [](const Array& p, const Array&) { return p; }};
  const std::string text =
      "TreeError: sam: the state must come from this transformation's init; got one of other options or parameters.";
  EXPECT_EQ(error_of([&] { clear.update(x, opaque.init(x), x, extra); }), text);
  EXPECT_EQ(error_of([&] { opaque.update(x, clear.init(x), x, extra); }), text);
  const std::vector<Array> two{x, x}, one{x};
  EXPECT_EQ(error_of([&] { clear.update(two, clear.init(one), two); }).substr(0, 10), "TreeError:");
}
TEST(sam, opaque_does_a_whole_step_in_each_update) {
  const auto opt = sam(sgd(0.01), adversary, {.sync_period = 3, .opaque_mode = true});
  std::vector<double> want{1, -0.5, 0.3};
  Array x(want);
  auto state = opt.init(x);
  EXPECT_FALSE(state.cache.has_value());
  const auto step = jit([&opt](Array x, decltype(state) s) {
    const auto elsewhere = [](const Array& p, const Array&) { return grad(loss)(p); };
    const auto [u, next] = opt.update(grad(loss)(x), s, x, {.grad_fn = elsewhere});
    return std::pair(apply_updates(x, u), next);
  });
  for (int i = 0; i < 4; ++i) {
    std::tie(x, state) = step(x, state);
    want = plain_step(want, 0.01, 0.05, 2);
    for (std::size_t k = 0; k < want.size(); ++k) EXPECT_NEAR(x.to_vector<double>()[k], want[k], 1e-12) << i;
  }
  EXPECT_EQ(step.cache_size(), 1u);
}
TEST(sam, tells_the_gradient_function_which_adversarial_step_it_is) {
  const auto opt = sam(sgd(1.0), adversary, {.sync_period = 4, .opaque_mode = true});
  std::vector<int> calls;
  const Array x = np::ones({1});
  opt.update(x, opt.init(x), x, {.grad_fn = [&](const Array& p, const Array& i) {
               calls.push_back(i.item<int>());
               return p;
             }});
  EXPECT_EQ(calls, (std::vector<int>{0, 1, 2}));
}
TEST(sam, keeps_the_outer_state_during_adversarial_steps) {
  const auto opt = sam(adam(0.01), chain(normalize(), sgd(0.05, {.momentum = 0.9})));
  const Array x = np::array({1.f, 2.f});
  auto state = opt.init(x);
  state = opt.update(x, state, x).second;
  EXPECT_EQ(std::get<0>(state.opt_state).count.item<int>(), 0);
  EXPECT_GT(global_norm(std::get<0>(std::get<1>(state.adv_state))->trace).item<float>(), 0);
  state = opt.update(x, state, x).second;
  EXPECT_EQ(std::get<0>(state.opt_state).count.item<int>(), 1);
  EXPECT_EQ(global_norm(std::get<0>(std::get<1>(state.adv_state))->trace).item<float>(), 0);
}
TEST(normalize, gives_zeros_for_zeros) {
  const Array zero = np::zeros({2}), x = np::array({3.f, 4.f});
  EXPECT_EQ(normalize().update(zero, {}, zero).first.to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_TRUE(np::allclose(normalize().update(x, {}, x).first, x / 5).item<bool>());
}
TEST(sam, refuses_a_period_that_is_none_and_wants_gradients_elsewhere) {
  EXPECT_EQ(error_of([] { sam(sgd(1.0), sgd(1.0), {.sync_period = 0}); }),
            "ValueError: sam: sync_period must be 1 or more; got 0.");
  const auto opt = sam(sgd(1.0), adversary, {.opaque_mode = true});
  const Array x = np::ones({2});
  EXPECT_EQ(error_of([&] { opt.update(x, opt.init(x), x); }),
            "ValueError: sam: extra.grad_fn must be the gradient as a function, in opaque mode; got none.");
}

}  // namespace
}  // namespace weft::optim::contrib
