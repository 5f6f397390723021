// triangular_solve of one f32 matrix by inverted blocks: all of its arithmetic but a block's inverse is products.
// Private to ops/.
#pragma once

#include <cstdint>

#include "weft/ir/linalg.h"

namespace weft::ops {

/// Solves op(a) x = b, a being n x n, in place of b (n x columns); with p.left_side false x op(a) = b, b being
/// columns x n. The order of every sum is XLA's, whose results exported programs expect to a few units where the exact
/// solution is further away.
void block_solve(const TriangularSolveParams& p, std::int64_t n, std::int64_t columns, const float* a, float* b);

}  // namespace weft::ops
