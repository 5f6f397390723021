#include "weft/cpu/codegen/llvm_kernel_code.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

#include "weft/base/error.h"
#include "weft/cpu/codegen/llvm_apply.h"
#include "weft/cpu/codegen/llvm_loop.h"
#include "weft/ir/op.h"

namespace weft::cpu {

using llvm::Type;

namespace {

// Operations of so many instructions are worth moving numbers into lanes for.
constexpr int kLongOperation = 30;

}  // namespace

KernelCode::KernelCode(LlvmUnit& unit, const Kernel& kernel, const std::string& name, bool split)
    : unit_(unit), k_(kernel), b_(unit.context), split_(split) {
  i64_ = b_.getInt64Ty();
  std::vector<Type*> params(k_.buffers.size(), b_.getPtrTy());
  if (split) params.insert(params.end(), {i64_, i64_});
  f_ = llvm::Function::Create(llvm::FunctionType::get(b_.getVoidTy(), params, false),
                              llvm::GlobalValue::InternalLinkage, name, unit.module);
  f_->setDoesNotThrow();
  if (unit.vector_bytes == 64) f_->addFnAttr("prefer-vector-width", "512");
  b_.SetInsertPoint(block("entry"));
  find_depths();
}

llvm::AllocaInst* KernelCode::alloca_bytes(std::int64_t bytes) {
  llvm::AllocaInst* a = b_.CreateAlloca(b_.getInt8Ty(), number(bytes));
  a->setAlignment(llvm::Align(64));
  return a;
}

// ---- scalars ----

void KernelCode::begin_code() {
  llvm::BasicBlock* start = block("start");
  b_.CreateBr(start);
  b_.SetInsertPoint(start);
  fixed_.assign(k_.body.size(), nullptr);
  for (const Kernel::DynamicIndex& d : k_.dynamic) {
    scalars(0, 0);  // a start may be read at another dynamic index
    const bool is_signed = is_signed_integer(k_.body[d.start].dtype);
    Code s = b_.CreateIntCast(fixed_[d.start], i64_, is_signed);
    if (is_signed) s = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, s, number(0));
    dynamic_.push_back(b_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, s, number(d.most)));
  }
  scalars(0, 0);
}

void KernelCode::outer_loops(std::size_t level, std::size_t last, llvm::function_ref<void()> body) {
  if (level > 0) scalars(level, 0);
  if (level == last) return body();
  const bool cut = split_ && level == 0;
  Code begin = cut ? range_begin() : number(0), end = cut ? range_end() : number(k_.loops[level]);
  emit_for(b_, begin, end, 1, [&](Code i) {
    index_.push_back(i);
    const std::vector<Code> before = fixed_;
    outer_loops(level + 1, last, body);
    fixed_ = before;
  });
  index_.pop_back();
}

void KernelCode::scalars(std::size_t level, std::uint16_t phase) {
  const std::uint16_t most = depth_.empty() ? 0 : *std::max_element(depth_.begin(), depth_.end());
  for (std::uint16_t depth = 0; depth <= most; ++depth) {
    std::vector<Number> due;
    for (Number v = 0; v < k_.body.size(); ++v)
      if (depth_[v] == depth && k_.body[v].level == level && k_.body[v].phase == phase) due.push_back(v);
    if (depth > 0) side_by_side(due);
    for (const Number v : due)
      if (!fixed_[v] && is_ready(v)) fixed_[v] = scalar(k_.body[v]);
  }
}

bool KernelCode::is_ready(Number v) const {
  const Instr& i = k_.body[v];
  if (i.level > k_.outer || i.kind == Instr::Kind::kReduce) return false;
  for (const Affine::Dynamic& d : i.at.dynamic)
    if (d.index >= dynamic_.size()) return false;
  return std::all_of(i.operands.begin(), i.operands.end(), [&](Number o) { return fixed_[o] != nullptr; });
}

bool KernelCode::is_long(Number v) const {
  return k_.body[v].kind == Instr::Kind::kApply && code_size(k_.body[v]) >= kLongOperation;
}

void KernelCode::find_depths() {
  for (Number v = 0; v < k_.body.size(); ++v) {
    std::uint16_t depth = 0;
    for (const Number o : k_.body[v].operands) depth = std::max(depth, depth_[o]);
    depth_.push_back(static_cast<std::uint16_t>(depth + is_long(v)));
  }
}

void KernelCode::side_by_side(std::span<const Number> due) {
  std::map<std::string, std::vector<Number>> equal;
  for (const Number v : due) {
    const Instr& i = k_.body[v];
    if (fixed_[v] || !is_long(v) || i.params || !is_ready(v)) continue;
    std::string key = std::string(ir::op_name(i.op)) + std::to_string(i.part);
    for (const Number o : i.operands) key += name(k_.body[o].dtype);
    equal[key].push_back(v);
  }
  for (const auto& [key, all] : equal) {
    const Instr& first = k_.body[all[0]];
    const std::size_t most = unit_.vector_bytes / static_cast<unsigned>(byte_size(first.dtype));
    for (std::size_t begin = 0; begin + 1 < all.size(); begin += most) {
      const std::span<const Number> some = std::span(all).subspan(begin, std::min(most, all.size() - begin));
      const auto lanes = static_cast<unsigned>(std::bit_ceil(some.size()));
      if (lanes == 1) continue;
      llvm::SmallVector<Code, 3> operands;
      for (std::size_t o = 0; o < first.operands.size(); ++o) {
        Code x = llvm::PoisonValue::get(vector_of(type(k_.body[first.operands[o]].dtype), lanes));
        for (unsigned l = 0; l < lanes; ++l)
          x = b_.CreateInsertElement(x, fixed_[k_.body[some[std::min<std::size_t>(l, some.size() - 1)]].operands[o]],
                                     l);
        operands.push_back(x);
      }
      Code results = apply(first, operands, lanes);
      for (unsigned l = 0; l < some.size(); ++l) fixed_[some[l]] = b_.CreateExtractElement(results, l);
    }
  }
}

Code KernelCode::scalar(const Instr& i) {
  switch (i.kind) {
    case Instr::Kind::kConstant: return constant(i);
    case Instr::Kind::kIndex: return convert(offset(i.at, k_.outer), i64, i.dtype, 1);
    case Instr::Kind::kLoad:
      return b_.CreateAlignedLoad(type(i.dtype), address(i, offset(i.at, k_.outer)), align(i.dtype));
    default: break;
  }
  llvm::SmallVector<Code, 3> operands;
  for (const Number o : i.operands) operands.push_back(fixed_[o]);
  return apply(i, operands, 1);
}

Code KernelCode::constant(const Instr& i) {
  std::uint64_t bits[2] = {};
  std::memcpy(bits, i.constant.data(), static_cast<std::size_t>(byte_size(i.dtype)));
  Type* t = type(i.dtype);
  const llvm::APInt value(static_cast<unsigned>(8 * byte_size(i.dtype)), bits);
  if (t->isFloatTy()) return llvm::ConstantFP::get(t, llvm::APFloat(llvm::APFloat::IEEEsingle(), value));
  if (t->isDoubleTy()) return llvm::ConstantFP::get(t, llvm::APFloat(llvm::APFloat::IEEEdouble(), value));
  return llvm::ConstantInt::get(t, value);
}

// ---- places and lanes ----

Code KernelCode::offset(const Affine& a, std::size_t loops) {
  Code sum = number(a.offset);
  const auto add = [&](Code v, std::int64_t scale) {
    if (scale != 1) v = b_.CreateMul(v, number(scale));
    auto* c = llvm::dyn_cast<llvm::ConstantInt>(sum);
    sum = c && c->isZero() ? v : b_.CreateAdd(sum, v);
  };
  // What depends on no loop is computed before they begin.
  for (std::size_t l = 0; l < loops; ++l)
    if (a.coeff[l] != 0) add(index_[l], a.coeff[l]);
  for (const Affine::Dynamic& d : a.dynamic)
    if (d.scale != 0) add(dynamic_[d.index], d.scale);
  return sum;
}

llvm::Constant* KernelCode::mask() {
  llvm::SmallVector<llvm::Constant*, 64> bits;
  for (unsigned l = 0; l < lanes_; ++l) bits.push_back(b_.getInt1(l < piece_.count));
  return llvm::ConstantVector::get(bits);
}

Code KernelCode::get(Code base, DType t, std::int64_t coeff) {
  Type* element = type(t);
  Code first = b_.CreateGEP(element, base, coeff == 1 ? piece_.index : b_.CreateMul(piece_.index, number(coeff)));
  if (lanes_ == 1) return b_.CreateAlignedLoad(element, first, align(t));
  Type* vector = vector_of(element, lanes_);
  if (coeff == 1) {
    if (piece_.count == lanes_) return b_.CreateAlignedLoad(vector, first, align(t));
    return b_.CreateMaskedLoad(vector, first, align(t), mask(), llvm::Constant::getNullValue(vector));
  }
  if (coeff == -1 && piece_.count == lanes_) {
    Code back = b_.CreateGEP(element, first, number(1 - static_cast<std::int64_t>(lanes_)));
    return b_.CreateVectorReverse(b_.CreateAlignedLoad(vector, back, align(t)));
  }
  Code result = llvm::Constant::getNullValue(vector);
  for (unsigned l = 0; l < piece_.count; ++l)
    result = b_.CreateInsertElement(
        result, b_.CreateAlignedLoad(element, b_.CreateGEP(element, first, number(coeff * l)), align(t)), l);
  return result;
}

void KernelCode::put(Code v, Code base, DType t, std::int64_t coeff) {
  Type* element = type(t);
  Code first = b_.CreateGEP(element, base, coeff == 1 ? piece_.index : b_.CreateMul(piece_.index, number(coeff)));
  if (lanes_ == 1) {
    b_.CreateAlignedStore(v, first, align(t));
  } else if (coeff == 1) {
    if (piece_.count == lanes_ && streams_)
      b_.CreateAlignedStore(
            v, first,
            llvm::Align(std::min<std::uint64_t>(kStreamAlign, lanes_ * static_cast<std::uint64_t>(byte_size(t)))))
          ->setMetadata(llvm::LLVMContext::MD_nontemporal,
                        llvm::MDNode::get(unit_.context, llvm::ConstantAsMetadata::get(b_.getInt32(1))));
    else if (piece_.count == lanes_)
      b_.CreateAlignedStore(v, first, align(t));
    else
      b_.CreateMaskedStore(v, first, align(t), mask());
  } else {
    for (unsigned l = 0; l < piece_.count; ++l)
      b_.CreateAlignedStore(b_.CreateExtractElement(v, l), b_.CreateGEP(element, first, number(coeff * l)), align(t));
  }
}

Code KernelCode::count(Code first, std::int64_t coeff, DType t) {
  first = b_.CreateAdd(first, b_.CreateMul(piece_.index, number(coeff)));
  if (lanes_ > 1) {
    llvm::SmallVector<llvm::Constant*, 64> steps;
    for (unsigned l = 0; l < lanes_; ++l) steps.push_back(number(coeff * l));
    first = b_.CreateAdd(splat(first), llvm::ConstantVector::get(steps));
  }
  return convert(first, i64, t, lanes_);
}

// ---- operations ----

Code KernelCode::convert(Code v, DType from, DType to, unsigned lanes) {
  return emit_convert(unit_, b_, v, from, to, lanes);
}

Code KernelCode::apply(const Instr& i, llvm::ArrayRef<Code> x, unsigned lanes) {
  SmallVector<DType, 3> types;
  for (const Number o : i.operands) types.push_back(k_.body[o].dtype);
  return emit_apply(unit_, b_, i, types, x, lanes);
}

Code KernelCode::combine(const Instr& i, Code a, Code b, unsigned lanes) {
  const std::string t(name(i.dtype));
  switch (i.reduce) {
    case ReduceKind::kSum: return unit_.math.call(b_, unit_.module, "add_" + t, {a, b}, lanes);
    case ReduceKind::kProd: return unit_.math.call(b_, unit_.module, "multiply_" + t, {a, b}, lanes);
    case ReduceKind::kMax: return unit_.math.call(b_, unit_.module, "maximum_" + t, {a, b}, lanes);
    case ReduceKind::kMin: return unit_.math.call(b_, unit_.module, "minimum_" + t, {a, b}, lanes);
    case ReduceKind::kAnd: return b_.CreateAnd(a, b);
    case ReduceKind::kOr: return b_.CreateOr(a, b);
    case ReduceKind::kXor: return b_.CreateXor(a, b);
  }
  throw InternalError("emit_kernel: unknown reduction");
}

llvm::Constant* KernelCode::identity(const Instr& i) {
  Type* t = type(i.dtype);
  const unsigned bits = static_cast<unsigned>(8 * byte_size(i.dtype));
  const bool is_signed = is_signed_integer(i.dtype);
  switch (i.reduce) {
    case ReduceKind::kSum: return t->isIntegerTy() ? llvm::ConstantInt::get(t, 0) : llvm::ConstantFP::get(t, -0.0);
    case ReduceKind::kProd: return t->isIntegerTy() ? llvm::ConstantInt::get(t, 1) : llvm::ConstantFP::get(t, 1.0);
    case ReduceKind::kMax:
      if (!t->isIntegerTy()) return llvm::ConstantFP::getInfinity(t, true);
      return llvm::ConstantInt::get(t, is_signed ? llvm::APInt::getSignedMinValue(bits) : llvm::APInt(bits, 0));
    case ReduceKind::kMin:
      if (!t->isIntegerTy()) return llvm::ConstantFP::getInfinity(t, false);
      if (i.dtype == boolean) return llvm::ConstantInt::get(t, 1);
      return llvm::ConstantInt::get(t,
                                    is_signed ? llvm::APInt::getSignedMaxValue(bits) : llvm::APInt::getMaxValue(bits));
    case ReduceKind::kAnd:
      return i.dtype == boolean ? llvm::ConstantInt::get(t, 1) : llvm::Constant::getAllOnesValue(t);
    case ReduceKind::kOr:
    case ReduceKind::kXor: return llvm::ConstantInt::get(t, 0);
  }
  throw InternalError("emit_kernel: unknown reduction");
}

Code KernelCode::from_zero(const Instr& i, Code total, unsigned lanes) {
  if (!is_float(i.dtype) || i.reduce != ReduceKind::kSum) return total;
  return b_.CreateFAdd(total, llvm::ConstantFP::get(vector_of(type(i.dtype), lanes), 0.0));
}

}  // namespace weft::cpu
