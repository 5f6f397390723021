// Pooling against loops over doubles.
#include "nn/pooling.h"

#include "nn/checks.h"

namespace weft::nn {
namespace {

using namespace testing;

// What the windows along one axis of x[n, features] see: f of the elements, of which nullopt are padding.
template <class F>
Array pooled(const Array& x, std::int64_t window, std::int64_t stride, std::int64_t low, std::int64_t high, F&& f) {
  const std::int64_t n = x.shape(0), features = x.shape(1), places = (n + low + high - window) / stride + 1;
  const Doubles v = values(x);
  Doubles y;
  for (std::int64_t o = 0; o < places; ++o)
    for (std::int64_t c = 0; c < features; ++c) {
      Doubles seen;
      for (std::int64_t k = 0; k < window; ++k) {
        const std::int64_t i = o * stride + k - low;
        if (i >= 0 && i < n) seen.push_back(v[static_cast<std::size_t>(i * features + c)]);
      }
      y.push_back(f(seen));
    }
  return Array::from_vector(y, {places, features});
}
double sum(const Doubles& v) {
  double r = 0;
  for (const double x : v) r += x;
  return r;
}

TEST(pooling, sees_each_window) {
  const Array x = draw({7, 2}, 1);
  struct Case {
    std::int64_t window, stride;
    Padding padding;
    std::int64_t low, high;
  };
  const Case cases[] = {{2, 1, Padding::kValid, 0, 0},
                        {3, 2, Padding::kValid, 0, 0},
                        {3, 2, Padding::kSame, 1, 1},
                        {2, 2, Padding::kSame, 0, 1},
                        {3, 1, 1, 1, 1},
                        {4, 3, {{1, 2}}, 1, 2}};
  for (const Case& c : cases) {
    const Pooling how{.strides = c.stride, .padding = c.padding};
    const auto want = [&](auto&& f) { return pooled(x, c.window, c.stride, c.low, c.high, f); };
    EXPECT_TRUE(
        near(max_pool(x, c.window, how), want([](const Doubles& v) { return *std::max_element(v.begin(), v.end()); })));
    EXPECT_TRUE(
        near(min_pool(x, c.window, how), want([](const Doubles& v) { return *std::min_element(v.begin(), v.end()); })));
    EXPECT_TRUE(near(pool(x, ReduceKind::kProd, c.window, how), want([](const Doubles& v) {
                       double r = 1;
                       for (const double e : v) r *= e;
                       return r;
                     })));
    EXPECT_TRUE(near(avg_pool(x, c.window, {.strides = c.stride, .padding = c.padding}),
                     want([&](const Doubles& v) { return sum(v) / static_cast<double>(c.window); })));
    EXPECT_TRUE(near(avg_pool(x, c.window, {.strides = c.stride, .padding = c.padding, .count_include_pad = false}),
                     want([&](const Doubles& v) { return sum(v) / static_cast<double>(v.size()); })));
  }
}

TEST(pooling, of_two_axes_is_that_of_one_after_the_other) {
  const Array x = draw({2, 5, 4, 3}, 1);
  const Array both = max_pool(x, {3, 2}, {.strides = {2, 1}, .padding = Padding::kSame});
  EXPECT_EQ(both.shape(), Dims({2, 3, 4, 3}));
  const Array first = max_pool(x, {3, 1}, {.strides = {2, 1}, .padding = Padding::kSame});
  EXPECT_TRUE(near(max_pool(first, {1, 2}, {.padding = Padding::kSame}), both));
  const Array mean = avg_pool(x, {3, 2}, {.strides = {2, 1}, .padding = Padding::kSame, .count_include_pad = false});
  const Array rows = avg_pool(x, {3, 1}, {.strides = {2, 1}, .padding = Padding::kSame, .count_include_pad = false});
  EXPECT_TRUE(near(avg_pool(rows, {1, 2}, {.padding = Padding::kSame, .count_include_pad = false}), mean));
}

TEST(pooling, takes_any_number_of_axes_of_batch) {
  const Array x = draw({2, 3, 6, 2}, 1);
  const Array y = avg_pool(x, 2, {.strides = 2});
  EXPECT_EQ(y.shape(), Dims({2, 3, 3, 2}));
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j) EXPECT_TRUE(near(y(i, j), avg_pool(x(i, j), 2, {.strides = 2})));
  EXPECT_EQ(max_pool(np::zeros({0, 6, 2}), 2).shape(), Dims({0, 5, 2}));
}

TEST(pooling, has_right_gradients) {
  const Array x = draw({1, 5, 4, 2}, 1);
  const auto slopes = [&](auto&& f) { expect_gradient([&](const Array& a) { return loss_of(f(a)); }, x); };
  slopes([](const Array& a) { return max_pool(a, {2, 3}, {.strides = {2, 1}, .padding = Padding::kSame}); });
  slopes([](const Array& a) { return min_pool(a, {2, 2}); });
  slopes([](const Array& a) { return avg_pool(a, {2, 3}, {.padding = Padding::kSame, .count_include_pad = false}); });
}

TEST(pooling, is_the_same_under_jit) {
  const Array x = draw({1, 5, 4, 2}, 1, f32);
  const auto f = [](const Array& a) {
    return std::pair(max_pool(a, {2, 2}), avg_pool(a, {3, 2}, {.padding = Padding::kSame, .count_include_pad = false}));
  };
  const auto got = weft::jit(f)(x), want = f(x);
  EXPECT_TRUE(near(got.first, want.first, 0));
  EXPECT_TRUE(near(got.second, want.second, 1e-6));
}

TEST(pooling, keeps_types_but_means_of_integers_are_f32) {
  EXPECT_EQ(max_pool(np::ones({4, 1}, bf16), 2).dtype(), bf16);
  EXPECT_EQ(avg_pool(np::ones({4, 1}, bf16), 2).dtype(), bf16);
  EXPECT_EQ(max_pool(np::ones({4, 1}, i32), 2).dtype(), i32);
  EXPECT_TRUE(near(avg_pool(np::reshape(np::arange(4), {4, 1}), 2), Doubles{0.5, 1.5, 2.5}));
}

TEST(pooling, means_of_small_types_are_those_of_their_numbers) {
  const auto mean = [](const Array& x) { return avg_pool(x, x.shape(0)).item<float>(); };
  EXPECT_EQ(mean(np::full({2, 1}, 255, u8)), 255);
  EXPECT_EQ(mean(np::full({1000, 1}, 100, i8)), 100);
  EXPECT_EQ(mean(np::ones({2, 1}, boolean)), 1);
  for (const DType t : {bf16, f16}) {
    const Array y = avg_pool(np::ones({5000, 1}, t), 5000);
    EXPECT_EQ(y.aval().str(), np::zeros({1, 1}, t).aval().str());
    EXPECT_EQ(y.item<float>(), 1);
  }
  EXPECT_EQ(
      avg_pool(np::full({2, 1}, 255, u8), 2, {.padding = Padding::kSame, .count_include_pad = false})(0).item<float>(),
      255);
}

TEST(pooling, refuses_what_it_cannot_do) {
  const Array x = np::ones({4, 1});
  EXPECT_EQ(error_of([&] { max_pool(x, {}); }),
            "ValueError: max_pool: the window must have a number for each spatial axis; got none.");
  EXPECT_EQ(error_of([&] { max_pool(x, {2, 2}); }),
            "ShapeError: max_pool: the input must have 2 spatial axes and one of features; got f32[4,1].");
  EXPECT_EQ(error_of([&] { avg_pool(x, 0); }), "ValueError: avg_pool: the window must be positive; got [0].");
  EXPECT_EQ(error_of([&] { min_pool(x, 2, {.strides = {1, 1}}); }),
            "ShapeError: min_pool: there must be one number of strides, or one for every axis of the window, 1; got "
            "[1,1].");
  EXPECT_EQ(error_of([&] { max_pool(x, 2, {.padding = Padding::kCircular}); }),
            "ValueError: max_pool: padding must be kSame, kValid or numbers; got kCircular.");
}

}  // namespace
}  // namespace weft::nn
