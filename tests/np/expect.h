// Comparing arrays with the ones a test writes down.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft::testing {

inline std::vector<std::complex<double>> wide(const Array& x) {
  return x.astype(c128).to_vector<std::complex<double>>();
}

/// `|got - want| <= tolerance * max(1, |want|)` part by part; NaN and infinities must be the same.
inline bool near(double got, double want, double tolerance) {
  if (std::isnan(want) || std::isinf(want)) return std::isnan(want) ? std::isnan(got) : got == want;
  return std::abs(got - want) <= tolerance * std::max(1.0, std::abs(want));
}

/// Equal types, and elements equal within `tolerance`.
inline void expect_near(const Array& got, const Array& want, double tolerance) {
  ASSERT_EQ(got.aval().str(), want.aval().str());
  const auto g = wide(got), w = wide(want);
  for (std::size_t i = 0; i < g.size(); ++i)
    EXPECT_TRUE(near(g[i].real(), w[i].real(), tolerance) && near(g[i].imag(), w[i].imag(), tolerance))
        << "element " << i << ": got " << g[i] << ", want " << w[i];
}
/// Equal types and elements.
inline void expect_equal(const Array& got, const Array& want) { expect_near(got, want, 0); }

/// Whether `f` throws an error of class E; other errors pass through.
template <class E, class F>
bool throws(F&& f) {
  try {
    f();
  } catch (const E&) {
    return true;
  }
  return false;
}

}  // namespace weft::testing
