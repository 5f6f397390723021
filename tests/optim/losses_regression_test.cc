#include "optim/losses_regression.h"

#include "optim/losses_harness.h"

namespace weft::optim {
namespace {

using testing::Doubles;
using testing::draw;
using testing::error_of;
using testing::expect_finite_with_gradient;
using testing::expect_near;
using testing::expect_transforms_agree;
using testing::values;

// f(prediction - target) for each element.
template <class F>
Doubles of_errors(const Array& p, const Array& t, F f) {
  const Doubles a = values(p), b = values(t);
  Doubles r;
  for (std::size_t i = 0; i < a.size(); ++i) r.push_back(f(a[i] - b[i]));
  return r;
}

TEST(squared_error, is_the_square_of_the_error) {
  const Array p = draw({3, 4}, 1), t = draw({3, 4}, 2);
  expect_near(squared_error(p, t), of_errors(p, t, [](double e) { return e * e; }));
  expect_near(l2_loss(p, t), of_errors(p, t, [](double e) { return e * e / 2; }));
  expect_near(squared_error(p), squared_error(p, np::zeros_like(p)));
  expect_near(l2_loss(p, 0.5), l2_loss(p, np::full_like(p, 0.5)));
  EXPECT_EQ(squared_error(np::ones({2}), np::ones({2}, i32)).aval().str(), "f32[2]");
  expect_transforms_agree([](Array a, Array b) { return squared_error(a, b); }, p, t);
  expect_transforms_agree([](Array a, Array b) { return l2_loss(a, b); }, p, t);
}

TEST(huber_loss, golden_176) {
  const Array p = np::array({-2.f, .5f, 0.f, .5f, 2.f, 4.f, 132.f}),
              t = np::array({0.f, -.5f, 0.f, 1.f, 1.f, 2.f, .3f});
  expect_near(huber_loss(p, t), Doubles{1.5, .5, 0, .125, .5, 1.5, 131.2}, 1e-6);
  // The gradient is the error, clipped.
  expect_near(grad([&](Array x) { return np::sum(huber_loss(x, t)); })(p), Doubles{-1, 1, 0, -.5, 1, 1, 1}, 1e-6);
}

TEST(huber_loss, is_quadratic_within_delta_and_linear_beyond) {
  const Array p = draw({3, 4}, 1), t = draw({3, 4}, 2);
  const double delta = 0.7;
  const auto huber = [&](double e) {
    return std::abs(e) <= delta ? e * e / 2 : delta * delta / 2 + delta * (std::abs(e) - delta);
  };
  expect_near(huber_loss(p, t, delta), of_errors(p, t, huber));
  expect_near(huber_loss(p, t(0), delta), huber_loss(p, np::broadcast_to(t(0), {3, 4}), delta));
  expect_near(huber_loss(p, t, Array(delta)), huber_loss(p, t, delta));
  expect_transforms_agree([&](Array a, Array b) { return huber_loss(a, b, delta); }, p, t);
}

TEST(log_cosh, is_the_logarithm_of_cosh) {
  const Array p = draw({3, 4}, 1), t = draw({3, 4}, 2);
  expect_near(log_cosh(p, t), of_errors(p, t, [](double e) { return std::log(std::cosh(e)); }));
  expect_near(log_cosh(p), log_cosh(p, np::zeros_like(p)));
  expect_transforms_agree([](Array a, Array b) { return log_cosh(a, b); }, p, t);
}

TEST(log_cosh, does_not_overflow) {
  const Array p = np::array({-3e38f, -500.f, 0.f, 500.f, 3e38f});
  expect_finite_with_gradient([](Array x) { return log_cosh(x); }, p);
  expect_near(log_cosh(np::array({-500.f, 500.f})), Doubles{500 - std::log(2.0), 500 - std::log(2.0)}, 1e-6);
  expect_near(grad([](Array x) { return np::sum(log_cosh(x)); })(p), Doubles{-1, -1, 0, 1, 1}, 1e-6);
}

TEST(cosine_similarity, is_the_product_of_unit_vectors) {
  const Array p = draw({3, 4}, 1), t = draw({3, 4}, 2);
  const Doubles a = values(p), b = values(t);
  Doubles want, distance;
  for (std::size_t i = 0; i < 3; ++i) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t k = 4 * i; k < 4 * i + 4; ++k) ab += a[k] * b[k], aa += a[k] * a[k], bb += b[k] * b[k];
    want.push_back(ab / std::sqrt(aa * bb));
    distance.push_back(1 - want.back());
  }
  expect_near(cosine_similarity(p, t), want);
  expect_near(cosine_distance(p, t), distance);
  expect_transforms_agree([](Array x, Array y) { return cosine_similarity(x, y); }, p, t);
  expect_transforms_agree([](Array x, Array y) { return cosine_distance(x, y, {.epsilon = 0.1}); }, p, t);
  // Along another axis, over all of them, and over some elements.
  expect_near(cosine_similarity(p.T(), t.T(), {.axis = 0}), want);
  expect_near(cosine_similarity(p, t, {.axis = {}}), cosine_similarity(np::ravel(p), np::ravel(t)));
  const Array where = np::array({true, true, false, true});
  expect_near(cosine_similarity(p, t, {.where = where}),
              cosine_similarity(p(slice(), {0, 1, 3}), t(slice(), {0, 1, 3})));
}

TEST(cosine_similarity, of_zeros_has_a_gradient_when_epsilon_is_given) {
  const Array zero = np::zeros({3}), one = np::ones({3});
  EXPECT_TRUE(std::isnan(cosine_similarity(zero, one).item<float>()));
  EXPECT_EQ(cosine_similarity(zero, one, {.epsilon = 1e-6}).item<float>(), 0);
  expect_finite_with_gradient([&](Array x) { return cosine_similarity(x, one, {.epsilon = 1e-6}); }, zero);
}

TEST(regression_losses, say_what_is_wrong) {
  const Array x = np::ones({2}), y = np::ones({3}), i = np::ones({2}, i32);
  EXPECT_EQ(error_of([&] { squared_error(i, x); }),
            "DTypeError: squared_error: predictions must be float; got i32[2].");
  EXPECT_EQ(error_of([&] { squared_error(x, y); }),
            "ShapeError: squared_error: targets must have the shape of predictions; got f32[3] for f32[2].");
  // Would broadcast to f32[2,2].
  EXPECT_EQ(error_of([&] { l2_loss(x, np::ones({2, 1})); }),
            "ShapeError: l2_loss: targets must have the shape of predictions; got f32[2,1] for f32[2].");
  EXPECT_EQ(error_of([&] { huber_loss(x, np::ones({2, 1})); }),
            "ShapeError: huber_loss: targets must broadcast to the shape of predictions; got f32[2,1] for f32[2].");
  EXPECT_EQ(error_of([&] { log_cosh(x, y); }),
            "ShapeError: log_cosh: targets must broadcast to the shape of predictions; got f32[3] for f32[2].");
  EXPECT_EQ(error_of([&] { cosine_similarity(x, i); }),
            "DTypeError: cosine_similarity: targets must be float; got i32[2].");
  EXPECT_EQ(error_of([&] { cosine_distance(x, y); }),
            "ShapeError: cosine_distance: shapes must broadcast; got f32[2] and f32[3].");
  EXPECT_EQ(error_of([&] { cosine_distance(x, x, {.axis = 1}); }).substr(0, 27), "IndexError: cosine_distance");
  try {
    huber_loss(x, y);
  } catch (const ShapeError& e) {
    EXPECT_EQ(e.location().str(), "losses_regression_test.cc:" + std::to_string(__LINE__ - 2));
  }
}

}  // namespace
}  // namespace weft::optim
