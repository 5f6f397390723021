// custom_linear_solve[matvec, solve, transpose_solve](captures..., b...) = x with matvec(captures, x) = b.
//
// With A the map and dA its derivative by the captures: A dx = db - dA x, so every derivative is a solve again; the
// transpose solves with A^T. How `solve` finds x never matters to them.
#include <algorithm>

#include "weft/control/custom_rules.h"
#include "weft/control/linear_map.h"
#include "weft/ir/interpret.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/transpose.h"

namespace weft {

using namespace control;

namespace {

void infer_solve(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const std::string_view op = "custom_linear_solve";
  const auto& p = ir::params_as<CustomLinearSolveParams>(params);
  const std::span<const Aval> b = in.subspan(num_captures(op, "matvec", p.matvec, in));
  check_inputs(op, "matvec", p.matvec, in);
  check_outputs(op, "matvec", p.matvec, b);
  check_inputs(op, "solve", p.solve, in);
  check_outputs(op, "solve", p.solve, b);
  if (p.transpose_solve && !p.transpose_solve.is_program())
    throw ValueError("custom_linear_solve: transpose_solve must be a program or none; got a function.");
  check_rule(op, "transpose_solve", p.transpose_solve, in, b);
  if (inexact(b).size() != b.size()) throw DTypeError("custom_linear_solve: b must be float or complex; got integers.");
  out.append(b.begin(), b.end());
}

void eval_solve(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  ir::interpret(ir::params_as<CustomLinearSolveParams>(params).solve, in, out);
}

bool has_effects_solve(const ParamsBase* params) {
  return ir::has_effects(ir::params_as<CustomLinearSolveParams>(params).solve);
}

std::size_t captures_of(const Call& call) { return call.params_as<CustomLinearSolveParams>().matvec.num_consts(); }

void bind_solve(const Call& call, std::span<const Array> b, Arrays& outs) {
  Arrays operands(call.args.first(captures_of(call)));
  operands.append(b.begin(), b.end());
  bind(call.op, call.params, operands, outs);
}

// db - dA x, none where it is zero.
Arrays right_hand_side(const Call& call, std::span<const Array> tangents, std::span<const Array> x) {
  const auto& p = call.params_as<CustomLinearSolveParams>();
  const std::size_t n = captures_of(call);
  Arrays rhs(tangents.subspan(n));
  Arrays directions(tangents.first(n));
  directions.resize(n + x.size());
  const std::vector<bool> mask = defined(directions);
  if (std::find(mask.begin(), mask.end(), true) == mask.end()) return rhs;
  Arrays at(call.args.first(n));
  at.append(x.begin(), x.end());
  const Arrays moved = transforms::linear_part(p.matvec, at, directions);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (moved[i].defined()) rhs[i] = rhs[i].defined() ? lax::subtract(rhs[i], moved[i]) : lax::negate(moved[i]);
  return rhs;
}

void jvp_solve(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  Arrays rhs = right_hand_side(call, tangents, outs);
  bool any = false;
  for (const Array& r : rhs) any |= r.defined();
  if (!any) {
    out_tangents.resize(outs.size());
    return;
  }
  for (std::size_t i = 0; i < rhs.size(); ++i)
    if (!rhs[i].defined()) rhs[i] = zeros_of(outs[i].aval());
  bind_solve(call, rhs, out_tangents);
}

void transpose_solve(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<CustomLinearSolveParams>();
  const std::size_t n = captures_of(call);
  for (std::size_t i = 0; i < n; ++i) internal_check(accums[i] == nullptr, "custom_linear_solve is linear in b only");
  if (!p.transpose_solve)
    throw NotDifferentiableError(
        "custom_linear_solve: reverse mode must solve with the transposed map; got no "
        "transpose_solve.",
        "pass it as the fourth argument, or `symmetric` if the map is its own transpose.");
  Arrays c(cts), results;
  for (std::size_t i = 0; i < c.size(); ++i)
    if (!c[i].defined()) c[i] = zeros_of(p.matvec.output_avals()[i]);
  const ir::Params params = ir::make_params(
      CustomLinearSolveParams{transposed_map(p.matvec), p.transpose_solve.program(), ir::Rule(p.solve)});
  bind_solve({call.op, params, call.args}, c, results);
  for (std::size_t i = 0; i < results.size(); ++i)
    if (accums[n + i]) accums[n + i]->add(results[i]);
}

void batch_solve(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  const auto& p = call.params_as<CustomLinearSolveParams>();
  const std::size_t n = captures_of(call);
  // One system for all of b, whose parts depend on each other.
  Bdims dims(bdims);
  std::fill(dims.begin() + static_cast<std::ptrdiff_t>(n), dims.end(), 0);
  Arrays operands(call.args);
  for (std::size_t i = n; i < operands.size(); ++i) operands[i] = bdim_to(operands[i], bdims[i], 0, axis.size);
  CustomLinearSolveParams batched{batched_program(p.matvec, dims, axis, {}), batched_program(p.solve, dims, axis, {}),
                                  ir::Rule()};
  if (p.transpose_solve) batched.transpose_solve = batched_rule(p.transpose_solve, dims, axis, {});
  bind(call.op, ir::make_params(std::move(batched)), operands, outs);
  out_bdims.assign(outs.size(), 0);
}

}  // namespace

ir::Jaxpr control::transposed_map(const ir::Jaxpr& map) {
  const std::size_t n = map.num_consts();
  std::vector<bool> x(map.num_inputs(), true);
  std::fill_n(x.begin(), n, false);
  const auto lin = transforms::linearize_jaxpr(map, x);
  // What the derivative needs of the map's own run comes from captures alone, unless the map is not linear.
  const Avals out = map.output_avals(), in = map.input_avals();
  if (const auto broken = not_linear(*lin, x)) {
    const ForcedLocation line(broken->line);
    throw NotDifferentiableError("custom_linear_solve: the map must be linear; got one whose derivative depends on " +
                                     in[broken->input].str() + ", what it is applied to.",
                                 "custom_root finds and differentiates the solutions of other equations.");
  }
  const ir::Jaxpr needed = residuals_of(*lin);

  std::vector<bool> linear(lin->tangent.num_inputs(), true);
  std::fill_n(linear.begin(), lin->num_residuals, false);
  std::size_t num_tangents = 0;
  for (const bool has : lin->has_tangent) num_tangents += has;
  const auto transposed = transforms::transpose_jaxpr(lin->tangent, linear, std::vector<bool>(num_tangents, true));
  const std::span<const Aval> results = std::span<const Aval>(in).subspan(n);
  const Avals inputs = concatenated(std::span<const Aval>(in).first(n), out);
  return derive(map, "transposed map", inputs, n, [&](std::span<const Array> args, Arrays& outs) {
    Arrays at(args.first(n)), operands, cts;
    for (const Aval a : results) at.push_back(zeros_of(a));
    eval_jaxpr(needed, at, operands);
    for (std::size_t i = 0; i < out.size(); ++i)
      if (lin->has_tangent[i]) operands.push_back(args[n + i]);
    eval_jaxpr(transposed->jaxpr, operands, cts);
    fill_zeros(cts, transposed->out_nonzero, std::vector<bool>(results.size(), true), results, outs);
  });
}

Arrays lax::custom_linear_solve(const ir::Jaxpr& matvec, const ir::Jaxpr& solve, const ir::Rule& transpose_solve,
                                std::span<const Array> captures, std::span<const Array> b, SourceLocation loc) {
  const LocationScope scope(loc, "custom_linear_solve");
  Arrays operands(captures), outs;
  operands.append(b.begin(), b.end());
  bind(OpCode::kCustomLinearSolve,
       ir::make_params(CustomLinearSolveParams{ir::with_num_consts(matvec, captures.size()),
                                               ir::with_num_consts(solve, captures.size()), transpose_solve}),
       operands, outs);
  return outs;
}

const ir::OpInfo op_infos::custom_linear_solve{.operands = ir::takes_at_least(0),
                                               .parse = ir::parse_params<CustomLinearSolveParams>,
                                               .infer = infer_solve,
                                               .eval = eval_solve,
                                               .storage_types = true,
                                               .has_effects = has_effects_solve};
const OpRules op_rule_table::custom_linear_solve{
    .jvp = jvp_solve, .transpose = transpose_solve, .batch = batch_solve, .factors = factors_replicated};

}  // namespace weft
