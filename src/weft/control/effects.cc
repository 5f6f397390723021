#include "weft/control/effects.h"

#include "weft/control/handed_down.h"
#include "weft/control/rules.h"
#include "weft/ir/callback.h"
#include "weft/ir/checks.h"
#include "weft/ir/nested.h"

namespace weft::control {

bool watches(OpCode op, const ir::ParamsBase* params) {
  return op == OpCode::kCheck ||
         (op == OpCode::kHostCallback && only_watches(ir::params_as<CallbackParams>(params).kind));
}

namespace {

// `mask` for each element of an array of `shape`.
Array spread(const Array& mask, DimSpan shape) { return lax::broadcast_in_dim(mask, shape, Dims{}); }

void run_callback(const ir::Eqn& e, const Array& mask, std::span<const Array> xs, Arrays& results) {
  CallbackParams p = ir::params_as<CallbackParams>(e.params);
  Arrays operands;
  if (p.masked) {
    operands.push_back(lax::and_(spread(mask, xs[0].shape()), xs[0]));
    xs = xs.subspan(1);
  } else {
    operands.push_back(mask);
    p.mapped.insert(p.mapped.begin(), 0);
    p.masked = true;
  }
  append(operands, xs);
  bind(e.op, ir::make_params(std::move(p)), operands, results);
}

void run_check(const ir::Eqn& e, const Array& mask, std::span<const Array> xs, Arrays& results) {
  Arrays operands(xs);
  operands[0] = lax::or_(xs[0], lax::not_(spread(mask, xs[0].shape())));
  bind(e.op, e.params, operands, results);
}

// A check of a check mode.
void run_look(const ir::Eqn& e, const Array& mask, std::span<const Array> xs, Arrays& results) {
  const Array here = spread(mask, xs[0].shape());
  bind(e.op, e.params, Arrays{xs[0], xs.size() > 1 ? lax::and_(here, xs[1]) : here}, results);
}

// What is inside cannot be told from outside where to look.
void check_results(const ir::Eqn& e, const Array& mask, std::span<const Array> xs, Arrays& results) {
  const ir::ChecksInside inside = ir::checks_inside(*e.params);
  bind(e.op, ir::with_programs(e.params, [](const ir::Jaxpr& p) { return ir::without_checks(p); }), xs, results);
  if (!inside.nans && !inside.infs) return;
  const ir::Params check = ir::make_params(
      CheckFiniteParams{std::string(ir::op_name(e.op)), CheckPass::kForward, inside.nans, inside.infs, {}});
  for (Array& r : results)
    if (is_inexact(r.dtype())) r = bind1(OpCode::kCheckFinite, check, {r, spread(mask, r.shape())});
}

bool is_masked(const ir::Eqn& e) {
  return ir::has_effects(e.op, e.params.get()) || e.op == OpCode::kCheckFinite || e.op == OpCode::kCheckIndex ||
         (e.params && ir::checks_inside(*e.params).any);
}

void run_masked(const ir::Eqn& e, const Array& mask, std::span<const Array> xs, Arrays& results) {
  switch (e.op) {
    case OpCode::kHostCallback: return run_callback(e, mask, xs, results);
    case OpCode::kCheck: return run_check(e, mask, xs, results);
    case OpCode::kCheckFinite:
    case OpCode::kCheckIndex: return run_look(e, mask, xs, results);
    default: break;
  }
  const auto needs = [](const ir::Jaxpr& p) { return to_mask(p); };
  const auto taking = [](const ir::Jaxpr& p) { return masked(p); };
  if (run_handed_down(e, mask, xs, {needs, taking}, results)) return;
  internal_check(!ir::has_effects(e.op, e.params.get()), "masked: an operation whose effects cannot be masked");
  check_results(e, mask, xs, results);
}

}  // namespace

ir::Jaxpr without_watchers(const ir::Jaxpr& jaxpr) {
  return ir::without_eqns(jaxpr, "without watchers", [](const ir::Eqn& e) { return watches(e.op, e.params.get()); });
}

bool can_mask(const ir::Jaxpr& jaxpr) {
  return *jaxpr.memo<bool>("can mask", [&] {
    bool can = true;
    for (const ir::Eqn& e : jaxpr.eqns()) {
      if (!ir::has_effects(e.op, e.params.get())) continue;
      switch (e.op) {
        case OpCode::kCheck: break;
        case OpCode::kHostCallback: {
          const auto& p = ir::params_as<CallbackParams>(e.params);
          can = can && only_watches(p.kind) && !p.ordered;
          break;
        }
        case OpCode::kCall:
        case OpCode::kCheckpoint:
        case OpCode::kCase:
        case OpCode::kScan:
        case OpCode::kWhile:
          ir::for_each_program(*e.params, ir::Programs::kRun, [&](const ir::Jaxpr& p) { can = can && can_mask(p); });
          break;
        default: can = false;
      }
    }
    return std::make_shared<const bool>(can);
  });
}

bool to_mask(const ir::Jaxpr& jaxpr) { return ir::has_effects(jaxpr) || ir::checks_inside(jaxpr).any; }

ir::Jaxpr masked(const ir::Jaxpr& jaxpr) {
  Avals inputs{scalar_of(boolean)};
  for (const Aval a : jaxpr.input_avals()) inputs.push_back(a);
  return derive(jaxpr, "masked", inputs, jaxpr.num_consts() + 1, [&](std::span<const Array> args, Arrays& outs) {
    const Array& mask = args[0];
    eval_jaxpr_by(jaxpr, args.subspan(1), outs,
                  [&](const ir::Eqn& e, std::span<const Array> operands, Arrays& results) {
                    if (is_masked(e))
                      run_masked(e, mask, operands, results);
                    else
                      bind(e.op, e.params, operands, results);
                  });
  });
}

}  // namespace weft::control
