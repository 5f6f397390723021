#include "optim/projections.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft::optim {
namespace {

using testing::error_of;
using Tree = std::map<std::string, Array>;

Tree example() { return {{"w", np::array({2.5f, 3.2f})}, {"b", Array(0.5f)}}; }
double sum(const Tree& t) { return np::sum(t.at("w")).item<double>() + t.at("b").item<double>(); }

TEST(projection_simplex, gives_the_published_sum) {
  const Tree y = projection_simplex(example());
  EXPECT_NEAR(sum(y), 1.0000002, 2e-7);
  EXPECT_EQ(y.at("b").item<float>(), 0);
  EXPECT_NEAR(y.at("w")(0).item<float>(), 0.15, 1e-6);
}
TEST(projection_simplex, is_the_nearest_point) {
  std::mt19937 engine(1);
  std::normal_distribution<double> normal;
  for (int k = 0; k < 20; ++k) {
    std::vector<double> x(6);
    for (double& v : x) v = 2 * normal(engine);
    const double scale = 0.5 + k * 0.2;
    const std::vector<double> y = projection_simplex(Array(x), scale).to_vector<double>();
    // The condition of a minimum: what is above 0 lies below x by one number, of which the rest has no less.
    double total = 0, shift = -1e300;
    for (std::size_t i = 0; i < x.size(); ++i) {
      total += y[i];
      if (y[i] > 0) shift = x[i] - y[i];
    }
    EXPECT_NEAR(total, scale, 1e-12);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (y[i] > 0)
        EXPECT_NEAR(x[i] - y[i], shift, 1e-12);
      else
        EXPECT_LE(x[i], shift + 1e-12);
    }
  }
}
TEST(projection_simplex, counts_elements_beyond_the_digits_of_the_dtype) {
  // bf16 has no 257, and f16 no 2049.
  for (const auto& [dtype, n] : std::map<DType, int>{{bf16, 300}, {f16, 3000}}) {
    const Array x = np::full({n}, 0.01f).astype(dtype);
    for (const Array& y : {projection_simplex(x), projection_l1_sphere(-x), projection_l1_ball(x)}) {
      EXPECT_EQ(y.dtype(), dtype);
      EXPECT_NEAR(np::sum(np::abs(y.astype(f32))).item<float>(), 1, 1e-2) << n;
    }
  }
  EXPECT_EQ(projection_simplex(np::zeros({0})).shape(), (Shape{0}));
}
TEST(projection_simplex, keeps_the_digits_of_what_is_far_away) {
  const Array y = projection_simplex(np::array({1e8f, 1e8f, 0.f}));
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0.5f, 0.5f, 0}));
}
TEST(projection_simplex, has_the_derivative_of_a_projection_onto_its_face) {
  // Onto the face of the first two coordinates: dy = (dx - mean dx) there.
  const auto first = [](Array x) { return projection_simplex(x)(0); };
  const std::vector<float> g = grad(first)(np::array({2.5f, 3.2f, 0.5f})).to_vector<float>();
  EXPECT_NEAR(g[0], 0.5, 1e-6);
  EXPECT_NEAR(g[1], -0.5, 1e-6);
  EXPECT_NEAR(g[2], 0, 1e-6);
}
TEST(projections, onto_boxes_clip) {
  const Array x = np::array({-2.f, 0.5f, 3.f});
  EXPECT_EQ(projection_non_negative(x).to_vector<float>(), (std::vector<float>{0, 0.5f, 3}));
  EXPECT_EQ(projection_box(x, -1, 2).to_vector<float>(), (std::vector<float>{-1, 0.5f, 2}));
  EXPECT_EQ(projection_hypercube(x).to_vector<float>(), (std::vector<float>{0, 0.5f, 1}));
  EXPECT_EQ(projection_linf_ball(x, 2).to_vector<float>(), (std::vector<float>{-2, 0.5f, 2}));
  const Tree lower{{"w", np::array({0.f, 4.f})}, {"b", Array(1.f)}},
      upper{{"w", np::array({1.f, 5.f})}, {"b", Array(2.f)}};
  const Tree y = projection_box(example(), lower, upper);
  EXPECT_EQ(y.at("w").to_vector<float>(), (std::vector<float>{1, 4}));
  EXPECT_EQ(y.at("b").item<float>(), 1);
}
TEST(projections, onto_l1_have_that_norm_and_the_signs) {
  const Array x = np::array({-2.5, 3.2, 0.5});
  EXPECT_TRUE(np::allclose(projection_l1_sphere(x), np::array({-0.15, 0.85, 0.0})).item<bool>());
  EXPECT_TRUE(np::allclose(projection_l1_ball(x), np::array({-0.15, 0.85, 0.0})).item<bool>());
  EXPECT_EQ(projection_l1_ball(x, 100).to_vector<double>(), x.to_vector<double>());
  // From inside, zeros take part: all of |x| grows by one number.
  EXPECT_TRUE(np::allclose(projection_l1_sphere(np::array({0.0, -0.2})), np::array({0.4, -0.6})).item<bool>());
}
TEST(projections, onto_l2_scale) {
  const Array x = np::array({3.0, -4.0});
  EXPECT_TRUE(np::allclose(projection_l2_sphere(x, 10), 2 * x).item<bool>());
  EXPECT_TRUE(np::allclose(projection_l2_ball(x), x / 5).item<bool>());
  EXPECT_EQ(projection_l2_ball(x, 10).to_vector<double>(), x.to_vector<double>());
  EXPECT_EQ(projection_l2_ball(np::zeros({2})).to_vector<float>(), (std::vector<float>{0, 0}));
}
TEST(projections, onto_lines_and_planes) {
  const Array x = np::array({1.0, 2.0}), a = np::array({3.0, 4.0});
  EXPECT_TRUE(np::allclose(projection_vector(x, a), 11.0 / 25 * a).item<bool>());
  const Array y = projection_hyperplane(x, a, 1);
  EXPECT_NEAR(np::sum(a * y).item<double>(), 1, 1e-12);
  EXPECT_TRUE(np::allclose(y, x - 0.4 * a).item<bool>());
  EXPECT_TRUE(np::allclose(projection_halfspace(x, a, 1), y).item<bool>());
  EXPECT_EQ(projection_halfspace(x, a, 20).to_vector<double>(), x.to_vector<double>());
}
TEST(projections, run_on_traced_values) {
  const auto f =
      jit([](Array x) { return std::tuple(projection_simplex(x), projection_l1_ball(x), projection_l2_ball(x)); });
  const Array x = np::array({2.5f, 3.2f, 0.5f});
  const auto [simplex, l1, l2] = f(x);
  EXPECT_TRUE(np::allclose(simplex, projection_simplex(x)).item<bool>());
  EXPECT_TRUE(np::allclose(l1, projection_l1_ball(x)).item<bool>());
  EXPECT_TRUE(np::allclose(l2, projection_l2_ball(x)).item<bool>());
}
TEST(projections, refuse_sizes_and_trees_that_do_not_fit) {
  EXPECT_EQ(error_of([] { projection_simplex(example(), 0); }),
            "ValueError: projection_simplex: scale must be positive; got 0.0.");
  EXPECT_EQ(error_of([] { projection_box(example(), 2, 1); }),
            "ValueError: projection_box: lower must not be above upper; got 2.0 and 1.0.");
  EXPECT_EQ(error_of([] { projection_simplex(np::array({1, 2})); }),
            "DTypeError: projection_simplex: elements must be float or complex; got i32[2] at the root.");
  EXPECT_EQ(
      error_of([] { projection_vector(np::ones({2}), np::ones({3})); }),
      "ShapeError: projection_vector: the tree and the other one must have equal shapes; got f32[2] and f32[3] at the "
      "root.");
}

}  // namespace
}  // namespace weft::optim
