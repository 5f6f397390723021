#include "weft/np/promotion.h"

#include "np/expect.h"

namespace weft {
namespace {

using testing::expect_equal;
using testing::message_of;
using testing::throws;

constexpr DType kOrder[] = {boolean, u8, u16, u32, u64, i8, i16, i32, i64, bf16, f16, f32, f64, c64, c128};

// JAX's table (docs/type_promotion) without the weak rows; its float of u64 and signed integers is f32.
constexpr const char* kTable[15] = {
    "bool u8 u16 u32 u64 i8 i16 i32 i64 bf16 f16 f32 f64 c64 c128",
    "u8 u8 u16 u32 u64 i16 i16 i32 i64 bf16 f16 f32 f64 c64 c128",
    "u16 u16 u16 u32 u64 i32 i32 i32 i64 bf16 f16 f32 f64 c64 c128",
    "u32 u32 u32 u32 u64 i64 i64 i64 i64 bf16 f16 f32 f64 c64 c128",
    "u64 u64 u64 u64 u64 f32 f32 f32 f32 bf16 f16 f32 f64 c64 c128",
    "i8 i16 i32 i64 f32 i8 i16 i32 i64 bf16 f16 f32 f64 c64 c128",
    "i16 i16 i32 i64 f32 i16 i16 i32 i64 bf16 f16 f32 f64 c64 c128",
    "i32 i32 i32 i64 f32 i32 i32 i32 i64 bf16 f16 f32 f64 c64 c128",
    "i64 i64 i64 i64 f32 i64 i64 i64 i64 bf16 f16 f32 f64 c64 c128",
    "bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 f32 f32 f64 c64 c128",
    "f16 f16 f16 f16 f16 f16 f16 f16 f16 f32 f16 f32 f64 c64 c128",
    "f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f64 c64 c128",
    "f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 c128 c128",
    "c64 c64 c64 c64 c64 c64 c64 c64 c64 c64 c64 c64 c128 c64 c128",
    "c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128",
};

TEST(promotion, two_dtypes_join_as_in_jax) {
  for (std::size_t i = 0; i < 15; ++i) {
    std::string row;
    for (std::size_t j = 0; j < 15; ++j)
      row += (j ? " " : "") + std::string(name(np::promote_types(kOrder[i], kOrder[j])));
    EXPECT_EQ(row, kTable[i]) << name(kOrder[i]);
  }
}

TEST(promotion, a_sum_of_arrays_has_the_joint_dtype) {
  for (const DType a : kOrder)
    for (const DType b : kOrder)
      EXPECT_EQ((np::ones({2}, a) + np::ones({2}, b)).dtype(), np::promote_types(a, b)) << name(a) << name(b);
}

TEST(promotion, a_number_takes_its_neighbours_dtype_within_the_category) {
  EXPECT_EQ((np::ones({2}, f16) * 2.0).dtype(), f16);
  EXPECT_EQ((np::ones({2}, f16) * 2).dtype(), f16);
  EXPECT_EQ((3 - np::ones({2}, u8)).dtype(), u8);
  EXPECT_EQ((np::ones({2}, i8) + true).dtype(), i8);
  EXPECT_EQ((np::ones({2}, c64) * 2.0).dtype(), c64);
  // A higher category keeps its C++ type.
  EXPECT_EQ((np::ones({2}, i32) * 2.0f).dtype(), f32);
  EXPECT_EQ((np::ones({2}, i32) * 2.0).dtype(), f64);
  EXPECT_EQ((np::ones({2}, boolean) + 1).dtype(), i32);
  EXPECT_EQ((np::ones({2}, f32) * std::complex<float>(0, 1)).dtype(), c64);
}

TEST(promotion, a_zero_dimensional_array_is_no_number) { EXPECT_EQ((np::ones({2}, f16) * Array(2.0f)).dtype(), f32); }

TEST(promotion, result_type_joins_arrays_first) {
  const Array h = np::ones({2}, f16), i = np::ones({2}, i32);
  EXPECT_EQ(np::result_type({h, i}), f16);
  EXPECT_EQ(np::result_type({1, h, 2.5}), f16);
  EXPECT_EQ(np::result_type({1, i}), i32);
  EXPECT_EQ(np::result_type({1, 2.5f}), f32);
  EXPECT_EQ(np::result_type({true}), boolean);
}

TEST(promotion, shapes_broadcast_from_the_right) {
  EXPECT_EQ(np::broadcast_shapes("f", Dims{4, 1}, Dims{3}), (Dims{4, 3}));
  EXPECT_EQ(np::broadcast_shapes("f", Dims{}, Dims{2}), (Dims{2}));
  EXPECT_EQ(np::broadcast_shapes("f", Dims{0}, Dims{1}), (Dims{0}));
  EXPECT_EQ(np::broadcast_shapes({Dims{2, 1, 1}, Dims{3, 1}, Dims{4}}), (Dims{2, 3, 4}));
  EXPECT_EQ(np::broadcast_shapes(std::span<const Dims>()), Dims{});
}

TEST(promotion, operands_broadcast) {
  const Array column = np::array({{10}, {20}}), row = np::array({1, 2, 3});
  expect_equal(column + row, np::array({{11, 12, 13}, {21, 22, 23}}));
  expect_equal(np::zeros({0}) + np::ones({3, 1}), np::zeros({3, 0}));
  expect_equal(np::broadcast_to(row, {2, 3}), np::array({{1, 2, 3}, {1, 2, 3}}));
  const std::vector<Array> both = np::broadcast_arrays({column, np::array({1.f, 2.f})});
  expect_equal(both[0], np::array({{10, 10}, {20, 20}}));
  expect_equal(both[1], np::array({{1.f, 2.f}, {1.f, 2.f}}));
}

TEST(promotion, shapes_that_do_not_fit_are_named) {
  const Array a = np::ones({3}), b = np::ones({4});
  EXPECT_EQ(message_of<ShapeError>([&] { return a + b; }), "add: shapes must broadcast; got f32[3] and f32[4].");
  EXPECT_EQ(message_of<ShapeError>([&] { return np::where(a > 0, a, b); }),
            "where: shapes must broadcast; got f32[3] and f32[4].");
  EXPECT_EQ(message_of<ShapeError>([&] { return np::broadcast_to(a, Dims{2}); }),
            "broadcast_to: the array must broadcast to the shape; got f32[3] to [2].");
}

TEST(promotion, storage_types_do_not_promote) {
  const Array x = np::ones({2}).astype(f8e4m3fn), n = np::ones({2}).astype(i4);
  EXPECT_EQ(message_of<DTypeError>([&] { return x + np::ones({2}); }),
            "add: f8e4m3fn does not promote implicitly; got f8e4m3fn and f32.");
  EXPECT_EQ(message_of<DTypeError>([&] { return np::ones({2}, i32) * n; }),
            "multiply: i4 does not promote implicitly; got i32 and i4.");
  EXPECT_TRUE(throws<DTypeError>([&] { return x + x.astype(f8e5m2); }));
  // Of one type, and with numbers, they compute.
  EXPECT_EQ((x + x).aval().str(), "f8e4m3fn[2]");
  EXPECT_EQ((x * 2.5).astype(f32).to_vector<float>(), (std::vector<float>{2.5f, 2.5f}));
  EXPECT_EQ((n + 6).astype(i32).to_vector<int>(), (std::vector<int>{7, 7}));
  EXPECT_EQ(message_of<ValueError>([&] { return n + 8; }),
            "add: a number must fit the dtype that it takes; got 8 for i4.");
}

TEST(promotion, errors_name_the_users_line) {
  const Array a = np::ones({3}), b = np::ones({4});
  try {
    (void)(a * b);
    FAIL();
  } catch (const ShapeError& e) {
    EXPECT_NE(std::string(e.what()).find("promotion_test.cc:" + std::to_string(__LINE__ - 3)), std::string::npos)
        << e.what();
    EXPECT_FALSE(e.hint().empty());
  }
}

TEST(promotion, equal_operands_are_taken_as_they_are) {
  const Array a = np::ones({3}), b = np::zeros({3});
  const auto [p, q] = np::promote("f", a, b);
  EXPECT_TRUE(p.identical(a) && q.identical(b));
  const auto [r, s] = np::promote_inexact("f", a, b);
  EXPECT_TRUE(r.identical(a) && s.identical(b));
}

TEST(promotion, the_type_of_arrays_numbers_and_dtypes_together) {
  const Array x = np::ones({2}, f16);
  EXPECT_EQ(np::result_type(x), f16);
  EXPECT_EQ(np::result_type(x, 2.5), f16);
  EXPECT_EQ(np::result_type(x, f32), f32);
  EXPECT_EQ(np::result_type(np::int8, np::uint8, 3), i16);
  EXPECT_EQ(np::result_type(i32, 2.5, x, 1), f16);
  EXPECT_EQ(np::result_type(i32, 2.5), f64);
  EXPECT_EQ(np::result_type(1, 2.5), f64);
  EXPECT_EQ(np::result_type({x, 1, f64}), f64);
  const std::vector<np::TypeArg> list(5, np::TypeArg(u8));
  EXPECT_EQ(np::result_type(list), u8);
  EXPECT_EQ(np::promote_types(np::int32, np::uint32), i64);
}

}  // namespace
}  // namespace weft
