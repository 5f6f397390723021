#include "weft/cpu/plan.h"

#include <optional>

#include "weft/core/evaluator.h"
#include "weft/cpu/kernels/elementwise.h"
#include "weft/cpu/kernels/gather.h"
#include "weft/cpu/kernels/reduce.h"
#include "weft/cpu/library/dot.h"
#include "weft/ir/contraction.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/shape.h"

namespace weft::cpu {

namespace {

std::optional<UnaryOp> unary_op(OpCode op) {
  switch (op) {
    case OpCode::kAbs: return UnaryOp::kAbs;
    case OpCode::kAcos: return UnaryOp::kAcos;
    case OpCode::kAcosh: return UnaryOp::kAcosh;
    case OpCode::kAsin: return UnaryOp::kAsin;
    case OpCode::kAsinh: return UnaryOp::kAsinh;
    case OpCode::kAtan: return UnaryOp::kAtan;
    case OpCode::kAtanh: return UnaryOp::kAtanh;
    case OpCode::kCbrt: return UnaryOp::kCbrt;
    case OpCode::kCeil: return UnaryOp::kCeil;
    case OpCode::kCosh: return UnaryOp::kCosh;
    case OpCode::kCosine: return UnaryOp::kCosine;
    case OpCode::kCountLeadingZeros: return UnaryOp::kCountLeadingZeros;
    case OpCode::kErf: return UnaryOp::kErf;
    case OpCode::kErfInv: return UnaryOp::kErfInv;
    case OpCode::kErfc: return UnaryOp::kErfc;
    case OpCode::kExponential: return UnaryOp::kExponential;
    case OpCode::kExponentialMinusOne: return UnaryOp::kExponentialMinusOne;
    case OpCode::kFloor: return UnaryOp::kFloor;
    case OpCode::kIsFinite: return UnaryOp::kIsFinite;
    case OpCode::kIsInf: return UnaryOp::kIsInf;
    case OpCode::kIsNegInf: return UnaryOp::kIsNegInf;
    case OpCode::kIsPosInf: return UnaryOp::kIsPosInf;
    case OpCode::kLog: return UnaryOp::kLog;
    case OpCode::kLogPlusOne: return UnaryOp::kLogPlusOne;
    case OpCode::kLogistic: return UnaryOp::kLogistic;
    case OpCode::kNegate: return UnaryOp::kNegate;
    case OpCode::kNot: return UnaryOp::kNot;
    case OpCode::kPopcnt: return UnaryOp::kPopcnt;
    case OpCode::kRoundNearestAfz: return UnaryOp::kRoundNearestAfz;
    case OpCode::kRoundNearestEven: return UnaryOp::kRoundNearestEven;
    case OpCode::kRsqrt: return UnaryOp::kRsqrt;
    case OpCode::kSign: return UnaryOp::kSign;
    case OpCode::kSine: return UnaryOp::kSine;
    case OpCode::kSinh: return UnaryOp::kSinh;
    case OpCode::kSqrt: return UnaryOp::kSqrt;
    case OpCode::kSquare: return UnaryOp::kSquare;
    case OpCode::kTan: return UnaryOp::kTan;
    case OpCode::kTanh: return UnaryOp::kTanh;
    default: return std::nullopt;
  }
}

std::optional<BinaryOp> binary_op(OpCode op) {
  switch (op) {
    case OpCode::kAdd: return BinaryOp::kAdd;
    case OpCode::kAnd: return BinaryOp::kAnd;
    case OpCode::kAtan2: return BinaryOp::kAtan2;
    case OpCode::kDivide: return BinaryOp::kDivide;
    case OpCode::kMaximum: return BinaryOp::kMaximum;
    case OpCode::kMinimum: return BinaryOp::kMinimum;
    case OpCode::kMultiply: return BinaryOp::kMultiply;
    case OpCode::kOr: return BinaryOp::kOr;
    case OpCode::kPower: return BinaryOp::kPower;
    case OpCode::kRemainder: return BinaryOp::kRemainder;
    case OpCode::kShiftLeft: return BinaryOp::kShiftLeft;
    case OpCode::kShiftRightArithmetic: return BinaryOp::kShiftRightArithmetic;
    case OpCode::kShiftRightLogical: return BinaryOp::kShiftRightLogical;
    case OpCode::kSubtract: return BinaryOp::kSubtract;
    case OpCode::kXor: return BinaryOp::kXor;
    default: return std::nullopt;
  }
}

CompareOp compare_op(ComparisonDirection d) {
  switch (d) {
    case ComparisonDirection::kEq: return CompareOp::kEq;
    case ComparisonDirection::kNe: return CompareOp::kNe;
    case ComparisonDirection::kGe: return CompareOp::kGe;
    case ComparisonDirection::kGt: return CompareOp::kGt;
    case ComparisonDirection::kLe: return CompareOp::kLe;
    default: return CompareOp::kLt;
  }
}

// The kernel's kind; bool sums and products are or and and.
std::optional<ReduceOp> reduce_op(ReduceKind kind, DType t) {
  switch (kind) {
    case ReduceKind::kSum: return t == boolean ? ReduceOp::kOr : ReduceOp::kSum;
    case ReduceKind::kProd: return t == boolean ? ReduceOp::kAnd : ReduceOp::kProd;
    case ReduceKind::kMax: return ReduceOp::kMax;
    case ReduceKind::kMin: return ReduceOp::kMin;
    case ReduceKind::kAnd: return ReduceOp::kAnd;
    case ReduceKind::kOr: return ReduceOp::kOr;
    default: return std::nullopt;
  }
}

const ElementwiseKernel* elementwise_kernel(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  if (const auto u = unary_op(op)) return find_unary(*u, in[0].dtype());
  if (const auto b = binary_op(op)) return find_binary(*b, in[0].dtype());
  switch (op) {
    case OpCode::kCompare: return find_compare(compare_op(ir::params_as<CompareParams>(params).direction), in[0].dtype());
    case OpCode::kSelect: return find_select(in[1].dtype());
    case OpCode::kClamp: return find_clamp(in[1].dtype());
    case OpCode::kConvert: return find_convert(in[0].dtype(), out[0].dtype());
    default: return nullptr;
  }
}

Ref<const BufferValue> dense(const BufferValue& b) {
  if (b.dense()) return Ref<const BufferValue>::share(&b);
  Ref<BufferValue> out = detail::new_buffer(b.aval());
  const Operand operand{b.data(), b.repeated()};
  run_elementwise(*find_copy(b.aval().dtype()), b.aval().shape(), &operand, out->storage()->data());
  return out;
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
    case OpCode::kStopGradient: plan.kind = OpPlan::Kind::kAlias; return plan;
    case OpCode::kConvert:
      if (in[0].dtype() == out[0].dtype()) plan.kind = OpPlan::Kind::kAlias;
      return plan;
    case OpCode::kBroadcastInDim: {
      std::uint32_t repeated;
      if (broadcast_repeats(params, in[0], out[0], 0, repeated)) plan.kind = OpPlan::Kind::kBroadcast;
      return plan;
    }
    case OpCode::kDotGeneral:
      plan.run = plan_dot_general(ir::params_as<DotGeneralParams>(params), in[0], in[1], out[0]);
      break;
    case OpCode::kReduce: {
      const auto& p = ir::params_as<ReduceParams>(params);
      const auto kind = reduce_op(p.kind, in[0].dtype());
      if (kind && can_reduce(*kind, in[0].dtype()))
        plan.run = [kind = *kind, aval = in[0], axes = p.axes](const void* const* x, void* const* y) {
          reduce(kind, aval.dtype(), aval.shape(), axes, x[0], y[0]);
        };
      break;
    }
    case OpCode::kArgmax:
    case OpCode::kArgmin: {
      const auto& p = ir::params_as<ArgReduceParams>(params);
      const bool index = p.index_dtype == i32 || p.index_dtype == i64 || p.index_dtype == u32 || p.index_dtype == u64;
      if (index && can_arg_reduce(in[0].dtype()))
        plan.run = [max = op == OpCode::kArgmax, aval = in[0], p](const void* const* x, void* const* y) {
          arg_reduce(max, aval.dtype(), p.index_dtype, aval.shape(), p.axis, x[0], y[0]);
        };
      break;
    }
    case OpCode::kGather:
      plan.run = plan_gather_rows(ir::params_as<GatherParams>(params), in[0], in[1], out[0]);
      break;
    default: break;
  }
  if (plan.run) plan.kind = OpPlan::Kind::kDense;
  return plan;
}

void run_plan(const OpPlan& plan, OpCode op, const ir::ParamsBase* params, std::span<const BufferValue* const> in, std::span<const Aval> out,
              const BufferValue* reuse, std::span<Ref<const BufferValue>> results) {
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
        const Ref<const BufferValue> source = op == OpCode::kReshape ? dense(*in[i]) : Ref<const BufferValue>::share(in[i]);
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
  SmallVector<Ref<const BufferValue>, 4> sources;
  for (const BufferValue* b : in) sources.push_back(dense(*b));
  SmallVector<Ref<BufferValue>, 2> fresh;
  for (const Aval a : out) fresh.push_back(detail::new_buffer(a));
  if (plan.kind == OpPlan::Kind::kDense) {
    SmallVector<const void*, 4> from;
    SmallVector<void*, 2> to;
    for (const auto& s : sources) from.push_back(s->data());
    for (const auto& f : fresh) to.push_back(f->storage()->data());
    plan.run(from.data(), to.data());
  } else {
    SmallVector<TensorView, 4> from;
    SmallVector<MutableTensorView, 2> to;
    for (const auto& s : sources) from.push_back({s->aval(), s->data()});
    for (const auto& f : fresh) to.push_back({f->aval(), f->storage()->data()});
    ir::op_info(op).eval(params, from, to);
  }
  for (std::size_t i = 0; i < fresh.size(); ++i) results[i] = std::move(fresh[i]);
}

}  // namespace weft::cpu
