#include "weft/core/array.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace weft {
namespace {

TEST(array, assignment_to_a_temporary_does_not_compile) {
  // x(0) = 1 would change a copy and nothing else.
  EXPECT_FALSE((std::is_assignable_v<Array, float>));
  EXPECT_FALSE((std::is_assignable_v<Array, Array>));
  EXPECT_TRUE((std::is_assignable_v<Array&, float>));
  EXPECT_TRUE((std::is_nothrow_assignable_v<Array&, Array>));
  EXPECT_TRUE((std::is_nothrow_move_constructible_v<Array>));
}

}  // namespace
}  // namespace weft
