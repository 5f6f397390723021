#include "weft/cpu/library/dot.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "weft/base/error.h"
#include "weft/base/thread_pool.h"

#ifdef WEFT_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>

// oneDNN's threads are OpenMP's. Ours are already parallel, so each calls with one.
extern "C" {
void omp_set_num_threads(int);
int omp_get_max_threads(void);
}
#endif

namespace weft::cpu {

#ifdef WEFT_HAVE_ONEDNN

namespace {

class SingleThreaded {
 public:
  SingleThreaded() : saved_(omp_get_max_threads()) {
    if (saved_ != 1) omp_set_num_threads(1);
  }
  ~SingleThreaded() {
    if (saved_ != 1) omp_set_num_threads(saved_);
  }

 private:
  int saved_;
};

// One group of axes (batch, rows, columns or contracted) walked as a single axis.
struct Group {
  std::int64_t size = 1, stride = 0;
};

// The axes as one, when their strides allow; false otherwise.
bool collapse(DimSpan shape, DimSpan strides, DimSpan axes, Group& group) {
  group = {};
  bool first = true;
  for (std::size_t i = axes.size(); i-- > 0;) {
    const auto a = static_cast<std::size_t>(axes[i]);
    if (shape[a] == 1) continue;
    if (first) group.stride = strides[a];
    else if (strides[a] != group.stride * group.size) return false;
    first = false;
    group.size *= shape[a];
  }
  return true;
}

Dims free_axes(std::size_t rank, DimSpan contracting, DimSpan batch) {
  Dims r;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(rank); ++i)
    if (std::find(contracting.begin(), contracting.end(), i) == contracting.end() && std::find(batch.begin(), batch.end(), i) == batch.end())
      r.push_back(i);
  return r;
}

// One operand as matrices: element (b, row, k) at b * batch + row * row_stride + k * k_stride.
struct Side {
  Group batch, row, k;
  bool packed = false;
  Dims order;  // the axes in the order batch, row, k, for packing
};

Side plan_side(Aval aval, DimSpan contracting, DimSpan batch) {
  Side s;
  const Dims strides = row_major_strides(aval.shape());
  const Dims rows = free_axes(aval.shape().size(), contracting, batch);
  const bool direct = collapse(aval.shape(), strides, batch, s.batch) && collapse(aval.shape(), strides, rows, s.row) &&
                      collapse(aval.shape(), strides, contracting, s.k);
  const auto unit = [](const Group& g) { return g.size == 1 || g.stride == 1; };
  if (direct && (unit(s.row) || unit(s.k))) return s;
  s.packed = true;
  s.order.append(batch.begin(), batch.end());
  s.order.append(rows.begin(), rows.end());
  s.order.append(contracting.begin(), contracting.end());
  s.k = {s.k.size, 1};
  const auto size = [&](DimSpan axes) {
    std::int64_t n = 1;
    for (const std::int64_t a : axes) n *= aval.shape(static_cast<std::size_t>(a));
    return n;
  };
  s.k = {size(contracting), 1};
  s.row = {size(rows), s.k.size};
  s.batch = {size(batch), s.row.size * s.k.size};
  return s;
}

// Copies the operand so that its axes follow `order`.
void pack(Aval aval, DimSpan order, const float* from, float* to) {
  const Dims strides = row_major_strides(aval.shape());
  Dims sizes, steps;
  for (const std::int64_t a : order) {
    sizes.push_back(aval.shape(static_cast<std::size_t>(a)));
    steps.push_back(strides[static_cast<std::size_t>(a)]);
  }
  const std::int64_t inner = sizes.back(), step = steps.back(), outer = aval.size() / std::max<std::int64_t>(inner, 1);
  Dims at(sizes.size(), 0);
  for (std::int64_t o = 0; o < outer; ++o) {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i + 1 < at.size(); ++i) offset += at[i] * steps[i];
    for (std::int64_t i = 0; i < inner; ++i) *to++ = from[offset + i * step];
    for (std::size_t i = at.size() - 1; i-- > 0;) {
      if (++at[i] < sizes[i]) break;
      at[i] = 0;
    }
  }
}

// A matrix as sgemm takes it: 'N' when its columns are next to each other, else transposed.
struct Matrix {
  char transposed;
  std::int64_t leading;
};
Matrix matrix(const Group& rows, const Group& columns) {
  if (columns.size == 1 || columns.stride == 1) return {'N', std::max(rows.size == 1 ? columns.size : rows.stride, columns.size)};
  return {'T', std::max(columns.stride, rows.size)};
}

constexpr std::int64_t kParallelFlops = 1 << 21;  // below, waking a thread costs more than it saves

void gemm(const Matrix& a, const Matrix& b, std::int64_t m, std::int64_t n, std::int64_t k, const float* x, const float* y, float* z,
          std::int64_t ldz) {
  const dnnl_status_t status = dnnl_sgemm(a.transposed, b.transposed, m, n, k, 1.0f, x, a.leading, y, b.leading, 0.0f, z, ldz);
  if (status != dnnl_success) throw BackendError("dot_general: oneDNN's sgemm failed with status " + std::to_string(status) + ".");
}

}  // namespace

std::function<void(const void* const* in, void* const* out)> plan_dot_general(const DotGeneralParams& params, Aval lhs, Aval rhs, Aval out) {
  if (lhs.dtype() != f32 || out.dtype() != f32) return nullptr;
  const DotDimensionNumbers& d = params.dimension_numbers;
  const Side x = plan_side(lhs, d.lhs_contracting, d.lhs_batch), y = plan_side(rhs, d.rhs_contracting, d.rhs_batch);
  const std::int64_t batch = x.batch.size, m = x.row.size, n = y.row.size, k = x.k.size;
  if (out.size() == 0) return [](const void* const*, void* const*) {};
  if (k == 0)
    return [bytes = static_cast<std::size_t>(out.bytes())](const void* const*, void* const* o) { std::memset(o[0], 0, bytes); };
  return [=](const void* const* in, void* const* o) {
    std::vector<float> packed_x, packed_y;
    const float* p = static_cast<const float*>(in[0]);
    const float* q = static_cast<const float*>(in[1]);
    if (x.packed) {
      packed_x.resize(static_cast<std::size_t>(lhs.size()));
      pack(lhs, x.order, p, packed_x.data());
      p = packed_x.data();
    }
    if (y.packed) {
      packed_y.resize(static_cast<std::size_t>(rhs.size()));
      pack(rhs, y.order, q, packed_y.data());
      q = packed_y.data();
    }
    float* z = static_cast<float*>(o[0]);
    const Matrix a = matrix(x.row, x.k), b = matrix(y.k, y.row);
    const std::int64_t flops = 2 * m * n * k;
    if (batch > 1) {
      parallel_for(batch, std::max<std::int64_t>(1, kParallelFlops / std::max<std::int64_t>(flops, 1)), [&](std::int64_t begin, std::int64_t end) {
        const SingleThreaded single;
        for (std::int64_t i = begin; i < end; ++i) gemm(a, b, m, n, k, p + i * x.batch.stride, q + i * y.batch.stride, z + i * m * n, n);
      });
      return;
    }
    // Split the longer side of the result into as many parts as there are threads.
    const bool rows = m >= n;
    const std::int64_t length = rows ? m : n;
    const std::int64_t parts = flops < kParallelFlops ? 1 : std::min<std::int64_t>(num_threads(), length);
    parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
      const SingleThreaded single;
      const std::int64_t from = length * begin / parts, to = length * end / parts;
      if (rows) gemm(a, b, to - from, n, k, p + from * x.row.stride, q, z + from * n, n);
      else gemm(a, b, m, to - from, k, p, q + from * y.row.stride, z + from, n);
    });
  };
}

#else

std::function<void(const void* const* in, void* const* out)> plan_dot_general(const DotGeneralParams&, Aval, Aval, Aval) { return nullptr; }

#endif

}  // namespace weft::cpu
