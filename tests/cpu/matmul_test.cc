#include "weft/cpu/kernels/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>

#include "cpu/kernel_testing.h"
#include "weft/cpu/kernels/layout.h"
#include "weft/cpu/library/onednn.h"

namespace weft::cpu {
namespace {

class Matmul : public KernelTest {};

enum class Order { kRows, kColumns, kEveryOther };

void set_strides(Order order, std::int64_t rows, std::int64_t columns, std::int64_t& row, std::int64_t& column,
                 std::int64_t& batch) {
  row = order == Order::kRows ? columns : order == Order::kColumns ? 1 : 2 * columns;
  column = order == Order::kRows ? 1 : order == Order::kColumns ? rows : 2;
  batch = rows * columns * (order == Order::kEveryOther ? 2 : 1);
}

template <class T>
struct Wide {
  using type = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;
};
template <class R>
struct Wide<std::complex<R>> {
  using type = std::complex<double>;
};
template <class T>
typename Wide<T>::type widen(T v) {
  if constexpr (std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>)
    return static_cast<double>(static_cast<float>(v));
  else
    return static_cast<typename Wide<T>::type>(v);
}

// |error| <= tolerance * sum of |a b|; exact for integers.
template <class T, class R = T>
void check(MatmulProblem p, Order ao, Order bo, double tolerance) {
  p.dtype = dtype_of<T>();
  p.result = dtype_of<R>();
  set_strides(ao, p.m, p.k, p.a_row, p.a_col, p.a_batch);
  set_strides(bo, p.k, p.n, p.b_row, p.b_col, p.b_batch);
  p.c_row = p.n;
  p.c_batch = p.m * p.n;
  Buffer a = random_buffer(p.dtype, 2 * p.batch * p.m * p.k + 1, 1, false),
         b = random_buffer(p.dtype, 2 * p.batch * p.k * p.n + 1, 2, false);
  if constexpr (std::is_same_v<T, float16>) {
    // Far from the end of its range.
    for (std::int64_t i = 0; i < a.size(); ++i) a.set<T>(i, T(float(a.at<T>(i)) / 1024));
  }
  const Buffer c = same_everywhere(
      [&] {
        Buffer out(p.result, p.batch * p.c_batch);
        matmul(p, a.data(), b.data(), out.data());
        return out;
      },
      "matmul", false);
  for (std::int64_t s = 0; s < p.batch; ++s)
    for (std::int64_t i = 0; i < p.m; i += 1 + p.m / 40)
      for (std::int64_t j = 0; j < p.n; j += 1 + p.n / 40) {
        typename Wide<T>::type want{};
        double size = 0;
        for (std::int64_t q = 0; q < p.k; ++q) {
          const auto x = widen(a.at<T>(s * p.a_batch + i * p.a_row + q * p.a_col)),
                     y = widen(b.at<T>(s * p.b_batch + q * p.b_row + j * p.b_col));
          want += x * y;
          if constexpr (!std::is_integral_v<T>) size += std::abs(x * y);
        }
        const R got = c.at<R>(s * p.c_batch + i * p.n + j);
        if constexpr (std::is_integral_v<T>)
          ASSERT_EQ(got, static_cast<T>(want));
        else
          ASSERT_LE(std::abs(widen(got) - want), tolerance * size + 1e-30)
              << name(p.dtype) << " " << p.m << "x" << p.n << "x" << p.k << " at " << i << "," << j;
      }
}

const std::int64_t kShapes[][3] = {{1, 1, 1},     {3, 5, 2},     {8, 8, 8},       {16, 16, 16},   {17, 33, 9},
                                   {1, 100, 50},  {100, 1, 50},  {1, 1, 3000},    {2, 3, 0},      {5, 0, 4},
                                   {64, 64, 64},  {65, 129, 31}, {128, 10, 512},  {10, 128, 300}, {13, 70, 1},
                                   {300, 1, 700}, {1, 700, 300}, {250, 260, 270}, {12, 2100, 40}};

TEST_F(Matmul, floats_of_every_shape_and_order) {
  for (const auto& s : kShapes)
    for (const Order ao : {Order::kRows, Order::kColumns, Order::kEveryOther})
      for (const Order bo : {Order::kRows, Order::kColumns, Order::kEveryOther}) {
        MatmulProblem p{.m = s[0], .n = s[1], .k = s[2]};
        check<float>(p, ao, bo, 3e-6);
        check<double>(p, ao, bo, 6e-15);
      }
}

TEST_F(Matmul, large_products_are_split_the_same_for_any_number_of_threads) {
  // These go to the library, where there is one.
  check<float>({.m = 600, .n = 700, .k = 650}, Order::kRows, Order::kRows, 3e-6);
  check<float>({.m = 650, .n = 600, .k = 700}, Order::kColumns, Order::kRows, 3e-6);
  check<float>({.m = 700, .n = 650, .k = 600}, Order::kColumns, Order::kColumns, 3e-6);
  check<float>({.m = 600, .n = 700, .k = 650}, Order::kRows, Order::kEveryOther, 3e-6);
  check<float>({.m = 500, .n = 700, .k = 600}, Order::kRows, Order::kRows, 3e-6);
  check<float>({.m = 1000, .n = 900, .k = 620}, Order::kRows, Order::kRows, 3e-6);
  check<float>({.m = 784, .n = 512, .k = 128}, Order::kColumns, Order::kRows, 3e-6);
  check<float>({.m = 128, .n = 784, .k = 512}, Order::kRows, Order::kColumns, 3e-6);
  check<double>({.m = 300, .n = 500, .k = 600}, Order::kColumns, Order::kColumns, 6e-15);
  check<float>({.m = 5000, .n = 1, .k = 3000}, Order::kRows, Order::kRows, 3e-6);
  check<float>({.m = 5000, .n = 1, .k = 3000}, Order::kColumns, Order::kRows, 3e-6);
}

TEST_F(Matmul, batches) {
  for (const std::int64_t batch : {0, 1, 3, 50})
    for (const Order o : {Order::kRows, Order::kColumns}) {
      check<float>({.batch = batch, .m = 4, .n = 6, .k = 5}, o, Order::kRows, 3e-6);
      check<float>({.batch = batch, .m = 40, .n = 60, .k = 50}, o, Order::kColumns, 3e-6);
      check<double>({.batch = batch, .m = 40, .n = 1, .k = 50}, o, Order::kRows, 6e-15);
      check<bfloat16>({.batch = batch, .m = 40, .n = 30, .k = 50}, o, Order::kRows, 0.01);
      check<std::int32_t>({.batch = batch, .m = 4, .n = 6, .k = 5}, o, Order::kColumns, 0);
    }
}

TEST_F(Matmul, small_floats_accumulate_in_f32) {
  for (const auto& s : kShapes)
    for (const Order ao : {Order::kRows, Order::kColumns, Order::kEveryOther}) {
      MatmulProblem p{.m = s[0], .n = s[1], .k = s[2]};
      check<bfloat16>(p, ao, Order::kRows, 0.01);
      check<bfloat16, float>(p, ao, Order::kColumns, 3e-6);
      check<float16>(p, ao, Order::kRows, 2e-3);
      check<float16, float>(p, ao, Order::kEveryOther, 3e-6);
    }
  // 4096 ones: a bf16 sum would stop at 256.
  std::vector<bfloat16> ones(4096, bfloat16(1.0f));
  MatmulProblem p{.m = 1,
                  .n = 1,
                  .k = 4096,
                  .a_row = 4096,
                  .a_col = 1,
                  .b_row = 1,
                  .b_col = 1,
                  .c_row = 1,
                  .dtype = bf16,
                  .result = bf16};
  bfloat16 r;
  matmul(p, ones.data(), ones.data(), &r);
  EXPECT_EQ(float(r), 4096.0f);
}

TEST_F(Matmul, integers_wrap_and_complex_numbers_multiply) {
  for (const auto& s : kShapes)
    for (const Order bo : {Order::kRows, Order::kColumns, Order::kEveryOther}) {
      MatmulProblem p{.m = s[0], .n = s[1], .k = s[2]};
      if (p.m * p.n * p.k > 1000000) continue;
      check<std::int8_t>(p, Order::kRows, bo, 0);
      check<std::uint16_t>(p, Order::kColumns, bo, 0);
      check<std::int32_t>(p, Order::kRows, bo, 0);
      check<std::int64_t>(p, Order::kEveryOther, bo, 0);
      check<std::complex<float>>(p, Order::kRows, bo, 1e-5);
      check<std::complex<double>>(p, Order::kColumns, bo, 1e-13);
    }
}

TEST_F(Matmul, our_own_kernel_gives_the_same_bits_however_it_is_split) {
  for (const Isa isa : available_isas()) {
    for (const DType t : {f32, f64}) {
      const GemmKernel& k = *isa_kernels(isa).gemm(t);
      const std::int64_t m = 307, n = 131, depth = 700,
                         bytes = byte_size(t);  // rows of a are packed, those of pieces not
      const Buffer a = random_buffer(t, m * depth, 1, false), b = random_buffer(t, depth * n, 2, false);
      Buffer whole(t, m * n), parts(t, m * n);
      const GemmArgs problem{m, n, depth, a.data(), depth, 1, b.data(), n, 1, whole.data(), n};
      std::vector<char> workspace(static_cast<std::size_t>(k.workspace_bytes(problem)) + 64);
      char* w = workspace.data() + (64 - reinterpret_cast<std::uintptr_t>(workspace.data()) % 64);
      k.gemm(problem, w);
      for (std::int64_t i = 0; i < m; i += 29)
        for (std::int64_t j = 0; j < n; j += 50)
          k.gemm({std::min<std::int64_t>(29, m - i), std::min<std::int64_t>(50, n - j), depth,
                  a.bytes.data() + i * depth * bytes, depth, 1, b.bytes.data() + j * bytes, n, 1,
                  parts.bytes.data() + (i * n + j) * bytes, n},
                 w);
      EXPECT_TRUE(whole.bytes == parts.bytes) << name(t) << " set " << static_cast<int>(isa);
    }
  }
}

TEST_F(Matmul, types_without_a_product_are_refused) {
  EXPECT_FALSE(can_matmul(boolean, boolean));
  EXPECT_FALSE(can_matmul(f32, f64));
  EXPECT_TRUE(can_matmul(bf16, f32));
  float x = 0;
  EXPECT_THROW(matmul({.dtype = f32, .result = i32}, &x, &x, &x), InternalError);
}

// ---- dot_general ----

struct DotCase {
  Dims lhs, rhs, lhs_batch, rhs_batch, lhs_contracting, rhs_contracting;
};

TEST_F(Matmul, dot_general_of_every_arrangement) {
  const std::vector<DotCase> cases = {
      {{3, 4}, {4, 5}, {}, {}, {1}, {0}},
      {{4, 3}, {4, 5}, {}, {}, {0}, {0}},
      {{3, 4}, {5, 4}, {}, {}, {1}, {1}},
      {{4}, {4}, {}, {}, {0}, {0}},
      {{3}, {4}, {}, {}, {}, {}},
      {{}, {4}, {}, {}, {}, {}},
      {{3, 4}, {4}, {}, {}, {1}, {0}},
      {{2, 3, 4}, {2, 4, 5}, {0}, {0}, {2}, {1}},
      {{3, 2, 4}, {4, 5, 2}, {1}, {2}, {2}, {0}},
      {{2, 3, 4, 5}, {3, 2, 5, 6}, {0, 1}, {1, 0}, {3}, {2}},
      {{2, 3, 4}, {3, 4, 5}, {}, {}, {1, 2}, {0, 1}},
      {{2, 3, 4}, {4, 3, 5}, {}, {}, {1, 2}, {1, 0}},
      {{2, 3, 4}, {4, 3, 5}, {}, {}, {2, 1}, {0, 1}},
      {{3, 2, 4}, {5, 4, 3}, {}, {}, {0, 2}, {2, 1}},
      {{3, 2, 4, 2}, {2, 5, 3}, {}, {}, {0, 3}, {2, 0}},
      {{1, 4}, {4, 1}, {}, {}, {1}, {0}},
      {{2, 0}, {0, 3}, {}, {}, {1}, {0}},
      {{0, 4}, {4, 3}, {}, {}, {1}, {0}},
      {{6, 1, 4}, {6, 4, 1}, {0}, {0}, {2}, {1}},
      {{2, 3, 4, 5}, {2, 6, 4, 5}, {0, 2}, {0, 2}, {3}, {3}},
      {{2, 4, 3, 6}, {2, 6, 4, 5}, {0, 1}, {0, 2}, {3}, {1}},
      {{2, 3, 4, 5}, {4, 6, 2, 5}, {0, 2}, {2, 0}, {3}, {3}},
      {{2, 3, 4, 2, 5}, {2, 6, 4, 2, 5}, {0, 2, 3}, {0, 2, 3}, {4}, {4}},
      {{2, 3, 4, 5, 2}, {2, 6, 4, 5, 2}, {0, 2, 4}, {0, 2, 4}, {3}, {3}},
      {{3}, {2, 2, 3, 5}, {}, {}, {0}, {2}},
      {{65}, {2, 3, 65, 17}, {}, {}, {0}, {2}},
      {{3, 64}, {5, 64, 2, 16}, {}, {}, {1}, {1}},
      {{65, 2}, {4, 65, 20}, {}, {}, {0}, {1}},
      {{5, 13, 4, 16}, {7, 4, 5, 13, 16}, {}, {}, {2, 0, 1, 3}, {1, 2, 3, 4}},
      {{2, 9, 5}, {2, 9, 5}, {0, 2}, {0, 2}, {1}, {1}},
      {{2, 7, 5}, {2, 7, 5}, {0, 2}, {0, 2}, {1}, {1}},
      {{2, 3}, {4, 3, 5}, {}, {}, {1}, {1}},
      {{3, 2}, {4, 3, 5, 2}, {}, {}, {0}, {1}},
      {{3, 4}, {2, 3, 4, 5}, {}, {}, {0, 1}, {1, 2}},
      {{4, 2, 3}, {2, 3, 4, 5}, {}, {}, {2, 0}, {1, 2}},
      {{3}, {2, 3, 0}, {}, {}, {0}, {1}},
      {{3}, {0, 3, 2}, {}, {}, {0}, {1}},
  };
  for (const DotCase& c : cases) {
    const Buffer a = random_buffer(i32, product(c.lhs), 1), b = random_buffer(i32, product(c.rhs), 2);
    const DotPlan plan =
        plan_dot_general(i32, i32, c.lhs, c.rhs, c.lhs_batch, c.rhs_batch, c.lhs_contracting, c.rhs_contracting);
    Buffer out(i32, product(plan.result_shape));
    run_dot_general(plan, c.lhs, c.rhs, a.data(), b.data(), out.data());
    // Sums over all index pairs that agree, by strides.
    const auto has = [](DimSpan dims, std::size_t d) {
      return std::find(dims.begin(), dims.end(), static_cast<std::int64_t>(d)) != dims.end();
    };
    Dims sizes, ls, rs, os;
    const Dims lhs_strides = row_major_strides(c.lhs), rhs_strides = row_major_strides(c.rhs),
               out_strides = row_major_strides(plan.result_shape);
    std::size_t o = 0;
    const auto add = [&](std::int64_t n, std::int64_t l, std::int64_t r, bool kept) {
      sizes.push_back(n), ls.push_back(l), rs.push_back(r), os.push_back(kept ? out_strides[o++] : 0);
    };
    for (std::size_t i = 0; i < c.lhs_batch.size(); ++i) {
      const auto l = static_cast<std::size_t>(c.lhs_batch[i]), r = static_cast<std::size_t>(c.rhs_batch[i]);
      add(c.lhs[l], lhs_strides[l], rhs_strides[r], true);
    }
    for (std::size_t d = 0; d < c.lhs.size(); ++d)
      if (!has(c.lhs_batch, d) && !has(c.lhs_contracting, d)) add(c.lhs[d], lhs_strides[d], 0, true);
    for (std::size_t d = 0; d < c.rhs.size(); ++d)
      if (!has(c.rhs_batch, d) && !has(c.rhs_contracting, d)) add(c.rhs[d], 0, rhs_strides[d], true);
    for (std::size_t i = 0; i < c.lhs_contracting.size(); ++i) {
      const auto l = static_cast<std::size_t>(c.lhs_contracting[i]), r = static_cast<std::size_t>(c.rhs_contracting[i]);
      add(c.lhs[l], lhs_strides[l], rhs_strides[r], false);
    }
    ASSERT_EQ(o, plan.result_shape.size());
    std::vector<std::uint32_t> want(static_cast<std::size_t>(out.size()));
    const std::int64_t n = product(sizes);
    for (std::int64_t i = 0; i < n; ++i) {
      std::int64_t rest = i, l = 0, r = 0, k = 0;
      for (std::size_t d = sizes.size(); d-- > 0;) {
        const std::int64_t at = rest % sizes[d];
        rest /= sizes[d];
        l += at * ls[d], r += at * rs[d], k += at * os[d];
      }
      want[static_cast<std::size_t>(k)] +=
          static_cast<std::uint32_t>(a.at<std::int32_t>(l)) * static_cast<std::uint32_t>(b.at<std::int32_t>(r));
    }
    for (std::int64_t i = 0; i < out.size(); ++i)
      ASSERT_EQ(out.at<std::uint32_t>(i), want[static_cast<std::size_t>(i)]) << "case " << &c - cases.data();
  }
}

TEST_F(Matmul, products_of_gradients_need_no_transposition) {
  // x[128, 784] w[784, 512]; x^T g; g w^T; and the batched forms.
  for (const auto& [l, r, lk, rk] :
       {std::tuple{Dims{128, 784}, Dims{784, 512}, 1, 0}, std::tuple{Dims{128, 784}, Dims{128, 512}, 0, 0},
        std::tuple{Dims{128, 512}, Dims{784, 512}, 1, 1}}) {
    const DotPlan plan = plan_dot_general(f32, f32, l, r, {}, {}, Dims{lk}, Dims{rk});
    EXPECT_TRUE(plan.lhs_permutation.empty());
    EXPECT_TRUE(plan.rhs_permutation.empty());
  }
  const DotPlan batched =
      plan_dot_general(f32, f32, Dims{8, 20, 30}, Dims{8, 40, 30}, Dims{0}, Dims{0}, Dims{2}, Dims{2});
  EXPECT_TRUE(batched.lhs_permutation.empty() && batched.rhs_permutation.empty());
  // Attention over [batch, length, heads, features]: of queries and keys, and of weights[batch, heads, ..] and values.
  const Dims q{8, 20, 4, 64}, k{8, 30, 4, 64}, w{8, 4, 20, 30};
  const DotPlan attention = plan_dot_general(f32, f32, q, k, Dims{0, 2}, Dims{0, 2}, Dims{3}, Dims{3});
  EXPECT_TRUE(attention.lhs_permutation.empty() && attention.rhs_permutation.empty());
  const DotPlan weighted = plan_dot_general(f32, f32, w, k, Dims{0, 1}, Dims{0, 2}, Dims{3}, Dims{1});
  EXPECT_TRUE(weighted.lhs_permutation.empty() && weighted.rhs_permutation.empty());
  // Averages along a middle axis; a copy pays where many are taken.
  for (const DType t : {f32, bf16})
    for (const std::int64_t averages : {1, 100, 200}) {
      const DotPlan plan = plan_dot_general(t, t, Dims{averages, 30}, Dims{6, 7, 30, 40}, {}, {}, Dims{1}, Dims{2});
      EXPECT_TRUE(plan.lhs_permutation.empty());
      EXPECT_EQ(plan.rhs_permutation.empty(), averages <= (t == f32 ? 100 : 1)) << t << ", " << averages;
    }
  // Pairs named in another order than they lie in.
  const DotPlan swapped = plan_dot_general(f32, f32, Dims{2, 3, 4}, Dims{3, 4, 5}, {}, {}, Dims{2, 1}, Dims{1, 0});
  EXPECT_TRUE(swapped.lhs_permutation.empty() && swapped.rhs_permutation.empty());
}

}  // namespace
}  // namespace weft::cpu
