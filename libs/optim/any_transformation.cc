#include "optim/any_transformation.h"

#include "weft/weft.h"

namespace weft::optim::detail {

AnyState any_state(const std::vector<std::pair<std::string, Array>>& leaves) {
  AnyState state;
  for (const auto& [path, leaf] : leaves) state.leaves.emplace(path, leaf);
  return state;
}

Leaves leaves_of_state(const AnyState& state, const std::vector<std::pair<std::string, Array>>& like) {
  Leaves leaves;
  bool fits = state.leaves.size() == like.size();
  for (const auto& [path, type] : like) {
    const auto at = state.leaves.find(path);
    fits = fits && at != state.leaves.end() && at->second.defined() && at->second.shape() == type.shape();
    if (fits) leaves.push_back(at->second);
  }
  check_state("update", fits);
  return leaves;
}

}  // namespace weft::optim::detail
