// Staged functions that become operands of one operation, whose programs take the same captures.
#pragma once

#include <initializer_list>
#include <vector>

#include "weft/core/stage.h"

namespace weft::api {

/// The captures of all, each once, and the programs with all of them as leading constants.
struct SharedCaptures {
  Arrays captures;
  std::vector<ir::Jaxpr> programs;
};
/// `more` are captures, too.
SharedCaptures share_captures(std::span<const Staged* const> staged, std::span<const Array> more = {});
inline SharedCaptures share_captures(std::initializer_list<const Staged*> staged, std::span<const Array> more = {}) {
  return share_captures(std::span(staged.begin(), staged.size()), more);
}

}  // namespace weft::api
