// The kernels that are compiled once per instruction set, and the choice between the sets.
// Callers use the headers of each kind of kernel (elementwise.h, reduce.h, ...); tests use this one to compare sets.
// Invariant: everything but `gemm` and `winograd` gives the same bits on every set.
#pragma once

#include "weft/cpu/kernels/kernel.h"
#include "weft/ir/dtype.h"

namespace weft::cpu {

struct IsaKernels {
  // elementwise.h
  const ElementwiseKernel* (*unary)(OpCode, DType);
  const ElementwiseKernel* (*binary)(OpCode, DType);
  const ElementwiseKernel* (*compare)(CompareOp, DType);
  const ElementwiseKernel* (*select)(DType);
  const ElementwiseKernel* (*clamp)(DType);
  const ElementwiseKernel* (*convert)(DType, DType);
  const ElementwiseKernel* (*copy)(DType);
  // reduce.h; the small floats are reduced as f32
  const ReduceKernel* (*reduce)(ReduceOp, DType);
  const ArgReduceKernel* (*arg_reduce)(bool max, DType);
  // cumsum.h: integers and floats
  const CumsumKernel* (*cumsum)(DType, bool reverse);
  // top_k.h: the first i < n at which x[i] may be above `bound`, or n; no i that is passed over is above it. Elements
  // and bound in the order of total_key() in ordered_keys.h; integers and floats, and bool as u8.
  std::int64_t (*find_above)(DType, const char* x, std::int64_t n, std::uint64_t bound);
  // matmul.h: f32 and f64, else null
  const GemmKernel* (*gemm)(DType);
  // The same without a fused multiply-add, and without gemv
  const GemmKernel* (*ordered_gemm)(DType);
  // threefry.h: out[q] = word q of threefry2x32 with 20 rounds; in: key words 0 and 1, counter words 0 and 1.
  // Bit k of `scalar`: in[k] is one word. Outputs may equal counter inputs that are not scalar.
  void (*threefry)(const std::uint32_t* const* in, unsigned scalar, std::uint32_t* const* out, std::int64_t n);
  // window.h: integers and floats
  const WindowKernel* (*window)(DType);
  const WinogradKernel& (*winograd)();
  // cholesky.h: f32 and f64, else null
  const CholeskyKernel* (*cholesky)(DType);
  // Copies past the caches; `bytes` is any number, the source is aligned to 64 bytes.
  void (*stream)(char* out, const char* in, std::int64_t bytes);
};

/// True when this processor runs code of `isa` and this build has it.
bool isa_available(Isa isa);
/// The kernels of one set; throws BackendError when it is not available.
const IsaKernels& isa_kernels(Isa isa);
/// The kernels of the best available set, or of the one force_isa() named.
const IsaKernels& isa_kernels();
/// Makes isa_kernels() return `isa` from now on. Kernels found before keep their set.
void force_isa(Isa isa);
Isa active_isa();

namespace baseline {
extern const IsaKernels kKernels;
}
#ifdef WEFT_HAVE_ISA_LEVELS
namespace v3 {
extern const IsaKernels kKernels;
}
namespace v4 {
extern const IsaKernels kKernels;
}
#endif

}  // namespace weft::cpu
