// What must hold of any program on the CPU client: reference evaluation, the program compiled at once, and the program
// run step by step agree (harness/compare_programs.h says how far). The short and the long form share it.
#pragma once

#include <string>

#include "harness/compare_programs.h"
#include "weft/cpu/executable.h"

namespace weft::testing {

/// "" or what does not agree.
inline std::string judge(const RandomProgram& program) {
  return disagreement(
      program, [](const ir::Jaxpr& jaxpr) { return executable(jaxpr); },
      [](const ir::Jaxpr& jaxpr) { return cpu::make_stepwise(jaxpr); });
}

}  // namespace weft::testing
