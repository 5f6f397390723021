#include "weft/ops/block_solve.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace weft::ops {
namespace {

constexpr std::int64_t kBlock = 128;

// The inverse of the triangle at `a` (size x size, rows `stride` apart): the matrix is scaled to a unit diagonal, whose
// inverse is filled in row by row away from the corner that is its own inverse.
std::vector<float> inverse(const float* a, std::int64_t stride, std::int64_t size, bool lower, bool unit_diagonal) {
  std::vector<float> inv(static_cast<std::size_t>(size * size));
  const auto diagonal = [&](std::int64_t i) { return unit_diagonal ? 1.0f : a[i * stride + i]; };
  for (std::int64_t done = 0; done < size; ++done) {
    const std::int64_t i = lower ? done : size - 1 - done;
    float* row = &inv[static_cast<std::size_t>(i * size)];
    row[i] = 1;
    const std::int64_t begin = lower ? 0 : i + 1, end = lower ? i : size;
    // The row's own 1 comes first or last of its sum, and only its own column has it.
    std::vector<float> sums(static_cast<std::size_t>(size), 0.0f);
    for (std::int64_t k = begin; k < end; ++k) {
      const float scaled = a[i * stride + k] / diagonal(k);
      const float* other = &inv[static_cast<std::size_t>(k * size)];
      for (std::int64_t c = begin; c < end; ++c) {
        float& sum = sums[static_cast<std::size_t>(c)];
        sum = std::fma(scaled, other[c], sum);
      }
    }
    for (std::int64_t c = begin; c < end; ++c) row[c] = -sums[static_cast<std::size_t>(c)];
  }
  for (std::int64_t i = 0; i < size; ++i)
    for (std::int64_t c = 0; c < size; ++c) inv[static_cast<std::size_t>(i * size + c)] /= diagonal(i);
  return inv;
}

}  // namespace

void block_solve(const TriangularSolveParams& p, std::int64_t n, std::int64_t columns, const float* a, float* b) {
  const bool transposed = p.transpose_a != TransposeA::kNoTranspose;
  // Unknowns are `step` apart in b, right-hand sides `next`; x op(a) = b is op(a)^T x^T = b^T.
  const std::int64_t step = p.left_side ? columns : 1, next = p.left_side ? 1 : n;
  const bool swapped = transposed == p.left_side;  // the system's matrix is a's transpose
  const bool forwards = p.lower != swapped;
  const std::int64_t blocks = (n + kBlock - 1) / kBlock;
  std::vector<float> right;  // of one block: right-hand side, then unknowns
  for (std::int64_t done = 0; done < blocks; ++done) {
    const std::int64_t block = forwards ? done : blocks - 1 - done;
    const std::int64_t at = block * kBlock, size = std::min(kBlock, n - at);
    const std::vector<float> inv = inverse(a + at * n + at, n, size, p.lower, p.unit_diagonal);
    const std::int64_t begin = forwards ? 0 : at + size, end = forwards ? at : n;  // the unknowns found so far
    right.assign(static_cast<std::size_t>(size), 0.0f);
    for (std::int64_t c = 0; c < columns; ++c) {
      float* x = b + c * next;
      // A sum of products in two accumulators, of the even and of the odd terms.
      const auto product = [&](std::int64_t from, std::int64_t to, auto&& coefficient, auto&& value) {
        float even = 0, odd = 0;
        for (std::int64_t k = from; k < to; ++k) {
          float& sum = (k - from) % 2 == 0 ? even : odd;
          sum = std::fma(coefficient(k), value(k), sum);
        }
        return even + odd;
      };
      for (std::int64_t i = 0; i < size; ++i) {
        const float known =
            begin == end
                ? 0.0f
                : product(
                      begin, end, [&](std::int64_t k) { return swapped ? a[k * n + at + i] : a[(at + i) * n + k]; },
                      [&](std::int64_t k) { return x[k * step]; });
        right[static_cast<std::size_t>(i)] = x[(at + i) * step] - known;
      }
      for (std::int64_t i = 0; i < size; ++i)
        x[(at + i) * step] = product(
            0, size,
            [&](std::int64_t k) { return inv[static_cast<std::size_t>(swapped ? k * size + i : i * size + k)]; },
            [&](std::int64_t k) { return right[static_cast<std::size_t>(k)]; });
    }
  }
}

}  // namespace weft::ops
