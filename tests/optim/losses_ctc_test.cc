#include "optim/losses_ctc.h"

#include "optim/losses_classification.h"
#include "optim/losses_harness.h"

namespace weft::optim {
namespace {

using testing::Doubles;
using testing::draw;
using testing::draw_labels;
using testing::error_of;
using testing::expect_finite;
using testing::expect_near;
using testing::expect_transforms_agree;
using testing::values;

// -log of the summed probability of all paths of `frames` frames that give the labels, path by path.
double by_all_paths(const Doubles& logits, std::size_t frames, std::size_t classes, const std::vector<int>& labels,
                    int blank) {
  std::size_t paths = 1;
  for (std::size_t t = 0; t < frames; ++t) paths *= classes;
  double total = 0;
  for (std::size_t path = 0; path < paths; ++path) {
    std::vector<int> merged;
    double log_p = 0;
    int before = -1;
    for (std::size_t t = 0, rest = path; t < frames; ++t, rest /= classes) {
      const int c = static_cast<int>(rest % classes);
      double sum = 0;
      for (std::size_t k = 0; k < classes; ++k) sum += std::exp(logits[t * classes + k]);
      log_p += logits[t * classes + static_cast<std::size_t>(c)] - std::log(sum);
      if (c != before && c != blank) merged.push_back(c);
      before = c;
    }
    if (merged == labels) total += std::exp(log_p);
  }
  return -std::log(total);
}

TEST(ctc_loss, is_the_sum_over_all_paths) {
  constexpr std::size_t kFrames = 5, kClasses = 4;
  const Array logits = draw({1, kFrames, kClasses}, 1);
  const Doubles x = values(logits);
  const auto loss = [&](const std::vector<int>& labels, int blank) {
    const Array y = np::reshape(Array(std::vector<std::int32_t>(labels.begin(), labels.end())), {1, labels.size()});
    return ctc_loss(logits, np::zeros({1, kFrames}), y, np::zeros({1, labels.size()}), {.blank_id = blank});
  };
  const std::vector<std::vector<int>> cases = {{1}, {1, 2}, {1, 1}, {3, 1, 3}, {2, 2, 1}, {1, 2, 3, 1}, {}};
  for (const auto& labels : cases)
    expect_near(loss(labels, 0), Doubles{by_all_paths(x, kFrames, kClasses, labels, 0)}, 1e-9);
  expect_near(loss({0, 1, 1}, 3), Doubles{by_all_paths(x, kFrames, kClasses, {0, 1, 1}, 3)}, 1e-9);
}

TEST(ctc_loss, does_not_count_padding) {
  const Array logits = draw({3, 6, 4}, 1);
  const Array labels = np::array({{1, 2, 2}, {3, 0, 0}, {2, 1, 0}});
  const Array frames = np::array({{0, 0, 0, 0, 0, 0}, {0, 0, 0, 1, 1, 1}, {0, 0, 0, 0, 1, 1}});
  const Array absent = np::array({{0, 0, 0}, {0, 1, 1}, {0, 0, 1}});
  const Array got = ctc_loss(logits, frames, labels, absent);
  expect_near(got,
              Doubles{by_all_paths(values(logits(0)), 6, 4, {1, 2, 2}, 0),
                      by_all_paths(values(logits(1)), 3, 4, {3}, 0), by_all_paths(values(logits(2)), 4, 4, {2, 1}, 0)},
              1e-9);
  expect_near(ctc_loss(logits, frames.astype(boolean), labels, absent.astype(f64)), got);
  // Whatever stands there.
  const Array wild = np::where(frames.astype(boolean)(ellipsis, newaxis), np::nan, logits);
  const Array odd = np::where(absent == 1, np::array({-7, 99, 1 << 30}), labels);
  expect_near(ctc_loss(wild, frames, odd, absent), got);
  const Array slopes = grad([&](Array x) { return np::sum(ctc_loss(x, frames, odd, absent)); })(wild);
  expect_finite(slopes, "gradient");
  expect_near(slopes, grad([&](Array x) { return np::sum(ctc_loss(x, frames, labels, absent)); })(logits));
}

TEST(ctc_loss, transforms) {
  const Array logits = draw({2, 5, 3}, 1), frames = np::array({{0, 0, 0, 0, 0}, {0, 0, 0, 0, 1}});
  const Array labels = np::array({{1, 1}, {2, 1}}), absent = np::array({{0, 0}, {0, 1}});
  expect_transforms_agree([](Array x, Array p, Array y, Array q) { return ctc_loss(x, p, y, q); }, logits, frames,
                          labels, absent);
}

TEST(ctc_loss, is_finite_for_logits_of_any_size_and_for_what_cannot_be) {
  const Array frames = np::zeros({1, 3}), labels = np::array({{1, 1}}), none = np::zeros({1, 2});
  const Array x = np::reshape(np::array({1e4f, -1e4f, 0.f, -1e4f, 1e4f, 0.f, 5e3f, 0.f, 1e4f}), {1, 3, 3});
  for (const Array& logits : {x, 1e30f * x, np::zeros({1, 3, 3})}) {
    const auto loss = [&](Array a) { return np::sum(ctc_loss(a, frames, labels, none)); };
    expect_finite(loss(logits), "loss");
    expect_finite(grad(loss)(logits), "gradient");
  }
  // Two equal labels need a blank between, so two frames are too few.
  const Array short_loss = ctc_loss(np::zeros({1, 2, 3}), np::zeros({1, 2}), labels, none);
  EXPECT_GT(short_loss.item<float>(), 9e4f);
  EXPECT_EQ(ctc_loss(np::zeros({1, 2, 3}), np::zeros({1, 2}), labels, none, {.log_epsilon = -100}).item<float>() < 110,
            true);
}

TEST(ctc_loss_with_forward_probs, tells_the_way) {
  const Array logits = draw({2, 4, 3}, 1), labels = np::array({{1, 2}, {2, 2}});
  const auto [loss, blank, nonblank] =
      ctc_loss_with_forward_probs(logits, np::zeros({2, 4}), labels, np::zeros({2, 2}));
  EXPECT_EQ(blank.aval().str(), "f64[4,2,3]");
  EXPECT_EQ(nonblank.aval().str(), "f64[4,2,2]");
  expect_near(-blank(-1, slice(), 2), loss);
  // After one frame: a blank, or the first label.
  const Array log_p = logits - np::logsumexp(logits, -1, true);
  expect_near(blank(0, slice(), 0), log_p(slice(), 0, 0));
  expect_near(nonblank(0, slice(), 0), log_p(np::array({0, 1}), 0, np::array({1, 2})));
}

TEST(ctc_loss, says_what_is_wrong) {
  const Array x = np::ones({2, 4, 3}), frames = np::zeros({2, 4}), y = np::ones({2, 2}, i32), none = np::zeros({2, 2});
  EXPECT_EQ(error_of([&] { ctc_loss(x.astype(i32), frames, y, none); }),
            "DTypeError: ctc_loss: logits must be float; got i32[2,4,3].");
  EXPECT_EQ(error_of([&] { ctc_loss(x, frames, none, none); }),
            "DTypeError: ctc_loss: labels must be integers; got f32[2,2].");
  EXPECT_EQ(error_of([&] { ctc_loss(x(0), frames, y, none); }),
            "ShapeError: ctc_loss: logits must have axes for sequences, frames (at least one) and classes; got "
            "f32[4,3].");
  EXPECT_EQ(error_of([&] { ctc_loss(x, frames, y(slice(0, 1)), none(slice(0, 1))); }),
            "ShapeError: ctc_loss: labels must have axes for the 2 sequences of the logits and for labels; got "
            "i32[1,2].");
  EXPECT_EQ(error_of([&] { ctc_loss(x, none, y, none); }),
            "ShapeError: ctc_loss: logit_paddings must have the shape of the logits without classes; got f32[2,2] for "
            "logits f32[2,4,3] and labels i32[2,2].");
  EXPECT_EQ(error_of([&] { ctc_loss_with_forward_probs(x, frames, y, frames); }),
            "ShapeError: ctc_loss_with_forward_probs: label_paddings must have the shape of the labels; got f32[2,4] "
            "for logits f32[2,4,3] and labels i32[2,2].");
  EXPECT_EQ(error_of([&] { ctc_loss(x, frames, y, none, {.blank_id = 3}); }),
            "ValueError: ctc_loss: blank_id must be one of 3 classes; got 3.");
}

}  // namespace
}  // namespace weft::optim
