// Collectives: each process brings its operands to a meeting of its group (core/process_grid.h), reads what the others
// brought, and computes its own results from that.
#include "weft/ops/collectives.h"

#include "weft/ops/common.h"
#include "weft/ops/process_groups.h"
#include "weft/ops/regions.h"

namespace weft {

using namespace ops;

namespace {

using processes::Contribution;

bool always(const ParamsBase*) { return true; }

// ---- pieces of arrays ----

// An axis seen as [outer, size, inner] bytes.
struct Axis {
  std::int64_t outer, size, inner;
};
Axis axis_of(Aval a, std::int64_t axis) {
  const auto d = static_cast<std::size_t>(axis);
  return {product(a.shape().first(d)), a.shape(d), product(a.shape().subspan(d + 1)) * byte_size(a.dtype())};
}

// Copies `count` positions of an axis of `from`, from `begin` on, to `at` in an axis of `to` of equal outer and inner
// sizes.
void copy_positions(const void* from, const Axis& a, std::int64_t begin, void* to, const Axis& b, std::int64_t at,
                    std::int64_t count) {
  const std::int64_t bytes = count * a.inner;
  if (bytes == 0) return;
  for (std::int64_t o = 0; o < a.outer; ++o)
    std::memcpy(static_cast<std::byte*>(to) + (o * b.size + at) * b.inner,
                static_cast<const std::byte*>(from) + (o * a.size + begin) * a.inner, static_cast<std::size_t>(bytes));
}

void fill_zero(const MutableTensorView& v) {
  if (v.size() > 0) std::memset(v.data, 0, static_cast<std::size_t>(v.aval.bytes()));
}
void copy_all(const TensorView& from, const MutableTensorView& to) {
  if (to.size() > 0) std::memcpy(to.data, from.data, static_cast<std::size_t>(to.aval.bytes()));
}

// ---- reductions ----

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

// ---- rules that all share ----

// Linear in all operands together, each on its own: those that have a tangent make the same journey.
void jvp_each(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  Arrays some, results;
  for (const Array& t : tangents)
    if (t.defined()) some.push_back(t);
  bind(call.op, call.params, some, results);
  for (std::size_t i = 0, j = 0; i < tangents.size(); ++i)
    out_tangents.push_back(tangents[i].defined() ? results[j++] : Array());
}

// The adjoint is `op` with `params`.
void transpose_each(OpCode op, const ir::Params& params, std::span<const Array> cts,
                    std::span<GradAccum* const> accums) {
  Arrays some, results;
  for (const Array& ct : cts)
    if (ct.defined()) some.push_back(ct);
  bind(op, params, some, results);
  for (std::size_t i = 0, j = 0; i < cts.size(); ++i) {
    if (!cts[i].defined()) continue;
    if (accums[i]) accums[i]->add(results[j]);
    ++j;
  }
}

// The mapped axis is one like any other, wherever it is.
void batch_anywhere(const Call& call, std::span<const int> bdims, std::int64_t, Arrays& outs, Bdims& out_bdims) {
  bind(call.op, call.params, call.args, outs);
  out_bdims = Bdims(bdims);
}

// In front, so that all axes of the parameters are one further.
void batch_in_front(const Call& call, const ir::Params& params, std::span<const int> bdims, std::int64_t size,
                    Arrays& outs, Bdims& out_bdims) {
  Arrays operands;
  for (std::size_t i = 0; i < bdims.size(); ++i) operands.push_back(bdim_to_front(call.args[i], bdims[i], size));
  bind(call.op, params, operands, outs);
  out_bdims.assign(outs.size(), 0);
}

// ---- all_gather: y = concatenate(x of the group) ----

void infer_all_gather(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<AllGatherParams>(params);
  check_groups(OpCode::kAllGather, p.groups);
  const std::int64_t n = static_group_size(OpCode::kAllGather, p.groups, p.group_size);
  for (const Aval x : in) {
    check_axes("all_gather", Dims{p.all_gather_dim}, x.ndim());
    Dims shape(x.shape());
    std::int64_t& size = shape[static_cast<std::size_t>(p.all_gather_dim)];
    if (__builtin_mul_overflow(size, n, &size))
      throw ShapeError("all_gather: the result must be of a size below 2^62; got " + std::to_string(n) + " times " +
                       x.str() + ".");
    out.push_back(x.with_shape(shape));
  }
}

void eval_all_gather(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<AllGatherParams>(params);
  const Members group = my_group_of(OpCode::kAllGather, p.groups, ids_across(p.groups),
                                    static_group_size(OpCode::kAllGather, p.groups, p.group_size));
  processes::exchange(
      meeting_name(OpCode::kAllGather, p.groups.channel_id, in), group, in, [&](std::span<const Contribution> all) {
        for (std::size_t k = 0; k < in.size(); ++k) {
          const Axis from = axis_of(in[k].aval, p.all_gather_dim), to = axis_of(out[k].aval, p.all_gather_dim);
          for (std::size_t i = 0; i < all.size(); ++i)
            copy_positions(all[i][k].data, from, 0, out[k].data, to, static_cast<std::int64_t>(i) * from.size,
                           from.size);
        }
      });
}

void transpose_all_gather(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<AllGatherParams>();
  const std::int64_t n = static_group_size(call.op, p.groups, p.group_size);
  const ir::Params adjoint = ir::make_params(ReduceScatterParams{ReduceKind::kSum, p.all_gather_dim, p.groups, {}, n});
  for (std::size_t i = 0; i < cts.size(); ++i)
    if (cts[i].defined() && accums[i]) accums[i]->add(bind1(OpCode::kReduceScatter, adjoint, {cts[i]}));
}

void batch_all_gather(const Call& call, std::span<const int> bdims, std::int64_t size, Arrays& outs, Bdims& out_bdims) {
  AllGatherParams p = call.params_as<AllGatherParams>();
  ++p.all_gather_dim;
  batch_in_front(call, ir::make_params(p), bdims, size, outs, out_bdims);
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
                        const Axis whole = axis_of(in[0].aval, p.scatter_dimension);
                        const Aval part = out[0].aval.with_dtype(in[0].dtype());
                        const Axis mine = axis_of(part, p.scatter_dimension);
                        std::vector<std::vector<std::byte>> memory;
                        std::vector<TensorView> parts;
                        std::vector<Contribution> contributions;
                        for (const Contribution& c : all) {
                          memory.emplace_back(static_cast<std::size_t>(part.bytes()));
                          copy_positions(c[0].data, whole, static_cast<std::int64_t>(place_in(group)) * mine.size,
                                         memory.back().data(), mine, 0, mine.size);
                          parts.push_back({part, memory.back().data()});
                        }
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

void batch_reduce_scatter(const Call& call, std::span<const int> bdims, std::int64_t size, Arrays& outs,
                          Bdims& out_bdims) {
  ReduceScatterParams p = call.params_as<ReduceScatterParams>();
  ++p.scatter_dimension;
  batch_in_front(call, ir::make_params(p), bdims, size, outs, out_bdims);
}

// ---- all_to_all: part i of x goes to the i-th process of the group ----

void infer_all_to_all(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<AllToAllParams>(params);
  check_groups(OpCode::kAllToAll, p.groups);
  if (p.split_count < 1)
    throw ValueError("all_to_all: split_count must be positive; got " + std::to_string(p.split_count) + ".");
  for (const Aval x : in) {
    check_axes("all_to_all", Dims{p.split_dimension}, x.ndim());
    check_axes("all_to_all", Dims{p.concat_dimension}, x.ndim());
    Dims shape(x.shape());
    std::int64_t& split = shape[static_cast<std::size_t>(p.split_dimension)];
    if (split % p.split_count != 0)
      throw ShapeError("all_to_all: the split axis must divide into split_count parts; got axis " +
                       std::to_string(p.split_dimension) + " of " + x.str() + " for " + std::to_string(p.split_count) +
                       ".");
    split /= p.split_count;
    std::int64_t& concat = shape[static_cast<std::size_t>(p.concat_dimension)];
    if (__builtin_mul_overflow(concat, p.split_count, &concat))
      throw ShapeError("all_to_all: the result must be of a size below 2^62; got " + std::to_string(p.split_count) +
                       " times axis " + std::to_string(p.concat_dimension) + " of " + x.str() + ".");
    out.push_back(x.with_shape(shape));
  }
}

void eval_all_to_all(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<AllToAllParams>(params);
  const Members group = my_group_of(OpCode::kAllToAll, p.groups, ids_along(p.groups.channel_id), p.split_count);
  processes::exchange(
      meeting_name(OpCode::kAllToAll, p.groups.channel_id, in), group, in, [&](std::span<const Contribution> all) {
        const auto me = static_cast<std::int64_t>(place_in(group));
        for (std::size_t k = 0; k < in.size(); ++k) {
          // What one process sends to another: x cut along the split axis, before it is joined.
          const Aval x = in[k].aval;
          Dims shape(x.shape());
          shape[static_cast<std::size_t>(p.split_dimension)] /= p.split_count;
          const Aval part = x.with_shape(shape);
          std::vector<std::byte> memory(static_cast<std::size_t>(part.bytes()));
          const Axis whole = axis_of(x, p.split_dimension), cut = axis_of(part, p.split_dimension);
          const Axis piece = axis_of(part, p.concat_dimension), joined = axis_of(out[k].aval, p.concat_dimension);
          for (std::size_t i = 0; i < all.size(); ++i) {
            copy_positions(all[i][k].data, whole, me * cut.size, memory.data(), cut, 0, cut.size);
            copy_positions(memory.data(), piece, 0, out[k].data, joined, static_cast<std::int64_t>(i) * piece.size,
                           piece.size);
          }
        }
      });
}

void transpose_all_to_all(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  AllToAllParams p = call.params_as<AllToAllParams>();
  std::swap(p.split_dimension, p.concat_dimension);
  transpose_each(call.op, ir::make_params(p), cts, accums);
}

void batch_all_to_all(const Call& call, std::span<const int> bdims, std::int64_t size, Arrays& outs, Bdims& out_bdims) {
  AllToAllParams p = call.params_as<AllToAllParams>();
  ++p.split_dimension;
  ++p.concat_dimension;
  batch_in_front(call, ir::make_params(p), bdims, size, outs, out_bdims);
}

// ---- collective_broadcast: y = x of the group's first process ----

void infer_collective_broadcast(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  check_groups(OpCode::kCollectiveBroadcast, ir::params_as<CollectiveBroadcastParams>(params).groups);
  out.push_back(in[0]);
}

void eval_collective_broadcast(const ParamsBase* params, std::span<const TensorView> in,
                               std::span<const MutableTensorView> out) {
  const ProcessGroups& g = ir::params_as<CollectiveBroadcastParams>(params).groups;
  const Members group = my_group(OpCode::kCollectiveBroadcast, g, ids_along(g.channel_id));
  if (group.empty()) return fill_zero(out[0]);
  processes::exchange(meeting_name(OpCode::kCollectiveBroadcast, g.channel_id, in), group, in,
                      [&](std::span<const Contribution> all) { copy_all(all[0][0], out[0]); });
}

void transpose_collective_broadcast(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const ProcessGroups& g = call.params_as<CollectiveBroadcastParams>().groups;
  transpose_each(OpCode::kCollectiveReduce, ir::make_params(AllReduceParams{ReduceKind::kSum, g, {}}), cts, accums);
}

// ---- collective_permute: y = x of this process's source ----

void infer_collective_permute(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  check_pairs(OpCode::kCollectivePermute, ir::params_as<CollectivePermuteParams>(params).source_target_pairs);
  out.push_back(in[0]);
}

void eval_collective_permute(const ParamsBase* params, std::span<const TensorView> in,
                             std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<CollectivePermuteParams>(params);
  const ProcessId me = processes::current();
  fill_zero(out[0]);
  // Pair by pair: all processes meet in the order of the list, so nobody waits in a circle.
  for (const Dims& ids : p.source_target_pairs) {
    const Members pair = members_of(OpCode::kCollectivePermute, ids, ids_along(p.channel_id));
    if (me != pair[0] && me != pair[1]) continue;
    const Members group = pair[0] == pair[1] ? Members{me} : pair;
    processes::exchange(meeting_name(OpCode::kCollectivePermute, p.channel_id, in), group, in,
                        [&](std::span<const Contribution> all) {
                          if (me == pair[1]) copy_all(all[0][0], out[0]);
                        });
  }
}

void transpose_collective_permute(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  CollectivePermuteParams p = call.params_as<CollectivePermuteParams>();
  for (Dims& pair : p.source_target_pairs) std::swap(pair[0], pair[1]);
  transpose_each(call.op, ir::make_params(p), cts, accums);
}

// ---- partition_id, replica_id ----

void infer_id(const ParamsBase*, std::span<const Aval>, Avals& out) { out.push_back(Aval(u32, {})); }

template <std::int64_t ProcessId::* kMember>
void eval_id(const ParamsBase*, std::span<const TensorView>, std::span<const MutableTensorView> out) {
  *out[0].as<std::uint32_t>() = static_cast<std::uint32_t>(processes::current().*kMember);
}

// Nothing to map.
void batch_id(const Call& call, std::span<const int>, std::int64_t, Arrays& outs, Bdims& out_bdims) {
  bind(call.op, call.params, call.args, outs);
  out_bdims.push_back(kUnmapped);
}

}  // namespace

Arrays lax::all_gather(std::span<const Array> xs, int dimension, const ProcessGroups& groups, std::int64_t group_size,
                       SourceLocation loc) {
  const LocationScope scope(loc, "all_gather");
  Arrays outs;
  const std::int64_t axis = xs.empty() ? dimension : normal_axis("all_gather", dimension, xs[0].aval());
  bind(OpCode::kAllGather, ir::make_params(AllGatherParams{axis, groups, group_size}), xs, outs);
  return outs;
}
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
Arrays lax::all_to_all(std::span<const Array> xs, int split_dimension, int concat_dimension, std::int64_t split_count,
                       const ProcessGroups& groups, SourceLocation loc) {
  const LocationScope scope(loc, "all_to_all");
  AllToAllParams p{split_dimension, concat_dimension, split_count, groups};
  if (!xs.empty()) {
    p.split_dimension = normal_axis("all_to_all", split_dimension, xs[0].aval());
    p.concat_dimension = normal_axis("all_to_all", concat_dimension, xs[0].aval());
  }
  Arrays outs;
  bind(OpCode::kAllToAll, ir::make_params(p), xs, outs);
  return outs;
}
Array lax::collective_broadcast(const Arg& x, const ProcessGroups& groups) {
  const LocationScope scope(x.location(), "collective_broadcast");
  return bind1(OpCode::kCollectiveBroadcast, ir::make_params(CollectiveBroadcastParams{groups}), {x.array()});
}
Array lax::collective_permute(const Arg& x, std::span<const Dims> source_target_pairs, std::int64_t channel_id) {
  const LocationScope scope(x.location(), "collective_permute");
  const CollectivePermuteParams p{{source_target_pairs.begin(), source_target_pairs.end()}, channel_id};
  return bind1(OpCode::kCollectivePermute, ir::make_params(p), {x.array()});
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
Array lax::partition_id(SourceLocation loc) {
  const LocationScope scope(loc, "partition_id");
  return bind1(OpCode::kPartitionId, {});
}
Array lax::replica_id(SourceLocation loc) {
  const LocationScope scope(loc, "replica_id");
  return bind1(OpCode::kReplicaId, {});
}

const ir::OpInfo op_infos::all_gather{.operands = ir::takes_at_least(1),
                                      .parse = ir::parse_params<AllGatherParams>,
                                      .infer = infer_all_gather,
                                      .eval = eval_all_gather,
                                      .storage_types = true,
                                      .has_effects = always};
const OpRules op_rule_table::all_gather{
    .jvp = jvp_each, .transpose = transpose_all_gather, .batch = batch_all_gather, .factors = factors_replicated};

const ir::OpInfo op_infos::all_reduce{.operands = ir::takes_at_least(1),
                                      .parse = ir::parse_params<AllReduceParams>,
                                      .infer = infer_all_reduce<OpCode::kAllReduce>,
                                      .eval = eval_all_reduce,
                                      .storage_types = true,
                                      .has_effects = always};
const OpRules op_rule_table::all_reduce{
    .jvp = jvp_all_reduce, .transpose = transpose_all_reduce, .batch = batch_anywhere, .factors = factors_replicated};

const ir::OpInfo op_infos::all_to_all{.operands = ir::takes_at_least(1),
                                      .parse = ir::parse_params<AllToAllParams>,
                                      .infer = infer_all_to_all,
                                      .eval = eval_all_to_all,
                                      .storage_types = true,
                                      .has_effects = always};
const OpRules op_rule_table::all_to_all{
    .jvp = jvp_each, .transpose = transpose_all_to_all, .batch = batch_all_to_all, .factors = factors_replicated};

const ir::OpInfo op_infos::collective_broadcast{.parse = ir::parse_params<CollectiveBroadcastParams>,
                                                .infer = infer_collective_broadcast,
                                                .eval = eval_collective_broadcast,
                                                .storage_types = true,
                                                .has_effects = always};
const OpRules op_rule_table::collective_broadcast{.jvp = jvp_linear,
                                                  .transpose = transpose_collective_broadcast,
                                                  .batch = batch_anywhere,
                                                  .factors = factors_replicated};

const ir::OpInfo op_infos::collective_permute{.parse = ir::parse_params<CollectivePermuteParams>,
                                              .infer = infer_collective_permute,
                                              .eval = eval_collective_permute,
                                              .storage_types = true,
                                              .has_effects = always};
const OpRules op_rule_table::collective_permute{.jvp = jvp_linear,
                                                .transpose = transpose_collective_permute,
                                                .batch = batch_anywhere,
                                                .factors = factors_replicated};

const ir::OpInfo op_infos::collective_reduce{.parse = ir::parse_params<AllReduceParams>,
                                             .infer = infer_all_reduce<OpCode::kCollectiveReduce>,
                                             .eval = eval_collective_reduce,
                                             .storage_types = true,
                                             .has_effects = always};
const OpRules op_rule_table::collective_reduce{.jvp = jvp_all_reduce,
                                               .transpose = transpose_collective_reduce,
                                               .batch = batch_anywhere,
                                               .factors = factors_replicated};

const ir::OpInfo op_infos::reduce_scatter{.parse = ir::parse_params<ReduceScatterParams>,
                                          .infer = infer_reduce_scatter,
                                          .eval = eval_reduce_scatter,
                                          .storage_types = true,
                                          .has_effects = always};
const OpRules op_rule_table::reduce_scatter{.jvp = jvp_reduce_scatter,
                                            .transpose = transpose_reduce_scatter,
                                            .batch = batch_reduce_scatter,
                                            .factors = factors_replicated};

const ir::OpInfo op_infos::partition_id{
    .operands = ir::takes(0), .infer = infer_id, .eval = eval_id<&ProcessId::partition>};
const OpRules op_rule_table::partition_id{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_id, .factors = factors_replicated};

const ir::OpInfo op_infos::replica_id{
    .operands = ir::takes(0), .infer = infer_id, .eval = eval_id<&ProcessId::replica>};
const OpRules op_rule_table::replica_id{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_id, .factors = factors_replicated};

}  // namespace weft
