#include "testing/scalars.h"

#include <gtest/gtest.h>

#include <limits>

#include "testing/assertion.h"
#include "testing/chexify.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

TEST(assert_scalar, takes_numbers_and_0d_arrays) {
  assert_scalar(3);
  assert_scalar(Array(2.5f));
  EXPECT_EQ(error_of([] { assert_scalar(np::ones({1})); }), kError + "assert_scalar: x must be a scalar; got f32[1].");
  EXPECT_EQ(error_of([] { assert_scalar(Array()); }), kError + "assert_scalar: x must be a scalar; got none.");
}

TEST(assert_scalar_in, has_its_ends_or_not) {
  assert_scalar_in(0, 0, 1);
  assert_scalar_in(0.5, 0, 1, false);
  assert_scalar_in(Array(1), 0, 1);
  EXPECT_EQ(error_of([] { assert_scalar_in(2, 0, 1.5); }),
            kError + "assert_scalar_in: x must be in [0.0, 1.5]; got 2.");
  EXPECT_EQ(error_of([] { assert_scalar_in(1.0, 0, 1, false); }),
            kError + "assert_scalar_in: x must be in (0.0, 1.0); got 1.0.");
  EXPECT_EQ(error_of([] { assert_scalar_in(np::nan, 0, 1); }),
            kError + "assert_scalar_in: x must be in [0.0, 1.0]; got nan.");
  EXPECT_EQ(error_of([] { assert_scalar_in(np::ones({2}), 0, 1); }),
            kError + "assert_scalar_in: x must be a real scalar; got f32[2].");
}

TEST(assert_scalar_signs, compare_with_zero) {
  assert_scalar_positive(1);
  assert_scalar_non_negative(0);
  assert_scalar_negative(Array(-0.5f));
  EXPECT_EQ(error_of([] { assert_scalar_positive(0.0); }),
            kError + "assert_scalar_positive: x must be positive; got 0.0.");
  EXPECT_EQ(error_of([] { assert_scalar_non_negative(-1); }),
            kError + "assert_scalar_non_negative: x must not be negative; got -1.");
  EXPECT_EQ(error_of([] { assert_scalar_negative(Array(2u)); }),
            kError + "assert_scalar_negative: x must be negative; got 2.");
  EXPECT_EQ(error_of([] { assert_scalar_positive(std::complex<float>(1)); }),
            kError + "assert_scalar_positive: x must be a real scalar; got c64[].");
}

TEST(scalar_assertions, are_checks_of_programs) {
  const auto f = chexify([](Array x) {
    assert_scalar_positive(x);
    assert_scalar_in(x, 0, 10);
    return np::log(x);
  });
  EXPECT_NO_THROW(f(2.0f));
  EXPECT_EQ(error_of([&] { f(-2.0f); }), kError + "assert_scalar_positive: x must be positive; got -2.0.");
  EXPECT_EQ(error_of([&] { f(11.0f); }), kError + "assert_scalar_in: x must be in [0.0, 10.0]; got 11.0.");
}

TEST(assert_is_divisible, divides) {
  assert_is_divisible(6, 3);
  assert_is_divisible(-6, 3);
  assert_is_divisible(std::numeric_limits<std::int64_t>::min(), -1);
  EXPECT_EQ(error_of([] { assert_is_divisible(7, 3); }),
            kError + "assert_is_divisible: the denominator must divide the numerator; got 7 and 3.");
  EXPECT_EQ(error_of([] { assert_is_divisible(7, 0); }),
            "ValueError: assert_is_divisible: the denominator must not be 0; got 0.");
}

TEST(assert_nones, count_what_is_missing) {
  const Array x = 1.0f, none;
  const std::optional<int> three = 3, nothing;
  assert_not_both_none(x, none);
  assert_not_both_not_none(none, nothing);
  assert_exactly_one_is_none(x, nothing);
  EXPECT_EQ(error_of([&] { assert_not_both_none(none, nothing); }),
            kError + "assert_not_both_none: at least one must not be none; got none and none.");
  EXPECT_EQ(error_of([&] { assert_not_both_not_none(x, three); }),
            kError + "assert_not_both_not_none: at least one must be none; got a value and a value.");
  EXPECT_EQ(error_of([&] { assert_exactly_one_is_none(none, nothing); }),
            kError + "assert_exactly_one_is_none: exactly one must be none; got none and none.");
}

}  // namespace
}  // namespace weft::testing
