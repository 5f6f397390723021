// Matrix products with fused multiply-add where the instruction set has it.
#include "weft/cpu/kernels/isa/gemm.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class T>
inline constexpr GemmKernel kGemm = {gemm_any<T>, gemv_any<T>, workspace_bytes<T>, Tile<T>::kRows, Tile<T>::kColumns};

}  // namespace

const GemmKernel* gemm(DType t) {
  return t == DType::kF32 ? &kGemm<float> : t == DType::kF64 ? &kGemm<double> : nullptr;
}

}  // namespace weft::cpu::WEFT_ISA
