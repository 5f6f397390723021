// A statement of a compiled program, for people.
#pragma once

#include "weft/compiler/procedure.h"
#include "weft/runtime/profile.h"

namespace weft::cpu {

/// `index`: in the procedure's schedule.
ProgramStatement program_statement(const compiler::Procedure& procedure, std::uint32_t index);

}  // namespace weft::cpu
