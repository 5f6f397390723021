#include "weft/cpu/codegen/llvm_object.h"

#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/CodeGen/MachineFunctionPass.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Metadata.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/SplitModule.h>

#include <algorithm>
#include <exception>
#include <system_error>
#include <thread>

#include "weft/base/error.h"
#include "weft/base/thread_pool.h"
#include "weft/cpu/codegen/llvm_program.h"

namespace weft::cpu {

namespace {

// A part of fewer instructions takes a thread less time than bringing it there.
constexpr std::size_t kPartInstructions = 4000;

using Bytes = llvm::SmallVector<char, 0>;

// Calls run(i) for all i < n, each but the last on a thread of its own: LLVM may take seconds, for which those that run
// programs meanwhile must not go without the threads of parallel_for.
void at_once(std::size_t n, llvm::function_ref<void(std::size_t)> run) {
  std::vector<std::exception_ptr> errors(n);
  const auto guarded = [&](std::size_t i) {
    try {
      run(i);
    } catch (...) {
      errors[i] = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(n);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    try {
      threads.emplace_back(guarded, i);
    } catch (const std::system_error&) {  // the machine allows no more
      guarded(i);
    }
  }
  guarded(n - 1);
  for (std::thread& t : threads) t.join();
  for (const std::exception_ptr& e : errors)
    if (e) std::rethrow_exception(e);
}

// The module's parts as bitcode, which has no context.
std::vector<Bytes> parts_of(llvm::Module& module, unsigned count) {
  std::vector<Bytes> parts;
  llvm::SplitModule(
      module, count,
      [&](std::unique_ptr<llvm::Module> part) {
        // Without it, the reader takes metadata of loops for debug information of another version, and warns.
        part->addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
        llvm::raw_svector_ostream out(parts.emplace_back());
        llvm::WriteBitcodeToFile(*part, out);
      },
      /*PreserveLocals=*/false, /*RoundRobin=*/true);
  return parts;
}

// What addPassesToEmitFile adds, but for passes that take a tenth of the time and make straight vector code no faster
// on x86: those processors reorder instructions themselves, and sums of floats have their order.
bool add_passes(llvm::TargetMachine& machine, llvm::legacy::PassManager& passes, llvm::raw_pwrite_stream& out,
                llvm::CodeGenFileType type) {
  // All of LLVM's own targets are of this class.
  auto& target = static_cast<llvm::LLVMTargetMachine&>(machine);
  auto* info = new llvm::MachineModuleInfoWrapperPass(&target);  // the passes' own
  llvm::TargetPassConfig* config = target.createPassConfig(passes);
  config->setDisableVerify(true);
  if (machine.getOptLevel() != llvm::CodeGenOptLevel::Aggressive && machine.getTargetTriple().isX86())
    for (char* const pass : {&llvm::MachineCombinerID, &llvm::PostRASchedulerID, &llvm::PostMachineSchedulerID})
      config->disablePass(pass);
  passes.add(config);
  passes.add(info);
  if (config->addISelPasses()) return false;
  config->addMachinePasses();
  config->setInitialized();
  if (target.addAsmPrinter(passes, out, nullptr, type, info->getMMI().getContext())) return false;
  passes.add(llvm::createFreeMachineFunctionPass());
  return true;
}

}  // namespace

void optimise(llvm::TargetMachine& machine, llvm::Module& module, Effort effort) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  // LLVM must not fold calls of the C library: its values are those of the machine that compiles, in other precision.
  llvm::TargetLibraryInfoImpl library(machine.getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  machine.setOptLevel(effort == Effort::kMax ? llvm::CodeGenOptLevel::Aggressive : llvm::CodeGenOptLevel::Default);
  if (effort == Effort::kMax) {
    builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
    return;
  }
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  passes.addPass(llvm::EarlyCSEPass(false));
  passes.addPass(llvm::SimplifyCFGPass());
  for (llvm::Function& f : module)
    if (!f.isDeclaration() && !f.hasFnAttribute(kIsProcedure)) passes.run(f, functions);
}

std::string machine_code(llvm::TargetMachine& machine, llvm::Module& module, llvm::CodeGenFileType type) {
  Bytes bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  if (!add_passes(machine, passes, out, type)) throw InternalError("LLVM cannot make this file");
  passes.run(module);
  return std::string(bytes.begin(), bytes.end());
}

std::vector<std::string> optimised_objects(llvm::TargetMachine& here, llvm::Module& module, Effort effort) {
  // What looks across functions must see all of them.
  const bool whole = effort == Effort::kMax;
  if (whole) optimise(here, module, effort);
  const std::size_t count =
      std::min<std::size_t>(static_cast<std::size_t>(num_threads()), module.getInstructionCount() / kPartInstructions);
  if (count <= 1) {
    if (!whole) optimise(here, module, effort);
    return {machine_code(here, module, llvm::CodeGenFileType::ObjectFile)};
  }
  const std::vector<Bytes> parts = parts_of(module, static_cast<unsigned>(count));
  std::vector<std::string> objects(parts.size());
  at_once(parts.size(), [&](std::size_t i) {
    llvm::LLVMContext context;
    auto part = llvm::parseBitcodeFile(llvm::MemoryBufferRef({parts[i].data(), parts[i].size()}, "part"), context);
    if (!part) throw InternalError("LLVM cannot read what it wrote: " + llvm::toString(part.takeError()));
    const std::unique_ptr<llvm::TargetMachine> there(here.getTarget().createTargetMachine(
        here.getTargetTriple().str(), here.getTargetCPU(), here.getTargetFeatureString(), here.Options,
        here.getRelocationModel(), here.getCodeModel(), here.getOptLevel()));
    if (!whole) optimise(*there, **part, effort);
    objects[i] = machine_code(*there, **part, llvm::CodeGenFileType::ObjectFile);
  });
  return objects;
}

}  // namespace weft::cpu
