#include "weft/cpu/plan.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "weft/base/thread_pool.h"
#include "weft/core/evaluator.h"
#include "weft/cpu/kernels/cholesky.h"
#include "weft/cpu/kernels/elementwise.h"
#include "weft/cpu/kernels/layout.h"
#include "weft/cpu/kernels/matmul.h"
#include "weft/cpu/kernels/reduce.h"
#include "weft/cpu/kernels/threefry.h"
#include "weft/cpu/plan_indexing.h"
#include "weft/cpu/plan_window.h"
#include "weft/cpu/stored_part.h"
#include "weft/ir/contraction.h"
#include "weft/ir/elements.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/linalg.h"
#include "weft/ir/shape.h"

namespace weft::cpu {

namespace {

// The total order of integers and bool is the usual one; that of floats has no kernel.
std::optional<CompareOp> compare_op(ComparisonDirection d, DType t) {
  switch (is_inexact(t) ? d : usual_order(d)) {
    case ComparisonDirection::kEq: return CompareOp::kEq;
    case ComparisonDirection::kNe: return CompareOp::kNe;
    case ComparisonDirection::kGe: return CompareOp::kGe;
    case ComparisonDirection::kGt: return CompareOp::kGt;
    case ComparisonDirection::kLe: return CompareOp::kLe;
    case ComparisonDirection::kLt: return CompareOp::kLt;
    default: return std::nullopt;
  }
}

// The kernel's kind; bool sums and products are or and and.
ReduceOp reduce_op(ReduceKind kind, DType t) {
  switch (kind) {
    case ReduceKind::kSum: return t == boolean ? ReduceOp::kOr : ReduceOp::kSum;
    case ReduceKind::kProd: return t == boolean ? ReduceOp::kAnd : ReduceOp::kProd;
    case ReduceKind::kMax: return ReduceOp::kMax;
    case ReduceKind::kMin: return ReduceOp::kMin;
    case ReduceKind::kAnd: return ReduceOp::kAnd;
    case ReduceKind::kOr: return ReduceOp::kOr;
    case ReduceKind::kXor: return ReduceOp::kXor;
  }
  throw InternalError("reduce: unknown kind");
}

const ElementwiseKernel* elementwise_kernel(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in,
                                            std::span<const Aval> out) {
  switch (op) {
    case OpCode::kCompare: {
      const auto compare = compare_op(ir::params_as<CompareParams>(params).direction, in[0].dtype());
      return compare ? find_compare(*compare, in[0].dtype()) : nullptr;
    }
    case OpCode::kSelect: return find_select(in[1].dtype());
    case OpCode::kClamp: return find_clamp(in[1].dtype());
    case OpCode::kConvert: return find_convert(in[0].dtype(), out[0].dtype());
    default: break;
  }
  if (in.size() == 1) return find_unary(op, in[0].dtype());
  return in.size() == 2 ? find_binary(op, in[0].dtype()) : nullptr;
}

using DenseRun = std::function<void(const void* const* in, void* const* out)>;

// A window's start, read from 0-d integer operands and clamped so that the window fits.
Dims read_starts(std::span<const DType> types, const void* const* in, DimSpan shape, DimSpan window) {
  Dims starts;
  for (std::size_t i = 0; i < types.size(); ++i) {
    starts.push_back(std::clamp<std::int64_t>(integer_element(types[i], in[i]), 0, shape[i] - window[i]));
  }
  return starts;
}

SmallVector<DType, 6> dtypes(std::span<const Aval> avals) {
  SmallVector<DType, 6> r;
  for (const Aval a : avals) r.push_back(a.dtype());
  return r;
}

Dims sum(DimSpan a, DimSpan b) {
  Dims r;
  for (std::size_t i = 0; i < a.size(); ++i) r.push_back(a[i] + b[i]);
  return r;
}

// Kernels on dense operands; null when there is none.
DenseRun plan_dense(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  const std::int64_t element = out.empty() ? 0 : byte_size(out[0].dtype());
  switch (op) {
    case OpCode::kDotGeneral: {
      if (!can_matmul(in[0].dtype(), out[0].dtype())) return nullptr;
      const auto& p = ir::params_as<DotGeneralParams>(params);
      const DotDimensionNumbers& d = p.dimension_numbers;
      // Plans may take contracting axes in another order.
      if (p.ordered && d.lhs_contracting.size() != 1) return nullptr;
      DotPlan dot = plan_dot_general(in[0].dtype(), out[0].dtype(), in[0].shape(), in[1].shape(), d.lhs_batch,
                                     d.rhs_batch, d.lhs_contracting, d.rhs_contracting);
      dot.problem.ordered = p.ordered;
      return [lhs = in[0], rhs = in[1], dot](const void* const* x, void* const* y) {
        run_dot_general(dot, lhs.shape(), rhs.shape(), x[0], x[1], y[0]);
      };
    }
    case OpCode::kReduce: {
      const auto& p = ir::params_as<ReduceParams>(params);
      const ReduceOp kind = reduce_op(p.kind, in[0].dtype());
      if (!can_reduce(kind, in[0].dtype())) return nullptr;
      return [kind, aval = in[0], axes = p.axes](const void* const* x, void* const* y) {
        reduce(kind, aval.dtype(), aval.shape(), axes, x[0], y[0]);
      };
    }
    case OpCode::kArgmax:
    case OpCode::kArgmin: {
      const auto& p = ir::params_as<ArgReduceParams>(params);
      const bool index = p.index_dtype == i32 || p.index_dtype == i64 || p.index_dtype == u32 || p.index_dtype == u64;
      if (!index || !can_arg_reduce(in[0].dtype())) return nullptr;
      return [max = op == OpCode::kArgmax, aval = in[0], p](const void* const* x, void* const* y) {
        arg_reduce(max, aval.dtype(), p.index_dtype, aval.shape(), p.axis, x[0], y[0]);
      };
    }
    case OpCode::kTranspose:
      return [element, aval = in[0], p = ir::params_as<TransposeParams>(params)](const void* const* x, void* const* y) {
        transpose(element, aval.shape(), p.permutation, x[0], y[0]);
      };
    case OpCode::kReverse:
      return [element, aval = in[0], p = ir::params_as<ReverseParams>(params)](const void* const* x, void* const* y) {
        reverse(element, aval.shape(), p.dimensions, x[0], y[0]);
      };
    case OpCode::kSlice:
      return [element, aval = in[0], p = ir::params_as<SliceParams>(params)](const void* const* x, void* const* y) {
        slice(element, aval.shape(), p.start_indices, p.limit_indices, p.strides, x[0], y[0]);
      };
    case OpCode::kDynamicSlice:
      return [element, aval = in[0], window = out[0], types = dtypes(in.subspan(1))](const void* const* x,
                                                                                     void* const* y) {
        const Dims starts = read_starts(types, x + 1, aval.shape(), window.shape()), ones(starts.size(), 1);
        slice(element, aval.shape(), starts, sum(starts, window.shape()), ones, x[0], y[0]);
      };
    case OpCode::kDynamicUpdateSlice:
      return
          [element, aval = in[0], window = in[1], types = dtypes(in.subspan(2))](const void* const* x, void* const* y) {
            if (aval.size() > 0 && y[0] != x[0]) std::memcpy(y[0], x[0], static_cast<std::size_t>(aval.bytes()));
            const Dims starts = read_starts(types, x + 2, aval.shape(), window.shape());
            update_slice(element, aval.shape(), starts, window.shape(), x[1], y[0]);
          };
    case OpCode::kConcatenate: {
      const auto d = ir::params_as<ConcatenateParams>(params).dimension;
      Dims sizes;
      for (const Aval a : in) sizes.push_back(a.shape(static_cast<std::size_t>(d)));
      return [element, aval = out[0], d, sizes](const void* const* x, void* const* y) {
        SmallVector<ConcatenateInput, 4> inputs;
        for (std::size_t i = 0; i < sizes.size(); ++i) inputs.push_back({x[i], sizes[i]});
        concatenate(element, aval.shape(), d, inputs, y[0]);
      };
    }
    case OpCode::kPad:
      return [element, aval = in[0], p = ir::params_as<PadParams>(params)](const void* const* x, void* const* y) {
        pad(element, aval.shape(), p.low, p.high, p.interior, x[0], x[1], y[0]);
      };
    case OpCode::kIota:
      if (is_storage(out[0].dtype())) return nullptr;
      return [aval = out[0], d = ir::params_as<IotaParams>(params).dimension](const void* const*, void* const* y) {
        iota(aval.dtype(), aval.shape(), d, y[0]);
      };
    case OpCode::kBroadcastInDim:  // the axes change order: a transposition with repeated axes
      return [element, x_aval = in[0], y_aval = out[0], p = ir::params_as<BroadcastInDimParams>(params)](
                 const void* const* x, void* const* y) {
        const Dims own = row_major_strides(x_aval.shape()), to = row_major_strides(y_aval.shape());
        Dims steps(y_aval.shape().size(), 0);
        for (std::size_t i = 0; i < own.size(); ++i)
          if (x_aval.shape(i) != 1) steps[static_cast<std::size_t>(p.broadcast_dimensions[i])] = own[i];
        copy_strided(element, y_aval.shape(), x[0], steps, y[0], to);
      };
    case OpCode::kThreefry2x32: {
      const unsigned scalar = (in[0].ndim() == 0 ? 1u : 0u) | (in[1].ndim() == 0 ? 2u : 0u);
      return [n = out[0].size(), scalar](const void* const* x, void* const* y) {
        const std::uint32_t* words[4];
        for (int i = 0; i < 4; ++i) words[i] = static_cast<const std::uint32_t*>(x[i]);
        threefry2x32(n, words, scalar, static_cast<std::uint32_t*>(y[0]), static_cast<std::uint32_t*>(y[1]));
      };
    }
    case OpCode::kCholesky: {
      if (!can_cholesky(in[0].dtype())) return nullptr;
      return [aval = in[0], lower = ir::params_as<CholeskyParams>(params).lower](const void* const* x, void* const* y) {
        const std::int64_t n = aval.shape().back();
        if (n > 0) cholesky(aval.dtype(), aval.size() / (n * n), n, lower, x[0], y[0]);
      };
    }
    default: return plan_indexing(op, params, in, out);
  }
}

// Elements worth handing to another thread, of an operation that costs some nanoseconds for each.
constexpr std::int64_t kReferenceGrain = 16384;

// The op's own evaluation; one that goes element by element is split over threads.
void run_reference(OpCode op, const ir::ParamsBase* params, std::span<const TensorView> in,
                   std::span<const MutableTensorView> out) {
  const ir::OpInfo& info = ir::op_info(op);
  const std::int64_t n = out.empty() ? 0 : out[0].size();
  if (!info.elementwise || n < 2 * kReferenceGrain) return ir::evaluate(op, params, in, out);
  parallel_for(n, kReferenceGrain, [&](std::int64_t begin, std::int64_t end) {
    const auto part = [&](Aval a, auto* data) {
      // A scalar beside a larger result (select's predicate) serves every part.
      if (a.ndim() == 0) return std::pair{a, data};
      return std::pair{a.with_shape(Dims{end - begin}), data + begin * byte_size(a.dtype())};
    };
    SmallVector<TensorView, 4> from;
    SmallVector<MutableTensorView, 2> to;
    for (const TensorView& v : in) {
      const auto [aval, data] = part(v.aval, static_cast<const char*>(v.data));
      from.push_back({aval, data});
    }
    for (const MutableTensorView& v : out) {
      const auto [aval, data] = part(v.aval, static_cast<char*>(v.data));
      to.push_back({aval, data});
    }
    ir::evaluate(op, params, from, to);
  });
}

Ref<const BufferValue> dense(const BufferValue& b) {
  if (b.dense()) return Ref<const BufferValue>::share(&b);
  Ref<BufferValue> out = detail::new_buffer(b.aval());
  broadcast(byte_size(b.aval().dtype()), b.aval().shape(), {b.data(), b.repeated()}, out->storage()->data());
  return out;
}

// Runs an operation that can do with what is stored of its first operand; false when it cannot.
bool run_stored_part(OpCode op, const ir::ParamsBase* params, std::span<const BufferValue* const> in, Aval out,
                     Ref<const BufferValue>& result) {
  if (in.empty() || in[0]->dense()) return false;
  ir::Avals types;
  for (const BufferValue* b : in) types.push_back(b->aval());
  const auto part = stored_part(op, params, types, in[0]->stored_aval(), in[0]->repeated(), out);
  if (!part) return false;
  types[0] = part->operand;
  const Ref<const BufferValue> first = make_ref<BufferValue>(part->operand, in[0]->storage());
  SmallVector<const BufferValue*, 4> operands{first.get()};
  operands.append(in.begin() + 1, in.end());
  const ir::ParamsBase* smaller = part->params.get() ? part->params.get() : params;
  const Aval small_out[] = {part->result};
  Ref<const BufferValue> small[1];
  run_plan(plan_op(op, smaller, types, small_out), op, smaller, operands, small_out, nullptr, small);
  result = make_ref<BufferValue>(out, small[0]->storage(), part->repeated);
  return true;
}

}  // namespace

bool broadcast_repeats(const ir::ParamsBase* params, Aval in, Aval out, std::uint32_t repeated, std::uint32_t& result) {
  const Dims& dims = ir::params_as<BroadcastInDimParams>(params).broadcast_dimensions;
  result = BufferValue::all_axes(out.ndim());
  std::int64_t last = -1;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const auto d = static_cast<std::size_t>(dims[i]);
    const bool stored = !(repeated >> i & 1u) && !(in.shape(i) == 1 && out.shape(d) != 1);
    if (!stored) continue;
    if (dims[i] < last) return false;
    last = dims[i];
    result &= ~(1u << d);
  }
  return true;
}

OpPlan plan_op(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  OpPlan plan;
  if (const ElementwiseKernel* kernel = elementwise_kernel(op, params, in, out)) {
    plan.kind = OpPlan::Kind::kElementwise;
    plan.kernel = kernel;
    return plan;
  }
  switch (op) {
    case OpCode::kReshape:
    case OpCode::kOptimizationBarrier:
    case OpCode::kStopGradient:
    case OpCode::kCheckpointName: plan.kind = OpPlan::Kind::kAlias; return plan;
    case OpCode::kConvert:
      if (in[0].dtype() == out[0].dtype()) plan.kind = OpPlan::Kind::kAlias;
      return plan;
    case OpCode::kBroadcastInDim: {
      std::uint32_t repeated;
      if (broadcast_repeats(params, in[0], out[0], 0, repeated)) {
        plan.kind = OpPlan::Kind::kBroadcast;
        return plan;
      }
      break;
    }
    default: break;
  }
  const bool slides = op == OpCode::kConvolution || op == OpCode::kReduceWindow || op == OpCode::kSelectAndScatter ||
                      op == OpCode::kSelectAndGatherAdd;
  if (!slides) {
    plan.run = plan_dense(op, params, in, out);
  } else if (const auto window = std::make_shared<const WindowPlan>(plan_window(op, params, in, out)); window->run) {
    plan.run = [window](const void* const* x, void* const* y) { window->run(x, y, nullptr); };
    if (window->tells)
      plan.run_with = [window](const void* const* x, void* const* y, const Epilogue& e) {
        return window->run(x, y, &e);
      };
  }
  if (plan.run) plan.kind = OpPlan::Kind::kDense;
  plan.in_place = plan.run && (op == OpCode::kScatter || op == OpCode::kDynamicUpdateSlice);
  return plan;
}

void run_dense(const OpPlan& plan, OpCode op, const ir::ParamsBase* params, std::span<const TensorView> in,
               std::span<const MutableTensorView> out) {
  switch (plan.kind) {
    case OpPlan::Kind::kElementwise: {
      Operand operands[3];
      const std::uint32_t all = BufferValue::all_axes(out[0].ndim());
      for (std::size_t i = 0; i < in.size(); ++i) operands[i] = {in[i].data, in[i].ndim() == 0 ? all : 0};
      return run_elementwise(*plan.kernel, out[0].shape(), operands, out[0].data);
    }
    case OpPlan::Kind::kAlias:
      for (std::size_t i = 0; i < out.size(); ++i)
        if (out[i].size() > 0) std::memcpy(out[i].data, in[i].data, static_cast<std::size_t>(out[i].aval.bytes()));
      return;
    case OpPlan::Kind::kBroadcast: {
      std::uint32_t repeated = 0;
      broadcast_repeats(params, in[0].aval, out[0].aval, 0, repeated);
      return broadcast(byte_size(out[0].dtype()), out[0].shape(), {in[0].data, repeated}, out[0].data);
    }
    case OpPlan::Kind::kDense: {
      SmallVector<const void*, 4> from;
      SmallVector<void*, 2> to;
      for (const TensorView& v : in) from.push_back(v.data);
      for (const MutableTensorView& v : out) to.push_back(v.data);
      return plan.run(from.data(), to.data());
    }
    case OpPlan::Kind::kReference: return run_reference(op, params, in, out);
  }
}

void run_plan(const OpPlan& plan, OpCode op, const ir::ParamsBase* params, std::span<const BufferValue* const> in,
              std::span<const Aval> out, const BufferValue* reuse, std::span<Ref<const BufferValue>> results) {
  switch (plan.kind) {
    case OpPlan::Kind::kElementwise: {
      Operand operands[3];
      const std::uint32_t all = BufferValue::all_axes(out[0].ndim());
      // An empty operand mask of rank 0 beside a larger result is one value (select's predicate).
      for (std::size_t i = 0; i < in.size(); ++i)
        operands[i] = {in[i]->data(), in[i]->aval().ndim() == 0 ? all : in[i]->repeated()};
      Ref<BufferValue> result = reuse ? make_ref<BufferValue>(out[0], reuse->storage()) : detail::new_buffer(out[0]);
      run_elementwise(*plan.kernel, out[0].shape(), operands, result->storage()->data());
      results[0] = std::move(result);
      return;
    }
    case OpPlan::Kind::kAlias:
      for (std::size_t i = 0; i < in.size(); ++i) {
        const Ref<const BufferValue> source =
            op == OpCode::kReshape ? dense(*in[i]) : Ref<const BufferValue>::share(in[i]);
        results[i] = make_ref<BufferValue>(out[i], source->storage(), source->repeated());
      }
      return;
    case OpPlan::Kind::kBroadcast: {
      std::uint32_t repeated;
      Ref<const BufferValue> source = Ref<const BufferValue>::share(in[0]);
      if (!broadcast_repeats(params, in[0]->aval(), out[0], in[0]->repeated(), repeated)) {
        source = dense(*in[0]);
        broadcast_repeats(params, in[0]->aval(), out[0], 0, repeated);
      }
      results[0] = make_ref<BufferValue>(out[0], source->storage(), repeated);
      return;
    }
    case OpPlan::Kind::kDense:
    case OpPlan::Kind::kReference: break;
  }
  if (out.size() == 1 && run_stored_part(op, params, in, out[0], results[0])) return;
  SmallVector<Ref<const BufferValue>, 4> sources;
  for (const BufferValue* b : in) sources.push_back(dense(*b));
  SmallVector<Ref<BufferValue>, 2> fresh;
  for (const Aval a : out) fresh.push_back(detail::new_buffer(a));
  SmallVector<TensorView, 4> from;
  SmallVector<MutableTensorView, 2> to;
  for (const auto& s : sources) from.push_back({s->aval(), s->data()});
  for (const auto& f : fresh) to.push_back({f->aval(), f->storage()->data()});
  run_dense(plan, op, params, from, to);
  for (std::size_t i = 0; i < fresh.size(); ++i) results[i] = std::move(fresh[i]);
}

}  // namespace weft::cpu
