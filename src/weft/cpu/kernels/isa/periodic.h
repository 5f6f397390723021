// The loop of sin, cos and tan, whose fast forms hold for moderate arguments only.
#pragma once

#include "weft/cpu/kernels/isa/loops.h"
#include "weft/cpu/math/transcendental.h"

namespace weft::cpu::WEFT_ISA {

// Block by block: one far argument sends its block the long way. F is a Periodic.
template <class F, class T>
void periodic_loop(const char* const* in, unsigned scalar, char* out, std::int64_t n) {
  const auto any = [](T x) { return F::is_far(x) ? F::far(x) : F::apply(x); };
  const T* x = reinterpret_cast<const T*>(in[0]);
  T* o = reinterpret_cast<T*>(out);
  if (scalar) {
    const T v = any(*x);
    for (std::int64_t i = 0; i < n; ++i) o[i] = v;
    return;
  }
  constexpr std::int64_t kBlock = 512;
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t end = begin + kBlock < n ? begin + kBlock : n;
    int far = 0;
    for (std::int64_t i = begin; i < end; ++i) far |= F::is_far(x[i]);
    if (far) {
      for (std::int64_t i = begin; i < end; ++i) o[i] = any(x[i]);
    } else {
      WEFT_INDEPENDENT
      for (std::int64_t i = begin; i < end; ++i) o[i] = F::apply(x[i]);
    }
  }
}
template <class F, class T>
inline constexpr ElementwiseKernel kPeriodic{.loop = periodic_loop<F, T>,
                                             .operands = 1,
                                             .in_bytes = {sizeof(T), 0, 0},
                                             .out_bytes = sizeof(T),
                                             .cost = F::kCost};

}  // namespace weft::cpu::WEFT_ISA
