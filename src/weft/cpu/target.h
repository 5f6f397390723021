// What the CPU's code generator can do, for the compiler's decisions.
#pragma once

#include "weft/compiler/schedule.h"

namespace weft::cpu {

extern const compiler::Target kCpuTarget;

}  // namespace weft::cpu
