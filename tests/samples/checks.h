// What every sample must satisfy. A check knows nothing of particular operations, except `factors`, which
// must know the parameters that hold shapes.
#pragma once

#include <string>
#include <vector>

#include "samples/sample.h"
#include "weft/core/stage.h"

namespace weft::testing {

/// What one check finds wrong with one sample, a sentence each.
class Findings {
 public:
  /// Adds "<what>: <difference>" unless the difference is empty.
  void add(const std::string& what, const std::string& difference) {
    if (!difference.empty()) list_.push_back(what + ": " + difference);
  }
  const std::vector<std::string>& list() const { return list_; }

 private:
  std::vector<std::string> list_;
};

using Check = void (*)(const Sample& sample, Findings& findings);

/// Runs `check` on every sample, with leaks checked; a thrown error is a finding. Only samples whose name contains
/// the environment variable WEFT_SAMPLES, when it is set. Returns sentences that name operation and sample.
std::vector<std::string> run_check(Check check);

/// The sample's operation as a function.
FlatFunction operation(const Sample& sample);

namespace checks {

// ---- evaluation.cc ----

/// Inferred types are those of eager and staged results; evaluation writes every element and nothing else.
void types(const Sample& sample, Findings& findings);
/// Inference refuses numbers of operands that the operation does not take, and trips over none.
void operand_counts(const Sample& sample, Findings& findings);
/// Reference evaluation gives `expected`, and what `formula` gives.
void known_values(const Sample& sample, Findings& findings);
/// The client's results are those of the reference evaluation, also of operands that repeat along some axes.
void eager(const Sample& sample, Findings& findings);
/// Programs give what single operations give, with operands as inputs or captured.
void jit(const Sample& sample, Findings& findings);
/// Programs and their derivatives survive printing and parsing.
void text(const Sample& sample, Findings& findings);

// ---- derivatives.cc ----

/// jvp against central differences.
void jvp(const Sample& sample, Findings& findings);
/// <ct, J t> = <J^T ct, t>.
void vjp(const Sample& sample, Findings& findings);
/// jvp of vjp and jvp of jvp against central differences, in double.
void second_order(const Sample& sample, Findings& findings);

// ---- sparsity.cc ----

/// The pattern found for each operation and for its transpose has every derivative that is not zero.
void sparsity(const Sample& sample, Findings& findings);

// ---- batching.cc ----

/// vmap over each axis of each operand, and of all together, against a loop.
void vmap(const Sample& sample, Findings& findings);
/// vmap of vmap against two loops.
void vmap_of_vmap(const Sample& sample, Findings& findings);

// ---- composition.cc ----

/// jit, vmap, jvp and vjp in both orders.
void composition(const Sample& sample, Findings& findings);

// ---- factors.cc ----

/// Factors multiply to axis sizes; shards along each compute their part of the whole.
void factors(const Sample& sample, Findings& findings);

}  // namespace checks
}  // namespace weft::testing
