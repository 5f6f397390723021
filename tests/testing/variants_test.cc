#include "testing/variants.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "testing/fake.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

struct State {
  Array w, b;
};

TEST(for_each_variant, calls_the_function_plain_compiled_and_mapped) {
  std::vector<std::string> names;
  int plain = 0, traced = 0;
  for_each_variant([&](auto variant) {
    names.emplace_back(variant.name());
    const auto f = variant([&](State p, Array x, int n) {
      ++(x.is_tracer() ? traced : plain);
      EXPECT_EQ(x.ndim(), 1);
      return std::pair(p.w * x + n, p.b);
    });
    const auto [y, b] = f(State{2, 3.0f}, np::array({1.0f, 2.0f}), 5);
    EXPECT_EQ(y.template to_vector<float>(), (std::vector<float>{7, 9}));
    EXPECT_EQ(b.aval().str(), "f32[]");
  });
  EXPECT_EQ(names, (std::vector<std::string>{"without_jit", "with_jit", "with_vmap"}));
  EXPECT_EQ(plain, 1);
  EXPECT_EQ(traced, 2);
}

TEST(for_each_variant, runs_those_that_are_chosen) {
  std::vector<std::string> names;
  for_each_variant<WithVmap, WithJit>([&](auto variant) {
    names.emplace_back(variant.name());
    EXPECT_EQ(variant([](Array x) { return x + 1; })(1).template item<int>(), 2);
  });
  EXPECT_EQ(names, (std::vector<std::string>{"with_vmap", "with_jit"}));
}

TEST(for_each_variant, takes_functions_without_arrays) {
  for_each_variant(
      [](auto variant) { EXPECT_EQ(variant([](int n) { return np::ones({2}) * n; })(3).shape(), Shape{2}); });
}

TEST(for_each_variant, says_which_variant_failed) {
  try {
    for_each_variant([](auto variant) {
      variant([](Array x) {
        if (x.is_tracer()) throw ShapeError("f: it must not be traced; got a tracer.");
        return x;
      })(1.0f);
    });
    FAIL() << "nothing was thrown";
  } catch (const ShapeError& e) {
    ASSERT_FALSE(e.notes().empty());
    EXPECT_EQ(e.notes().back(), "in the variant with_jit");
  }
  EXPECT_EQ(error_of([] { for_each_variant([](auto) {}); }),
            "ValueError: for_each_variant: the body must make its function with variant(f); got none in the variant "
            "without_jit.");
}

TEST(fake_jit, runs_functions_as_they_are) {
  bool traced = false;
  const auto f = jit([&](Array x) {
    traced = x.is_tracer();
    return x;
  });
  {
    const auto fake = fake_jit();
    f(1.0f);
    EXPECT_FALSE(traced);
  }
  f(2.0f);
  EXPECT_TRUE(traced);
}

}  // namespace
}  // namespace weft::testing
