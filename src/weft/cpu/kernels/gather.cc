#include "weft/cpu/kernels/gather.h"

#include <algorithm>
#include <cstring>

#include "weft/base/thread_pool.h"

namespace weft::cpu {

namespace {

template <class I>
void copy_rows(const char* from, const I* ids, char* to, std::int64_t n, std::int64_t rows, std::int64_t bytes) {
  const std::int64_t grain = std::max<std::int64_t>(1, (1 << 18) / std::max<std::int64_t>(bytes, 1));
  parallel_for(n, grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t id = std::clamp<std::int64_t>(ids[i], 0, rows - 1);
      std::memcpy(to + i * bytes, from + id * bytes, static_cast<std::size_t>(bytes));
    }
  });
}

}  // namespace

std::function<void(const void* const* in, void* const* out)> plan_gather_rows(const GatherParams& p, Aval x, Aval indices, Aval out) {
  const GatherDimensionNumbers& d = p.dimension_numbers;
  const bool clip = p.mode == IndexMode::kClip || p.mode == IndexMode::kPromise;
  const bool narrow = indices.dtype() == i32;
  if (!clip || !(narrow || indices.dtype() == i64) || !d.operand_batching_dims.empty()) return nullptr;
  if (d.start_index_map != Dims{0} || d.collapsed_slice_dims != Dims{0} || x.size() == 0) return nullptr;
  for (int i = 1; i < x.ndim(); ++i)
    if (p.slice_sizes[static_cast<std::size_t>(i)] != x.shape(static_cast<std::size_t>(i))) return nullptr;
  // The window's axes must be the last of the result.
  const int first = out.ndim() - static_cast<int>(d.offset_dims.size());
  for (std::size_t i = 0; i < d.offset_dims.size(); ++i)
    if (d.offset_dims[i] != first + static_cast<std::int64_t>(i)) return nullptr;
  const std::int64_t rows = x.shape(0), bytes = x.bytes() / rows, n = indices.size();
  return [=](const void* const* in, void* const* o) {
    const char* from = static_cast<const char*>(in[0]);
    char* to = static_cast<char*>(o[0]);
    if (narrow) copy_rows(from, static_cast<const std::int32_t*>(in[1]), to, n, rows, bytes);
    else copy_rows(from, static_cast<const std::int64_t*>(in[1]), to, n, rows, bytes);
  };
}

}  // namespace weft::cpu
