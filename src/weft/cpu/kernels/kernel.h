// What the elementwise loops and their callers share: operands that repeat along dimensions, and loops over runs.
// Included by files compiled for different instruction sets, so it holds plain types only: an inline function here
// would be compiled once per set and the linker would keep any one of them.
#pragma once

#include <cstdint>

#include "weft/ir/opcode.h"

namespace weft::cpu {

/// An input of an elementwise kernel with output shape d[0] x ... x d[r-1]. Bit i of `repeated` set: the value does
/// not vary along dimension i. `data` is dense row-major over the other dimensions, so 0 is a dense operand of the
/// output's shape and all bits set is one value.
struct Operand {
  const void* data;
  std::uint32_t repeated;
};

/// Computes `n` consecutive elements. Bit k of `scalar` set: operand k is one value, used for all of them.
/// `out` may equal an input that is not scalar, and must not overlap any otherwise.
using ElementwiseLoop = void (*)(const char* const* in, unsigned scalar, char* out, std::int64_t n);

struct ElementwiseKernel {
  ElementwiseLoop loop;
  std::uint8_t operands;
  std::uint8_t in_bytes[3];
  std::uint8_t out_bytes;
  float cost;  // nanoseconds per element, roughly: decides how work is split, never what is computed
};

enum class CompareOp : std::uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };
inline constexpr int kNumCompareOps = 6;

enum class ReduceOp : std::uint8_t { kSum, kProd, kMax, kMin, kAnd, kOr, kXor };
inline constexpr int kNumReduceOps = static_cast<int>(ReduceOp::kXor) + 1;

/// The parts that reduce.cc composes into a reduction over any dimensions. Each is one fixed tree.
struct ReduceKernel {
  /// out[r] = reduce of in[r * stride + i] over i < n, for r < rows; 1 <= n <= kReduceBlock.
  void (*rows)(const char* in, char* out, std::int64_t rows, std::int64_t n, std::int64_t stride);
  /// out[j] = reduce of in[i * stride + j] over i < n, for j < width; 1 <= n <= kReduceRows, width <= kReduceTile.
  void (*columns)(const char* in, char* out, std::int64_t n, std::int64_t width, std::int64_t stride);
  std::uint8_t bytes;  // of an element
  char identity[8];    // the value of an empty reduction
};
inline constexpr std::int64_t kReduceBlock = 32768;
inline constexpr std::int64_t kReduceRows = 512;
inline constexpr std::int64_t kReduceTile = 1024;

/// The position of the first largest (smallest) element; the first NaN if there is one.
struct ArgReduceKernel {
  /// The position in in[0 .. n).
  std::int64_t (*row)(const char* in, std::int64_t n);
  /// out[j] = position among in[i * stride + j], i < n, for j < width; width <= kReduceTile, n < 2^31.
  void (*columns)(const char* in, std::int64_t* out, std::int64_t n, std::int64_t width, std::int64_t stride);
  /// True when in[b] is the result rather than in[a], b > a.
  bool (*better)(const char* in, std::int64_t b, std::int64_t a);
  std::uint8_t bytes;
};

/// c[i, j] = sum_p a[i, p] * b[p, j]; strides in elements, c's columns adjacent. c overlaps neither a nor b.
struct GemmArgs {
  std::int64_t m, n, k;
  const void* a;
  std::int64_t a_row, a_col;
  const void* b;
  std::int64_t b_row, b_col;
  void* c;
  std::int64_t c_row;
};

/// Products on one thread. An element's bits depend on k and the strides' kind, not on m, n or its place, so any
/// split over rows and columns gives the same bits.
struct GemmKernel {
  /// Any shape; `workspace` holds workspace_bytes(args) and is 64-byte aligned.
  void (*gemm)(const GemmArgs& args, char* workspace);
  /// n is 1; `y` has stride c_row. Needs no workspace.
  void (*gemv)(const GemmArgs& args);
  std::int64_t (*workspace_bytes)(const GemmArgs& args);
  std::int64_t row_step, column_step;  // splitting at multiples of these wastes no lanes
};

/// The instruction sets that the kernels are compiled for.
enum class Isa : std::uint8_t { kBaseline, kV3, kV4 };
inline constexpr int kNumIsas = 3;

}  // namespace weft::cpu
