#include "weft/cpu/kernels/reduce.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "cpu/kernel_testing.h"

namespace weft::cpu {
namespace {

class Reduce : public KernelTest {};

// Calls f(kept index, flat index) for every element; the kept index is row-major over the dimensions left.
template <class F>
void for_elements(DimSpan shape, DimSpan axes, F&& f) {
  const std::int64_t n = product(shape);
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t rest = i, kept = 0, step = 1;
    for (std::size_t d = shape.size(); d-- > 0;) {
      const std::int64_t at = rest % shape[d];
      rest /= shape[d];
      if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end()) continue;
      kept += at * step;
      step *= shape[d];
    }
    f(kept, i);
  }
}
std::int64_t kept_size(DimSpan shape, DimSpan axes) {
  std::int64_t n = 1;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) == axes.end()) n *= shape[d];
  return n;
}

struct Case {
  Dims shape, axes;
};
const std::vector<Case> kCases = {{{1}, {0}},
                                  {{7}, {0}},
                                  {{63}, {0}},
                                  {{64}, {0}},
                                  {{65}, {0}},
                                  {{1000}, {0}},
                                  {{4096 + 5}, {0}},
                                  {{40000}, {0}},
                                  {{100003}, {0}},
                                  {{5, 10}, {1}},
                                  {{5, 10}, {0}},
                                  {{128, 10}, {0}},
                                  {{600, 10}, {0}},
                                  {{1024, 10}, {0}},
                                  {{37, 300}, {0}},
                                  {{37, 300}, {1}},
                                  {{1100, 1100}, {0}},
                                  {{1100, 1100}, {1}},
                                  {{3, 4, 5}, {1}},
                                  {{3, 4, 5}, {0, 2}},
                                  {{6, 20, 7, 9}, {0, 2}},
                                  {{6, 20, 7, 9}, {3, 1}},
                                  {{2, 600, 3}, {1}},
                                  {{4, 5}, {}},
                                  {{2, 3, 4}, {2, 1, 0}},
                                  {{1, 5, 1}, {0, 2}},
                                  {{3, 70000}, {1}},
                                  {{70000, 3}, {0}},
                                  {{0, 3}, {1}},
                                  {{5, 2000, 2}, {1}}};

TEST_F(Reduce, sums_are_the_same_everywhere_and_close_to_exact) {
  for (const Case& c : kCases) {
    const std::int64_t kept = kept_size(c.shape, c.axes);
    for (const DType t : {f32, f64, f16, bf16}) {
      Buffer x = random_buffer(t, product(c.shape), 7, false);
      for (std::int64_t i = 0; t == f16 && i < x.size(); ++i)  // far from the end of its range
        x.set<float16>(i, float16(float(x.at<float16>(i)) / 1024));
      const Buffer r = same_everywhere(
          [&] {
            Buffer out(t, kept);
            reduce(ReduceOp::kSum, t, c.shape, c.axes, x.data(), out.data());
            return out;
          },
          "sum");
      std::vector<long double> want(static_cast<std::size_t>(kept)), size(static_cast<std::size_t>(kept));
      visit_dtype(t, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (requires { static_cast<double>(static_cast<float>(T{})); }) {
          for_elements(c.shape, c.axes, [&](std::int64_t k, std::int64_t i) {
            const long double v =
                std::is_same_v<T, double> ? x.at<double>(i) : static_cast<double>(static_cast<float>(x.at<T>(i)));
            want[static_cast<std::size_t>(k)] += v;
            size[static_cast<std::size_t>(k)] += std::fabs(v);
          });
          const long double unit = t == f64 ? 0x1p-53L : t == f32 ? 0x1p-24L : t == f16 ? 0x1p-11L : 0x1p-8L;
          for (std::int64_t k = 0; k < kept; ++k) {
            const long double got = t == f64 ? r.at<double>(k) : static_cast<float>(r.at<T>(k));
            const long double bound = t == f32 || t == f64 ? 30 * unit * size[static_cast<std::size_t>(k)]
                                                           : unit * std::fabs(want[static_cast<std::size_t>(k)]) +
                                                                 30 * 0x1p-24L * size[static_cast<std::size_t>(k)];
            ASSERT_LE(std::fabs(got - want[static_cast<std::size_t>(k)]), bound)
                << name(t) << " rank " << c.shape.size() << " " << product(c.shape);
          }
        }
      });
    }
  }
}

template <class T>
T larger(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (a != a || b != b) return std::numeric_limits<T>::quiet_NaN();
    if (a == b) return std::signbit(a) ? b : a;
  }
  return a > b ? a : b;
}
template <class T>
T smaller(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (a != a || b != b) return std::numeric_limits<T>::quiet_NaN();
    if (a == b) return std::signbit(a) ? a : b;
  }
  return a < b ? a : b;
}

template <class T>
void check_exact_kinds(const Case& c) {
  const DType t = dtype_of<T>();
  const std::int64_t kept = kept_size(c.shape, c.axes);
  const Buffer x = random_buffer(t, product(c.shape), 9);
  for (const ReduceOp op : {ReduceOp::kMax, ReduceOp::kMin, ReduceOp::kSum, ReduceOp::kProd, ReduceOp::kAnd,
                            ReduceOp::kOr, ReduceOp::kXor}) {
    if (!can_reduce(op, t)) continue;
    const bool order_free = op == ReduceOp::kMax || op == ReduceOp::kMin || std::is_integral_v<T>;
    if (!order_free) continue;
    std::deque<T> want(static_cast<std::size_t>(kept));  // a vector of bool has no elements to refer to
    using W = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    constexpr bool inf = std::numeric_limits<T>::has_infinity;
    const T low = inf ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
    const T high = inf ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
    const auto first = [&] {
      if (op == ReduceOp::kMax) return low;
      if (op == ReduceOp::kMin) return high;
      if (op == ReduceOp::kProd) return T(1);
      if constexpr (std::is_integral_v<T>)
        if (op == ReduceOp::kAnd) return static_cast<T>(~std::uint64_t{0});
      return T(0);
    };
    std::fill(want.begin(), want.end(), first());
    for_elements(c.shape, c.axes, [&](std::int64_t k, std::int64_t i) {
      T& w = want[static_cast<std::size_t>(k)];
      const T v = x.at<T>(i);
      if (op == ReduceOp::kMax) {
        w = larger(w, v);
      } else if (op == ReduceOp::kMin) {
        w = smaller(w, v);
      } else if constexpr (std::is_integral_v<T>) {
        const W a = W(w), b = W(v);
        w = static_cast<T>(op == ReduceOp::kSum    ? a + b
                           : op == ReduceOp::kProd ? a * b
                           : op == ReduceOp::kAnd  ? (a & b)
                           : op == ReduceOp::kOr   ? (a | b)
                                                   : (a ^ b));
      }
    });
    const Buffer r = same_everywhere(
        [&] {
          Buffer out(t, kept);
          reduce(op, t, c.shape, c.axes, x.data(), out.data());
          return out;
        },
        "reduce");
    for (std::int64_t k = 0; k < kept; ++k)
      ASSERT_TRUE(same_value(r.at<T>(k), want[static_cast<std::size_t>(k)]))
          << name(t) << " op " << static_cast<int>(op) << " n " << product(c.shape);
  }
}

TEST_F(Reduce, order_free_kinds_are_exact) {
  for (const Case& c : kCases) {
    check_exact_kinds<float>(c);
    check_exact_kinds<double>(c);
    check_exact_kinds<std::int8_t>(c);
    check_exact_kinds<std::int16_t>(c);
    check_exact_kinds<std::int32_t>(c);
    check_exact_kinds<std::int64_t>(c);
    check_exact_kinds<std::uint16_t>(c);
    check_exact_kinds<std::uint32_t>(c);
    check_exact_kinds<std::uint64_t>(c);
    check_exact_kinds<std::uint8_t>(c);
    check_exact_kinds<bool>(c);
  }
}

TEST_F(Reduce, products_of_floats) {
  const std::int64_t n = 3000;
  Buffer x(f32, n);
  for (std::int64_t i = 0; i < n; ++i) x.set<float>(i, i % 2 ? 1.01f : 1.0f / 1.01f);
  const Buffer r = same_everywhere(
      [&] {
        Buffer out(f32, 1);
        reduce(ReduceOp::kProd, f32, Dims{n}, Dims{0}, x.data(), out.data());
        return out;
      },
      "prod");
  EXPECT_NEAR(r.at<float>(0), 1.0f, 1e-3);
}

TEST_F(Reduce, nothing_reduces_to_the_identity) {
  float f[2];
  reduce(ReduceOp::kSum, f32, Dims{2, 0}, Dims{1}, nullptr, f);
  EXPECT_EQ(f[0], 0.0f);
  reduce(ReduceOp::kMax, f32, Dims{2, 0}, Dims{1}, nullptr, f);
  EXPECT_EQ(f[1], -INFINITY);
  std::int32_t i;
  reduce(ReduceOp::kMin, i32, Dims{0}, Dims{0}, nullptr, &i);
  EXPECT_EQ(i, std::numeric_limits<std::int32_t>::max());
  reduce(ReduceOp::kProd, i32, Dims{0}, Dims{0}, nullptr, &i);
  EXPECT_EQ(i, 1);
  bool b = false;
  reduce(ReduceOp::kAnd, boolean, Dims{0}, Dims{0}, nullptr, &b);
  EXPECT_TRUE(b);
  bfloat16 h;
  reduce(ReduceOp::kMin, bf16, Dims{0}, Dims{0}, nullptr, &h);
  EXPECT_EQ(float(h), INFINITY);
}

TEST_F(Reduce, sums_start_from_zero_as_the_reference_does) {
  for (const Case& c : kCases) {
    const std::int64_t kept = kept_size(c.shape, c.axes);
    const std::vector<double> x(static_cast<std::size_t>(product(c.shape)), -0.0);
    std::vector<double> sums(static_cast<std::size_t>(kept), -1.0);
    reduce(ReduceOp::kSum, f64, c.shape, c.axes, x.data(), sums.data());
    for (const double sum : sums) ASSERT_TRUE(sum == 0 && !std::signbit(sum));
    const std::vector<bfloat16> y(x.size(), bfloat16(-0.0f));
    std::vector<bfloat16> small(sums.size(), bfloat16(-1.0f));
    reduce(ReduceOp::kSum, bf16, c.shape, c.axes, y.data(), small.data());
    for (const bfloat16 sum : small) ASSERT_TRUE(float(sum) == 0 && !std::signbit(float(sum)));
  }
}

TEST_F(Reduce, pairwise_sums_keep_their_accuracy) {
  const std::int64_t n = 1 << 22;
  std::vector<float> x(static_cast<std::size_t>(n), 0.1f);
  float r;
  reduce(ReduceOp::kSum, f32, Dims{n}, Dims{0}, x.data(), &r);
  EXPECT_NEAR(r, n * static_cast<double>(0.1f), 0.5);  // one running float sum is off by thousands
}

template <class T>
void check_positions(const Dims& shape, std::int64_t axis, DType index, unsigned values) {
  const DType t = dtype_of<T>();
  const std::size_t a = static_cast<std::size_t>(axis);
  const std::int64_t n = shape[a], outer = product(DimSpan(shape).first(a)),
                     width = product(DimSpan(shape).subspan(a + 1));
  Buffer x = random_buffer(t, product(shape), 3);
  if (values == 1)
    for (std::int64_t i = 0; i < product(shape); ++i) x.set<T>(i, T(1));
  for (const bool max : {true, false}) {
    const Buffer r = same_everywhere(
        [&] {
          Buffer out(index, outer * width);
          arg_reduce(max, t, index, shape, axis, x.data(), out.data());
          return out;
        },
        "argmax");
    for (std::int64_t o = 0; o < outer; ++o)
      for (std::int64_t j = 0; j < width; ++j) {
        std::int64_t best = 0;
        for (std::int64_t i = 1; i < n; ++i) {
          const auto v = static_cast<double>(x.at<T>((o * n + i) * width + j)),
                     b = static_cast<double>(x.at<T>((o * n + best) * width + j));
          if (b == b && (v != v || (max ? v > b : v < b))) best = i;
        }
        const std::int64_t got =
            byte_size(index) == 4 ? r.at<std::int32_t>(o * width + j) : r.at<std::int64_t>(o * width + j);
        ASSERT_EQ(got, best) << name(t) << " size " << n << " width " << width;
      }
  }
}

TEST_F(Reduce, positions_of_the_largest_and_smallest) {
  const std::vector<std::pair<Dims, std::int64_t>> cases = {
      {{1}, 0},        {{10}, 0},       {{5000}, 0},     {{100001}, 0},   {{30, 10}, 1},  {{30, 10}, 0},
      {{500, 300}, 0}, {{500, 300}, 1}, {{3, 40, 5}, 1}, {{2, 40000}, 1}, {{70, 2100}, 0}};
  for (const auto& [shape, axis] : cases)
    for (const unsigned values : {0u, 1u}) {
      check_positions<float>(shape, axis, i32, values);
      check_positions<double>(shape, axis, i64, values);
      check_positions<std::int32_t>(shape, axis, i32, values);
      check_positions<std::uint8_t>(shape, axis, i64, values);
      check_positions<std::int8_t>(shape, axis, i32, values);
      check_positions<bool>(shape, axis, i32, values);
      check_positions<bfloat16>(shape, axis, i32, values);
    }
}

template <class T>
void check_planted_positions() {
  using L = std::numeric_limits<T>;
  for (const std::int64_t n : {1, 63, 64, 65, 300, 2047, 2048, 2049, 5000, 40000}) {
    const auto check = [&](const std::vector<T>& x, const std::string& what) {
      for (const bool max : {true, false}) {
        std::int64_t want = 0;
        for (std::int64_t i = 1; i < n; ++i) {
          const T v = x[static_cast<std::size_t>(i)], b = x[static_cast<std::size_t>(want)];
          if (b == b && (v != v || (max ? v > b : v < b))) want = i;
        }
        std::int64_t got = -1;
        arg_reduce(max, dtype_of<T>(), i64, Dims{n}, 0, x.data(), &got);
        ASSERT_EQ(got, want) << (max ? "largest of " : "smallest of ") << n << ", " << what;
      }
    };
    std::mt19937 draw(static_cast<unsigned>(n));
    std::normal_distribution<double> normal;
    std::vector<T> plain(static_cast<std::size_t>(n));
    for (T& v : plain) v = static_cast<T>(normal(draw));
    check(plain, "plain");
    for (const std::int64_t at : {std::int64_t{0}, n / 2, std::int64_t{2047}, std::int64_t{2048}, n - 1}) {
      if (at >= n) continue;
      for (const T v : {T(1e30), T(-1e30), L::infinity(), -L::infinity(), L::quiet_NaN(), -L::quiet_NaN()}) {
        std::vector<T> x = plain;
        x[static_cast<std::size_t>(at)] = v;
        check(x, "one of " + std::to_string(v) + " at " + std::to_string(at));
        // And its opposite, so that no sum of them is a number, and once more behind it.
        x[static_cast<std::size_t>((at + 7) % n)] = -v;
        x[static_cast<std::size_t>((at + 100) % n)] = v;
        check(x, "several of " + std::to_string(v) + " at " + std::to_string(at));
      }
    }
    for (const T v : {L::max(), L::lowest(), L::infinity(), -L::infinity(), T(0)})
      check(std::vector<T>(static_cast<std::size_t>(n), v), "all " + std::to_string(v));
    std::vector<T> zeros(static_cast<std::size_t>(n), T(-0.0));
    zeros.back() = T(0);
    check(zeros, "zeros of both signs");
  }
}
TEST_F(Reduce, positions_of_numbers_that_are_planted_anywhere) {
  for (const Isa isa : available_isas()) {
    force_isa(isa);
    check_planted_positions<float>();
    check_planted_positions<double>();
  }
}

TEST_F(Reduce, without_a_kernel_it_says_so) {
  EXPECT_FALSE(can_reduce(ReduceOp::kSum, c64));
  EXPECT_FALSE(can_reduce(ReduceOp::kAnd, f32));
  EXPECT_FALSE(can_arg_reduce(c128));
  float x = 0;
  EXPECT_THROW(reduce(ReduceOp::kAnd, f32, Dims{1}, Dims{0}, &x, &x), InternalError);
}

}  // namespace
}  // namespace weft::cpu
