#include "optim/contrib_muon.h"

#include "harness/errors.h"
#include "optim/plain.h"

namespace weft::optim::contrib {
namespace {

using plain::expect_follows;
using plain::Leaf;
using plain::Rule;
using plain::Tree;
using testing::error_of;

using Matrix = std::vector<std::vector<double>>;
Matrix product(const Matrix& a, const Matrix& b) {
  Matrix r(a.size(), std::vector<double>(b[0].size(), 0));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < b[0].size(); ++j)
      for (std::size_t k = 0; k < b.size(); ++k) r[i][j] += a[i][k] * b[k][j];
  return r;
}
Matrix transposed(const Matrix& a) {
  Matrix r(a[0].size(), std::vector<double>(a.size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[0].size(); ++j) r[j][i] = a[i][j];
  return r;
}
Matrix combined(double x, const Matrix& a, double y, const Matrix& b) {
  Matrix r = a;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[0].size(); ++j) r[i][j] = x * a[i][j] + y * b[i][j];
  return r;
}
// X <- a X + b X X^T X + c (X X^T)^2 X, without the transposition that saves work.
Matrix newton_schulz(Matrix x, int steps = 5, double eps = 1e-8) {
  double square = 0;
  for (const auto& row : x)
    for (const double v : row) square += v * v;
  x = combined(1 / (std::sqrt(square) + eps), x, 0, x);
  for (int k = 0; k < steps; ++k) {
    const Matrix once = product(product(x, transposed(x)), x), twice = product(product(x, transposed(x)), once);
    x = combined(1, combined(3.4445, x, -4.7750, once), 2.0315, twice);
  }
  return x;
}
Matrix to_matrix(const std::vector<double>& x, std::size_t rows) {
  Matrix m(rows);
  for (std::size_t i = 0; i < x.size(); ++i) m[i / (x.size() / rows)].push_back(x[i]);
  return m;
}
std::vector<double> to_vector(const Matrix& m) {
  std::vector<double> r;
  for (const auto& row : m) r.insert(r.end(), row.begin(), row.end());
  return r;
}

// By Jacobi's rotations of x x^T, in rising order.
std::vector<double> singular_values(const Matrix& x) {
  Matrix a = product(x, transposed(x));
  const std::size_t n = a.size();
  for (int sweep = 0; sweep < 30; ++sweep)
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) {
        const double angle = 0.5 * std::atan2(2 * a[p][q], a[q][q] - a[p][p]), c = std::cos(angle), s = std::sin(angle);
        for (std::size_t k = 0; k < n; ++k) {
          const double u = a[k][p], v = a[k][q];
          a[k][p] = c * u - s * v;
          a[k][q] = s * u + c * v;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double u = a[p][k], v = a[q][k];
          a[p][k] = c * u - s * v;
          a[q][k] = s * u + c * v;
        }
      }
  std::vector<double> r;
  for (std::size_t i = 0; i < n; ++i) r.push_back(std::sqrt(std::max(a[i][i], 0.0)));
  std::sort(r.begin(), r.end());
  return r;
}

TEST(newton_schulz, follows_its_formula_for_wide_and_tall_matrices) {
  const Array x = random::normal(random::key(0), {3, 5}, f64);
  const Matrix plain = newton_schulz(to_matrix(x.to_vector<double>(), 3));
  const Array wide = orthogonalize_via_newton_schulz(x), tall = orthogonalize_via_newton_schulz(x.T());
  EXPECT_TRUE(np::allclose(wide, np::array(plain), 1e-9).item<bool>());
  EXPECT_TRUE(np::allclose(tall, np::array(plain).T(), 1e-9).item<bool>());
}
TEST(newton_schulz, brings_singular_values_near_to_1) {
  const Array x = random::normal(random::key(1), {4, 6}, f64), y = orthogonalize_via_newton_schulz(x);
  const std::vector<double> before = singular_values(to_matrix(x.to_vector<double>(), 4)),
                            after = singular_values(to_matrix(y.to_vector<double>(), 4));
  EXPECT_GT(before[3], 2 * before[0]);  // there is something to do
  for (const double s : after) {
    EXPECT_GT(s, 0.5);
    EXPECT_LT(s, 1.5);
  }
}
TEST(newton_schulz, takes_norms_that_16_bits_do_not_hold) {
  // The norm is 3e5; with it in f16 all would be 0.
  const Array x = 30000 * random::normal(random::key(1), {10, 10});
  const Array y = orthogonalize_via_newton_schulz(np::clip(x, -60000, 60000).astype(f16));
  EXPECT_EQ(y.dtype(), f16);
  EXPECT_GT(np::max(np::abs(y)).item<double>(), 0.1);
}
TEST(newton_schulz, computes_in_the_dtype_it_is_told) {
  const Array x = random::normal(random::key(1), {4, 6}), y = orthogonalize_via_newton_schulz(x, {.dtype = bf16});
  EXPECT_EQ(y.dtype(), f32);
  EXPECT_EQ(y.to_vector<float>(), y.astype(bf16).astype(f32).to_vector<float>());
  for (const double s : singular_values(to_matrix(y.astype(f64).to_vector<double>(), 4))) {
    EXPECT_GT(s, 0.5);
    EXPECT_LT(s, 1.5);
  }
  // Steps make small singular values 3.4 times as large, and their errors of 2^-9 too, up to five times: the matrix is
  // another, in about the same direction.
  const Array exact = orthogonalize_via_newton_schulz(x);
  const auto product = [](const Array& a, const Array& b) { return np::sum(a * b).item<double>(); };
  EXPECT_GT(product(y, exact), 0.99 * std::sqrt(product(y, y) * product(exact, exact)));
  EXPECT_NE(y.to_vector<float>(), exact.to_vector<float>());
  EXPECT_EQ(error_of([&] { orthogonalize_via_newton_schulz(x, {.dtype = i32}); }),
            "DTypeError: orthogonalize_via_newton_schulz: dtype must be a floating-point dtype; got i32.");
  EXPECT_EQ(error_of([&] { orthogonalize_via_newton_schulz(x.astype(c64), {.dtype = bf16}); }),
            "ValueError: orthogonalize_via_newton_schulz: dtype must be left out for complex matrices; got bf16.");
  EXPECT_EQ(error_of([] { scale_by_muon({.ns_dtype = boolean}); }),
            "DTypeError: scale_by_muon: ns_dtype must be a floating-point dtype; got bool.");
}
TEST(newton_schulz, takes_coefficients_for_each_step) {
  const Array x = random::normal(random::key(0), {3, 5}, f64);
  const NewtonSchulzCoefficients same(5, {3.4445, -4.7750, 2.0315});
  EXPECT_TRUE(np::allclose(orthogonalize_via_newton_schulz(x, {.coefficients = same, .steps = 1}),
                           orthogonalize_via_newton_schulz(x))
                  .item<bool>());
}
TEST(newton_schulz, goes_over_the_axes_it_is_told) {
  const Array x = random::normal(random::key(2), {3, 2, 5, 4}, f64);
  // Rows: axes 3 and 0, columns: axis 2; axis 1 numbers matrices.
  const Array y = orthogonalize_via_newton_schulz(x, {.dimensions = {.reduction_axes = {-1, 0}, .output_axes = {2}}});
  EXPECT_EQ(y.shape(), x.shape());
  for (int b = 0; b < 2; ++b) {
    const auto matrix = [&](const Array& a) { return np::reshape(np::transpose(a(slice(), b), {2, 0, 1}), {12, 5}); };
    EXPECT_TRUE(np::allclose(matrix(y), orthogonalize_via_newton_schulz(matrix(x)), 1e-9).item<bool>());
  }
}

// Which leaf is a matrix, and Adam for the others.
Rule rule(bool nesterov, bool adaptive, double consistent_rms, double decay) {
  return [=, m = Tree(), v = Tree()](Tree& u, const Tree& p, int t, double) mutable {
    if (t == 1) m = v = plain::times(0, u);
    const auto bias = [](double b, int n) { return 1 - std::pow(b, n); };
    for (std::size_t i = 0; i < u.size(); ++i) {
      const bool matrix = u[i].shape.size() == 2;
      const double b1 = matrix ? 0.95 : 0.9;
      for (std::size_t j = 0; j < u[i].size(); ++j) {
        const double g = u[i].x[j];
        m[i].x[j] = b1 * m[i].x[j] + (1 - b1) * g;
        v[i].x[j] = 0.999 * v[i].x[j] + 0.001 * g * g;
        u[i].x[j] = nesterov ? b1 * m[i].x[j] / bias(b1, t + 1) + (1 - b1) * g / bias(b1, t) : m[i].x[j] / bias(b1, t);
        if (!matrix) u[i].x[j] *= -0.1 / (std::sqrt(v[i].x[j] / bias(0.999, t)) + 1e-8);
      }
      if (!matrix) continue;
      const std::vector<double> before = u[i].x;
      u[i].x = to_vector(newton_schulz(to_matrix(u[i].x, 3)));
      if (adaptive) {
        double dual = 0;
        for (std::size_t j = 0; j < before.size(); ++j) dual += before[j] * u[i].x[j];
        plain::scale_leaf(u[i], dual);
      }
      plain::scale_leaf(u[i], consistent_rms > 0 ? 2 * consistent_rms : std::sqrt(4.0 / 3));
      for (std::size_t j = 0; j < before.size(); ++j) u[i].x[j] = -0.1 * (u[i].x[j] + decay * p[i].x[j]);
    }
  };
}
TEST(muon, makes_matrices_orthogonal_and_leaves_the_rest_to_adam) {
  expect_follows(muon(0.1), rule(true, false, 0, 0), {.f64_tolerance = 1e-8, .f32_tolerance = 1e-3});
  expect_follows(muon(0.1, {.weight_decay = 0.2, .nesterov = false, .adaptive = true, .consistent_rms = 0.2}),
                 rule(false, true, 0.2, 0.2), {.f64_tolerance = 1e-8, .f32_tolerance = 1e-3});
}
TEST(muon, takes_the_leaves_that_have_dimension_numbers) {
  const std::pair<Array, Array> p(np::ones({2, 3, 4}), np::ones({2, 2}));
  const auto opt = muon(0.1, {.nesterov = false,
                              .muon_weight_dimension_numbers =
                                  [](const std::string&, const Array& x) -> std::optional<MuonDimensionNumbers> {
                                if (x.ndim() != 3) return std::nullopt;
                                return MuonDimensionNumbers{.reduction_axes = {0, 1}, .output_axes = {2}};
                              }});
  const auto [u, state] = opt.update(p, opt.init(p), p);
  EXPECT_EQ(u.first.shape(), (Shape{2, 3, 4}));
  EXPECT_TRUE(np::allclose(u.second, -0.1f, 1e-4).item<bool>());  // Adam's first step
}
TEST(muon, refuses_what_is_no_matrix) {
  EXPECT_EQ(error_of([] { orthogonalize_via_newton_schulz(np::ones({3})); }),
            "ShapeError: orthogonalize_via_newton_schulz: a matrix must have two axes or more; got a parameter with 1 "
            "axis.");
  EXPECT_EQ(
      error_of([] { orthogonalize_via_newton_schulz(np::ones({3, 2}), {.dimensions = {.reduction_axes = {5}}}); }),
      "IndexError: orthogonalize_via_newton_schulz: axes must be those of the parameter; got 5 of 2 axes.");
  EXPECT_EQ(
      error_of([] { orthogonalize_via_newton_schulz(np::ones({3, 2}), {.dimensions = {.reduction_axes = {1}}}); }),
      "ValueError: orthogonalize_via_newton_schulz: reduction and output axes must differ; got axis 1 twice.");
  EXPECT_EQ(error_of([] { muon(0.1, {.ns_coeffs = {}}); }),
            "ValueError: muon: ns_coeffs must have a triple; got none.");
  EXPECT_EQ(error_of([] { muon(0.1, {.ns_steps = 0}); }), "ValueError: muon: ns_steps must be 1 or more; got 0.");
  EXPECT_EQ(error_of([] { muon(0.1, {.adam_b1 = 1}); }), "ValueError: muon: adam_b1 must be in [0, 1); got 1.0.");
  EXPECT_EQ(error_of([] { orthogonalize_via_newton_schulz(np::ones({2, 2}), {.steps = 0}); }),
            "ValueError: orthogonalize_via_newton_schulz: steps must be 1 or more; got 0.");
  EXPECT_EQ(error_of([] { muon(0.1, {.beta = 1}); }), "ValueError: muon: beta must be in [0, 1); got 1.0.");
  const auto opt = scale_by_muon();
  const Array v = np::ones({3});
  EXPECT_EQ(error_of([&] { opt.update(v, opt.init(v), v); }).substr(0, 26), "ShapeError: scale_by_muon:");
}

}  // namespace
}  // namespace weft::optim::contrib
