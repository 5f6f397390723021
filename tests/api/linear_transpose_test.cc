#include <gtest/gtest.h>

#include <map>
#include <string>

#include "weft/weft.h"

namespace weft {
namespace {

TEST(linear_transpose, is_the_adjoint) {
  const Array k = np::array({1.0, -2.0, 0.5});
  const auto f = [&](Array x, Array y) { return np::cumsum(np::sin(k) * x) + np::dot(y, np::ones({2})) * k; };
  const Array x = np::array({0.3, 1.7, -2.0}), y = np::array({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}});
  const Array ct = np::array({2.0, -1.0, 0.25});
  const auto transposed = linear_transpose(f, abstract(f64, {3}), abstract(f64, {3, 2}));
  const auto [gx, gy] = transposed(ct);
  EXPECT_NEAR(np::sum(f(x, y) * ct).item<double>(), (np::sum(gx * x) + np::sum(gy * y)).item<double>(), 1e-12);
  // Linear in the cotangent, and so transposed again it is f.
  const auto [back] = linear_transpose([&](Array c) { return std::get<0>(transposed(c)); }, ct)(x);
  EXPECT_TRUE(np::allclose(back, np::cumsum(np::sin(k) * x)).item<bool>());
}

TEST(linear_transpose, works_inside_other_transformations) {
  const auto twice = [](Array ct) { return std::get<0>(linear_transpose([](Array x) { return 2.0 * x; }, ct)(ct)); };
  EXPECT_EQ(jit(twice)(np::array({1.0, 3.0})).to_vector<double>(), (std::vector<double>{2, 6}));
  EXPECT_EQ(vmap(twice)(np::array({1.0, 3.0})).to_vector<double>(), (std::vector<double>{2, 6}));
  EXPECT_EQ(grad([&](Array x) { return twice(x) * x; })(1.5).item<double>(), 6.0);
}

TEST(linear_transpose, integers_are_constants_and_trees_keep_their_structure) {
  using Tree = std::map<std::string, Array>;
  const auto f = [](Tree t, Array i) { return t["w"] * i + t["b"]; };
  const auto [ct, none] = linear_transpose(f, Tree{{"w", Array(1.0)}, {"b", Array(1.0)}}, Array(3))(Array(2.0));
  EXPECT_EQ(ct.at("w").item<double>(), 6.0);
  EXPECT_EQ(ct.at("b").item<double>(), 2.0);
  EXPECT_FALSE(none.defined());
}

std::string error_of(auto&& f) {
  try {
    f();
  } catch (const NotDifferentiableError& e) {
    return e.what();
  }
  return "no NotDifferentiableError";
}

TEST(linear_transpose, names_the_argument_that_the_function_is_not_linear_in) {
  const Array one(1.0);
  EXPECT_NE(error_of([&] {
              linear_transpose([](Array x, Array y) { return np::sin(x) + y; }, one, one);
            }).find("linear_transpose: the function must be linear; its derivative depends on args[0].\n"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              linear_transpose([](Array x, Array y) { return x * y; }, one, one);
            }).find("its derivative depends on args[0]"),
            std::string::npos);
  EXPECT_EQ(error_of([&] { linear_transpose([](Array x) { return x * np::sin(np::ones({})) + 3; }, one); }),
            "no NotDifferentiableError");
}

}  // namespace
}  // namespace weft
