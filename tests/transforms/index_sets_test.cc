#include "weft/transforms/index_sets.h"

#include <gtest/gtest.h>

#include <set>

#include "weft/base/error.h"

namespace weft::transforms {
namespace {

using Id = IndexSets::Id;

std::vector<std::int32_t> members(const IndexSets& sets, Id id) {
  const auto e = sets.elements(id);
  return {e.begin(), e.end()};
}

TEST(index_sets, equal_sets_have_equal_ids_however_they_came_about) {
  IndexSets sets(6);
  const auto single = IndexSets::single;
  const Id ab = sets.unite(single(0), single(1)), bc = sets.unite(single(1), single(2));
  EXPECT_EQ(sets.unite(single(1), single(0)), ab);
  const Id abc = sets.unite(ab, bc);
  EXPECT_EQ(members(sets, abc), (std::vector<std::int32_t>{0, 1, 2}));
  EXPECT_EQ(sets.unite(ab, single(2)), abc);
  const std::vector<Id> three{single(2), single(0), IndexSets::kEmpty, single(1), single(2)};
  EXPECT_EQ(sets.unite(three), abc);
  EXPECT_EQ(sets.unite(abc, ab), abc);
  EXPECT_EQ(sets.unite(std::vector<Id>{ab, abc, bc}), abc);
  EXPECT_EQ(sets.unite(IndexSets::kEmpty, single(3)), single(3));
  EXPECT_EQ(sets.unite(std::vector<Id>{}), IndexSets::kEmpty);
  EXPECT_TRUE(members(sets, IndexSets::kEmpty).empty());
}

TEST(index_sets, unions_are_those_of_sets) {
  constexpr int kSize = 40;
  IndexSets sets(kSize);
  std::vector<Id> ids{IndexSets::kEmpty};
  std::vector<std::set<std::int32_t>> expected{{}};
  for (int i = 0; i < kSize; ++i) {
    ids.push_back(IndexSets::single(i));
    expected.push_back({i});
  }
  std::uint32_t state = 1;
  const auto next = [&] { return (state = state * 1664525 + 1013904223) >> 8; };
  for (int round = 0; round < 2000; ++round) {
    std::vector<Id> some;
    std::set<std::int32_t> want;
    for (std::uint32_t k = next() % 5; k-- > 0;) {
      const std::size_t which = next() % ids.size();
      some.push_back(ids[which]);
      want.insert(expected[which].begin(), expected[which].end());
    }
    const Id id = some.size() == 2 ? sets.unite(some[0], some[1]) : sets.unite(some);
    ASSERT_EQ(members(sets, id), std::vector<std::int32_t>(want.begin(), want.end()));
    for (std::size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(ids[i] == id, expected[i] == want);
    if (want.size() < 30 && ids.size() < 400) {
      ids.push_back(id);
      expected.push_back(want);
    }
  }
}

TEST(index_sets, a_union_that_was_made_before_costs_nothing) {
  IndexSets sets(100);
  for (int i = 0; i + 1 < 100; ++i) sets.unite(IndexSets::single(i), IndexSets::single(i + 1));
  const std::int64_t once = sets.work();
  EXPECT_EQ(once, 2 * 99);
  for (int i = 0; i + 1 < 100; ++i) sets.unite(IndexSets::single(i + 1), IndexSets::single(i));
  EXPECT_EQ(sets.work(), once);
}

TEST(index_sets, a_small_set_is_looked_up_in_a_large_one) {
  IndexSets sets(1000);
  std::vector<Id> even;
  for (int i = 0; i < 1000; i += 2) even.push_back(IndexSets::single(i));
  const Id large = sets.unite(even);
  const std::int64_t before = sets.work();
  EXPECT_EQ(sets.unite(large, IndexSets::single(998)), large);
  EXPECT_EQ(sets.work(), before + 1);
  const Id more = sets.unite(IndexSets::single(7), large);
  EXPECT_EQ(sets.elements(more).size(), 501u);
}

TEST(index_sets, more_than_can_be_numbered_is_refused) {
  EXPECT_THROW(IndexSets(std::int64_t{1} << 31), ValueError);
  EXPECT_THROW(IndexSets(-1), ValueError);
  IndexSets none(0);
  EXPECT_EQ(none.unite(std::vector<Id>{}), IndexSets::kEmpty);
}

}  // namespace
}  // namespace weft::transforms
