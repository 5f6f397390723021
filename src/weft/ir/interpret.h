// Reference evaluation of programs on host data: the meaning of a jaxpr, equation by equation through OpInfo::eval.
// Knows nothing of arrays, traces or devices. Operations with nested programs come back here through their own eval,
// so the depth of the stack is the depth of the nesting, never the number of equations.
#pragma once

#include <memory>

#include "weft/ir/jaxpr.h"

namespace weft::ir {

/// A program made ready to run many times: all memory is allocated when it is made, so a run of a small region costs
/// its equations and nothing else. Not for several threads at once; the program must outlive it.
class Interpreter {
 public:
  explicit Interpreter(const Jaxpr& jaxpr);
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  /// Where constant or input `i` is read from: dense data of its type, which must be there during each run.
  void set_input(std::size_t i, const void* data) {
    for (std::uint32_t u = input_uses_[i]; u < input_uses_[i + 1]; ++u) operands_[places_[u]].data = data;
  }
  /// Runs every equation once on the inputs that are set.
  void run();
  /// Result `i` of the last run, in memory of this object.
  const void* output(std::size_t i) const { return outputs_[i]; }

  /// What it holds in bytes.
  std::size_t bytes() const { return bytes_; }

 private:
  struct Step {
    EvalRule eval;
    bool direct;  // else through compute types
    const ParamsBase* params;
    const SourceLocation* location;
    std::uint32_t in_begin, in_end;    // into operands_
    std::uint32_t out_begin, out_end;  // into results_
  };
  // An output that is an input: copied at the end of a run, so that outputs never alias inputs.
  struct Copy {
    std::uint32_t operand;  // into operands_
    std::size_t output;
    void* to;
    std::size_t bytes;
  };

  Jaxpr jaxpr_;  // small calls inlined
  std::vector<Step> steps_;
  std::vector<TensorView> operands_;
  std::vector<MutableTensorView> results_;
  std::vector<std::uint32_t> input_uses_, places_;  // for each input, a range of indices into operands_
  std::vector<Copy> copies_;
  std::vector<const void*> outputs_;
  std::unique_ptr<std::byte[]> memory_;
  std::size_t bytes_ = 0;
};

/// An interpreter of `jaxpr` for as long as this object lives. Interpreters of small programs are kept with the
/// program, so programs inside loops are prepared once. Safe from several threads.
class BorrowedInterpreter {
 public:
  explicit BorrowedInterpreter(const Jaxpr& jaxpr);
  ~BorrowedInterpreter();
  BorrowedInterpreter(const BorrowedInterpreter&) = delete;
  BorrowedInterpreter& operator=(const BorrowedInterpreter&) = delete;
  Interpreter* operator->() const { return interpreter_.get(); }
  Interpreter& operator*() const { return *interpreter_; }

 private:
  struct Pool;
  std::shared_ptr<const Pool> pool_;
  std::unique_ptr<Interpreter> interpreter_;
};

/// Runs `jaxpr` once: `in` are its constants and inputs, `out` its outputs, which never overlap `in`.
void interpret(const Jaxpr& jaxpr, std::span<const TensorView> in, std::span<const MutableTensorView> out);

}  // namespace weft::ir
