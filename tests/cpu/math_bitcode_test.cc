// The bitcode of cpu/math: its functions are those of the elementwise kernels, by name and by bits, and all but a few
// known ones are straight lines, as the compiler that widens them needs.
#include <gtest/gtest.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/TargetSelect.h>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cpu/kernel_testing.h"
#include "weft/cpu/kernels/elementwise.h"
#include "weft/cpu/math/bitcode.h"
#include "weft/ir/op.h"

namespace weft::cpu {
namespace {

using Names = std::set<std::string>;

const DType kTypes[] = {boolean, i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64};

std::unique_ptr<llvm::Module> read_module(llvm::LLVMContext& context) {
  const auto bytes = math_bitcode();
  const llvm::StringRef text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return llvm::cantFail(llvm::parseBitcodeFile(llvm::MemoryBufferRef(text, "math.bc"), context));
}

/// A function that a kernel asks for; its operands are of one type.
struct Function {
  std::string name;
  const ElementwiseKernel* kernel;
  DType operand, result;
  bool periodic;
};

std::vector<Function> functions_of_kernels() {
  std::vector<Function> r;
  const auto add = [&r](const std::string& name, const ElementwiseKernel* k, DType operand, DType result,
                        bool periodic = false) {
    if (k) r.push_back({"weft_" + name, k, operand, result, periodic});
  };
  const auto typed = [](std::string_view name, DType t) {
    return std::string(name) + "_" + std::string(weft::name(t));
  };
  for (const DType t : kTypes) {
    for (int i = 0; i < kNumOps; ++i) {
      const auto op = static_cast<OpCode>(i);
      const bool asks =
          op == OpCode::kIsFinite || op == OpCode::kIsInf || op == OpCode::kIsNegInf || op == OpCode::kIsPosInf;
      const bool periodic = op == OpCode::kSine || op == OpCode::kCosine || op == OpCode::kTan;
      add(typed(ir::op_name(op), t), find_unary(op, t), t, asks ? boolean : t, periodic);
      if (op != OpCode::kComplex) add(typed(ir::op_name(op), t), find_binary(op, t), t, t);
    }
    const char* comparisons[] = {"eq", "ne", "lt", "le", "gt", "ge"};
    for (int i = 0; i < kNumCompareOps; ++i)
      add(typed("compare_" + std::string(comparisons[i]), t), find_compare(static_cast<CompareOp>(i), t), t, boolean);
    add(typed("clamp", t), find_clamp(t), t, t);
    for (const DType to : kTypes) add(typed("convert_" + std::string(weft::name(t)), to), find_convert(t, to), t, to);
  }
  return r;
}

TEST(math_bitcode, has_a_function_for_every_elementwise_kernel_and_no_other) {
  Names expected = {"weft_threefry2x32_first_u32", "weft_threefry2x32_second_u32", "weft_multiply_add_f32"}, found;
  for (const Function& f : functions_of_kernels()) {
    expected.insert(f.name);
    if (f.periodic) expected.insert({f.name + "_far", f.name + "_is_far"});
  }
  llvm::LLVMContext context;
  const auto module = read_module(context);
  for (const llvm::Function& f : *module)
    if (!f.isDeclaration()) found.insert(f.getName().str());
  EXPECT_EQ(found, expected);
  EXPECT_GT(found.size(), 600u);
  EXPECT_TRUE(module->global_empty()) << "functions need no tables";
}

TEST(math_bitcode, functions_are_straight_lines) {
  llvm::LLVMContext context;
  const auto module = read_module(context);
  Names branch, call, touch_memory;
  for (const llvm::Function& f : *module) {
    if (f.size() > 1) branch.insert(f.getName().str());
    for (const llvm::Instruction& i : llvm::instructions(f)) {
      if (llvm::isa<llvm::CallBase>(i) && !llvm::isa<llvm::IntrinsicInst>(i)) call.insert(f.getName().str());
      if (i.mayReadOrWriteMemory()) touch_memory.insert(f.getName().str());
    }
  }
  EXPECT_EQ(branch, (Names{"weft_cosine_f32_far", "weft_remainder_bf16", "weft_remainder_f16", "weft_remainder_f32",
                           "weft_remainder_f64", "weft_sine_f32_far"}));
  EXPECT_EQ(call, Names{});
  EXPECT_EQ(touch_memory, Names{});
}

// One instruction in the bitcode, but a call in machine code.
TEST(math_bitcode, no_function_needs_the_c_library) {
  llvm::LLVMContext context;
  const auto module = read_module(context);
  Names found;
  for (const llvm::Function& f : *module) {
    for (const llvm::Instruction& i : llvm::instructions(f)) {
      bool needs = i.getOpcode() == llvm::Instruction::FRem;
      if (const auto* intrinsic = llvm::dyn_cast<llvm::IntrinsicInst>(&i)) {
        switch (intrinsic->getIntrinsicID()) {
          case llvm::Intrinsic::abs:
          case llvm::Intrinsic::ceil:
          case llvm::Intrinsic::copysign:
          case llvm::Intrinsic::ctlz:
          case llvm::Intrinsic::ctpop:
          case llvm::Intrinsic::fabs:
          case llvm::Intrinsic::floor:
          case llvm::Intrinsic::fma:  // of multiply_add, which is written out where it is no instruction
          case llvm::Intrinsic::fshl:
          case llvm::Intrinsic::is_fpclass:
          case llvm::Intrinsic::smax:
          case llvm::Intrinsic::smin:
          case llvm::Intrinsic::sqrt:
          case llvm::Intrinsic::trunc:
          case llvm::Intrinsic::umax:
          case llvm::Intrinsic::umin: break;
          default: needs = true;
        }
      }
      if (needs) found.insert(f.getName().str());
    }
  }
  EXPECT_EQ(found, Names{});
}

/// f(value of the type that elements of type t are passed as).
template <class F>
void with_passed(DType t, F f) {
  switch (t) {
    case DType::kI8: return f(std::int8_t{});
    case DType::kI16: return f(std::int16_t{});
    case DType::kI32: return f(std::int32_t{});
    case DType::kI64: return f(std::int64_t{});
    case DType::kBool:
    case DType::kU8: return f(std::uint8_t{});
    case DType::kF16:
    case DType::kBF16:
    case DType::kU16: return f(std::uint16_t{});
    case DType::kU32: return f(std::uint32_t{});
    case DType::kU64: return f(std::uint64_t{});
    case DType::kF32: return f(float{});
    case DType::kF64: return f(double{});
    default: FAIL() << name(t);
  }
}

/// Awkward values, then any bits.
Buffer samples(DType t, std::int64_t n, unsigned seed) {
  Buffer b = random_buffer(t, n, seed);
  std::mt19937_64 rng(seed);
  if (t != boolean)
    for (std::size_t i = b.bytes.size() / 2; i < b.bytes.size(); ++i) b.bytes[i] = static_cast<unsigned char>(rng());
  return b;
}

/// The compiled function of each element.
Buffer call(llvm::orc::LLJIT& jit, const Function& f, const Buffer* in) {
  const auto address = [&](const std::string& name) { return llvm::cantFail(jit.lookup(name)).toPtr<void*>(); };
  void* const plain = address(f.name);
  void* const far = f.periodic ? address(f.name + "_far") : nullptr;
  void* const is_far = f.periodic ? address(f.name + "_is_far") : nullptr;
  const std::int64_t n = in[0].size();
  Buffer out(f.result, n);
  with_passed(f.operand, [&]<class X>(X) {
    with_passed(f.result, [&]<class R>(R) {
      for (std::int64_t i = 0; i < n; ++i) {
        const X a = in[0].at<X>(i);
        if (f.kernel->operands == 1) {
          const bool is = is_far && reinterpret_cast<std::uint8_t (*)(X)>(is_far)(a);
          out.set<R>(i, reinterpret_cast<R (*)(X)>(is ? far : plain)(a));
        } else if constexpr (std::is_same_v<R, X> || std::is_same_v<R, std::uint8_t>) {
          const X b = in[1].at<X>(i), c = in[2].at<X>(i);
          out.set<R>(i, f.kernel->operands == 2 ? reinterpret_cast<R (*)(X, X)>(plain)(a, b)
                                                : reinterpret_cast<R (*)(X, X, X)>(plain)(a, b, c));
        }
      }
    });
  });
  return out;
}

TEST(math_bitcode, compiled_functions_give_the_bits_of_the_kernels) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  const auto jit = llvm::cantFail(llvm::orc::LLJITBuilder().create());
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module = read_module(*context);
  for (llvm::Function& f : *module)  // for this machine, not the plain architecture
    for (const char* attribute : {"target-cpu", "target-features", "tune-cpu"}) f.removeFnAttr(attribute);
  llvm::cantFail(jit->addIRModule({std::move(module), std::move(context)}));

  constexpr std::int64_t kCount = 4000;
  for (const Function& f : functions_of_kernels()) {
    const Buffer in[] = {samples(f.operand, kCount, 1), samples(f.operand, kCount, 2), samples(f.operand, kCount, 3)};
    const void* pointers[] = {in[0].data(), in[1].data(), in[2].data()};
    Buffer expected(f.result, kCount);
    run_flat(*f.kernel, kCount, pointers, 0, expected.data());
    const Buffer got = call(*jit, f, in);
    // Of two NaNs an addition or product returns either.
    visit_dtype(f.result, [&](auto tag) {
      using T = typename decltype(tag)::type;
      int shown = 0;
      for (std::int64_t i = 0; i < kCount && shown < 3; ++i) {
        const auto same = same_value<T>(got.at<T>(i), expected.at<T>(i));
        if (!same && ++shown) ADD_FAILURE() << f.name << ", element " << i << ": " << same.message();
      }
    });
  }
}

}  // namespace
}  // namespace weft::cpu
