#include "optim/losses_segmentation.h"

#include "optim/losses_harness.h"

namespace weft::optim {
namespace {

using testing::Doubles;
using testing::draw;
using testing::draw_labels;
using testing::error_of;
using testing::expect_finite_with_gradient;
using testing::expect_near;
using testing::expect_transforms_agree;
using testing::values;

struct Case {
  std::size_t batch = 2, pixels = 12, classes = 3;
  Array logits = draw({2, 3, 4, 3}, 1);
  Array targets = (draw_labels({2, 3, 4}, 2, 3)(ellipsis, newaxis) == np::arange(3)).astype(f64);

  // By example and class.
  Doubles losses(double smooth, double alpha, double beta) const {
    const Doubles x = values(logits), t = values(targets);
    Doubles r;
    for (std::size_t b = 0; b < batch; ++b)
      for (std::size_t c = 0; c < classes; ++c) {
        double both = 0, in_p = 0, in_t = 0;
        for (std::size_t i = 0; i < pixels; ++i) {
          const std::size_t at = (b * pixels + i) * classes;
          double sum = 0;
          for (std::size_t k = 0; k < classes; ++k) sum += std::exp(x[at + k]);
          const double p = std::exp(x[at + c]) / sum;
          both += p * t[at + c];
          in_p += p;
          in_t += t[at + c];
        }
        r.push_back(1 - (both + smooth) / (both + alpha * (in_p - both) + beta * (in_t - both) + smooth));
      }
    return r;
  }
};

TEST(dice_loss, is_the_formula) {
  const Case c;
  expect_near(dice_loss(c.logits, c.targets, {.reduction = LossReduction::kNone}), c.losses(1, .5, .5));
  const Array tversky =
      dice_loss(c.logits, c.targets, {.smooth = .1, .alpha = .3, .beta = .7, .reduction = LossReduction::kNone});
  expect_near(tversky, c.losses(.1, .3, .7));
  EXPECT_EQ(tversky.aval().str(), "f64[2,3]");
  const Array each = dice_loss(c.logits, c.targets, {.reduction = LossReduction::kNone});
  expect_near(dice_loss(c.logits, c.targets), np::mean(each, -1));
  expect_near(dice_loss(c.logits, c.targets, {.reduction = LossReduction::kSum}), np::sum(each, -1));
  const Array weights = np::array({.2, .3, .5});
  expect_near(dice_loss(c.logits, c.targets, {.class_weights = weights, .reduction = LossReduction::kSum}),
              np::sum(each * weights, -1));
  expect_near(dice_loss(c.logits, c.targets, {.ignore_background = true}), np::mean(each(ellipsis, slice(1, {})), -1));
  // Probabilities as they are; pixels along other axes.
  const Array p = np::exp(c.logits - np::logsumexp(c.logits, -1, true));
  expect_near(dice_loss(p, c.targets, {.apply_softmax = false}), np::mean(each, -1));
  expect_near(dice_loss(np::moveaxis(c.logits, 0, 2), np::moveaxis(c.targets, 0, 2), {.axis = np::AxisArg({0, 1})}),
              np::mean(each, -1));
  expect_transforms_agree([](Array x, Array t) { return dice_loss(x, t); }, c.logits, c.targets);
  expect_transforms_agree([&](Array x, Array t) { return dice_loss(x, t, {.class_weights = weights, .alpha = .3}); },
                          c.logits, c.targets);
}

TEST(dice_loss, of_one_class_is_of_a_sigmoid) {
  const Array x = draw({2, 5}, 1), t = draw_labels({2, 5}, 2, 2).astype(f64);
  const Array p = 1.0 / (1.0 + np::exp(-x));
  const Array both = np::sum(p * t, 1);
  const Array want = 1.0 - (both + 1.0) / (0.5 * np::sum(p, 1) + 0.5 * np::sum(t, 1) + 1.0);
  expect_near(dice_loss(x(ellipsis, newaxis), t(ellipsis, newaxis)), want);
  expect_near(dice_loss(x(ellipsis, newaxis), t), want);
  expect_near(dice_loss(x(ellipsis, newaxis), t, {.ignore_background = true}), want);
  expect_near(binary_dice_loss(x, t), want);
  expect_near(binary_dice_loss(x(ellipsis, newaxis), t(ellipsis, newaxis)), want);
  expect_near(binary_dice_loss(x(ellipsis, newaxis), t), want);
  expect_near(binary_dice_loss(p, t, {.apply_sigmoid = false}), want);
  expect_transforms_agree([](Array a, Array b) { return binary_dice_loss(a, b, {.smooth = .5}); }, x, t);
}

TEST(multiclass_generalized_dice_loss, weighs_classes_by_how_rare_they_are) {
  const Case c;
  const Doubles t = values(c.targets);
  Doubles weights(3), each = c.losses(1, .5, .5);
  for (std::size_t i = 0; i < t.size(); ++i) weights[i % 3] += t[i];
  double sum = 0, want = 0;
  for (double& w : weights) sum += (w = 1 / (w * w + 1e-7));
  for (std::size_t i = 0; i < each.size(); ++i) want += each[i] * weights[i % 3] / sum * 3 / 6;
  expect_near(multiclass_generalized_dice_loss(c.logits, c.targets), Doubles{want});
  expect_near(multiclass_generalized_dice_loss(c.logits, c.targets.astype(i32)), Doubles{want}, 1e-6);
  expect_transforms_agree([](Array x, Array y) { return multiclass_generalized_dice_loss(x, y); }, c.logits, c.targets);
  // A class without targets.
  const Array first = np::zeros_like(c.targets).at(ellipsis, 0).set(1.0);
  expect_finite_with_gradient([&](Array x) { return multiclass_generalized_dice_loss(x, first); }, c.logits);
  expect_finite_with_gradient(
      [&](Array x) { return multiclass_generalized_dice_loss(x, first, {.ignore_background = true}); }, c.logits);
}

TEST(dice_losses, do_not_overflow) {
  const Array t = np::array({{1.f, 0.f}, {1.f, 0.f}});
  for (const Array& x : {np::array({{3e38f, -3e38f}, {0.f, 1.f}}), np::array({{-1e4f, 1e4f}, {100.f, 100.f}})}) {
    expect_finite_with_gradient([&](Array a) { return dice_loss(a, t); }, x);
    expect_finite_with_gradient([&](Array a) { return binary_dice_loss(a, t); }, x);
  }
}

TEST(dice_losses, say_what_is_wrong) {
  const Array x = np::ones({2, 4, 3}), t = np::ones({2, 4, 2});
  EXPECT_EQ(error_of([&] { dice_loss(x.astype(i32), x); }),
            "DTypeError: dice_loss: predictions must be float; got i32[2,4,3].");
  EXPECT_EQ(error_of([&] { dice_loss(x, t); }),
            "ShapeError: dice_loss: targets must have the shape of predictions; got f32[2,4,2] for f32[2,4,3].");
  EXPECT_EQ(error_of([&] { dice_loss(x, x, {.class_weights = np::ones({2})}); }),
            "ShapeError: dice_loss: class_weights must have one axis, of 3 classes; got f32[2].");
  EXPECT_EQ(error_of([&] { dice_loss(1.0f, 1.0f); }),
            "ShapeError: dice_loss: predictions must have an axis of classes; got f32[].");
  EXPECT_EQ(error_of([&] { multiclass_generalized_dice_loss(x, t); }),
            "ShapeError: multiclass_generalized_dice_loss: targets must have the shape of predictions; got f32[2,4,2] "
            "for f32[2,4,3].");
  EXPECT_EQ(error_of([&] { binary_dice_loss(np::ones({3}), np::ones({2})); }),
            "ShapeError: binary_dice_loss: targets must have the shape of predictions; got f32[2,1] for f32[3,1].");
}

}  // namespace
}  // namespace weft::optim
