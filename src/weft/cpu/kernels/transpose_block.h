// The core of transpositions: blocks that fit the first-level cache, moved through vector registers.
// Knows element sizes and strides only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::cpu {

/// out[j * out_stride + i] = in[i * in_stride + j] for i < rows, j < columns; strides in elements of `element` bytes.
/// `past_caches`: a large block is written without reading it into the caches first.
void transpose_2d(std::int64_t element, std::int64_t rows, std::int64_t columns, const void* in, std::int64_t in_stride,
                  void* out, std::int64_t out_stride, bool past_caches);

}  // namespace weft::cpu
