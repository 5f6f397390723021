// Which machine code is made for.
#pragma once

#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <string>

#include "weft/cpu/codegen/llvm_gen.h"

namespace weft::cpu {

struct LlvmMachine {
  std::string triple, cpu, features;
  friend bool operator==(const LlvmMachine&, const LlvmMachine&) = default;
};

const LlvmMachine& this_machine();

/// What the options name. BackendError for `native` of another architecture.
LlvmMachine machine_of(const CodeOptions& options);

/// BackendError naming what LLVM does not know of the machine, or why it is none of ours.
std::unique_ptr<llvm::TargetMachine> target_machine(const LlvmMachine& m);

/// Of the widest registers.
unsigned vector_bytes(const llvm::TargetMachine& machine);

/// Whether fused multiply-add is an instruction.
bool has_fma(const llvm::TargetMachine& machine);

}  // namespace weft::cpu
