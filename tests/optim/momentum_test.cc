#include "optim/momentum.h"

#include "optim/optimizers.h"
#include "optim/plain.h"

namespace weft::optim {
namespace {

using plain::each;
using plain::expect_follows;

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

TEST(signum, steps_by_the_sign_of_the_average) {
  expect_follows(sign_sgd(0.1), each<1>([](double g, double, double*, int) { return -0.1 * sign(g); }));
  expect_follows(signum(0.1), each<1>([](double g, double, double* s, int) {
                   s[0] = 0.9 * s[0] + 0.1 * g;
                   return -0.1 * sign(s[0]);
                 }));
}
TEST(optimistic_gradient_descent, looks_back_at_the_last_gradient) {
  expect_follows(optimistic_gradient_descent(0.1, {.alpha = 0.5, .beta = 2}),
                 each<1>([](double g, double, double* s, int t) {
                   const double last = t == 1 ? g : s[0];
                   s[0] = g;
                   return -0.1 * (2.5 * g - 2 * last);
                 }));
}
TEST(ema, corrects_its_bias_when_asked) {
  const auto rule = [](bool debias) {
    return each<1>([=](double g, double, double* s, int t) {
      s[0] = 0.9 * s[0] + 0.1 * g;
      return debias ? s[0] / (1 - std::pow(0.9, t)) : s[0];
    });
  };
  expect_follows(ema(0.9), rule(true));
  expect_follows(ema(0.9, {.debias = false}), rule(false));
}
TEST(trace, keeps_its_accumulator_in_the_dtype_that_is_asked_for) {
  const auto opt = trace(0.9, {.accumulator_dtype = bf16});
  const Array g = np::array({1.f, 2.f});
  const auto [u, state] = opt.update(g, opt.init(g), g);
  EXPECT_EQ(state.trace.dtype(), bf16);
  EXPECT_EQ(u.dtype(), f32);
}
TEST(apply_every, adds_up_and_lets_out_every_k_steps) {
  expect_follows(apply_every(3), each<1>([](double g, double, double* s, int t) {
                   s[0] = t % 3 == 1 ? g : s[0] + g;
                   return t % 3 == 0 ? s[0] : 0;
                 }),
                 {.count = 7});
}

}  // namespace
}  // namespace weft::optim
