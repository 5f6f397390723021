// Compound assignment keeps the array's shape and dtype, as in NumPy; what other operators do is tested with the
// functions that they stand for.
#include "np/expect.h"

namespace weft {
namespace {

using testing::expect_equal;

TEST(compound_assignment, rounds_to_the_dtype_of_the_array_within_its_kind) {
  Array x = np::ones({2});
  x += np::array({0.5, 1e-12});  // added in f64
  expect_equal(x, np::array({1.5f, 1.0f}));
  Array n = np::array({1, 2});
  n += np::array({1u, 2u});  // i64 between
  expect_equal(n, np::array({2, 4}));
  Array half = np::ones({2}, f16);
  half *= np::full({2}, 3.0f);
  EXPECT_EQ(half.dtype(), f16);
  Array z = np::array({std::complex<float>(1, 2)});
  z += np::array({1.0});
  EXPECT_EQ(z.dtype(), c64);
  Array mask = np::array({1, 0, 1}) > 0;
  mask &= np::array({1, 1, 0}) > 0;
  expect_equal(mask, np::array({true, false, false}));
}

TEST(compound_assignment, takes_lesser_kinds_and_broadcasts_the_right_side) {
  Array x = np::ones({2, 2});
  x += np::arange(2);
  x *= 2;
  x -= np::array({true, false});
  expect_equal(x, np::array({{1.0f, 4.0f}, {1.0f, 4.0f}}));
}

TEST(compound_assignment, leaves_the_array_as_it_was_when_refused) {
  Array n = np::arange(2), x = np::ones({2});
  EXPECT_THROW(n += 0.5, DTypeError);
  EXPECT_THROW(n /= 1, DTypeError);
  EXPECT_THROW(x += np::ones({2, 2}), ShapeError);
  EXPECT_THROW(x += np::ones({3}), ShapeError);
  expect_equal(n, np::array({0, 1}));
  expect_equal(x, np::ones({2}));
}

TEST(compound_assignment, works_under_transformations) {
  const auto f = [](Array x, Array w) {
    Array total = 0.0f;
    for (int i = 0; i < 3; ++i) total += np::sum(w * x);
    return total;
  };
  const Array x = np::array({1.0f, 2.0f}), w = np::ones({2});
  expect_equal(jit(f)(x, w), Array(9.0f));
  expect_equal(jit(grad<1>(f))(x, w), 3 * x);
  expect_equal(vmap(f, {0, unmapped})(np::stack({x, 2 * x}), w), np::array({9.0f, 18.0f}));
}

TEST(numbers, must_fit_the_integer_dtype_beside_them) {
  expect_equal(np::array({1, 2}) + 2147483640, np::array({2147483641, 2147483642}));
  expect_equal(np::ones({1}, u8) * 255, np::full({1}, 255, u8));
  expect_equal(np::ones({1}, i8) * -128, np::full({1}, -128, i8));
  expect_equal(np::ones({1}, u64) * 18446744073709551615ull, np::full({1}, 18446744073709551615ull, u64));
  expect_equal(np::zeros({1}, i64) + INT64_MIN, np::full({1}, INT64_MIN, i64));
  for (const std::int64_t v : {std::int64_t{-1}, std::int64_t{256}}) EXPECT_THROW(np::ones({1}, u8) + v, ValueError);
  for (const std::int64_t v : {std::int64_t{-129}, std::int64_t{128}}) EXPECT_THROW(v - np::ones({1}, i8), ValueError);
  EXPECT_THROW(np::ones({1}, i64) + 9223372036854775808ull, ValueError);
  EXPECT_THROW(np::ones({1}, u64) > -1, ValueError);
}

}  // namespace
}  // namespace weft
