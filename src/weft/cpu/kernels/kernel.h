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

/// The parts that reduce.cc composes into a reduction over any dimensions. Each is one fixed tree
/// (ir/reduction_order.h).
struct ReduceKernel {
  /// out[r] = reduce of in[r * stride + i] over i < n, for r < rows; 1 <= n <= kReduceRowBlock.
  void (*rows)(const char* in, char* out, std::int64_t rows, std::int64_t n, std::int64_t stride);
  /// out[j] = reduce of in[i * stride + j] over i < n, for j < width; 1 <= n <= kReduceColumnBlock, width <=
  /// kReduceTile.
  void (*columns)(const char* in, char* out, std::int64_t n, std::int64_t width, std::int64_t stride);
  std::uint8_t bytes;  // of an element
  char identity[8];    // the value of an empty reduction
};
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

/// The parts that cumsum.cc composes into running sums; one set of them forwards, one in reverse.
struct CumsumKernel {
  /// out[i] = carry + the sum up to in[i], i < n, in blocks of kCumsumRun from the start of the sum on (the last
  /// element is its start in reverse). `carry` holds a sum, and that of all elements besides afterwards.
  void (*row)(const char* in, char* out, std::int64_t n, char* carry);
  /// sums[b] = that of block b alone.
  void (*block_sums)(const char* in, char* sums, std::int64_t n);
  /// The sums of columns: element i of column j is in[i * stride + j]; width <= kCumsumTile.
  void (*columns)(const char* in, char* out, std::int64_t n, std::int64_t width, std::int64_t stride);
  std::uint8_t bytes;      // of an element
  std::uint8_t sum_bytes;  // of a sum: a double, or an integer like the elements
  bool integer;
};
inline constexpr std::int64_t kCumsumTile = 4096;
inline constexpr std::int64_t kCumsumRun = 64;  // kCumsumBlock of ir/contraction.h

/// What one tap of a window takes along a line: the j-th of `count` places the j-th element, places and elements so
/// many of their kind apart, each `inner` neighbours that go together.
struct WindowSteps {
  std::int64_t count, inner, place_step, element_step;
};

/// The parts that window.cc composes into pooling and its gradients, each one tap over a line of places.
struct WindowKernel {
  /// places[j] = places[j] op elements[j]; null where the type has no such operation.
  void (*combine[kNumReduceOps])(char* places, const char* elements, const WindowSteps& steps);
  /// The same for `taps` taps in turn, from `identity` on instead of what `places` holds; places are adjacent.
  void (*combine_all[kNumReduceOps])(char* places, const char* const* elements, std::int64_t taps, const char* identity,
                                     const WindowSteps& steps);
  /// Where nothing was chosen (-1) or what was does not stay, by WindowSelect: best[j] = elements[j], chosen[j] = tap.
  void (*choose[4])(char* best, std::int32_t* chosen, const char* elements, const WindowSteps& steps, std::int32_t tap);
  /// elements[j] += source[j] where chosen[j] is `tap`.
  void (*scatter)(char* elements, const std::int32_t* chosen, const char* source, const WindowSteps& steps,
                  std::int32_t tap);
  /// places[j] = elements[j] where chosen[j] is `tap`.
  void (*gather)(char* places, const std::int32_t* chosen, const char* elements, const WindowSteps& steps,
                 std::int32_t tap);
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
  /// n is 1; `y` has stride c_row. Needs no workspace. May be null.
  void (*gemv)(const GemmArgs& args);
  std::int64_t (*workspace_bytes)(const GemmArgs& args);
  std::int64_t row_step, column_step;  // splitting at multiples of these wastes no lanes
};

/// A convolution of 3x3 at stride 1 as winograd.h has it. Features are adjacent, and sixteens; steps and strides are in
/// elements. Result (y, x) of an image is the sum over (i, j) of input (y + i - low[0], x + j - low[1]), zero outside
/// of the image, times weight (i, j).
struct WinogradArgs {
  std::int64_t batch, in_features, out_features;
  const float* in;
  std::int64_t in_batch, in_size[2], in_step[2];
  float* out;
  std::int64_t out_batch, out_size[2], out_step[2];
  const float* weights;
  std::int64_t weights_in, weights_out, weights_step[2];
  std::int64_t low[2], tiles[2];  // tiles of 4x4 results
  float* transformed;             // weights, of weight_bytes()
};
struct WinogradKernel {
  std::int64_t (*weight_bytes)(std::int64_t in_features, std::int64_t out_features);
  /// Of input features [begin, end).
  void (*transform_weights)(const WinogradArgs& args, std::int64_t begin, std::int64_t end);
  std::int64_t (*workspace_bytes)(std::int64_t in_features, std::int64_t out_features, std::int64_t tiles);
  /// Tiles [first, first + count) of all images; `workspace` is 64-byte aligned.
  void (*run)(const WinogradArgs& args, std::int64_t first, std::int64_t count, char* workspace);
};

struct CholeskyKernel {
  /// One n x n matrix, row-major, as cholesky.h says; `workspace` holds workspace_bytes(n) and is 64-byte aligned.
  void (*factor)(const char* in, char* out, std::int64_t n, bool lower, char* workspace);
  std::int64_t (*workspace_bytes)(std::int64_t n);
};

/// The instruction sets that the kernels are compiled for.
enum class Isa : std::uint8_t { kBaseline, kV3, kV4 };
inline constexpr int kNumIsas = 3;

}  // namespace weft::cpu
