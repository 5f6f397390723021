#include "optim/losses_margin.h"

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

TEST(binary_margin_losses, are_the_formulas) {
  const Array x = draw({3, 4}, 1), y = 2 * draw_labels({3, 4}, 2, 2) - 1;
  const Doubles a = values(x), b = values(y);
  Doubles hinge, perceptron;
  for (std::size_t i = 0; i < a.size(); ++i) {
    hinge.push_back(std::max(0.0, 1 - a[i] * b[i]));
    perceptron.push_back(std::max(0.0, -a[i] * b[i]));
  }
  expect_near(hinge_loss(x, y), hinge);
  expect_near(perceptron_loss(x, y), perceptron);
  expect_near(hinge_loss(x, -1), hinge_loss(x, np::full({3, 4}, -1)));
  expect_transforms_agree([](Array p, Array q) { return hinge_loss(p, q); }, x, y);
  expect_transforms_agree([](Array p, Array q) { return perceptron_loss(p, q); }, x, y);
}

TEST(multiclass_margin_losses, are_the_formulas) {
  const Array x = draw({3, 4}, 1), y = draw_labels({3}, 2, 4);
  const Doubles a = values(x), b = values(y);
  Doubles hinge, perceptron;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto label = static_cast<std::size_t>(b[i]);
    double with_margin = -1e9, best = -1e9;
    for (std::size_t k = 0; k < 4; ++k) {
      with_margin = std::max(with_margin, a[4 * i + k] + (k == label ? 0 : 1));
      best = std::max(best, a[4 * i + k]);
    }
    hinge.push_back(with_margin - a[4 * i + label]);
    perceptron.push_back(best - a[4 * i + label]);
  }
  expect_near(multiclass_hinge_loss(x, y), hinge);
  expect_near(multiclass_perceptron_loss(x, y), perceptron);
  expect_near(multiclass_hinge_loss(x(0), y(0)), Doubles{hinge[0]});
  expect_near(multiclass_hinge_loss(np::reshape(x, {3, 1, 4}), np::reshape(y, {3, 1})), hinge);
  expect_transforms_agree([](Array p, Array q) { return multiclass_hinge_loss(p, q); }, x, y);
  expect_transforms_agree([](Array p, Array q) { return multiclass_perceptron_loss(p, q); }, x, y);
}

TEST(multiclass_margin_losses, take_classes_that_are_ruled_out) {
  const Array x = np::array({-np::inf, 1.0f, 2.0f});
  EXPECT_EQ(multiclass_hinge_loss(x, 2).item<float>(), 0);
  EXPECT_EQ(multiclass_perceptron_loss(x, 1).item<float>(), 1);
  expect_finite_with_gradient([](Array a) { return multiclass_hinge_loss(a, 1); }, x);
  expect_finite_with_gradient([](Array a) { return multiclass_perceptron_loss(a, 1); }, x);
  expect_finite_with_gradient([](Array a) { return hinge_loss(a, -1); }, np::array({-3e38f, 3e38f}));
}

TEST(margin_losses, say_what_is_wrong) {
  const Array x = np::ones({2, 3}), y = np::ones({2}, i32);
  EXPECT_EQ(error_of([&] { hinge_loss(y, y); }), "DTypeError: hinge_loss: outputs must be float; got i32[2].");
  EXPECT_EQ(error_of([&] { hinge_loss(x, y); }),
            "ShapeError: hinge_loss: targets must broadcast to the shape of the outputs; got i32[2] for f32[2,3].");
  EXPECT_EQ(error_of([&] { perceptron_loss(x, np::ones({3})); }),
            "ShapeError: perceptron_loss: targets must have the shape of the outputs; got f32[3] for f32[2,3].");
  EXPECT_EQ(error_of([&] { multiclass_hinge_loss(x, np::ones({3}, i32)); }),
            "ShapeError: multiclass_hinge_loss: labels must have the shape of scores without the last axis; got i32[3] "
            "for f32[2,3].");
  EXPECT_EQ(error_of([&] { multiclass_perceptron_loss(x, np::ones({2})); }),
            "DTypeError: multiclass_perceptron_loss: labels must be integers; got f32[2].");
  EXPECT_EQ(error_of([&] { multiclass_perceptron_loss(1.0f, 0); }),
            "ShapeError: multiclass_perceptron_loss: labels must have the shape of scores without the last axis; got "
            "i32[] for f32[].");
}

}  // namespace
}  // namespace weft::optim
