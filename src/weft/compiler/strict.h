// Programs that give the same bits on every machine (Fp::kStrict). Knows which operations can be relied on for that; a
// target says what it has code for, which every machine runs alike.
#pragma once

#include "weft/compiler/schedule.h"

namespace weft::compiler {

/// The program with ordered sums (decompose.h) and calls inlined. BackendError naming the operations whose results may
/// differ from machine to machine.
ir::Jaxpr strict(const ir::Jaxpr& jaxpr, const Target& target);

}  // namespace weft::compiler
