// Reductions of many elements as trees of small ones, each of which is a kernel's: along rows, the last axes, of at
// most kReduceRowBlock elements, or along columns of at most kReduceColumnBlock (ir/reduction_order.h). The trees are
// those of cpu/kernels/reduce.cc, so a sum has the same bits whoever computes it; and their leaves are what threads
// share.
#pragma once

#include "weft/ir/contraction.h"
#include "weft/ir/jaxpr.h"

namespace weft::compiler {

/// Whether kernels do such reductions: all but those of complex numbers and storage types, and the xor of bool.
bool is_reduced_by_kernels(DType t, ReduceKind kind);

/// The program with the reductions that kernels do as such trees. f16 and bf16 are summed in f32.
ir::Jaxpr with_reduction_trees(const ir::Jaxpr& jaxpr);

}  // namespace weft::compiler
