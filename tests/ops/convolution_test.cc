// What samples do not show of convolution: defaults, exactness, padding beside NaN, numbers that no program should
// have, and the texts of errors.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/errors.h"
#include "weft/ops/lax.h"

namespace weft {
namespace {

using testing::error_of;

const ConvDimensionNumbers kLine{.input_spatial = {2}, .kernel_spatial = {2}, .output_spatial = {2}};
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

Array ones(Dims shape, DType t = f32) { return Array::full(shape, t, 1.0); }

TEST(convolution, lists_left_empty_are_ones_and_zeros) {
  const Array y = lax::convolution(ones({1, 2, 5}), ones({3, 2, 2}), {.dimension_numbers = kLine});
  EXPECT_EQ(y.aval().str(), "f32[1,3,4]");
  EXPECT_EQ(y.to_vector<float>(), std::vector<float>(12, 4.0f));
}

TEST(convolution, adds_up_in_order_and_in_its_own_type_unless_a_wider_one_is_preferred) {
  const Array x = lax::reshape(Array(std::vector<float>{0x1p24f, 1, -0x1p24f}), Dims{1, 3});
  EXPECT_EQ(lax::convolution(x, ones({1, 3}), {}).to_vector<float>(), std::vector<float>{0});
  EXPECT_EQ(lax::convolution(x, ones({1, 3}), {}, f64).to_vector<double>(), std::vector<double>{1});
}

TEST(convolution, of_halves_rounds_once) {
  // 1 + 2^-11 + 2^-11 is a half-precision number, but 1 + 2^-11 is not.
  const Array x = lax::convert(Array(std::vector<float>{1, 0x1p-11f, 0x1p-11f}), f16);
  const Array y = lax::convolution(lax::reshape(x, Dims{1, 3}), lax::convert(ones({1, 3}), f16), {});
  EXPECT_EQ(lax::convert(y, f32).to_vector<float>(), std::vector<float>{1 + 0x1p-10f});
}

TEST(convolution, multiplies_padding_too) {
  const Array nan = lax::reshape(Array(std::vector<float>{NAN, 1}), Dims{1, 1, 2});
  const Array y =
      lax::convolution(ones({1, 1, 1}), nan, {.dimension_numbers = kLine, .padding_low = {1}, .padding_high = {0}});
  EXPECT_TRUE(std::isnan(y.to_vector<float>()[0]));
}

TEST(convolution, mistakes_have_texts) {
  const Array x = ones({2, 4, 5}), k = ones({6, 4, 3});
  const auto error = [](const Array& lhs, const Array& rhs, ConvolutionParams p) {
    if (p.dimension_numbers.input_spatial.empty()) p.dimension_numbers = kLine;
    return error_of([&] { lax::convolution(lhs, rhs, std::move(p)); });
  };
  EXPECT_EQ(error(x, ones({6, 4}), {}),
            "ShapeError: convolution: operands must have equally many axes, 2 at least; got (lhs f32[2,4,5], rhs "
            "f32[6,4]).");
  EXPECT_EQ(error(x, ones({6, 3, 3}), {}),
            "ShapeError: convolution: rhs must have as many input features as lhs has in a group; got 3, and 4 in 1 "
            "group (lhs f32[2,4,5], rhs f32[6,3,3]).");
  EXPECT_EQ(error(x, k, {.feature_group_count = 3}),
            "ShapeError: convolution: the number of feature groups must divide lhs's features; got 3 groups and 4 (lhs "
            "f32[2,4,5], rhs f32[6,4,3]).");
  EXPECT_EQ(error(x, k, {.batch_group_count = 3}),
            "ShapeError: convolution: the number of batch groups must divide lhs's batch; got 3 groups and 2 (lhs "
            "f32[2,4,5], rhs f32[6,4,3]).");
  EXPECT_EQ(
      error(x, k, {.feature_group_count = 2, .batch_group_count = 2}),
      "ValueError: convolution: group counts must be positive, and one of them 1; got 2 feature groups and 2 batch "
      "groups.");
  EXPECT_EQ(
      error(x, k, {.feature_group_count = 0}),
      "ValueError: convolution: group counts must be positive, and one of them 1; got 0 feature groups and 1 batch "
      "groups.");
  EXPECT_EQ(error(x, k, {.window_strides = {1, 1}}),
            "ShapeError: convolution: window_strides must have one entry per spatial axis; got [1,1] for 1.");
  EXPECT_EQ(error(x, k, {.window_strides = {0}}),
            "ValueError: convolution: window strides must be positive; got 0 for axis 0.");
  EXPECT_EQ(error(x, k, {.reversed = {1}}), "IndexError: convolution: axes must be in [0, 1); got [1].");
  EXPECT_EQ(error(x, lax::convert(k, f64), {}),
            "DTypeError: convolution: operands must have equal dtypes; got f32[2,4,5] and f64[6,4,3].");
  EXPECT_EQ(error_of([&] { lax::convolution(x, k, {.dimension_numbers = kLine}, i32); }),
            "DTypeError: convolution: the preferred dtype must hold the operands' kind of numbers; got i32 for "
            "f32[2,4,5].");
  EXPECT_EQ(error(x, k, {.dimension_numbers = {.input_spatial = {1}, .kernel_spatial = {2}, .output_spatial = {2}}}),
            "IndexError: convolution: axes must be distinct; got [0,1,1].");
  EXPECT_EQ(
      error(x, k, {.dimension_numbers = {.input_spatial = {2}, .kernel_spatial = {}, .output_spatial = {2}}}),
      "ShapeError: convolution: dimension numbers must name every axis of the rhs once; got [0,1] for 3 axes (lhs "
      "f32[2,4,5], rhs f32[6,4,3]).");
}

TEST(convolution, numbers_that_would_overflow_are_refused) {
  const Array x = ones({1, 1, 2}), k = ones({1, 1, 2});
  const auto error = [&](ConvolutionParams p) {
    p.dimension_numbers = kLine;
    return error_of([&] { lax::convolution(x, k, std::move(p)); });
  };
  const std::string most = std::to_string(kMax);
  EXPECT_EQ(error({.window_strides = {kMax}}),
            "ValueError: convolution: window strides must be at most 2^60; got " + most + " for axis 0.");
  EXPECT_EQ(error({.lhs_dilation = {kMax}}),
            "ValueError: convolution: base dilations must be at most 2^60; got " + most + " for axis 0.");
  EXPECT_EQ(error({.rhs_dilation = {std::int64_t{1} << 60}}),
            "ValueError: convolution: the dilated window must be at most 2^60; got 1152921504606846976 for axis 0.");
  EXPECT_EQ(error({.padding_low = {kMax}}),
            "ValueError: convolution: padding must be in [-2^60, 2^60]; got " + most + " for axis 0.");
  EXPECT_EQ(error({.padding_high = {-kMax - 1}}),
            "ValueError: convolution: padding must be in [-2^60, 2^60]; got -9223372036854775808 for axis 0.");
  EXPECT_EQ(
      error({.padding_low = {std::int64_t{1} << 60}, .padding_high = {std::int64_t{1} << 60}}),
      "ShapeError: convolution: the elements must need fewer than 2^62 bytes; got shape [1,1,2305843009213693953].");
}

TEST(convolution, of_nothing_costs_nothing_whatever_its_sizes) {
  const std::int64_t far = std::int64_t{1} << 50;
  const Array none = lax::convolution(Array::full(Dims{1, 0, far}, f32, 0.0), Array::full(Dims{2, 0, far}, f32, 0.0),
                                      {.dimension_numbers = kLine});
  EXPECT_EQ(none.to_vector<float>(), (std::vector<float>{0, 0}));
}

TEST(convolution, far_apart_places_are_found) {
  const std::int64_t far = std::int64_t{1} << 40;
  const Array y = lax::convolution(
      ones({1, 1, 2}), ones({1, 1, 1}),
      {.dimension_numbers = kLine, .window_strides = {far}, .padding_low = {far}, .padding_high = {far}});
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0, 1, 0}));
}

}  // namespace
}  // namespace weft
