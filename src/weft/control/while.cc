// while[cond_jaxpr, body_jaxpr](captures of cond..., captures of body..., carry...): carry = body(carry) as long as
// cond(carry). Which carried values have a tangent, or a mapped axis, is a fixpoint: what the body makes of them
// counts.
#include <array>
#include <cmath>
#include <cstring>

#include "weft/base/loop_trail.h"
#include "weft/control/effects.h"
#include "weft/control/lanes.h"
#include "weft/control/programs.h"
#include "weft/control/rules.h"
#include "weft/control/spread.h"
#include "weft/control/while.h"
#include "weft/ir/interpret.h"
#include "weft/ops/common.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/vmap.h"

namespace weft {

using namespace control;

namespace {

void infer_while(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<WhileParams>(params);
  if (p.max_steps && *p.max_steps < 0)
    throw ValueError("while: max_steps must not be negative; got " + std::to_string(*p.max_steps) + ".");
  const std::size_t num_cond = num_captures("while", "the condition", p.cond_jaxpr, in);
  const std::size_t num_body = num_captures("while", "the body", p.body_jaxpr, in.subspan(num_cond));
  const std::span<const Aval> carried = in.subspan(num_cond + num_body);
  Avals types(in.first(num_cond));
  types.append(carried.begin(), carried.end());
  check_inputs("while", "the condition", p.cond_jaxpr, types);
  check_outputs("while", "the condition", p.cond_jaxpr, Avals{scalar_of(boolean)});
  check_inputs("while", "the body", p.body_jaxpr, in.subspan(num_cond));
  check_outputs("while", "the body", p.body_jaxpr, carried);
  for (const Aval a : carried) out.push_back(a);
}

void eval_while(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<WhileParams>(params);
  const Loop loop(p);
  const ir::BorrowedInterpreter cond(loop.cond), body(loop.body);
  // The results hold the state, from the beginning.
  const auto copy = [](const void* from, const MutableTensorView& to) {
    if (to.size() > 0) std::memcpy(to.data, from, static_cast<std::size_t>(to.aval.bytes()));
  };
  for (std::size_t i = 0; i < loop.num_cond; ++i) cond->set_input(i, in[i].data);
  for (std::size_t i = 0; i < loop.num_body; ++i) body->set_input(i, in[loop.num_cond + i].data);
  for (std::size_t i = 0; i < out.size(); ++i) {
    copy(in[loop.num_captures() + i].data, out[i]);
    cond->set_input(loop.num_cond + i, out[i].data);
    body->set_input(loop.num_body + i, out[i].data);
  }
  LoopFrame frame("while_loop");
  for (std::int64_t step = 0;; ++step) {
    const TensorView first = out.empty() ? TensorView{} : TensorView(out[0]);
    frame.at(iteration_number(p, step, out.empty() ? nullptr : &first));
    cond->run();
    if (!*static_cast<const bool*>(cond->output(0))) return;
    if (loop.max_steps && step >= *loop.max_steps) throw_too_many_steps();
    body->run();
    for (std::size_t i = 0; i < out.size(); ++i) copy(body->output(i), out[i]);
  }
}

bool has_effects_while(const ParamsBase* params) {
  const auto& p = ir::params_as<WhileParams>(params);
  return ir::has_effects(p.cond_jaxpr) || ir::has_effects(p.body_jaxpr);
}

void bind_while(const WhileParams& loop, std::span<const Array> operands, Arrays& outs) {
  bind(OpCode::kWhile, ir::make_params(loop), operands, outs);
}

// ---- derivatives ----

// The loop with tangents carried along: operands are captures of cond, captures of body, their tangents, carry,
// tangents of the carry marked in `carried`.
struct DualLoop {
  WhileParams loop;
  std::vector<bool> carried;
  Arrays operands;
};

DualLoop dual_loop(const Call& call, std::span<const Array> tangents) {
  const Loop loop(call.params_as<WhileParams>());
  const std::size_t n = loop.num_carried();
  const std::vector<bool> captured = defined(loop.of_body(tangents));
  DualLoop dual;
  dual.loop.max_steps = loop.max_steps;
  dual.loop.number = loop.number;
  dual.carried = defined(loop.carried(tangents));
  // A loop that may be transposed keeps what is known apart from what is linear, down to the loops inside of its body:
  // an operation that computes both would count as linear as a whole.
  const bool split = loop.max_steps && !has_effects_while(call.params.get());
  std::shared_ptr<const transforms::JvpJaxpr> jvp;
  std::shared_ptr<const transforms::LinearizedJaxpr> linearized;
  std::vector<bool> nonzero, mask(captured);
  mask.insert(mask.end(), dual.carried.begin(), dual.carried.end());
  const auto differentiate = [&](const std::vector<bool>& m) {
    if (split)
      linearized = transforms::linearize_jaxpr(loop.body, m);
    else
      jvp = transforms::jvp_jaxpr(loop.body, m);
    nonzero = split ? linearized->has_tangent : jvp->out_nonzero;
    return nonzero;
  };
  mask = spread({loop.body, loop.num_body, n, passage_of_tangents()}, mask, differentiate);
  differentiate(mask);
  dual.carried.assign(mask.begin() + static_cast<std::ptrdiff_t>(loop.num_body), mask.end());
  // Operands, and the same as input types; `at` says where each input of the body's jvp is among those of the new body.
  Avals types;
  const Avals carry_types = avals_of(loop.carried(call.args));
  Arrays captures(loop.of_body(call.args)), carry(loop.carried(call.args));
  append_defined(loop.of_body(tangents), captures);
  const std::size_t num_captured = captures.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (!dual.carried[i]) continue;
    const Array& t = loop.carried(tangents)[i];
    carry.push_back(t.defined() ? t : zeros_of(carry_types[i]));
  }
  for (const Array& a : captures) types.push_back(a.aval());
  for (const Array& a : carry) types.push_back(a.aval());
  std::string key = transforms::mask_key("while_jvp", captured) + transforms::mask_key("", dual.carried);
  dual.loop.body_jaxpr = derive(loop.body, key, types, num_captured, [&](std::span<const Array> in, Arrays& outs) {
    // Captures, carry, then all tangents.
    Arrays primals(in.first(loop.num_body)), tangents, results;
    append(primals, in.subspan(num_captured, n));
    append(tangents, in.subspan(loop.num_body, num_captured - loop.num_body));
    append(tangents, in.subspan(num_captured + n));
    if (split) {
      Arrays known, residuals;
      eval_jaxpr(linearized->primal, primals, known);
      append(results, std::span<const Array>(known).first(n));
      append(residuals, std::span<const Array>(known).subspan(n));
      append(residuals, tangents);
      eval_jaxpr(linearized->tangent, residuals, results);
    } else {
      append(primals, tangents);
      eval_jaxpr(jvp->jaxpr, primals, results);
    }
    const std::span<const Array> all(results);
    append(outs, all.first(n));
    fill_zeros(all.subspan(n), nonzero, dual.carried, carry_types, outs);
  });
  Avals cond_types = avals_of(loop.of_cond(call.args));
  for (const Array& a : carry) cond_types.push_back(a.aval());
  dual.loop.cond_jaxpr = derive(
      loop.cond, key, cond_types, loop.num_cond,
      [&](std::span<const Array> in, Arrays& outs) { eval_jaxpr(loop.cond, in.first(loop.num_cond + n), outs); });
  dual.operands = Arrays(loop.of_cond(call.args));
  dual.operands.append(captures.begin(), captures.end());
  dual.operands.append(carry.begin(), carry.end());
  return dual;
}

// The tangents of a dual loop's results.
void split_tangents(std::span<const Array> results, const std::vector<bool>& carried, Arrays& out_tangents) {
  for (std::size_t i = 0, j = carried.size(); i < carried.size(); ++i)
    out_tangents.push_back(carried[i] ? results[j++] : Array());
}

void jvp_while(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const DualLoop dual = dual_loop(call, tangents);
  Arrays results;
  bind_while(dual.loop, dual.operands, results);
  for (std::size_t i = 0; i < dual.carried.size(); ++i) outs.push_back(results[i]);
  split_tangents(results, dual.carried, out_tangents);
}

// Reverse mode keeps states, and takes time for all rounds, so a bound that is none helps nobody.
void check_bound(std::int64_t max_steps) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  if (max_steps > kMost)
    throw ValueError(
        "while: reverse mode keeps about 2 sqrt(max_steps) states, so max_steps must be at most 2^40; got " +
            std::to_string(max_steps) + ".",
        "pass a bound near the number of steps that the loop takes.");
}

// A bounded loop in which examples meet (psum), as steps that do nothing once no example goes on. As with branches
// (case.cc), examples that have ended still take part in the steps of the others. In rounds of sqrt(max_steps) steps
// each, of which only the state before is kept, and of which those that nobody needs cost nothing.
ir::Jaxpr step_by_step(const Loop& loop, std::span<const Aval> types) {
  const std::size_t captures = loop.num_captures();
  ir::AxisNames axes = ir::named_axes(loop.body);
  ir::add_param_axes(loop.cond, axes);
  const auto most = *loop.max_steps;
  const auto in_round = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(most))));
  // captures..., how many steps have been taken, state...
  Avals counted(types.first(captures));
  counted.push_back(scalar_of(i64));
  counted.append(types.begin() + static_cast<std::ptrdiff_t>(captures), types.end());
  const auto closed = [](const FlatFunction& f, std::span<const Aval> in, std::size_t consts) {
    return ir::with_num_consts(stage(f, in, "while").jaxpr, consts);
  };
  const auto goes_on = [&](std::span<const Array> in) {
    Arrays test(loop.of_cond(in)), on;
    append(test, in.subspan(captures + 1));
    eval_jaxpr(loop.cond, test, on);
    return lax::and_(on[0], lax::lt(in[captures], most));
  };
  // What carries on where any example does, and stays as it is where none does.
  const auto where_any_goes_on = [&](std::span<const Array> in, const ir::Jaxpr& program, Arrays& next) {
    const ir::Jaxpr same =
        closed([&](std::span<const Array> x, Arrays& outs) { outs = Arrays(x.subspan(captures)); }, counted, 0);
    next = lax::case_(any_example(goes_on(in), axes), std::array{same, program}, in);
  };
  const ir::Jaxpr take = closed(
      [&](std::span<const Array> in, Arrays& next) {
        Arrays body(in.subspan(loop.num_cond, loop.num_body)), state;
        append(body, in.subspan(captures + 1));
        eval_jaxpr(loop.body, body, state);
        const Array on = goes_on(in);
        next.push_back(lax::add(in[captures], lax::convert(on, i64)));
        for (std::size_t i = 0; i < state.size(); ++i)
          next.push_back(lax::select(lax::broadcast_in_dim(on, state[i].shape(), {}), state[i], in[captures + 1 + i]));
      },
      counted, 0);
  const ir::Jaxpr step =
      closed([&](std::span<const Array> in, Arrays& next) { where_any_goes_on(in, take, next); }, counted, captures);
  const ir::Jaxpr steps =
      closed([&](std::span<const Array> in,
                 Arrays& next) { next = lax::scan_(step, in.first(captures), in.subspan(captures), {}, in_round); },
             counted, 0);
  const ir::Jaxpr round =
      closed([&](std::span<const Array> in, Arrays& next) { next = lax::checkpoint_(steps, {}, in); }, counted, 0);
  const ir::Jaxpr rounds =
      closed([&](std::span<const Array> in, Arrays& next) { where_any_goes_on(in, round, next); }, counted, captures);
  return closed(
      [&](std::span<const Array> args, Arrays& outs) {
        Arrays carry{Array(std::int64_t{0})};
        append(carry, loop.carried(args));
        const Arrays last = lax::scan_(rounds, args.first(captures), carry, {}, (most + in_round - 1) / in_round);
        const std::span<const Array> state = std::span<const Array>(last).subspan(1);
        // Raises the loop's error where it would go on. Its body never runs.
        const Staged same =
            stage([](std::span<const Array> in, Arrays& next) { next = Arrays(in); }, types.subspan(captures), "while");
        outs = lax::while_(loop.cond, same.jaxpr, loop.of_cond(args), state, 0);
      },
      types, 0);
}

// The loop runs now; the loop with tangents is staged as a whole, and would run again. So nothing is kept between the
// two. It is linear; whether it can be transposed matters only when somebody wants that.
void linearize_while(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                     Arrays& out_tangents) {
  // What only watches has seen it all in the first run.
  const auto& p = call.params_as<WhileParams>();
  const ir::Params again = ir::make_params(
      WhileParams{without_watchers(p.cond_jaxpr), without_watchers(p.body_jaxpr), p.max_steps, p.number});
  if (has_effects_while(again.get()))
    throw NotDifferentiableError(
        "while: a loop with effects can only be differentiated in forward mode (jvp); got "
        "linearization, which would run its effects twice.");
  if (const Loop loop(ir::params_as<WhileParams>(again.get()));
      loop.max_steps.value_or(0) > 0 && (examples_meet(loop.body) || examples_meet(loop.cond))) {
    check_bound(*loop.max_steps);
    linearize_program("while", step_by_step(loop, avals_of(call.args)), call.args, tangents, tangent_trace, outs,
                      out_tangents);
    if (!has_effects_while(call.params.get())) return;
    // Somebody watches the loop as it is.
    outs.clear();
    return bind(call.op, call.params, call.args, outs);
  }
  bind(call.op, call.params, call.args, outs);
  const DualLoop dual = dual_loop({call.op, again, call.args}, tangents);
  Arrays results;
  {
    const CurrentTrace staging(tangent_trace);
    bind_while(dual.loop, dual.operands, results);
  }
  split_tangents(results, dual.carried, out_tangents);
}

void transpose_while(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const Loop loop(call.params_as<WhileParams>());
  if (!loop.max_steps)
    throw NotDifferentiableError(
        "while: reverse-mode derivatives need a bound on the number of steps; got a loop that goes on as long as a "
        "condition holds.",
        "pass {.max_steps = n} to the loop, or write it as scan, or as fori_loop with bounds that are plain integers "
        "(in StableHLO text, a loop that compares a counter with a constant), or use forward mode (jvp), which works "
        "through any loop.");
  check_bound(*loop.max_steps);
  transpose_bounded_while(loop, call, cts, accums);
}

// ---- batching ----

struct BatchedLoop {
  std::vector<bool> carried;  // mapped
  bool predicate = false;     // mapped
};

// Which carried values are mapped when the loop goes on as long as it must for each example.
BatchedLoop mapped_in(const Loop& loop, std::span<const int> bdims, const MappedAxis& axis) {
  BatchedLoop mapped;
  std::vector<bool> mask;
  for (const int b : bdims.subspan(loop.num_cond)) mask.push_back(b != kUnmapped);
  const auto dims = [](const std::vector<bool>& marked) {
    Bdims r;
    for (const bool m : marked) r.push_back(m ? 0 : kUnmapped);
    return r;
  };
  mask = spread({loop.body, loop.num_body, loop.num_carried(), passage_of_axis(axis)}, mask,
                [&](const std::vector<bool>& m) {
                  std::vector<bool> r;
                  for (const int b : transforms::batch_jaxpr(loop.body, dims(m), axis)->out_bdims)
                    r.push_back(b != kUnmapped);
                  return r;
                });
  mapped.carried.assign(mask.begin() + static_cast<std::ptrdiff_t>(loop.num_body), mask.end());
  std::vector<bool> of_cond;
  for (const int b : loop.of_cond(bdims)) of_cond.push_back(b != kUnmapped);
  of_cond.insert(of_cond.end(), mapped.carried.begin(), mapped.carried.end());
  mapped.predicate = transforms::batch_jaxpr(loop.cond, dims(of_cond), axis)->out_bdims[0] != kUnmapped;
  // Examples end at their own times, so each has its own state.
  if (mapped.predicate) mapped.carried.assign(mapped.carried.size(), true);
  return mapped;
}

void batch_while(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  const Loop loop(call.params_as<WhileParams>());
  const BatchedLoop mapped = mapped_in(loop, bdims, axis);
  // Effects happen, and checks look, for the examples that go on.
  const bool mask = mapped.predicate && to_mask(loop.body);
  if (mapped.predicate && (ir::has_effects(loop.cond) || !can_mask(loop.body)))
    throw ValueError(
        "while: a loop with effects must go on equally long for all examples of vmap; got a mapped "
        "condition.",
        "prints, debug callbacks and checks may be in the body of such a loop, unless they are ordered or in a "
        "function with rules of its own.");
  Arrays operands;
  Bdims dims;
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    const bool is_mapped = i < loop.num_captures() ? bdims[i] != kUnmapped : mapped.carried[i - loop.num_captures()];
    operands.push_back(is_mapped ? ops::bdim_to(call.args[i], bdims[i], 0, axis.size) : call.args[i]);
    dims.push_back(is_mapped ? 0 : kUnmapped);
  }
  const std::span<const int> all_dims(dims);
  Bdims body_dims(loop.of_body(all_dims)), cond_dims(loop.of_cond(all_dims));
  body_dims.append(loop.carried(all_dims).begin(), loop.carried(all_dims).end());
  cond_dims.append(loop.carried(all_dims).begin(), loop.carried(all_dims).end());
  Bdims step_dims(body_dims);
  if (mask) step_dims.insert(step_dims.begin(), 0);
  const bool meet = examples_meet_along(loop.body, axis);
  const bool tell_place = mapped.predicate && !meet && asks_place(loop.body, axis);
  ir::Jaxpr one_body = mask ? masked(loop.body) : loop.body;
  if (tell_place) {
    one_body = told_place(one_body, axis);
    step_dims.insert(step_dims.begin(), 0);
  }
  const auto body = transforms::batch_jaxpr(one_body, step_dims, axis);
  const auto cond = transforms::batch_jaxpr(loop.cond, cond_dims, axis);
  for (const bool m : mapped.carried) out_bdims.push_back(m ? 0 : kUnmapped);

  const auto run_cond = [&](std::span<const Array> captures, std::span<const Array> carried) {
    Arrays args(captures), results;
    args.append(carried.begin(), carried.end());
    eval_jaxpr(cond->jaxpr, args, results);
    return ops::bdim_to(results[0], mapped.predicate ? cond->out_bdims[0] : 0, 0, axis.size);
  };
  const auto run_body = [&](std::span<const Array> args, Arrays& results) {
    eval_jaxpr(body->jaxpr, args, results);
    for (std::size_t i = 0; i < results.size(); ++i)
      if (mapped.carried[i]) results[i] = ops::bdim_to(results[i], body->out_bdims[i], 0, axis.size);
  };
  Avals types = avals_of(operands);
  const std::span<const Aval> all(types);
  Avals cond_types(loop.of_cond(all));
  cond_types.append(loop.carried(all).begin(), loop.carried(all).end());

  if (!mapped.predicate) {
    const Staged new_body = stage(run_body, all.subspan(loop.num_cond), "vmap");
    bind_while({ir::with_num_consts(cond->jaxpr, loop.num_cond), ir::with_num_consts(new_body.jaxpr, loop.num_body),
                loop.max_steps, loop.number},
               operands, outs);
    return;
  }
  // As long as any example goes on; examples that have ended keep their state, but the body sees another.
  const Staged any = stage(
      [&](std::span<const Array> in, Arrays& results) {
        results.push_back(lax::reduce_or(run_cond(in.first(loop.num_cond), in.subspan(loop.num_cond)), Dims{0}));
      },
      cond_types, "vmap");
  const Staged step = stage(
      [&](std::span<const Array> in, Arrays& results) {
        const Lanes lanes(run_cond(loop.of_cond(in), loop.carried(in)));
        Arrays args(in.subspan(loop.num_cond));
        for (std::size_t i = 0; !meet && i < args.size(); ++i)
          if (body_dims[i] != kUnmapped) args[i] = lanes(args[i]);
        if (mask) args.insert(args.begin(), lanes.on());
        if (tell_place) args.insert(args.begin(), lanes.places());
        run_body(args, results);
        for (std::size_t i = 0; i < results.size(); ++i) results[i] = lanes.choose(results[i], loop.carried(in)[i]);
      },
      all, "vmap");
  // The body needs what the condition captures, too.
  Arrays with_captures(loop.of_cond(std::span<const Array>(operands)));
  with_captures.append(operands.begin(), operands.end());
  // What each example carries by itself is no number for all.
  const bool counted = loop.number == IterationNumber::kCounted;
  bind_while({ir::with_num_consts(any.jaxpr, loop.num_cond), ir::with_num_consts(step.jaxpr, loop.num_captures()),
              loop.max_steps, counted ? IterationNumber::kCounted : IterationNumber::kUntold},
             with_captures, outs);
}

}  // namespace

Arrays lax::while_(const ir::Jaxpr& cond, const ir::Jaxpr& body, std::span<const Array> captures,
                   std::span<const Array> init, std::optional<std::int64_t> max_steps, SourceLocation loc) {
  const LocationScope scope(loc, "while");
  Arrays operands(captures), outs;
  operands.append(init.begin(), init.end());
  bind_while({cond, body, max_steps}, operands, outs);
  return outs;
}

const ir::OpInfo op_infos::while_{.operands = ir::takes_at_least(0),
                                  .parse = ir::parse_params<WhileParams>,
                                  .infer = infer_while,
                                  .eval = eval_while,
                                  .storage_types = true,
                                  .has_effects = has_effects_while};
const OpRules op_rule_table::while_{.jvp = jvp_while,
                                    .transpose = transpose_while,
                                    .batch = batch_while,
                                    .factors = factors_replicated,
                                    .linearize = linearize_while};

}  // namespace weft
