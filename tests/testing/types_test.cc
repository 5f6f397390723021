#include "testing/types.h"

#include <gtest/gtest.h>

#include "testing/assertion.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

TEST(assert_type, takes_dtypes_and_kinds) {
  const Array x = np::ones({2}), i = np::ones({2}, i8);
  assert_type(x, f32);
  assert_type(x, np::floating);
  assert_type({i, Array(3)}, np::integer);
  assert_type(3.5, f64);
  assert_types({x, i}, {np::inexact, i8});
  EXPECT_EQ(error_of([&] { assert_type(x, f64); }), kError + "assert_type: the array's dtype must be f64; got f32[2].");
  EXPECT_EQ(error_of([&] { assert_type({x, i}, np::floating); }),
            kError + "assert_type: every array's dtype must be floating; got i8[2] as array 1.");
  EXPECT_EQ(error_of([&] { assert_type(x, np::unsignedinteger); }),
            kError + "assert_type: the array's dtype must be unsigned integer; got f32[2].");
  EXPECT_EQ(error_of([&] { assert_types({x, i}, {f32, np::complexfloating}); }),
            kError +
                "assert_types: each array must have its dtype; got i8[2] as array 1, which must be complex "
                "floating.");
  EXPECT_EQ(error_of([&] { assert_types({x}, {f32, f32}); }),
            kError + "assert_types: there must be a dtype for each array; got 1 arrays and 2.");
  EXPECT_EQ(error_of([&] { assert_type(Array(), f32); }),
            kError + "assert_type: the array's dtype must be f32; got none.");
  EXPECT_THROW(jit([](Array y) {
                 assert_type(y, f32);
                 return y;
               })(i),
               AssertionError);
}

}  // namespace
}  // namespace weft::testing
