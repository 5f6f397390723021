// Collectives that reduce over processes: all_reduce, collective_reduce and reduce_scatter, by a kind that Weft has a
// name for or by a computation on scalars.
#include "weft/ops/collective_axis.h"
#include "weft/ops/collective_rules.h"
#include "weft/ops/collectives.h"
#include "weft/ops/regions.h"

namespace weft {

using namespace ops;

namespace {

using processes::Contribution;

// ---- computations ----

using Computation = std::optional<ir::Jaxpr>;

OpCode binary_of(ReduceKind kind) {
  switch (kind) {
    case ReduceKind::kSum: return OpCode::kAdd;
    case ReduceKind::kProd: return OpCode::kMultiply;
    case ReduceKind::kMax: return OpCode::kMaximum;
    case ReduceKind::kMin: return OpCode::kMinimum;
    case ReduceKind::kAnd: return OpCode::kAnd;
    case ReduceKind::kOr: return OpCode::kOr;
    case ReduceKind::kXor: return OpCode::kXor;
  }
  throw InternalError("all_reduce: an unknown kind");
}

// The one elementwise operation on both inputs that a computation may consist of.
std::optional<OpCode> single_operation(const ir::Jaxpr& c) {
  if (c.eqns().size() != 1 || c.outputs().size() != 1 || c.outputs()[0] != ir::Atom::var(2)) return {};
  const ir::Eqn& e = c.eqns()[0];
  const auto in = c.operands(e);
  if (!ir::op_info(e.op).elementwise || e.params || in.size() != 2) return {};
  if (in[0] != ir::Atom::var(0) || in[1] != ir::Atom::var(1)) return {};
  return e.op;
}
std::optional<OpCode> single_operation(ReduceKind kind, const Computation& computation) {
  return computation ? single_operation(*computation) : binary_of(kind);
}

// The type of x after the reduction.
Aval reduced_type(OpCode op, ReduceKind kind, const Computation& computation, Aval x) {
  if (computation) {
    num_captures(ir::op_name(op), "the computation", *computation, {});
    return x.with_dtype(check_computation(ir::op_name(op), *computation, {}, {&x, 1})[0]);
  }
  Avals unused;
  ir::infer(binary_of(kind), nullptr, Avals{x, x}, unused);
  return x;
}

// to = x_0 o x_1 o ..., from the left, of operand `k` of everybody.
void reduce_contributions(ReduceKind kind, const Computation& computation, std::span<const Contribution> all,
                          std::size_t k, const MutableTensorView& to) {
  const DType t = to.dtype();
  const auto single = single_operation(kind, computation);
  std::vector<std::byte> so_far(static_cast<std::size_t>(to.aval.bytes()));
  for (std::size_t p = 0; p < all.size(); ++p) {
    const InDType x(all[p][k], t);
    const TensorView view{to.aval, x.at(0)};
    if (p == 0) {
      copy_all(view, to);
    } else if (single) {
      std::memcpy(so_far.data(), to.data, so_far.size());
      const TensorView in[] = {{to.aval, so_far.data()}, view};
      ir::evaluate(*single, nullptr, std::span(in), std::span(&to, 1));
    } else {
      const ir::BorrowedInterpreter program(*computation);
      const std::int64_t size = byte_size(t);
      for (std::int64_t i = 0; i < to.size(); ++i) {
        std::byte* y = static_cast<std::byte*>(to.data) + i * size;
        program->set_input(0, y);
        program->set_input(1, x.at(i));
        program->run();
        std::memcpy(y, program->output(0), static_cast<std::size_t>(size));
      }
    }
  }
}

// Refuses derivatives of reductions that are not linear and that no rule is known for.
[[noreturn]] void throw_not_linear(OpCode op) {
  throw NotDifferentiableError(std::string(ir::op_name(op)) +
                                   ": only sums, maxima and minima over processes have derivatives; got another "
                                   "reduction.",
                               "all_gather the values and reduce them with the rules of the computation itself.");
}

// ---- all_reduce: y = x_0 o x_1 o ... over the group; collective_reduce: the same for its first process ----

template <OpCode kOp>
void infer_all_reduce(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<AllReduceParams>(params);
  check_groups(kOp, p.groups);
  for (const Aval x : in) out.push_back(reduced_type(kOp, p.kind, p.computation, x));
}

void eval_all_reduce(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<AllReduceParams>(params);
  const Members group = my_group_of(OpCode::kAllReduce, p.groups, ids_across(p.groups), 0);
  processes::exchange(meeting_name(OpCode::kAllReduce, p.groups.channel_id, in), group, in,
                      [&](std::span<const Contribution> all) {
                        for (std::size_t k = 0; k < out.size(); ++k)
                          reduce_contributions(p.kind, p.computation, all, k, out[k]);
                      });
}

void eval_collective_reduce(const ParamsBase* params, std::span<const TensorView> in,
                            std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<AllReduceParams>(params);
  const Members group = my_group(OpCode::kCollectiveReduce, p.groups, ids_along(p.groups.channel_id));
  if (group.empty()) return fill_zero(out[0]);
  processes::exchange(meeting_name(OpCode::kCollectiveReduce, p.groups.channel_id, in), group, in,
                      [&](std::span<const Contribution> all) {
                        if (place_in(group) == 0)
                          reduce_contributions(p.kind, p.computation, all, 0, out[0]);
                        else
                          fill_zero(out[0]);
                      });
}

// The operands in the dtype of the results, which a computation may widen.
Arrays widened(const Call& call, std::span<const Array> xs, const Arrays& outs) {
  Arrays r;
  for (std::size_t i = 0; i < xs.size(); ++i)
    r.push_back(xs[i].defined() ? lax::convert(xs[i], outs[i].dtype()) : Array());
  internal_check(r.size() == call.args.size(), "all_reduce: one tangent per operand");
  return r;
}

void jvp_all_reduce(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<AllReduceParams>();
  const auto single = single_operation(p.kind, p.computation);
  const bool sum = single == OpCode::kAdd, extreme = single == OpCode::kMaximum || single == OpCode::kMinimum;
  if (!sum && (!extreme || call.op != OpCode::kAllReduce)) throw_not_linear(call.op);
  bind(call.op, call.params, call.args, outs);
  const ir::Params sums = ir::make_params(AllReduceParams{ReduceKind::kSum, p.groups, {}});
  const Arrays ts = widened(call, tangents, outs), xs = extreme ? widened(call, call.args, outs) : Arrays();
  for (std::size_t i = 0; i < ts.size(); ++i) {
    if (!ts[i].defined()) {
      out_tangents.push_back(Array());
    } else if (sum) {
      out_tangents.push_back(bind1(call.op, sums, {ts[i]}));
    } else {
      // The tangents of the processes that attain it, averaged over ties.
      const Array hit = lax::convert(lax::eq(xs[i], outs[i]), outs[i].dtype());
      const Array count = bind1(call.op, sums, {hit}), t = bind1(call.op, sums, {lax::multiply(ts[i], hit)});
      out_tangents.push_back(lax::divide(t, count));
    }
  }
}

void transpose_all_reduce(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<AllReduceParams>();
  internal_check(single_operation(p.kind, p.computation) == OpCode::kAdd, "all_reduce: only sums are linear");
  transpose_each(call.op, call.params, cts, accums);
}

void transpose_collective_reduce(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<AllReduceParams>();
  transpose_each(OpCode::kCollectiveBroadcast, ir::make_params(CollectiveBroadcastParams{p.groups}), cts, accums);
}

// ---- reduce_scatter: part i of all_reduce(x) for the i-th process of the group ----

void infer_reduce_scatter(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<ReduceScatterParams>(params);
  check_groups(OpCode::kReduceScatter, p.groups);
  check_axes("reduce_scatter", Dims{p.scatter_dimension}, in[0].ndim());
  const std::int64_t n = static_group_size(OpCode::kReduceScatter, p.groups, p.group_size);
  const Aval y = reduced_type(OpCode::kReduceScatter, p.kind, p.computation, in[0]);
  Dims shape(y.shape());
  std::int64_t& size = shape[static_cast<std::size_t>(p.scatter_dimension)];
  if (size % n != 0)
    throw ShapeError("reduce_scatter: the axis must divide into one part per process; got axis " +
                     std::to_string(p.scatter_dimension) + " of " + in[0].str() + " for " + std::to_string(n) +
                     " processes.");
  size /= n;
  out.push_back(y.with_shape(shape));
}

void eval_reduce_scatter(const ParamsBase* params, std::span<const TensorView> in,
                         std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<ReduceScatterParams>(params);
  const Members group = my_group_of(OpCode::kReduceScatter, p.groups, ids_across(p.groups),
                                    static_group_size(OpCode::kReduceScatter, p.groups, p.group_size));
  processes::exchange(meeting_name(OpCode::kReduceScatter, p.groups.channel_id, in), group, in,
                      [&](std::span<const Contribution> all) {
                        // Only this process's part is reduced.
                        const AxisBytes whole = axis_of(in[0].aval, p.scatter_dimension);
                        const Aval part = out[0].aval.with_dtype(in[0].dtype());
                        const AxisBytes mine = axis_of(part, p.scatter_dimension);
                        std::vector<std::vector<std::byte>> memory;
                        std::vector<TensorView> parts;
                        std::vector<Contribution> contributions;
                        for (const Contribution& c : all) {
                          memory.emplace_back(static_cast<std::size_t>(part.bytes()));
                          copy_positions(c[0].data, whole, static_cast<std::int64_t>(place_in(group)) * mine.size,
                                         memory.back().data(), mine, 0, mine.size);
                          parts.push_back({part, memory.back().data()});
                        }
                        contributions.reserve(parts.size());
                        for (const TensorView& v : parts) contributions.push_back({&v, 1});
                        reduce_contributions(p.kind, p.computation, contributions, 0, out[0]);
                      });
}

void jvp_reduce_scatter(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<ReduceScatterParams>();
  if (single_operation(p.kind, p.computation) != OpCode::kAdd) throw_not_linear(call.op);
  bind(call.op, call.params, call.args, outs);
  const ReduceScatterParams sum{ReduceKind::kSum, p.scatter_dimension, p.groups, {}, p.group_size};
  out_tangents.push_back(bind1(call.op, ir::make_params(sum), {lax::convert(tangents[0], outs[0].dtype())}));
}

void transpose_reduce_scatter(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<ReduceScatterParams>();
  const std::int64_t n = static_group_size(call.op, p.groups, p.group_size);
  accums[0]->add(
      bind1(OpCode::kAllGather, ir::make_params(AllGatherParams{p.scatter_dimension, p.groups, n}), {cts[0]}));
}

void batch_reduce_scatter(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                          Bdims& out_bdims) {
  ReduceScatterParams p = call.params_as<ReduceScatterParams>();
  ++p.scatter_dimension;
  batch_in_front(call, ir::make_params(p), bdims, axis, outs, out_bdims);
}

}  // namespace

Arrays lax::all_reduce(std::span<const Array> xs, ReduceKind kind, const ProcessGroups& groups, SourceLocation loc) {
  const LocationScope scope(loc, "all_reduce");
  Arrays outs;
  bind(OpCode::kAllReduce, ir::make_params(AllReduceParams{kind, groups, {}}), xs, outs);
  return outs;
}
Arrays lax::all_reduce(std::span<const Array> xs, const ir::Jaxpr& computation, const ProcessGroups& groups,
                       SourceLocation loc) {
  const LocationScope scope(loc, "all_reduce");
  Arrays outs;
  bind(OpCode::kAllReduce, ir::make_params(AllReduceParams{ReduceKind::kSum, groups, computation}), xs, outs);
  return outs;
}
Array lax::collective_reduce(const Arg& x, ReduceKind kind, const ProcessGroups& groups) {
  const LocationScope scope(x.location(), "collective_reduce");
  return bind1(OpCode::kCollectiveReduce, ir::make_params(AllReduceParams{kind, groups, {}}), {x.array()});
}
Array lax::reduce_scatter(const Arg& x, ReduceKind kind, int dimension, const ProcessGroups& groups,
                          std::int64_t group_size) {
  const LocationScope scope(x.location(), "reduce_scatter");
  const Array a = x.array();
  const ReduceScatterParams p{kind, normal_axis("reduce_scatter", dimension, a.aval()), groups, {}, group_size};
  return bind1(OpCode::kReduceScatter, ir::make_params(p), {a});
}

const ir::OpInfo op_infos::all_reduce{.operands = ir::takes_at_least(1),
                                      .parse = ir::parse_params<AllReduceParams>,
                                      .infer = infer_all_reduce<OpCode::kAllReduce>,
                                      .eval = eval_all_reduce,
                                      .storage_types = true,
                                      .has_effects = meets_processes<AllReduceParams>};
const OpRules op_rule_table::all_reduce{.jvp = jvp_all_reduce,
                                        .transpose = transpose_all_reduce,
                                        .batch = batch_anywhere,
                                        .collective = all_reduce_over_axis,
                                        .factors = factors_replicated};

const ir::OpInfo op_infos::collective_reduce{.parse = ir::parse_params<AllReduceParams>,
                                             .infer = infer_all_reduce<OpCode::kCollectiveReduce>,
                                             .eval = eval_collective_reduce,
                                             .storage_types = true,
                                             .has_effects = meets_processes<AllReduceParams>};
const OpRules op_rule_table::collective_reduce{.jvp = jvp_all_reduce,
                                               .transpose = transpose_collective_reduce,
                                               .batch = batch_anywhere,
                                               .factors = factors_replicated};

const ir::OpInfo op_infos::reduce_scatter{.parse = ir::parse_params<ReduceScatterParams>,
                                          .infer = infer_reduce_scatter,
                                          .eval = eval_reduce_scatter,
                                          .storage_types = true,
                                          .has_effects = meets_processes<ReduceScatterParams>};
const OpRules op_rule_table::reduce_scatter{.jvp = jvp_reduce_scatter,
                                            .transpose = transpose_reduce_scatter,
                                            .batch = batch_reduce_scatter,
                                            .collective = reduce_scatter_over_axis,
                                            .factors = factors_replicated};

}  // namespace weft
