// Derivatives of operations with computations on scalars, where samples do not look.
#include <gtest/gtest.h>

#include "weft/control/programs.h"
#include "weft/ir/parse.h"
#include "weft/weft.h"

namespace weft {
namespace {

TEST(generic_scatter, updates_that_are_dropped_have_no_derivative) {
  // x / 0 is infinite, and so is its slope, where nothing of it is used.
  const ir::Jaxpr quotient = ir::parse("{ lambda ; a:f64[] b:f64[]. let c:f64[] = div a b in (c,) }");
  const Array x = np::array({0.1, 0.2, 0.3}), at = np::array({2, 5}), updates = np::array({0.4, 0.0});
  for (const bool unique : {false, true}) {
    const auto f = [&](Array a, Array u) {
      return np::sum(lax::generic_scatter(Arrays{a}, np::reshape(at, {2, 1}), Arrays{u}, quotient,
                                          {{}, {0}, {}, {}, {0}}, unique)[0]);
    };
    const auto [by_x, by_u] = grad<0, 1>(f)(x, updates);
    EXPECT_TRUE(np::allclose(by_x, np::array({1.0, 1.0, 2.5})).item<bool>()) << by_x.str();
    EXPECT_TRUE(np::allclose(by_u, np::array({-0.3 / 0.16, 0.0})).item<bool>()) << by_u.str();
    EXPECT_TRUE(np::all(np::isfinite(hessian([&](Array u) { return f(x, u); })(updates))).item<bool>());
  }
}

}  // namespace
}  // namespace weft
