// Programs that check themselves, and the errors of those that are none.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "weft/base/error.h"
#include "weft/stablehlo/check.h"
#include "weft/stablehlo/syntax.h"

namespace weft::stablehlo::testing {

// All programs of a text pass their checks, as they are and after text in both forms.
inline void passes(const std::string& text, int checks) {
  for (const Module& m : parse_all(text, "a.mlir")) {
    for (const Form form : {Form::kPretty, Form::kGeneric}) {
      const std::string printed = print(m, form);
      EXPECT_TRUE(parse(printed) == m) << printed;
    }
    for (const CheckReport& r : run_checks(m)) {
      EXPECT_EQ(r.outcome, CheckReport::Outcome::kPassed) << r.name << ": " << r.reason;
      checks -= r.checks;
    }
  }
  EXPECT_EQ(checks, 0) << text;
}

// The error of a function with this body; or "no error".
inline std::string error_of(const std::string& body, const std::string& arguments = "",
                            const std::string& before = "") {
  try {
    import(before + "func.func @main(" + arguments + ") {\n" + body + "  return\n}\n", {.source = "a.mlir"});
  } catch (const ParseError& e) {
    return e.message();
  }
  return "no error";
}

}  // namespace weft::stablehlo::testing
