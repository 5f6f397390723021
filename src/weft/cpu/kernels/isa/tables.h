// The lookup functions that the files of this folder contribute; isa/table.cc joins them.
#pragma once

#include "weft/cpu/kernels/isa.h"

namespace weft::cpu::WEFT_ISA {

const ElementwiseKernel* unary_float(UnaryOp op, DType t);
const ElementwiseKernel* unary_integer(UnaryOp op, DType t);
const ElementwiseKernel* unary_math_f32(UnaryOp op);
const ElementwiseKernel* unary_math_small(UnaryOp op, DType t);
const ElementwiseKernel* unary_math_f64(UnaryOp op);
const ElementwiseKernel* binary_float(BinaryOp op, DType t);
const ElementwiseKernel* binary_integer(BinaryOp op, DType t);
const ElementwiseKernel* binary_math(BinaryOp op, DType t);
const ElementwiseKernel* compare(CompareOp op, DType t);
const ElementwiseKernel* unary_complex(UnaryOp op, DType t);
const ElementwiseKernel* binary_complex(BinaryOp op, DType t);
const ElementwiseKernel* compare_complex(CompareOp op, DType t);
const ElementwiseKernel* select(DType t);
const ElementwiseKernel* clamp(DType t);
const ElementwiseKernel* convert(DType from, DType to);
const ElementwiseKernel* copy(DType t);
const ReduceKernel* reduce(ReduceOp op, DType t);
const ArgReduceKernel* arg_reduce(bool max, DType t);
const GemmKernel* gemm(DType t);
void threefry(const std::uint32_t* const* in, unsigned scalar, std::uint32_t* const* out, std::int64_t n);
void stream(char* out, const char* in, std::int64_t bytes);

}  // namespace weft::cpu::WEFT_ISA
