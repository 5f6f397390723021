#include "optim/least_squares.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;

TEST(nnls, gives_the_published_solution) {
  const Array x = nnls(np::array({{1.0f, 2.0f}, {3.0f, 4.0f}}), np::array({5.0f, 6.0f}), 1000);
  EXPECT_NEAR(x(0).item<float>(), 0, 1e-6);
  EXPECT_NEAR(x(1).item<float>(), 1.70, 1e-5);
}

TEST(nnls, is_a_minimum) {
  for (int seed = 0; seed < 5; ++seed) {
    const Array keys = random::split(random::key(seed));
    const Array a = random::normal(keys(0), {12, 6}, f64), b = random::normal(keys(1), {12}, f64);
    const Array x = nnls(a, b, 2000);
    // Uphill along each number, and level where that is above 0.
    const Array slope = np::matmul(np::transpose(a), np::matmul(a, x) - b);
    EXPECT_TRUE(np::all(x >= 0).item<bool>());
    EXPECT_GE(np::min(slope).item<double>(), -1e-9) << seed;
    EXPECT_LE(np::max(np::abs(slope * x)).item<double>(), 1e-9) << seed;
  }
}

TEST(nnls, solves_many_at_once) {
  const Array a = random::normal(random::key(0), {3, 5, 4}, f64), b = random::normal(random::key(1), {3, 5}, f64);
  const Array x = nnls(a, b, 500), shared = nnls(a(0), b, 500);
  ASSERT_EQ(x.shape(), Dims({3, 4}));
  ASSERT_EQ(shared.shape(), Dims({3, 4}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(np::allclose(x(i), nnls(a(i), b(i), 500), 1e-9, 1e-9).item<bool>());
    EXPECT_TRUE(np::allclose(shared(i), nnls(a(0), b(i), 500), 1e-9, 1e-9).item<bool>());
  }
  EXPECT_TRUE(np::allclose(vmap([](Array m, Array v) { return nnls(m, v, 500); })(a, b), x, 1e-9, 1e-9).item<bool>());
}

TEST(nnls, has_the_gradient_of_the_solution) {
  const Array a = random::uniform(random::key(0), {5, 3}, f64), b = np::matmul(a, np::array({1.0, 2.0, 0.5}));
  const auto first = [&](Array v) { return nnls(a, v, 3000)(0); };
  const double slope = grad(first)(b)(2).item<double>(), h = 1e-5;
  const Array by = np::array({0.0, 0.0, h, 0.0, 0.0});
  EXPECT_NEAR(slope, (first(b + by).item<double>() - first(b - by).item<double>()) / (2 * h), 1e-6);
}

TEST(nnls, takes_integers_and_a_step) {
  const Array a = np::array({{1, 2}, {3, 4}}), b = np::array({5, 6});
  EXPECT_EQ(nnls(a, b, 10).dtype(), f32);
  // One step of 1 / 30 from zero.
  const Array x = nnls(a, b, 1, {.L = 30});
  EXPECT_FLOAT_EQ(x(0).item<float>(), 23 / 30.0f);
  EXPECT_FLOAT_EQ(x(1).item<float>(), 34 / 30.0f);
  EXPECT_EQ(np::sum(nnls(np::zeros({2, 2}), b, 3)).item<float>(), 0);
}

TEST(nnls, refuses_what_does_not_fit) {
  const Array a = np::ones({3, 2});
  EXPECT_EQ(error_of([&] { nnls(a, np::ones({2}), 1); }),
            "ShapeError: nnls: b must have a number for each row of the matrix A; got A f32[3,2] and b f32[2].");
  EXPECT_EQ(error_of([&] { nnls(a, np::ones({3}, c64), 1); }), "DTypeError: nnls: A and b must be real; got c64[3].");
  EXPECT_EQ(error_of([&] { nnls(a, np::ones({3}), 0); }), "ValueError: nnls: iters must be 1 or more; got 0.");
  EXPECT_EQ(error_of([&] { nnls(a, np::ones({3}), 1, {.L = 0.0}); }), "ValueError: nnls: L must be positive; got 0.0.");
}

}  // namespace
}  // namespace weft::optim
