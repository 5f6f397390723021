// Products of matrices.
#include "weft_case.h"

namespace workloads {

namespace {

const auto product = [](Array a, Array b) { return np::matmul(a, b); };

double flops(double m, double n, double k) { return 2 * m * n * k; }

}  // namespace

void add_products(Cases& cases) {
  struct Shape {
    const char* params;
    std::int64_t m, n, k;
  };
  for (const Shape& s :
       {Shape{"128x512x784", 128, 512, 784}, Shape{"512", 512, 512, 512}, Shape{"1024", 1024, 1024, 1024},
        Shape{"1024x1024x256", 1024, 1024, 256}, Shape{"2048", 2048, 2048, 2048}, Shape{"5000", 5000, 5000, 5000}}) {
    const auto amount = flops(static_cast<double>(s.m), static_cast<double>(s.n), static_cast<double>(s.k));
    cases.push_back(weft_case("gemm_f32", s.params, {.flops = amount},
                              [s] { return compiled(product, normal(0, {s.m, s.k}), normal(1, {s.k, s.n})); }));
  }
  for (const std::int64_t n : {1024, 2048}) {
    const auto size = static_cast<double>(n);
    cases.push_back(weft_case("gemm_bf16", std::to_string(n), {.flops = flops(size, size, size)}, [n] {
      return compiled(product, normal(0, {n, n}).astype(weft::bf16), normal(1, {n, n}).astype(weft::bf16));
    }));
  }
  cases.push_back(weft_case("bgemm_f32", "64x128^3", {.flops = 64 * flops(128, 128, 128)},
                            [] { return compiled(product, normal(0, {64, 128, 128}), normal(1, {64, 128, 128})); }));
  cases.push_back(weft_case("gemv_f32", "1024", {.flops = flops(1024, 1, 1024)},
                            [] { return compiled(product, normal(0, {1024, 1024}), normal(1, {1024})); }));
}

}  // namespace workloads
