#include "weft/api/callable.h"

#include <gtest/gtest.h>

#include "weft/weft.h"

namespace weft {
namespace {

TEST(callable, functions_of_np_are_transformed_like_others) {
  EXPECT_EQ(jit(np::square)(3.0f).item<float>(), 9);
  EXPECT_EQ(grad(np::square)(3.0f).item<float>(), 6);
  EXPECT_EQ(grad(grad(np::square))(3.0f).item<float>(), 2);
  const Array x = np::array({{1.f, 2.f}, {3.f, 4.f}});
  EXPECT_EQ(vmap(np::dot)(x, x).to_vector<float>(), (std::vector<float>{5, 25}));
  EXPECT_EQ(grad(np::multiply)(2.0f, 5.0f).item<float>(), 5);
  EXPECT_EQ(make_jaxpr(np::square)(x).str(), "{ lambda ; a:f32[2,2]. let b:f32[2,2] = square a in (b,) }");
}

TEST(callable, mistakes_in_a_function_of_np_name_the_transformation) {
  try {
    jit(np::dot)(np::ones({2}), np::ones({3}));
    FAIL() << "nothing was thrown";
  } catch (const ShapeError& e) {
    EXPECT_EQ(e.message(),
              "dot: contracting sizes must match; lhs axis 0 has 2, rhs axis 0 has 3 (lhs f32[2], rhs f32[3]).");
    ASSERT_FALSE(e.notes().empty());
    EXPECT_EQ(e.notes().back().rfind("while tracing jit(f) at callable_test.cc:", 0), 0u) << e.what();
  }
}

}  // namespace
}  // namespace weft
