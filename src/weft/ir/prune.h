// What depends on what in a program, result by result, also through the programs that its equations carry: the tangents
// that a jitted function gives beside its results do not make these depend on tangents.
//
// An operation whose rules speak of all its results together (custom_..._call, generic_reduce, whatever has effects)
// counts as one: each of its results depends on each operand.
#pragma once

#include <functional>

#include "weft/ir/jaxpr.h"

namespace weft::ir {

/// Whether results of the operation may depend on some of its operands and not on others.
inline bool has_parts(OpCode op) {
  return op == OpCode::kCall || op == OpCode::kComposite || op == OpCode::kCheckpoint || op == OpCode::kCase ||
         op == OpCode::kScan || op == OpCode::kWhile;
}

/// Through which equations what is asked about (a dependence, a tangent) passes from operands to results. Answers are
/// kept by `key`. No passage at all means: through all of them.
struct Passage {
  std::string key;
  std::function<bool(const Eqn& equation)> open;
  /// Whether it can be true of float and complex values only.
  bool inexact_only = false;
};

/// By variable of the program: whether it depends on an input in `inputs`; with `effects`, also on an equation that has
/// some.
std::vector<bool> dependent_variables(const Jaxpr& jaxpr, std::vector<bool> inputs, bool effects = false,
                                      const Passage* passage = nullptr);
/// The same by output of the program, or by result of an equation of it.
std::vector<bool> dependent_outputs(const Jaxpr& jaxpr, const std::vector<bool>& inputs,
                                    const Passage* passage = nullptr);
/// `inputs` of a loop's body, and those of its carried values (`count` inputs from `first` on, whose next values are
/// its first outputs) that depend on them after any number of steps.
std::vector<bool> dependent_carry(const Jaxpr& body, const std::vector<bool>& inputs, std::size_t first,
                                  std::size_t count, const Passage* passage = nullptr);
std::vector<bool> dependent_results(OpCode op, const ParamsBase* params, std::size_t num_results,
                                    const std::vector<bool>& operands, const Passage* passage = nullptr);

/// Which inputs the outputs in `used`, and effects, need.
std::vector<bool> needed_inputs(const Jaxpr& jaxpr, const std::vector<bool>& used);

/// Which carried values of a loop with this body (as in dependent_carry) must be carried on so that the results in
/// `used`, by result of the body, are right after any number of steps; those in `used` among them.
std::vector<bool> needed_carry(const Jaxpr& body, const std::vector<bool>& used, std::size_t first, std::size_t count);

/// The part of the program that gives the outputs in `used`. Inputs stay as they are. Memoised.
Jaxpr prune(const Jaxpr& jaxpr, const std::vector<bool>& used);

/// The part of an operation that gives at least the results asked for.
struct PrunedOp {
  OpCode op;
  Params params;
  std::vector<bool> operands;  // those that it takes
  std::vector<bool> results;   // those that it gives
};
PrunedOp prune(OpCode op, const Params& params, std::size_t num_operands, const std::vector<bool>& used);

}  // namespace weft::ir
