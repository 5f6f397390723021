#include "weft/cpu/library/onednn.h"

#ifdef WEFT_HAVE_ONEDNN
#include <dnnl.h>

#include <algorithm>

#include "weft/cpu/library/one_thread.h"
#endif

namespace weft::cpu {

#ifdef WEFT_HAVE_ONEDNN
namespace {

// How BLAS sees a rows x columns operand: 'N' when columns are adjacent, 'T' when rows are; 0 for neither.
char order(std::int64_t rows, std::int64_t columns, std::int64_t row, std::int64_t column, std::int64_t* leading) {
  if ((column == 1 || columns == 1) && (row >= columns || rows == 1)) {
    *leading = std::max(rows == 1 ? columns : row, columns);
    return 'N';
  }
  if ((row == 1 || rows == 1) && (column >= rows || columns == 1)) {
    *leading = std::max(columns == 1 ? rows : column, rows);
    return 'T';
  }
  return 0;
}

// Frees what a C interface made.
template <class T, dnnl_status_t (*kDestroy)(T)>
struct Handle {
  T h{};
  ~Handle() {
    if (h) kDestroy(h);
  }
};

dnnl_engine_t engine() {
  // Kept for the life of the process, like the library's own caches.
  static dnnl_engine* const e = []() -> dnnl_engine* {
    dnnl_engine_t made = nullptr;
    return dnnl_engine_create(&made, dnnl_cpu, 0) == dnnl_success ? made : nullptr;
  }();
  return e;
}

bool ok(dnnl_status_t s) { return s == dnnl_success; }

}  // namespace

bool have_onednn() { return true; }

bool onednn_sgemm(const GemmArgs& g) {
  std::int64_t lda = 0, ldb = 0;
  const char ta = order(g.m, g.k, g.a_row, g.a_col, &lda), tb = order(g.k, g.n, g.b_row, g.b_col, &ldb);
  if (!ta || !tb || g.c_row < g.n) return false;
  OneThread one;
  return ok(dnnl_sgemm(ta, tb, g.m, g.n, g.k, 1.0f, static_cast<const float*>(g.a), lda, static_cast<const float*>(g.b),
                       ldb, 0.0f, static_cast<float*>(g.c), g.c_row));
}

#if DNNL_VERSION_MAJOR == 2
bool onednn_takes_bf16(const GemmArgs& g) {
  std::int64_t unused;
  return order(g.m, g.k, g.a_row, g.a_col, &unused) && order(g.k, g.n, g.b_row, g.b_col, &unused) && engine();
}
bool onednn_bf16_gemm(const GemmArgs& g, bool bf16_result) {
  if (!onednn_takes_bf16(g)) return false;
  OneThread one;
  const dnnl_dims_t a_dims = {g.m, g.k}, a_strides = {g.a_row, g.a_col}, b_dims = {g.k, g.n},
                    b_strides = {g.b_row, g.b_col}, c_dims = {g.m, g.n}, c_strides = {g.c_row, 1};
  dnnl_memory_desc_t a, b, c;
  dnnl_matmul_desc_t product;
  if (!ok(dnnl_memory_desc_init_by_strides(&a, 2, a_dims, dnnl_bf16, a_strides)) ||
      !ok(dnnl_memory_desc_init_by_strides(&b, 2, b_dims, dnnl_bf16, b_strides)) ||
      !ok(dnnl_memory_desc_init_by_strides(&c, 2, c_dims, bf16_result ? dnnl_bf16 : dnnl_f32, c_strides)) ||
      !ok(dnnl_matmul_desc_init(&product, &a, &b, nullptr, &c)))
    return false;
  Handle<dnnl_primitive_desc_t, dnnl_primitive_desc_destroy> description;
  Handle<dnnl_primitive_t, dnnl_primitive_destroy> primitive;
  Handle<dnnl_stream_t, dnnl_stream_destroy> stream;
  Handle<dnnl_memory_t, dnnl_memory_destroy> memory[3];
  if (!ok(dnnl_primitive_desc_create(&description.h, &product, nullptr, engine(), nullptr)) ||
      !ok(dnnl_primitive_create(&primitive.h, description.h)) ||
      !ok(dnnl_stream_create(&stream.h, engine(), dnnl_stream_default_flags)) ||
      !ok(dnnl_memory_create(&memory[0].h, &a, engine(), const_cast<void*>(g.a))) ||
      !ok(dnnl_memory_create(&memory[1].h, &b, engine(), const_cast<void*>(g.b))) ||
      !ok(dnnl_memory_create(&memory[2].h, &c, engine(), g.c)))
    return false;
  const dnnl_exec_arg_t args[3] = {
      {DNNL_ARG_SRC, memory[0].h}, {DNNL_ARG_WEIGHTS, memory[1].h}, {DNNL_ARG_DST, memory[2].h}};
  return ok(dnnl_primitive_execute(primitive.h, stream.h, 3, args)) && ok(dnnl_stream_wait(stream.h));
}
#else
// The descriptor interface changed; bf16 operands are converted instead.
bool onednn_takes_bf16(const GemmArgs&) { return false; }
bool onednn_bf16_gemm(const GemmArgs&, bool) { return false; }
#endif

#else

bool have_onednn() { return false; }
bool onednn_sgemm(const GemmArgs&) { return false; }
bool onednn_takes_bf16(const GemmArgs&) { return false; }
bool onednn_bf16_gemm(const GemmArgs&, bool) { return false; }

#endif

}  // namespace weft::cpu
