#include "weft/cpu/codegen/llvm_kernel.h"

#include <algorithm>

#include "weft/cpu/codegen/llvm_columns.h"
#include "weft/cpu/codegen/llvm_rows.h"

namespace weft::cpu {

std::int64_t split_step(const compiler::Kernel& kernel) {
  if (kernel.columns) return kernel.outer == 1 ? kColumnSplit : 1;
  if (kernel.outer > 0) return 1;
  if (kernel.reduces) return 0;
  std::int64_t widest = 1;
  for (const compiler::Kernel::Store& s : kernel.stores) {
    const compiler::Instr& value = kernel.body[s.value];
    if (value.level > 0) widest = std::max(widest, byte_size(value.dtype));
  }
  return kMostRowStepBytes / widest;
}

llvm::Function* emit_kernel(LlvmUnit& unit, const compiler::Kernel& kernel, const std::string& name, bool split) {
  return kernel.columns ? emit_columns(unit, kernel, name, split) : emit_rows(unit, kernel, name, split);
}

}  // namespace weft::cpu
