#include "optim/wrappers.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/optimizers.h"
#include "optim/plain.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

struct Dense {
  Array w, b;
};

TEST(apply_if_finite, ignores_a_few_bad_updates_and_counts_them) {
  const auto opt = apply_if_finite(sgd(1.0, {.momentum = 0.5}), 2);
  const Array p = np::ones({2}), good = np::array({1.f, 2.f}), bad = np::array({np::nan, 2.f});
  auto state = opt.init(p);
  Array u;
  const auto expect = [&](const Array& g, std::vector<float> updates, int in_a_row, int total) {
    std::tie(u, state) = opt.update(g, state, p);
    EXPECT_EQ(u.to_vector<float>(), updates);
    EXPECT_EQ(state.notfinite_count.item<int>(), in_a_row);
    EXPECT_EQ(state.total_notfinite.item<int>(), total);
    EXPECT_EQ(state.last_finite.item<bool>(), in_a_row == 0);
  };
  expect(good, {-1, -2}, 0, 0);
  expect(bad, {0, 0}, 1, 1);
  expect(bad, {0, 0}, 2, 2);
  expect(good, {-1.5f, -3}, 0, 2);
  expect(bad, {0, 0}, 1, 3);
  expect(np::array({np::inf, 0.f}), {0, 0}, 2, 4);
  std::tie(u, state) = opt.update(bad, state, p);  // one too many: let through
  EXPECT_TRUE(np::isnan(u(0)).item<bool>());
  EXPECT_EQ(state.notfinite_count.item<int>(), 3);
}
TEST(apply_if_finite, compiles_once) {
  const auto opt = apply_if_finite(adam(0.1), 3);
  const Array p = np::ones({2});
  auto state = opt.init(p);
  const auto step = jit([&opt](Array g, decltype(state) s) { return opt.update(g, s, g); });
  for (const float g : {1.f, NAN, 2.f}) state = step(np::full({2}, g), state).second;
  EXPECT_EQ(step.cache_size(), 1u);
  EXPECT_EQ(std::get<0>(state.inner_state).count.item<int>(), 2);
  EXPECT_TRUE(np::isfinite(std::get<0>(state.inner_state).mu(0)).item<bool>());
}
TEST(apply_if_finite, refuses_a_negative_number_of_errors) {
  EXPECT_EQ(error_of([] { apply_if_finite(sgd(1.0), -1); }),
            "ValueError: apply_if_finite: max_consecutive_errors must be 0 or more; got -1.");
}

TEST(conditionally, runs_the_inner_transformation_in_some_steps) {
  const ConditionFn odd = [](const Array& step) { return np::mod(step, 2) == 1; };
  const auto pass = conditionally_transform(chain(trace(1.0), scale(10)), odd);
  const auto mask = conditionally_mask(chain(trace(1.0), scale(10)), odd);
  const Array p = np::ones({1});
  auto s = pass.init(p);
  auto t = mask.init(p);
  std::vector<float> passed, masked;
  for (int i = 0; i < 4; ++i) {
    Array u, v;
    std::tie(u, s) = pass.update(p, s, p);
    std::tie(v, t) = mask.update(p, t, p);
    passed.push_back(u.item<float>());
    masked.push_back(v.item<float>());
  }
  EXPECT_EQ(passed, (std::vector<float>{1, 10, 1, 20}));
  EXPECT_EQ(masked, (std::vector<float>{0, 10, 0, 20}));
  EXPECT_EQ(s.step.item<int>(), 4);
}

TEST(conditionally, refuses_an_empty_condition) {
  EXPECT_EQ(error_of([] { conditionally_transform(sgd(1.0), {}); }),
            "ValueError: conditionally_transform: the condition must be a function; got an empty one.");
  EXPECT_EQ(error_of([] { conditionally_mask(sgd(1.0), {}); }),
            "ValueError: conditionally_mask: the condition must be a function; got an empty one.");
}

TEST(flatten, refuses_updates_of_another_structure_with_as_many_elements) {
  using Tree = std::vector<Array>;
  const Tree p{np::ones({2}), np::ones({3})}, other{np::ones({5})}, swapped{np::ones({3}), np::ones({2})};
  const auto opt = flatten(sgd(1.0));
  const auto state = opt.init(p);
  EXPECT_EQ(error_of([&] { opt.update(other, state, p); }).substr(0, 10), "TreeError:");
  EXPECT_EQ(error_of([&] { opt.update(swapped, state, p); }),
            "ShapeError: flatten: updates and parameters must have equal shapes; got f32[3] and f32[2] at [0].");
}
TEST(flatten, runs_on_one_vector) {
  const Dense p{np::array({{1.f, 2.f}}), np::array({3.f})};
  const auto opt = flatten(adam(0.1));
  const auto state = opt.init(p);
  EXPECT_EQ(std::get<0>(state).mu.shape(), (Shape{3}));
  const auto [u, next] = opt.update(p, state, p);
  const auto plain = adam(0.1);
  const auto [v, other] = plain.update(p, plain.init(p), p);
  EXPECT_TRUE(np::allclose(u.w, v.w).item<bool>());
  EXPECT_TRUE(np::allclose(u.b, v.b).item<bool>());
}
TEST(flatten, gives_line_searches_the_loss_of_the_vector) {
  const auto loss = [](const Dense& d) { return np::sum(np::square(d.w - 1)) + np::sum(np::square(d.b + 1)); };
  const auto opt = flatten(lbfgs());
  Dense p{np::zeros({2}), np::zeros({1})};
  auto state = opt.init(p);
  for (int i = 0; i < 3; ++i) {
    const auto [value, g] = value_and_grad(loss)(p);
    auto [u, next] = opt.update(g, state, p, {.value = value, .grad = g, .value_fn = loss});
    p = apply_updates(p, u);
    state = next;
  }
  EXPECT_LT(loss(p).item<float>(), 1e-8);
}
TEST(flatten, refuses_leaves_of_several_dtypes) {
  const Dense p{np::ones({2}), np::ones({2}).astype(bf16)};
  EXPECT_EQ(error_of([&] { flatten(sgd(1.0)).init(p); }).substr(0, 11), "DTypeError:");
}

TEST(lookahead, moves_slow_parameters_towards_fast_ones) {
  const auto opt = lookahead(sgd(1.0), 3, 0.25);
  auto p = LookaheadParams<Array>::init_synced(np::array({10.f}));
  auto state = opt.init(p);
  double fast = 10, slow = 10;
  for (int t = 1; t <= 7; ++t) {
    const auto g = static_cast<float>(t);
    auto [u, next] = opt.update(np::array({g}), state, p);
    p = apply_updates(p, u);
    state = next;
    fast -= g;
    if (t % 3 == 0) fast = slow = slow + 0.25 * (fast - slow);
    EXPECT_NEAR(p.fast.item<float>(), fast, 1e-5) << t;
    EXPECT_NEAR(p.slow.item<float>(), slow, 1e-5) << t;
    EXPECT_EQ(state.steps_since_sync.item<int>(), t % 3);
  }
}
TEST(lookahead, follows_its_formula_on_a_tree) {
  const auto opt = lookahead(sgd(0.1), 3, 0.25);
  plain::Tree fast = plain::random_tree(1), slow = fast;
  auto p = LookaheadParams<plain::Params>::init_synced(plain::to_params(fast, f64));
  auto state = opt.init(p);
  const auto step = jit([&opt](plain::Params g, decltype(state) s, decltype(p) p) {
    const auto [u, next] = opt.update(g, s, p);
    return std::pair(apply_updates(p, u), next);
  });
  for (int t = 1; t <= 7; ++t) {
    const plain::Tree g = plain::random_tree(static_cast<unsigned>(100 + t));
    std::tie(p, state) = step(plain::to_params(g, f64), state, p);
    fast = plain::add(fast, -0.1, g);
    if (t % 3 == 0) fast = slow = plain::add(plain::times(0.75, slow), 0.25, fast);
    plain::expect_close(p.fast, fast, 1e-12, 1, "fast, step " + std::to_string(t));
    plain::expect_close(p.slow, slow, 1e-12, 1, "slow, step " + std::to_string(t));
  }
  EXPECT_EQ(step.cache_size(), 1u);
}
TEST(lookahead, refuses_updates_of_another_structure) {
  const auto opt = lookahead(identity(), 3, 0.25);
  const auto p = LookaheadParams<std::vector<Array>>::init_synced({np::ones({2}), np::ones({2})});
  EXPECT_EQ(error_of([&] { opt.update(std::vector<Array>{np::ones({2})}, opt.init(p), p); }).substr(0, 10),
            "TreeError:");
}
TEST(lookahead, begins_the_fast_optimizer_anew_when_asked) {
  const auto steps = [](bool reset) {
    const auto opt = lookahead(adam(0.1), 2, 0.5, {.reset_state = reset});
    auto p = LookaheadParams<Array>::init_synced(np::array({1.f}));
    auto state = opt.init(p);
    const auto step = jit([&opt](decltype(p) p, decltype(state) s) {
      const auto [u, next] = opt.update(p.fast, s, p);
      return std::pair(apply_updates(p, u), next);
    });
    for (int t = 0; t < 3; ++t) std::tie(p, state) = step(p, state);
    EXPECT_EQ(step.cache_size(), 1u);
    return std::get<0>(state.fast_state).count.template item<int>();
  };
  EXPECT_EQ(steps(false), 3);
  EXPECT_EQ(steps(true), 1);
}
TEST(lookahead, refuses_a_period_that_is_none) {
  EXPECT_EQ(error_of([] { lookahead(sgd(1.0), 0, 0.5); }),
            "ValueError: lookahead: sync_period must be 1 or more; got 0.");
}

}  // namespace
}  // namespace weft::optim
