#include "weft/base/small_vector.h"

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <string>
#include <vector>

namespace weft {
namespace {

// Counts live objects and copies, so that leaks and needless copies show.
struct Counted {
  static inline int live = 0;
  static inline int copies = 0;
  int value = 0;
  Counted() { ++live; }
  Counted(int v) : value(v) { ++live; }
  Counted(const Counted& o) : value(o.value) { ++live, ++copies; }
  Counted(Counted&& o) noexcept : value(std::exchange(o.value, -1)) { ++live; }
  Counted& operator=(const Counted& o) = default;
  Counted& operator=(Counted&& o) noexcept = default;
  ~Counted() { --live; }
  friend bool operator==(const Counted& a, const Counted& b) { return a.value == b.value; }
};

using Small = SmallVector<Counted, 3>;

template <class V>
std::vector<int> values(const V& v) {
  std::vector<int> out;
  for (const auto& x : v) out.push_back(x.value);
  return out;
}

// True when the elements lie inside the object itself.
template <class T, std::size_t N>
bool is_inline(const SmallVector<T, N>& v) {
  const auto* p = reinterpret_cast<const unsigned char*>(v.data());
  const auto* o = reinterpret_cast<const unsigned char*>(&v);
  return p >= o && p < o + sizeof(v);
}

class small_vector : public testing::Test {
 protected:
  void SetUp() override { Counted::live = Counted::copies = 0; }
  void TearDown() override { EXPECT_EQ(Counted::live, 0); }
};

TEST_F(small_vector, stays_inside_the_object_up_to_its_capacity) {
  Small v;
  EXPECT_TRUE(v.empty());
  for (int i = 0; i < 3; ++i) v.push_back(i);
  EXPECT_TRUE(is_inline(v));
  v.push_back(3);
  EXPECT_FALSE(is_inline(v));
  EXPECT_EQ(values(v), (std::vector<int>{0, 1, 2, 3}));
}

TEST_F(small_vector, growing_moves_and_never_copies) {
  Small v;
  for (int i = 0; i < 100; ++i) v.emplace_back(i);
  EXPECT_EQ(Counted::copies, 0);
  EXPECT_EQ(v.size(), 100u);
  EXPECT_EQ(v.front().value, 0);
  EXPECT_EQ(v.back().value, 99);
}

TEST_F(small_vector, copies_are_independent) {
  for (const int n : {0, 2, 3, 4, 10}) {
    Small a;
    for (int i = 0; i < n; ++i) a.push_back(i);
    Small b = a;
    EXPECT_EQ(a, b);
    b.push_back(7);
    EXPECT_EQ(a.size(), static_cast<std::size_t>(n));
    EXPECT_FALSE(a == b);
    a = b;
    EXPECT_EQ(a, b);
    const Small& self = a;
    a = self;
    EXPECT_EQ(a, b);
  }
}

TEST_F(small_vector, a_moved_from_vector_is_empty_and_usable) {
  for (const int n : {0, 2, 3, 4, 10}) {
    Small a;
    for (int i = 0; i < n; ++i) a.push_back(i);
    Small b = std::move(a);
    EXPECT_EQ(b.size(), static_cast<std::size_t>(n));
    EXPECT_TRUE(a.empty());  // NOLINT: the state after a move is part of the contract
    a.push_back(5);
    EXPECT_EQ(values(a), std::vector<int>{5});
    a = std::move(b);
    EXPECT_EQ(a.size(), static_cast<std::size_t>(n));
    EXPECT_TRUE(b.empty());
  }
  EXPECT_EQ(Counted::copies, 0);
}

TEST_F(small_vector, moving_between_inside_and_heap_storage_keeps_the_values) {
  Small small{1, 2};
  Small large{1, 2, 3, 4, 5};
  Small swap = std::move(small);
  small = std::move(large);
  large = std::move(swap);
  EXPECT_EQ(values(small), (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_EQ(values(large), (std::vector<int>{1, 2}));
  EXPECT_FALSE(is_inline(small));
  EXPECT_TRUE(is_inline(large));
}

TEST_F(small_vector, an_element_of_itself_may_be_pushed_while_growing) {
  Small v{1, 2, 3};
  v.push_back(v[0]);
  EXPECT_EQ(values(v), (std::vector<int>{1, 2, 3, 1}));
  SmallVector<std::string, 2> s{std::string(40, 'a'), std::string(40, 'b')};
  s.push_back(s[1]);
  EXPECT_EQ(s[2], std::string(40, 'b'));
  EXPECT_EQ(s[1], std::string(40, 'b'));
}

TEST_F(small_vector, assign_may_take_an_element_of_itself) {
  Small v{7, 8, 9};
  v.assign(5, v[1]);
  EXPECT_EQ(values(v), (std::vector<int>{8, 8, 8, 8, 8}));
}

TEST_F(small_vector, resize_value_initialises_and_destroys) {
  Small v{1, 2};
  v.resize(5);
  EXPECT_EQ(values(v), (std::vector<int>{1, 2, 0, 0, 0}));
  v.resize(1);
  EXPECT_EQ(values(v), std::vector<int>{1});
  EXPECT_EQ(Counted::live, 1);
  v.clear();
  EXPECT_EQ(Counted::live, 0);
  EXPECT_EQ((SmallVector<int, 4>(3)), (SmallVector<int, 4>{0, 0, 0}));
}

TEST_F(small_vector, insert_and_erase_work_at_every_place) {
  for (int n = 0; n <= 5; ++n) {
    for (int at = 0; at <= n; ++at) {
      Small v;
      std::vector<int> expected;
      for (int i = 0; i < n; ++i) v.push_back(i), expected.push_back(i);
      Counted* p = v.insert(v.begin() + at, Counted(77));
      expected.insert(expected.begin() + at, 77);
      EXPECT_EQ(values(v), expected);
      EXPECT_EQ(p - v.begin(), at);
      v.erase(v.begin() + at);
      expected.erase(expected.begin() + at);
      EXPECT_EQ(values(v), expected);
    }
  }
}

TEST_F(small_vector, is_built_from_lists_spans_and_any_iterators) {
  const std::list<int> list{1, 2, 3, 4};
  EXPECT_EQ((SmallVector<int, 2>(list.begin(), list.end())), (SmallVector<int, 2>{1, 2, 3, 4}));
  const std::vector<int> vector{5, 6};
  const SmallVector<int, 2> from_span = std::span<const int>(vector);
  EXPECT_EQ(from_span, (SmallVector<int, 2>{5, 6}));
  const std::span<const int> back = from_span;
  EXPECT_EQ(back.data(), from_span.data());
  EXPECT_EQ(back.size(), 2u);
}

TEST_F(small_vector, holds_types_that_only_move) {
  SmallVector<std::unique_ptr<int>, 2> v;
  for (int i = 0; i < 5; ++i) v.push_back(std::make_unique<int>(i));
  SmallVector<std::unique_ptr<int>, 2> w = std::move(v);
  EXPECT_EQ(*w[4], 4);
  w.erase(w.begin());
  EXPECT_EQ(*w[0], 1);
  w.pop_back();
  EXPECT_EQ(w.size(), 3u);
}

}  // namespace
}  // namespace weft
