// How far something that is true of values (they have a tangent, they are mapped) spreads through the steps of a loop.
// Private to control/.
#pragma once

#include <vector>

#include "weft/base/function_ref.h"
#include "weft/ir/mapped_axis.h"
#include "weft/ir/prune.h"

namespace weft::control {

/// The carried values of a loop: `count` inputs of its body from `first` on, whose next values are its first results.
struct Carried {
  const ir::Jaxpr& body;
  std::size_t first, count;
  /// Where it passes at all.
  ir::Passage passage;
};

/// Of tangents: they do not pass what is constant wherever it is defined (floor, stop_gradient) or is no number with
/// digits.
ir::Passage passage_of_tangents();
/// Of being mapped: what a psum or all_gather over the whole axis gives is the same for all examples.
ir::Passage passage_of_axis(const MappedAxis& axis);

/// `mask`, by input of the body, with those carried values marked of which it becomes true in some step. `of_results`
/// says of which results it is true when it is of the inputs in a mask, and looks at the whole body for that; so after
/// a few rounds all that depends on what is marked is marked at once.
std::vector<bool> spread(const Carried& carried, std::vector<bool> mask,
                         FunctionRef<std::vector<bool>(const std::vector<bool>&)> of_results);

}  // namespace weft::control
