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

Array free_noexcept(const Array& x) noexcept { return x * x; }

struct Scale {
  Array w;
  Array operator()(Array x) const& { return x * w; }
};
struct ScaleNoexcept {
  Array w;
  Array operator()(Array x, int n) const& noexcept { return x * w * n; }
};
struct Plain {
  Array w;
  Array operator()(Array x) const noexcept { return x * w; }
};

TEST(callable, functions_may_be_noexcept_and_have_a_reference_qualifier) {
  EXPECT_EQ(grad([](Array x) noexcept { return x * x; })(3.0f).item<float>(), 6);
  EXPECT_EQ(grad(free_noexcept)(3.0f).item<float>(), 6);
  EXPECT_EQ(jit(&free_noexcept)(3.0f).item<float>(), 9);
  EXPECT_EQ(jit(Scale{2.0f})(3.0f).item<float>(), 6);
  EXPECT_EQ(grad(Scale{2.0f})(3.0f).item<float>(), 2);
  EXPECT_EQ(jit(ScaleNoexcept{2.0f})(3.0f, 5).item<float>(), 30);
  EXPECT_EQ(vmap(Plain{2.0f})(np::ones({2})).to_vector<float>(), (std::vector<float>{2, 2}));
  // Their parameters are known: a number becomes the Array that is declared, and is no part of the program.
  const auto f = jit(ScaleNoexcept{2.0f});
  for (const float x : {1.0f, 2.0f}) f(x, 5);
  EXPECT_EQ(f.cache_size(), 1u);
}

TEST(callable, integers_reach_integer_parameters_unchanged) {
  const auto f = jit([](Array x, std::int64_t n, std::uint8_t m, std::optional<int> k, bool b) {
    return x * static_cast<double>(n) + static_cast<int>(m) + k.value_or(7) + (b ? 1 : 0);
  });
  EXPECT_EQ(f(0.0, INT64_MIN, 255LL, std::nullopt, 2).item<double>(), -0x1p63 * 0 + 255 + 7 + 1);
  EXPECT_EQ(f(1.0, 'a', '\1', 3L, false).item<double>(), 97 + 1 + 3);
  const auto g = jit([](Array x, std::uint64_t n) { return x * static_cast<double>(n); });
  EXPECT_EQ(g(1.0, UINT64_MAX).item<double>(), 0x1p64);
  EXPECT_EQ(g(1.0, INT64_MAX).item<double>(), 0x1p63);
  EXPECT_THROW(g(1.0, std::int8_t{-1}), ValueError);
  EXPECT_THROW(f(0.0, UINT64_MAX, 0, 0, false), ValueError);
  EXPECT_THROW(f(0.0, 0, 256, 0, false), ValueError);
  EXPECT_THROW(f(0.0, 0, 0, 1LL << 31, false), ValueError);
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
