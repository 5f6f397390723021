// LU and QR factorizations in programs that call LAPACK: LAPACK's own answers, products that give the matrix back, and
// derivatives against differences.
#include <gtest/gtest.h>

#include <complex>

#include "weft/base/error.h"
#include "weft/core/rules.h"
#include "weft/stablehlo/import.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

using C = std::complex<double>;

// "tensor<2x3xf64>"
std::string type(const Dims& shape, const std::string& element) {
  std::string text = "tensor<";
  for (const std::int64_t n : shape) text += std::to_string(n) + "x";
  return text + element + ">";
}

Dims joined(const Dims& batch, const Dims& last) {
  Dims all(batch);
  for (const std::int64_t n : last) all.push_back(n);
  return all;
}

std::string element_of(DType t) { return t == f64 ? "f64" : t == f32 ? "f32" : "complex<f64>"; }

// (lu, pivots, info)
Function lu(DType t, const Dims& batch, std::int64_t m, std::int64_t n) {
  const std::string e = element_of(t), a = type(joined(batch, {m, n}), e),
                    results = a + ", " + type(joined(batch, {std::min(m, n)}), "i32") + ", " + type(batch, "i32");
  const char letter = t == f64 ? 'd' : t == f32 ? 's' : 'z';
  return import("func.func @main(%a: " + a + ") -> (" + results + ") {\n  %0:3 = stablehlo.custom_call @lapack_" +
                std::string(1, letter) + "getrf_ffi(%a) {mhlo.backend_config = {}} : (" + a + ") -> (" + results +
                ")\n  return %0#0, %0#1, %0#2 : " + results + "\n}\n");
}

// (q, packed, taus), q with as many columns as a.
Function qr(DType t, const Dims& batch, std::int64_t m, std::int64_t n) {
  const std::string e = element_of(t), a = type(joined(batch, {m, n}), e),
                    taus = type(joined(batch, {std::min(m, n)}), e),
                    letter = t == f64   ? "d"
                             : t == f32 ? "s"
                                        : "z",
                    generate = is_complex(t) ? "ungqr" : "orgqr";
  const std::int64_t k = std::min(m, n);
  std::string slice = "[";
  for (const std::int64_t size : joined(batch, {m, k}))
    slice += (slice.size() > 1 ? ", " : "") + ("0:" + std::to_string(size));
  const std::string left = type(joined(batch, {m, k}), e);
  return import("func.func @main(%a: " + a + ") -> (" + left + ", " + a + ", " + taus + ") {\n" +
                "  %0:2 = stablehlo.custom_call @lapack_" + letter + "geqrf_ffi(%a) : (" + a + ") -> (" + a + ", " +
                taus + ")\n  %1 = stablehlo.slice %0#0 " + slice + "] : (" + a + ") -> " + left +
                "\n  %2 = stablehlo.custom_call @lapack_" + letter + generate + "_ffi(%1, %0#1) : (" + left + ", " +
                taus + ") -> " + left + "\n  return %2, %0#0, %0#1 : " + left + ", " + a + ", " + taus + "\n}\n");
}

// The phase is no sum of one of the row and one of the column, or the rank would be 2.
Array numbers(DType t, const Dims& shape, double salt) {
  const Array i = lax::iota(f64, Dims{product(shape)}, 0), phase = lax::multiply(lax::square(i), 0.71);
  const Array x = lax::reshape(lax::sine(lax::add(phase, salt)), shape);
  if (!is_complex(t)) return lax::convert(x, t);
  return lax::complex(x, lax::reshape(lax::cosine(lax::add(lax::multiply(phase, 1.37), salt)), shape));
}

double largest(const Array& x) {
  Dims all;
  for (int i = 0; i < x.ndim(); ++i) all.push_back(i);
  return lax::reduce_max(lax::convert(lax::abs(x), f64), all).item<double>();
}

Array masked(const Array& x, bool lower, bool unit) {
  const Array row = lax::iota(i32, x.shape(), 0), column = lax::iota(i32, x.shape(), 1);
  const Array y = lax::select(lower ? lax::gt(row, column) : lax::le(row, column), x, zeros_of(x.aval()));
  return unit ? lax::add(y, lax::convert(lax::eq(row, column), x.dtype())) : y;
}

Array columns(const Array& x, std::int64_t n) { return lax::slice(x, Dims{0, 0}, Dims{x.shape()[0], n}); }
Array rows(const Array& x, std::int64_t n) { return lax::slice(x, Dims{0, 0}, Dims{n, x.shape()[1]}); }

TEST(lu, of_a_known_matrix_is_lapacks) {
  const Array a = lax::reshape(lax::iota(f32, Dims{9}, 0), Dims{3, 3});
  const std::vector<Array> y = lu(f32, {}, 3, 3)(a);
  EXPECT_EQ(y[0].to_vector<float>(), (std::vector<float>{6, 7, 8, 0, 1, 2, 0.5f, 0.5f, 0}));
  EXPECT_EQ(y[1].to_vector<int>(), (std::vector<int>{3, 3, 3}));
  EXPECT_EQ(y[2].item<int>(), 3);  // the pivot that is 0
}

TEST(lu, gives_the_matrix_back) {
  for (const DType t : {f64, c128})
    for (const auto& [m, n] : {std::pair(4, 4), std::pair(5, 3), std::pair(3, 5), std::pair(1, 1)}) {
      const Array a = numbers(t, {m, n}, 0.5);
      const std::vector<Array> y = lu(t, {}, m, n)(a);
      const std::int64_t k = std::min(m, n);
      const Array product = np::matmul(masked(columns(y[0], k), true, true), masked(rows(y[0], k), false, false));
      // The swaps, in order, on the matrix itself.
      Array swapped = a;
      const std::vector<int> pivots = y[1].to_vector<int>();
      for (std::int64_t i = 0; i < k; ++i) {
        const std::int64_t p = pivots[static_cast<std::size_t>(i)] - 1;
        std::vector<int> order(static_cast<std::size_t>(m));
        for (std::size_t r = 0; r < order.size(); ++r) order[r] = static_cast<int>(r);
        std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(p)]);
        swapped = np::take(swapped, Array(order), 0);
      }
      EXPECT_LT(largest(product - swapped), 1e-14) << m << " " << n;
      EXPECT_LE(largest(masked(columns(y[0], k), true, false)), is_complex(t) ? 1.5 : 1.0);
      EXPECT_EQ(y[2].item<int>(), 0);
    }
}

TEST(lu, of_a_batch_is_that_of_each) {
  const Array a = numbers(f64, {2, 3, 4, 4}, 1.5);
  const std::vector<Array> all = lu(f64, {2, 3}, 4, 4)(a);
  const Function one = lu(f64, {}, 4, 4);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j) {
      const std::vector<Array> y = one(a(i, j));
      EXPECT_EQ(all[0](i, j).to_vector<double>(), y[0].to_vector<double>());
      EXPECT_EQ(all[1](i, j).to_vector<int>(), y[1].to_vector<int>());
    }
  EXPECT_EQ(lu(f64, {0}, 4, 4)(np::zeros({0, 4, 4}, f64))[0].size(), 0);
  EXPECT_EQ(lu(f64, {}, 0, 4)(np::zeros({0, 4}, f64))[2].item<int>(), 0);
}

// Central differences along one direction.
template <class F>
void differentiates(const F& loss, const Array& a, double tolerance) {
  const Array t = numbers(f64, Dims(a.shape()), 9.25), g = grad(loss)(a);
  const double h = 1e-6, slope = np::sum(g * t).template item<double>();
  const double difference =
      (loss(a + h * t).template item<double>() - loss(a - h * t).template item<double>()) / (2 * h);
  EXPECT_NEAR(slope, difference, tolerance);
}

TEST(lu, has_derivatives) {
  const Function f = lu(f64, {}, 4, 4);
  differentiates([&](Array a) { return np::sum(f(a)[0] * numbers(f64, {4, 4}, 3.5)); }, numbers(f64, {4, 4}, 0.5),
                 1e-6);
  const Function wide = lu(f64, {2}, 3, 4);
  differentiates([&](Array a) { return np::sum(wide(a)[0] * numbers(f64, {2, 3, 4}, 3.5)); },
                 numbers(f64, {2, 3, 4}, 0.5), 1e-5);
}

TEST(qr, of_a_known_matrix_is_lapacks) {
  const Array a = lax::reshape(lax::iota(f64, Dims{9}, 0), Dims{3, 3});
  const std::vector<Array> y = qr(f64, {}, 3, 3)(a);
  const std::vector<double> q = y[0].to_vector<double>(), r = y[1].to_vector<double>();
  EXPECT_EQ(q[0], 0);
  EXPECT_NEAR(q[1], 0.9128709291752769, 1e-14);
  EXPECT_NEAR(q[3], -0.4472135954999579, 1e-14);
  EXPECT_NEAR(r[0], -6.708203932499369, 1e-14);
  EXPECT_NEAR(r[1], -8.049844718999243, 1e-14);
  EXPECT_NEAR(r[4], 1.0954451150103324, 1e-14);
}

TEST(qr, gives_the_matrix_back) {
  for (const DType t : {f64, c128})
    for (const auto& [m, n] : {std::pair(4, 4), std::pair(5, 3), std::pair(3, 5), std::pair(1, 1)}) {
      const Array a = numbers(t, {m, n}, 0.5);
      const std::vector<Array> y = qr(t, {}, m, n)(a);
      const std::int64_t k = std::min(m, n);
      EXPECT_LT(largest(np::matmul(y[0], masked(rows(y[1], k), false, false)) - a), 1e-14) << m << " " << n;
      const Array adjoint = lax::transpose(is_complex(t) ? lax::conj(y[0]) : y[0], Dims{1, 0});
      const Array gram = np::matmul(adjoint, y[0]);
      const Array one = lax::convert(lax::eq(lax::iota(i32, gram.shape(), 0), lax::iota(i32, gram.shape(), 1)), t);
      EXPECT_LT(largest(gram - one), 1e-14) << m << " " << n;
      // The diagonal of R is real.
      if (is_complex(t)) {
        for (std::int64_t i = 0; i + (m <= n) < k; ++i) EXPECT_EQ(y[1](i, i).item<C>().imag(), 0);
      }
    }
}

TEST(qr, of_extreme_and_zero_columns_is_finite) {
  for (const double size : {0.0, 1e-200, 1e200}) {
    const Array a = numbers(f64, {4, 3}, 0.5) * size;
    const std::vector<Array> y = qr(f64, {}, 4, 3)(a);
    EXPECT_LE(largest(np::matmul(y[0], masked(rows(y[1], 3), false, false)) - a), 1e-14 * size) << size;
    const Array gram = np::matmul(np::transpose(y[0]), y[0]);
    EXPECT_LT(largest(gram - np::eye(3, {}, 0, f64)), 1e-14) << size;
  }
}

TEST(qr, of_a_batch_is_that_of_each) {
  const Array a = numbers(f64, {3, 5, 4}, 1.5);
  const std::vector<Array> all = qr(f64, {3}, 5, 4)(a);
  for (int i = 0; i < 3; ++i) EXPECT_LT(largest(all[0](i) - qr(f64, {}, 5, 4)(a(i))[0]), 1e-15);
}

TEST(qr, has_derivatives) {
  for (const auto& [m, n] : {std::pair(4, 4), std::pair(5, 3), std::pair(3, 5)}) {
    const Function f = qr(f64, {}, m, n);
    const Array u = numbers(f64, {m, std::min(m, n)}, 3.5), v = numbers(f64, {m, n}, 5.5);
    differentiates([&](Array a) { return np::sum(f(a)[0] * u) + np::sum(f(a)[1] * v); }, numbers(f64, {m, n}, 0.5),
                   1e-5);
  }
}

// Older jaxlibs give sizes as operands, status and work space as results, and a tuple of them.
TEST(factorizations, calls_of_older_jaxlibs_are_read) {
  const Function f = import(R"(
func.func @main(%a: tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3x3xf32>, tensor<i32>) {
  %one = stablehlo.constant dense<1> : tensor<i32>
  %n = stablehlo.constant dense<3> : tensor<i32>
  %lwork = stablehlo.constant dense<96> : tensor<i32>
  %0 = stablehlo.custom_call @lapack_sgeqrf(%one, %n, %n, %lwork, %a) {api_version = 2 : i32} : (tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<3x3xf32>) -> tuple<tensor<3x3xf32>, tensor<3xf32>, tensor<i32>, tensor<96xf32>>
  %1 = stablehlo.get_tuple_element %0[0] : (tuple<tensor<3x3xf32>, tensor<3xf32>, tensor<i32>, tensor<96xf32>>) -> tensor<3x3xf32>
  %2 = stablehlo.get_tuple_element %0[1] : (tuple<tensor<3x3xf32>, tensor<3xf32>, tensor<i32>, tensor<96xf32>>) -> tensor<3xf32>
  %3 = stablehlo.custom_call @lapack_sorgqr(%one, %n, %n, %n, %lwork, %1, %2) {api_version = 2 : i32} : (tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<i32>, tensor<3x3xf32>, tensor<3xf32>) -> tuple<tensor<3x3xf32>, tensor<i32>, tensor<96xf32>>
  %4 = stablehlo.get_tuple_element %3[0] : (tuple<tensor<3x3xf32>, tensor<i32>, tensor<96xf32>>) -> tensor<3x3xf32>
  %5:3 = stablehlo.custom_call @lapack_sgetrf(%one, %n, %n, %a) {api_version = 2 : i32} : (tensor<i32>, tensor<i32>, tensor<i32>, tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3xi32>, tensor<i32>)
  return %4, %5#0, %5#2 : tensor<3x3xf32>, tensor<3x3xf32>, tensor<i32>
}
)");
  const std::vector<Array> y = f(lax::reshape(lax::iota(f32, Dims{9}, 0), Dims{3, 3}));
  EXPECT_NEAR(y[0](0, 1).item<float>(), 0.91287093f, 1e-6);
  EXPECT_EQ(y[1](1, 1).item<float>(), 1);
  EXPECT_EQ(y[2].item<int>(), 3);
}

TEST(factorizations, calls_for_gpus_and_tpus_are_read) {
  const Function f = import(R"(
func.func @main(%a: tensor<2x3x3xf64>) -> (tensor<2x3xi32>, tensor<2x3xi32>, tensor<2x3x3xf64>, tensor<2x3x3xf64>) {
  %0:3 = stablehlo.custom_call @cublas_getrf_batched_ffi(%a) : (tensor<2x3x3xf64>) -> (tensor<2x3x3xf64>, tensor<2x3xi32>, tensor<2xi32>)
  %one = stablehlo.constant dense<1> : tensor<2x3xi32>
  %pivots = stablehlo.subtract %0#1, %one : tensor<2x3xi32>
  %1 = stablehlo.custom_call @cu_lu_pivots_to_permutation(%pivots) : (tensor<2x3xi32>) -> tensor<2x3xi32>
  %2:3 = stablehlo.custom_call @LuDecomposition(%a) : (tensor<2x3x3xf64>) -> (tensor<2x3x3xf64>, tensor<2x3xi32>, tensor<2x3xi32>)
  %3:2 = stablehlo.custom_call @Qr(%a) : (tensor<2x3x3xf64>) -> (tensor<2x3x3xf64>, tensor<2x3xf64>)
  %4 = stablehlo.custom_call @ProductOfElementaryHouseholderReflectors(%3#0, %3#1) : (tensor<2x3x3xf64>, tensor<2x3xf64>) -> tensor<2x3x3xf64>
  return %1, %2#2, %2#0, %4 : tensor<2x3xi32>, tensor<2x3xi32>, tensor<2x3x3xf64>, tensor<2x3x3xf64>
}
)");
  const Array a =
      np::reshape(np::array({1., 2., 4., 3., 8., 14., 2., 7., 13., 9., 1., 1., 1., 9., 1., 1., 1., 9.}), {2, 3, 3});
  const std::vector<Array> y = f(a);
  EXPECT_EQ(y[0].to_vector<std::int32_t>(), (std::vector<std::int32_t>{1, 2, 0, 0, 1, 2}));
  EXPECT_EQ(y[1].to_vector<std::int32_t>(), y[0].to_vector<std::int32_t>());
  EXPECT_EQ(y[2](0, 0).to_vector<double>(), (std::vector<double>{3, 8, 14}));
  const Array q = y[3](0);
  EXPECT_LT(largest(np::matmul(np::transpose(q), q) - np::eye(3).astype(f64)), 1e-12);
}

TEST(factorizations, mistakes_have_texts) {
  const auto error = [](const std::string& call, const std::string& arguments) {
    try {
      import("func.func @main(" + arguments + ") {\n  %0:2 = stablehlo.custom_call @" + call + "\n  return\n}\n",
             {.source = "a.mlir"});
    } catch (const ParseError& e) {
      return e.message();
    }
    return std::string("no error");
  };
  EXPECT_EQ(
      error("lapack_sgeqrf_ffi(%x) : (tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>)", "%x: tensor<3xf32>"),
      "a.mlir:2:10: stablehlo.custom_call: the operand must be matrices of floats or complex numbers; got f32[3].");
  EXPECT_EQ(error("lapack_sgetrf_ffi(%x, %x) : (tensor<3x3xf32>, tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3xi32>)",
                  "%x: tensor<3x3xf32>"),
            "a.mlir:2:10: stablehlo.custom_call: there must be 4 operands; got 2.");
  EXPECT_EQ(
      error("lapack_sorgqr_ffi(%x, %t) : (tensor<3x2xf32>, tensor<3xf32>) -> (tensor<3x2xf32>, tensor<i32>)",
            "%x: tensor<3x2xf32>, %t: tensor<3xf32>"),
      "a.mlir:2:10: stablehlo.custom_call: there must be at most one reflector per row and column; got f32[3] for "
      "f32[3,2].");
}

}  // namespace
}  // namespace weft::stablehlo
