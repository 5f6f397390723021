// Matrix products of which every product and every sum is rounded on its own: DotGeneralParams::ordered.
#include "weft/cpu/kernels/isa/gemm.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class T>
inline constexpr GemmKernel kOrdered = {gemm_any<T>, nullptr, workspace_bytes<T>, Tile<T>::kRows, Tile<T>::kColumns};

}  // namespace

const GemmKernel* ordered_gemm(DType t) {
  return t == DType::kF32 ? &kOrdered<float> : t == DType::kF64 ? &kOrdered<double> : nullptr;
}

}  // namespace weft::cpu::WEFT_ISA
