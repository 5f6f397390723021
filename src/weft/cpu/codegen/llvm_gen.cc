#include "weft/cpu/codegen/llvm_gen.h"

#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "weft/base/error.h"
#include "weft/cpu/codegen/llvm_program.h"

namespace weft::cpu {

namespace {

struct Machine {
  std::string triple, cpu, features;
  friend bool operator==(const Machine&, const Machine&) = default;
};

const Machine& this_machine() {
  static const Machine machine = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    Machine m{llvm::sys::getProcessTriple(), llvm::sys::getHostCPUName().str(), {}};
    for (const auto& f : llvm::sys::getHostCPUFeatures())
      m.features += (m.features.empty() ? "" : ",") + std::string(f.second ? "+" : "-") + f.first().str();
    return m;
  }();
  return machine;
}

Machine machine_of(const CodeOptions& options) {
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
    Machine m = this_machine();
    if (llvm::Triple(triple).getArch() != llvm::Triple(m.triple).getArch())
      throw BackendError("compile: the processor of another machine must have a name; got native for " + triple + ".");
    m.triple = llvm::Triple::normalize(triple);
    if (!options.features.empty()) m.features += "," + options.features;
    return m;
  }
  return {llvm::Triple::normalize(triple), options.cpu.empty() ? "generic" : options.cpu, options.features};
}

void check_features(const Machine& m, const llvm::MCSubtargetInfo& known) {
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

std::unique_ptr<llvm::TargetMachine> make_machine(const Machine& m) {
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

// What a thread needs to compile; kept, because reading the math library takes time.
struct Compiler {
  explicit Compiler(const Machine& m) : of(m), machine(make_machine(m)) {}
  Machine of;
  llvm::LLVMContext context;
  LlvmMath math{context};
  std::unique_ptr<llvm::TargetMachine> machine;
};

// Compilers that nobody uses now.
class Compilers {
 public:
  std::unique_ptr<Compiler> take(const Machine& machine) {
    {
      const std::lock_guard lock(mutex_);
      for (std::unique_ptr<Compiler>& free : free_) {
        if (!(free->of == machine)) continue;
        std::unique_ptr<Compiler> c = std::move(free);
        free = std::move(free_.back());
        free_.pop_back();
        return c;
      }
    }
    return std::make_unique<Compiler>(machine);
  }
  void give_back(std::unique_ptr<Compiler> c) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(c));
  }
  static Compilers& all() {
    static Compilers* const compilers = new Compilers;  // outlives static programs
    return *compilers;
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Compiler>> free_;
};

class BorrowedCompiler {
 public:
  explicit BorrowedCompiler(const CodeOptions& options) : compiler_(Compilers::all().take(machine_of(options))) {}
  ~BorrowedCompiler() { Compilers::all().give_back(std::move(compiler_)); }
  Compiler* operator->() const { return compiler_.get(); }

 private:
  std::unique_ptr<Compiler> compiler_;
};

std::unique_ptr<llvm::Module> make_module(const BorrowedCompiler& c, const compiler::Program& program,
                                          const CodeOptions& options, ProgramTables& tables) {
  auto module = std::make_unique<llvm::Module>("weft", c->context);
  module->setTargetTriple(c->of.triple);
  module->setDataLayout(c->machine->createDataLayout());
  LlvmUnit unit{c->context, *module, c->math, vector_bytes(*c->machine), has_fma(*c->machine)};
  tables = emit_program(unit, program, options);
  std::string error;
  llvm::raw_string_ostream out(error);
  if (llvm::verifyModule(*module, &out)) throw InternalError("LLVM refuses a program: " + error);
  return module;
}

// What we generate is vector code in straight lines already, so few passes suffice; the others find some more.
void optimise(const BorrowedCompiler& c, llvm::Module& module, Effort effort) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(c->machine.get());
  // LLVM must not fold calls of the C library: its values are those of the machine that compiles, in other precision.
  llvm::TargetLibraryInfoImpl library(c->machine->getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  c->machine->setOptLevel(effort == Effort::kMax ? llvm::CodeGenOptLevel::Aggressive : llvm::CodeGenOptLevel::Default);
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

std::string make_code(const BorrowedCompiler& c, llvm::Module& module, llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::legacy::PassManager passes;
  if (c->machine->addPassesToEmitFile(passes, out, nullptr, type)) throw InternalError("LLVM cannot make this file");
  passes.run(module);
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace

std::string this_machine_text() {
  const Machine& m = this_machine();
  return m.triple + " " + m.cpu + " " + m.features;
}

GeneratedCode generate_code(const compiler::Program& program, const CodeOptions& options) {
  const BorrowedCompiler c(options);
  ProgramTables tables;
  const std::unique_ptr<llvm::Module> module = make_module(c, program, options, tables);
  optimise(c, *module, options.effort);
  return {make_code(c, *module, llvm::CodeGenFileType::ObjectFile), std::move(tables.steps), std::move(tables.loops),
          std::move(tables.statements), tables.has_raw};
}

std::string llvm_text(const compiler::Program& program, const CodeOptions& options) {
  const BorrowedCompiler c(options);
  ProgramTables tables;
  const std::unique_ptr<llvm::Module> module = make_module(c, program, options, tables);
  optimise(c, *module, options.effort);
  std::string text;
  llvm::raw_string_ostream out(text);
  module->print(out, nullptr);
  return text;
}

std::string assembly_text(const compiler::Program& program, const CodeOptions& options) {
  const BorrowedCompiler c(options);
  ProgramTables tables;
  const std::unique_ptr<llvm::Module> module = make_module(c, program, options, tables);
  optimise(c, *module, options.effort);
  return make_code(c, *module, llvm::CodeGenFileType::AssemblyFile);
}

}  // namespace weft::cpu
