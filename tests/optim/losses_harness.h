// How losses are tested: against formulas in plain C++, against central differences, and under jit and vmap.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft::optim::testing {

using weft::testing::error_of;
using Doubles = std::vector<double>;

/// f64 numbers between lo and hi.
inline Array draw(const np::Shape& shape, unsigned seed, double lo = -2, double hi = 2) {
  std::mt19937 source(seed);
  std::uniform_real_distribution<double> number(lo, hi);
  Doubles values(static_cast<std::size_t>(product(shape.dims())));
  for (double& v : values) v = number(source);
  return Array::from_vector(values, shape);
}
/// i32 numbers from 0 on, below n.
inline Array draw_labels(const np::Shape& shape, unsigned seed, int n) {
  std::mt19937 source(seed);
  std::uniform_int_distribution<std::int32_t> number(0, n - 1);
  std::vector<std::int32_t> values(static_cast<std::size_t>(product(shape.dims())));
  for (std::int32_t& v : values) v = number(source);
  return Array::from_vector(values, shape);
}
/// f64 rows that sum to 1 along the last axis.
inline Array draw_probabilities(const np::Shape& shape, unsigned seed) {
  const Array x = draw(shape, seed, 0.1, 1);
  return x / np::sum(x, -1, true);
}
inline Doubles values(const Array& x) { return x.astype(f64).to_vector<double>(); }

inline void expect_near(const Array& got, const Doubles& want, double tolerance = 1e-12) {
  const Doubles g = values(got);
  ASSERT_EQ(g.size(), want.size());
  for (std::size_t i = 0; i < g.size(); ++i)
    EXPECT_NEAR(g[i], want[i], tolerance * std::max(1.0, std::abs(want[i]))) << "element " << i;
}
inline void expect_near(const Array& got, const Array& want, double tolerance = 1e-12) {
  ASSERT_EQ(got.aval().str(), want.aval().str());
  expect_near(got, values(want), tolerance);
}
inline void expect_finite(const Array& x, const char* what) {
  EXPECT_TRUE(np::all(np::isfinite(x)).item<bool>()) << what << ": " << x;
}

namespace detail {
/// The operand of example `i` of a batch.
inline Array example(const Array& x, int i) { return is_float(x.dtype()) ? x * (1.0 - 0.1 * i) : x; }

/// (f(x + h) - f(x - h)) / 2h by each element of the operand, f being of 0-d.
template <class F>
Doubles central_differences(const F& f, const Array& x) {
  const Doubles at = values(x);
  Doubles slopes;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double h = 1e-5;
    Doubles up = at, down = at;
    up[i] += h;
    down[i] -= h;
    const auto of = [&](const Doubles& v) {
      return f(Array::from_vector(v, DimSpan(x.shape()))).template item<double>();
    };
    slopes.push_back((of(up) - of(down)) / (2 * h));
  }
  return slopes;
}
}  // namespace detail

/// Whether `loss`, of f64 operands and others: gives the same compiled, and for batches, as it does; and whether its
/// gradient by the first operand is that of central differences.
template <class F, class... A>
void expect_transforms_agree(const F& loss, const Array& first, const A&... others) {
  const Array y = loss(first, others...);
  expect_near(jit(loss)(first, others...), y);

  const auto batch = [](const Array& x) {
    return np::stack({detail::example(x, 0), detail::example(x, 1), detail::example(x, 2)});
  };
  const Array mapped = vmap(loss)(batch(first), batch(others)...);
  for (int i = 0; i < 3; ++i) expect_near(mapped(i), loss(detail::example(first, i), detail::example(others, i)...));

  // Weights make the elements of the loss tell apart.
  const Array weights = draw(DimSpan(y.shape()), 77, 0.5, 1.5);
  const auto total = [&](Array x, std::type_identity_t<A>... o) { return np::sum(loss(x, o...) * weights); };
  const Array slopes = grad(total)(first, others...);
  expect_near(slopes, detail::central_differences([&](Array x) { return total(x, others...); }, first), 1e-6);
  expect_near(jit(grad(total))(first, others...), slopes);
}

/// The loss is finite, and so are its derivatives by the first operand in both modes.
template <class F, class... A>
void expect_finite_with_gradient(const F& loss, const Array& first, const A&... others) {
  const auto total = [&](Array x) { return np::sum(loss(x, others...)); };
  expect_finite(loss(first, others...), "loss");
  expect_finite(grad(total)(first), "gradient");
  expect_finite(jvp(total, first, np::ones_like(first)).second, "derivative along ones");
}

}  // namespace weft::optim::testing
