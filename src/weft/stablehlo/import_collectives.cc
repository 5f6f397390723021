// Operations between processes that are more than a row of operations_collective.cc and carry no computation.
#include <algorithm>

#include "weft/ops/collectives.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

namespace {

// Groups whose first process is the one that was at `place`; shorter groups stay as they are.
ProcessGroups from_place(ProcessGroups groups, std::size_t place) {
  for (Dims& group : groups.replica_groups) {
    const auto members = std::ranges::count_if(group, [](std::int64_t id) { return id >= 0; });
    if (static_cast<std::int64_t>(place) < members) std::swap(group[0], group[place]);
  }
  return groups;
}

}  // namespace

// Each operand of the group's first process; or, with has_dynamic_root, of the process at the place in its group that
// the last operand, one integer per other operand, says.
void Importer::collective_broadcast(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  const ProcessGroups groups = read_groups(from);
  const bool dynamic = from.flag("has_dynamic_root");
  const Arrays all = tensors(op, operands);
  if (all.size() < (dynamic ? 2u : 1u))
    fail(op, "there must be an operand to give away" + std::string(dynamic ? ", and roots" : "") + "; got " +
                 count_str(static_cast<std::int64_t>(all.size()), "operand", "operands") + ".");
  const std::span<const Array> xs = std::span<const Array>(all).first(all.size() - dynamic);
  if (!dynamic) {
    Arrays outs;
    for (const Array& x : xs) outs.push_back(lax::collective_broadcast(x, groups));
    return give(op, outs, results);
  }
  const Array& roots = all.back();
  const auto n = static_cast<std::int64_t>(xs.size());
  if (!is_integer(roots.dtype()) || !same_dims(roots.shape(), Dims{n}))
    fail(op, "the roots must be one integer per operand; got " + roots.aval().str() + " for " +
                 count_str(n, "operand", "operands") + ".");
  std::size_t places = 0;
  for (const Dims& group : groups.replica_groups) places = std::max(places, group.size());
  if (places == 0) refuse(op, "groups of a broadcast from a root that only the run knows must be listed; got none.");
  Arrays outs;
  for (std::int64_t i = 0; i < n; ++i) {
    const Array& x = xs[static_cast<std::size_t>(i)];
    const Array root = lax::reshape(lax::slice(roots, Dims{i}, Dims{i + 1}), {});
    Array y = lax::collective_broadcast(x, groups);
    // Every process meets the others for each place that there is, so that none waits for one that does not come.
    for (std::size_t place = 1; place < places; ++place)
      y = lax::select(lax::eq(root, static_cast<std::int64_t>(place)),
                      lax::collective_broadcast(x, from_place(groups, place)), y);
    outs.push_back(y);
  }
  give(op, outs, results);
}

}  // namespace weft::stablehlo
