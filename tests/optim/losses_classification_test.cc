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

const double kInf = np::inf;

// Rows of n numbers.
std::vector<Doubles> rows(const Array& x) {
  const Doubles all = values(x);
  const auto n = static_cast<std::ptrdiff_t>(x.shape(-1));
  std::vector<Doubles> r;
  for (auto i = all.begin(); i != all.end(); i += n) r.emplace_back(i, i + n);
  return r;
}

double sum_exp(const Doubles& x) {
  double s = 0;
  for (const double v : x) s += std::exp(v);
  return s;
}

Doubles cross_entropies(const Array& logits, const Array& labels) {
  const auto x = rows(logits), y = rows(labels);
  Doubles r(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t k = 0; k < x[i].size(); ++k) r[i] -= y[i][k] * (x[i][k] - std::log(sum_exp(x[i])));
  return r;
}

TEST(softmax_cross_entropy, golden_175) {
  const Array logits = np::array({{10.f, 1.f, -2.f}, {1.f, 4.f, .2f}});
  const Array labels = np::array({{0.f, 1.f, 0.f}, {1.f, 0.f, 0.f}});
  expect_near(softmax_cross_entropy(logits, labels), Doubles{9.00013, 3.0696733}, 1e-6);
  expect_near(safe_softmax_cross_entropy(logits, labels), Doubles{9.00013, 3.0696733}, 1e-6);
  expect_near(softmax_cross_entropy_with_integer_labels(logits, np::array({1, 0})), Doubles{9.00013, 3.0696733}, 1e-6);
}

TEST(softmax_cross_entropy, is_the_formula) {
  const Array x = draw({2, 3, 5}, 1), y = draw_probabilities({2, 3, 5}, 2);
  const Doubles want = cross_entropies(x, y);
  expect_near(softmax_cross_entropy(x, y), want);
  expect_near(safe_softmax_cross_entropy(x, y), want);
  EXPECT_EQ(softmax_cross_entropy(x, y).aval().str(), "f64[2,3]");
  expect_near(softmax_cross_entropy(np::moveaxis(x, -1, 1), np::moveaxis(y, -1, 1), {.axis = 1}), want);
  expect_near(softmax_cross_entropy(x, y, {.axis = {1, 2}}),
              cross_entropies(np::reshape(x, {2, 15}), np::reshape(y, {2, 15})));
  expect_near(softmax_cross_entropy(x, y, {.axis = {}}), cross_entropies(np::ravel(x), np::ravel(y)));
  expect_near(softmax_cross_entropy(x, y(0, 0)), softmax_cross_entropy(x, np::broadcast_to(y(0, 0), {2, 3, 5})));
  EXPECT_EQ(softmax_cross_entropy(np::ones({3}, bf16), np::array({0, 1, 0})).aval().str(), "bf16[]");
  const auto loss = [](Array a, Array b) { return softmax_cross_entropy(a, b); };
  expect_transforms_agree(loss, x, y);
  expect_transforms_agree([](Array a, Array b) { return softmax_cross_entropy(a, b, {.axis = 0}); }, x, y);
  expect_transforms_agree([](Array a, Array b) { return safe_softmax_cross_entropy(a, b); }, x, y);
  // The Hessian is that of logsumexp.
  const Array v = x(0, 0), p = np::exp(v - np::logsumexp(v));
  expect_near(hessian([&](Array a) { return loss(a, y(0, 0)); })(v), np::diag(p) - np::outer(p, p), 1e-12);
}

TEST(softmax_cross_entropy, leaves_out_what_does_not_count) {
  const Array x = draw({3, 4}, 1), y = draw_probabilities({3, 4}, 2);
  const Array where = np::array({{true, true, false, true}, {true, false, true, true}, {false, false, false, false}});
  const Array got = softmax_cross_entropy(x, y, {.where = where});
  expect_near(got(0), cross_entropies(x(0, {0, 1, 3}), y(0, {0, 1, 3})));
  expect_near(got(1), cross_entropies(x(1, {0, 2, 3}), y(1, {0, 2, 3})));
  EXPECT_EQ(got(2).item<double>(), 0);
  expect_transforms_agree([](Array a, Array b, Array w) { return softmax_cross_entropy(a, b, {.where = w}); }, x, y,
                          where);
  // Not by the way either, which nan checks would report.
  const auto slopes = checkify::checkify(
      grad([&](Array a) { return np::sum(softmax_cross_entropy(a, y, {.where = where})); }), checkify::float_checks);
  EXPECT_EQ(slopes(x).first.get(), std::nullopt);
  // By example.
  const Array examples = np::array({true, false, true});
  expect_near(softmax_cross_entropy(x, y, {.where = examples}), np::where(examples, softmax_cross_entropy(x, y), 0.0));
  // Whatever stands where it does not count.
  const Array wild = np::where(where, x, np::array({kInf, -kInf, 1e300, np::nan}));
  expect_near(softmax_cross_entropy(wild, y, {.where = where}), got);
  expect_finite_with_gradient([&](Array a) { return softmax_cross_entropy(a, y, {.where = where}); }, wild);
  expect_finite_with_gradient([&](Array b) { return softmax_cross_entropy(wild, b, {.where = where}); }, y);
}

TEST(softmax_cross_entropy, does_not_overflow) {
  const Array x = np::array({{1e38f, -1e38f, 0.f}, {1e4f, 1e4f, 1e4f}}),
              y = np::array({{1.f, 0.f, 0.f}, {.2f, .3f, .5f}});
  expect_near(softmax_cross_entropy(x, y), Doubles{0, std::log(3.0)}, 1e-6);
  const Array classes = np::array({0, 2});
  for (const Array& logits : {x, np::array({{1e30f, -1e30f, 0.f}, {-1e5f, 0.f, 1e5f}})}) {
    expect_finite_with_gradient([&](Array a) { return softmax_cross_entropy(a, y); }, logits);
    expect_finite_with_gradient([&](Array a) { return safe_softmax_cross_entropy(a, y); }, logits);
    expect_finite_with_gradient([&](Array a) { return poly_loss_cross_entropy(a, y); }, logits);
    expect_finite_with_gradient([&](Array a) { return softmax_cross_entropy_with_integer_labels(a, classes); }, logits);
  }
}

TEST(safe_softmax_cross_entropy, takes_logits_of_minus_infinity) {
  const Array x = np::array({0.5f, -np::inf, 1.5f}), y = np::array({0.25f, 0.f, 0.75f});
  const double log_sum = std::log(std::exp(0.5) + std::exp(1.5));
  expect_near(safe_softmax_cross_entropy(x, y), Doubles{log_sum - 0.25 * 0.5 - 0.75 * 1.5}, 1e-6);
  EXPECT_TRUE(std::isnan(softmax_cross_entropy(x, y).item<float>()));
  expect_finite_with_gradient([&](Array a) { return safe_softmax_cross_entropy(a, y); }, x);
  expect_finite_with_gradient([&](Array b) { return safe_softmax_cross_entropy(x, b); }, y);
  expect_near(weighted_logsoftmax(x, y), Doubles{0.25 * (0.5 - log_sum), 0, 0.75 * (1.5 - log_sum)}, 1e-6);
}

TEST(weighted_logsoftmax, has_the_derivative_by_a_weight_of_zero) {
  const Array x = draw({4}, 1), w = np::array({0.0, 0.5, 0.0, 0.5});
  const Array log_p = x - np::logsumexp(x);
  expect_near(weighted_logsoftmax(x, w), w * log_p);
  expect_near(grad([&](Array b) { return np::sum(weighted_logsoftmax(x, b)); })(w), log_p);
  expect_transforms_agree([](Array a, Array b) { return weighted_logsoftmax(a, b); }, draw({2, 3}, 3), draw({2, 3}, 4));
}

TEST(softmax_cross_entropy_with_integer_labels, is_that_of_one_hot_labels) {
  const Array x = draw({2, 3, 5}, 1), y = draw_labels({2, 3}, 2, 5);
  const Array one_hot = (y(ellipsis, newaxis) == np::arange(5)).astype(f64);
  const Array want = softmax_cross_entropy(x, one_hot);
  expect_near(softmax_cross_entropy_with_integer_labels(x, y), want);
  expect_near(softmax_cross_entropy_with_integer_labels(x, y.astype(u8)), want);
  expect_near(softmax_cross_entropy_with_integer_labels(x, y - 5), want);  // from the end
  expect_near(softmax_cross_entropy_with_integer_labels(np::moveaxis(x, -1, 0), y, {.axis = 0}), want);
  EXPECT_EQ(softmax_cross_entropy_with_integer_labels(x(0, 0), 3).aval().str(), "f64[]");
  expect_near(grad([&](Array a) { return np::sum(softmax_cross_entropy_with_integer_labels(a, y)); })(x),
              grad([&](Array a) { return np::sum(softmax_cross_entropy(a, one_hot)); })(x));
  expect_transforms_agree([](Array a, Array b) { return softmax_cross_entropy_with_integer_labels(a, b); }, x, y);
  EXPECT_TRUE(std::isnan(softmax_cross_entropy_with_integer_labels(x(0, 0), 5).item<double>()));
}

TEST(softmax_cross_entropy_with_integer_labels, counts_through_several_axes_in_their_order) {
  // Optax's example: labels (1, 1) and (2, 3) of 3 rows and 4 columns.
  const Array x = np::reshape(np::arange(24.0f), {1, 2, 3, 4});
  expect_near(softmax_cross_entropy_with_integer_labels(x, np::array({{5, 11}}), {.axis = {2, 3}}),
              Doubles{6.4587, 0.4587}, 1e-4);
  expect_near(softmax_cross_entropy_with_integer_labels(x, np::array({{4, 11}}), {.axis = {-1, -2}}),
              Doubles{6.4587, 0.4587}, 1e-4);
  const Array where = np::array({{true, false}});
  expect_near(softmax_cross_entropy_with_integer_labels(x, np::array({{5, 11}}), {.axis = {2, 3}, .where = where}),
              Doubles{6.4587, 0}, 1e-4);
}

TEST(softmax_cross_entropy_with_integer_labels, leaves_out_what_does_not_count) {
  const Array x = draw({3, 4}, 1), y = np::array({0, 2, 3});
  const Array where = np::array({{true, true, false, true}, {true, false, true, true}, {false, false, false, false}});
  const auto loss = [](Array a, Array b, Array w) {
    return softmax_cross_entropy_with_integer_labels(a, b, {.where = w});
  };
  expect_near(loss(x, y, where), softmax_cross_entropy(x, y(slice(), newaxis) == np::arange(4), {.where = where}));
  expect_transforms_agree(loss, x, y, where);
}

double log_sigmoid(double x) { return -std::log1p(std::exp(-x)); }

TEST(sigmoid_binary_cross_entropy, is_the_formula) {
  const Array x = draw({3, 4}, 1), y = draw({3, 4}, 2, 0, 1);
  const Doubles a = values(x), b = values(y);
  Doubles want;
  for (std::size_t i = 0; i < a.size(); ++i)
    want.push_back(-b[i] * log_sigmoid(a[i]) - (1 - b[i]) * log_sigmoid(-a[i]));
  expect_near(sigmoid_binary_cross_entropy(x, y), want);
  expect_near(sigmoid_binary_cross_entropy(x, 1), sigmoid_binary_cross_entropy(x, np::ones({3, 4}, boolean)));
  EXPECT_EQ(sigmoid_binary_cross_entropy(np::ones({2}, f16), y(0, 0)).aval().str(), "f16[2]");
  expect_transforms_agree([](Array p, Array q) { return sigmoid_binary_cross_entropy(p, q); }, x, y);
}

TEST(sigmoid_losses, do_not_overflow_and_keep_small_digits) {
  const Array x = np::array({-3e38f, -1e4f, -100.f, 0.f, 100.f, 1e4f, 3e38f});
  for (const double y : {0.0, 0.3, 1.0}) {
    expect_finite_with_gradient([&](Array a) { return sigmoid_binary_cross_entropy(a, y); }, x / 2.0f);
    expect_finite_with_gradient([&](Array a) { return sigmoid_focal_loss(a, y); }, np::clip(x, -1e15, 1e15));
    expect_finite_with_gradient([&](Array a) { return sigmoid_focal_loss(a, y, {.alpha = 0.25, .gamma = 0.5}); },
                                np::clip(x, -1e15, 1e15));
  }
  EXPECT_NEAR(sigmoid_binary_cross_entropy(Array(40.0f), 1).item<double>() / std::exp(-40.0), 1, 1e-5);
}

TEST(sigmoid_focal_loss, is_the_formula) {
  const Array x = draw({3, 4}, 1), y = draw_labels({3, 4}, 2, 2).astype(f64);
  for (const double gamma : {0.0, 0.5, 2.0}) {
    const Doubles a = values(x), b = values(y);
    Doubles want, weighted;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double p = 1 / (1 + std::exp(-a[i])), right = b[i] * p + (1 - b[i]) * (1 - p);
      want.push_back(-std::pow(1 - right, gamma) * std::log(right));
      weighted.push_back(want.back() * (b[i] == 1 ? 0.25 : 0.75));
    }
    expect_near(sigmoid_focal_loss(x, y, {.gamma = gamma}), want);
    expect_near(sigmoid_focal_loss(x, y, {.alpha = 0.25, .gamma = gamma}), weighted);
    expect_transforms_agree([&](Array p, Array q) { return sigmoid_focal_loss(p, q, {.alpha = 0.25, .gamma = gamma}); },
                            x, y);
  }
  expect_near(sigmoid_focal_loss(x, y, {.gamma = 0.0}), sigmoid_binary_cross_entropy(x, y));
  // Labels between: the formula with 1 - p_t = (1 - y) p + y (1 - p).
  const Array soft = draw({3, 4}, 3, 0.1, 0.9);
  const Array p = lax::logistic(x), wrong = (1 - soft) * p + soft * (1 - p);
  expect_near(sigmoid_focal_loss(x, soft), sigmoid_binary_cross_entropy(x, soft) * np::square(wrong));
  expect_transforms_agree([](Array a, Array b) { return sigmoid_focal_loss(a, b); }, x, soft);
}

TEST(poly_loss_cross_entropy, adds_a_polynomial_to_the_cross_entropy) {
  const Array x = draw({3, 5}, 1), y = draw_probabilities({3, 5}, 2);
  const auto a = rows(x), b = rows(y);
  for (const double epsilon : {2.0, -1.0, 0.0}) {
    Doubles want = cross_entropies(x, y);
    for (std::size_t i = 0; i < a.size(); ++i)
      for (std::size_t k = 0; k < a[i].size(); ++k)
        want[i] += epsilon * b[i][k] * (1 - std::exp(a[i][k]) / sum_exp(a[i]));
    expect_near(poly_loss_cross_entropy(x, y, {.epsilon = epsilon}), want);
  }
  expect_near(poly_loss_cross_entropy(x, y), poly_loss_cross_entropy(x, y, {.epsilon = 2.0}));
  expect_near(poly_loss_cross_entropy(x.T(), y.T(), {.axis = 0}), poly_loss_cross_entropy(x, y));
  const Array where = np::array({true, true, false, true, false});
  expect_near(poly_loss_cross_entropy(x, y, {.where = np::broadcast_to(where, {3, 5})}),
              poly_loss_cross_entropy(x(slice(), {0, 1, 3}), y(slice(), {0, 1, 3})));
  expect_transforms_agree([](Array p, Array q) { return poly_loss_cross_entropy(p, q); }, x, y);
}

TEST(smooth_labels, mixes_labels_with_even_ones) {
  const Array y = np::array({{1.f, 0.f, 0.f, 0.f}, {0.f, 0.f, 1.f, 0.f}});
  expect_near(smooth_labels(y, 0.1), Doubles{.925, .025, .025, .025, .025, .025, .925, .025}, 1e-6);
  expect_near(smooth_labels(y, 0.0), y);
  EXPECT_EQ(smooth_labels(y, 0.1).dtype(), f32);
  expect_transforms_agree([](Array a) { return smooth_labels(a, 0.3); }, draw_probabilities({2, 3}, 1));
}

TEST(classification_losses, say_what_is_wrong) {
  const Array x = np::ones({2, 3}), i = np::ones({2, 3}, i32), y = np::ones({2}, i32);
  EXPECT_EQ(error_of([&] { softmax_cross_entropy(i, x); }),
            "DTypeError: softmax_cross_entropy: logits must be float; got i32[2,3].");
  EXPECT_EQ(error_of([&] { softmax_cross_entropy(x, np::ones({3, 2})); }),
            "ShapeError: softmax_cross_entropy: labels must broadcast to the shape of logits; got f32[3,2] for "
            "f32[2,3].");
  EXPECT_EQ(error_of([&] { softmax_cross_entropy(x, x, {.where = np::ones({4}, boolean)}); }),
            "ShapeError: softmax_cross_entropy: `where` must have the shape of the operand, or that without the axes "
            "[1]; got bool[4] for f32[2,3].");
  EXPECT_EQ(error_of([&] { softmax_cross_entropy(x, x, {.axis = 2}); }).substr(0, 33),
            "IndexError: softmax_cross_entropy");
  EXPECT_EQ(error_of([&] { safe_softmax_cross_entropy(x, np::ones({2, 2})); }),
            "ShapeError: safe_softmax_cross_entropy: labels must broadcast to the shape of logits; got f32[2,2] for "
            "f32[2,3].");
  EXPECT_EQ(error_of([&] { softmax_cross_entropy_with_integer_labels(x, np::ones({2})); }),
            "DTypeError: softmax_cross_entropy_with_integer_labels: labels must be integers; got f32[2].");
  EXPECT_EQ(error_of([&] { softmax_cross_entropy_with_integer_labels(x, np::ones({3}, i32)); }),
            "ShapeError: softmax_cross_entropy_with_integer_labels: labels must have the shape of logits without the "
            "class axes, [2]; got i32[3] for f32[2,3].");
  EXPECT_EQ(error_of([&] { softmax_cross_entropy_with_integer_labels(x, y, {.axis = {}}); }),
            "ValueError: softmax_cross_entropy_with_integer_labels: there must be an axis of classes; got none.");
  EXPECT_EQ(error_of([&] { weighted_logsoftmax(i, x); }),
            "DTypeError: weighted_logsoftmax: x must be float; got i32[2,3].");
  EXPECT_EQ(error_of([&] { sigmoid_binary_cross_entropy(y, y); }),
            "DTypeError: sigmoid_binary_cross_entropy: logits must be float; got i32[2].");
  EXPECT_EQ(error_of([&] { sigmoid_focal_loss(np::ones({2}), np::ones({3})); }),
            "ShapeError: sigmoid_focal_loss: labels must broadcast to the shape of logits; got f32[3] for f32[2].");
  EXPECT_EQ(error_of([&] { poly_loss_cross_entropy(x, i); }),
            "DTypeError: poly_loss_cross_entropy: labels must be float; got i32[2,3].");
  EXPECT_EQ(error_of([&] { smooth_labels(i, 0.1); }), "DTypeError: smooth_labels: labels must be float; got i32[2,3].");
  EXPECT_EQ(error_of([&] { smooth_labels(1.0f, 0.1); }),
            "ShapeError: smooth_labels: labels must have an axis of classes; got f32[].");
}

}  // namespace
}  // namespace weft::optim
