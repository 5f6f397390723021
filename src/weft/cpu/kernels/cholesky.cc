#include "weft/cpu/kernels/cholesky.h"

#include <algorithm>

#include "weft/base/error.h"
#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/cpu/kernels/scratch.h"

namespace weft::cpu {

namespace {

// Multiplications that are worth another thread.
constexpr std::int64_t kRangeProducts = 1 << 17;

}  // namespace

bool can_cholesky(DType t) { return isa_kernels().cholesky(t) != nullptr; }

void cholesky(DType t, std::int64_t count, std::int64_t n, bool lower, const void* in, void* out) {
  const CholeskyKernel* kernel = isa_kernels().cholesky(t);
  internal_check(kernel, "cholesky: no kernel for this type");
  if (n == 0) return;
  const std::int64_t bytes = n * n * byte_size(t), products = std::max<std::int64_t>(1, n * n * n / 6);
  parallel_for(count, std::max<std::int64_t>(1, kRangeProducts / products), [&](std::int64_t begin, std::int64_t end) {
    const Scratch workspace(kernel->workspace_bytes(n));
    for (std::int64_t i = begin; i < end; ++i)
      kernel->factor(static_cast<const char*>(in) + i * bytes, static_cast<char*>(out) + i * bytes, n, lower,
                     workspace.data());
  });
}

}  // namespace weft::cpu
