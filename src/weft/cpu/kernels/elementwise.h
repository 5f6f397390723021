// Elementwise kernels: which exist, and how one is run on operands that repeat along dimensions.
// Knows dtypes, shapes and the names of ops, not arrays. What has no kernel here is left to the op's reference
// evaluation. Invariant: the bits of a result depend neither on the instruction set nor on the number of threads.
//
// Semantics are StableHLO's. Integers: overflow wraps; x / 0 = -1 (all ones); INT_MIN / -1 = INT_MIN; x rem 0 = x;
// x rem -1 = 0; shifts by the width or more give 0, or the sign. Floats: maximum and minimum propagate NaN and order
// -0 below +0; sign keeps NaN and zeros; comparisons with NaN are false but for "not equal".
#pragma once

#include "weft/base/dims.h"
#include "weft/cpu/kernels/kernel.h"
#include "weft/ir/dtype.h"

namespace weft::cpu {

// Each find_ returns a kernel that lives as long as the process, or null when there is none; look up once and keep it.
// Any dtype, as far as the op is defined on it; complex numbers have basic arithmetic only.

/// out = op(x); is_finite and its kin give bool, real and imag the type of a part, the rest the type of x.
const ElementwiseKernel* find_unary(OpCode op, DType t);
/// out = op(a, b), of one type but for complex(re, im).
const ElementwiseKernel* find_binary(OpCode op, DType t);
/// out = a op b, bool.
const ElementwiseKernel* find_compare(CompareOp op, DType t);
/// out = pred ? a : b; operands pred (bool), a, b. Any dtype.
const ElementwiseKernel* find_select(DType t);
/// out = min(max(x, lo), hi); operands lo, x, hi.
const ElementwiseKernel* find_clamp(DType t);
/// out = convert_element<to>(x).
const ElementwiseKernel* find_convert(DType from, DType to);
/// out = x, for any dtype: run() with it writes out a repeated operand in full.
const ElementwiseKernel* find_copy(DType t);

/// Runs `kernel` over `shape`; `in` has kernel.operands entries. `out` is dense and may be the same memory as an
/// operand with repeated == 0. Large shapes are split over the thread pool.
void run_elementwise(const ElementwiseKernel& kernel, DimSpan shape, const Operand* in, void* out);

/// run_elementwise for operands that are each dense or one value; bit k of `scalar` tells which.
void run_flat(const ElementwiseKernel& kernel, std::int64_t n, const void* const* in, unsigned scalar, void* out);

}  // namespace weft::cpu
