#include "optim/inject.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/optimizers.h"
#include "optim/schedule.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

const auto make_adam = [](const Hyperparams& h) { return adam(h.at("learning_rate"), {.b1 = h.at("b1")}); };

TEST(inject_hyperparams, does_what_the_transformation_does) {
  const auto injected = inject_hyperparams(make_adam, {{"learning_rate", 0.1}, {"b1", 0.8}});
  const auto plain = adam(0.1, {.b1 = 0.8});
  const Array p = np::array({1.f, -2.f});
  auto s = injected.init(p);
  auto t = plain.init(p);
  for (int i = 0; i < 4; ++i) {
    auto [u, next_s] = injected.update(p + i, s, p);
    auto [v, next_t] = plain.update(p + i, t, p);
    EXPECT_TRUE(np::allclose(u, v).item<bool>());
    s = next_s;
    t = next_t;
  }
  EXPECT_EQ(s.count.item<int>(), 4);
}
TEST(inject_hyperparams, shows_the_values_in_its_state) {
  const auto opt = inject_hyperparams(make_adam, {{"learning_rate", linear_schedule(1, 0, 10)}, {"b1", 0.8}});
  const Array p = np::array({1.f});
  auto state = opt.init(p);
  EXPECT_EQ(state.hyperparams.at("b1").dtype(), f32);
  EXPECT_FLOAT_EQ(state.hyperparams.at("learning_rate").item<float>(), 1);
  for (int i = 0; i < 4; ++i) state = opt.update(p, state, p).second;
  EXPECT_FLOAT_EQ(state.hyperparams.at("learning_rate").item<float>(), 0.7f);  // of the last step, number 3
}
TEST(inject_hyperparams, changed_between_steps_do_not_compile_again) {
  const auto opt =
      inject_hyperparams([](const Hyperparams& h) { return sgd(h.at("learning_rate")); }, {{"learning_rate", 0.5}});
  Array p = np::array({1.f});
  auto state = opt.init(p);
  const auto step = jit([&opt](Array p, decltype(state) s) {
    const auto [u, next] = opt.update(np::ones_like(p), s, p);
    return std::pair(apply_updates(p, u), next);
  });
  std::tie(p, state) = step(p, state);
  EXPECT_FLOAT_EQ(p.item<float>(), 0.5f);
  const CompilePolicyScope never(CompilePolicy::kNever);
  state.set("learning_rate", 0.25);
  std::tie(p, state) = step(p, state);
  EXPECT_FLOAT_EQ(p.item<float>(), 0.25f);
  state.hyperparams.values["learning_rate"] = Array(2.0f);
  std::tie(p, state) = step(p, state);
  EXPECT_FLOAT_EQ(p.item<float>(), -1.75f);
  EXPECT_EQ(step.stats().traces, 1);
  EXPECT_EQ(step.stats().compiles, 1);
}
TEST(inject_hyperparams, of_f64_parameters_are_f64) {
  const auto opt = inject_hyperparams([](const Hyperparams& h) { return sgd(h.at("rate")); }, {{"rate", 0.1}});
  EXPECT_EQ(opt.init(np::array({1.0})).hyperparams.at("rate").dtype(), f64);
  // A double put in by hand is f32 again after the next step.
  const Array p = np::array({1.f});
  auto state = opt.init(p);
  state.hyperparams.values["rate"] = Array(0.5);
  EXPECT_EQ(opt.update(p, state, p).second.hyperparams.at("rate").dtype(), f32);
}
TEST(inject_hyperparams, scheduled_ones_cannot_be_set) {
  const auto opt =
      inject_hyperparams([](const Hyperparams& h) { return sgd(h.at("rate")); }, {{"rate", constant_schedule(3)}});
  const Array p = np::array({1.f});
  auto state = opt.init(p);
  state.set("rate", 100);
  EXPECT_EQ(opt.update(p, state, p).first.item<float>(), -3);
}
TEST(inject_hyperparams, have_derivatives_through_a_step) {
  const auto opt = inject_hyperparams([](const Hyperparams& h) { return sgd(h.at("rate")); }, {{"rate", 0.1}});
  const auto after = [&](Array rate) {
    const Array p = np::array({3.f});
    auto state = opt.init(p);
    state.set("rate", rate);
    return np::sum(opt.update(p, state, p).first);
  };
  EXPECT_FLOAT_EQ(grad(after)(0.5f).item<float>(), -3);
}
TEST(inject_hyperparams, hand_extras_on) {
  const auto opt = inject_hyperparams([](const Hyperparams& h) { return polyak_sgd({.scaling = h.at("scaling")}); },
                                      {{"scaling", 1.0}});
  const Array p = np::array({1.f, 2.f, 3.f});
  EXPECT_TRUE(np::allclose(opt.update(2 * p, opt.init(p), p, {.value = 14.f}).first, -p / 2).item<bool>());
}
TEST(inject_hyperparams, name_what_there_is_when_a_factory_asks_for_what_is_not) {
  const auto opt = inject_hyperparams(make_adam, {{"learning_rate", 0.1}, {"beta1", 0.8}});
  EXPECT_EQ(error_of([&] { opt.init(np::ones({2})); }),
            "ValueError: inject_hyperparams: the name of a hyperparameter must be one of beta1, learning_rate; got "
            "'b1'.");
}
TEST(inject_hyperparams, take_schedules_with_a_state) {
  // Halved in each step with a loss above 1; the state is the rate, and how often it was halved.
  const std::pair<Array, Array> first(Array(1.f), Array(0));
  const auto halve = stateful_schedule(
      first, [](const auto& s, const auto&) { return s.first; },
      [](const auto& s, const auto& extra) {
        const Array high = extra.value > 1;
        return std::pair(np::where(high, s.first / 2, s.first), np::where(high, s.second + 1, s.second));
      });
  const auto opt = inject_stateful_hyperparams(
      [](const Hyperparams& h) { return sgd(h.at("rate"), {.momentum = h.at("momentum")}); },
      {{"rate", halve}, {"momentum", 0.0}});
  const Array p = np::array({1.f});
  auto state = opt.init(p);
  EXPECT_EQ(state.hyperparams.at("rate").item<float>(), 1);
  const auto step =
      jit([&opt](Array p, decltype(state) s, Array loss) { return opt.update(p, s, p, {.value = loss}); });
  std::vector<float> rates;
  for (const float loss : {2.f, 3.f, 0.5f, 2.f, 0.f}) {
    Array u;
    std::tie(u, state) = step(p, state, loss);
    rates.push_back(-u.item<float>());
    EXPECT_EQ(state.hyperparams.at("rate").item<float>(), rates.back());
  }
  EXPECT_EQ(rates, (std::vector<float>{1, 0.5f, 0.25f, 0.25f, 0.125f}));
  EXPECT_EQ(state.hyperparams_states.at("rate")[1].item<int>(), 3);
  EXPECT_EQ(step.cache_size(), 1u);
}
TEST(inject_hyperparams, refuse_a_schedule_whose_state_changes_and_states_of_others) {
  const auto rate = [](const Array& s, const auto&) { return np::sum(s); };
  const auto make = [](const Hyperparams& h) { return sgd(h.at("rate")); };
  const auto grows = inject_hyperparams(
      make,
      {{"rate", stateful_schedule(np::ones({1}), rate, [](const Array&, const auto&) { return np::ones({2}); })}});
  const auto plain = inject_hyperparams(make, {{"rate", 0.1}});
  const Array p = np::ones({2});
  EXPECT_EQ(error_of([&] { grows.update(p, grows.init(p), p); }),
            "ShapeError: inject_hyperparams: a schedule's next state and its state must have equal shapes; got f32[2] "
            "and f32[1] at leaf 0.");
  EXPECT_EQ(error_of([&] { grows.update(p, plain.init(p), p); }).substr(0, 10), "TreeError:");
}
TEST(inject_hyperparams, refuse_names_that_are_none) {
  const auto opt = inject_hyperparams(make_adam, {{"learning_rate", 0.1}, {"b1", 0.8}});
  const Array p = np::array({1.f});
  auto state = opt.init(p);
  EXPECT_EQ(error_of([&] { state.set("b2", 0.5); }),
            "ValueError: set: the name must be one of b1, learning_rate; got 'b2'.");
  auto more = state, fewer = state;
  more.hyperparams.values["x"] = Array(1.f);
  fewer.hyperparams.values.erase("b1");
  EXPECT_EQ(error_of([&] { opt.update(p, more, p); }),
            "TreeError: inject_hyperparams: the state must have the hyperparameters that were given; got 'x', too.");
  EXPECT_EQ(error_of([&] { opt.update(p, fewer, p); }),
            "TreeError: inject_hyperparams: the state must have all hyperparameters that were given; got fewer.");
}

}  // namespace
}  // namespace weft::optim
