// dot_general through oneDNN. The caller gets a function that runs on dense row-major data, or
// null when this library does not do it.
#pragma once

#include <functional>

#include "weft/ir/aval.h"
#include "weft/ir/contraction.h"

namespace weft::cpu {

std::function<void(const void* const* in, void* const* out)> plan_dot_general(const DotGeneralParams& params, Aval lhs, Aval rhs, Aval out);

}  // namespace weft::cpu
