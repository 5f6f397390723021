// The lookup functions that the files of this folder contribute; isa/table.cc joins them.
#pragma once

#include "weft/cpu/kernels/isa.h"

namespace weft::cpu::WEFT_ISA {

const ElementwiseKernel* unary_float(OpCode op, DType t);
const ElementwiseKernel* unary_integer(OpCode op, DType t);
const ElementwiseKernel* unary_math_f32(OpCode op);
const ElementwiseKernel* unary_math_small(OpCode op, DType t);
const ElementwiseKernel* unary_math_f64(OpCode op);
const ElementwiseKernel* binary_float(OpCode op, DType t);
const ElementwiseKernel* binary_integer(OpCode op, DType t);
const ElementwiseKernel* binary_math(OpCode op, DType t);
const ElementwiseKernel* compare(CompareOp op, DType t);
const ElementwiseKernel* unary_complex(OpCode op, DType t);
const ElementwiseKernel* binary_complex(OpCode op, DType t);
const ElementwiseKernel* compare_complex(CompareOp op, DType t);
const ElementwiseKernel* select(DType t);
const ElementwiseKernel* clamp(DType t);
const ElementwiseKernel* convert(DType from, DType to);
const ElementwiseKernel* copy(DType t);
const ReduceKernel* reduce(ReduceOp op, DType t);
const ArgReduceKernel* arg_reduce(bool max, DType t);
const CumsumKernel* cumsum(DType t, bool reverse);
std::int64_t find_above(DType t, const char* x, std::int64_t n, std::uint64_t bound);
const GemmKernel* gemm(DType t);
const GemmKernel* ordered_gemm(DType t);
void threefry(const std::uint32_t* const* in, unsigned scalar, std::uint32_t* const* out, std::int64_t n);
const WindowKernel* window(DType t);
const WinogradKernel& winograd();
const CholeskyKernel* cholesky(DType t);
void stream(char* out, const char* in, std::int64_t bytes);

}  // namespace weft::cpu::WEFT_ISA
