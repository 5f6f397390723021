// What samples do not show of windows: names in programs, ties, other ways to the same sums, numbers that no program
// should have, and the texts of errors.
#include <gtest/gtest.h>

#include "harness/errors.h"
#include "weft/core/stage.h"
#include "weft/ops/lax.h"
#include "weft/transforms/jvp.h"

namespace weft {
namespace {

using testing::error_of;
using Function = std::function<Array(const Array&)>;

Array tangent(const Function& f, const Array& x, const Array& t) {
  Arrays outs, tangents;
  transforms::jvp([&](std::span<const Array> a, Arrays& o) { o.push_back(f(a[0])); }, std::span(&x, 1),
                  std::span(&t, 1), "f", outs, tangents);
  return tangents[0];
}

TEST(reduce_window, prints_its_kind_in_its_name) {
  const Aval x(f32, Dims{4});
  const std::string text =
      stage([](std::span<const Array> a,
               Arrays& outs) { outs.push_back(lax::reduce_window(a[0], ReduceKind::kMax, {.dimensions = {2}})); },
            std::span(&x, 1), "f")
          .jaxpr.str();
  EXPECT_NE(text.find("reduce_window_max[\n      window=(window_dimensions=(2,), window_strides=(1,)"),
            std::string::npos)
      << text;
}

TEST(reduce_window, a_window_that_ends_at_each_place_is_a_cumulative_sum) {
  const std::int64_t n = 1000;
  const Array x = lax::sine(lax::iota(f64, Dims{n}, 0));
  const Array y =
      lax::reduce_window(x, ReduceKind::kSum, {.dimensions = {n}, .padding_low = {n - 1}, .padding_high = {0}});
  const auto got = y.to_vector<double>(), want = lax::cumsum(x, 0).to_vector<double>();
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-12);
}

TEST(reduce_window, rounds_every_step_to_its_type) {
  const Array x = lax::convert(Array(std::vector<float>{256, 1, 1, -256}), bf16);
  const Array y = lax::reduce_window(x, ReduceKind::kSum, {.dimensions = {4}});
  EXPECT_EQ(lax::convert(y, f32).to_vector<float>(), std::vector<float>{0});
}

TEST(reduce_window, the_tangent_of_products_survives_zeros) {
  const Array x(std::vector<double>{2, 0, 3, 0, 5}), t(std::vector<double>{1, 10, 100, 1000, 10000});
  const auto product = [](const Array& a) { return lax::reduce_window(a, ReduceKind::kProd, {.dimensions = {3}}); };
  EXPECT_EQ(tangent(product, x, t).to_vector<double>(), (std::vector<double>{2 * 3 * 10, 0, 3 * 5 * 1000}));
}

TEST(reduce_window, max_and_min_take_the_tangent_of_the_first_tie) {
  const Array x(std::vector<double>{3, 3, 1, 1}), t(std::vector<double>{1, 2, 4, 8});
  const auto max = [](const Array& a) { return lax::reduce_window(a, ReduceKind::kMax, {.dimensions = {2}}); };
  const auto min = [](const Array& a) { return lax::reduce_window(a, ReduceKind::kMin, {.dimensions = {2}}); };
  EXPECT_EQ(tangent(max, x, t).to_vector<double>(), (std::vector<double>{1, 2, 4}));
  EXPECT_EQ(tangent(min, x, t).to_vector<double>(), (std::vector<double>{1, 4, 4}));
}

TEST(reduce_window, windows_far_larger_than_the_array_cost_what_they_see) {
  const std::int64_t far = std::int64_t{1} << 50;
  const Array x(std::vector<double>{1, 2, 4});
  const Window w{.dimensions = {far}, .strides = {far}, .padding_low = {far}, .padding_high = {far}};
  EXPECT_EQ(lax::reduce_window(x, ReduceKind::kSum, w).to_vector<double>(), (std::vector<double>{0, 7}));
}

TEST(reduce_window, of_nothing_costs_nothing_whatever_its_sizes) {
  const std::int64_t far = std::int64_t{1} << 50;
  const Array none = Array::full(Dims{far, 0}, f32, 0.0);
  EXPECT_EQ(lax::reduce_window(none, ReduceKind::kSum, {.dimensions = {1, 1}}).aval().str(), "f32[1125899906842624,0]");
}

TEST(reduce_window, mistakes_have_texts) {
  const Array x = Array::full(Dims{2, 3}, f32, 0.0);
  const auto error = [&](const Window& w) { return error_of([&] { lax::reduce_window(x, ReduceKind::kSum, w); }); };
  EXPECT_EQ(error({.dimensions = {2}}),
            "ShapeError: reduce_window: window_dimensions must have one entry per axis; got [2] for f32[2,3].");
  EXPECT_EQ(error({.dimensions = {2, 2}, .window_dilations = {1, 1, 1}}),
            "ShapeError: reduce_window: window_dilations must have one entry per axis; got [1,1,1] for f32[2,3].");
  EXPECT_EQ(error({.dimensions = {2, -2}}),
            "ValueError: reduce_window: window dimensions must not be negative; got -2 for axis 1.");
  EXPECT_EQ(error({.dimensions = {2, 2}, .strides = {0, 1}}),
            "ValueError: reduce_window: window strides must be positive; got 0 for axis 0.");
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(error({.dimensions = {2, most}, .window_dilations = {1, 2}}),
            "ValueError: reduce_window: the dilated window must be at most 2^60; got 2 for axis 1.");
  EXPECT_EQ(error({.dimensions = {2, 2}, .base_dilations = {std::int64_t{1} << 60, std::int64_t{1} << 60}}),
            "ValueError: reduce_window: the dilated size must be at most 2^60; got 1152921504606846976 for axis 0.");
  EXPECT_EQ(error_of([&] { lax::reduce_window(x, ReduceKind::kXor, {.dimensions = {1, 1}}); }),
            "DTypeError: reduce_window: the operand must be bool or integer; got f32[2,3].");
}

TEST(select_and_scatter, mistakes_have_texts) {
  const Array x = Array::full(Dims{4}, f32, 0.0);
  const Window w{.dimensions = {2}};
  EXPECT_EQ(error_of([&] { lax::select_and_scatter(x, x, WindowSelect::kGe, w); }),
            "ShapeError: select_and_scatter: the source must have one element per place of the window, shape [3]; got "
            "f32[4] and f32[4].");
  EXPECT_EQ(error_of([&] { lax::select_and_scatter(x, Array::full(Dims{3}, f64, 0.0), WindowSelect::kGe, w); }),
            "DTypeError: select_and_scatter: operands must have equal dtypes; got f32[4] and f64[3].");
  EXPECT_EQ(error_of([&] { lax::select_and_gather_add(x, Array::full(Dims{3}, f32, 0.0), WindowSelect::kGe, w); }),
            "ShapeError: select_and_gather_add: operands must have equal shapes; got f32[4] and f32[3].");
}

}  // namespace
}  // namespace weft
