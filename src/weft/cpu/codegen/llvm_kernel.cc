#include "weft/cpu/codegen/llvm_kernel.h"

#include "weft/cpu/codegen/llvm_columns.h"
#include "weft/cpu/codegen/llvm_rows.h"

namespace weft::cpu {

std::int64_t split_step(const compiler::Kernel& kernel) {
  if (kernel.columns) return kernel.outer == 1 ? kColumnSplit : 1;
  return kernel.outer == 0 ? (kernel.reduces ? 0 : 4096) : 1;
}

llvm::Function* emit_kernel(LlvmUnit& unit, const compiler::Kernel& kernel, const std::string& name, bool split) {
  return kernel.columns ? emit_columns(unit, kernel, name, split) : emit_rows(unit, kernel, name, split);
}

}  // namespace weft::cpu
