#include "weft/ir/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <sstream>
#include <string>

namespace weft {
namespace {

template <class F>
void for_each_dtype(F&& f) {
  for (int i = 0; i < kNumDTypes; ++i) f(static_cast<DType>(i));
}

TEST(dtype, names_are_unique_and_parse_back) {
  std::set<std::string> seen;
  for_each_dtype([&](DType t) {
    EXPECT_EQ(parse_dtype(name(t)), t);
    EXPECT_EQ(parse_dtype(numpy_name(t)), t);
    EXPECT_TRUE(seen.insert(std::string(name(t))).second) << name(t);
  });
  EXPECT_EQ(parse_dtype("float128"), std::nullopt);
  EXPECT_EQ(parse_dtype(""), std::nullopt);
  EXPECT_EQ(parse_dtype("f3"), std::nullopt);
}

TEST(dtype, streams_print_the_name) {
  std::ostringstream out;
  out << f32 << " " << boolean;
  EXPECT_EQ(out.str(), "f32 bool");
}

TEST(dtype, sizes_and_cpp_types_agree) {
  for_each_dtype([](DType t) {
    if (is_storage(t)) return;
    visit_dtype(t, [t](auto tag) {
      using T = typename decltype(tag)::type;
      EXPECT_EQ(dtype_of<T>(), t);
      EXPECT_EQ(byte_size(t), static_cast<std::int64_t>(sizeof(T)));
      EXPECT_TRUE(is_element_v<T>);
      EXPECT_EQ(is_signed_integer(t), (std::is_integral_v<T> && std::is_signed_v<T> && !std::is_same_v<T, bool>));
    });
  });
}

TEST(dtype, the_same_width_has_the_same_dtype_whatever_its_cpp_name) {
  EXPECT_EQ(dtype_of<long>(), sizeof(long) == 8 ? i64 : i32);
  EXPECT_EQ(dtype_of<long long>(), i64);
  EXPECT_EQ(dtype_of<unsigned long long>(), u64);
  EXPECT_EQ(dtype_of<const float>(), f32);
}

TEST(dtype, every_dtype_is_in_exactly_one_category) {
  for_each_dtype([](DType t) {
    EXPECT_EQ((t == boolean) + is_integer(t) + is_float(t) + is_complex(t), 1) << name(t);
    EXPECT_EQ(is_integer(t), is_unsigned(t) != is_signed_integer(t)) << name(t);
    EXPECT_EQ(is_inexact(t), is_float(t) || is_complex(t)) << name(t);
  });
}

TEST(dtype, real_and_complex_forms_belong_together) {
  EXPECT_EQ(real_dtype(c64), f32);
  EXPECT_EQ(real_dtype(c128), f64);
  EXPECT_EQ(real_dtype(bf16), bf16);
  EXPECT_EQ(complex_dtype(f32), c64);
  EXPECT_EQ(complex_dtype(f64), c128);
  EXPECT_EQ(complex_dtype(c128), c128);
  EXPECT_EQ(complex_dtype(i64), c64);
}

TEST(dtype, storage_types_are_one_byte_and_computed_in_a_type_that_holds_them) {
  int n = 0;
  for_each_dtype([&](DType t) {
    EXPECT_EQ(is_storage(compute_dtype(t)), false) << name(t);
    if (!is_storage(t)) {
      EXPECT_EQ(compute_dtype(t), t);
      return;
    }
    ++n;
    EXPECT_EQ(byte_size(t), 1) << name(t);
    EXPECT_EQ(category(compute_dtype(t)), category(t)) << name(t);
    EXPECT_EQ(is_unsigned(compute_dtype(t)), is_unsigned(t)) << name(t);
    EXPECT_THROW(visit_dtype(t, [](auto) {}), InternalError);
  });
  EXPECT_EQ(n, kNumDTypes - kNumComputeDTypes);
  EXPECT_EQ(bit_width(boolean), 1);
  EXPECT_EQ(bit_width(u2), 2);
  EXPECT_EQ(bit_width(i4), 4);
  EXPECT_EQ(bit_width(f4e2m1fn), 4);
  EXPECT_EQ(bit_width(f6e3m2fn), 6);
  EXPECT_EQ(bit_width(f8e8m0fnu), 8);
  EXPECT_EQ(bit_width(c128), 128);
}

TEST(dtype, small_floats_have_cpp_types) {
  EXPECT_EQ(dtype_of<float8_e4m3fn>(), f8e4m3fn);
  EXPECT_EQ(dtype_of<float8_e5m2>(), f8e5m2);
  EXPECT_EQ(dtype_of<float8_e4m3fnuz>(), f8e4m3fnuz);
  EXPECT_EQ(dtype_of<float8_e5m2fnuz>(), f8e5m2fnuz);
  EXPECT_EQ(dtype_of<float8_e4m3b11fnuz>(), f8e4m3b11fnuz);
  EXPECT_EQ(dtype_of<float8_e4m3>(), f8e4m3);
  EXPECT_EQ(dtype_of<float8_e3m4>(), f8e3m4);
  EXPECT_EQ(dtype_of<float8_e8m0fnu>(), f8e8m0fnu);
  EXPECT_EQ(dtype_of<float6_e2m3fn>(), f6e2m3fn);
  EXPECT_EQ(dtype_of<float6_e3m2fn>(), f6e3m2fn);
  EXPECT_EQ(dtype_of<float4_e2m1fn>(), f4e2m1fn);
}

TEST(dtype, visiting_an_unknown_dtype_is_our_fault) {
  EXPECT_THROW(visit_dtype(static_cast<DType>(200), [](auto) {}), InternalError);
}

template <class To, class From>
void expect_saturation() {
  using Limits = std::numeric_limits<To>;
  const From inf = std::numeric_limits<From>::infinity();
  EXPECT_EQ((convert_element<To>(inf)), Limits::max());
  EXPECT_EQ((convert_element<To>(-inf)), Limits::min());
  EXPECT_EQ((convert_element<To>(std::numeric_limits<From>::quiet_NaN())), To(0));
  EXPECT_EQ((convert_element<To>(std::numeric_limits<From>::max())), Limits::max());
  EXPECT_EQ((convert_element<To>(std::numeric_limits<From>::lowest())), Limits::min());
  // The first float past the end, and the last float before it.
  const From past = std::ldexp(From(1), Limits::digits);
  EXPECT_EQ((convert_element<To>(past)), Limits::max());
  const From inside = std::nextafter(past, From(0));
  EXPECT_EQ((convert_element<To>(inside)), static_cast<To>(inside));
  if constexpr (Limits::is_signed) {
    EXPECT_EQ((convert_element<To>(-past)), Limits::min());
    EXPECT_EQ((convert_element<To>(std::nextafter(-past, -inf))), Limits::min());
    EXPECT_EQ((convert_element<To>(From(-1.75))), To(-1));
  } else {
    EXPECT_EQ((convert_element<To>(From(-0.75))), To(0));
    EXPECT_EQ((convert_element<To>(From(-1))), To(0));
  }
  EXPECT_EQ((convert_element<To>(From(1.75))), To(1));
  EXPECT_EQ((convert_element<To>(From(-0.0))), To(0));
}

template <class To>
void expect_saturation_from_every_float() {
  expect_saturation<To, float>();
  expect_saturation<To, double>();
}

TEST(convert_element, floats_saturate_and_nan_becomes_zero_in_every_integer_type) {
  expect_saturation_from_every_float<std::int8_t>();
  expect_saturation_from_every_float<std::int16_t>();
  expect_saturation_from_every_float<std::int32_t>();
  expect_saturation_from_every_float<std::int64_t>();
  expect_saturation_from_every_float<std::uint8_t>();
  expect_saturation_from_every_float<std::uint16_t>();
  expect_saturation_from_every_float<std::uint32_t>();
  expect_saturation_from_every_float<std::uint64_t>();
}

TEST(convert_element, small_floats_saturate_like_floats) {
  EXPECT_EQ(convert_element<std::int8_t>(float16(1000.0f)), 127);
  EXPECT_EQ(convert_element<std::uint8_t>(bfloat16(-3.0f)), 0);
  EXPECT_EQ(convert_element<std::int32_t>(std::numeric_limits<float16>::quiet_NaN()), 0);
  EXPECT_EQ(convert_element<std::int32_t>(std::numeric_limits<bfloat16>::max()), std::numeric_limits<int>::max());
}

TEST(convert_element, to_bool_means_not_zero) {
  EXPECT_TRUE(convert_element<bool>(0.25f));
  EXPECT_TRUE(convert_element<bool>(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(convert_element<bool>(-0.0));
  EXPECT_TRUE(convert_element<bool>(256));
  // Only the real part counts, as in every conversion of complex numbers to others.
  EXPECT_FALSE(convert_element<bool>(std::complex<float>(0, 1)));
  EXPECT_TRUE(convert_element<bool>(std::complex<float>(1, 0)));
  EXPECT_FALSE(convert_element<bool>(std::complex<float>(0, -0.0f)));
  EXPECT_TRUE(convert_element<bool>(float16(0.5f)));
}

TEST(convert_element, integers_wrap_between_widths) {
  EXPECT_EQ(convert_element<std::int8_t>(std::int32_t{300}), 44);
  EXPECT_EQ(convert_element<std::uint32_t>(std::int8_t{-1}), 0xffffffffu);
  EXPECT_EQ(convert_element<std::int64_t>(~std::uint64_t{0}), -1);
  EXPECT_EQ(convert_element<std::int32_t>(true), 1);
}

TEST(convert_element, complex_to_real_drops_the_imaginary_part) {
  EXPECT_EQ(convert_element<float>(std::complex<double>(1.5, 9)), 1.5f);
  EXPECT_EQ(convert_element<std::int8_t>(std::complex<float>(-1000, 9)), -128);
  EXPECT_EQ(convert_element<std::complex<double>>(std::complex<float>(1, 2)), std::complex<double>(1, 2));
  EXPECT_EQ(convert_element<std::complex<float>>(std::int16_t{-3}), std::complex<float>(-3, 0));
}

TEST(convert_element, double_to_half_rounds_once) {
  // Slightly above a tie: by way of float this would be a tie, and round down.
  const double x = 1 + 0x1p-11 + 0x1p-40;
  EXPECT_EQ(static_cast<float>(convert_element<float16>(x)), 1 + 0x1p-10f);
  EXPECT_EQ(static_cast<float>(convert_element<float16>(1 + 0x1p-11)), 1.0f);
  EXPECT_EQ(convert_element<float16>(65520.0).bits, 0x7c00);
  EXPECT_EQ(convert_element<float16>(bfloat16(1.5f)).bits, 0x3e00);
}

TEST(convert_element, large_integers_round_once_to_small_floats) {
  // 2^24 + 1 + a tie of bfloat16: rounding to float first would lose the last bit.
  const std::int64_t x = (std::int64_t{1} << 40) + (std::int64_t{1} << 32) + 1;
  EXPECT_EQ(static_cast<float>(convert_element<bfloat16>(x)), 0x1p40f + 0x1p33f);
  EXPECT_EQ(static_cast<float>(convert_element<bfloat16>(x - 1)), 0x1p40f);
}

}  // namespace
}  // namespace weft
