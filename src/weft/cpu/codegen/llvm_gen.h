// From a program to machine code, as the bytes of object files. The only header of code generation that others see:
// no LLVM here.
#pragma once

#include <string>
#include <vector>

#include "weft/compiler/procedure.h"
#include "weft/runtime/compilation.h"

namespace weft::cpu {

/// An equation that code refers to by its number in a table.
struct EquationRef {
  const compiler::Procedure* procedure;
  std::uint32_t eqn;
};

/// A statement that is timed.
struct StatementRef {
  const compiler::Procedure* procedure;
  std::uint32_t statement;
};

struct GeneratedCode {
  std::vector<std::string> objects;           // ELF files; one has the ProgramFunction kEntryName. One when `alone`
  std::vector<EquationRef> steps;             // by RunContext::run_step's number
  std::vector<EquationRef> loops;             // by RunContext::loop_begin's number
  std::vector<StatementRef> statements = {};  // by RunContext::statement_begin's number
  bool has_raw = false;                       // one has a RawFunction kRawName: the program needs no context
};

inline constexpr const char* kEntryName = "weft_program";
inline constexpr const char* kRawName = "weft_raw";

struct CodeOptions {
  Effort effort = Effort::kDefault;
  /// One file that needs nothing of us: no operations without code, no threads. BackendError naming those operations
  /// else.
  bool alone = false;
  /// Each statement tells when it begins and ends.
  bool timed = false;
  /// Whom RawFunction is called.
  std::string raw_name = kRawName;
  /// The machine, as LLVM names it ("aarch64-linux-gnu", "x86-64-v3", "+avx2"). Empty: this one. BackendError for one
  /// that LLVM does not know.
  std::string triple = {}, cpu = {}, features = {};
  /// The values of the leading inputs, which are not parameters of RawFunction then but part of the file.
  std::span<const TensorView> captured = {};
};

/// InternalError when LLVM refuses what was made for it. Safe from several threads.
GeneratedCode generate_code(const compiler::Program& program, const CodeOptions& options = {});

/// This machine as code is made for it: the same text, the same code.
std::string this_machine_text();

/// The text of the module before (LLVM's) and after (assembly) code is made.
std::string llvm_text(const compiler::Program& program, const CodeOptions& options = {});
std::string assembly_text(const compiler::Program& program, const CodeOptions& options = {});

}  // namespace weft::cpu
