#include "optim/contrib_privacy.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "optim/plain.h"
#include "weft/weft.h"

namespace weft::optim::contrib {
namespace {

using testing::error_of;
using Pair = std::pair<Array, Array>;

TEST(differentially_private_aggregate, without_noise_is_the_mean_of_clipped_gradients) {
  const auto opt = differentially_private_aggregate(1.0, 0.0, random::key(0));
  const Pair p(np::zeros({1}), np::zeros({1})), g(np::array({{3.f}, {0.3f}}), np::array({{4.f}, {0.4f}}));
  const auto [u, state] = opt.update(g, opt.init(p), p);
  EXPECT_NEAR(u.first.item<float>(), (0.6 + 0.3) / 2, 1e-6);
  EXPECT_NEAR(u.second.item<float>(), (0.8 + 0.4) / 2, 1e-6);
}
TEST(differentially_private_aggregate, without_noise_may_be_without_a_bound) {
  const auto opt = differentially_private_aggregate(std::numeric_limits<double>::infinity(), 0.0, random::key(0));
  const Array p = np::zeros({1}), g = np::array({{3.f}, {1.f}});
  EXPECT_EQ(opt.update(g, opt.init(p), p).first.item<float>(), 2);
}
TEST(differentially_private_aggregate, adds_noise_by_bound_and_multiplier) {
  const auto opt = differentially_private_aggregate(2.0, 3.0, random::key(1));
  const Array p = np::zeros({50000}), g = np::zeros({4, 50000});
  const auto [u, state] = opt.update(g, opt.init(p), p);
  EXPECT_NEAR(np::std(u).item<float>(), 2 * 3 / 4.0, 0.02);
  EXPECT_NEAR(np::mean(u).item<float>(), 0, 0.02);
  const Array v = opt.update(g, state, p).first;
  EXPECT_FALSE(np::array_equal(u, v).item<bool>());
}
TEST(differentially_private_aggregate, keeps_16_bit_gradients_within_the_bound_they_are_accounted_for) {
  // One example, without noise: what comes out has the norm of the bound at most, but for its own rounding.
  for (const DType dtype : {bf16, f16}) {
    const auto opt = differentially_private_aggregate(1.0, 0.0, random::key(0));
    const Array p = np::zeros({1000}).astype(dtype);
    for (int k = 0; k < 20; ++k) {
      // Of several sizes: a factor that is rounded to 16 bits is up to 0.4 % too large. f16 does not hold the squares.
      const Array g = np::full({1, 1000}, std::ldexp(1.f + 0.05f * static_cast<float>(k), 9)).astype(dtype);
      const Array u = opt.update(g, opt.init(p), p).first;
      EXPECT_EQ(u.dtype(), dtype);
      const double norm = global_norm(u).item<double>(), element = u(0).astype(f64).item<double>();
      EXPECT_GT(norm, 0.99);
      // The element is the nearest to 1 / sqrt(1000).
      EXPECT_EQ(element, Array(1 / std::sqrt(1000.0)).astype(dtype).astype(f64).item<double>()) << k;
    }
  }
}
TEST(dpsgd, clips_each_example_of_a_tree) {
  const auto opt = dpsgd(0.5, 2.0, 0.0, random::key(0));
  const std::size_t batch = 3;
  plain::Tree p = plain::random_tree(1), sum = plain::times(0, p);
  std::vector<plain::Params> examples;
  for (unsigned i = 0; i < batch; ++i) {
    const plain::Tree g = plain::times(i == 0 ? 0.1 : 1, plain::random_tree(10 + i));
    examples.push_back(plain::to_params(g, f64));
    sum = plain::add(sum, std::min(1.0, 2 / std::sqrt(plain::squared_norm(g))), g);
  }
  const auto stack = [](const Array& x, const Array& y, const Array& z) { return np::stack({x, y, z}); };
  const plain::Params g = tree::map(stack, examples[0], examples[1], examples[2]);
  const plain::Params params = plain::to_params(p, f64);
  plain::expect_close(opt.update(g, opt.init(params), params).first, plain::times(-0.5 / batch, sum), 1e-12, 1,
                      "dpsgd");
}
TEST(dpsgd, descends_with_momentum) {
  const auto opt = dpsgd(0.5, 100.0, 0.0, random::key(0), {.momentum = 0.5});
  const Array p = np::zeros({1}), g = np::array({{1.f}, {3.f}});
  auto state = opt.init(p);
  const auto step = jit([&opt](Array g, decltype(state) s, Array p) { return opt.update(g, s, p); });
  Array u;
  std::tie(u, state) = step(g, state, p);
  EXPECT_FLOAT_EQ(u.item<float>(), -1);
  std::tie(u, state) = step(g, state, p);
  EXPECT_FLOAT_EQ(u.item<float>(), -1.5f);
  EXPECT_EQ(step.cache_size(), 1u);
}
TEST(differentially_private_aggregate, takes_what_vmap_of_grad_gives) {
  const auto loss = [](Array w, Array x) { return np::sum(w * x); };
  const Array w = np::ones({2}), xs = np::array({{3.f, 4.f}, {0.f, 1.f}, {0.6f, 0.8f}});
  const Array g = vmap(grad(loss), {unmapped, 0})(w, xs);
  const auto opt = differentially_private_aggregate(1.0, 0.0, random::key(0));
  EXPECT_TRUE(np::allclose(opt.update(g, opt.init(w), w).first, np::array({1.2f / 3, 2.6f / 3})).item<bool>());
}
TEST(differentially_private_aggregate, refuses_gradients_without_examples_and_what_is_no_key) {
  const auto opt = differentially_private_aggregate(1.0, 0.0, random::key(0));
  const Array p = np::ones({2});
  EXPECT_EQ(
      error_of([&] { opt.update(np::ones({3, 4}), opt.init(p), p); }),
      "ShapeError: differentially_private_aggregate: sums of updates and parameters must have equal shapes; got f32[4] "
      "and f32[2] at leaf 0.");
  const Array scalar(1.f);
  EXPECT_EQ(
      error_of([&] { opt.update(scalar, opt.init(scalar), scalar); }),
      "ShapeError: differentially_private_aggregate: all gradients must have the examples along their first axes; "
      "got f32[] and f32[].");
  EXPECT_EQ(error_of([&] { opt.update(np::zeros({0, 2}), opt.init(p), p); }),
            "ValueError: differentially_private_aggregate: there must be an example; got f32[0,2].");
  EXPECT_EQ(error_of([] { dpsgd(0.1, 1.0, 1.0, random::key(0), {.momentum = 2}); }),
            "ValueError: dpsgd: momentum must be in [0, 1]; got 2.0.");
  EXPECT_EQ(error_of([] { dpsgd(0.1, 1.0, 1.0, Array()); }), "ValueError: dpsgd: there must be a key; got none.");
  EXPECT_EQ(error_of([] { dpsgd(0.1, -1.0, 1.0, random::key(0)); }),
            "ValueError: dpsgd: l2_norm_clip must be 0 or more; got -1.0.");
}

}  // namespace
}  // namespace weft::optim::contrib
