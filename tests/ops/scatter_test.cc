// What samples do not show of scatter's derivatives: ties, which no difference quotient sees, and what products leave
// alone.
#include <gtest/gtest.h>

#include "harness/functions.h"
#include "weft/ops/lax.h"

namespace weft {
namespace {

using testing::call, testing::pullback, testing::pushforward;

constexpr double kInf = std::numeric_limits<double>::infinity();

Array vec(std::vector<double> v) { return Array(std::move(v)); }
std::vector<double> values(const Array& x) { return x.to_vector<double>(); }

// Scatters single elements of updates into a vector; (x, updates) -> y.
FlatFunction scattered(ScatterKind kind, const std::vector<int>& indices) {
  const Array at = lax::reshape(Array(indices), Dims{static_cast<std::int64_t>(indices.size()), 1});
  return [=](std::span<const Array> a, Arrays& outs) {
    outs.push_back(
        lax::scatter(a[0], at, a[1], {.inserted_window_dims = {0}, .scatter_dims_to_operand_dims = {0}}, kind));
  };
}

TEST(scatter, minima_and_maxima_share_their_slope_between_all_that_attain_them) {
  // Place 0: x and one of two updates; place 1: two updates; place 2: x alone; one update goes nowhere.
  for (const double sign : {1.0, -1.0}) {
    const FlatFunction f = scattered(sign > 0 ? ScatterKind::kMax : ScatterKind::kMin, {0, 0, 1, 1, 2, 7});
    const Array x = vec({3 * sign, 1 * sign, 9 * sign}), u = vec({3 * sign, 2 * sign, 5 * sign, 5 * sign, 8 * sign, 0});
    EXPECT_EQ(values(call(f, Arrays{x, u})[0]), (std::vector<double>{3 * sign, 5 * sign, 9 * sign}));
    const Arrays ct = call(pullback(f, 2, {0, 1}), Arrays{x, u, vec({1, 10, 100})});
    EXPECT_EQ(values(ct[0]), (std::vector<double>{0.5, 0, 100}));
    EXPECT_EQ(values(ct[1]), (std::vector<double>{0.5, 0, 5, 5, 0, 0}));
    const Arrays t = call(pushforward(f, 2, {0, 1}), Arrays{x, u, vec({1, 2, 4}), vec({3, 100, 8, 16, 100, 100})});
    EXPECT_EQ(values(t[0]), (std::vector<double>{2, 12, 4}));
  }
}

TEST(scatter, zeros_of_either_sign_tie) {
  const FlatFunction f = scattered(ScatterKind::kMax, {0});
  const Arrays ct = call(pullback(f, 2, {0, 1}), Arrays{vec({-0.0}), vec({0.0}), vec({1})});
  EXPECT_EQ(values(ct[0]), std::vector<double>{0.5});
  EXPECT_EQ(values(ct[1]), std::vector<double>{0.5});
}

TEST(scatter_mul, each_of_the_updates_that_meet_has_the_product_of_the_others_as_its_slope) {
  const FlatFunction f = scattered(ScatterKind::kMul, {1, 0, 1, 1, 9});
  const Arrays ct = call(pullback(f, 2, {0, 1}), Arrays{vec({7, 2}), vec({3, 11, 4, 5, 13}), vec({1, 1})});
  EXPECT_EQ(values(ct[0]), (std::vector<double>{11, 60}));
  EXPECT_EQ(values(ct[1]), (std::vector<double>{40, 7, 30, 24, 0}));
}

TEST(scatter_mul, zeros_and_infinities_stay_where_they_are) {
  // Where nothing goes, an infinity has no slope; and the slope by a zero is the product of the others.
  const FlatFunction f = scattered(ScatterKind::kMul, {0, 0, 0});
  const Arrays args{vec({2, kInf}), vec({0, 3, 4}), vec({1, 1})};
  const Arrays ct = call(pullback(f, 2, {1}), args);
  EXPECT_EQ(values(ct[0]), (std::vector<double>{24, 0, 0}));
  const Arrays t = call(pushforward(f, 2, {1}), Arrays{args[0], args[1], vec({1, 1, 1})});
  EXPECT_EQ(values(t[0]), (std::vector<double>{24, 0}));
}

}  // namespace
}  // namespace weft
