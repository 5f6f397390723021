#include "weft/cpu/codegen/llvm_apply.h"

#include <llvm/IR/MDBuilder.h>

#include <array>

#include "weft/cpu/codegen/run_context.h"
#include "weft/ir/elementwise.h"

namespace weft::cpu {

namespace {

using compiler::Instr;
using llvm::Type;
using Code = llvm::Value*;

// Of a function of so many instructions the first few uses in a program are written out where they are; all others call
// it, because code takes time to make.
constexpr int kLongFunction = 30, kMostWrittenOut = 6;

// A bool's byte as a bit.
Code truth(llvm::IRBuilder<>& b, Code v, unsigned lanes) {
  if (auto* z = llvm::dyn_cast<llvm::ZExtInst>(v); z && z->getSrcTy()->getScalarType()->isIntegerTy(1))
    return z->getOperand(0);
  return b.CreateICmpNE(v, llvm::Constant::getNullValue(vector_of(b.getInt8Ty(), lanes)));
}

llvm::Function* internal_function(LlvmUnit& unit, Type* result, llvm::ArrayRef<Type*> params, const std::string& name) {
  llvm::Function* f = llvm::Function::Create(llvm::FunctionType::get(result, params, false),
                                             llvm::GlobalValue::InternalLinkage, name, unit.module);
  f->setDoesNotThrow();
  return f;
}

// void(ptr x, ptr y, i64 n): y[i] = function(x[i]) where x[i] is far, for programs that run alone.
llvm::Function* far_elements(LlvmUnit& unit, const std::string& function, Type* element) {
  const std::string name = function + "_far_elements";
  if (llvm::Function* known = unit.module.getFunction(name)) return known;
  llvm::IRBuilder<> b(unit.context);
  Type *ptr = b.getPtrTy(), *i64 = b.getInt64Ty();
  llvm::Function* f = internal_function(unit, b.getVoidTy(), {ptr, ptr, i64}, name);
  f->addFnAttr(llvm::Attribute::Cold);
  f->addFnAttr(llvm::Attribute::NoInline);
  const auto block = [&](const char* n) { return llvm::BasicBlock::Create(unit.context, n, f); };
  llvm::BasicBlock *start = block("entry"), *loop = block("loop"), *call = block("call"), *next = block("next"),
                   *end = block("end");
  b.SetInsertPoint(start);
  b.CreateBr(loop);
  b.SetInsertPoint(loop);
  llvm::PHINode* i = b.CreatePHI(i64, 2);
  i->addIncoming(b.getInt64(0), start);
  Code x = b.CreateLoad(element, b.CreateGEP(element, f->getArg(0), i));
  Code is_far = unit.math.call(b, unit.module, function + "_is_far", {x}, 1);
  b.CreateCondBr(b.CreateICmpNE(is_far, b.getInt8(0)), call, next);
  b.SetInsertPoint(call);
  b.CreateStore(unit.math.call(b, unit.module, function + "_far", {x}, 1), b.CreateGEP(element, f->getArg(1), i));
  b.CreateBr(next);
  b.SetInsertPoint(next);
  Code following = b.CreateAdd(i, b.getInt64(1));
  i->addIncoming(following, next);
  b.CreateCondBr(b.CreateICmpSLT(following, f->getArg(2)), loop, end);
  b.SetInsertPoint(end);
  b.CreateRetVoid();
  return f;
}

// y[i] = op(x[i]) for n elements, some of which are far. In this process the prebuilt kernel does it, which gives the
// same bits, because the long way takes more time to compile than most programs.
void call_far(LlvmUnit& unit, llvm::IRBuilder<>& b, llvm::IRBuilder<>& entry, const std::string& function,
              Type* element, Code x, Code y, std::int64_t n) {
  Code count = b.getInt64(static_cast<std::uint64_t>(n));
  if (unit.alone) {
    b.CreateCall(far_elements(unit, function, element), {x, y, count});
    return;
  }
  Type* ptr = b.getPtrTy();
  const llvm::FunctionCallee kernel = unit.module.getOrInsertFunction(
      kKernelPrefix + function,
      llvm::FunctionType::get(b.getVoidTy(), {ptr, b.getInt32Ty(), ptr, b.getInt64Ty()}, false));
  Code operands = entry.CreateAlloca(ptr);
  b.CreateStore(x, operands);
  b.CreateCall(kernel, {operands, b.getInt32(0), y, count});
}

// sin, cos, tan: elements with far arguments, if there are any, go the long way.
Code periodic(LlvmUnit& unit, llvm::IRBuilder<>& b, const std::string& function, Code x, unsigned lanes) {
  Code near = unit.math.call(b, unit.module, function, {x}, lanes);
  Code far = truth(b, unit.math.call(b, unit.module, function + "_is_far", {x}, lanes), lanes);
  Code any = lanes == 1 ? far : b.CreateOrReduce(far);
  llvm::BasicBlock* before = b.GetInsertBlock();
  llvm::Function* f = before->getParent();
  llvm::BasicBlock *slow = llvm::BasicBlock::Create(unit.context, "far", f),
                   *after = llvm::BasicBlock::Create(unit.context, "near", f);
  b.CreateCondBr(any, slow, after, llvm::MDBuilder(unit.context).createBranchWeights(1, 1000));
  b.SetInsertPoint(slow);
  llvm::IRBuilder<> entry(&f->getEntryBlock(), f->getEntryBlock().begin());
  llvm::AllocaInst *arguments = entry.CreateAlloca(x->getType()), *results = entry.CreateAlloca(x->getType());
  b.CreateStore(x, arguments);
  b.CreateStore(near, results);
  call_far(unit, b, entry, function, x->getType()->getScalarType(), arguments, results, lanes);
  Code exact = b.CreateLoad(x->getType(), results);
  b.CreateBr(after);
  b.SetInsertPoint(after);
  llvm::PHINode* result = b.CreatePHI(near->getType(), 2);
  result->addIncoming(near, before);
  result->addIncoming(exact, slow);
  return result;
}

// One word of a block. Both come from one function, whose calls with equal operands become one.
Code threefry(LlvmUnit& unit, llvm::IRBuilder<>& b, unsigned word, llvm::ArrayRef<Code> x, unsigned lanes) {
  const std::string name = "threefry2x32_x" + std::to_string(lanes);
  llvm::Function* f = unit.module.getFunction(name);
  if (!f) {
    Type* words = vector_of(b.getInt32Ty(), lanes);
    f = internal_function(unit, llvm::StructType::get(words, words), {words, words, words, words}, name);
    f->setDoesNotAccessMemory();
    if (unit.vector_bytes == 64) f->addFnAttr("prefer-vector-width", "512");
    llvm::IRBuilder<> inside(llvm::BasicBlock::Create(unit.context, "entry", f));
    llvm::SmallVector<Code, 4> operands;
    for (llvm::Argument& a : f->args()) operands.push_back(&a);
    Code first = unit.math.call(inside, unit.module, "threefry2x32_first_u32", operands, lanes),
         second = unit.math.call(inside, unit.module, "threefry2x32_second_u32", operands, lanes);
    inside.CreateAggregateRet(std::array{first, second}.data(), 2);
  }
  return b.CreateExtractValue(b.CreateCall(f, x), word);
}

Code written_out(LlvmUnit& unit, llvm::IRBuilder<>& b, const Instr& i, std::span<const DType> types,
                 llvm::ArrayRef<Code> x, unsigned lanes) {
  const auto call = [&](const std::string& function, DType t) {
    return unit.math.call(b, unit.module, function + "_" + std::string(name(t)), x, lanes);
  };
  const std::string function(ir::op_name(i.op));
  switch (i.op) {
    case OpCode::kSelect: return b.CreateSelect(truth(b, x[0], lanes), x[1], x[2]);
    case OpCode::kConvert: return emit_convert(unit, b, x[0], types[0], i.dtype, lanes);
    case OpCode::kBitcastConvert: return b.CreateBitCast(x[0], vector_of(llvm_type(unit.context, i.dtype), lanes));
    case OpCode::kCompare: {
      constexpr const char* kNames[] = {"eq", "ne", "ge", "gt", "le", "lt"};
      const auto d = usual_order(ir::params_as<CompareParams>(i.params.get()).direction);
      return call("compare_" + std::string(kNames[static_cast<int>(d)]), types[0]);
    }
    case OpCode::kSine:
    case OpCode::kCosine:
    case OpCode::kTan: return periodic(unit, b, function + "_" + std::string(name(types[0])), x[0], lanes);
    case OpCode::kClamp: return call("clamp", types[1]);
    case OpCode::kThreefry2x32: return threefry(unit, b, i.part, x, lanes);
    default: return call(function, types[0]);
  }
}

}  // namespace

int code_size(const Instr& i) {
  if (i.kind != Instr::Kind::kApply) return 1;
  const int conversions = i.dtype == f16 || i.dtype == bf16 ? 12 : 0;
  switch (i.op) {
    case OpCode::kDivide:
    case OpCode::kSqrt:
    case OpCode::kRsqrt: return conversions + (is_float(i.dtype) ? 2 : 12);
    case OpCode::kMaximum:
    case OpCode::kMinimum: return conversions + 4;
    case OpCode::kThreefry2x32: return 4;  // a call
    default: return conversions + (compiler::op_cost(i.op, f32) >= 0.4 ? 30 : 2);
  }
}

Code emit_convert(LlvmUnit& unit, llvm::IRBuilder<>& b, Code v, DType from, DType to, unsigned lanes) {
  if (from == to) return v;
  return unit.math.call(b, unit.module, "convert_" + std::string(name(from)) + "_" + std::string(name(to)), {v}, lanes);
}

Code emit_apply(LlvmUnit& unit, llvm::IRBuilder<>& b, const Instr& i, std::span<const DType> types,
                llvm::ArrayRef<Code> x, unsigned lanes) {
  if (code_size(i) < kLongFunction) return written_out(unit, b, i, types, x, lanes);
  const std::string key =
      std::string(ir::op_name(i.op)) + "_" + std::string(name(types[0])) + "_x" + std::to_string(lanes);
  if (++unit.uses[key] <= kMostWrittenOut) return written_out(unit, b, i, types, x, lanes);
  llvm::Function* f = unit.module.getFunction(key);
  if (!f) {
    llvm::SmallVector<Type*, 3> params;
    for (Code v : x) params.push_back(v->getType());
    f = internal_function(unit, vector_of(llvm_type(unit.context, i.dtype), lanes), params, key);
    if (unit.vector_bytes == 64) f->addFnAttr("prefer-vector-width", "512");
    llvm::IRBuilder<> inside(llvm::BasicBlock::Create(unit.context, "entry", f));
    llvm::SmallVector<Code, 3> arguments;
    for (llvm::Argument& a : f->args()) arguments.push_back(&a);
    inside.CreateRet(written_out(unit, inside, i, types, arguments, lanes));
  }
  return b.CreateCall(f, x);
}

}  // namespace weft::cpu
