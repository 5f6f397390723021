// What scans take slices of.
#pragma once

#include "weft/compiler/simplify_rewriter.h"

namespace weft::compiler::simplifying {

/// Moves into the body of the scan what makes an operand that it takes slices of, where that is one cheap operation
/// after another on one array, beside what is the same at each step: the operand is then never in memory. What is
/// nothing but the same at each step is captured.
void make_slices_inside(const Rewriter& to, Equation& scan);

}  // namespace weft::compiler::simplifying
