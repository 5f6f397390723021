// Products through oneDNN, one thread at a time: its own threads are never used, our pool splits the work.
// This folder alone sees the library; without it every function declines.
#pragma once

#include "weft/cpu/kernels/kernel.h"

namespace weft::cpu {

/// True when this build has oneDNN.
bool have_onednn();

/// The f32 product of `args` on this thread. Declines (returns false, c untouched) without the library, for
/// operands of which no stride is 1, and when the library refuses.
bool onednn_sgemm(const GemmArgs& args);

/// Whether onednn_bf16_gemm may take such operands: else it declines all of their strides.
bool onednn_takes_bf16(const GemmArgs& args);

/// The product of bf16 operands, accumulated in f32, with a result of bf16 or f32. Declines as above.
bool onednn_bf16_gemm(const GemmArgs& args, bool bf16_result);

}  // namespace weft::cpu
