#include "optim/losses_fenchel_young.h"

#include <algorithm>

#include "optim/losses_classification.h"
#include "optim/losses_harness.h"

namespace weft::optim {
namespace {

using testing::Doubles;
using testing::draw;
using testing::draw_labels;
using testing::draw_probabilities;
using testing::error_of;
using testing::expect_finite_with_gradient;
using testing::expect_near;
using testing::expect_transforms_agree;
using testing::values;

TEST(fenchel_young_loss, of_logsumexp_is_the_cross_entropy) {
  const auto loss = make_fenchel_young_loss([](Array s) { return np::logsumexp(s); });
  const Array s = draw({2, 3, 4}, 1), t = draw_probabilities({2, 3, 4}, 2);
  expect_near(loss(s, t), softmax_cross_entropy(s, t));
  expect_near(loss(s(0, 0), t(0, 0)), softmax_cross_entropy(s(0, 0), t(0, 0)));
  EXPECT_EQ(loss(s, t).aval().str(), "f64[2,3]");
  expect_near(loss(s, t(0, 0)), softmax_cross_entropy(s, t(0, 0)));
  expect_transforms_agree([&](Array a, Array b) { return loss(a, b); }, s, t);
  // Its gradient is the prediction less the target.
  const Array p = np::exp(s - np::logsumexp(s, -1, true));
  expect_near(grad([&](Array a) { return np::sum(loss(a, t)); })(s), p - t);
}

TEST(fenchel_young_loss, of_the_maximum_is_that_of_the_perceptron) {
  const auto loss = make_fenchel_young_loss([](const Array& s) { return np::max(s); });
  const Array s = draw({3, 4}, 1);
  expect_near(loss(s, np::eye(3, 4, 0, f64)), np::max(s, -1) - np::diag(s));
}

double sparse_plus(double x) { return x <= -1 ? 0 : x >= 1 ? x : (x + 1) * (x + 1) / 4; }

TEST(sparsemax_loss, is_the_formula) {
  const Array x = draw({3, 4}, 1, -3, 3), y = draw_labels({3, 4}, 2, 2);
  const Doubles a = values(x), b = values(y);
  Doubles want;
  for (std::size_t i = 0; i < a.size(); ++i) want.push_back(sparse_plus(b[i] == 1 ? -a[i] : a[i]));
  expect_near(sparsemax_loss(x, y), want);
  expect_near(sparsemax_loss(x, y == 1), want);
  expect_transforms_agree([](Array p, Array q) { return sparsemax_loss(p, q); }, x, y);
  // At the ends the pieces meet, with their slopes.
  const Array ends = np::array({-1.0, 1.0});
  expect_near(sparsemax_loss(ends, 0), Doubles{0, 1});
  expect_near(grad([](Array p) { return np::sum(sparsemax_loss(p, 0)); })(ends), Doubles{0, 1});
  expect_finite_with_gradient([](Array p) { return sparsemax_loss(p, 0); }, np::array({-3e38f, 0.f, 3e38f}));
}

// The nearest point of the simplex, by bisection for the threshold.
Doubles nearest_point(const Doubles& s) {
  double low = *std::max_element(s.begin(), s.end()) - 1, high = low + 1;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    double sum = 0;
    for (const double v : s) sum += std::max(v - middle, 0.0);
    (sum > 1 ? low : high) = middle;
  }
  Doubles p;
  for (const double v : s) p.push_back(std::max(v - low, 0.0));
  return p;
}

TEST(multiclass_sparsemax_loss, is_the_formula) {
  const Array x = draw({6, 5}, 1), y = draw_labels({6}, 2, 5);
  const Doubles a = values(x), b = values(y);
  Doubles want, slopes;
  for (std::size_t i = 0; i < 6; ++i) {
    const Doubles s(a.begin() + static_cast<std::ptrdiff_t>(5 * i), a.begin() + static_cast<std::ptrdiff_t>(5 * i + 5));
    const Doubles p = nearest_point(s);
    const auto label = static_cast<std::size_t>(b[i]);
    double loss = 0.5 - s[label];
    for (std::size_t k = 0; k < 5; ++k) {
      loss += p[k] * s[k] - p[k] * p[k] / 2;
      slopes.push_back(p[k] - (k == label ? 1 : 0));
    }
    want.push_back(loss);
  }
  expect_near(multiclass_sparsemax_loss(x, y), want);
  expect_near(multiclass_sparsemax_loss(np::reshape(x, {2, 3, 5}), np::reshape(y, {2, 3})), want);
  const auto total = [&](Array s) { return np::sum(multiclass_sparsemax_loss(s, y)); };
  expect_near(grad(total)(x), slopes);
  expect_transforms_agree([](Array s, Array l) { return multiclass_sparsemax_loss(s, l); }, x, y);
}

TEST(multiclass_sparsemax_loss, counts_classes_beyond_the_digits_of_the_dtype) {
  // All 300 in the support, p = 1 / 300: the loss is (1 - 1 / 300) / 2.
  const Array loss = multiclass_sparsemax_loss(np::full({300}, 0.01f).astype(bf16), 7);
  EXPECT_EQ(loss.dtype(), bf16);
  EXPECT_NEAR(loss.item<double>(), 0.4983, 2e-3);
}
TEST(multiclass_sparsemax_loss, takes_labels_of_any_integer_type) {
  const Array x = draw({300}, 1);
  const auto loss = [&](const Array& label) { return multiclass_sparsemax_loss(x, label).item<double>(); };
  // No class is meant by 2^32, nor by -1; in i32 the former would be 0. In u8 class 256 would be 0, too.
  EXPECT_EQ(loss(Array(std::int64_t{1} << 32)), loss(Array(-1)));
  EXPECT_NE(loss(Array(std::int64_t{1} << 32)), loss(Array(0)));
  EXPECT_EQ(loss(Array(0).astype(u8)), loss(Array(0)));
}

TEST(multiclass_sparsemax_loss, has_the_hessian_of_a_projection) {
  // All three in the support: I - 1/3.
  const Array x = np::array({0.1, 0.2, -0.1});
  expect_near(hessian([](Array s) { return multiclass_sparsemax_loss(s, 0); })(x), np::eye(3, {}, 0, f64) - 1.0 / 3.0);
}

TEST(multiclass_sparsemax_loss, is_zero_once_the_label_wins_by_one) {
  EXPECT_EQ(multiclass_sparsemax_loss(np::array({3.f, 1.f, 1.5f}), 0).item<float>(), 0);
  for (const Array& x :
       {np::array({3e37f, -3e37f, 1.f}), np::array({-np::inf, 1.f, 1.5f}), np::array({1e8f, 1e8f, 0.f})})
    expect_finite_with_gradient([](Array s) { return multiclass_sparsemax_loss(s, 1); }, x);
  EXPECT_EQ(multiclass_sparsemax_loss(np::array({1e8f, 1e8f, 0.f}), 1).item<float>(), 0.25f);
}

TEST(fenchel_young_losses, say_what_is_wrong) {
  const auto loss = make_fenchel_young_loss([](Array s) { return s; });
  const Array x = np::ones({2, 3}), i = np::ones({2}, i32);
  EXPECT_EQ(error_of([&] { loss(i, i); }), "DTypeError: fenchel_young_loss: scores must be float; got i32[2].");
  EXPECT_EQ(error_of([&] { loss(x, np::ones({2})); }),
            "ShapeError: fenchel_young_loss: targets must broadcast to the shape of scores; got f32[2] for f32[2,3].");
  EXPECT_EQ(error_of([&] { loss(1.0f, 1.0f); }),
            "ShapeError: fenchel_young_loss: scores must have an axis to take the maximum over; got f32[].");
  EXPECT_EQ(error_of([&] { loss(x, x); }),
            "ShapeError: fenchel_young_loss: the function must give a 0-d array for a vector; got f32[3].");
  EXPECT_EQ(error_of([&] { sparsemax_loss(i, i); }), "DTypeError: sparsemax_loss: logits must be float; got i32[2].");
  EXPECT_EQ(error_of([&] { sparsemax_loss(x, i); }),
            "ShapeError: sparsemax_loss: labels must broadcast to the shape of logits; got i32[2] for f32[2,3].");
  EXPECT_EQ(error_of([&] { multiclass_sparsemax_loss(x, np::ones({3}, i32)); }),
            "ShapeError: multiclass_sparsemax_loss: labels must have the shape of scores without the last axis; got "
            "i32[3] for f32[2,3].");
}

}  // namespace
}  // namespace weft::optim
