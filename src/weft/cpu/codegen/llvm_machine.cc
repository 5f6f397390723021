#include "weft/cpu/codegen/llvm_machine.h"

#include <llvm/ADT/SmallVector.h>
#include <llvm/ADT/StringMap.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>

#include <algorithm>

#include "weft/base/error.h"

namespace weft::cpu {

namespace {

void check_features(const LlvmMachine& m, const llvm::MCSubtargetInfo& known) {
  llvm::SmallVector<llvm::StringRef, 16> features;
  llvm::StringRef(m.features).split(features, ',', -1, false);
  for (const llvm::StringRef f : features) {
    const auto all = known.getAllProcessorFeatures();
    const bool found = (f.starts_with("+") || f.starts_with("-")) &&
                       std::any_of(all.begin(), all.end(), [&](const auto& k) { return f.drop_front() == k.Key; });
    if (!found)
      throw BackendError("compile: features must be ones that LLVM knows for " + m.triple + ", after + or -; got " +
                         f.str() + ".");
  }
}

}  // namespace

const LlvmMachine& this_machine() {
  static const LlvmMachine machine = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    LlvmMachine m{llvm::sys::getProcessTriple(), llvm::sys::getHostCPUName().str(), {}};
    for (const auto& f : llvm::sys::getHostCPUFeatures())
      m.features += (m.features.empty() ? "" : ",") + std::string(f.second ? "+" : "-") + f.first().str();
    return m;
  }();
  return machine;
}

LlvmMachine machine_of(const CodeOptions& options) {
  if (options.triple.empty() && options.cpu.empty() && options.features.empty()) return this_machine();
  static const bool all = [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    return true;
  }();
  (void)all;
  const std::string triple = options.triple.empty() ? llvm::sys::getProcessTriple() : options.triple;
  if (options.cpu == "native") {
    LlvmMachine m = this_machine();
    if (llvm::Triple(triple).getArch() != llvm::Triple(m.triple).getArch())
      throw BackendError("compile: the processor of another machine must have a name; got native for " + triple + ".");
    m.triple = llvm::Triple::normalize(triple);
    if (!options.features.empty()) m.features += "," + options.features;
    return m;
  }
  return {llvm::Triple::normalize(triple), options.cpu.empty() ? "generic" : options.cpu, options.features};
}

std::unique_ptr<llvm::TargetMachine> target_machine(const LlvmMachine& m) {
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(m.triple, error);
  if (!target) throw BackendError("compile: the machine must be one that LLVM knows; got " + m.triple + ".");
  const llvm::Triple triple(m.triple);
  if (!triple.isArch64Bit() || !triple.isLittleEndian())
    throw BackendError("compile: the machine must have 64 bits and store the lowest byte first; got " + m.triple + ".");
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::MCSubtargetInfo> known(target->createMCSubtargetInfo(m.triple, "", ""));
  if (known && m.cpu != "generic" && !known->isCPUStringValid(m.cpu))
    throw BackendError("compile: the processor must be one that LLVM knows for " + m.triple + "; got " + m.cpu + ".");
  if (known) check_features(m, *known);
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(m.triple, m.cpu, m.features, options, llvm::Reloc::PIC_, llvm::CodeModel::Small,
                                  llvm::CodeGenOptLevel::Default, /*JIT=*/false));
}

unsigned vector_bytes(const llvm::TargetMachine& machine) {
  const llvm::MCSubtargetInfo& has = *machine.getMCSubtargetInfo();
  if (!machine.getTargetTriple().isX86()) return 16;
  if (has.checkFeatures("+avx512f,+avx512bw,+avx512dq,+avx512vl")) return 64;
  return has.checkFeatures("+avx2") ? 32 : 16;
}

bool has_fma(const llvm::TargetMachine& machine) {
  const llvm::Triple& triple = machine.getTargetTriple();
  return triple.isAArch64() || (triple.isX86() && machine.getMCSubtargetInfo()->checkFeatures("+fma"));
}

}  // namespace weft::cpu
