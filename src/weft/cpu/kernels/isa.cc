#include "weft/cpu/kernels/isa.h"

#include <atomic>
#include <string>

namespace weft::cpu {
namespace {

constexpr const char* kNames[kNumIsas] = {"baseline", "x86-64-v3", "x86-64-v4"};

Isa best() {
  Isa isa = Isa::kBaseline;
  for (const Isa i : {Isa::kV3, Isa::kV4})
    if (isa_available(i)) isa = i;
  return isa;
}

std::atomic<Isa>& chosen() {
  static std::atomic<Isa> isa{best()};
  return isa;
}

}  // namespace

bool isa_available(Isa isa) {
  if (isa == Isa::kBaseline) return true;
#ifdef WEFT_HAVE_ISA_LEVELS
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("lzcnt");
  if (isa == Isa::kV3) return v3;
  return v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

const IsaKernels& isa_kernels(Isa isa) {
  if (!isa_available(isa))
    throw BackendError(std::string("isa_kernels: this processor and build must have the instruction set; got ") +
                       kNames[static_cast<int>(isa)] + ".");
#ifdef WEFT_HAVE_ISA_LEVELS
  if (isa == Isa::kV3) return v3::kKernels;
  if (isa == Isa::kV4) return v4::kKernels;
#endif
  return baseline::kKernels;
}

Isa active_isa() { return chosen().load(std::memory_order_relaxed); }

const IsaKernels& isa_kernels() { return isa_kernels(active_isa()); }

void force_isa(Isa isa) {
  isa_kernels(isa);
  chosen().store(isa, std::memory_order_relaxed);
}

}  // namespace weft::cpu
