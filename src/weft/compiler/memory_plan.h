// Where the values of a procedure are: in its inputs, its outputs, or the workspace. Knows lives and sizes, nothing of
// what is computed beyond whether it may be written where an operand was.
#pragma once

#include "weft/compiler/procedure.h"

namespace weft::compiler {

/// What may be written where the inputs of a procedure are.
struct Reuse {
  /// By output: the input whose memory it takes the place of where that is safe, or -1. Empty: none.
  std::vector<std::int64_t> replaces = {};
  /// Inputs that the caller gives away: outputs of their size take their places, each one input, where that is safe.
  std::vector<std::uint32_t> donated = {};
};

/// Fills places, outputs, overwrites, workspace and the offsets in nested. Inputs are written to only where an output
/// replaces them in the end.
void plan_memory(Procedure& procedure, const Program& program, const Target& target, const Reuse& reuse);

}  // namespace weft::compiler
