#include "weft/control/spread.h"

#include "weft/core/rules.h"
#include "weft/ir/collectives.h"

namespace weft::control {

std::vector<bool> spread(const Carried& carried, std::vector<bool> mask,
                         FunctionRef<std::vector<bool>(const std::vector<bool>&)> of_results) {
  const auto grow = [&](const std::vector<bool>& results) {
    bool grown = false;
    for (std::size_t i = 0; i < carried.count; ++i) {
      const std::size_t input = carried.first + i;
      if (!results[i] || mask[input]) continue;
      mask[input] = true;
      grown = true;
    }
    return grown;
  };
  constexpr int kExactRounds = 4;
  for (int round = 0; round < kExactRounds; ++round)
    if (!grow(of_results(mask))) return mask;
  return ir::dependent_carry(carried.body, mask, carried.first, carried.count, &carried.passage);
}

ir::Passage passage_of_tangents() {
  return {"tangents", [](const ir::Eqn& e) { return op_rules(e.op).jvp != rules::zero_tangent; }, true};
}

ir::Passage passage_of_axis(const MappedAxis& axis) {
  return {"axis " + axis.key(), [axis](const ir::Eqn& e) {
            const ProcessGroups* groups = nullptr;
            if (e.op == OpCode::kAllReduce) groups = &ir::params_as<AllReduceParams>(e.params).groups;
            if (e.op == OpCode::kAllGather) groups = &ir::params_as<AllGatherParams>(e.params).groups;
            return !axis || !groups || !groups->replica_groups.empty() || groups->axis.name != axis.name;
          }};
}

}  // namespace weft::control
