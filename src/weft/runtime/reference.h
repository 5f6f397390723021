// Running an operation by its reference evaluation: the oracle, and the fallback of clients that
// have no kernel for it.
#pragma once

#include "weft/runtime/client.h"

namespace weft {

/// Infers the result types, allocates them from `evaluator` and calls the op's `eval` on dense data.
void reference_evaluate(Evaluator& evaluator, const Call& call, Arrays& outs);

}  // namespace weft
