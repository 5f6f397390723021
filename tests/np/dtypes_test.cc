#include "weft/np/dtypes.h"

#include <gtest/gtest.h>

#include "weft/np/creation.h"

#include <limits>

#include "weft/base/error.h"

namespace weft {
namespace {

template <class T>
void expect_limits(const np::FloatInfo& info) {
  using L = std::numeric_limits<T>;
  EXPECT_EQ(info.eps, static_cast<double>(L::epsilon()));
  EXPECT_EQ(info.max, static_cast<double>(L::max()));
  EXPECT_EQ(info.min, static_cast<double>(L::lowest()));
  EXPECT_EQ(info.smallest_normal, static_cast<double>(L::min()));
  EXPECT_EQ(info.smallest_subnormal, static_cast<double>(L::denorm_min()));
  EXPECT_EQ(info.bits, static_cast<int>(8 * sizeof(T)));
  EXPECT_EQ(info.bits, 1 + info.nexp + info.nmant);
}

TEST(dtypes, limits_of_floats) {
  expect_limits<float>(np::finfo(f32));
  expect_limits<double>(np::finfo(f64));
  expect_limits<float>(np::finfo(c64));
  expect_limits<double>(np::finfo(c128));
  EXPECT_EQ(np::finfo(f16).max, 65504);
  EXPECT_EQ(np::finfo(f16).smallest_subnormal, 0x1p-24);
  EXPECT_EQ(np::finfo(bf16).eps, 0.0078125);
  EXPECT_EQ(np::finfo(bf16).max, 0x1.fep127);
}

TEST(dtypes, limits_of_integers) {
  EXPECT_EQ(np::iinfo(i8).min, -128);
  EXPECT_EQ(np::iinfo(i8).max, 127u);
  EXPECT_EQ(np::iinfo(u16).max, 65535u);
  EXPECT_EQ(np::iinfo(i64).min, INT64_MIN);
  EXPECT_EQ(np::iinfo(i64).max, static_cast<std::uint64_t>(INT64_MAX));
  EXPECT_EQ(np::iinfo(u64).max, UINT64_MAX);
  EXPECT_EQ(np::iinfo(u64).min, 0);
}

TEST(dtypes, limits_of_storage_types) {
  EXPECT_EQ(np::iinfo(i4).min, -8);
  EXPECT_EQ(np::iinfo(i4).max, 7u);
  EXPECT_EQ(np::iinfo(u2).max, 3u);
  EXPECT_EQ(np::iinfo(u2).bits, 2);
  const np::FloatInfo f = np::finfo(f8e4m3fn);
  EXPECT_EQ(f.bits, 8);
  EXPECT_EQ(f.nmant, 3);
  EXPECT_EQ(f.nexp, 4);
  EXPECT_EQ(f.eps, 0.125);
  EXPECT_EQ(f.max, 448);
  EXPECT_EQ(f.min, -448);
  EXPECT_EQ(f.smallest_normal, 0x1p-6);
  EXPECT_EQ(f.smallest_subnormal, 0x1p-9);
  EXPECT_EQ(np::finfo(f8e8m0fnu).smallest_normal, 0x1p-127);
  EXPECT_EQ(np::finfo(f8e8m0fnu).min, 0x1p-127);
  EXPECT_EQ(np::finfo(f4e2m1fn).max, 6);
  EXPECT_EQ(np::finfo(f4e2m1fn).bits, 4);
}

TEST(dtypes, other_kinds_are_refused) {
  EXPECT_THROW(np::finfo(i32), DTypeError);
  EXPECT_THROW(np::iinfo(f32), DTypeError);
  EXPECT_THROW(np::iinfo(boolean), DTypeError);
}

TEST(dtypes, have_their_numpy_names_and_kinds) {
  EXPECT_EQ(np::zeros({2}, np::float32).dtype(), f32);
  const np::dtype t = np::bfloat16;
  EXPECT_EQ(t, bf16);
  EXPECT_EQ(np::bool_, boolean);
  EXPECT_EQ(np::complex128, c128);
  EXPECT_TRUE(np::issubdtype(i8, np::integer) && np::issubdtype(i8, np::signedinteger));
  EXPECT_FALSE(np::issubdtype(i8, np::unsignedinteger) || np::issubdtype(i8, np::inexact));
  EXPECT_TRUE(np::issubdtype(u8, np::unsignedinteger) && np::issubdtype(u8, np::number));
  EXPECT_TRUE(np::issubdtype(bf16, np::floating) && np::issubdtype(bf16, np::inexact));
  EXPECT_TRUE(np::issubdtype(c64, np::complexfloating) && np::issubdtype(c64, np::inexact));
  EXPECT_FALSE(np::issubdtype(c64, np::floating) || np::issubdtype(boolean, np::number));
  EXPECT_TRUE(np::issubdtype(boolean, np::generic) && np::issubdtype(f32, np::float32));
  EXPECT_EQ(np::finfo(f32).tiny, np::finfo(f32).smallest_normal);
}

}  // namespace
}  // namespace weft
