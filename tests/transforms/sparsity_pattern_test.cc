#include "weft/transforms/sparsity_pattern.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft {
namespace {

using weft::testing::error_of;
using Indices = std::vector<std::int64_t>;

Indices list(std::span<const std::int64_t> s) { return {s.begin(), s.end()}; }

TEST(sparsity_pattern, entries_come_in_any_order_and_count_once) {
  const SparsityPattern p(3, 4, {{2, 1}, {0, 3}, {2, 0}, {0, 3}});
  EXPECT_EQ(p.nnz(), 3);
  EXPECT_EQ(list(p.offsets()), (Indices{0, 1, 1, 3}));
  EXPECT_EQ(list(p.columns()), (Indices{3, 0, 1}));
  EXPECT_EQ(p.row_indices(), (Indices{0, 2, 2}));
  EXPECT_TRUE(p.contains(2, 1));
  EXPECT_FALSE(p.contains(1, 1));
  EXPECT_FALSE(p.contains(-1, 7));
  EXPECT_EQ(list(p.row(2)), (Indices{0, 1}));
  EXPECT_TRUE(p.row(1).empty());
}

TEST(sparsity_pattern, every_way_to_make_one_gives_the_same) {
  const SparsityPattern p(2, 3, {{0, 0}, {0, 2}, {1, 1}});
  EXPECT_EQ(SparsityPattern(np::array({{true, false, true}, {false, true, false}})), p);
  EXPECT_EQ(SparsityPattern(np::array({{0.5, 0.0, -1.0}, {0.0, std::nan(""), 0.0}})), p);
  EXPECT_EQ(SparsityPattern(lax::complex(np::array({{1.0, 0.0, 0.0}, {0.0, 2.0, 0.0}}),
                                         np::array({{1.0, 0.0, 2.0}, {0.0, 0.0, 0.0}}))),
            p);
  EXPECT_EQ(SparsityPattern::from_csr(2, 3, Indices{0, 3, 4}, Indices{2, 0, 2, 1}), p);
  EXPECT_EQ(p.transposed().transposed(), p);
  EXPECT_EQ(p.transposed(), SparsityPattern(3, 2, {{0, 0}, {1, 1}, {2, 0}}));
  EXPECT_EQ(std::hash<SparsityPattern>()(p), std::hash<SparsityPattern>()(p.transposed().transposed()));
  EXPECT_NE(p, p.transposed());
  EXPECT_EQ(SparsityPattern::banded(3, 0, 0), SparsityPattern(3, 3, {{0, 0}, {1, 1}, {2, 2}}));
  EXPECT_EQ(SparsityPattern::banded(3, 1, 0), SparsityPattern(np::tri(3) - np::tri(3, 3, -2)));
  EXPECT_EQ(SparsityPattern::banded(3, 9, 9), SparsityPattern::dense(3, 3));
}

TEST(sparsity_pattern, may_be_empty) {
  EXPECT_EQ(SparsityPattern().str(), "SparsityPattern 0 x 0, 0 entries");
  EXPECT_EQ(SparsityPattern(np::zeros({0, 3})), SparsityPattern(0, 3, {}));
  EXPECT_EQ(SparsityPattern(2, 0, {}).transposed(), SparsityPattern(0, 2, {}));
  EXPECT_EQ(SparsityPattern::banded(0, 1, 1).nnz(), 0);
  EXPECT_EQ(SparsityPattern(2, 3, {}).column_coloring().num_colors, 0);
  EXPECT_EQ(SparsityPattern(2, 2, {}).symmetric_coloring().colors, (std::vector<std::int32_t>{-1, -1}));
}

TEST(sparsity_pattern, prints_a_picture) {
  EXPECT_EQ(SparsityPattern::banded(4, 1, 0).str(),
            "SparsityPattern 4 x 4, 7 entries\n"
            "x...\n"
            "xx..\n"
            ".xx.\n"
            "..xx");
  EXPECT_EQ(SparsityPattern(1, 2, {{0, 1}}).str(), "SparsityPattern 1 x 2, 1 entry\n.x");
  const std::string large = SparsityPattern::banded(100, 0, 0).str();
  EXPECT_EQ(large.substr(0, large.find("\n...")), "SparsityPattern 100 x 100, 100 entries, in blocks of 5 x 3\nxx" +
                                                      std::string(32, '.') + "\n.xxx" + std::string(30, '.'));
  std::ostringstream out;
  out << SparsityPattern(0, 5, {});
  EXPECT_EQ(out.str(), "SparsityPattern 0 x 5, 0 entries");
}

TEST(sparsity_pattern, mistakes_name_the_line) {
  try {
    SparsityPattern(2, 2, {{2, 0}});
    FAIL();
  } catch (const IndexError& e) {
    EXPECT_EQ(e.location().str(), "sparsity_pattern_test.cc:" + std::to_string(__LINE__ - 3));
  }
}

TEST(sparsity_pattern, mistakes_name_what_was_got) {
  EXPECT_EQ(error_of([] { SparsityPattern(2, 3, {{0, 3}}); }),
            "IndexError: SparsityPattern: entries must be inside of the matrix; got (0, 3) for 2 x 3.");
  EXPECT_EQ(error_of([] { SparsityPattern(-1, 3, {}); }),
            "ValueError: SparsityPattern: sizes must not be negative; got -1 x 3.");
  EXPECT_EQ(error_of([] { SparsityPattern(np::ones({3})); }),
            "ShapeError: SparsityPattern: the matrix must have two axes; got f32[3].");
  EXPECT_EQ(error_of([] { SparsityPattern::banded(3, -1, 0); }),
            "ValueError: SparsityPattern: a band must have no negative number of diagonals; got -1 below and 0 above "
            "the main one.");
  EXPECT_EQ(error_of([] { SparsityPattern::from_csr(2, 2, Indices{0, 2, 1}, Indices{0}); }),
            "ValueError: SparsityPattern: offsets must be one more than there are rows, and ascend from 0 to the "
            "number of entries; got 3 offsets for 2 x 2 with 1 entry.");
  EXPECT_EQ(error_of([] { SparsityPattern::from_csr(1, 2, Indices{0, 1}, Indices{-1}); }),
            "IndexError: SparsityPattern: entries must be inside of the matrix; got (0, -1) for 1 x 2.");
  EXPECT_EQ(error_of([] { SparsityPattern::dense(std::int64_t{1} << 40, std::int64_t{1} << 40); }),
            "ValueError: SparsityPattern: there must be at most 2^32 entries; got 1099511627776 x 1099511627776.");
  EXPECT_EQ(error_of([] { SparsityPattern(1, 1, {}).row(1); }),
            "IndexError: SparsityPattern: the row must be inside of the matrix; got row 1 of 1 x 1.");
  EXPECT_THROW(jit([](Array x) { return x * SparsityPattern(x).nnz(); })(np::ones({2, 2})), ConcretizationError);
}

}  // namespace
}  // namespace weft
