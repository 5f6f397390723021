// case[branches](index, xs...) = branches[index](xs...). Every rule transforms all branches alike: what one branch
// has and another has not (tangents, residuals, mapped axes) is made up with zeros or copies, so that they agree.
#include <algorithm>

#include "weft/control/effects.h"
#include "weft/control/lanes.h"
#include "weft/control/programs.h"
#include "weft/control/rules.h"
#include "weft/ir/interpret.h"
#include "weft/ops/common.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/transpose.h"
#include "weft/transforms/vmap.h"

namespace weft {

using namespace control;

namespace {

using Branches = std::vector<ir::Jaxpr>;

const Branches& branches_of(const Call& call) { return call.params_as<CaseParams>().branches; }

void bind_case(const Array& index, Branches branches, std::span<const Array> xs, Arrays& outs) {
  Arrays operands{index};
  operands.append(xs.begin(), xs.end());
  bind(OpCode::kCase, ir::make_params(CaseParams{std::move(branches)}), operands, outs);
}

void infer_case(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const Branches& branches = ir::params_as<CaseParams>(params).branches;
  if (branches.empty()) throw ValueError("case: there must be at least one branch; got none.");
  const Aval index = in[0];
  if (index.dtype() != i32 && index.dtype() != boolean)
    throw DTypeError("case: the index must be i32 or bool; got " + index.str() + ".");
  if (index.ndim() != 0) throw ShapeError("case: the index must be 0-d; got " + index.str() + ".");
  if (index.dtype() == boolean && branches.size() != 2)
    throw ValueError("case: a bool index must choose among 2 branches; got " + std::to_string(branches.size()) + ".");
  for (std::size_t b = 0; b < branches.size(); ++b) {
    const std::string what = "branch " + std::to_string(b);
    check_inputs("case", what, branches[b], in.subspan(1));
    if (branches[b].num_consts() > 0)
      throw ValueError("case: branches must take what they need as inputs; got " +
                       std::to_string(branches[b].num_consts()) + " captures in branch " + std::to_string(b) + ".");
    check_outputs("case", what, branches[b], branches[0].output_avals());
  }
  for (const Aval a : branches[0].output_avals()) out.push_back(a);
}

void eval_case(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const Branches& branches = ir::params_as<CaseParams>(params).branches;
  std::size_t chosen;
  if (in[0].dtype() == boolean) {
    chosen = *in[0].as<bool>() ? 1 : 0;
  } else {
    const std::int32_t i = *in[0].as<std::int32_t>();
    chosen =
        i < 0 || static_cast<std::size_t>(i) >= branches.size() ? branches.size() - 1 : static_cast<std::size_t>(i);
  }
  ir::interpret(branches[chosen], in.subspan(1), out);
}

bool has_effects_case(const ParamsBase* params) {
  for (const ir::Jaxpr& b : ir::params_as<CaseParams>(params).branches)
    if (ir::has_effects(b)) return true;
  return false;
}

// ---- agreement of branches ----

std::vector<bool> either(std::vector<bool> a, const std::vector<bool>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = a[i] || b[i];
  return a;
}

// `program`, whose outputs from `first` on are those that `have` marks, with zeros for others that `wanted` marks.
ir::Jaxpr with_zero_outputs(const ir::Jaxpr& program, std::size_t first, const std::vector<bool>& have,
                            const std::vector<bool>& wanted, std::span<const Aval> types) {
  if (have == wanted) return program;
  const std::string key = type_key(transforms::mask_key("zeros", have) + transforms::mask_key("", wanted), types);
  return derive(program, key + "@" + std::to_string(first), program.input_avals(), program.num_consts(),
                [&](std::span<const Array> args, Arrays& outs) {
                  Arrays results;
                  eval_jaxpr(program, args, results);
                  const std::span<const Array> all(results);
                  outs.append(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first));
                  fill_zeros(all.subspan(first), have, wanted, types, outs);
                });
}

// ---- derivatives ----

void jvp_case(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const Branches& branches = branches_of(call);
  const std::vector<bool> nonzero = defined(tangents.subspan(1));
  const Avals types = branches[0].output_avals();
  const std::size_t n = types.size();
  std::vector<std::shared_ptr<const transforms::JvpJaxpr>> derived;
  std::vector<bool> any(n, false);
  for (const ir::Jaxpr& b : branches) {
    derived.push_back(transforms::jvp_jaxpr(b, nonzero));
    any = either(std::move(any), derived.back()->out_nonzero);
  }
  Branches dual;
  for (const auto& d : derived) dual.push_back(with_zero_outputs(d->jaxpr, n, d->out_nonzero, any, types));
  Arrays operands(call.args.subspan(1)), results;
  append_defined(tangents.subspan(1), operands);
  bind_case(call.args[0], std::move(dual), operands, results);
  for (std::size_t i = 0, j = n; i < n; ++i) {
    outs.push_back(results[i]);
    out_tangents.push_back(any[i] ? results[j++] : Array());
  }
}

// Residuals of all branches share one list of slots; a branch uses some of them, each of its type.
struct Slots {
  std::vector<Aval> types;
  std::vector<std::vector<std::size_t>> of_branch;  // slot of each residual

  void add_branch(std::span<const Aval> residuals) {
    std::vector<bool> taken(types.size(), false);
    std::vector<std::size_t>& slots = of_branch.emplace_back();
    for (const Aval a : residuals) {
      std::size_t s = 0;
      while (s < types.size() && (taken[s] || types[s] != a)) ++s;
      if (s == types.size()) {
        types.push_back(a);
        taken.push_back(false);
      }
      taken[s] = true;
      slots.push_back(s);
    }
  }
};

void linearize_choice(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                      Arrays& out_tangents) {
  const Branches& branches = branches_of(call);
  const std::vector<bool> nonzero = defined(tangents.subspan(1));
  const Avals types = branches[0].output_avals();
  const std::size_t n = types.size();
  std::vector<std::shared_ptr<const transforms::LinearizedJaxpr>> linear;
  std::vector<bool> any(n, false);
  Slots slots;
  for (const ir::Jaxpr& b : branches) {
    linear.push_back(transforms::linearize_jaxpr(b, nonzero));
    any = either(std::move(any), linear.back()->has_tangent);
    const Avals all = linear.back()->primal.output_avals();
    slots.add_branch(std::span<const Aval>(all).subspan(n));
  }
  Avals tangent_inputs(slots.types.begin(), slots.types.end());
  for (const Array& t : tangents.subspan(1))
    if (t.defined()) tangent_inputs.push_back(t.aval());

  Branches primal, tangent;
  for (std::size_t b = 0; b < branches.size(); ++b) {
    const transforms::LinearizedJaxpr& lin = *linear[b];
    const std::vector<std::size_t>& own = slots.of_branch[b];
    std::string key = type_key("slots", tangent_inputs);
    for (const std::size_t s : own) key += "/" + std::to_string(s);
    primal.push_back(derive(lin.primal, key, lin.primal.input_avals(), 0, [&](std::span<const Array> args, Arrays& o) {
      Arrays results, residuals(slots.types.size());
      eval_jaxpr(lin.primal, args, results);
      for (std::size_t i = 0; i < own.size(); ++i) residuals[own[i]] = results[n + i];
      for (std::size_t i = 0; i < n; ++i) o.push_back(results[i]);
      for (std::size_t s = 0; s < residuals.size(); ++s)
        o.push_back(residuals[s].defined() ? residuals[s] : zeros_of(slots.types[s]));
    }));
    tangent.push_back(derive(lin.tangent, transforms::mask_key(key.c_str(), any), tangent_inputs, 0,
                             [&](std::span<const Array> args, Arrays& o) {
                               Arrays operands, results;
                               for (const std::size_t s : own) operands.push_back(args[s]);
                               for (const Array& t : args.subspan(slots.types.size())) operands.push_back(t);
                               eval_jaxpr(lin.tangent, operands, results);
                               fill_zeros(results, lin.has_tangent, any, types, o);
                             }));
  }
  Arrays results, tangent_results;
  bind_case(call.args[0], std::move(primal), call.args.subspan(1), results);
  Arrays operands(std::span<const Array>(results).subspan(n));
  append_defined(tangents.subspan(1), operands);
  if (std::find(any.begin(), any.end(), true) != any.end()) {
    const CurrentTrace staging(tangent_trace);
    bind_case(call.args[0], std::move(tangent), operands, tangent_results);
  }
  for (std::size_t i = 0, j = 0; i < n; ++i) {
    outs.push_back(results[i]);
    out_tangents.push_back(any[i] ? tangent_results[j++] : Array());
  }
}

// The branch that an index, whatever its type, means.
Array branch_number(const Array& index, std::size_t num_branches) {
  if (index.dtype() == boolean) return lax::convert(index, i32);
  const auto last = static_cast<std::int32_t>(num_branches - 1);
  // Below zero is out of range, too.
  return lax::select(lax::lt(index, 0), lax::full(index.shape(), last, i32), lax::minimum(index, last));
}

// vmap runs a branch in which examples meet (psum) on all of them, where some take it: each hears from all the others,
// also from those that take another branch. So each such branch is a choice of its own here, whose index is the same
// for all, and its results are for the examples that take it. The other branches are one choice, as they always are,
// and come first: of two branches that watch (a print), the one in which examples meet is heard last.
void linearize_meeting(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                       Arrays& out_tangents) {
  const Branches& branches = branches_of(call);
  const Avals types = branches[0].output_avals();
  const auto choose = [&](const Array& index, Branches among, const Arrays& xs, const Arrays& ts, Arrays& results,
                          Arrays& result_tangents) {
    Arrays operands{index}, operand_tangents{Array()};
    append(operands, xs);
    append(operand_tangents, ts);
    linearize_choice({call.op, ir::make_params(CaseParams{std::move(among)}), operands}, operand_tangents,
                     tangent_trace, results, result_tangents);
  };
  Branches apart;
  for (const ir::Jaxpr& b : branches) apart.push_back(examples_meet(b) ? zeros_instead(b) : b);
  choose(call.args[0], std::move(apart), Arrays(call.args.subspan(1)), Arrays(tangents.subspan(1)), outs, out_tangents);
  const Array number = branch_number(call.args[0], branches.size());
  for (std::size_t b = 0; b < branches.size(); ++b) {
    if (!examples_meet(branches[b])) continue;
    const Array own = lax::eq(number, static_cast<std::int64_t>(b));
    ir::Jaxpr branch = branches[b];
    Arrays xs(call.args.subspan(1)), ts(tangents.subspan(1)), results, result_tangents;
    if (to_mask(branch) && can_mask(branch)) {
      branch = ir::with_num_consts(masked(branch), 0);
      xs.insert(xs.begin(), own);
      ts.insert(ts.begin(), Array());
    }
    choose(any_example(own, ir::named_axes(branch)), {zeros_instead(branch), branch}, xs, ts, results, result_tangents);
    const auto mine = [&](const Array& yes, const Array& no) {
      return lax::select(lax::broadcast_in_dim(own, yes.shape(), {}), yes, no);
    };
    for (std::size_t i = 0; i < types.size(); ++i) {
      outs[i] = mine(results[i], outs[i]);
      if (!result_tangents[i].defined() && !out_tangents[i].defined()) continue;
      const CurrentTrace staging(tangent_trace);
      const auto tangent = [&](const Array& t) { return t.defined() ? t : zeros_of(types[i]); };
      out_tangents[i] = mine(tangent(result_tangents[i]), tangent(out_tangents[i]));
    }
  }
}

void linearize_case(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                    Arrays& out_tangents) {
  const auto linearize = std::ranges::any_of(branches_of(call), examples_meet) ? linearize_meeting : linearize_choice;
  linearize(call, tangents, tangent_trace, outs, out_tangents);
}

void transpose_case(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const Branches& branches = branches_of(call);
  std::vector<bool> linear;
  Arrays operands, results;
  Avals types;
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    linear.push_back(accums[i] != nullptr);
    if (accums[i])
      types.push_back(accums[i]->aval());
    else
      operands.push_back(call.args[i]);
  }
  append_defined(cts, operands);
  std::vector<std::shared_ptr<const transforms::TransposedJaxpr>> derived;
  std::vector<bool> any(types.size(), false);
  for (const ir::Jaxpr& b : branches) {
    derived.push_back(transforms::transpose_jaxpr(b, linear, defined(cts)));
    any = either(std::move(any), derived.back()->out_nonzero);
  }
  Branches transposed;
  for (const auto& d : derived) transposed.push_back(with_zero_outputs(d->jaxpr, 0, d->out_nonzero, any, types));
  bind_case(call.args[0], std::move(transposed), operands, results);
  std::size_t next_input = 0, next_result = 0;
  for (GradAccum* accum : accums)
    if (accum && any[next_input++]) accum->add(results[next_result++]);
}

// ---- batching ----

// A program that is batched, all its results mapped in front.
ir::Jaxpr batched_in_front(const ir::Jaxpr& program, std::span<const int> bdims, const MappedAxis& axis) {
  const auto batched = transforms::batch_jaxpr(program, bdims, axis);
  return derive(batched->jaxpr, "in front:" + axis.key(), batched->jaxpr.input_avals(), 0,
                [&](std::span<const Array> args, Arrays& results) {
                  eval_jaxpr(batched->jaxpr, args, results);
                  for (std::size_t i = 0; i < results.size(); ++i)
                    results[i] = ops::bdim_to(results[i], batched->out_bdims[i], 0, axis.size);
                });
}

// The index is the same for all examples: each branch, batched; what any branch maps, all map, in front.
void batch_branches(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                    Bdims& out_bdims) {
  const Branches& branches = branches_of(call);
  std::vector<std::shared_ptr<const transforms::BatchedJaxpr>> batched;
  for (const ir::Jaxpr& b : branches) batched.push_back(transforms::batch_jaxpr(b, bdims.subspan(1), axis));
  out_bdims.assign(branches[0].outputs().size(), kUnmapped);
  for (const auto& b : batched)
    for (std::size_t i = 0; i < out_bdims.size(); ++i)
      if (b->out_bdims[i] != kUnmapped) out_bdims[i] = 0;
  Branches aligned;
  for (const auto& b : batched) {
    std::string key = "align:" + axis.key();
    for (std::size_t i = 0; i < out_bdims.size(); ++i)
      key += "," + std::to_string(b->out_bdims[i]) + ">" + std::to_string(out_bdims[i]);
    aligned.push_back(
        derive(b->jaxpr, key, b->jaxpr.input_avals(), 0, [&](std::span<const Array> args, Arrays& results) {
          eval_jaxpr(b->jaxpr, args, results);
          for (std::size_t i = 0; i < results.size(); ++i)
            if (out_bdims[i] == 0) results[i] = ops::bdim_to(results[i], b->out_bdims[i], 0, axis.size);
        }));
  }
  bind_case(call.args[0], std::move(aligned), call.args.subspan(1), outs);
}

// A branch for the lanes that are its own. Where none is, its results do not matter; if it could do harm, it does not
// run.
void run_lanes(const ir::Jaxpr& branch, const Lanes& lanes, std::span<const Array> xs, std::span<const int> bdims,
               const MappedAxis& axis, Arrays& results) {
  const bool meet = examples_meet_along(branch, axis);
  ir::Jaxpr program = branch;
  Arrays args(xs);
  Bdims dims(bdims), at;
  for (std::size_t i = 0; !meet && i < args.size(); ++i)
    args[i] = bdims[i] == kUnmapped ? lanes.shared(xs[i]) : lanes(xs[i]);
  const auto add_constant = [&](const Array& x) {
    args.insert(args.begin(), x);
    dims.insert(dims.begin(), 0);
  };
  // Effects happen, and checks look, for the examples whose branch this is.
  if (to_mask(branch)) {
    program = masked(program);
    add_constant(lanes.on());
  }
  if (!meet && asks_place(branch, axis)) {
    program = told_place(program, axis);
    add_constant(lanes.places());
  }
  if (!meet && !may_fail(branch)) {
    batch_program("branch", program, args, dims, axis, results, at);
    for (std::size_t i = 0; i < results.size(); ++i) results[i] = ops::bdim_to(results[i], at[i], 0, axis.size);
    return;
  }
  const ir::Jaxpr batched = batched_in_front(program, dims, axis);
  bind_case(lanes.any(), {zeros_instead(batched), batched}, args, results);
}

// An index per example: all branches run on all examples, and each example takes the results of its own.
void batch_index(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  const Branches& branches = branches_of(call);
  for (const ir::Jaxpr& b : branches)
    if (ir::has_effects(b) && !can_mask(b))
      throw ValueError(
          "case: branches with effects must have the same index for all examples of vmap; got a mapped index.",
          "all branches would run for all examples. Prints, debug callbacks and checks may be there, unless they are "
          "ordered or in a function with rules of its own.");
  const Array index = branch_number(call.args[0], branches.size());
  Arrays xs(call.args.subspan(1));
  Bdims front(bdims.subspan(1));
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (front[i] == kUnmapped) continue;
    xs[i] = ops::bdim_to(xs[i], front[i], 0, axis.size);
    front[i] = 0;
  }
  for (std::size_t b = 0; b < branches.size(); ++b) {
    const Lanes lanes(lax::eq(index, static_cast<std::int64_t>(b)));
    Arrays results;
    run_lanes(branches[b], lanes, xs, front, axis, results);
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (b == 0)
        outs.push_back(results[i]);
      else
        outs[i] = lanes.choose(results[i], outs[i]);
    }
  }
  out_bdims.assign(outs.size(), 0);
}

void batch_case(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  if (bdims[0] == kUnmapped)
    batch_branches(call, bdims, axis, outs, out_bdims);
  else
    batch_index(call, bdims, axis, outs, out_bdims);
}

}  // namespace

Arrays lax::case_(const Array& index, std::span<const ir::Jaxpr> branches, std::span<const Array> xs,
                  SourceLocation loc) {
  const LocationScope scope(loc, "case");
  Arrays outs;
  bind_case(index, Branches(branches.begin(), branches.end()), xs, outs);
  return outs;
}

const ir::OpInfo op_infos::case_{.operands = ir::takes_at_least(1),
                                 .parse = ir::parse_params<CaseParams>,
                                 .infer = infer_case,
                                 .eval = eval_case,
                                 .storage_types = true,
                                 .has_effects = has_effects_case};
const OpRules op_rule_table::case_{.jvp = jvp_case,
                                   .transpose = transpose_case,
                                   .batch = batch_case,
                                   .factors = factors_replicated,
                                   .linearize = linearize_case};

}  // namespace weft
