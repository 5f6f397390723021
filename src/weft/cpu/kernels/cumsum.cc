// Splits running sums over threads: rows and tiles of columns; and one long row, whose blocks are summed first.
#include "weft/cpu/kernels/cumsum.h"

#include <algorithm>
#include <cstring>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/cpu/kernels/scratch.h"
#include "weft/ir/contraction.h"

namespace weft::cpu {
namespace {

static_assert(kCumsumRun == kCumsumBlock);

// Bytes of input worth handing to another thread.
constexpr std::int64_t kRangeBytes = 1 << 20;
// Blocks of a long row that are one thread's part.
constexpr std::int64_t kPartBlocks = 2048;

template <class W>
void add_up(W* sums, std::int64_t n) {
  W before = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const W own = sums[i];
    sums[i] = before;
    before = static_cast<W>(before + own);
  }
}

// sums[i] becomes that of all before it.
void sums_before(const CumsumKernel& k, char* sums, std::int64_t n) {
  if (!k.integer) return add_up(reinterpret_cast<double*>(sums), n);
  switch (k.sum_bytes) {
    case 1: return add_up(reinterpret_cast<std::uint8_t*>(sums), n);
    case 2: return add_up(reinterpret_cast<std::uint16_t*>(sums), n);
    case 4: return add_up(reinterpret_cast<std::uint32_t*>(sums), n);
    default: return add_up(reinterpret_cast<std::uint64_t*>(sums), n);
  }
}

void long_row(const CumsumKernel& k, bool reverse, const char* x, char* y, std::int64_t n) {
  const std::int64_t part = kPartBlocks * kCumsumBlock, parts = (n - 1) / part + 1;
  Scratch sums(((n - 1) / kCumsumBlock + 1) * k.sum_bytes);
  // Part p holds elements [p, p + 1) * part of the sum.
  const auto each_part = [&](auto&& f) {
    parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t p = begin; p < end; ++p) {
        const std::int64_t first = p * part, m = std::min(part, n - first);
        f((reverse ? n - first - m : first) * k.bytes, m, sums.data() + p * kPartBlocks * k.sum_bytes);
      }
    });
  };
  each_part([&](std::int64_t at, std::int64_t m, char* own) { k.block_sums(x + at, own, m); });
  sums_before(k, sums.data(), (n - 1) / kCumsumBlock + 1);
  each_part([&](std::int64_t at, std::int64_t m, char* own) {
    char carry[8];
    std::memcpy(carry, own, k.sum_bytes);
    k.row(x + at, y + at, m, carry);
  });
}

}  // namespace

bool can_cumsum(DType t) { return !is_storage(t) && isa_kernels().cumsum(real_dtype(t), false) != nullptr; }

void cumsum(DType t, DimSpan shape, std::int64_t axis, bool reverse, const void* in, void* out) {
  internal_check(can_cumsum(t), "cumsum: no kernel for this type");
  const CumsumKernel& k = *isa_kernels().cumsum(real_dtype(t), reverse);
  const auto at = static_cast<std::size_t>(axis);
  const std::int64_t n = shape[at], outer = product(shape.first(at));
  // Both parts of complex numbers are sums of their own.
  const std::int64_t inner = product(shape.subspan(at + 1)) * (is_complex(t) ? 2 : 1);
  if (n * outer * inner == 0) return;
  const char* x = static_cast<const char*>(in);
  char* y = static_cast<char*>(out);
  const std::int64_t row_bytes = n * k.bytes;
  if (inner == 1) {
    if (num_threads() > 1 && outer < 2 * num_threads() && row_bytes >= 2 * kRangeBytes) {
      for (std::int64_t o = 0; o < outer; ++o) long_row(k, reverse, x + o * row_bytes, y + o * row_bytes, n);
      return;
    }
    parallel_for(outer, std::max<std::int64_t>(1, kRangeBytes / row_bytes), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) {
        char carry[8] = {};
        k.row(x + o * row_bytes, y + o * row_bytes, n, carry);
      }
    });
    return;
  }
  // Wide tiles read memory best, unless there are too few for all threads.
  const std::int64_t per_thread = outer >= num_threads() ? inner : (inner - 1) / num_threads() + 1;
  const std::int64_t tile = std::min(kCumsumTile, std::max<std::int64_t>(256, per_thread));
  const std::int64_t tiles = (inner - 1) / tile + 1, work = row_bytes * std::min(inner, tile);
  parallel_for(outer * tiles, std::max<std::int64_t>(1, kRangeBytes / work), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i % tiles * tile;
      const std::int64_t start = (i / tiles * n * inner + first) * k.bytes;
      k.columns(x + start, y + start, n, std::min(tile, inner - first), inner);
    }
  });
}

}  // namespace weft::cpu
