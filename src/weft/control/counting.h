// Integers that count: which scalars of a loop are known at every step before it runs, and how many steps that makes.
// Knows programs only, no arrays. Private to control/.
#pragma once

#include <optional>
#include <vector>

#include "weft/ir/jaxpr.h"

namespace weft::control {

/// A scalar that is start + stride * t at step t, and never leaves its dtype; of a bool, false is 0 and true 1.
struct Progression {
  std::int64_t start = 0;
  std::int64_t stride = 0;
  std::int64_t at(std::int64_t t) const { return start + stride * t; }
};

/// One per variable, input or carried value; nullopt where none is known.
using Progressions = std::vector<std::optional<Progression>>;

/// What the variables of `program` are during `length` steps, at least one, in which its inputs are `inputs`.
Progressions progressions(const ir::Jaxpr& program, const Progressions& inputs, std::int64_t length);

/// The equation that defines an atom, or null: inputs and literals have none.
const ir::Eqn* definition(const ir::Jaxpr& jaxpr, ir::Atom a);

struct Counting {
  /// How often the body runs.
  std::int64_t length = 0;
  /// By input of the body, captures first: what it is at step t; for t = length, what it is in the end.
  Progressions inputs;
};

/// How often while[cond, body] runs its body, when the text says so: `cond` compares (less, greater, or not equal) a
/// carried integer, to which `body` adds a constant, with a constant. Constants are literals, operands that are
/// `known` (one per operand of the while), carried values that are known and never change, and what is computed from
/// those. nullopt for other loops, such as one that never ends or whose counter would leave its dtype.
std::optional<Counting> counting(const ir::Jaxpr& cond, const ir::Jaxpr& body,
                                 const std::vector<std::optional<std::int64_t>>& known);

}  // namespace weft::control
