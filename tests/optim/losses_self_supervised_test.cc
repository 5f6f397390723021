#include "optim/losses_self_supervised.h"

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

TEST(ntxent, golden_178) {
  const Array x = np::array({{-1.954f, 1.078f}, {.238f, -.5703f}, {1.8745f, -.0195f}, {-.6719f, -1.921f}});
  expect_near(ntxent(x, np::array({0, 0, 1, 1})), Doubles{14.01032}, 1e-6);
  expect_near(ntxent(x, np::array({0, 0, 0, 1})), Doubles{8.968544}, 1e-6);
  // An embedding of zeros is at right angles to all.
  const Array zero = x.at(0).set(0.0f);
  expect_near(ntxent(zero, np::array({0, 0, 1, 1})), Doubles{9.2889}, 1e-5);
  expect_finite_with_gradient([](Array e) { return ntxent(e, np::array({0, 0, 1, 1})); }, zero);
}

double similarity(const Doubles& x, std::size_t d, std::size_t i, std::size_t j) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t k = 0; k < d; ++k) {
    ab += x[i * d + k] * x[j * d + k];
    aa += x[i * d + k] * x[i * d + k];
    bb += x[j * d + k] * x[j * d + k];
  }
  return ab / std::sqrt(aa * bb);
}

TEST(ntxent, is_the_formula) {
  constexpr std::size_t kN = 6, kD = 3;
  const Array e = draw({kN, kD}, 1);
  const Doubles x = values(e);
  const std::vector<int> labels = {0, 1, 0, 2, 1, 0};
  const double temperature = 0.5;
  double total = 0;
  int pairs = 0;
  for (std::size_t i = 0; i < kN; ++i)
    for (std::size_t j = 0; j < kN; ++j) {
      if (i == j || labels[i] != labels[j]) continue;
      const double near = std::exp(similarity(x, kD, i, j) / temperature);
      double all = near;
      for (std::size_t k = 0; k < kN; ++k)
        if (labels[k] != labels[i]) all += std::exp(similarity(x, kD, i, k) / temperature);
      total -= std::log(near / all);
      ++pairs;
    }
  const Array y(std::vector<std::int32_t>(labels.begin(), labels.end()));
  expect_near(ntxent(e, y, temperature), Doubles{total / pairs});
  expect_near(ntxent(e, y.astype(f32), Array(temperature)), Doubles{total / pairs});
  expect_transforms_agree([](Array a, Array b) { return ntxent(a, b, 0.5); }, e, y);
}

TEST(ntxent, is_finite_without_pairs_and_without_others) {
  const Array x = draw({3, 2}, 1);
  EXPECT_EQ(ntxent(x, np::array({0, 1, 2})).item<double>(), 0);
  EXPECT_EQ(ntxent(x, np::array({0, 0, 0})).item<double>(), 0);
  expect_finite_with_gradient([](Array e) { return ntxent(e, np::array({0, 1, 2})); }, x);
  expect_finite_with_gradient([](Array e) { return ntxent(e, np::array({0, 0, 0})); }, x);
  expect_finite_with_gradient([](Array e) { return ntxent(e, np::array({0, 0, 1}), 1e-30); }, x.astype(f32));
}

double distance(const Doubles& a, const Doubles& b, std::size_t from, std::size_t n, double p, double eps) {
  double sum = eps;
  for (std::size_t k = from; k < from + n; ++k) sum += std::pow(std::abs(a[k] - b[k]), p);
  return std::pow(sum, 1 / p);
}

TEST(triplet_margin_loss, is_the_formula) {
  const Array a = draw({4, 3}, 1), b = draw({4, 3}, 2), c = draw({4, 3}, 3);
  for (const double p : {1.0, 1.5, 2.0, 3.0}) {
    Doubles want;
    for (std::size_t i = 0; i < 4; ++i)
      want.push_back(std::max(0.0, distance(values(a), values(b), 3 * i, 3, p, 1e-6) -
                                       distance(values(a), values(c), 3 * i, 3, p, 1e-6) + 0.7));
    const TripletOptions options{.norm_degree = p, .margin = 0.7};
    expect_near(triplet_margin_loss(a, b, c, options), want);
    expect_transforms_agree([&](Array x, Array y, Array z) { return triplet_margin_loss(x, y, z, options); }, a, b, c);
  }
  expect_near(triplet_margin_loss(a.T(), b.T(), c.T(), {.axis = 0}), triplet_margin_loss(a, b, c));
}

TEST(triplet_margin_loss, is_that_of_the_example_of_optax) {
  const Array a = np::array({{0.f, 0.f}, {1.f, 1.f}}), p = np::array({{.1f, .1f}, {1.1f, 1.1f}});
  const Array n = np::array({{1.f, 0.f}, {0.f, 1.f}});
  expect_near(triplet_margin_loss(a, p, n), Doubles{.1414, .1414}, 1e-4);
  // Where the anchor is the positive, distances have a kink.
  for (const double degree : {1.0, 2.0, 3.0})
    expect_finite_with_gradient([&](Array x) { return triplet_margin_loss(x, a, n, {.norm_degree = degree}); }, a);
}

TEST(self_supervised_losses, say_what_is_wrong) {
  const Array x = np::ones({2, 3}), i = np::ones({2, 3}, i32), y = np::ones({2}, i32);
  EXPECT_EQ(error_of([&] { ntxent(i, y); }), "DTypeError: ntxent: embeddings must be float; got i32[2,3].");
  EXPECT_EQ(error_of([&] { ntxent(x, np::ones({3})); }),
            "ShapeError: ntxent: embeddings must have axes for examples and features, and labels one for the examples; "
            "got f32[2,3] and f32[3].");
  EXPECT_EQ(error_of([&] { triplet_margin_loss(x, i, x); }),
            "DTypeError: triplet_margin_loss: positives must be float; got i32[2,3].");
  EXPECT_EQ(error_of([&] { triplet_margin_loss(x, x, np::ones({3, 3})); }).substr(0, 31),
            "ShapeError: triplet_margin_loss");
  EXPECT_EQ(error_of([&] { triplet_margin_loss(x, x, x, {.norm_degree = 0}); }),
            "ValueError: triplet_margin_loss: the degree of the norm must be positive; got 0.0.");
}

}  // namespace
}  // namespace weft::optim
