// Reading x(...) and writing x.at(...): values computed with NumPy 1.24, and many random indices against a loop that
// visits every element. Under jit, grad and vmap too.
#include "weft/np/indexing.h"

#include <algorithm>
#include <random>

#include "np/expect.h"

namespace weft {
namespace {

using testing::expect_equal;
using testing::message_of;
using testing::throws;

void expect(const Array& got, const Dims& shape, const std::vector<int>& values,
            std::source_location at = std::source_location::current()) {
  const ::testing::ScopedTrace trace(at.file_name(), static_cast<int>(at.line()), "expected here");
  EXPECT_EQ(got.aval().str(), Aval(i32, shape).str());
  EXPECT_EQ(got.to_vector<int>(), values);
}

/// 0 ... 23 in shape [2, 3, 4].
const Array& cube() {
  static const Array x = np::reshape(np::arange(24), {2, 3, 4});
  return x;
}
struct Indexers {
  Array ids = np::array({2, 0, 1}), col = np::array({{1}, {0}}), neg = np::array({-1, -3});
  Array m3 = np::array({true, false, true}), none3 = np::array({false, false, false});
  Array m34 = np::reshape(np::arange(12), {3, 4}) % 5 == 2;
  Array mx = cube() % 7 == 3;
};

TEST(indexing, integers_take_one_element_of_an_axis) {
  const Array& x = cube();
  expect(x(1), {3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
  expect(x(-1), {3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
  expect(x(0, 2), {4}, {8, 9, 10, 11});
  expect(x(1, -1, 3), {}, {23});
  expect(x(-2, -3, -4), {}, {0});
}

TEST(indexing, rows_in_braces_are_an_array_of_positions) {
  const Array x = np::arange(10, 16);
  expect(x({{1, 2}, {0, 1}}), {2, 2}, {11, 12, 10, 11});
  expect(x({{1}, {0}}), {2, 1}, {11, 10});
  expect(x({{3, 4, 5}}), {1, 3}, {13, 14, 15});
  expect(x({{0}}), {1, 1}, {10});
  expect(x({{}, {}}), {2, 0}, {});
  expect(x({}), {0}, {});
  const std::int64_t one = 1;
  const std::size_t two = 2;
  expect(x({one, 2}), {2}, {11, 12});
  expect(x({two, two}), {2}, {12, 12});
  expect(x({{one, 2}, {3, 4}}), {2, 2}, {11, 12, 13, 14});
  expect(cube()({{1, 0}}, slice(), {{0}, {3}})(0), {2, 3}, {12, 16, 20, 0, 4, 8});
  expect(x.at({{1, 2}, {5, 1}}).set(0), {6}, {10, 0, 0, 13, 14, 0});
  EXPECT_EQ(message_of<ShapeError>([&] { x({{1, 2}, {3}}); }),
            "index: rows in braces must have equal lengths; got rows that differ from the first, of 2 elements.");
}

TEST(indexing, bools_in_braces_are_a_mask) {
  const Array x = np::arange(3);
  expect(x({true, false, true}), {2}, {0, 2});
  expect(x({false, false, false}), {0}, {});
  expect(x(std::array{true, false, true}), {2}, {0, 2});
  expect(np::reshape(np::arange(4), {2, 2})({{true, false}, {true, true}}), {3}, {0, 2, 3});
  expect(cube()({true, false}, {false, true, true}, 0), {2}, {4, 8});
  expect(x.at({true, false, true}).set(9), {3}, {9, 1, 9});
  EXPECT_EQ(message_of<IndexError>([&] { x({true, false}); }),
            "index: a mask must have the sizes of the axes it indexes; got bool[2] at axis 0 of i32[3].");
}

TEST(indexing, unsigned_numbers_do_not_wrap_round) {
  const Array x = np::arange(3);
  const std::vector<int> none;
  const std::string text = "index: an index must be below 2^63; got 18446744073709551615.";
  EXPECT_EQ(message_of<IndexError>([&] { x(none.size() - 1); }), text);
  EXPECT_EQ(message_of<IndexError>([&] { x.at(none.size() - 1).set(0); }), text);
  EXPECT_EQ(message_of<IndexError>([&] { x(slice(none.size() - 1)); }), text);
  EXPECT_EQ(message_of<IndexError>([&] { x(slice(0, none.size() - 1)); }), text);
  EXPECT_EQ(message_of<IndexError>([&] { x(slice({}, {}, none.size() - 1)); }), text);
  EXPECT_EQ(message_of<IndexError>([&] { x(std::size_t{1} << 62); }),
            "index: axis 0 of i32[3] takes indices in [-3, 3); got 4611686018427387904.");
  expect(x(std::size_t{2}), {}, {2});
  expect(x(std::uint8_t{2}), {}, {2});
  expect(x(slice(std::size_t{1}, std::uint32_t{3})), {2}, {1, 2});
  expect(x(slice(std::optional<std::int64_t>(1), {})), {2}, {1, 2});
}

TEST(indexing, slices_take_a_range_with_any_step) {
  const Array& x = cube();
  expect(x(slice(0, 1)), {1, 3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  expect(x(slice(), slice(1, 3)), {2, 2, 4}, {4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23});
  expect(x(slice(), slice(std::nullopt, std::nullopt, 2)), {2, 2, 4},
         {0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23});
  expect(x(slice(), slice(), slice(std::nullopt, std::nullopt, -1)), {2, 3, 4},
         {3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16, 23, 22, 21, 20});
  expect(x(slice(), slice(), slice(3, 0, -2)), {2, 3, 2}, {3, 1, 7, 5, 11, 9, 15, 13, 19, 17, 23, 21});
  expect(x(slice(), slice(-2, std::nullopt), slice(-3, -1)), {2, 2, 2}, {5, 6, 9, 10, 17, 18, 21, 22});
  expect(x(slice(), slice(5, 9)), {2, 0, 4}, {});
  expect(x(slice(), slice(2, 0)), {2, 0, 4}, {});
  expect(x(slice(), slice(), slice(std::nullopt, 1, -1)), {2, 3, 2}, {3, 2, 7, 6, 11, 10, 15, 14, 19, 18, 23, 22});
  expect(x(slice(-9, 9), slice(9, -9, -2), slice(1, 9, 5)), {2, 2, 1}, {9, 1, 21, 13});
  expect(x(0, 0, slice(std::nullopt, std::nullopt, -3)), {2}, {3, 0});
  expect(x(slice(1, 1)), {0, 3, 4}, {});
  expect(x(slice(), slice(), slice(-1, -5, -1)), {2, 3, 4},
         {3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16, 23, 22, 21, 20});
}

TEST(indexing, new_axes_and_the_ellipsis_fill_in) {
  const Array& x = cube();
  expect(x(newaxis, 1), {1, 3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
  expect(x(1, newaxis, 0), {1, 4}, {12, 13, 14, 15});
  expect(x(ellipsis, 0), {2, 3}, {0, 4, 8, 12, 16, 20});
  expect(x(0, ellipsis, 1), {3}, {1, 5, 9});
  expect(x(ellipsis), {2, 3, 4},
         {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
  expect(x(newaxis, ellipsis, newaxis, 2), {1, 2, 3, 1}, {2, 6, 10, 14, 18, 22});
  expect(x(0, 1, 2, newaxis), {1}, {6});
  expect(x(ellipsis, slice(1, 3)), {2, 3, 2}, {1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21, 22});
  expect(x(1, 1, 1, ellipsis), {}, {17});
  expect(x(slice(), newaxis, slice(0, 1), newaxis, 3), {2, 1, 1, 1}, {3, 15});
}

TEST(indexing, an_integer_array_replaces_its_axis) {
  const Array& x = cube();
  const Indexers i;
  expect(x(np::array(1)), {3, 4}, {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
  expect(x(i.col), {2, 1, 3, 4},
         {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  expect(x(slice(), i.ids), {2, 3, 4},
         {8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 16, 17, 18, 19});
  expect(x(slice(), i.neg), {2, 2, 4}, {8, 9, 10, 11, 0, 1, 2, 3, 20, 21, 22, 23, 12, 13, 14, 15});
  expect(x(ellipsis, i.ids), {2, 3, 3}, {2, 0, 1, 6, 4, 5, 10, 8, 9, 14, 12, 13, 18, 16, 17, 22, 20, 21});
  expect(x(0, i.ids), {3, 4}, {8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7});
  expect(x(slice(), i.col), {2, 2, 1, 4}, {4, 5, 6, 7, 0, 1, 2, 3, 16, 17, 18, 19, 12, 13, 14, 15});
  expect(x(slice(), slice(), i.ids), {2, 3, 3}, {2, 0, 1, 6, 4, 5, 10, 8, 9, 14, 12, 13, 18, 16, 17, 22, 20, 21});
  expect(x(1, slice(), i.neg), {2, 3}, {15, 19, 23, 13, 17, 21});
  expect(x(newaxis, slice(), i.ids), {1, 2, 3, 4},
         {8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 16, 17, 18, 19});
}

TEST(indexing, several_integer_arrays_broadcast_together) {
  const Array& x = cube();
  const Indexers i;
  expect(x(i.col, i.ids), {2, 3, 4},
         {20, 21, 22, 23, 12, 13, 14, 15, 16, 17, 18, 19, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7});
  expect(x(i.col, i.ids, i.ids), {2, 3}, {22, 12, 17, 10, 0, 5});
  expect(x(slice(), i.ids, i.ids), {2, 3}, {10, 0, 5, 22, 12, 17});
  expect(x(slice(), i.col, i.ids), {2, 2, 3}, {6, 4, 5, 2, 0, 1, 18, 16, 17, 14, 12, 13});
  expect(x(i.col, i.neg, 3), {2, 2}, {23, 15, 11, 3});
  expect(x(slice(), i.neg, i.neg), {2, 2}, {11, 1, 23, 13});
  expect(x(0, i.ids, i.ids), {3}, {10, 0, 5});
  expect(x(1, i.col, 2), {2, 1}, {18, 14});
}

TEST(indexing, arrays_apart_put_their_axes_in_front) {
  const Array& x = cube();
  const Indexers i;
  expect(x(i.col, slice(), i.ids), {2, 3, 3}, {14, 18, 22, 12, 16, 20, 13, 17, 21, 2, 6, 10, 0, 4, 8, 1, 5, 9});
  expect(x(i.col, slice(0, 3, 2), i.ids), {2, 3, 2}, {14, 22, 12, 20, 13, 21, 2, 10, 0, 8, 1, 9});
  expect(x(0, slice(), i.ids), {3, 3}, {2, 6, 10, 0, 4, 8, 1, 5, 9});
  expect(x(i.col, newaxis, i.ids), {2, 3, 1, 4},
         {20, 21, 22, 23, 12, 13, 14, 15, 16, 17, 18, 19, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7});
  expect(x(slice(), i.ids, newaxis, i.ids), {3, 2, 1}, {10, 22, 0, 12, 5, 17});
  expect(x(i.col, ellipsis, 1), {2, 1, 3}, {13, 17, 21, 1, 5, 9});
  expect(x(1, newaxis, i.ids), {3, 1, 4}, {20, 21, 22, 23, 12, 13, 14, 15, 16, 17, 18, 19});
  expect(x(slice(), 0, slice(std::nullopt, std::nullopt, -1)), {2, 4}, {3, 2, 1, 0, 15, 14, 13, 12});
  expect(x(0, slice(std::nullopt, std::nullopt, -1), i.neg), {2, 3}, {11, 7, 3, 9, 5, 1});
  expect(x(i.col, slice(std::nullopt, std::nullopt, -2), i.neg), {2, 2, 2}, {23, 15, 21, 13, 11, 3, 9, 1});
}

TEST(indexing, bool_arrays_take_the_true_positions) {
  const Array& x = cube();
  const Indexers i;
  expect(x(slice(), i.m3), {2, 2, 4}, {0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23});
  expect(x(slice(), i.m34), {2, 2}, {2, 7, 14, 19});
  expect(x(i.mx), {3}, {3, 10, 17});
  expect(x(ellipsis, i.m34), {2, 2}, {2, 7, 14, 19});
  expect(x(0, i.m3), {2, 4}, {0, 1, 2, 3, 8, 9, 10, 11});
  expect(x(0, i.m34), {2}, {2, 7});
  expect(x(1, i.m3, slice(0, 2)), {2, 2}, {12, 13, 20, 21});
  expect(x(slice(), i.m3, newaxis), {2, 2, 1, 4}, {0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23});
  expect(x(slice(), i.none3), {2, 0, 4}, {});
  expect(x(slice(), i.m3, i.neg), {2, 2}, {3, 9, 15, 21});
}

// As in JAX. NumPy takes even an empty ellipsis for something in between.
TEST(indexing, an_ellipsis_of_no_axes_does_not_part_neighbours) {
  const Array b = np::array({0, 1, 2});
  expect(cube()(slice(), b, ellipsis, b), {2, 3}, {0, 5, 10, 12, 17, 22});
}

TEST(indexing, of_a_scalar_and_of_nothing) {
  const Array s = np::array(7);
  expect(s(ellipsis), {}, {7});
  expect(s(newaxis, newaxis), {1, 1}, {7});
  EXPECT_TRUE(throws<IndexError>([&] { return s(0); }));
  const Array none = np::zeros({0, 3}, i32);
  expect(none(slice(std::nullopt, std::nullopt, -1)), {0, 3}, {});
  expect(none(slice(), 1), {0}, {});
  expect(none(np::zeros({0}, i32)), {0, 3}, {});
  expect(none(slice(), np::array({2, 2})), {0, 2}, {});
  expect(none.at(np::zeros({0}, i32)).set(1), {0, 3}, {});
  EXPECT_EQ(message_of<IndexError>([&] { return none(np::array({0, 0})); }),
            "index: axis 0 of i32[0,3] has no elements; got 2 indices.");
  EXPECT_EQ(message_of<IndexError>([] { return np::zeros({0, 3}, i32)(np::array({5})); }),
            "index: axis 0 of i32[0,3] has no elements; got 1 index.");
  EXPECT_EQ(message_of<IndexError>([] { return np::take(np::zeros({0}, i32), 5); }),
            "take: axis 0 of i32[0] has no elements; got 1 index.");
  EXPECT_TRUE(throws<IndexError>([&] { return none(0); }));
}

TEST(indexing, extreme_slices_are_clamped) {
  const std::int64_t lo = std::numeric_limits<std::int64_t>::min(), hi = std::numeric_limits<std::int64_t>::max();
  const Array x = np::arange(5);
  expect(x(slice(lo, hi)), {5}, {0, 1, 2, 3, 4});
  expect(x(slice(hi, lo, -1)), {5}, {4, 3, 2, 1, 0});
  expect(x(slice(lo, hi, hi)), {1}, {0});
  expect(x(slice(hi, lo, lo)), {1}, {4});
  expect(x(slice(hi, lo)), {0}, {});
  EXPECT_TRUE(throws<ValueError>([&] { return x(slice(0, 3, 0)); }));
  EXPECT_TRUE(throws<IndexError>([&] { return x(hi); }));
  EXPECT_TRUE(throws<IndexError>([&] { return x(lo); }));
}

TEST(indexing, index_arrays_may_have_any_integer_type) {
  const Array x = np::arange(300);
  for (const DType t : {i8, i16, i32, i64, u8, u16, u32, u64}) expect(x(np::array({3, 100, 0}, t)), {3}, {3, 100, 0});
  for (const DType t : {i8, i16, i32, i64}) expect(x(np::array({-1, -128}, t)), {2}, {299, 172});
  // Read as what they are, not as what an i32 makes of them.
  expect(x(Array(std::vector<std::uint64_t>{~std::uint64_t{0}, 5})), {2}, {299, 5});
  expect(x(Array(std::vector<std::uint32_t>{4294967295u})), {1}, {299});
  expect(x(Array(std::vector<std::int64_t>{std::int64_t{1} << 32, -(std::int64_t{1} << 40)})), {2}, {299, 0});
}

TEST(indexing, what_lies_outside_reads_the_nearest_the_fill_or_nothing) {
  const Array x = np::array({10, 20, 30}), ids = np::array({-4, -3, 2, 3});
  expect(x(ids), {4}, {10, 10, 30, 30});
  expect(x.at(ids).get(), {4}, {10, 10, 30, 30});
  const int lowest = std::numeric_limits<int>::lowest();
  expect(x.at(ids).get(lax::IndexMode::kFillOrDrop), {4}, {lowest, 10, 30, lowest});
  const std::vector<float> f = np::array({1.f, 2.f, 3.f}).at(ids).get(lax::IndexMode::kFillOrDrop).to_vector<float>();
  EXPECT_TRUE(std::isnan(f[0]) && f[1] == 1 && f[2] == 3 && std::isnan(f[3]));
  expect(x.at(ids).set(7), {3}, {7, 20, 7});
  expect(x.at(ids).set(7, lax::IndexMode::kClip), {3}, {7, 20, 7});
  expect(x.at(ids).add(1), {3}, {11, 20, 31});
  expect(x.at(ids).add(1, lax::IndexMode::kClip), {3}, {12, 20, 32});
}

TEST(indexing, at_changes_copies_and_counts_duplicates) {
  const Array x = np::array({1, 2, 3}), twice = np::array({0, 2, 0});
  expect(x.at(twice).set(np::array({7, 8, 9})), {3}, {9, 2, 8});
  expect(x.at(twice).add(np::array({7, 8, 9})), {3}, {17, 2, 11});
  expect(x.at(twice).multiply(np::array({7, 8, 9})), {3}, {63, 2, 24});
  expect(x.at(twice).min(np::array({7, -8, 0})), {3}, {0, 2, -8});
  expect(x.at(twice).max(np::array({7, -8, 0})), {3}, {7, 2, 3});
  expect(x.at(1).set(5), {3}, {1, 5, 3});
  expect(x.at(-1).add(5), {3}, {1, 2, 8});
  expect(x, {3}, {1, 2, 3});
}

TEST(indexing, at_takes_every_kind_of_index) {
  const Array z = np::zeros({2, 3}, i32);
  expect(z.at(slice(), 1).set(np::array({5, 6})), {2, 3}, {0, 5, 0, 0, 6, 0});
  expect(z.at(slice(std::nullopt, std::nullopt, -1), 0).set(np::array({5, 6})), {2, 3}, {6, 0, 0, 5, 0, 0});
  expect(z.at(slice(), slice(std::nullopt, std::nullopt, -2)).add(np::array({1, 2})), {2, 3}, {2, 0, 1, 2, 0, 1});
  expect(z.at(np::array({{true, false, true}, {false, true, false}})).set(np::array({1, 2, 3})), {2, 3},
         {1, 0, 2, 0, 3, 0});
  expect(z.at(ellipsis).set(4), {2, 3}, {4, 4, 4, 4, 4, 4});
  expect(z.at(newaxis, 1).set(np::array({{1, 2, 3}})), {2, 3}, {0, 0, 0, 1, 2, 3});
  expect(z.at(np::array({0, 1}), np::array({2, 0})).add(np::array({1, 2})), {2, 3}, {0, 0, 1, 2, 0, 0});
  expect(z.at(slice(2, 0)).set(9), {2, 3}, {0, 0, 0, 0, 0, 0});
  expect(z.at(1, 2).max(3), {2, 3}, {0, 0, 0, 0, 0, 3});
  EXPECT_TRUE(throws<ShapeError>([&] { return z.at(0).set(np::array({1, 2})); }));
  EXPECT_TRUE(throws<DTypeError>([&] { return z.at(0).set(np::array({1.5f, 2.f, 3.f})); }));
  EXPECT_TRUE(throws<IndexError>([&] { return z.at(2).set(1); }));
}

TEST(indexing, a_mask_of_no_axes_adds_one) {
  const Array x = np::array({1, 2});
  expect(x(Array(true)), {1, 2}, {1, 2});
  expect(x(Array(false)), {0, 2}, {});
  expect(x.at(Array(true)).set(5), {2}, {5, 5});
  expect(x.at(Array(false)).set(5), {2}, {1, 2});
}

// ---- many random indices against a loop ----

/// One entry of a random index, as the loop sees it.
struct Entry {
  enum Kind { kInteger, kRange, kNewAxis, kArray, kMask, kEllipsis } kind;
  std::vector<std::int64_t> along = {};  // positions on the axis, for integers and ranges
  Dims shape = {};                       // of an array or mask
  std::vector<std::int64_t> values = {};
};

struct Case {
  Dims x_shape;
  std::vector<Entry> entries;
  Indices indices;
  bool distinct = true;  // set by the loop: no element is named twice
};

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::int64_t in(std::int64_t lo, std::int64_t hi) {  // both included
    return lo + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(hi - lo + 1));
  }

 private:
  std::mt19937_64 engine_;
};

Case random_case(Random& random) {
  Case c;
  const std::int64_t rank = random.in(1, 4);
  for (std::int64_t i = 0; i < rank; ++i) c.x_shape.push_back(random.in(1, 4));
  // The arrays of one index broadcast together.
  const std::int64_t n = random.in(1, 3), m = random.in(1, 3);
  const std::vector<Dims> shapes = {{}, {1}, {n}, {m, 1}, {m, n}, {1, n}};
  bool ellipsis_used = false, masked = false;
  std::size_t axis = 0;
  const auto size = [&] { return c.x_shape[axis]; };
  while (axis < static_cast<std::size_t>(rank) && random.in(0, 9) > 0) {
    switch (random.in(0, 7)) {
      case 0: {
        const std::int64_t i = random.in(-size(), size() - 1);
        c.indices.push_back(Index(i));
        c.entries.push_back({Entry::kInteger, {i < 0 ? i + size() : i}});
        ++axis;
        break;
      }
      case 1:
      case 2: {
        std::optional<std::int64_t> start, stop, step;
        if (random.in(0, 2)) start = random.in(-6, 6);
        if (random.in(0, 2)) stop = random.in(-6, 6);
        if (random.in(0, 1)) step = random.in(0, 1) ? random.in(1, 3) : random.in(-3, -1);
        c.indices.push_back(Index(slice(start, stop, step)));
        // Python's definition: clamp into the axis, then walk.
        const std::int64_t d = step.value_or(1), last = size() - 1;
        const auto fix = [&](std::int64_t v) {
          if (v < 0) v += size();
          return d > 0 ? std::clamp<std::int64_t>(v, 0, size()) : std::clamp<std::int64_t>(v, -1, last);
        };
        const std::int64_t from = start ? fix(*start) : d > 0 ? 0 : last, to = stop ? fix(*stop) : d > 0 ? size() : -1;
        Entry e{Entry::kRange};
        for (std::int64_t i = from; d > 0 ? i < to : i > to; i += d) e.along.push_back(i);
        c.entries.push_back(e);
        ++axis;
        break;
      }
      case 3:
        c.indices.push_back(Index(newaxis));
        c.entries.push_back({Entry::kNewAxis});
        break;
      case 4:
      case 5: {
        Entry e{Entry::kArray, {}, shapes[static_cast<std::size_t>(random.in(0, 5))]};
        std::vector<int> raw;
        for (std::int64_t i = 0; i < product(e.shape); ++i) {
          raw.push_back(static_cast<int>(random.in(-size(), size() - 1)));
          e.values.push_back(raw.back() < 0 ? raw.back() + size() : raw.back());
        }
        c.indices.push_back(Index(Array::from_vector(raw, e.shape)));
        c.entries.push_back(e);
        ++axis;
        break;
      }
      case 6: {
        // A mask has as many places as it has true elements, which must broadcast with the other arrays.
        if (masked) break;
        masked = true;
        Entry e{Entry::kMask};
        const std::int64_t axes = random.in(1, std::min<std::int64_t>(2, rank - static_cast<std::int64_t>(axis)));
        for (std::int64_t i = 0; i < axes; ++i) e.shape.push_back(c.x_shape[axis + static_cast<std::size_t>(i)]);
        e.values.assign(static_cast<std::size_t>(product(e.shape)), 0);
        const std::int64_t wanted = std::min<std::int64_t>(random.in(0, 1) ? n : 1, product(e.shape));
        for (std::int64_t have = 0; have < wanted;) {
          std::int64_t& v = e.values[static_cast<std::size_t>(random.in(0, product(e.shape) - 1))];
          have += v == 0;
          v = 1;
        }
        if (wanted != 1 && wanted != n) break;  // too small an array for the size that fits
        std::vector<bool> mask(e.values.begin(), e.values.end());
        c.indices.push_back(Index(Array::from_vector(mask, e.shape)));
        axis += e.shape.size();
        c.entries.push_back(e);
        break;
      }
      default: {
        if (ellipsis_used) break;
        ellipsis_used = true;
        // As many axes as a random number of them leaves for what follows, which fills up to the end below.
        c.indices.push_back(Index(ellipsis));
        c.entries.push_back({Entry::kEllipsis});
        const std::int64_t skip = random.in(0, rank - static_cast<std::int64_t>(axis));
        for (std::int64_t i = 0; i < skip; ++i, ++axis) {
          Entry e{Entry::kRange};
          for (std::int64_t j = 0; j < size(); ++j) e.along.push_back(j);
          c.entries.push_back(e);
        }
        break;
      }
    }
  }
  for (; axis < static_cast<std::size_t>(rank); ++axis) {
    Entry e{Entry::kRange};
    for (std::int64_t j = 0; j < size(); ++j) e.along.push_back(j);
    c.entries.push_back(e);
    // After an ellipsis the rest must be named.
    if (ellipsis_used) c.indices.push_back(Index(slice()));
  }
  return c;
}

/// Shape of the result, and for each of its elements the row-major place in x.
std::pair<Dims, std::vector<std::int64_t>> places(Case& c) {
  // Masks become one array of positions per axis.
  std::vector<Entry> entries;
  for (const Entry& e : c.entries) {
    if (e.kind == Entry::kEllipsis) continue;
    if (e.kind != Entry::kMask) {
      entries.push_back(e);
      continue;
    }
    const Dims strides = row_major_strides(e.shape);
    for (std::size_t a = 0; a < e.shape.size(); ++a) {
      Entry positions{Entry::kArray};
      for (std::size_t i = 0; i < e.values.size(); ++i)
        if (e.values[i]) positions.values.push_back(static_cast<std::int64_t>(i) / strides[a] % e.shape[a]);
      positions.shape = {static_cast<std::int64_t>(positions.values.size())};
      entries.push_back(positions);
    }
  }
  Dims common;
  bool any_array = false;
  for (const Entry& e : entries) {
    if (e.kind != Entry::kArray) continue;
    any_array = true;
    while (common.size() < e.shape.size()) common.insert(common.begin(), 1);
    for (std::size_t i = 0; i < e.shape.size(); ++i)
      if (e.shape[i] != 1) common[common.size() - e.shape.size() + i] = e.shape[i];
  }
  const auto advanced = [&](const Entry& e) {
    return e.kind == Entry::kArray || (any_array && e.kind == Entry::kInteger);
  };
  std::size_t first = entries.size(), last = 0;
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (advanced(entries[i])) first = std::min(first, i), last = i;
  bool together = any_array;
  for (std::size_t i = first; any_array && i <= last; ++i) together &= advanced(entries[i]);
  Dims shape;
  std::size_t common_at = 0;
  if (any_array && !together) shape.append(common.begin(), common.end());
  std::vector<std::size_t> axis_of(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (together && i == first) {
      common_at = shape.size();
      shape.append(common.begin(), common.end());
    }
    axis_of[i] = shape.size();
    if (entries[i].kind == Entry::kRange) shape.push_back(static_cast<std::int64_t>(entries[i].along.size()));
    if (entries[i].kind == Entry::kNewAxis) shape.push_back(1);
  }
  std::vector<std::int64_t> found;
  const Dims out_strides = row_major_strides(shape), x_strides = row_major_strides(c.x_shape);
  for (std::int64_t n = 0; n < product(shape); ++n) {
    const auto at = [&](std::size_t axis) { return n / out_strides[axis] % shape[axis]; };
    std::int64_t place = 0;
    std::size_t x_axis = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const Entry& e = entries[i];
      if (e.kind == Entry::kNewAxis) continue;
      std::int64_t position = 0;
      if (e.kind == Entry::kInteger) position = e.along[0];
      if (e.kind == Entry::kRange) position = e.along[static_cast<std::size_t>(at(axis_of[i]))];
      if (e.kind == Entry::kArray) {
        std::int64_t k = 0;
        for (std::size_t d = 0; d < e.shape.size(); ++d) {
          const std::int64_t j = at(common_at + common.size() - e.shape.size() + d);
          k = k * e.shape[d] + (e.shape[d] == 1 ? 0 : j);
        }
        position = e.values[static_cast<std::size_t>(k)];
      }
      place += position * x_strides[x_axis++];
    }
    found.push_back(place);
  }
  std::vector<std::int64_t> sorted(found);
  std::sort(sorted.begin(), sorted.end());
  c.distinct = std::unique(sorted.begin(), sorted.end()) == sorted.end();
  return {shape, found};
}

/// Different small numbers, exact in float.
Array numbers(const Dims& shape, int seed) {
  std::vector<float> v;
  for (std::int64_t i = 0; i < product(shape); ++i) v.push_back(static_cast<float>((i * 37 + seed * 11) % 101 - 50));
  return Array::from_vector(v, shape);
}

constexpr int kCases = 400;

TEST(indexing, random_indices_read_what_a_loop_reads) {
  Random random(1);
  int arrays = 0;
  for (int i = 0; i < kCases; ++i) {
    Case c = random_case(random);
    const auto [shape, found] = places(c);
    const std::vector<float> x = numbers(c.x_shape, i).to_vector<float>();
    std::vector<float> want;
    for (const std::int64_t p : found) want.push_back(x[static_cast<std::size_t>(p)]);
    const Array got = np::index(numbers(c.x_shape, i), c.indices);
    ASSERT_EQ(shape_str(got.shape()), shape_str(shape)) << "case " << i << " of " << shape_str(c.x_shape);
    ASSERT_EQ(got.to_vector<float>(), want) << "case " << i << " of " << shape_str(c.x_shape);
    for (const Entry& e : c.entries) arrays += e.kind == Entry::kArray || e.kind == Entry::kMask;
  }
  EXPECT_GT(arrays, kCases / 2);
}

TEST(indexing, random_updates_write_what_a_loop_writes) {
  Random random(2);
  int duplicates = 0;
  for (int i = 0; i < kCases; ++i) {
    Case c = random_case(random);
    const auto [shape, found] = places(c);
    const Array x = numbers(c.x_shape, i), v = numbers(shape, i + 1);
    const std::vector<float> old = x.to_vector<float>(), values = v.to_vector<float>();
    const IndexUpdate at(x, c.indices);
    const auto check = [&](const Array& got, auto combine, const char* what) {
      std::vector<float> want(old);
      for (std::size_t n = 0; n < found.size(); ++n) {
        float& y = want[static_cast<std::size_t>(found[n])];
        y = combine(y, values[n]);
      }
      ASSERT_EQ(got.to_vector<float>(), want) << what << ", case " << i << " of " << shape_str(c.x_shape);
    };
    check(at.set(v), [](float, float b) { return b; }, "set");
    check(at.add(v), [](float a, float b) { return a + b; }, "add");
    check(at.multiply(v), [](float a, float b) { return a * b; }, "multiply");
    check(at.min(v), [](float a, float b) { return std::min(a, b); }, "min");
    check(at.max(v), [](float a, float b) { return std::max(a, b); }, "max");
    EXPECT_EQ(at.get().to_vector<float>(), np::index(x, c.indices).to_vector<float>());
    EXPECT_EQ(x.to_vector<float>(), old);
    duplicates += !c.distinct;
  }
  EXPECT_GT(duplicates, kCases / 10);
}

TEST(indexing, random_indices_agree_under_jit_and_vmap) {
  Random random(3);
  for (int i = 0; i < kCases / 4; ++i) {
    Case c = random_case(random);
    const auto [shape, found] = places(c);
    const Array x = numbers(c.x_shape, i), y = numbers(c.x_shape, i + 5), v = numbers(shape, i + 1);
    const auto read = [&](Array a) { return np::index(a, c.indices); };
    const auto write = [&](Array a, Array b) { return IndexUpdate(a, c.indices).add(b); };
    expect_equal(jit(read)(x), read(x));
    expect_equal(jit(write)(x, v), write(x, v));
    const Array both = np::stack({x, y});
    expect_equal(vmap(read)(both), np::stack({read(x), read(y)}));
    expect_equal(vmap(read, -1)(np::stack({x, y}, -1)), np::stack({read(x), read(y)}));
    expect_equal(vmap(write)(both, np::stack({v, v + 1.0f})), np::stack({write(x, v), write(y, v + 1.0f)}));
    expect_equal(jit(vmap(read))(both), vmap(jit(read))(both));
  }
}

TEST(indexing, random_indices_have_the_gradient_of_a_loop) {
  Random random(4);
  for (int i = 0; i < kCases / 4; ++i) {
    Case c = random_case(random);
    const auto [shape, found] = places(c);
    const Array x = numbers(c.x_shape, i), w = numbers(shape, i + 2), v = numbers(shape, i + 1),
                u = numbers(c.x_shape, i + 3);
    const std::vector<float> weights = w.to_vector<float>(), outer = u.to_vector<float>();
    const auto size = static_cast<std::size_t>(x.size());
    // Reading: the weight of every result goes back to its element.
    std::vector<float> want(size, 0);
    for (std::size_t n = 0; n < found.size(); ++n) want[static_cast<std::size_t>(found[n])] += weights[n];
    const auto read = [&](Array a) { return np::sum(np::index(a, c.indices) * w); };
    EXPECT_EQ(grad(read)(x).to_vector<float>(), want) << "case " << i;
    EXPECT_EQ(jit(grad(read))(x).to_vector<float>(), want) << "case " << i;
    // Setting: elements that were replaced count no more, and of the values the last one for each.
    std::vector<std::int64_t> winner(size, -1);
    for (std::size_t n = 0; n < found.size(); ++n)
      winner[static_cast<std::size_t>(found[n])] = static_cast<std::int64_t>(n);
    std::vector<float> by_x(outer), by_v(found.size(), 0), by_added(found.size());
    for (std::size_t p = 0; p < size; ++p) {
      if (winner[p] < 0) continue;
      by_x[p] = 0;
      by_v[static_cast<std::size_t>(winner[p])] = outer[p];
    }
    const auto set = [&](Array a, Array b) { return np::sum(IndexUpdate(a, c.indices).set(b) * u); };
    EXPECT_EQ(grad<0>(set)(x, v).to_vector<float>(), by_x) << "case " << i;
    EXPECT_EQ(grad<1>(set)(x, v).to_vector<float>(), by_v) << "case " << i;
    // Adding: everything counts.
    for (std::size_t n = 0; n < found.size(); ++n) by_added[n] = outer[static_cast<std::size_t>(found[n])];
    const auto add = [&](Array a, Array b) { return np::sum(IndexUpdate(a, c.indices).add(b) * u); };
    EXPECT_EQ(grad<0>(add)(x, v).to_vector<float>(), outer) << "case " << i;
    EXPECT_EQ(grad<1>(add)(x, v).to_vector<float>(), by_added) << "case " << i;
  }
}

TEST(indexing, index_arrays_may_be_traced_and_mapped) {
  const Array x = np::reshape(np::arange(12.0f), {3, 4}), ids = np::array({{2, 0}, {-1, 1}, {0, 0}});
  const auto rows = [](Array a, Array i) { return a(i); };
  expect_equal(jit(rows)(x, ids(0)), x(ids(0)));
  // One list of rows per example, of one array and of one array each.
  const Array many = np::stack({x, x * 2.0f, x + 1.0f});
  const Array want = np::stack({x(ids(0)), x(ids(1)), x(ids(2))});
  const Array want_each = np::stack({x(ids(0)), (x * 2.0f)(ids(1)), (x + 1.0f)(ids(2))});
  expect_equal(vmap(rows, {unmapped, 0})(x, ids), want);
  expect_equal(vmap(rows)(many, ids), want_each);
  const auto columns = [](Array a, Array i) { return a(slice(1, 3), i); };
  expect_equal(vmap(columns, {unmapped, 0})(x, ids),
               np::stack({columns(x, ids(0)), columns(x, ids(1)), columns(x, ids(2))}));
  expect_equal(vmap(columns)(many, ids),
               np::stack({columns(many(0), ids(0)), columns(many(1), ids(1)), columns(many(2), ids(2))}));
  const auto add = [](Array a, Array i) { return a.at(i).add(1.0f); };
  expect_equal(vmap(add, {unmapped, 0})(x, ids), np::stack({add(x, ids(0)), add(x, ids(1)), add(x, ids(2))}));
  expect_equal(vmap(add)(many, ids), np::stack({add(many(0), ids(0)), add(many(1), ids(1)), add(many(2), ids(2))}));
  // And differentiated: the gradient of a sum of rows counts how often each is read.
  const auto g = [&](Array i) { return grad([&](Array a) { return np::sum(a(i)); })(x); };
  expect_equal(vmap(g)(ids), np::stack({g(ids(0)), g(ids(1)), g(ids(2))}));
  expect_equal(g(ids(2)), np::array({{2.f, 2.f, 2.f, 2.f}, {0.f, 0.f, 0.f, 0.f}, {0.f, 0.f, 0.f, 0.f}}));
}

TEST(indexing, minimum_and_maximum_updates_share_the_gradient_among_ties) {
  const Array x = np::array({1.0f, 5.0f, 2.0f}), v = np::array({3.0f, 3.0f, 2.0f}), ids = np::array({0, 0, 2});
  const auto f = [&](Array a, Array b) { return np::sum(a.at(ids).max(b) * np::array({6.0f, 1.0f, 4.0f})); };
  EXPECT_EQ(f(x, v).item<float>(), 3 * 6 + 5 + 2 * 4);
  EXPECT_EQ(grad<0>(f)(x, v).to_vector<float>(), (std::vector<float>{0, 1, 2}));
  EXPECT_EQ(grad<1>(f)(x, v).to_vector<float>(), (std::vector<float>{3, 3, 2}));
}

TEST(indexing, take_along_axis_reads_one_element_per_index) {
  const Array x = np::array({{10, 30, 20}, {60, 40, 50}});
  expect(np::take_along_axis(x, np::array({{0, 2, 1}, {1, 2, 0}}), 1), {2, 3}, {10, 20, 30, 40, 50, 60});
  expect(np::take_along_axis(x, np::array({{1, 0, 1}}), 0), {1, 3}, {60, 30, 50});
  expect(np::take_along_axis(x, np::array({{-1}, {0}}), 1), {2, 1}, {20, 60});
}

TEST(indexing, take_replaces_an_axis_by_those_of_the_indices) {
  expect(np::take(cube(), np::array({{1, 0}, {2, 2}}), 1)(0, ellipsis, 0), {2, 2}, {4, 0, 8, 8});
  expect(np::take(cube(), np::array({23, 0})), {2}, {23, 0});
  const int lowest = std::numeric_limits<int>::lowest();
  expect(np::take(np::arange(3), np::array({3, -3, -4})), {3}, {lowest, 0, lowest});
  expect(np::take(np::arange(3), np::array({3, -4}), 0, lax::IndexMode::kClip), {2}, {2, 0});
}

TEST(indexing, take_wraps_round_when_asked) {
  const Array x = np::array({10, 20, 30});
  expect_equal(np::take(x, np::array({-4, -1, 0, 3, 7}), {}, np::wrap), np::array({30, 30, 10, 10, 20}));
  expect_equal(np::take(x, {3, 4}, 0, np::wrap), np::array({10, 20}));
  expect_equal(np::take(x, np::array({255, 1}, u8), 0, np::wrap), np::array({10, 20}));
  expect_equal(np::take(np::array({{1, 2}, {3, 4}}), np::array({-3}, i8), 1, np::wrap), np::array({{2}, {4}}));
  EXPECT_TRUE(testing::throws<IndexError>([] { np::take(np::zeros({0}), {1}, 0, np::wrap); }));
  EXPECT_TRUE(testing::throws<DTypeError>([] { np::take(np::zeros({2}), np::ones({1}), 0, np::wrap); }));
}

TEST(indexing, lists_of_integers_index) {
  const Array x = np::array({{1, 2}, {3, 4}, {5, 6}});
  expect_equal(np::take(x, {0, 2}, 0), np::array({{1, 2}, {5, 6}}));
  expect_equal(np::take(x, std::vector<int>{1}, 1), np::array({{2}, {4}, {6}}));
  expect_equal(np::take(x, {5, 0}), np::array({6, 1}));
  expect_equal(x(std::vector<int>{2, 0}), np::array({{5, 6}, {1, 2}}));
  expect_equal(x(std::vector<std::int64_t>{2}, std::array<int, 1>{1}), np::array({6}));
  expect_equal(x(std::vector<bool>{true, false, true}), np::array({{1, 2}, {5, 6}}));
  expect_equal(x.at(std::vector<int>{0, 1}, 0).set(9), np::array({{9, 2}, {9, 4}, {5, 6}}));
}

TEST(indexing, an_index_may_be_a_list_made_at_run_time) {
  const Array x = np::reshape(np::arange(8), {2, 2, 2});
  std::vector<Index> at{1, slice()};
  expect_equal(x(at), np::array({{4, 5}, {6, 7}}));
  at.push_back(0);
  expect_equal(x(at), np::array({4, 6}));
  expect_equal(x.at(at).set(-1)(1), np::array({{-1, 5}, {-1, 7}}));
  expect_equal(x(std::vector<Index>{}), x);
}

TEST(indexing, updates_take_up_to_six_indices) {
  const Array x = np::zeros({1, 1, 1, 1, 1, 2}, i32);
  expect_equal(x.at(0, 0, 0, 0, 0, 1).set(5)(0, 0, 0, 0, 0), np::array({0, 5}));
  expect_equal(x.at(0, 0, 0, 0, 0).add(1)(0, 0, 0, 0, 0), np::array({1, 1}));
}

TEST(indexing, products_have_derivatives) {
  const Array x = np::array({1.f, 2.f, 3.f, 4.f});
  const auto f = [](Array v, Array by) {
    const Array y = v.at(slice(1, 4, 2)).multiply(by);
    return np::sum(y * y);
  };
  // y = (x0, b x1, x2, b x3): dy^2/dx = 2 y dy/dx, and by b: 2 b (x1^2 + x3^2).
  expect_equal(grad(f)(x, Array(3.f)), np::array({2.f, 36.f, 6.f, 72.f}));
  expect_equal(grad<1>(f)(x, Array(3.f)), Array(120.f));
  expect_equal(grad([](Array v) { return np::sum(v.at(-1).multiply(v(0))); })(x), np::array({5.f, 1.f, 1.f, 1.f}));
  expect_equal(grad([](Array v) { return np::sum(v.at(np::array({true, false, true, false})).multiply(2)); })(x),
               np::array({2.f, 1.f, 2.f, 1.f}));
  // Integer arrays may name an element twice: b^2 x0 + x1 + ...
  expect_equal(grad([&](Array by) { return np::sum(x.at({0, 0}).multiply(by)); })(2.f), 4.f * x(0));
  expect_equal(grad([](Array v) { return np::sum(v.at({0, 0}).multiply(3)); })(x), np::array({9.f, 1.f, 1.f, 1.f}));
}

}  // namespace
}  // namespace weft
