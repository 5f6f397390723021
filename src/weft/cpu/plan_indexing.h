// Plans of the operations that index and order: gather, scatter, sort, top_k, cumsum.
#pragma once

#include <functional>

#include "weft/ir/op.h"

namespace weft::cpu {

/// Runs such an operation on dense operands; null when there is no kernel for these parameters and types, or for `op`.
/// A scatter may have its first operand's memory as its result.
std::function<void(const void* const* in, void* const* out)> plan_indexing(OpCode op, const ir::ParamsBase* params,
                                                                           std::span<const Aval> in,
                                                                           std::span<const Aval> out);

}  // namespace weft::cpu
