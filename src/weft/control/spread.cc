#include "weft/control/spread.h"

#include "weft/ir/prune.h"

namespace weft::control {

std::vector<bool> spread(const Carried& carried, std::vector<bool> mask,
                         FunctionRef<std::vector<bool>(const std::vector<bool>&)> of_results) {
  const auto may_have = [&](std::size_t input) {
    return !carried.inexact_only || is_inexact(carried.body.aval(static_cast<ir::Var>(input)).dtype());
  };
  const auto grow = [&](const std::vector<bool>& results) {
    bool grown = false;
    for (std::size_t i = 0; i < carried.count; ++i) {
      const std::size_t input = carried.first + i;
      if (!results[i] || mask[input] || !may_have(input)) continue;
      mask[input] = true;
      grown = true;
    }
    return grown;
  };
  constexpr int kExactRounds = 4;
  for (int round = 0; round < kExactRounds; ++round)
    if (!grow(of_results(mask))) return mask;
  const std::vector<bool> closed = ir::dependent_carry(carried.body, mask, carried.first, carried.count);
  for (std::size_t i = carried.first; i < carried.first + carried.count; ++i)
    mask[i] = mask[i] || (closed[i] && may_have(i));
  return mask;
}

}  // namespace weft::control
