// Matrix products as code: small ones, and all of them where no library is to be called.
#pragma once

#include "weft/cpu/codegen/llvm_kernel.h"

namespace weft::cpu {

/// Whether emit_dot has the product: floats of 32 and 64 bits, and integers of those sizes, of one type.
bool can_emit_dot(Aval lhs, Aval rhs, Aval out);

/// Multiplications of the product.
double dot_work(const ir::ParamsBase* params, Aval lhs, Aval out);

/// void name(ptr lhs, ptr rhs, ptr out): dot_general of dense operands. Each element is a sum in the order of the
/// contracted axes, by fused multiply-add; where these are adjacent in both operands and nothing else is, in as many
/// sums as a register has lanes, joined in halves.
llvm::Function* emit_dot(LlvmUnit& unit, const ir::ParamsBase* params, Aval lhs, Aval rhs, Aval out,
                         const std::string& name);

}  // namespace weft::cpu
