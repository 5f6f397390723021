#include "weft/api/checkpoint.h"

#include <algorithm>
#include <map>
#include <ostream>

#include "weft/api/autodiff.h"
#include "weft/control/programs.h"
#include "weft/ir/call.h"
#include "weft/ir/custom_rules.h"
#include "weft/ir/programs.h"
#include "weft/ops/lax.h"

namespace weft {

std::string SavedResidual::str() const {
  return type.str() + " " + origin + (location ? " from " + location.str() : std::string());
}

std::int64_t SavedResiduals::bytes() const {
  std::int64_t sum = 0;
  for (const SavedResidual& r : *this) sum += r.type.bytes();
  return sum;
}

std::ostream& operator<<(std::ostream& out, const SavedResiduals& residuals) {
  for (const SavedResidual& r : residuals) out << r.str() << "\n";
  return out;
}

namespace api {

Arrays bind_checkpoint(const Staged& staged, const CheckpointPolicy& policy, std::span<const Array> args,
                       const SourceLocation& loc) {
  Arrays operands = staged.captured;
  operands.append(args.begin(), args.end());
  return lax::checkpoint_(staged.jaxpr, policy, operands, loc);
}

Array name_leaf(const Array& x, const std::string& name, const SourceLocation& loc) {
  const LocationScope scope(loc, "checkpoint_name");
  return lax::checkpoint_name(x, name);
}

namespace {

// The program that an equation runs in place, or null.
const ir::Jaxpr* program_of(const ir::Eqn& e) {
  switch (e.op) {
    case OpCode::kCall: return &ir::params_as<CallParams>(e.params).jaxpr;
    case OpCode::kComposite: return &ir::params_as<CompositeParams>(e.params).decomposition;
    case OpCode::kCheckpoint: return &ir::params_as<CheckpointParams>(e.params).jaxpr;
    default: return ir::custom_program(e.op, e.params.get());
  }
}

// A value of `jaxpr`, of which `of_input` tells what the inputs are. What a call gives is what its program computes.
// The nesting of programs has a limit wherever they come from, so this one has, too.
SavedResidual describe(const ir::Jaxpr& jaxpr, ir::Atom a, const std::function<SavedResidual(ir::Var)>& of_input) {
  const Aval type = jaxpr.aval(a);
  if (a.is_literal()) return {type, "from a constant", SourceLocation()};
  if (a.index() < jaxpr.num_inputs()) return of_input(a.index());
  const auto& eqns = jaxpr.eqns();
  const ir::Eqn& e = *std::find_if(eqns.begin(), eqns.end(), [&](const ir::Eqn& q) { return a.index() < q.out_end; });
  if (const ir::Jaxpr* program = program_of(e))
    return describe(*program, program->outputs()[a.index() - e.out_begin],
                    [&](ir::Var v) { return describe(jaxpr, jaxpr.operands(e)[v], of_input); });
  if (e.op == OpCode::kCheckpointName)
    return {type, "named '" + ir::params_as<CheckpointNameParams>(e.params).name + "'", e.location};
  const int variant = e.params ? e.params->variant() : -1;
  const auto variants = ir::op_info(e.op).variants;
  const bool has_variant = variant >= 0 && !variants.empty();
  const std::string_view text = has_variant ? variants[static_cast<std::size_t>(variant)] : ir::op_text(e.op);
  return {type, "output of " + std::string(text), e.location};
}

}  // namespace

SavedResiduals saved_residuals(const FlatFunction& f, std::span<const Array> leaves,
                               const std::function<std::string(std::size_t)>& path_of, const std::string& name) {
  ir::Avals inputs = avals_of(leaves);
  const Staged staged = with_note(name, [&] {
    return stage([&](std::span<const Array> args,
                     Arrays& outs) { outs = transforms::linearize(f, args, inexact_leaves(args), name).residuals; },
                 inputs, name);
  });
  const ir::Jaxpr& jaxpr = staged.jaxpr;
  const std::size_t num_consts = jaxpr.num_consts();
  // What programs hand through is the same array, so it is listed once.
  std::map<ir::Var, SavedResidual> inputs_kept, values_kept;
  for (const ir::Atom a : jaxpr.outputs()) {
    if (a.is_literal()) continue;
    bool is_input = false;
    const auto of_input = [&](ir::Var v) -> SavedResidual {
      is_input = true;
      SavedResidual r{jaxpr.aval(v), "from a constant", SourceLocation()};
      if (v >= num_consts) r.origin = "from the argument " + path_of(v - num_consts);
      inputs_kept.emplace(v, r);
      return r;
    };
    SavedResidual r = describe(jaxpr, a, of_input);
    if (!is_input) values_kept.emplace(a.index(), std::move(r));
  }
  SavedResiduals all;
  for (const auto& kept : {inputs_kept, values_kept})
    for (const auto& [v, r] : kept) all.push_back(r);
  return all;
}

}  // namespace api
}  // namespace weft
