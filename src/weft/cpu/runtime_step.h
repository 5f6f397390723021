// An operation of a compiled program that has no generated code: its prebuilt kernel or reference evaluation, on
// memory.
#pragma once

#include "weft/compiler/procedure.h"
#include "weft/cpu/plan.h"

namespace weft::cpu {

class RuntimeStep {
 public:
  RuntimeStep(const compiler::Procedure& procedure, const ir::Eqn& eqn);
  /// Operands and results are dense, of the equation's types; they do not overlap. Errors name the equation's line.
  void run(const void* const* in, void* const* out) const;
  /// The same with what follows out[0]; whether `epilogue` was called.
  bool run(const void* const* in, void* const* out, const Epilogue& epilogue) const;
  OpCode op() const { return op_; }

 private:
  OpCode op_;
  ir::Params params_;
  SourceLocation location_;
  ir::Avals in_, out_;
  OpPlan plan_;
};

}  // namespace weft::cpu
