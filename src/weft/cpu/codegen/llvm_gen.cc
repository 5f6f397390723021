#include "weft/cpu/codegen/llvm_gen.h"

#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <memory>
#include <mutex>

#include "weft/base/error.h"
#include "weft/cpu/codegen/llvm_machine.h"
#include "weft/cpu/codegen/llvm_object.h"
#include "weft/cpu/codegen/llvm_program.h"

namespace weft::cpu {

namespace {

// What a thread needs to compile; kept, because reading the math library takes time.
struct Compiler {
  explicit Compiler(const LlvmMachine& m) : of(m), machine(target_machine(m)) {}
  LlvmMachine of;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> machine;
  LlvmMath math{context, has_fma(*machine)};
};

// Compilers that nobody uses now.
class Compilers {
 public:
  std::unique_ptr<Compiler> take(const LlvmMachine& machine) {
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
  LlvmUnit unit{c->context, *module, c->math, vector_bytes(*c->machine), options.alone, has_fma(*c->machine)};
  tables = emit_program(unit, program, options);
  std::string error;
  llvm::raw_string_ostream out(error);
  if (llvm::verifyModule(*module, &out)) throw InternalError("LLVM refuses a program: " + error);
  return module;
}

}  // namespace

std::string this_machine_text() {
  const LlvmMachine& m = this_machine();
  return m.triple + " " + m.cpu + " " + m.features;
}

GeneratedCode generate_code(const compiler::Program& program, const CodeOptions& options) {
  const BorrowedCompiler c(options);
  ProgramTables tables;
  const std::unique_ptr<llvm::Module> module = make_module(c, program, options, tables);
  GeneratedCode code{
      {}, std::move(tables.steps), std::move(tables.loops), std::move(tables.statements), tables.has_raw};
  if (options.alone) {
    optimise(*c->machine, *module, options.effort);
    code.objects = {machine_code(*c->machine, *module, llvm::CodeGenFileType::ObjectFile)};
  } else {
    code.objects = optimised_objects(*c->machine, *module, options.effort);
  }
  return code;
}

std::string llvm_text(const compiler::Program& program, const CodeOptions& options) {
  const BorrowedCompiler c(options);
  ProgramTables tables;
  const std::unique_ptr<llvm::Module> module = make_module(c, program, options, tables);
  optimise(*c->machine, *module, options.effort);
  std::string text;
  llvm::raw_string_ostream out(text);
  module->print(out, nullptr);
  return text;
}

std::string assembly_text(const compiler::Program& program, const CodeOptions& options) {
  const BorrowedCompiler c(options);
  ProgramTables tables;
  const std::unique_ptr<llvm::Module> module = make_module(c, program, options, tables);
  optimise(*c->machine, *module, options.effort);
  return machine_code(*c->machine, *module, llvm::CodeGenFileType::AssemblyFile);
}

}  // namespace weft::cpu
