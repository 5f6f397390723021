#include "weft/ir/aval.h"

#include <gtest/gtest.h>

#include <limits>
#include <sstream>
#include <thread>
#include <vector>

namespace weft {
namespace {

template <class E, class F>
std::string error_text(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.message();
  }
  return "no error";
}

TEST(aval, knows_its_type) {
  const Aval a(f32, Dims{2, 3});
  EXPECT_EQ(a.dtype(), f32);
  EXPECT_EQ(a.ndim(), 2);
  EXPECT_EQ(a.shape(1), 3);
  EXPECT_EQ(a.size(), 6);
  EXPECT_EQ(a.bytes(), 24);
  EXPECT_EQ(a.vary(), 0u);
  EXPECT_EQ(a.str(), "f32[2,3]");
  EXPECT_EQ(Aval(c128, Dims{}).str(), "c128[]");
  EXPECT_EQ(Aval(c128, Dims{}).bytes(), 16);
  EXPECT_EQ(Aval().str(), "none");
  EXPECT_FALSE(Aval());
}

TEST(aval, equal_types_share_one_identity) {
  const Aval a(f32, Dims{2, 3});
  EXPECT_EQ(a, Aval(f32, Dims{2, 3}));
  EXPECT_EQ(a.id(), Aval(f32, Dims{2, 3}).id());
  EXPECT_EQ(a.hash(), Aval(f32, Dims{2, 3}).hash());
}

TEST(aval, any_difference_is_another_identity) {
  const Aval a(f32, Dims{2, 3});
  EXPECT_FALSE(a == Aval(f64, Dims{2, 3}));
  EXPECT_FALSE(a == Aval(f32, Dims{3, 2}));
  EXPECT_FALSE(a == Aval(f32, Dims{2, 3, 1}));
  EXPECT_FALSE(a == Aval(f32, Dims{6}));
  EXPECT_FALSE(a == Aval(f32, Dims{2, 3}, 1));
  EXPECT_FALSE(Aval(f32, Dims{}) == Aval(f32, Dims{1}));
}

TEST(aval, with_dtype_and_with_shape_change_one_thing) {
  const Aval a(f32, Dims{2, 3}, 5);
  EXPECT_EQ(a.with_dtype(i8), Aval(i8, Dims{2, 3}, 5));
  EXPECT_EQ(a.with_dtype(f32), a);
  EXPECT_EQ(a.with_shape(Dims{6}), Aval(f32, Dims{6}, 5));
}

TEST(aval, more_types_than_the_cache_holds_keep_their_identity) {
  std::vector<Aval> first;
  for (std::int64_t i = 0; i < 2000; ++i) first.emplace_back(f32, Dims{i, 7});
  for (std::int64_t i = 0; i < 2000; ++i) {
    const Aval again(f32, Dims{i, 7});
    ASSERT_EQ(first[static_cast<std::size_t>(i)], again);
    ASSERT_EQ(again.shape(0), i);
  }
}

TEST(aval, threads_intern_to_the_same_identity) {
  constexpr int kThreads = 4, kTypes = 500;
  std::vector<std::vector<const void*>> ids(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      // Each thread starts elsewhere, so that first uses collide.
      ids[t].resize(kTypes);
      for (int i = 0; i < kTypes; ++i) {
        const int k = (i + t * kTypes / kThreads) % kTypes;
        ids[t][k] = Aval(i32, Dims{k, 11, 13}).id();
      }
    });
  for (std::thread& t : threads) t.join();
  for (int t = 1; t < kThreads; ++t) EXPECT_EQ(ids[0], ids[t]);
}

TEST(aval, a_zero_size_makes_the_whole_empty) {
  EXPECT_EQ(Aval(f32, Dims{3, 0, 5}).size(), 0);
  EXPECT_EQ(Aval(f32, Dims{3, 0, 5}).bytes(), 0);
}

TEST(aval, sizes_beside_a_zero_must_still_have_a_product) {
  const std::int64_t huge = std::int64_t{1} << 60;
  EXPECT_EQ(Aval(f32, Dims{huge, 0}).size(), 0);
  EXPECT_EQ(
      error_text<ShapeError>([&] { Aval(f32, Dims{huge, 0, huge}); }),
      "array: the elements must need fewer than 2^62 bytes; got shape [1152921504606846976,0,1152921504606846976].");
  EXPECT_THROW(Aval(f32, Dims{2 * huge, 0}), ShapeError);
  EXPECT_EQ(Aval(u8, Dims{2 * huge, 0}).size(), 0);
}

TEST(aval, negative_sizes_are_refused) {
  EXPECT_EQ(error_text<ShapeError>([] { Aval(f32, Dims{2, -1}); }),
            "array: sizes must not be negative; got shape [2,-1].");
  EXPECT_EQ(error_text<ShapeError>([] { Aval(f32, Dims{0, -1}); }),
            "array: sizes must not be negative; got shape [0,-1].");
}

TEST(aval, too_many_elements_are_refused) {
  const std::int64_t big = std::int64_t{1} << 62;
  EXPECT_EQ(
      error_text<ShapeError>([&] { Aval(f32, Dims{big, big}); }),
      "array: the elements must need fewer than 2^62 bytes; got shape [4611686018427387904,4611686018427387904].");
  EXPECT_EQ(Aval(u8, Dims{big}).bytes(), big);
  EXPECT_THROW(Aval(u8, Dims{big + 1}), ShapeError);
  EXPECT_EQ(Aval(c128, Dims{big / 16}).bytes(), big);
  EXPECT_THROW(Aval(c128, Dims{big / 16 + 1}), ShapeError);
}

TEST(aval, ranks_above_the_limit_are_refused) {
  EXPECT_EQ(Aval(f32, Dims(kMaxRank, 1)).ndim(), 32);
  EXPECT_EQ(error_text<ShapeError>([] { Aval(f32, Dims(kMaxRank + 1, 1)); }),
            "array: there must be at most 32 axes; got 33.");
}

TEST(aval, streams_print_dtype_and_shape) {
  std::ostringstream out;
  out << Aval(bf16, Dims{2, 3});
  EXPECT_EQ(out.str(), "bf16[2,3]");
}

TEST(aval, shapes_print_without_spaces) {
  EXPECT_EQ(shape_str(Dims{}), "[]");
  EXPECT_EQ(shape_str(Dims{5}), "[5]");
  EXPECT_EQ(shape_str(Dims{2, 0, 4}), "[2,0,4]");
}

}  // namespace
}  // namespace weft
