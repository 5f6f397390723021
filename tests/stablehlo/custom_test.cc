// Custom rules in StableHLO text: the functions are written, their rules are not.
#include <gtest/gtest.h>

#include "harness/errors.h"
#include "weft/stablehlo/export.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

std::string text_of(const Jaxpr& program) { return print(program, Form::kPretty); }

TEST(custom_rules, are_dropped_and_the_function_is_called) {
  const auto square = custom_jvp([](Array x) { return x * x; },
                                 [](Array x, Array dx) { return std::pair(x * x, 3.0 * dx); }, {.name = "square"});
  const std::string text = text_of(make_jaxpr(square)(1.0));
  EXPECT_NE(text.find("call @square("), std::string::npos) << text;
  EXPECT_EQ(text.find("3.0"), std::string::npos) << text;
}

TEST(custom_rules, forward_derivatives_that_do_not_exist_have_no_text) {
  const auto square = custom_vjp([](Array x) { return x * x; }, [](Array x) { return std::pair(x * x, x); },
                                 [](Array x, Array ct) { return 2.0 * x * ct; }, {.name = "square"});
  EXPECT_NE(text_of(make_jaxpr(grad(square))(1.0)).find("multiply"), std::string::npos);
  EXPECT_EQ(testing::error_of([&] { text_of(make_jaxpr(jacfwd(square))(1.0)); }),
            "NotDifferentiableError: stablehlo: a program must have a value; got a forward derivative of square, which "
            "custom_vjp gave rules for reverse mode only.");
}

}  // namespace
}  // namespace weft::stablehlo
