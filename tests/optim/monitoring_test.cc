#include "optim/monitoring.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/optimizers.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

const auto norm = [](const auto& u) { return global_norm(u); };
Array loss(const Array& x) { return np::sum(np::square(x)); }

TEST(snapshot, keeps_the_published_norms) {
  const auto opt = chain(sgd(0.1, {.momentum = 0.9}), snapshot("norm_before_clip", norm), clip_by_global_norm(0.05));
  Array x = np::array({1.f, 2.f, 3.f});
  auto state = opt.init(x);
  const auto kept = [&] { return std::get<1>(state).measurement.at("norm_before_clip").item<float>(); };
  EXPECT_FLOAT_EQ(kept(), std::sqrt(14.f));  // of the parameters
  const auto step = jit([&opt](Array x, decltype(state) s) {
    const auto [u, next] = opt.update(grad(loss)(x), s, x);
    return std::pair(apply_updates(x, u), next);
  });
  for (const double norm : {0.748, 1.41}) {
    std::tie(x, state) = step(x, state);
    EXPECT_NEAR(kept(), norm, 5e-3);
  }
  EXPECT_EQ(step.cache_size(), 1u);
  EXPECT_EQ(tree::structure(state).paths()[1], "[1].measurement['norm_before_clip']");
}
TEST(snapshot, may_keep_the_updates_themselves) {
  const auto opt = snapshot("updates", [](const auto& u) { return u; });
  const Array p = np::ones({2}), g = np::array({3.f, 4.f}).astype(bf16);
  auto [u, state] = opt.update(g, opt.init(p), p);
  EXPECT_TRUE(np::array_equal(u, g).item<bool>());
  // In the dtype that the state began with.
  EXPECT_EQ(state.measurement.at("updates").dtype(), f32);
  EXPECT_EQ(state.measurement.at("updates").to_vector<float>(), (std::vector<float>{3, 4}));
}
TEST(snapshot, refuses_a_state_of_another_name) {
  const Array p = np::ones({2});
  EXPECT_EQ(error_of([&] { snapshot("a", norm).update(p, snapshot("b", norm).init(p), p); }),
            "TreeError: snapshot: the state must come from this transformation's init; got one of other options or "
            "parameters.");
}

TEST(monitor, keeps_the_published_measurements) {
  const auto opt =
      chain(sgd(0.1, {.momentum = 0.9}),
            monitor(named<"norm_before_clip">(norm),
                    named<"is_clipped_ema">(measure_with_ema([](const auto& u) { return global_norm(u) > 1.0; }, 0.9))),
            clip_by_global_norm(1.0));
  Array x = np::array({1.f, 2.f, 3.f});
  auto state = opt.init(x);
  const auto step = jit([&opt](Array x, decltype(state) s) {
    const auto [u, next] = opt.update(grad(loss)(x), s, x);
    return std::pair(apply_updates(x, u), next);
  });
  for (const auto& [norm, clipped] : {std::pair(0.748, 0.0), std::pair(1.27, 0.526)}) {
    std::tie(x, state) = step(x, state);
    EXPECT_NEAR(std::get<1>(state).measurements.get<"norm_before_clip">().item<double>(), norm, 5e-3);
    EXPECT_NEAR(std::get<1>(state).measurements.get<"is_clipped_ema">().item<double>(), clipped, 5e-4);
  }
  EXPECT_EQ(step.cache_size(), 1u);
}
// Counts its calls, and adds the losses.
struct Total {
  Array init(const Array&) const { return Array(0.f); }
  std::pair<std::pair<Array, Array>, Array> update(const Array& u, const Array& total, const Array&,
                                                   const Extra<Array>& extra) const {
    const Array next = extra.value.defined() ? total + extra.value : total;
    return {{next, u.size()}, next};
  }
};
TEST(monitor, takes_measurements_with_a_state_that_read_the_extras) {
  const auto opt = monitor(named<"total">(Total()));
  const Array p = np::ones({3});
  auto state = opt.init(p);
  for (const float value : {1.f, 2.f}) state = opt.update(p, state, p, {.value = value}).second;
  EXPECT_EQ(state.measurements.get<"total">().first.item<float>(), 3);
  EXPECT_EQ(state.measurements.get<"total">().second.item<int>(), 3);
}
TEST(monitor, leaves_updates_as_they_are_and_keeps_no_array_of_the_parameters) {
  const auto opt = chain(monitor(named<"all">([](const auto& u) { return u; })), adam(0.1));
  Array p = np::array({1.f, 2.f});
  const auto state = opt.init(p);
  const auto step = jit(
      [&opt](Array p, std::decay_t<decltype(state)> s) {
        const auto [u, next] = opt.update(p, s, p);
        return std::pair(apply_updates(p, u), next);
      },
      {.donate = {0, 1}});
  EXPECT_NO_THROW(step(np::copy(p), state));
}
TEST(measure_with_ema, refuses_a_decay_that_is_none) {
  EXPECT_EQ(error_of([] { measure_with_ema(norm, 1); }),
            "ValueError: measure_with_ema: decay must be in [0, 1); got 1.0.");
}

}  // namespace
}  // namespace weft::optim
