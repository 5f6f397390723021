#include "weft/api/captures.h"

#include <unordered_map>

namespace weft::api {

namespace {

// `program`, which takes the captures at places `own` of those of types `captures`, as one that takes all of them.
ir::Jaxpr widened(const ir::Jaxpr& program, std::span<const Aval> captures, const std::vector<std::size_t>& own) {
  const std::size_t n = captures.size();
  bool same = own.size() == n;
  for (std::size_t i = 0; same && i < n; ++i) same = own[i] == i;
  if (same) return ir::with_num_consts(program, n);
  ir::Avals inputs(captures);
  const ir::Avals all = program.input_avals();
  inputs.append(all.begin() + static_cast<std::ptrdiff_t>(own.size()), all.end());
  const Staged wide = stage(
      [&](std::span<const Array> in, Arrays& outs) {
        Arrays args;
        for (const std::size_t i : own) args.push_back(in[i]);
        args.append(in.begin() + static_cast<std::ptrdiff_t>(n), in.end());
        eval_jaxpr(program, args, outs);
      },
      inputs, "captures");
  return ir::with_num_consts(wide.jaxpr, n);
}

}  // namespace

SharedCaptures share_captures(std::span<const Staged* const> staged, std::span<const Array> more) {
  SharedCaptures r;
  std::unordered_map<const Value*, std::size_t> places;
  const auto place = [&](const Array& a) {
    const auto [it, added] = places.try_emplace(a.id(), r.captures.size());
    if (added) r.captures.push_back(a);
    return it->second;
  };
  std::vector<std::vector<std::size_t>> captured;
  for (const Staged* s : staged) {
    std::vector<std::size_t>& at = captured.emplace_back();
    for (const Array& a : s->captured) at.push_back(place(a));
  }
  for (const Array& a : more) place(a);
  const ir::Avals types = avals_of(r.captures);
  for (std::size_t i = 0; i < staged.size(); ++i) r.programs.push_back(widened(staged[i]->jaxpr, types, captured[i]));
  return r;
}

}  // namespace weft::api
