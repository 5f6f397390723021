// What holds of all losses.
#include "optim/losses.h"

#include "optim/losses_harness.h"

namespace weft::optim {
namespace {

using testing::draw;
using testing::draw_labels;
using testing::draw_probabilities;
using testing::expect_finite;
using testing::values;

// Every loss of operands in the dtype of x[4, 5], as one list.
std::vector<Array> all_losses(const Array& x) {
  const DType t = x.dtype();
  const Array y = draw({4, 5}, 2).astype(t), p = draw_probabilities({4, 5}, 3).astype(t);
  const Array labels = draw_labels({4}, 4, 5), signs = 2 * draw_labels({4, 5}, 5, 2) - 1;
  const Array log_p = np::log(np::clip(np::abs(x), 0.01, 1.0));
  const Array frames = np::reshape(x, {2, 5, 2}), none = np::zeros({2, 5}, t), one = np::zeros({2, 1}, t);
  const auto fenchel_young = make_fenchel_young_loss([](Array s) { return np::logsumexp(s); });
  return {squared_error(x, y),
          l2_loss(x, y),
          huber_loss(x, y),
          log_cosh(x, y),
          cosine_similarity(x, y),
          cosine_distance(x, y),
          softmax_cross_entropy(x, p),
          softmax_cross_entropy_with_integer_labels(x, labels),
          safe_softmax_cross_entropy(x, p),
          weighted_logsoftmax(x, p),
          sigmoid_binary_cross_entropy(x, p),
          sigmoid_focal_loss(x, p, {.alpha = 0.25}),
          poly_loss_cross_entropy(x, p),
          smooth_labels(p, 0.1),
          hinge_loss(x, signs),
          perceptron_loss(x, signs),
          multiclass_hinge_loss(x, labels),
          multiclass_perceptron_loss(x, labels),
          fenchel_young(x, p),
          sparsemax_loss(x, signs == 1),
          multiclass_sparsemax_loss(x, labels),
          kl_divergence(log_p, p),
          kl_divergence_with_log_targets(log_p, np::log(p)),
          generalized_kl_divergence(log_p, p),
          convex_kl_divergence(log_p, p),
          ctc_loss(frames, none, np::ones({2, 1}, i32), one, {.log_epsilon = -1e4}),
          ntxent(x, np::array({0, 0, 1, 1})),
          triplet_margin_loss(x, y, p),
          ranking_softmax_loss(x, p),
          dice_loss(x, p),
          multiclass_generalized_dice_loss(x, p),
          binary_dice_loss(x, p)};
}

TEST(losses, keep_the_dtype_and_are_what_they_are_in_doubles) {
  const Array x = draw({4, 5}, 1);
  const std::vector<Array> want = all_losses(x);
  for (const DType t : {f64, f32, f16, bf16}) {
    const std::vector<Array> got = all_losses(x.astype(t));
    ASSERT_EQ(got.size(), want.size());
    const double tolerance = t == f64 ? 0 : t == f32 ? 1e-5 : t == f16 ? 2e-2 : 1e-1;
    for (std::size_t i = 0; i < got.size(); ++i) {
      SCOPED_TRACE("loss " + std::to_string(i) + " in " + std::string(name(t)));
      EXPECT_EQ(got[i].dtype(), t);
      testing::expect_near(got[i], values(want[i]), tolerance);
    }
  }
}

TEST(losses, may_be_compiled_together_with_their_gradients) {
  const auto total = [](Array x) {
    Array sum = 0.0f;
    for (const Array& loss : all_losses(x)) sum = sum + np::mean(loss);
    return sum;
  };
  const Array x = draw({4, 5}, 1).astype(f32);
  const auto [value, slopes] = jit(value_and_grad(total))(x);
  testing::expect_near(value, values(total(x)), 1e-5);
  testing::expect_near(slopes, values(grad(total)(x)), 1e-4);
  expect_finite(slopes, "gradient");
}

}  // namespace
}  // namespace weft::optim
