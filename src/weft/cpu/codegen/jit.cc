#include "weft/cpu/codegen/jit.h"

#include <llvm/ExecutionEngine/RTDyldMemoryManager.h>
#include <llvm/ExecutionEngine/RuntimeDyld.h>
#include <llvm/ExecutionEngine/SectionMemoryManager.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/MathExtras.h>
#include <llvm/Support/Memory.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/Process.h>

#include <cmath>
#include <cstring>
#include <optional>
#include <utility>
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

// One piece of address space for all sections of a program, because code reaches what it refers to by distances of 32
// bits, in other files too. Sections get whole pages of it.
class Region final : public llvm::SectionMemoryManager::MemoryMapper {
 public:
  explicit Region(std::size_t bytes) {
    std::error_code error;
    all_ = llvm::sys::Memory::allocateMappedMemory(bytes, nullptr, kWritable, error);
    if (error) throw BackendError("compile: the system gives no memory for code: " + error.message() + ".");
  }
  ~Region() override { static_cast<void>(llvm::sys::Memory::releaseMappedMemory(all_)); }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  llvm::sys::MemoryBlock allocateMappedMemory(llvm::SectionMemoryManager::AllocationPurpose, std::size_t bytes,
                                              const llvm::sys::MemoryBlock*, unsigned,
                                              std::error_code& error) override {
    bytes = llvm::alignTo(bytes, page_bytes());
    if (bytes > all_.allocatedSize() - used_) {
      error = std::make_error_code(std::errc::not_enough_memory);
      return {};
    }
    void* const at = static_cast<char*>(all_.base()) + std::exchange(used_, used_ + bytes);
    return {at, bytes};
  }
  std::error_code protectMappedMemory(const llvm::sys::MemoryBlock& block, unsigned flags) override {
    return llvm::sys::Memory::protectMappedMemory(block, flags);
  }
  std::error_code releaseMappedMemory(llvm::sys::MemoryBlock&) override { return {}; }

  static std::size_t page_bytes() { return llvm::sys::Process::getPageSizeEstimate(); }

 private:
  static constexpr unsigned kWritable = llvm::sys::Memory::MF_READ | llvm::sys::Memory::MF_WRITE;
  llvm::sys::MemoryBlock all_;
  std::size_t used_ = 0;
};

// More than the sections of a file take in memory: what the linker adds (addresses and jumps to far functions, fewer
// bytes than the relocations in the file, which count too), alignment, and a page for each.
std::size_t bytes_in_memory(const llvm::object::ObjectFile& file) {
  std::size_t bytes = 16 * Region::page_bytes();
  for (const llvm::object::SectionRef& s : file.sections())
    bytes += 2 * s.getSize() + 2 * s.getAlignment().value() + 2 * Region::page_bytes();
  return bytes;
}

class Memory final : public llvm::SectionMemoryManager {
 public:
  explicit Memory(Region& region) : SectionMemoryManager(&region) {}
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
    std::size_t bytes = 0;
    for (const std::string& object : objects) {
      auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(object, "weft"));
      if (!file) throw InternalError("compiled code cannot be read: " + llvm::toString(file.takeError()));
      bytes += bytes_in_memory(**file);
      files.push_back(std::move(*file));
    }
    region_.emplace(bytes);
    memory_.emplace(*region_);
    llvm::RuntimeDyld linker(*memory_, *memory_);
    for (const auto& file : files) linker.loadObject(*file);
    linker.finalizeWithMemoryManagerLocking();
    if (linker.hasError()) throw InternalError("compiled code cannot be linked: " + linker.getErrorString().str());
    program_ = reinterpret_cast<ProgramFunction>(linker.getSymbol(kEntryName).getAddress());
    raw_ = reinterpret_cast<RawFunction>(linker.getSymbol(kRawName).getAddress());
    internal_check(program_ != nullptr, "compiled code has no entry");
  }

 private:
  std::optional<Region> region_;
  std::optional<Memory> memory_;
};

}  // namespace

bool is_library_function(const std::string& name) { return library_address(name) != 0; }

std::shared_ptr<const LoadedCode> LoadedCode::load(std::span<const std::string> objects) {
  return std::make_shared<const Loaded>(objects);
}

}  // namespace weft::cpu
