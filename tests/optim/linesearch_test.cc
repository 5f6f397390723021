#include "optim/linesearch.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/accumulation.h"
#include "optim/inject.h"
#include "optim/optimizers.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

Array quartic(const Array& x) { return np::sum(np::square(np::square(x - 2)) + np::square(x)); }

// One search along `direction` from x.
template <class T>
auto search(const T& opt, const std::function<Array(const Array&)>& f, const Array& x, const Array& direction) {
  const auto [value, g] = value_and_grad(f)(x);
  return opt.update(direction, opt.init(x), x, {.value = value, .grad = g, .value_fn = f});
}

TEST(backtracking, takes_the_first_rate_with_sufficient_decrease) {
  const auto opt =
      scale_by_backtracking_linesearch({.max_backtracking_steps = 30, .slope_rtol = 0.3, .decrease_factor = 0.7});
  const Array x = np::array({0.0, 5.0}), d = -grad(quartic)(x);
  const auto [u, state] = search(opt, quartic, x, d);
  const auto value = [&](double rate) { return quartic(x + rate * d).item<double>(); };
  const double slope = -np::sum(np::square(d)).item<double>();
  double rate = 1;
  int tries = 1;
  for (; value(rate) > value(0) + 0.3 * rate * slope; ++tries) rate *= 0.7;
  EXPECT_NEAR(state.learning_rate.item<double>(), rate, 1e-12);
  EXPECT_EQ(state.info.num_linesearch_steps.item<int>(), tries);
  EXPECT_EQ(state.info.decrease_error.item<double>(), 0);
  EXPECT_TRUE(np::allclose(u, rate * d).item<bool>());
  EXPECT_NEAR(state.value.item<double>(), value(rate), 1e-9);
}
TEST(backtracking, begins_a_little_above_the_last_rate) {
  const auto opt =
      scale_by_backtracking_linesearch({.max_backtracking_steps = 5, .increase_factor = 2, .max_learning_rate = 100});
  const Array x = np::array({1.f});
  const auto flat = [](const Array& x) { return -np::sum(x); };  // any step is good enough
  auto state = opt.init(x);
  for (const float rate : {2.f, 4.f, 8.f}) {
    state = opt.update(x, state, x, {.value = -1.f, .grad = -x, .value_fn = flat}).second;
    EXPECT_EQ(state.learning_rate.item<float>(), rate);
  }
}
TEST(backtracking, does_not_move_where_nothing_is_finite) {
  const auto opt = scale_by_backtracking_linesearch({.max_backtracking_steps = 5});
  const auto wall = [](const Array& x) { return np::sum(np::where(x == 1, 0.0f, np::nan)); };
  const Array x = np::array({1.f});
  const auto [u, state] = opt.update(x, opt.init(x), x, {.value = 0.f, .grad = -x, .value_fn = wall});
  EXPECT_EQ(u.item<float>(), 0);
  EXPECT_EQ(state.learning_rate.item<float>(), 0);
}
TEST(backtracking, keeps_value_and_gradient_when_asked) {
  const auto opt =
      chain(sgd(1.0), scale_by_backtracking_linesearch({.max_backtracking_steps = 30, .store_grad = true}));
  // In the first step alone it is computed: later another function gives the same.
  const auto other = [](const Array& x) { return np::sum(x); };
  Array x = np::array({0.0, 5.0});
  auto state = opt.init(x);
  for (int i = 0; i < 4; ++i) {
    const auto [value, g] =
        i == 0 ? value_and_grad_from_state(quartic)(x, state) : value_and_grad_from_state(other)(x, state);
    EXPECT_NEAR(value.item<double>(), quartic(x).item<double>(), 1e-9) << i;
    EXPECT_TRUE(np::allclose(g, grad(quartic)(x)).item<bool>()) << i;
    auto [u, next] = opt.update(g, state, x, {.value = value, .grad = g, .value_fn = quartic});
    x = apply_updates(x, u);
    state = next;
  }
}

TEST(zoom, finds_rates_that_satisfy_both_conditions_of_wolfe) {
  const std::vector<std::pair<std::string, std::function<Array(const Array&)>>> functions = {
      {"quartic", quartic},
      {"square", [](const Array& x) { return np::sum(np::square(x)); }},
      {"valley", [](const Array& x) { return 100 * np::square(x(1) - np::square(x(0))) + np::square(1 - x(0)); }},
      {"waves", [](const Array& x) { return np::sum(np::sin(3 * x) + 0.1 * np::square(x)); }},
      {"exponential", [](const Array& x) { return np::sum(np::exp(x) - 2 * x); }},
      {"flat", [](const Array& x) { return -np::sum(np::exp(-0.01 * np::square(x - 30))); }}};
  for (const auto& [name, f] : functions)
    for (const double scale : {1e-3, 1.0, 1e2}) {
      const auto opt = scale_by_zoom_linesearch({.max_linesearch_steps = 50, .curv_rtol = 0.1});
      const Array x = np::array({0.5, -1.5});
      const auto [value, g] = value_and_grad(f)(x);
      const Array d = -scale * g;
      const auto [u, state] = search(opt, f, x, d);
      const double rate = state.learning_rate.item<double>(), slope = np::sum(d * g).item<double>();
      const auto [end, g_end] = value_and_grad(f)(x + rate * d);
      const std::string what = name + ", scale " + std::to_string(scale);
      EXPECT_GT(rate, 0) << what;
      EXPECT_LE(end.item<double>(), value.item<double>() + 1e-4 * rate * slope + 1e-9) << what;
      EXPECT_LE(std::abs(np::sum(d * g_end).item<double>()), 0.1 * std::abs(slope) + 1e-12) << what;
      EXPECT_NEAR(state.value.item<double>(), end.item<double>(), 1e-9) << what;
      EXPECT_TRUE(np::allclose(state.grad, g_end).item<bool>()) << what;
      EXPECT_TRUE(np::allclose(u, rate * d).item<bool>()) << what;
      EXPECT_EQ(state.info.decrease_error.item<double>(), 0) << what;
      EXPECT_EQ(state.info.curvature_error.item<double>(), 0) << what;
    }
}
TEST(zoom, stays_below_the_largest_rate) {
  const auto opt = scale_by_zoom_linesearch({.max_linesearch_steps = 20, .max_learning_rate = 3});
  const Array x = np::array({0.f});
  const auto far = [](const Array& x) { return np::sum(np::square(x - 1000)); };
  const auto [u, state] = search(opt, far, x, np::array({1.f}));
  EXPECT_EQ(state.learning_rate.item<float>(), 3);
}
TEST(zoom, begins_with_one_or_with_the_last_rate) {
  const Array x = np::array({0.f});
  const auto f = [](const Array& x) { return np::sum(np::square(x - 1)); };
  const auto second_step = [&](InitialGuess guess) {
    const auto opt = scale_by_zoom_linesearch({.max_linesearch_steps = 20, .initial_guess_strategy = guess});
    auto state = opt.init(x);
    state.learning_rate = Array(0.5f);
    const auto [value, g] = value_and_grad(f)(x);
    return opt.update(-g, state, x, {.value = value, .grad = g, .value_fn = f})
        .second.info.num_linesearch_steps.item<int>();
  };
  EXPECT_EQ(second_step(InitialGuess::kKeep), 1);  // 0.5 is the minimum
  EXPECT_GT(second_step(InitialGuess::kOne), 1);
}
TEST(zoom, gives_up_after_its_steps_with_the_best_that_it_saw) {
  const auto opt = scale_by_zoom_linesearch({.max_linesearch_steps = 3});
  const auto hidden = [](const Array& x) { return np::sum(np::square(x - 1e6)); };  // the curvature asks for 1e6
  const Array x = np::array({0.0});
  const auto [u, state] = search(opt, hidden, x, np::array({1.0}));
  EXPECT_EQ(state.info.num_linesearch_steps.item<int>(), 3);
  EXPECT_GT(state.info.curvature_error.item<double>(), 0);
  EXPECT_EQ(state.learning_rate.item<double>(), 4);
}
TEST(zoom, does_not_move_where_nothing_is_finite_and_goes_on_later) {
  const auto opt = scale_by_zoom_linesearch({.max_linesearch_steps = 5});
  const auto wall = [](const Array& x) { return np::sum(np::where(x == 1, 0.0f, np::nan)); };
  const Array x = np::array({1.f});
  auto [u, state] = opt.update(x, opt.init(x), x, {.value = 0.f, .grad = -x, .value_fn = wall});
  EXPECT_EQ(u.item<float>(), 0);
  const auto square = [](const Array& x) { return np::sum(np::square(x)); };
  EXPECT_GT(
      opt.update(-x, state, x, {.value = 1.f, .grad = 2 * x, .value_fn = square}).second.learning_rate.item<float>(),
      0);
}
TEST(zoom, goes_on_where_values_no_longer_differ) {
  // Near a minimum of value 1 f32 cannot tell a decrease of 1e-9; slopes can.
  const auto f = [](const Array& x) { return 1 + np::sum(np::square(x)); };
  const Array x = np::array({3e-5f});
  const auto opt = scale_by_zoom_linesearch({.max_linesearch_steps = 20, .curv_rtol = 1e-3});
  const auto [u, state] = search(opt, f, x, -grad(f)(x));
  EXPECT_NEAR((x + u).item<float>(), 0, 1e-7);
  EXPECT_EQ(state.info.decrease_error.item<float>(), 0);
}
TEST(linesearches, compile_once_for_all_steps) {
  const auto opt = chain(sgd(1.0), scale_by_zoom_linesearch({.max_linesearch_steps = 15}));
  Array x = np::array({0.f, 5.f});
  auto state = opt.init(x);
  const auto step = jit([&opt](Array x, decltype(state) s) {
    const auto [value, g] = value_and_grad_from_state(quartic)(x, s);
    const auto [u, next] = opt.update(g, s, x, {.value = value, .grad = g, .value_fn = quartic});
    return std::pair(apply_updates(x, u), next);
  });
  for (int i = 0; i < 20; ++i) std::tie(x, state) = step(x, state);
  EXPECT_EQ(step.cache_size(), 1u);
  EXPECT_LT(np::max(np::abs(grad(quartic)(x))).item<float>(), 1e-2);
}
TEST(linesearches, want_loss_gradient_and_function) {
  const auto opt = scale_by_zoom_linesearch({});
  const Array x = np::ones({2});
  EXPECT_EQ(
      error_of([&] { opt.update(x, opt.init(x), x); }),
      "ValueError: scale_by_zoom_linesearch: extra.value must be the loss, which scale_by_zoom_linesearch reads; got "
      "none.");
  EXPECT_EQ(
      error_of([&] { opt.update(x, opt.init(x), x, {.value = 1.f}); }),
      "ValueError: scale_by_zoom_linesearch: extra.grad must be the gradient, which scale_by_zoom_linesearch reads; "
      "got none.");
  EXPECT_EQ(error_of([&] { opt.update(x, opt.init(x), x, {.value = 1.f, .grad = x}); }),
            "ValueError: scale_by_zoom_linesearch: extra.value_fn must be the loss as a function, which "
            "scale_by_zoom_linesearch reads; got none.");
}
TEST(linesearches, refuse_gradients_that_do_not_fit) {
  const auto opt = scale_by_zoom_linesearch({});
  const std::vector<Array> x{np::ones({2})}, longer{np::ones({2}), np::ones({2})}, other{np::ones({3})};
  const auto f = [](const std::vector<Array>& x) { return np::sum(x[0]); };
  EXPECT_EQ(
      error_of([&] { opt.update(x, opt.init(x), x, {.value = 1.f, .grad = longer, .value_fn = f}); }).substr(0, 10),
      "TreeError:");
  EXPECT_EQ(error_of([&] { opt.update(x, opt.init(x), x, {.value = 1.f, .grad = other, .value_fn = f}); }),
            "ShapeError: scale_by_zoom_linesearch: extra.grad and parameters must have equal shapes; got f32[3] and "
            "f32[2] at "
            "[0].");
  // What looks at the gradient of some leaves alone refuses it before it takes those.
  const std::vector<Array> none;
  const Extra<std::vector<Array>> bad{.value = 1.f, .grad = longer, .value_fn = f},
      too_short{.value = 1.f, .grad = none, .value_fn = f};
  const auto update = [&](const auto& own, const auto& extra) {
    return error_of([&] { own.update(x, own.init(x), x, extra); }).substr(0, 10);
  };
  for (const auto& extra : {bad, too_short}) {
    EXPECT_EQ(update(masked(opt, true), extra), "TreeError:");
    EXPECT_EQ(update(freeze(true), extra), "TreeError:");
    EXPECT_EQ(update(partition(std::string("all"), group("all", opt)), extra), "TreeError:");
    EXPECT_EQ(update(flatten(sgd(1.0)), extra), "TreeError:");
  }
}
TEST(linesearches, refuse_a_state_that_has_a_gradient_where_none_is_kept_and_the_other_way_round) {
  const auto keeps = scale_by_backtracking_linesearch({.store_grad = true});
  const auto keeps_not = scale_by_backtracking_linesearch({});
  const Array x = np::ones({2});
  const Extra<Array> extra{.value = 1.f, .grad = x, .value_fn = quartic};
  const std::string text =
      "TreeError: scale_by_backtracking_linesearch: the state must come from this transformation's init; got one of "
      "other options or parameters.";
  EXPECT_EQ(error_of([&] { keeps.update(x, keeps_not.init(x), x, extra); }), text);
  EXPECT_EQ(error_of([&] { keeps_not.update(x, keeps.init(x), x, extra); }), text);
  const auto searches = lbfgs(), steps = lbfgs({.linesearch = std::nullopt});
  EXPECT_EQ(error_of([&] { searches.update(x, steps.init(x), x, extra); }).substr(0, 10), "TreeError:");
  EXPECT_EQ(error_of([&] { steps.update(x, searches.init(x), x, extra); }).substr(0, 10), "TreeError:");
}
TEST(linesearches, refuse_hyperparameters_out_of_range) {
  EXPECT_EQ(error_of([] { scale_by_backtracking_linesearch({.max_backtracking_steps = 0}); }),
            "ValueError: scale_by_backtracking_linesearch: max_backtracking_steps must be 1 or more; got 0.");
  EXPECT_EQ(error_of([] { scale_by_backtracking_linesearch({.decrease_factor = 0}); }),
            "ValueError: scale_by_backtracking_linesearch: decrease_factor must be positive; got 0.0.");
  EXPECT_EQ(error_of([] { scale_by_zoom_linesearch({.increase_factor = 1}); }),
            "ValueError: scale_by_zoom_linesearch: increase_factor must be above 1; got 1.0.");
  EXPECT_EQ(error_of([] { scale_by_zoom_linesearch({.tol = -1}); }),
            "ValueError: scale_by_zoom_linesearch: tol must be 0 or more; got -1.0.");
}
TEST(value_and_grad_from_state, finds_the_line_search_wherever_it_is) {
  const Array x = np::array({0.0, 5.0});
  const auto search = chain(sgd(1.0), scale_by_zoom_linesearch({}));
  const auto expect_found = [&](const char* what, const auto& opt) {
    const auto [value, g] = value_and_grad(quartic)(x);
    const auto [u, state] = opt.update(g, opt.init(x), x, {.value = value, .grad = g, .value_fn = quartic});
    const Array next = apply_updates(x, u);
    const auto other = [](const Array& x) { return np::sum(x); };
    const auto [stored, g_stored] = value_and_grad_from_state(other)(next, state);
    EXPECT_NEAR(stored.template item<double>(), quartic(next).item<double>(), 1e-9) << what;
    EXPECT_TRUE(np::allclose(g_stored, grad(quartic)(next)).template item<bool>()) << what;
  };
  expect_found("named_chain", named_chain(named<"search">(search)));
  expect_found("masked", masked(search, true));
  expect_found("partition", partition(std::string("all"), group("all", search)));
  expect_found("apply_if_finite", apply_if_finite(search, 1));
  expect_found("multi_steps", multi_steps(search, 1));
  expect_found("flatten", flatten(search));
  expect_found("inject_hyperparams", inject_hyperparams([&](const Hyperparams&) { return search; }, {}));
}
TEST(value_and_grad_from_state, refuses_states_without_a_gradient) {
  const Array x = np::ones({2});
  EXPECT_EQ(error_of([&] { value_and_grad_from_state(quartic)(x, sgd(1.0).init(x)); }),
            "ValueError: value_and_grad_from_state: the state must be that of one line search; got 0 of them.");
  EXPECT_EQ(error_of([&] { value_and_grad_from_state(quartic)(x, scale_by_backtracking_linesearch({}).init(x)); }),
            "ValueError: value_and_grad_from_state: the line search must store the gradients of all parameters "
            "(store_grad); got a state without them.");
}

}  // namespace
}  // namespace weft::optim
