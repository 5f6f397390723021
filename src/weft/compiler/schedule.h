// What runs when: the equations of a program, grouped into kernels and operations in an order that respects what they
// need. A value is in memory only when an operation, another kernel or the caller wants it; all others are computed
// where they are used. Knows costs and shapes, nothing of how code is made.
#pragma once

#include "weft/compiler/kernel.h"

namespace weft::compiler {

/// What the code generator can do.
struct Target {
  /// Whether it has the elementwise operation.
  bool (*applies)(OpCode op, const ir::ParamsBase* params, std::span<const DType> in, DType out);
  /// Whether the prebuilt operation puts elements into its first operand: its result may be in that one's memory.
  bool (*updates_in_place)(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in,
                           std::span<const Aval> out);
  /// Whether the prebuilt operation tells which parts of its result are complete.
  bool (*takes_epilogue)(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out);
  /// Whether what has prebuilt kernels must be code all the same, as far as it can: for programs that run alone.
  bool alone = false;
};

struct Schedule {
  struct Statement {
    enum class Kind : std::uint8_t {
      kKernel,  ///< kernels[index]
      kOp,      ///< equation `index`, on operands in memory
      kUpdate,  ///< `var` becomes a copy of `from`, in its memory where nobody reads that later
    };
    Kind kind;
    std::uint32_t index = 0;
    ir::Var var = 0;
    ir::Atom from = ir::Atom::var(0);
  };
  std::vector<Statement> statements;
  std::vector<Kernel> kernels;
  /// By variable: whose memory it is, itself mostly; that of a reshape is its operand's, also when that is a literal.
  std::vector<ir::Atom> memory;
};

/// The program has been simplified and its calls inlined. Values without elements are computed by no statement.
Schedule schedule(const ir::Jaxpr& jaxpr, const Target& target);

/// What the target says of an equation, which must not run programs.
bool updates_in_place(const Target& target, const ir::Jaxpr& jaxpr, const ir::Eqn& eqn);
bool takes_epilogue(const Target& target, const ir::Jaxpr& jaxpr, const ir::Eqn& eqn);

}  // namespace weft::compiler
