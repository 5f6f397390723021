#include "optim/losses_ranking.h"

#include "optim/losses_classification.h"
#include "optim/losses_harness.h"

namespace weft::optim {
namespace {

using testing::Doubles;
using testing::draw;
using testing::error_of;
using testing::expect_finite_with_gradient;
using testing::expect_near;
using testing::expect_transforms_agree;

TEST(ranking_softmax_loss, golden_179) {
  const Array s = np::array({2.f, 1.f, 3.f}), y = np::array({1.f, 0.f, 0.f});
  expect_near(ranking_softmax_loss(s, y), Doubles{1.408}, 5e-4);
  expect_near(grad([](Array a, Array b) { return ranking_softmax_loss(a, b); })(s, y), Doubles{-.755, .09, .665}, 5e-4);
  // Optax's example with a mask.
  const Array two = np::array({{2.f, 1.f, 0.f}, {1.f, .5f, 1.5f}}),
              labels = np::array({{1.f, 0.f, 0.f}, {0.f, 0.f, 1.f}});
  const Array where = np::array({{true, true, false}, {true, true, true}});
  expect_near(ranking_softmax_loss(two, labels, {.where = where}), Doubles{.497}, 5e-4);
}

TEST(ranking_softmax_loss, is_a_cross_entropy_of_each_list) {
  const Array s = draw({2, 3, 4}, 1), y = draw({2, 3, 4}, 2, 0, 3), w = draw({2, 3, 4}, 3, 0, 1);
  const Array each = softmax_cross_entropy(s, y);
  expect_near(ranking_softmax_loss(s, y, {.reduction = LossReduction::kNone}), each);
  expect_near(ranking_softmax_loss(s, y, {.reduction = LossReduction::kSum}), np::sum(each));
  expect_near(ranking_softmax_loss(s, y), np::mean(each));
  expect_near(ranking_softmax_loss(s, y, {.weights = w, .reduction = LossReduction::kNone}),
              softmax_cross_entropy(s, y * w));
  EXPECT_EQ(ranking_softmax_loss(s.astype(f32), y).aval().str(), "f32[]");
  expect_transforms_agree([](Array a, Array b, Array c) { return ranking_softmax_loss(a, b, {.weights = c}); }, s, y,
                          w);
}

TEST(ranking_softmax_loss, leaves_out_items_and_empty_lists) {
  const Array s = draw({3, 4}, 1), y = draw({3, 4}, 2, 0, 3);
  const Array where = np::array({{true, true, false, true}, {true, true, true, true}, {false, false, false, false}});
  const double first = ranking_softmax_loss(s(0, {0, 1, 3}), y(0, {0, 1, 3})).item<double>();
  const double second = ranking_softmax_loss(s(1), y(1)).item<double>();
  expect_near(ranking_softmax_loss(s, y, {.where = where, .reduction = LossReduction::kNone}),
              Doubles{first, second, 0});
  expect_near(ranking_softmax_loss(s, y, {.where = where}), Doubles{(first + second) / 2});
  EXPECT_EQ(ranking_softmax_loss(s, y, {.where = false}).item<double>(), 0);
  const auto loss = [](Array a, Array b, Array w) { return ranking_softmax_loss(a, b, {.where = w}); };
  expect_transforms_agree(loss, s, y, where);
  expect_finite_with_gradient(loss, s, y, np::zeros({3, 4}, boolean));
  expect_finite_with_gradient(loss, np::where(where, s, np::nan), np::where(where, y, np::nan), where);
  expect_finite_with_gradient([](Array a) { return ranking_softmax_loss(a, 1); }, np::array({1e38f, -1e38f}));
}

TEST(ranking_softmax_loss, says_what_is_wrong) {
  const Array x = np::ones({2, 3}), y = np::ones({2});
  EXPECT_EQ(error_of([&] { ranking_softmax_loss(x.astype(i32), x); }),
            "DTypeError: ranking_softmax_loss: logits must be float; got i32[2,3].");
  EXPECT_EQ(error_of([&] { ranking_softmax_loss(x, y); }),
            "ShapeError: ranking_softmax_loss: labels must broadcast to the shape of logits; got f32[2] for f32[2,3].");
  EXPECT_EQ(
      error_of([&] { ranking_softmax_loss(x, x, {.where = y}); }),
      "ShapeError: ranking_softmax_loss: `where` must broadcast to the shape of logits; got f32[2] for f32[2,3].");
  EXPECT_EQ(
      error_of([&] { ranking_softmax_loss(x, x, {.weights = y}); }),
      "ShapeError: ranking_softmax_loss: weights must broadcast to the shape of logits; got f32[2] for f32[2,3].");
}

}  // namespace
}  // namespace weft::optim
