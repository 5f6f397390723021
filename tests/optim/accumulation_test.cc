#include "optim/accumulation.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/optimizers.h"
#include "optim/schedule.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

Array gradient(int t) { return np::array({static_cast<float>(t), 1.f}); }

TEST(multi_steps, gives_the_inner_optimizer_the_mean_every_k_steps) {
  const auto opt = multi_steps(adam(0.1), 3);
  const auto inner = adam(0.1);
  const Array p = np::ones({2});
  auto state = opt.init(p);
  auto inner_state = inner.init(p);
  for (int t = 1; t <= 6; ++t) {
    auto [u, next] = opt.update(gradient(t), state, p);
    state = next;
    if (t % 3 == 0) {
      auto [v, s] = inner.update(gradient(t - 1), inner_state, p);  // the mean of the last three
      inner_state = s;
      EXPECT_TRUE(np::allclose(u, v).item<bool>()) << t;
    } else {
      EXPECT_EQ(u.to_vector<float>(), (std::vector<float>{0, 0}));
    }
    EXPECT_EQ(state.mini_step.item<int>(), t % 3);
    EXPECT_EQ(state.gradient_step.item<int>(), t / 3);
    EXPECT_EQ(std::get<0>(state.inner_opt_state).count.item<int>(), t / 3);
    EXPECT_EQ(opt.has_updated(state).item<bool>(), t % 3 == 0);
  }
  EXPECT_EQ(global_norm(state.acc_grads).item<float>(), 0);
}
TEST(multi_steps, adds_up_when_no_mean_is_wanted) {
  const auto opt = multi_steps(sgd(1.0), 2, {.use_grad_mean = false});
  const Array p = np::ones({2});
  auto [u, state] = opt.update(gradient(1), opt.init(p), p);
  EXPECT_EQ(opt.update(gradient(2), state, p).first.to_vector<float>(), (std::vector<float>{-3, -2}));
}
TEST(multi_steps, takes_a_schedule_of_large_steps) {
  const auto opt = multi_steps(sgd(1.0), [](const Array& step) { return step + 1; });
  const Array p = np::ones({2});
  auto state = opt.init(p);
  std::vector<int> when;
  for (int t = 1; t <= 10; ++t) {
    state = opt.update(gradient(t), state, p).second;
    if (opt.has_updated(state).item<bool>()) when.push_back(t);
  }
  EXPECT_EQ(when, (std::vector<int>{1, 3, 6, 10}));
}
TEST(multi_steps, compiles_once_and_does_the_same_compiled) {
  const auto opt = multi_steps(adamw(0.1), 2, {.should_skip = skip_not_finite});
  Array p = np::ones({2}), q = p;
  auto state = opt.init(p), eager = state;
  const auto step = jit([&opt](Array g, decltype(state) s, Array p) {
    const auto [u, next] = opt.update(g, s, p);
    return std::pair(apply_updates(p, u), next);
  });
  for (int t = 1; t <= 5; ++t) {
    std::tie(p, state) = step(gradient(t), state, p);
    auto [u, next] = opt.update(gradient(t), eager, q);
    q = apply_updates(q, u);
    eager = next;
    EXPECT_TRUE(np::allclose(p, q).item<bool>());
  }
  EXPECT_EQ(step.cache_size(), 1u);
}
TEST(multi_steps, accumulates_half_precision_in_f32) {
  const auto opt = multi_steps(sgd(1.0), 3);
  const Array p = np::ones({1}).astype(bf16);
  auto state = opt.init(p);
  EXPECT_EQ(state.acc_grads.dtype(), f32);
  Array u;
  // In bf16 1 + 1/256 would be 1.
  for (const float g : {1.f, 1.f, 1 + 3 / 128.f})
    std::tie(u, state) = opt.update(np::array({g}).astype(bf16), state, p);
  EXPECT_EQ(u.dtype(), bf16);
  EXPECT_EQ(u.astype(f32).item<float>(), -(1 + 1 / 128.f));
  EXPECT_EQ(multi_steps(sgd(1.0), 3, {.accumulator_dtype = f64}).init(p).acc_grads.dtype(), f64);
}
TEST(multi_steps, leaves_out_what_it_is_told_to) {
  const auto opt = multi_steps(sgd(1.0), 2, {.should_skip = skip_not_finite});
  const Array p = np::ones({2});
  auto state = opt.init(p);
  EXPECT_EQ(state.skip_state.at("num_not_finite").item<int>(), 0);
  Array u;
  std::tie(u, state) = opt.update(gradient(1), state, p);
  std::tie(u, state) = opt.update(np::array({np::nan, np::inf}), state, p);
  EXPECT_EQ(u.to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(state.mini_step.item<int>(), 1);
  EXPECT_EQ(state.skip_state.at("num_not_finite").item<int>(), 2);
  EXPECT_TRUE(state.skip_state.at("should_skip").item<bool>());
  std::tie(u, state) = opt.update(gradient(3), state, p);
  EXPECT_EQ(u.to_vector<float>(), (std::vector<float>{-2, -1}));
}
TEST(multi_steps, leaves_out_a_last_mini_step_too) {
  const auto opt = multi_steps(sgd(1.0), 1, {.should_skip = skip_large_updates(4)});
  const Array p = np::ones({2});
  auto [u, state] = opt.update(gradient(5), opt.init(p), p);
  EXPECT_EQ(u.to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(state.gradient_step.item<int>(), 0);
  EXPECT_EQ(state.skip_state.at("norm_squared").item<float>(), 26);
  EXPECT_EQ(opt.update(gradient(1), state, p).first.to_vector<float>(), (std::vector<float>{-1, -1}));
  EXPECT_TRUE(opt.update(np::array({np::nan, 0.f}), state, p).second.skip_state.at("should_skip").item<bool>());
}
TEST(multi_steps, has_not_updated_when_the_mini_step_after_a_large_step_is_skipped) {
  const auto opt = multi_steps(sgd(1.0), 1, {.should_skip = skip_not_finite});
  const Array p = np::ones({2});
  auto state = opt.init(p);
  EXPECT_FALSE(opt.has_updated(state).item<bool>());
  state = opt.update(gradient(1), state, p).second;
  EXPECT_TRUE(opt.has_updated(state).item<bool>());
  const auto [u, next] = opt.update(np::array({np::nan, 1.f}), state, p);
  EXPECT_EQ(u.to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_FALSE(opt.has_updated(next).item<bool>());
}
TEST(multi_steps, refuses_bad_updates_in_the_first_mini_step) {
  const auto opt = multi_steps(sgd(1.0), 3);
  const Array p = np::ones({2});
  const auto state = opt.init(p);
  EXPECT_EQ(error_of([&] { opt.update(np::ones({2}, i32), state, p); }),
            "DTypeError: multi_steps: updates must be float or complex; got i32[2] at the root.");
  EXPECT_EQ(error_of([&] { opt.update(p, state, np::ones({3})); }),
            "ShapeError: multi_steps: updates and parameters must have equal shapes; got f32[2] and f32[3] at the "
            "root.");
  const auto skips = multi_steps(sgd(1.0), 3, {.should_skip = skip_not_finite});
  EXPECT_EQ(error_of([&] { skips.update(p, state, p); }).substr(0, 10), "TreeError:");
  EXPECT_EQ(error_of([&] { opt.update(p, skips.init(p), p); }).substr(0, 10), "TreeError:");
}
TEST(multi_steps, hands_extras_on) {
  const auto opt = multi_steps(polyak_sgd(), 1);
  const Array p = np::array({1.f, 2.f, 3.f});
  EXPECT_TRUE(np::allclose(opt.update(2 * p, opt.init(p), p, {.value = 14.f}).first, -p / 2).item<bool>());
}
TEST(multi_steps, refuses_numbers_of_steps_and_decisions_that_are_none) {
  EXPECT_EQ(error_of([] { multi_steps(sgd(1.0), 0); }),
            "ValueError: multi_steps: every_k must be a whole number of 1 or more; got 0.0.");
  EXPECT_EQ(error_of([] { multi_steps(sgd(1.0), 1.5); }),
            "ValueError: multi_steps: every_k must be a whole number of 1 or more; got 1.5.");
  EXPECT_EQ(error_of([] { multi_steps(sgd(1.0), 2, {.accumulator_dtype = i32}); }),
            "DTypeError: multi_steps: accumulator_dtype must be a floating-point dtype; got i32.");
  EXPECT_EQ(error_of([] { skip_large_updates(-1); }),
            "ValueError: skip_large_updates: max_squared_norm must be 0 or more; got -1.0.");
  const Array p = np::ones({2});
  const auto deciding = [&](Array decision) {
    const auto opt = multi_steps(sgd(1.0), 2, {.should_skip = [=](const Leaves&, const Array&, const Leaves&) {
                                   return SkipDecision{decision, {}};
                                 }});
    return error_of([&] { opt.update(p, opt.init(p), p); });
  };
  EXPECT_EQ(deciding(Array()), "ValueError: multi_steps: should_skip must decide with a bool[]; got none.");
  EXPECT_EQ(deciding(Array(1)), "DTypeError: multi_steps: should_skip must decide with a bool[]; got i32[].");
  EXPECT_EQ(deciding(np::zeros({2}, boolean)),
            "ShapeError: multi_steps: should_skip must decide with a bool[]; got bool[2].");
}

TEST(multi_steps, runs_over_a_batch_of_models_under_vmap) {
  // Three models with gradients of their own, one of which is not finite at first.
  const auto opt = apply_if_finite(multi_steps(adam(0.1), 2), 5);
  const Array p = np::array({{1.f, 2.f}, {3.f, 4.f}, {5.f, 6.f}}),
              g = np::array({{1.f, 1.f}, {np::nan, 1.f}, {-2.f, 3.f}});
  auto states = vmap([&](Array p) { return opt.init(p); })(p);
  using State = decltype(opt.init(p));
  Array u;
  std::vector<State> single;
  for (int i = 0; i < 3; ++i) single.push_back(opt.init(p(i)));
  for (int t = 0; t < 4; ++t) {
    const Array grads = t == 0 ? g : np::nan_to_num(g);
    std::tie(u, states) = vmap([&](Array g, State s, Array p) { return opt.update(g, s, p); })(grads, states, p);
    for (int i = 0; i < 3; ++i) {
      auto [v, next] = opt.update(grads(i), single[static_cast<std::size_t>(i)], p(i));
      single[static_cast<std::size_t>(i)] = next;
      EXPECT_TRUE(np::allclose(u(i), v).item<bool>()) << t << ", " << i;
    }
  }
}

}  // namespace
}  // namespace weft::optim
