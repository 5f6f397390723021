#include "optim/optimizers.h"

#include "harness/errors.h"
#include "optim/plain.h"
#include "optim/schedule.h"

namespace weft::optim {
namespace {

using plain::each;
using plain::expect_follows;
using testing::error_of;

TEST(sgd, goes_down_the_gradient) {
  expect_follows(sgd(0.1), each<1>([](double g, double, double*, int) { return -0.1 * g; }));
}
TEST(sgd, with_momentum_keeps_a_trace) {
  const auto rule = [](bool nesterov) {
    return each<1>([=](double g, double, double* s, int) {
      s[0] = g + 0.9 * s[0];
      return -0.1 * (nesterov ? g + 0.9 * s[0] : s[0]);
    });
  };
  expect_follows(sgd(0.1, {.momentum = 0.9}), rule(false));
  expect_follows(sgd(0.1, {.momentum = 0.9, .nesterov = true}), rule(true));
}
TEST(sgd, takes_a_schedule_for_its_rate) {
  expect_follows(sgd(linear_schedule(1, 0, 10)),
                 each<1>([](double g, double, double*, int t) { return -(1 - (t - 1) / 10.0) * g; }),
                 {.f64_tolerance = 1e-6});
}
TEST(sgd, takes_an_array_that_is_traced_for_its_rate) {
  const auto step = jit([](Array p, Array rate) {
    const auto opt = sgd(rate);
    const auto [u, state] = opt.update(p, opt.init(p), p);
    return apply_updates(p, u);
  });
  const Array p = np::array({1.f, 2.f});
  EXPECT_EQ(step(p, 0.5f).to_vector<float>(), (std::vector<float>{0.5f, 1}));
  EXPECT_EQ(step(p, 0.25f).to_vector<float>(), (std::vector<float>{0.75f, 1.5f}));
  EXPECT_EQ(step.cache_size(), 1u);
}
TEST(sgd, maps_over_learning_rates) {
  const Array p = np::array({1.f, 2.f});
  const auto after = [&](Array rate) {
    const auto opt = sgd(rate, {.momentum = 0.9});
    const auto [u, state] = opt.update(p, opt.init(p), p);
    return u;
  };
  EXPECT_TRUE(
      np::allclose(vmap(after)(np::array({1.f, 10.f})), np::array({{-1.f, -2.f}, {-10.f, -20.f}})).item<bool>());
}
TEST(optimizers, hyperparameters_out_of_range_are_refused) {
  EXPECT_EQ(error_of([] { sgd(NAN); }), "ValueError: sgd: learning_rate must be a number; got nan.");
  EXPECT_EQ(error_of([] { sgd(0.1, {.momentum = 2}); }), "ValueError: sgd: momentum must be in [0, 1]; got 2.0.");
  EXPECT_EQ(error_of([] { apply_every(0); }), "ValueError: apply_every: k must be 1 or more; got 0.");
  EXPECT_EQ(error_of([] { scale_by_schedule({}); }),
            "ValueError: scale_by_schedule: the schedule must be a function; got an empty one.");
}
TEST(optimizers, errors_name_options_as_they_are_called) {
  EXPECT_EQ(error_of([] { signum(0.1, {.beta = 1}); }), "ValueError: signum: beta must be in [0, 1); got 1.0.");
  EXPECT_EQ(error_of([] { polyak_sgd({.scaling = NAN}); }),
            "ValueError: polyak_sgd: scaling must be a number; got nan.");
  EXPECT_EQ(error_of([] { rmsprop(0.1, {.momentum = 2}); }),
            "ValueError: rmsprop: momentum must be in [0, 1]; got 2.0.");
  EXPECT_EQ(error_of([] { lars(0.1, {.momentum = 2}); }), "ValueError: lars: momentum must be in [0, 1]; got 2.0.");
  EXPECT_EQ(error_of([] { adafactor(0.1, {.momentum = 1}); }),
            "ValueError: adafactor: momentum must be in [0, 1); got 1.0.");
  EXPECT_EQ(error_of([] { adafactor(0.1, {.weight_decay_rate = NAN}); }),
            "ValueError: adafactor: weight_decay_rate must be a number; got nan.");
  EXPECT_EQ(error_of([] { adafactor(0.1, {.eps = -1}); }), "ValueError: adafactor: eps must be 0 or more; got -1.0.");
  EXPECT_EQ(error_of([] { optimistic_adam(0.1, {.optimism = NAN}); }),
            "ValueError: optimistic_adam: optimism must be a number; got nan.");
}
TEST(optimizers, refuse_states_of_other_options) {
  const Array p = np::ones({2, 2});
  const auto refused = [&](const auto& opt, const auto& other) {
    const Extra<Array> extra{.value = 1.f};
    for (const std::string& text : {error_of([&] { opt.update(p, other.init(p), p, extra); }),
                                    error_of([&] { other.update(p, opt.init(p), p, extra); })})
      EXPECT_EQ(text,
                "TreeError: update: the state must come from this transformation's init; got one of other options or "
                "parameters.");
  };
  refused(sgd(0.1, {.momentum = 0.9}), sgd(0.1));
  refused(sgd(0.1), sgd(constant_schedule(0.1)));
  refused(adamw(0.1), adamw(0.1, {.weight_decay = constant_schedule(0.1)}));
  refused(rmsprop(0.1), rmsprop(0.1, {.centered = true}));
  refused(rmsprop(0.1), rmsprop(0.1, {.bias_correction = true}));
  refused(rmsprop(0.1, {.centered = true}), rmsprop(0.1, {.centered = true, .bias_correction = true}));
  refused(rmsprop(0.1), rmsprop(0.1, {.momentum = 0.9}));
  refused(adafactor(0.1), adafactor());
  refused(adafactor(0.1), adafactor(0.1, {.momentum = 0.9}));
  refused(adafactor(0.1), adafactor(0.1, {.min_dim_size_to_factor = 2}));
  refused(lbfgs({.memory_size = 3, .linesearch = std::nullopt}), lbfgs({.memory_size = 4, .linesearch = std::nullopt}));
}
TEST(optimizers, refuse_states_of_other_parameters) {
  const Array p = np::ones({2}), q = np::ones({1});  // which would broadcast
  const auto refused = [&](const auto& opt) {
    return error_of([&] { opt.update(p, opt.init(q), p); }).find("state") != std::string::npos;
  };
  EXPECT_TRUE(refused(adam(0.1)));
  EXPECT_TRUE(refused(novograd(0.1)));
  EXPECT_TRUE(refused(adafactor(0.1)));
  EXPECT_TRUE(refused(scale_by_distance_over_gradients()));
  EXPECT_TRUE(refused(lbfgs({.linesearch = std::nullopt})));
}
TEST(optimizers, a_rate_that_is_more_than_one_number_is_refused) {
  EXPECT_EQ(error_of([] { sgd(np::ones({2})); }),
            "ShapeError: hyperparameter: a hyperparameter must be a number or a 0-d array; got f32[2].");
  EXPECT_EQ(error_of([] { sgd(Array(true)); }),
            "DTypeError: hyperparameter: a hyperparameter must be real; got bool[].");
  EXPECT_EQ(error_of([] { sgd(Array()); }),
            "ValueError: hyperparameter: a hyperparameter must be a number or a 0-d array; got none.");
  const auto opt = sgd([](const Array&) { return np::ones({2}); });
  const Array p = np::ones({2});
  EXPECT_EQ(error_of([&] { opt.update(p, opt.init(p), p); }),
            "ShapeError: update: what a schedule gives must be a number or a 0-d array; got f32[2].");
}

}  // namespace
}  // namespace weft::optim
