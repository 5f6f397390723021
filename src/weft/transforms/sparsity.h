// Which derivatives of a program are structurally zero, found by walking its linearization: what moves, adds up and
// scales tangents there is what the derivative passes compute, custom rules included, so the pattern holds whatever the
// values are. No numbers are tried; only values known beforehand (indices, masks, constants) are looked at.
#pragma once

#include "weft/transforms/linearize.h"
#include "weft/transforms/sparsity_pattern.h"

namespace weft::transforms {

/// The pattern of a program's Jacobian: rows are the elements of all results one after the other, columns those of the
/// inputs in `differentiated`. `inputs` are values of the program's inputs, none for those that may change: the
/// pattern holds for this value of the others. Work and memory are linear in the elements of all values times the size
/// of what they depend on. ValueError when that is too much. `work`, when given, gets the elements of sets that were
/// visited.
SparsityPattern jacobian_sparsity(const ir::Jaxpr& jaxpr, const std::vector<bool>& differentiated,
                                  std::span<const Array> inputs, std::int64_t* work = nullptr);

/// Whether the tangents of the program come from custom_vjp rules without a jvp, so that only its transpose can run.
bool only_transposes(const ir::Jaxpr& tangent);
/// Whether there are loops without a bound in it, which cannot be transposed.
bool only_runs_forward(const ir::Jaxpr& tangent);

/// The entries that are there on both sides of the diagonal: what a matrix known to be symmetric can have.
SparsityPattern symmetric_part(const SparsityPattern& pattern);

}  // namespace weft::transforms
