// What must hold of any bytes as StableHLO text: they are refused with a ParseError, or they are a program that comes
// back from its own text in both forms, whose functions are imported or refused in the same way. Anything else that
// happens is a fault of ours. The libFuzzer target and the tests of mutations share it.
#pragma once

#include <string>
#include <string_view>

#include "weft/base/error.h"
#include "weft/stablehlo/import.h"
#include "weft/stablehlo/syntax.h"

namespace weft::stablehlo::testing {

struct Verdict {
  bool program = false;
  std::string fault;  ///< "" when all is well
};

inline Verdict judge(std::string_view text) {
  Verdict v;
  try {
    for (const Module& m : parse_all(text)) {
      v.program = true;
      for (const Form form : {Form::kPretty, Form::kGeneric}) {
        const std::string printed = print(m, form);
        try {
          if (!(parse(printed) == m)) v.fault = "another program came back from\n" + printed;
        } catch (const ParseError& e) {
          v.fault = e.message() + "\nin what was printed:\n" + printed;
        }
      }
      for (const Op& op : m.ops()) {
        if (op.name != "func.func") continue;
        try {
          import(m, {.function = op.symbol()});
        } catch (const ParseError&) {
          // Programs may ask for what does not fit.
        }
      }
    }
  } catch (const ParseError&) {
    // Text may be no program.
  } catch (const std::exception& e) {
    v.fault = e.what();
  }
  return v;
}

}  // namespace weft::stablehlo::testing
