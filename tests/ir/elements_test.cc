#include "weft/ir/elements.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <vector>

namespace weft {
namespace {

std::vector<DType> storage_dtypes() {
  std::vector<DType> r;
  for (int i = kNumComputeDTypes; i < kNumDTypes; ++i) r.push_back(static_cast<DType>(i));
  return r;
}

// One element of `from`, given in the C++ type T, as `to` and seen as a double.
template <class T>
double converted(T v, DType to, DType from = dtype_of<T>()) {
  alignas(16) std::byte element[16] = {};
  convert_elements(from, &v, to, element, 1);
  double r;
  convert_elements(to, element, f64, &r, 1);
  return r;
}

TEST(elements, every_pair_of_dtypes_converts_small_whole_numbers_exactly) {
  for (int i = 0; i < kNumDTypes; ++i)
    for (int j = 0; j < kNumDTypes; ++j) {
      const auto from = static_cast<DType>(i), to = static_cast<DType>(j);
      alignas(16) std::byte x[16] = {}, y[16] = {};
      const double one = 1;
      convert_elements(f64, &one, from, x, 1);
      convert_elements(from, x, to, y, 1);
      double back;
      convert_elements(to, y, f64, &back, 1);
      EXPECT_EQ(back, 1) << name(from) << " to " << name(to);
    }
}

TEST(elements, every_code_survives_the_way_through_the_compute_type) {
  for (const DType t : storage_dtypes())
    for (int code = 0; code < 1 << bit_width(t); ++code) {
      const auto byte = static_cast<std::uint8_t>(code);
      std::uint8_t canonical, back;
      copy_canonical(t, &byte, &canonical, 1);
      float wide = 0;
      widen_elements(t, &canonical, &wide, 1);
      narrow_elements(t, &wide, &back, 1);
      // NaN comes back as the usual one.
      if (is_float(t) && wide != wide) continue;
      EXPECT_EQ(back, canonical) << name(t) << " " << code;
    }
}

TEST(elements, bits_above_the_value_do_not_count) {
  for (const DType t : storage_dtypes())
    for (int code = 0; code < 256; ++code) {
      const auto byte = static_cast<std::uint8_t>(code);
      std::uint8_t canonical, again;
      copy_canonical(t, &byte, &canonical, 1);
      copy_canonical(t, &canonical, &again, 1);
      EXPECT_EQ(again, canonical) << name(t) << " " << code;
      float raw = 0, clean = 0;
      widen_elements(t, &byte, &raw, 1);
      widen_elements(t, &canonical, &clean, 1);
      EXPECT_TRUE(std::memcmp(&raw, &clean, sizeof raw) == 0) << name(t) << " " << code;
    }
}

TEST(elements, small_integers_saturate_from_floats_and_wrap_from_integers) {
  EXPECT_EQ(converted(7.9, i4), 7);
  EXPECT_EQ(converted(1e300, i4), 7);
  EXPECT_EQ(converted(-1e30f, i4), -8);
  EXPECT_EQ(converted(-3.0, u2), 0);
  EXPECT_EQ(converted(static_cast<double>(NAN), i2), 0);
  EXPECT_EQ(converted(std::int64_t{8}, i4), -8);
  EXPECT_EQ(converted(~std::uint64_t{0}, u4), 15);
  EXPECT_EQ(converted(std::int32_t{-1}, u2), 3);
  EXPECT_EQ(converted(std::complex<float>(2.5f, 9), i4), 2);
  EXPECT_EQ(converted(float8_e5m2(57344.0), i4), 7);
  EXPECT_EQ(converted(true, u4), 1);
}

TEST(elements, small_floats_round_once_from_every_type) {
  EXPECT_EQ(converted(1.0625 + 0x1p-40, f8e4m3fn), 1.125);
  EXPECT_EQ(converted(1.0625f, f8e4m3fn), 1);
  // One below a tie of scales: double would round it to the tie, which goes up.
  EXPECT_EQ(converted((std::int64_t{3} << 61) - 1, f8e8m0fnu), 0x1p62);
  EXPECT_EQ(converted(std::int64_t{3} << 61, f8e8m0fnu), 0x1p63);
  EXPECT_EQ(converted(std::uint64_t{17}, f8e4m3fn), 16);
  EXPECT_EQ(converted(float16(1.1875f), f8e5m2), 1.25);
  EXPECT_EQ(converted(std::complex<double>(1.5, 7), f4e2m1fn), 1.5);
  EXPECT_EQ(converted(std::int8_t{-128}, f4e2m1fn), -6);
}

TEST(elements, long_rows_convert_in_blocks) {
  std::vector<std::uint8_t> x(1000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(i % 256);
  std::vector<float> y(x.size());
  convert_elements(f8e5m2, x.data(), f32, y.data(), 1000);
  std::vector<std::uint8_t> z(x.size());
  convert_elements(f32, y.data(), f8e5m2, z.data(), 1000);
  std::vector<double> wide(y.begin(), y.end());
  std::vector<std::uint8_t> ints(x.size());
  convert_elements(f64, wide.data(), i4, ints.data(), 1000);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float want = float8_e5m2::from_bits(x[i]);
    EXPECT_TRUE(y[i] == want || (y[i] != y[i] && want != want)) << i;
    EXPECT_TRUE(z[i] == x[i] || want != want) << i;
    EXPECT_EQ(static_cast<std::int8_t>(ints[i]), converted(static_cast<double>(want), i4)) << i;
  }
}

TEST(elements, integers_above_the_largest_i64_stay_there) {
  const std::uint64_t big = ~std::uint64_t{0};
  EXPECT_EQ(integer_element(u64, &big), INT64_MAX);
  const std::int8_t four = -3;
  EXPECT_EQ(integer_element(i4, &four), -3);
  const std::uint32_t word = 4000000000u;
  EXPECT_EQ(integer_element(u32, &word), 4000000000);
}

}  // namespace
}  // namespace weft
