// What samples do not show of cholesky and triangular_solve: residuals at size, matrices that have no factor, and the
// texts of errors.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "harness/errors.h"
#include "weft/ops/lax.h"

namespace weft {
namespace {

using testing::error_of;
using Complex = std::complex<double>;
using Matrix = std::vector<Complex>;

constexpr std::size_t kSize = 40;

// Elements in (-1, 1) from a linear congruence.
Matrix some_matrix(std::size_t rows, std::size_t columns) {
  std::uint32_t state = 12345;
  const auto next = [&] {
    state = state * 1664525u + 1013904223u;
    return static_cast<double>(state) * 0x1p-31 - 1;
  };
  Matrix m(rows * columns);
  for (Complex& v : m) {
    const double re = next();
    v = {re, next()};
  }
  return m;
}

Matrix times(const Matrix& x, const Matrix& y, std::size_t n, std::size_t inner, std::size_t m) {
  Matrix z(n * m);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < inner; ++k)
      for (std::size_t j = 0; j < m; ++j) z[i * m + j] += x[i * inner + k] * y[k * m + j];
  return z;
}
Matrix adjoint(const Matrix& x, std::size_t n) {
  Matrix y(x.size());
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) y[j * n + i] = std::conj(x[i * n + j]);
  return y;
}
double distance(const Matrix& x, const Matrix& y) {
  double d = 0;
  for (std::size_t i = 0; i < x.size(); ++i) d = std::max(d, std::abs(x[i] - y[i]));
  return d;
}
Array array(const Matrix& m, std::int64_t rows, std::int64_t columns, DType t) {
  return lax::convert(Array::from_vector(m, Dims{rows, columns}), t);
}
Matrix elements(const Array& x) { return lax::convert(x, c128).to_vector<Complex>(); }

// A A^H + I, the real part of it for real dtypes.
Matrix positive(DType t) {
  Matrix a = some_matrix(kSize, kSize);
  if (!is_complex(t))
    for (Complex& v : a) v = v.real();
  Matrix p = times(a, adjoint(a, kSize), kSize, kSize, kSize);
  for (std::size_t i = 0; i < kSize; ++i) p[i * kSize + i] += 1;
  return p;
}

TEST(cholesky, factors_multiply_to_the_matrix) {
  for (const DType t : {f32, f64, c64, c128})
    for (const bool lower : {true, false}) {
      const Array a = array(positive(t), kSize, kSize, t);
      const Matrix l = elements(lax::cholesky(a, lower));
      for (std::size_t i = 0; i < kSize; ++i)
        for (std::size_t j = i + 1; j < kSize; ++j) EXPECT_EQ(l[lower ? i * kSize + j : j * kSize + i], Complex());
      const Matrix product =
          lower ? times(l, adjoint(l, kSize), kSize, kSize, kSize) : times(adjoint(l, kSize), l, kSize, kSize, kSize);
      EXPECT_LE(distance(product, elements(a)), real_dtype(t) == f32 ? 2e-5 : 2e-14) << name(t) << lower;
    }
}

TEST(cholesky, a_matrix_without_a_factor_spoils_no_other) {
  const Array a = Array::from_vector(std::vector<double>{4, 0, 0, 9, 0, 0, 0, 1, -1, 0, 0, 1}, Dims{3, 2, 2});
  const auto l = lax::cholesky(a).to_vector<double>();
  EXPECT_EQ(std::vector<double>(l.begin(), l.begin() + 4), (std::vector<double>{2, 0, 0, 3}));
  for (std::size_t m = 4; m < 12; m += 4) {
    EXPECT_TRUE(std::isnan(l[m]) && std::isnan(l[m + 2]) && std::isnan(l[m + 3]));
    EXPECT_EQ(l[m + 1], 0);
  }
}

TEST(cholesky, of_complex_ignores_imaginary_parts_of_the_diagonal) {
  const Array a = Array::from_vector(std::vector<Complex>{{4, 7}, {}, {0, 2}, {10, -3}}, Dims{2, 2});
  EXPECT_EQ(lax::cholesky(a).to_vector<Complex>(), (std::vector<Complex>{2, 0, {0, 1}, 3}));
}

TEST(cholesky, mistakes_have_texts) {
  EXPECT_EQ(error_of([] { lax::cholesky(Array::full(Dims{2, 3}, f32, 1.0)); }),
            "ShapeError: cholesky: the matrices must be square in the last two axes; got f32[2,3].");
  EXPECT_EQ(error_of([] { lax::cholesky(Array::full(Dims{2}, f32, 1.0)); }),
            "ShapeError: cholesky: the matrices must be square in the last two axes; got f32[2].");
  EXPECT_EQ(error_of([] { lax::cholesky(Array::full(Dims{2, 2}, i32, 1)); }),
            "DTypeError: cholesky: the operand must be float or complex; got i32[2,2].");
}

TEST(triangular_solve, solutions_solve_their_equations) {
  constexpr std::size_t kColumns = 7;
  // Below the diagonal small, so that even a unit diagonal dominates.
  Matrix a = some_matrix(kSize, kSize);
  for (std::size_t i = 0; i < kSize; ++i)
    for (std::size_t j = 0; j < kSize; ++j)
      a[i * kSize + j] = i == j ? a[i * kSize + j] + 3.0 : a[i * kSize + j] / 20.0;
  for (const bool left : {true, false})
    for (const bool lower : {true, false})
      for (const bool unit : {true, false})
        for (const TransposeA transpose : {TransposeA::kNoTranspose, TransposeA::kTranspose, TransposeA::kAdjoint}) {
          const std::size_t rows = left ? kSize : kColumns, columns = left ? kColumns : kSize;
          const Matrix b = some_matrix(rows, columns);
          const Matrix x = elements(
              lax::triangular_solve(array(a, kSize, kSize, c128),
                                    array(b, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns), c128),
                                    {left, lower, unit, transpose}));
          Matrix op(a.size());
          for (std::size_t i = 0; i < kSize; ++i)
            for (std::size_t j = 0; j < kSize; ++j) {
              Complex v = a[i * kSize + j];
              if (i == j ? unit : lower != (i > j)) v = i == j ? 1 : 0;
              if (transpose == TransposeA::kAdjoint) v = std::conj(v);
              op[transpose == TransposeA::kNoTranspose ? i * kSize + j : j * kSize + i] = v;
            }
          const Matrix back = left ? times(op, x, kSize, kSize, kColumns) : times(x, op, kColumns, kSize, kSize);
          EXPECT_LE(distance(back, b), 1e-14) << left << lower << unit << static_cast<int>(transpose);
        }
}

TEST(triangular_solve, mistakes_have_texts) {
  const auto error = [](Dims a, Dims b, DType ta = f32, DType tb = f32, bool left = true) {
    return error_of([&] { lax::triangular_solve(Array::full(a, ta, 1), Array::full(b, tb, 1), {.left_side = left}); });
  };
  EXPECT_EQ(error({2, 3}, {2, 3}),
            "ShapeError: triangular_solve: the matrices must be square in the last two axes; got f32[2,3].");
  EXPECT_EQ(error({2, 2}, {3, 3}),
            "ShapeError: triangular_solve: b must have as many rows as a; got f32[2,2] and f32[3,3].");
  EXPECT_EQ(error({2, 2}, {3, 3}, f32, f32, false),
            "ShapeError: triangular_solve: b must have as many columns as a; got f32[2,2] and f32[3,3].");
  EXPECT_EQ(error({4, 2, 2}, {3, 2, 2}),
            "ShapeError: triangular_solve: operands must have equal axes before the last two; got f32[4,2,2] and "
            "f32[3,2,2].");
  EXPECT_EQ(
      error({2, 2}, {2}),
      "ShapeError: triangular_solve: operands must have equal axes before the last two; got f32[2,2] and f32[2].");
  EXPECT_EQ(error({2, 2}, {2, 2}, f32, f64),
            "DTypeError: triangular_solve: operands must have equal dtypes; got f32[2,2] and f64[2,2].");
  EXPECT_EQ(error({2, 2}, {2, 2}, i32, i32),
            "DTypeError: triangular_solve: operands must be float or complex; got i32[2,2] and i32[2,2].");
}

}  // namespace
}  // namespace weft
