// Decompositions of matrices. Of the peers' workloads inv_batched, svd, eigh and solve are not here: Weft has no LU,
// QR, SVD or symmetric eigenvalues yet.
#include "weft_case.h"

namespace workloads {

void add_linalg(Cases& cases) {
  cases.push_back(weft_case("cholesky_batched", "256x64x64", {.flops = 256.0 * 64 * 64 * 64 / 3}, [] {
    const Array a = normal(0, {256, 64, 64});
    const Array positive = np::matmul(a, np::matrix_transpose(a)) + 64.0f * np::eye(64);
    return compiled([](Array x) { return lax::cholesky(x); }, positive);
  }));
}

}  // namespace workloads
