// A whole program as an LLVM module: one function per kernel, one per procedure.
#pragma once

#include <string>
#include <vector>

#include "weft/compiler/procedure.h"
#include "weft/cpu/codegen/llvm_gen.h"
#include "weft/cpu/codegen/llvm_kernel.h"

namespace weft::cpu {

/// Marks procedures, of which no pass makes anything better.
inline constexpr const char* kIsProcedure = "weft-procedure";

struct ProgramTables {
  std::vector<EquationRef> steps;        // RunContext::run_step
  std::vector<EquationRef> loops;        // RunContext::loop_begin
  std::vector<StatementRef> statements;  // RunContext::statement_begin
  bool has_raw = false;                  // there is a function kRawName
};

/// Adds the program to the unit's module, as a ProgramFunction and, where it needs no context, a RawFunction.
ProgramTables emit_program(LlvmUnit& unit, const compiler::Program& program, const CodeOptions& options);

}  // namespace weft::cpu
