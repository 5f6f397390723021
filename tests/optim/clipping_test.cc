#include "optim/clipping.h"

#include "harness/errors.h"
#include "optim/plain.h"
#include "optim/scaling.h"

namespace weft::optim {
namespace {

using plain::each;
using plain::expect_follows;
using plain::Tree;
using testing::error_of;

TEST(clip, bounds_each_element) {
  expect_follows(clip(0.5), each<1>([](double g, double, double*, int) { return std::clamp(g, -0.5, 0.5); }));
}
TEST(clip, by_global_norm_scales_all_leaves_when_they_are_too_large) {
  const auto rule = [](double most) {
    return [=](Tree& u, const Tree&, int, double) {
      const double norm = std::sqrt(plain::squared_norm(u));
      if (norm >= most) u = plain::times(most / norm, u);
    };
  };
  expect_follows(clip_by_global_norm(0.5), rule(0.5));
  expect_follows(clip_by_global_norm(100), rule(100));
}
TEST(clip, by_global_norm_leaves_small_updates_bit_for_bit_and_zeros_zero) {
  const auto opt = clip_by_global_norm(1);
  const Array small = np::array({0.1f, 0.2f}), zero = np::zeros({2});
  EXPECT_EQ(opt.update(small, {}, small).first.to_vector<float>(), small.to_vector<float>());
  EXPECT_EQ(clip_by_global_norm(0).update(zero, {}, zero).first.to_vector<float>(), (std::vector<float>{0, 0}));
  const auto size = [&](Array x) { return np::sum(opt.update(x, {}, x).first); };
  EXPECT_EQ(grad(size)(zero).to_vector<float>(), (std::vector<float>{1, 1}));
}
TEST(clip, by_norm_takes_norms_and_squares_that_16_bits_do_not_hold) {
  const Array g = np::full({10000}, 1000.f).astype(f16);  // of norm 1e5
  const auto expect = [&](const auto& opt, double want) {
    const Array u = opt.update(g, opt.init(g), g).first;
    EXPECT_EQ(u.dtype(), f16);
    EXPECT_NEAR(u(0).template item<double>(), want, 2e-3 * want);
  };
  expect(clip_by_global_norm(100), 1);
  expect(clip_by_block_rms(0.5), 0.5);
  expect(adaptive_grad_clip(0.001), 1);
  expect(normalize_by_update_norm({.scale_factor = 100}), 1);
  EXPECT_EQ(unitwise_norm(g).dtype(), f32);
  const auto [sum, clipped] = per_example_global_norm_clip(np::reshape(g, {2, 5000}), 100);
  EXPECT_EQ(sum.dtype(), f16);
  EXPECT_NEAR(sum(0).item<double>(), 200 / std::sqrt(5000.0), 1e-2);
  EXPECT_EQ(clipped.item<int>(), 2);
}
TEST(clip, by_block_rms_bounds_each_leaf) {
  expect_follows(clip_by_block_rms(0.5), [](Tree& u, const Tree&, int, double) {
    for (auto& leaf : u) plain::scale_leaf(leaf, 1 / std::max(1.0, plain::rms(leaf) / 0.5));
  });
}
TEST(clip, refuses_bounds_that_are_none) {
  EXPECT_EQ(error_of([] { clip(-1); }), "ValueError: clip: max_delta must be 0 or more; got -1.0.");
  EXPECT_EQ(error_of([] { clip_by_global_norm(NAN); }),
            "ValueError: clip_by_global_norm: max_norm must be 0 or more; got nan.");
  EXPECT_EQ(error_of([] { clip_by_block_rms(0); }),
            "ValueError: clip_by_block_rms: threshold must be positive; got 0.0.");
  EXPECT_EQ(error_of([] { adaptive_grad_clip(-0.1); }),
            "ValueError: adaptive_grad_clip: clipping must be 0 or more; got -0.1.");
  const Array z = np::array(std::vector<std::complex<float>>{{1, 2}});
  EXPECT_EQ(error_of([&] { clip(1).update(z, {}, z); }), "DTypeError: clip: updates must be real; got c64[1].");
}

TEST(unitwise_norm, goes_over_what_makes_one_unit) {
  const auto norms = [](const np::Shape& shape, const std::vector<int>& axes = {}) {
    return unitwise_norm(np::ones(shape), axes);
  };
  EXPECT_EQ(norms({4}).to_vector<float>(), (std::vector<float>{2, 2, 2, 2}));
  EXPECT_EQ(norms({})(ellipsis).item<float>(), 1);
  EXPECT_EQ(norms({1, 4}).to_vector<float>(), (std::vector<float>{2, 2, 2, 2}));  // a vector
  EXPECT_EQ(norms({4, 2})(0, 0).item<float>(), 2);
  EXPECT_EQ(norms({4, 3, 2})(0, 0, 0).item<float>(), 2);
  EXPECT_FLOAT_EQ(norms({2, 2, 4, 3})(0, 0, 0, 0).item<float>(), 4);
  EXPECT_EQ(norms({4, 9}, {1})(0, 0).item<float>(), 3);
  EXPECT_EQ(error_of([&] { norms({2, 2, 2, 2, 2}); }),
            "ShapeError: unitwise_norm: parameters must have four axes at most unless axes are given; got "
            "f32[2,2,2,2,2].");
}
TEST(adaptive_grad_clip, bounds_units_by_their_parameters) {
  const auto opt = adaptive_grad_clip(0.5);
  const Array p = np::array({{3.f, 0.f}, {4.f, 0.f}}), g = np::array({{30.f, 0.f}, {40.f, 1.f}});
  // Columns: norms 5 and 0 of the parameters, 50 and 1 of the gradients; the second bound is 0.5 * 1e-3.
  const Array u = opt.update(g, {}, p).first;
  EXPECT_TRUE(np::allclose(u, np::array({{1.5f, 0.f}, {2.f, 5e-4f}})).item<bool>());
  EXPECT_EQ(opt.update(p / 100, {}, p).first.to_vector<float>(), (p / 100).to_vector<float>());
}
TEST(adaptive_grad_clip, takes_other_axes) {
  const auto opt = adaptive_grad_clip(1.0, {.axes = {1}});
  const Array p = np::array({{3.f, 4.f}, {1.f, 0.f}}), g = 2 * p;
  EXPECT_TRUE(np::allclose(opt.update(g, {}, p).first, p).item<bool>());
}

TEST(per_example_clip, gives_the_published_sums_and_numbers) {
  const std::vector<Array> grads{np::array({{0, 0, 0}, {0, 3, 4}, {4, 0, 3}, {3, 4, 0}})};
  const auto sum = [&](double bound) { return per_example_global_norm_clip(grads, bound).first[0].to_vector<float>(); };
  const auto clipped = [&](double bound) { return per_example_global_norm_clip(grads, bound).second.item<int>(); };
  EXPECT_EQ(sum(INFINITY), (std::vector<float>{7, 7, 7}));
  EXPECT_EQ(clipped(INFINITY), 0);
  EXPECT_EQ(sum(0), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(clipped(0), 3);
  EXPECT_EQ(sum(1.25), (std::vector<float>{1.75, 1.75, 1.75}));
  EXPECT_EQ(clipped(1.25), 3);
  const auto [by_layer, numbers] = per_example_layer_norm_clip(grads, 1.25);
  EXPECT_EQ(by_layer[0].to_vector<float>(), (std::vector<float>{1.75, 1.75, 1.75}));
  EXPECT_EQ(numbers[0].item<int>(), 3);
}
TEST(per_example_clip, takes_the_norm_over_all_leaves) {
  const std::map<std::string, Array> grads{{"a", np::array({{3.f}, {0.3f}})}, {"b", np::array({{4.f}, {0.4f}})}};
  const auto [sum, clipped] = per_example_global_norm_clip(grads, 1);
  EXPECT_FLOAT_EQ(sum.at("a").item<float>(), 0.6f + 0.3f);
  EXPECT_FLOAT_EQ(sum.at("b").item<float>(), 0.8f + 0.4f);
  EXPECT_EQ(clipped.item<int>(), 1);
}
TEST(per_example_clip, shares_the_bound_among_layers) {
  const std::pair<Array, Array> grads(np::array({{3.f, 4.f, 0.f}}), np::array({{2.f}}));
  const auto [even, n] = per_example_layer_norm_clip(grads, 1);
  EXPECT_NEAR(even.first(0).item<float>(), 0.6 / std::sqrt(2.0), 1e-6);
  EXPECT_NEAR(even.second.item<float>(), 1 / std::sqrt(2.0), 1e-6);
  const auto [by_size, m] = per_example_layer_norm_clip(grads, 1, false);
  EXPECT_NEAR(by_size.first(0).item<float>(), 0.6 * std::sqrt(0.75), 1e-6);
  EXPECT_NEAR(by_size.second.item<float>(), 0.5, 1e-6);
  EXPECT_EQ(m.second.item<int>(), 1);
}
TEST(per_example_clip, of_no_examples_is_zero) {
  const auto [sum, clipped] = per_example_global_norm_clip(std::pair(np::zeros({0, 5}), np::zeros({0})), 1);
  EXPECT_EQ(sum.first.to_vector<float>(), (std::vector<float>(5, 0)));
  EXPECT_EQ(sum.second.item<float>(), 0);
  EXPECT_EQ(clipped.item<int>(), 0);
}
TEST(per_example_clip, refuses_leaves_without_a_common_first_axis) {
  EXPECT_EQ(
      error_of([] { per_example_global_norm_clip(std::pair(np::ones({2, 3}), np::ones({3})), 1); }),
      "ShapeError: per_example_global_norm_clip: all gradients must have the examples along their first axes; got "
      "f32[2,3] and f32[3].");
  EXPECT_EQ(error_of([] { per_example_layer_norm_clip(Array(1.f), 1); }),
            "ShapeError: per_example_layer_norm_clip: all gradients must have the examples along their first axes; got "
            "f32[] and f32[].");
  EXPECT_EQ(error_of([] { per_example_global_norm_clip(np::ones({2, 3}), -1); }),
            "ValueError: per_example_global_norm_clip: l2_norm_clip must be 0 or more; got -1.0.");
}

}  // namespace
}  // namespace weft::optim
