#include "weft/transforms/coloring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace weft::transforms {
namespace {

using Entry = SparsityPattern::Entry;

class Random {
 public:
  std::int64_t below(std::int64_t n) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::int64_t>((state_ >> 33) % static_cast<std::uint64_t>(n));
  }

 private:
  std::uint64_t state_ = 7;
};

SparsityPattern random_pattern(Random& random, std::int64_t rows, std::int64_t cols, std::int64_t entries,
                               bool symmetric) {
  std::vector<Entry> list;
  for (; entries > 0; --entries) {
    const Entry e{random.below(rows), random.below(cols)};
    list.push_back(e);
    if (symmetric) list.emplace_back(e.second, e.first);
  }
  return SparsityPattern(rows, cols, std::move(list));
}

void expect_numbered(const Coloring& c, const SparsityPattern& p) {
  std::vector<bool> has(static_cast<std::size_t>(p.cols()), false), used(static_cast<std::size_t>(c.num_colors), false);
  for (const std::int64_t j : p.columns()) has[static_cast<std::size_t>(j)] = true;
  ASSERT_EQ(c.colors.size(), has.size());
  for (std::size_t j = 0; j < has.size(); ++j) {
    EXPECT_EQ(c.colors[j] >= 0, has[j]) << j;
    if (c.colors[j] >= 0) used.at(static_cast<std::size_t>(c.colors[j])) = true;
  }
  EXPECT_EQ(std::count(used.begin(), used.end(), false), 0);
}

TEST(coloring, columns_that_share_a_row_differ) {
  Random random;
  for (int round = 0; round < 60; ++round) {
    const std::int64_t rows = 1 + random.below(30), cols = 1 + random.below(30);
    const SparsityPattern p = random_pattern(random, rows, cols, random.below(80), false);
    const Coloring& c = p.column_coloring();
    expect_numbered(c, p);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::map<std::int32_t, int> count;
      for (const std::int64_t j : p.row(i)) EXPECT_EQ(++count[c.colors[static_cast<std::size_t>(j)]], 1);
    }
    expect_numbered(p.row_coloring(), p.transposed());
  }
}

// No path of four vertices with two colours, by trying all of them.
bool is_star_coloring(const SparsityPattern& p, const Coloring& c) {
  const auto color = [&](std::int64_t v) { return c.colors[static_cast<std::size_t>(v)]; };
  for (std::int64_t w = 0; w < p.rows(); ++w)
    for (const std::int64_t x : p.row(w)) {
      if (x == w) continue;
      if (color(x) == color(w)) return false;
      for (const std::int64_t v : p.row(w))
        for (const std::int64_t y : p.row(x))
          if (v != w && v != x && y != w && y != x && v != y && color(v) == color(x) && color(y) == color(w))
            return false;
    }
  return true;
}

// Products of a symmetric matrix with the indicators of the colours, and the entries that they show.
TEST(coloring, products_with_a_star_coloring_show_every_entry) {
  Random random;
  for (int round = 0; round < 80; ++round) {
    const std::int64_t n = 1 + random.below(25);
    const SparsityPattern p = random_pattern(random, n, n, random.below(3 * n), true);
    const Coloring& c = p.symmetric_coloring();
    expect_numbered(c, p);
    EXPECT_TRUE(is_star_coloring(p, c)) << p;
    const auto entry = [](std::int64_t i, std::int64_t j) { return 1 + std::min(i, j) * 1000 + std::max(i, j); };
    std::vector<std::int64_t> products(static_cast<std::size_t>(c.num_colors * n), 0);
    for (std::int64_t i = 0; i < n; ++i)
      for (const std::int64_t j : p.row(i))
        products[static_cast<std::size_t>(c.colors[static_cast<std::size_t>(j)] * n + i)] += entry(i, j);
    const std::vector<std::int64_t> positions = symmetric_positions(p, c);
    std::size_t k = 0;
    for (std::int64_t i = 0; i < n; ++i)
      for (const std::int64_t j : p.row(i))
        EXPECT_EQ(products[static_cast<std::size_t>(positions[k++])], entry(i, j)) << i << " " << j;
    EXPECT_EQ(k, positions.size());
  }
}

TEST(coloring, bands_need_as_many_colors_as_they_are_wide_whatever_the_size) {
  for (const std::int64_t n : {20, 200, 5000})
    for (const auto& [lower, upper] : {Entry{0, 0}, Entry{1, 1}, Entry{2, 1}, Entry{0, 4}, Entry{3, 3}}) {
      const SparsityPattern p = SparsityPattern::banded(n, lower, upper);
      EXPECT_EQ(p.column_coloring().num_colors, lower + upper + 1);
      EXPECT_EQ(p.row_coloring().num_colors, lower + upper + 1);
      if (lower == upper) {
        EXPECT_LE(p.symmetric_coloring().num_colors, lower + upper + 1);
      }
    }
}

TEST(coloring, a_symmetric_arrow_takes_two_products_and_a_jacobian_like_it_as_many_as_columns) {
  constexpr std::int64_t kSize = 20000;
  std::vector<Entry> arrow;
  for (std::int64_t i = 0; i < kSize; ++i) {
    arrow.emplace_back(i, i);
    arrow.emplace_back(0, i);
    arrow.emplace_back(i, 0);
  }
  const SparsityPattern p(kSize, kSize, arrow);
  EXPECT_EQ(p.symmetric_coloring().num_colors, 2);
  EXPECT_EQ(p.column_coloring().num_colors, kSize);
}

TEST(coloring, dense_rows_and_matrices_leave_nothing_to_choose) {
  EXPECT_EQ(SparsityPattern::dense(3000, 2000).column_coloring().num_colors, 2000);
  EXPECT_EQ(SparsityPattern::dense(2000, 2000).symmetric_coloring().num_colors, 2000);
  // All rows are the same one.
  EXPECT_EQ(SparsityPattern::dense(1, 5).column_coloring().num_colors, 5);
}

TEST(coloring, a_pattern_always_gets_the_same_colors) {
  Random random;
  const SparsityPattern p = random_pattern(random, 40, 40, 100, true);
  const SparsityPattern copy = SparsityPattern::from_csr(40, 40, p.offsets(), p.columns());
  EXPECT_EQ(p.column_coloring().colors, copy.column_coloring().colors);
  EXPECT_EQ(p.symmetric_coloring().colors, copy.symmetric_coloring().colors);
  EXPECT_EQ(&p.column_coloring(), &SparsityPattern(p).column_coloring());
}

}  // namespace
}  // namespace weft::transforms
