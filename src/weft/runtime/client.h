// A device as the layers above see it: memory, single operations, and compiled programs.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "weft/core/evaluator.h"
#include "weft/ir/jaxpr.h"
#include "weft/runtime/compilation.h"
#include "weft/runtime/fp.h"
#include "weft/runtime/profile.h"
#include "weft/runtime/program_memory.h"

namespace weft {

/// Memory of arrays, in bytes.
struct MemoryStats {
  std::int64_t live_bytes = 0;  ///< held by arrays now
  std::int64_t peak_bytes = 0;  ///< the most that was held since reset_peak_memory()
};

/// What a program becomes on its way to code.
enum class ProgramStage : std::uint8_t {
  kSimplified,  ///< the jaxpr that is compiled
  kKernels,     ///< its statements: kernels, operations, and where values are in memory
  kLlvm,        ///< LLVM's text
  kAssembly,
};

/// How a program is called on memory, without arrays.
struct DirectCall {
  bool on_memory = false;           ///< whether there is run_direct
  std::size_t workspace_bytes = 0;  ///< that run_direct needs
  /// The program as a plain function, 0 when it ran; null when there is none, and why ("calls sort").
  std::int32_t (*raw)(const void* const* in, void* const* out, void* workspace) = nullptr;
  std::string why_not_raw = {};
  /// By output the input (constants first) in whose memory it is made when both have the same address, or -1.
  std::vector<int> replaces = {};
};

/// A program as an object file that needs nothing of Weft.
struct ObjectOptions {
  std::string name = "program";  ///< of its function, an identifier of C
  /// The machine, as LLVM names it: "aarch64-linux-gnu"; "x86-64-v3", or "native", that of this machine; "+avx2,+fma".
  /// All empty: this machine; no processor: what all of the kind have.
  std::string triple = {}, cpu = {}, features = {};
};
struct ObjectFile {
  std::string object;  ///< the file's bytes
  std::string header;  ///< C's declaration of the function
};

/// How a program is to be compiled.
struct ExecutableOptions {
  /// Inputs, ascending, that calls may give away (Executable::run_donated).
  std::vector<std::uint32_t> donated = {};
  /// None given: default_effort().
  std::optional<Effort> effort = {};
  /// Whether run_timed is needed.
  bool timed = false;
};

/// A program made ready to run. Immutable: any number of threads may run it at once.
class Executable {
 public:
  virtual ~Executable() = default;
  /// `args` are buffers of the program's input types (constants first). Appends the outputs.
  virtual void run(std::span<const Array> args, Arrays& outs) const = 0;
  /// The same, and the memory of donated inputs may become that of outputs, where detail::may_be_overwritten allows.
  virtual void run_donated(Arrays args, Arrays& outs) const { run(args, outs); }
  /// The same for a program compiled to be timed: `timer` counts statements()[i] as statement i.
  virtual void run_timed(std::span<const Array> args, Arrays& outs, StatementTimer& timer) const = 0;
  virtual std::vector<ProgramStatement> statements() const = 0;
  virtual DirectCall direct() const { return {}; }
  /// What it takes; arguments and captured arrays together are `arguments`.
  virtual ProgramMemory memory() const = 0;
  /// Runs on dense memory: constants and inputs at `in`, outputs at `out`. BackendError where programs are not
  /// compiled, here and below.
  virtual void run_direct(const void* const* in, void* const* out, void* workspace) const;
  virtual std::string text(ProgramStage stage) const;
  /// `captured` are the program's constants, dense, which become part of the file. BackendError, too, for operations
  /// that have no code of their own.
  virtual ObjectFile object(const ObjectOptions& options, std::span<const Array> captured) const;
};

class Client : public Evaluator {
 public:
  /// Compiles anew; `executable` below remembers.
  virtual std::shared_ptr<const Executable> compile(const ir::Jaxpr& jaxpr, const ExecutableOptions& options) = 0;
  /// The program for Fp::kStrict. BackendError naming the operations that cannot promise their bits.
  virtual ir::Jaxpr strict(const ir::Jaxpr& jaxpr) const = 0;
  /// Whether programs become machine code, rather than run step by step.
  virtual bool compiles_to_code() const { return false; }
  virtual MemoryStats memory_stats() const = 0;
  virtual void reset_peak_memory() = 0;
};

/// BackendError: `what` needs a program that is code: a build with LLVM, and another effort than kNone.
[[noreturn]] void throw_no_compiler(const char* what);

/// The client of this build; also its default_evaluator().
Client& default_client();

/// What the arrays of the default client take.
MemoryStats memory_stats();
/// Starts measuring the peak from what is live now.
void reset_peak_memory();

/// The compiled form of a program, memoised inside it for each choice of options.
std::shared_ptr<const Executable> executable(const ir::Jaxpr& jaxpr, const ExecutableOptions& options = {});

/// The program to compile for such a promise, memoised inside the program. BackendError as Client::strict.
ir::Jaxpr with_fp(const ir::Jaxpr& jaxpr, Fp fp);

}  // namespace weft
