#include "weft/cpu/kernels/cholesky.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cpu/kernel_testing.h"

namespace weft::cpu {
namespace {

class Cholesky : public KernelTest {};

constexpr std::int64_t kSizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 70, 131};

// Symmetric and, by its diagonal, positive definite; what the factor must not read is NaN.
template <class T>
Buffer matrices(DType t, std::int64_t count, std::int64_t n, bool lower) {
  Buffer a(t, count * n * n);
  std::mt19937 rng(static_cast<unsigned>(n));
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (std::int64_t m = 0; m < count; ++m)
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        const bool read = lower ? j <= i : i <= j;
        const double v = uniform(rng) + (i == j ? static_cast<double>(n) : 0);
        a.set<T>((m * n + i) * n + j, read ? static_cast<T>(v) : std::numeric_limits<T>::quiet_NaN());
      }
  return a;
}

// What the header promises, element by element.
template <class T>
std::vector<T> lower_factor(const std::vector<T>& a, std::int64_t n) {
  std::vector<T> l(a.size(), T(0));
  const auto at = [&](std::int64_t i, std::int64_t j) { return static_cast<std::size_t>(i * n + j); };
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t i = j; i < n; ++i) {
      T sum = a[at(i, j)];
      for (std::int64_t k = 0; k < j; ++k) {
        const T product = l[at(i, k)] * l[at(j, k)];
        sum = sum - product;
      }
      l[at(i, j)] = i == j ? std::sqrt(sum) : sum / l[at(j, j)];
    }
  return l;
}

template <class T>
void test_sizes(DType t) {
  for (const std::int64_t n : kSizes)
    for (const bool lower : {true, false}) {
      const std::int64_t count = n < 64 ? 40 : 3;
      const Buffer a = matrices<T>(t, count, n, lower);
      const Buffer r = same_everywhere(
          [&] {
            Buffer out(t, count * n * n);
            cholesky(t, count, n, lower, a.data(), out.data());
            return out;
          },
          "cholesky");
      for (std::int64_t m = 0; m < count; ++m) {
        std::vector<T> one(static_cast<std::size_t>(n * n));
        for (std::int64_t i = 0; i < n; ++i)
          for (std::int64_t j = 0; j <= i; ++j)
            one[static_cast<std::size_t>(i * n + j)] = a.at<T>((m * n + (lower ? i : j)) * n + (lower ? j : i));
        const std::vector<T> l = lower_factor(one, n);
        for (std::int64_t i = 0; i < n; ++i)
          for (std::int64_t j = 0; j < n; ++j) {
            const T expected = l[static_cast<std::size_t>(lower ? i * n + j : j * n + i)];
            ASSERT_TRUE(same_value(r.at<T>((m * n + i) * n + j), expected))
                << n << " " << lower << " " << i << " " << j;
          }
      }
    }
}

TEST_F(Cholesky, f32_by_the_documented_order) { test_sizes<float>(f32); }
TEST_F(Cholesky, f64_by_the_documented_order) { test_sizes<double>(f64); }

template <class T>
void test_not_positive(DType t) {
  const std::int64_t n = 20;
  // In the first panel, in a later one, and in the last, which is narrow.
  for (const std::int64_t bad : {0, 12, 19})
    for (const T value : {T(-1), T(0), std::numeric_limits<T>::quiet_NaN(), -std::numeric_limits<T>::infinity()})
      for (const bool lower : {true, false}) {
        Buffer a = matrices<T>(t, 3, n, lower);
        a.set<T>((n + bad) * n + bad, value);  // of the second one
        Buffer r(t, 3 * n * n);
        cholesky(t, 3, n, lower, a.data(), r.data());
        for (std::int64_t m = 0; m < 3; ++m)
          for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
              const T v = r.at<T>((m * n + i) * n + j);
              if (lower ? j > i : i > j)
                EXPECT_EQ(v, 0);
              else
                EXPECT_EQ(std::isnan(v), m == 1) << bad << ' ' << m << ' ' << i << ' ' << j;
            }
      }
}

TEST_F(Cholesky, one_matrix_that_is_not_positive_definite_gives_nan_alone) {
  test_not_positive<float>(f32);
  test_not_positive<double>(f64);
}

// Products of zeros of either sign leave zeros as they are.
TEST_F(Cholesky, zeros_keep_their_signs) {
  const std::int64_t n = 33;
  Buffer a(f32, n * n);
  std::vector<float> plain(static_cast<std::size_t>(n * n));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      const float v = i == j ? 4.0f : (i + j) % 3 == 0 ? -0.0f : (i + j) % 3 == 1 ? 0.0f : -0.0625f;
      a.set<float>(i * n + j, v);
      plain[static_cast<std::size_t>(i * n + j)] = v;
    }
  Buffer r(f32, n * n);
  cholesky(f32, 1, n, true, a.data(), r.data());
  const std::vector<float> want = lower_factor(plain, n);
  for (std::int64_t i = 0; i < n * n; ++i)
    ASSERT_TRUE(same_value(r.at<float>(i), want[static_cast<std::size_t>(i)])) << i;
}

TEST_F(Cholesky, no_matrices_and_no_rows) {
  cholesky(f32, 0, 5, true, nullptr, nullptr);
  cholesky(f32, 3, 0, true, nullptr, nullptr);
}

}  // namespace
}  // namespace weft::cpu
