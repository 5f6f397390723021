// Runs elementwise kernels: merges dimensions, walks operands that repeat, splits large work.
// Knows nothing of what is computed. The loops see runs in which each operand is dense or one value.
#include "weft/cpu/kernels/elementwise.h"

#include <algorithm>
#include <cstring>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/cpu/kernels/sized_element.h"
#include "weft/ir/aval.h"

namespace weft::cpu {
namespace {

constexpr int kMaxOperands = 3;
// A range for another thread must be worth waking it (about 40 us on a virtual machine).
constexpr float kRangeNanoseconds = 60000;
// Results larger than this go past the caches: they would push everything else out and be fetched before written.
constexpr std::int64_t kStreamBytes = std::int64_t{16} << 20;
constexpr std::int64_t kStreamPiece = 8192;
// Rows shorter than this are put together from pieces.
constexpr std::int64_t kShortRow = 128;
constexpr std::int64_t kPiece = 512;
constexpr std::int64_t kPatternLimit = 512;

std::int64_t grain_of(const ElementwiseKernel& k) {
  return (static_cast<std::int64_t>(kRangeNanoseconds / k.cost) + kPiece) / kPiece * kPiece;
}

bool aliases_input(const ElementwiseKernel& k, const void* const* in, unsigned scalar, const void* out) {
  for (int i = 0; i < k.operands; ++i)
    if (!(scalar >> i & 1u) && in[i] == out) return true;  // NOLINT(clang-analyzer-core.*): callers fill in[]
  return false;
}

// One run, from element `begin` of the flat operands.
void flat_range(const ElementwiseKernel& k, const void* const* in, unsigned scalar, void* out, std::int64_t begin,
                std::int64_t end, bool streaming) {
  const char* p[kMaxOperands];
  for (int i = 0; i < k.operands; ++i)
    p[i] = static_cast<const char*>(in[i]) + (scalar >> i & 1u ? 0 : begin * k.in_bytes[i]);
  char* o = static_cast<char*>(out) + begin * k.out_bytes;
  if (!streaming) {
    k.loop(p, scalar, o, end - begin);
    return;
  }
  const auto stream = isa_kernels().stream;
  alignas(64) char piece[kStreamPiece];
  const std::int64_t step = kStreamPiece / k.out_bytes;
  for (std::int64_t i = begin; i < end; i += step) {
    const std::int64_t m = std::min(step, end - i);
    k.loop(p, scalar, piece, m);
    stream(o, piece, m * k.out_bytes);
    for (int j = 0; j < k.operands; ++j)
      if (!(scalar >> j & 1u)) p[j] += m * k.in_bytes[j];
    o += m * k.out_bytes;
  }
}

void fill(char* to, const char* value, std::int64_t n, int bytes) {
  switch (bytes) {
    case 1: std::memset(to, *value, static_cast<std::size_t>(n)); return;
    case 2: {
      std::uint16_t v;
      std::memcpy(&v, value, 2);
      for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + 2 * i, &v, 2);
      return;
    }
    case 4: {
      std::uint32_t v;
      std::memcpy(&v, value, 4);
      for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + 4 * i, &v, 4);
      return;
    }
    case 8: {
      std::uint64_t v;
      std::memcpy(&v, value, 8);
      for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + 8 * i, &v, 8);
      return;
    }
    default:
      for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + bytes * i, value, static_cast<std::size_t>(bytes));
  }
}

// Elements [begin, begin + n) of a column of values repeated along rows of `row` elements.
template <class T>
void spread_column(const char* column, std::int64_t row, std::int64_t begin, std::int64_t n, char* out) {
  T* to = reinterpret_cast<T*>(out);
  std::int64_t r = begin / row, part = std::min(row - begin % row, n);
  while (n > 0) {
    T v;
    std::memcpy(&v, column + r * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    for (std::int64_t i = 0; i < part; ++i) to[i] = v;
    to += part;
    n -= part;
    part = std::min(row, n);
    ++r;
  }
}
void spread_column(const char* column, std::int64_t row, std::int64_t begin, std::int64_t n, char* out, int bytes) {
  with_element(bytes, [&]<class T>(T) { spread_column<T>(column, row, begin, n, out); });
}

// The output's shape with neighbouring dimensions merged where every operand treats them alike.
struct Plan {
  int rank = 0;
  std::int64_t dims[kMaxRank];
  std::int64_t strides[kMaxOperands][kMaxRank];  // elements; 0 where the operand repeats
  unsigned scalar = 0;                           // operands that are one value along the last dimension
  unsigned dense = 0;                            // operands that repeat nowhere
  std::int64_t period[kMaxOperands] = {};        // of operands that repeat over leading dimensions only; else 0
};

Plan make_plan(const ElementwiseKernel& k, DimSpan shape, const Operand* in) {
  Plan plan;
  unsigned last = ~0u;
  std::uint32_t masks[kMaxRank];  // bit i: operand i repeats along the merged dimension
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    unsigned mask = 0;
    for (int i = 0; i < k.operands; ++i) mask |= (in[i].repeated >> d & 1u) << i;
    if (mask == last) {
      plan.dims[plan.rank - 1] *= shape[d];
    } else {
      plan.dims[plan.rank] = shape[d];
      masks[plan.rank++] = mask;
      last = mask;
    }
  }
  if (plan.rank == 0) {
    plan.dims[0] = 1;
    masks[0] = 0;
    plan.rank = 1;
  }
  plan.scalar = masks[plan.rank - 1];
  for (int i = 0; i < k.operands; ++i) {
    std::int64_t step = 1;
    bool dense = true, leading_only = true;
    for (int d = plan.rank - 1; d >= 0; --d) {
      const bool repeats = masks[d] >> i & 1u;
      plan.strides[i][d] = repeats ? 0 : step;
      if (!repeats) {
        if (!dense) leading_only = false;
        step *= plan.dims[d];
      } else {
        dense = false;
      }
    }
    if (dense) plan.dense |= 1u << i;
    if (!dense && leading_only && step <= kPatternLimit) plan.period[i] = step;
  }
  return plan;
}

// Position in the merged dimensions but the last, and the operands' offsets there.
struct Cursor {
  const Plan& plan;
  int operands;
  std::int64_t index[kMaxRank];
  std::int64_t offset[kMaxOperands] = {};

  Cursor(const Plan& p, int count, std::int64_t row) : plan(p), operands(count) {
    for (int d = p.rank - 2; d >= 0; --d) {
      index[d] = row % p.dims[d];
      row /= p.dims[d];
      for (int i = 0; i < count; ++i) offset[i] += index[d] * p.strides[i][d];
    }
  }
  void next() {
    for (int d = plan.rank - 2; d >= 0; --d) {
      ++index[d];
      for (int i = 0; i < operands; ++i) offset[i] += plan.strides[i][d];
      if (index[d] < plan.dims[d]) return;
      for (int i = 0; i < operands; ++i) offset[i] -= index[d] * plan.strides[i][d];
      index[d] = 0;
    }
  }
};

void long_rows(const ElementwiseKernel& k, const Plan& plan, const Operand* in, void* out, std::int64_t begin,
               std::int64_t end, bool streaming) {
  const std::int64_t row = plan.dims[plan.rank - 1];
  Cursor at(plan, k.operands, begin / row);
  std::int64_t column = begin % row;
  for (std::int64_t i = begin; i < end;) {
    const std::int64_t m = std::min(row - column, end - i);
    const void* p[kMaxOperands];
    for (int j = 0; j < k.operands; ++j)
      p[j] =
          static_cast<const char*>(in[j].data) + (at.offset[j] + (plan.scalar >> j & 1u ? 0 : column)) * k.in_bytes[j];
    flat_range(k, p, plan.scalar, static_cast<char*>(out) + i * k.out_bytes, 0, m, streaming);
    i += m;
    column = 0;
    at.next();
  }
}

// Pieces of kPiece elements: operands that repeat are written out piece by piece, or once when they have a period.
void short_rows(const ElementwiseKernel& k, const Plan& plan, const Operand* in, void* out, std::int64_t begin,
                std::int64_t end, bool streaming) {
  alignas(64) char buffers[kMaxOperands][(kPiece + kPatternLimit) * 16];
  const std::int64_t row = plan.dims[plan.rank - 1];
  bool expand = false;
  const bool columns = plan.rank == 2;  // what repeats along rows is then one value per row
  for (int j = 0; j < k.operands; ++j) {
    const std::int64_t bytes = k.in_bytes[j];
    if (plan.period[j]) {
      const std::int64_t wanted = std::min(end - begin, kPiece) + plan.period[j];
      for (std::int64_t i = 0; i < wanted; i += plan.period[j])
        std::memcpy(buffers[j] + i * bytes, in[j].data,
                    static_cast<std::size_t>(std::min(plan.period[j], wanted - i) * bytes));
    } else if (!(plan.dense >> j & 1u) && !columns) {
      expand = true;
    }
  }
  Cursor at(plan, k.operands, begin / row);
  std::int64_t column = begin % row;
  for (std::int64_t i = begin; i < end;) {
    const std::int64_t m = std::min(kPiece, end - i);
    const void* p[kMaxOperands];
    for (int j = 0; j < k.operands; ++j) {
      if (plan.dense >> j & 1u)
        p[j] = static_cast<const char*>(in[j].data) + i * k.in_bytes[j];
      else if (plan.period[j])
        p[j] = buffers[j] + i % plan.period[j] * k.in_bytes[j];
      else
        p[j] = buffers[j];
      if (columns && p[j] == buffers[j] && !plan.period[j])
        spread_column(static_cast<const char*>(in[j].data), row, i, m, buffers[j], k.in_bytes[j]);
    }
    if (expand) {
      for (std::int64_t done = 0; done < m;) {
        const std::int64_t part = std::min(row - column, m - done);
        for (int j = 0; j < k.operands; ++j) {
          if (plan.dense >> j & 1u || plan.period[j]) continue;
          const int bytes = k.in_bytes[j];
          const char* from = static_cast<const char*>(in[j].data) + at.offset[j] * bytes;
          char* to = buffers[j] + done * bytes;
          if (plan.scalar >> j & 1u)
            fill(to, from, part, bytes);
          else
            std::memcpy(to, from + column * bytes, static_cast<std::size_t>(part * bytes));
        }
        done += part;
        column += part;
        if (column == row) {
          column = 0;
          at.next();
        }
      }
    }
    flat_range(k, p, 0, static_cast<char*>(out) + i * k.out_bytes, 0, m, streaming);
    i += m;
  }
}

}  // namespace

const ElementwiseKernel* find_unary(OpCode op, DType t) { return isa_kernels().unary(op, t); }
const ElementwiseKernel* find_binary(OpCode op, DType t) { return isa_kernels().binary(op, t); }
const ElementwiseKernel* find_compare(CompareOp op, DType t) { return isa_kernels().compare(op, t); }
const ElementwiseKernel* find_select(DType t) { return isa_kernels().select(t); }
const ElementwiseKernel* find_clamp(DType t) { return isa_kernels().clamp(t); }
const ElementwiseKernel* find_convert(DType from, DType to) { return isa_kernels().convert(from, to); }
const ElementwiseKernel* find_copy(DType t) { return isa_kernels().copy(t); }

void run_flat(const ElementwiseKernel& k, std::int64_t n, const void* const* in, unsigned scalar, void* out) {
  if (static_cast<float>(n) * k.cost < kRangeNanoseconds) {
    if (n > 0) flat_range(k, in, scalar, out, 0, n, false);
    return;
  }
  const bool streaming = n * k.out_bytes >= kStreamBytes && !aliases_input(k, in, scalar, out);
  parallel_for(n, grain_of(k),
               [&](std::int64_t begin, std::int64_t end) { flat_range(k, in, scalar, out, begin, end, streaming); });
}

void run_elementwise(const ElementwiseKernel& k, DimSpan shape, const Operand* in, void* out) {
  const std::uint32_t all = shape.empty() ? 0 : ~0u >> (32 - shape.size());
  const void* p[kMaxOperands];
  unsigned scalar = 0;
  bool flat = true;
  for (int i = 0; i < k.operands; ++i) {
    p[i] = in[i].data;
    if (in[i].repeated == 0) continue;
    if ((in[i].repeated & all) == all)
      scalar |= 1u << i;
    else
      flat = false;
  }
  const std::int64_t n = product(shape);
  if (flat) {
    run_flat(k, n, p, scalar, out);
    return;
  }
  if (n == 0) return;
  const Plan plan = make_plan(k, shape, in);
  const bool streaming = n * k.out_bytes >= kStreamBytes && !aliases_input(k, p, ~plan.dense, out);
  const auto rows = plan.dims[plan.rank - 1] < kShortRow && plan.rank > 1 ? short_rows : long_rows;
  parallel_for(n, grain_of(k),
               [&](std::int64_t begin, std::int64_t end) { rows(k, plan, in, out, begin, end, streaming); });
}

}  // namespace weft::cpu
