#include "weft/cpu/codegen/jit.h"

#include <llvm/ExecutionEngine/RTDyldMemoryManager.h>
#include <llvm/ExecutionEngine/RuntimeDyld.h>
#include <llvm/ExecutionEngine/SectionMemoryManager.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/MemoryBuffer.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "weft/base/error.h"
#include "weft/cpu/codegen/llvm_gen.h"
#include "weft/cpu/kernels/elementwise.h"
#include "weft/ir/op.h"

namespace weft::cpu {

namespace {

template <class F>
std::uint64_t address(F f) {
  return reinterpret_cast<std::uint64_t>(f);
}

// What code may call by name: the C library's functions that cpu/math or LLVM itself uses. 0 for others.
std::uint64_t library_address(const std::string& name) {
  using F = double (*)(double);
  using F2 = double (*)(double, double);
  using F3 = double (*)(double, double, double);
  using G = float (*)(float);
  using G2 = float (*)(float, float);
  using G3 = float (*)(float, float, float);
  static const struct {
    const char* name;
    std::uint64_t address;
  } known[] = {
      {"memcpy", address(&std::memcpy)}, {"memset", address(&std::memset)},  {"memmove", address(&std::memmove)},
      {"sin", address<F>(&std::sin)},    {"cos", address<F>(&std::cos)},     {"tan", address<F>(&std::tan)},
      {"sinf", address<G>(&::sinf)},     {"cosf", address<G>(&::cosf)},      {"tanf", address<G>(&::tanf)},
      {"fmod", address<F2>(&std::fmod)}, {"fmodf", address<G2>(&::fmodf)},   {"floor", address<F>(&std::floor)},
      {"ceil", address<F>(&std::ceil)},  {"trunc", address<F>(&std::trunc)}, {"floorf", address<G>(&::floorf)},
      {"ceilf", address<G>(&::ceilf)},   {"truncf", address<G>(&::truncf)},  {"sqrt", address<F>(&std::sqrt)},
      {"sqrtf", address<G>(&::sqrtf)},   {"pow", address<F2>(&std::pow)},    {"powf", address<G2>(&::powf)},
      {"sincos", address(&::sincos)},    {"sincosf", address(&::sincosf)},   {"rint", address<F>(&std::rint)},
      {"rintf", address<G>(&::rintf)},   {"fma", address<F3>(&std::fma)},    {"fmaf", address<G3>(&::fmaf)},
  };
  for (const auto& k : known)
    if (name == k.name) return k.address;
  return 0;
}

// The loops of kernels that code calls, by what follows kKernelPrefix. 0 for others.
std::uint64_t kernel_address(llvm::StringRef name) {
  for (const OpCode op : {OpCode::kSine, OpCode::kCosine, OpCode::kTan})
    for (const DType t : {f32, f64})
      if (name == std::string(ir::op_name(op)) + "_" + std::string(weft::name(t)))
        return address(find_unary(op, t)->loop);
  return 0;
}

class Memory final : public llvm::SectionMemoryManager {
 public:
  llvm::JITSymbol findSymbol(const std::string& name) override {
    llvm::StringRef of_kernel = name;
    const std::uint64_t found =
        of_kernel.consume_front(kKernelPrefix) ? kernel_address(of_kernel) : library_address(name);
    return found ? llvm::JITSymbol(found, llvm::JITSymbolFlags::Exported) : llvm::JITSymbol(nullptr);
  }
};

class Loaded final : public LoadedCode {
 public:
  explicit Loaded(std::span<const std::string> objects) {
    std::vector<std::unique_ptr<llvm::object::ObjectFile>> files;  // outlive the linker
    llvm::RuntimeDyld linker(memory_, memory_);
    for (const std::string& object : objects) {
      auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(object, "weft"));
      if (!file) throw InternalError("compiled code cannot be read: " + llvm::toString(file.takeError()));
      files.push_back(std::move(*file));
      linker.loadObject(*files.back());
    }
    linker.finalizeWithMemoryManagerLocking();
    if (linker.hasError()) throw InternalError("compiled code cannot be linked: " + linker.getErrorString().str());
    program_ = reinterpret_cast<ProgramFunction>(linker.getSymbol(kEntryName).getAddress());
    raw_ = reinterpret_cast<RawFunction>(linker.getSymbol(kRawName).getAddress());
    internal_check(program_ != nullptr, "compiled code has no entry");
  }

 private:
  Memory memory_;
};

}  // namespace

bool is_library_function(const std::string& name) { return library_address(name) != 0; }

std::shared_ptr<const LoadedCode> LoadedCode::load(std::span<const std::string> objects) {
  return std::make_shared<const Loaded>(objects);
}

}  // namespace weft::cpu
