// custom_vjp_call[name, call_jaxpr, fwd, bwd, jvp](captures..., xs...) = call_jaxpr(captures, xs), whose transposed
// derivative is bwd at what fwd left.
//
// linearize runs fwd at once and stages custom_vjp_tangent, a linear map that is known by its transpose. Only whoever
// wants its value (forward mode) needs the jvp rule.
#include <algorithm>

#include "weft/control/custom_rules.h"
#include "weft/ir/interpret.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/vmap.h"

namespace weft {

using namespace control;

namespace {

constexpr std::string_view kOp = "custom_vjp";

}  // namespace

void control::throw_forward(const std::string& name) {
  throw NotDifferentiableError("custom_vjp: forward mode (jvp, jacfwd) needs a jvp rule; got " + name +
                                   ", whose rules, fwd and bwd, serve reverse mode.",
                               "give custom_vjp a jvp rule as its fourth argument, or define " + name +
                                   " by custom_jvp, which serves both modes.");
}

namespace {

// ---- custom_vjp_call ----

void infer_custom_vjp(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const std::string_view op = "custom_vjp_call";
  const auto& p = ir::params_as<CustomVjpCallParams>(params);
  const std::size_t n = num_captures(op, "the function", p.call_jaxpr, in);
  check_inputs(op, "the function", p.call_jaxpr, in);
  const Avals results = p.call_jaxpr.output_avals();
  if (!p.fwd || p.fwd.is_program() != p.bwd.is_program() || !p.bwd)
    throw ValueError("custom_vjp_call: fwd and bwd must be two programs or two functions; got another pair.");
  if (p.fwd.is_program()) {
    check_inputs(op, "the fwd rule", p.fwd.program(), in);
    const Avals forward = p.fwd.program().output_avals();
    if (forward.size() < results.size() || !std::equal(results.begin(), results.end(), forward.begin()))
      throw ShapeError("custom_vjp_call: the fwd rule must give the function's results first; got other types.");
    Avals backward(in.first(n));
    backward.append(forward.begin() + static_cast<std::ptrdiff_t>(results.size()), forward.end());
    check_rule(op, "the bwd rule", p.bwd, concatenated(backward, inexact(results)), inexact(in.subspan(n)));
  }
  check_rule(op, "the jvp rule", p.jvp, concatenated(in, inexact(in.subspan(n))),
             concatenated(results, inexact(results)));
  out.append(results.begin(), results.end());
}

void eval_custom_vjp(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  ir::interpret(ir::params_as<CustomVjpCallParams>(params).call_jaxpr, in, out);
}

bool has_effects_custom_vjp(const ParamsBase* params) {
  return ir::has_effects(ir::params_as<CustomVjpCallParams>(params).call_jaxpr);
}

void jvp_custom_vjp(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<CustomVjpCallParams>();
  if (!p.jvp) throw_forward(p.name);
  jvp_by_rule(kOp, p.name, p.call_jaxpr, p.jvp, call, tangents, outs, out_tangents);
}

// The tangents of results alone, of a jvp rule, as a program over operands of these types.
ir::Jaxpr tangent_program(const CustomVjpCallParams& p, std::span<const Aval> types) {
  const std::size_t n = p.call_jaxpr.outputs().size();
  const FlatFunction body = [&](std::span<const Array> args, Arrays& outs) {
    Arrays results;
    apply_rule(kOp, "the jvp rule", p.name, p.jvp, args, results);
    outs.append(results.begin() + static_cast<std::ptrdiff_t>(n), results.end());
  };
  if (p.jvp.is_program()) return derive(p.jvp.program(), "tangents", types, p.call_jaxpr.num_consts(), body);
  const Staged staged = stage(body, types, p.name);
  check_closed(staged);
  return ir::with_num_consts(staged.jaxpr, p.call_jaxpr.num_consts());
}

void linearize_custom_vjp(const Call& call, std::span<const Array> tangents, Trace* tangent_trace, Arrays& outs,
                          Arrays& out_tangents) {
  const auto& p = call.params_as<CustomVjpCallParams>();
  const std::size_t captures = p.call_jaxpr.num_consts(), n = p.call_jaxpr.outputs().size();
  refuse_captured_tangents(kOp, p.name, captures, call, tangents);
  Arrays results;
  apply_rule(kOp, "the fwd rule", p.name, p.fwd, call.args, results);
  const std::span<const Array> all(results);
  std::vector<Aval> result_types;
  for (const Aval a : inexact(p.call_jaxpr.output_avals())) result_types.push_back(a);
  Arrays operands, tangent_results, xs;
  append_tangents_from(captures, call.args, tangents, operands);
  if (!result_types.empty()) {
    ir::Rule jvp;
    if (p.jvp) {
      jvp = ir::Rule(tangent_program(p, concatenated(avals_of(call.args), avals_of(operands))));
      xs = Arrays(call.args.subspan(captures));
    }
    const CurrentTrace staging(tangent_trace);
    tangent_results = lax::custom_vjp_tangent(p.name, result_types, p.bwd, jvp, call.args.first(captures),
                                              all.subspan(n), xs, operands, current_location());
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < n; ++i) {
    outs.push_back(results[i]);
    out_tangents.push_back(is_inexact(results[i].dtype()) ? tangent_results[next++] : Array());
  }
}

// Where it stands for a linear map, it is its program.
void transpose_custom_vjp(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<CustomVjpCallParams>();
  transpose_program(p.name, p.call_jaxpr, call.args, cts, accums);
}

// An argument that all examples share has one cotangent, the sum over all.
int place_of_cotangent(int bdim) { return bdim == kUnmapped ? kSummed : bdim; }

void batch_custom_vjp(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                      Bdims& out_bdims) {
  const auto& p = call.params_as<CustomVjpCallParams>();
  const std::size_t captures = p.call_jaxpr.num_consts(), n = p.call_jaxpr.outputs().size();
  const std::size_t num_cts = inexact(p.call_jaxpr.output_avals()).size();
  // Residuals keep the axes that they come with; those of a function, of which nothing is known, come in front.
  Bdims fwd_places(n, 0), bwd_bdims(bdims.first(captures)), bwd_places, jvp_bdims(bdims);
  if (p.fwd.is_program()) {
    const Bdims after = transforms::batch_jaxpr(p.fwd.program(), bdims, axis)->out_bdims;
    fwd_places.append(after.begin() + static_cast<std::ptrdiff_t>(n), after.end());
    bwd_bdims.append(after.begin() + static_cast<std::ptrdiff_t>(n), after.end());
  }
  for (std::size_t i = 0; i < num_cts; ++i) bwd_bdims.push_back(0);
  for (std::size_t i = captures; i < call.args.size(); ++i) {
    if (!is_inexact(call.args[i].dtype())) continue;
    bwd_places.push_back(place_of_cotangent(bdims[i]));
    jvp_bdims.push_back(bdims[i]);
  }
  CustomVjpCallParams batched{p.name, batched_program(p.call_jaxpr, bdims, axis, {}),
                              batched_rule(p.fwd, bdims, axis, fwd_places),
                              batched_rule(p.bwd, bwd_bdims, axis, bwd_places, captures), ir::Rule()};
  if (p.jvp) batched.jvp = batched_rule(p.jvp, jvp_bdims, axis, {});
  bind(call.op, ir::make_params(std::move(batched)), call.args, outs);
  out_bdims.assign(outs.size(), 0);
}

// ---- custom_vjp_tangent ----

// The parts of the operands.
struct Parts {
  std::size_t captures, residuals, args;

  explicit Parts(const CustomVjpTangentParams& p)
      : captures(static_cast<std::size_t>(p.num_captures)),
        residuals(static_cast<std::size_t>(p.num_residuals)),
        args(static_cast<std::size_t>(p.num_args)) {}
  std::size_t first_tangent() const { return captures + residuals + args; }
  template <class T>
  std::span<T> tangents(std::span<T> all) const {
    return all.subspan(first_tangent());
  }
  // Operands of bwd before the cotangents, and all of jvp's.
  template <class List, class T>
  List of_bwd(std::span<T> all) const {
    return List(all.first(captures + residuals));
  }
  template <class List, class T>
  List of_jvp(std::span<T> all) const {
    List r(all.first(captures));
    r.append(all.begin() + static_cast<std::ptrdiff_t>(captures + residuals), all.end());
    return r;
  }
};

void infer_tangent(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const std::string_view op = "custom_vjp_tangent";
  const auto& p = ir::params_as<CustomVjpTangentParams>(params);
  std::int64_t left = static_cast<std::int64_t>(in.size());
  for (const std::int64_t n : {p.num_captures, p.num_residuals, p.num_args}) {
    if (n < 0 || n > left)
      throw ValueError("custom_vjp_tangent: num_captures, num_residuals and num_args must count operands; got " +
                       std::to_string(n) + " of " + std::to_string(left) + ".");
    left -= n;
  }
  if (!p.bwd) throw ValueError("custom_vjp_tangent: there must be a bwd rule; got none.");
  const Parts parts(p);
  const Avals tangents(parts.tangents(in));
  const Avals results(std::span<const Aval>(p.result_types));
  if (inexact(tangents).size() != tangents.size() || inexact(results).size() != results.size())
    throw DTypeError("custom_vjp_tangent: tangents must be float or complex; got another type.");
  check_rule(op, "the bwd rule", p.bwd, concatenated(parts.of_bwd<Avals>(in), results), tangents);
  check_rule(op, "the jvp rule", p.jvp, parts.of_jvp<Avals>(in), results);
  out.append(results.begin(), results.end());
}

void eval_tangent(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<CustomVjpTangentParams>(params);
  if (!p.jvp.is_program()) throw_forward(p.name);
  const Parts parts(p);
  std::vector<TensorView> operands(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(parts.captures));
  operands.insert(operands.end(), in.begin() + static_cast<std::ptrdiff_t>(parts.captures + parts.residuals), in.end());
  ir::interpret(p.jvp.program(), operands, out);
}

void jvp_tangent(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<CustomVjpTangentParams>();
  const Parts parts(p);
  const std::vector<bool> moved = defined(tangents.first(parts.first_tangent()));
  if (std::find(moved.begin(), moved.end(), true) == moved.end()) {
    // Linear in what moves, so its own derivative, which again need only be known by its transpose.
    bind(call.op, call.params, call.args, outs);
    Arrays operands(call.args.first(parts.first_tangent()));
    append_tangents_from(parts.first_tangent(), call.args, tangents, operands);
    bind(call.op, call.params, operands, out_tangents);
    return;
  }
  if (!p.jvp.is_program()) throw_forward(p.name);
  bind(call.op, call.params, call.args, outs);
  Arrays operands = parts.of_jvp<Arrays>(call.args), results;
  const Arrays directions = parts.of_jvp<Arrays>(tangents);
  const auto derived = transforms::jvp_jaxpr(p.jvp.program(), defined(directions));
  append_defined(directions, operands);
  eval_jaxpr(derived->jaxpr, operands, results);
  std::size_t next = outs.size();
  for (const bool has : derived->out_nonzero) out_tangents.push_back(has ? results[next++] : Array());
}

void transpose_tangent(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<CustomVjpTangentParams>();
  const Parts parts(p);
  for (std::size_t i = 0; i < parts.first_tangent(); ++i)
    internal_check(accums[i] == nullptr, "custom_vjp_tangent is linear in tangents only");
  Arrays operands = parts.of_bwd<Arrays>(call.args), results;
  for (std::size_t i = 0; i < cts.size(); ++i)
    operands.push_back(cts[i].defined() ? cts[i] : zeros_of(p.result_types[i]));
  apply_rule(kOp, "the bwd rule", p.name, p.bwd, operands, results, detail::UserRule::Pass::kBackward);
  for (std::size_t i = 0; i < results.size(); ++i)
    if (GradAccum* accum = accums[parts.first_tangent() + i]) accum->add(results[i]);
}

void batch_tangent(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                   Bdims& out_bdims) {
  const auto& p = call.params_as<CustomVjpTangentParams>();
  const Parts parts(p);
  Bdims bwd_bdims = parts.of_bwd<Bdims>(bdims), bwd_places;
  bwd_bdims.resize(bwd_bdims.size() + p.result_types.size());
  std::fill(bwd_bdims.end() - static_cast<std::ptrdiff_t>(p.result_types.size()), bwd_bdims.end(), 0);
  for (const int b : parts.tangents(bdims)) bwd_places.push_back(place_of_cotangent(b));
  CustomVjpTangentParams batched(p);
  for (Aval& a : batched.result_types) {
    Dims shape(a.shape());
    shape.insert(shape.begin(), axis.size);
    a = a.with_shape(shape);
  }
  batched.bwd = batched_rule(p.bwd, bwd_bdims, axis, bwd_places);
  if (p.jvp) batched.jvp = batched_rule(p.jvp, parts.of_jvp<Bdims>(bdims), axis, {});
  bind(call.op, ir::make_params(std::move(batched)), call.args, outs);
  out_bdims.assign(outs.size(), 0);
}

}  // namespace

Arrays lax::custom_vjp_call(const std::string& name, const ir::Jaxpr& program, const ir::Rule& fwd, const ir::Rule& bwd,
                            const ir::Rule& jvp, std::span<const Array> captures, std::span<const Array> xs,
                            SourceLocation loc) {
  const LocationScope scope(loc, kOp);
  Arrays operands(captures), outs;
  operands.append(xs.begin(), xs.end());
  bind(OpCode::kCustomVjpCall,
       ir::make_params(CustomVjpCallParams{name, ir::with_num_consts(program, captures.size()), fwd, bwd, jvp}),
       operands, outs);
  return outs;
}

Arrays lax::custom_vjp_tangent(const std::string& name, const std::vector<Aval>& result_types, const ir::Rule& bwd,
                               const ir::Rule& jvp, std::span<const Array> captures, std::span<const Array> residuals,
                               std::span<const Array> xs, std::span<const Array> tangents, SourceLocation loc) {
  const LocationScope scope(loc, kOp);
  Arrays operands(captures), outs;
  for (const auto part : {residuals, xs, tangents}) operands.append(part.begin(), part.end());
  bind(OpCode::kCustomVjpTangent,
       ir::make_params(CustomVjpTangentParams{name, static_cast<std::int64_t>(captures.size()),
                                              static_cast<std::int64_t>(residuals.size()),
                                              static_cast<std::int64_t>(xs.size()), result_types, bwd, jvp}),
       operands, outs);
  return outs;
}

const ir::OpInfo op_infos::custom_vjp_call{.operands = ir::takes_at_least(0),
                                           .parse = ir::parse_params<CustomVjpCallParams>,
                                           .infer = infer_custom_vjp,
                                           .eval = eval_custom_vjp,
                                           .storage_types = true,
                                           .has_effects = has_effects_custom_vjp};
const OpRules op_rule_table::custom_vjp_call{.jvp = jvp_custom_vjp,
                                             .transpose = transpose_custom_vjp,
                                             .batch = batch_custom_vjp,
                                             .factors = factors_replicated,
                                             .linearize = linearize_custom_vjp};

const ir::OpInfo op_infos::custom_vjp_tangent{.operands = ir::takes_at_least(0),
                                              .parse = ir::parse_params<CustomVjpTangentParams>,
                                              .infer = infer_tangent,
                                              .eval = eval_tangent,
                                              .storage_types = true};
const OpRules op_rule_table::custom_vjp_tangent{
    .jvp = jvp_tangent, .transpose = transpose_tangent, .batch = batch_tangent, .factors = factors_replicated};

}  // namespace weft
