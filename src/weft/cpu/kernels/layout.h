// Kernels that move elements and compute nothing: strided copies and what follows from them. They know element sizes,
// not dtypes (but for iota), shapes, not arrays.
// Invariant: outputs are dense row-major unless strides are given, and never overlap inputs.
#pragma once

#include "weft/base/dims.h"
#include "weft/cpu/kernels/kernel.h"
#include "weft/ir/dtype.h"

namespace weft::cpu {

/// out[i . out_strides] = in[i . in_strides] for all i < shape. Strides are in elements; input strides may be 0 or
/// negative, output strides negative too. `element` is 1, 2, 4, 8 or 16 bytes. Transpositions go block by block.
void copy_strided(std::int64_t element, DimSpan shape, const void* in, DimSpan in_strides, void* out,
                  DimSpan out_strides);

/// out[i[0], i[1], ...] = in[j], where j[permutation[d]] = i[d].
void transpose(std::int64_t element, DimSpan shape, DimSpan permutation, const void* in, void* out);

/// out[i] = in[starts + i * strides], i < ceil((limits - starts) / strides); strides of at least 1.
void slice(std::int64_t element, DimSpan shape, DimSpan starts, DimSpan limits, DimSpan strides, const void* in,
           void* out);

/// Writes `update` into `out` (dense, of `shape`) at `starts`, which the caller has clamped.
void update_slice(std::int64_t element, DimSpan shape, DimSpan starts, DimSpan update_shape, const void* update,
                  void* out);

/// StableHLO pad: low and high may be negative (they crop), interior is the number of values between elements.
/// out's size along d is low + high + n + max(n - 1, 0) * interior.
void pad(std::int64_t element, DimSpan shape, DimSpan low, DimSpan high, DimSpan interior, const void* in,
         const void* value, void* out);

/// One input of concatenate(), which differs from the others in the size along the dimension only.
struct ConcatenateInput {
  const void* data;
  std::int64_t size;
};
/// `shape` is the output's.
void concatenate(std::int64_t element, DimSpan shape, std::int64_t dimension, std::span<const ConcatenateInput> inputs,
                 void* out);

/// out[i] = in[j], j[d] = n - 1 - i[d] along `dimensions`, i[d] elsewhere.
void reverse(std::int64_t element, DimSpan shape, DimSpan dimensions, const void* in, void* out);

/// Writes a repeated operand out in full.
void broadcast(std::int64_t element, DimSpan shape, Operand in, void* out);

/// n copies of the element at `value`.
void fill(std::int64_t element, std::int64_t n, const void* value, void* out);

/// out[i] = i[dimension], in any dtype but bool.
void iota(DType t, DimSpan shape, std::int64_t dimension, void* out);

}  // namespace weft::cpu
