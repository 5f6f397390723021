#include "train/dynamic_scale.h"

#include <gtest/gtest.h>

#include <limits>

#include "harness/errors.h"
#include "train/msgpack.h"
#include "weft/base/error.h"
#include "weft/weft.h"

namespace weft::train {
namespace {

using testing::message_of;

float number(const Array& x) { return x.item<float>(); }

// The example of flax/training/dynamic_scale.py: gradients of a loss in f16, which a scale of 65536 overflows.
TEST(dynamic_scale, backs_off_until_the_gradients_are_finite_and_grows_again) {
  const auto loss = [](const Array& p) {
    const Array h = p.astype(f16);
    return h * h;
  };
  const DynamicScaleOptions options{.growth_interval = 3};
  const auto step = jit([=](const DynamicScale& s, const Array& p) { return s.value_and_grad(loss, options)(p); });
  DynamicScale scale;
  std::vector<float> scales;
  std::vector<bool> finite;
  for (int i = 0; i < 9; ++i) {
    const auto [next, is_finite, value, grad] = step(scale, 1.0f);
    EXPECT_EQ(number(value), 1);
    EXPECT_EQ(grad.dtype(), f32);
    finite.push_back(is_finite.item<bool>());
    EXPECT_TRUE(number(grad) == 2 || !finite.back()) << number(grad);
    scale = next;
    scales.push_back(number(scale.scale));
  }
  // In f16 65536 overflows, and so does twice 32768, the gradient. Grown after three finite steps and the one that
  // finds them, as Flax does, the scale overflows again.
  EXPECT_EQ(scales, (std::vector<float>{32768, 16384, 16384, 16384, 16384, 32768, 16384, 16384, 16384}));
  EXPECT_EQ(finite, (std::vector<bool>{false, false, true, true, true, true, false, true, true}));
}

TEST(dynamic_scale, small_gradients_are_not_lost) {
  const auto loss = [](const Array& p) { return p.astype(f16) * float16(1e-4f) * float16(1e-4f); };
  EXPECT_EQ(number(grad(loss)(1.0f)), 0);
  EXPECT_NEAR(number(DynamicScale{.scale = 1024.0f}.value_and_grad(loss)(1.0f).grads), 1e-8, 1e-10);
}

TEST(dynamic_scale, stays_within_its_limits) {
  const auto infinite = [](const Array& p) { return p * np::inf; };
  const DynamicScale low{.scale = 3.0f};
  EXPECT_EQ(number(low.value_and_grad(infinite, {.minimum_scale = 2.0})(1.0f).dynamic_scale.scale), 2);
  const auto linear = [](const Array& p) { return p * 1e-38f; };
  const DynamicScale high{.scale = 3e38f};
  const auto result = high.value_and_grad(linear, {.growth_interval = 0})(1.0f);
  EXPECT_TRUE(result.finite.item<bool>());
  EXPECT_EQ(number(result.dynamic_scale.scale), std::numeric_limits<float>::max());
}

TEST(dynamic_scale, takes_chosen_arguments_auxiliary_values_and_numbers) {
  const auto loss = [](Array x, Array w, int power) { return std::pair(np::sum(x * w) * power, w + 1); };
  const auto result = DynamicScale().value_and_grad<0, 1>(loss, has_aux)(np::array({1.0f, 2.0f}), 3.0f, 2);
  EXPECT_EQ(number(result.value.first), 18);
  EXPECT_EQ(number(result.value.second), 4);
  EXPECT_EQ(std::get<0>(result.grads).to_vector<float>(), (std::vector<float>{6, 6}));
  EXPECT_EQ(number(std::get<1>(result.grads)), 6);
  // Gradients of more than f32 stay as they are.
  EXPECT_EQ(DynamicScale().value_and_grad([](Array x) { return x * x; })(Array(3.0)).grads.dtype(), f64);
}

TEST(dynamic_scale, gradients_of_several_devices_are_averaged) {
  const auto one = [](const Array& w) {
    return DynamicScale().value_and_grad([](Array p) { return p * p; }, {.axis_name = "batch"})(w);
  };
  const auto result = vmap(one, {.axis_name = "batch"})(np::array({1.0f, 3.0f}));
  EXPECT_EQ(result.grads.to_vector<float>(), (std::vector<float>{4, 4}));
  // One that is not finite is none on all.
  const auto broken = vmap(one, {.axis_name = "batch"})(np::array({1.0f, np::inf}));
  EXPECT_EQ(broken.finite.to_vector<bool>(), (std::vector<bool>{false, false}));
}

TEST(dynamic_scale, files_have_flaxs_members) {
  const DynamicScale scale{.fin_steps = 7, .scale = 8.0f};
  const StateValue state = to_state_dict(scale);
  const auto& dict = *state.get_if<StateDict>();
  EXPECT_EQ(dict.size(), 2u);
  EXPECT_EQ(number(*dict.at("fin_steps").array()), 7);
  EXPECT_EQ(number(from_bytes(DynamicScale(), to_bytes(scale)).scale), 8);
}

TEST(dynamic_scale, options_out_of_range_are_refused) {
  const auto message = [](const DynamicScaleOptions& options) {
    return message_of<ValueError>([&] { DynamicScale().value_and_grad([](Array x) { return x; }, options); });
  };
  EXPECT_EQ(message({.growth_factor = 0.5}), "dynamic_scale: growth_factor must be at least 1; got 0.5.");
  EXPECT_EQ(message({.backoff_factor = 0}), "dynamic_scale: backoff_factor must be above 0 and at most 1; got 0.0.");
  EXPECT_EQ(message({.growth_interval = -1}), "dynamic_scale: growth_interval must not be negative; got -1.");
  EXPECT_EQ(message({.minimum_scale = -1}), "dynamic_scale: minimum_scale must not be negative; got -1.0.");
}

}  // namespace
}  // namespace weft::train
