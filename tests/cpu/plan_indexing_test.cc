// The kernels of gather, scatter, sort, top_k and cumsum beside the reference evaluation, on random cases of all types.
#include "weft/cpu/plan_indexing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "cpu/kernel_testing.h"
#include "weft/cpu/plan.h"
#include "weft/ir/contraction.h"
#include "weft/ir/indexing.h"
#include "weft/ir/shape.h"

namespace weft::cpu {
namespace {

constexpr DType kComputed[] = {boolean, i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64, c64, c128};
constexpr DType kIntegers[] = {i8, i16, i32, i64, u8, u16, u32, u64};

class PlanIndexing : public KernelTest {
 protected:
  std::mt19937_64 rng_{7};
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(rng_() % static_cast<std::uint64_t>(n)); }
  bool chance(int in) { return below(in) == 0; }
  unsigned seed() { return static_cast<unsigned>(rng_()); }
};

struct Given {
  Aval aval;
  Buffer data;
};
Given random_operand(DType t, DimSpan shape, unsigned seed) {
  const Aval aval(t, shape);
  if (!is_storage(t)) return {aval, random_buffer(t, aval.size(), seed)};
  Buffer b(t, aval.size());
  for (auto& v : b.bytes) v = static_cast<unsigned char>((seed = seed * 1664525u + 1013904223u) >> 31);
  return {aval, b};
}

// Indices from a little outside [0, size) on both sides; now and then far outside.
Given random_indices(DType t, DimSpan shape, std::int64_t size, std::mt19937_64& rng) {
  const Aval aval(t, shape);
  Buffer b(t, aval.size());
  visit_dtype(t, [&]<class T>(TypeTag<T>) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
      for (std::int64_t i = 0; i < aval.size(); ++i) {
        const auto v = static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(size + 4)) - 2;
        b.set<T>(i, rng() % 20 == 0   ? std::numeric_limits<T>::max()
                    : rng() % 20 == 0 ? std::numeric_limits<T>::min()
                                      : static_cast<T>(v));
      }
  });
  return {aval, b};
}

template <class T>
::testing::AssertionResult same_elements(const Buffer& a, const Buffer& b) {
  for (std::int64_t i = 0; i < a.size(); ++i) {
    auto r = ::testing::AssertionSuccess();
    if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
      r = same_value(a.at<T>(i).real(), b.at<T>(i).real());
      if (r) r = same_value(a.at<T>(i).imag(), b.at<T>(i).imag());
    } else {
      r = same_value(a.at<T>(i), b.at<T>(i));
    }
    if (!r) return r << " at " << i;
  }
  return ::testing::AssertionSuccess();
}
// The same bits, but that NaN is NaN.
::testing::AssertionResult same_buffers(const Buffer& a, const Buffer& b) {
  if (a.bytes == b.bytes) return ::testing::AssertionSuccess();
  if (is_storage(a.dtype)) return ::testing::AssertionFailure() << "different bytes";
  return visit_dtype(a.dtype, [&]<class T>(TypeTag<T>) { return same_elements<T>(a, b); });
}

// Every result of the kernel, on every instruction set and number of threads, beside the reference; false when the
// types do not fit (then nothing was checked). `planned`: there must be a kernel.
bool check(OpCode op, const ir::Params& params, std::span<const Given> in, const std::string& what,
           bool planned = true) {
  ir::Avals types, results;
  std::vector<TensorView> from;
  std::vector<const void*> data;
  for (const Given& o : in) {
    types.push_back(o.aval);
    from.push_back({o.aval, o.data.data()});
    data.push_back(o.data.data());
  }
  try {
    ir::infer(op, params.get(), types, results);
  } catch (const Error&) {
    return false;
  }
  const OpPlan plan = plan_op(op, params.get(), types, results);
  EXPECT_TRUE(!planned || plan.kind == OpPlan::Kind::kDense) << what;
  if (plan.kind != OpPlan::Kind::kDense) return true;
  std::vector<Buffer> want;
  std::vector<MutableTensorView> to;
  for (const Aval a : results) want.emplace_back(a.dtype(), a.size());
  for (std::size_t i = 0; i < want.size(); ++i) to.push_back({results[i], want[i].data()});
  ir::evaluate(op, params.get(), from, to);
  // NaN may differ in their bits, so results are compared with the reference rather than with one another.
  for (const Isa isa : available_isas())
    for (const int threads : {1, 2}) {
      force_isa(isa);
      set_num_threads(threads);
      std::vector<Buffer> got;
      std::vector<void*> out;
      for (const Aval a : results) got.emplace_back(a.dtype(), a.size());
      for (Buffer& b : got) out.push_back(b.data());
      plan.run(data.data(), out.data());
      for (std::size_t i = 0; i < want.size(); ++i)
        EXPECT_TRUE(same_buffers(got[i], want[i]))
            << what << ", result " << i << ", set " << static_cast<int>(isa) << ", threads " << threads;
      if (!plan.in_place) continue;
      Buffer own = in[0].data;
      std::vector<const void*> operands(data);
      operands[0] = out[0] = own.data();
      plan.run(operands.data(), out.data());
      EXPECT_TRUE(same_buffers(own, want[0])) << what << ", in place";
    }
  return true;
}

// ---- cumsum ----

TEST_F(PlanIndexing, cumsum_of_every_type_along_every_axis) {
  const Dims shapes[] = {{0}, {1}, {1000}, {2500}, {3, 600}, {600, 3}, {2, 300, 5}, {4, 0, 3}, {1, 513, 600}, {9, 1}};
  for (const DType t : kComputed) {
    if (t == boolean) continue;
    for (const Dims& shape : shapes)
      for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(shape.size()); ++axis)
        for (const bool reverse : {false, true}) {
          const Given in[] = {random_operand(t, shape, seed())};
          EXPECT_TRUE(check(OpCode::kCumsum, ir::make_params(CumsumParams{axis, reverse}), in,
                            "cumsum of " + in[0].aval.str() + " along " + std::to_string(axis)));
        }
  }
}

TEST_F(PlanIndexing, one_long_cumsum_is_split_over_threads) {
  for (const DType t : {f32, f64, i32, i8, c64, bf16})
    for (const bool reverse : {false, true}) {
      const Given in[] = {{Aval(t, Dims{1100007}), random_buffer(t, 1100007, seed(), false)}};
      EXPECT_TRUE(check(OpCode::kCumsum, ir::make_params(CumsumParams{0, reverse}), in, "long cumsum"));
    }
}

TEST_F(PlanIndexing, cumsum_of_positive_numbers_never_falls) {
  const std::int64_t n = 3000000;
  Buffer x(f64, n), y(f64, n);
  for (std::int64_t i = 0; i < n; ++i) x.set<double>(i, static_cast<double>(rng_() >> 11) * 0x1p-53);
  const Aval aval(f64, Dims{n});
  const OpPlan plan = plan_op(OpCode::kCumsum, ir::make_params(CumsumParams{}).get(), {&aval, 1}, {&aval, 1});
  const void* in[] = {x.data()};
  void* out[] = {y.data()};
  plan.run(in, out);
  for (std::int64_t i = 1; i < n; ++i) ASSERT_GE(y.at<double>(i), y.at<double>(i - 1)) << i;
}

// ---- sort ----

TEST_F(PlanIndexing, sort_of_one_operand_of_every_type) {
  const Dims shapes[] = {{0}, {1}, {7}, {1000}, {30, 50}, {3, 2000}, {300, 4}, {2, 250, 3}, {0, 4}, {4, 0}};
  for (const DType t : kComputed)
    for (const Dims& shape : shapes)
      for (std::int64_t d = 0; d < static_cast<std::int64_t>(shape.size()); ++d) {
        const Given in[] = {random_operand(t, shape, seed())};
        EXPECT_TRUE(check(OpCode::kSort, ir::make_params(SortParams{d, 1}), in, "sort of " + in[0].aval.str()));
      }
}

TEST_F(PlanIndexing, sort_by_several_keys_carries_the_rest_along) {
  for (int i = 0; i < 300; ++i) {
    const std::size_t rank = 1 + static_cast<std::size_t>(below(3));
    Dims shape;
    for (std::size_t d = 0; d < rank; ++d) shape.push_back(chance(12) ? 0 : 1 + below(rank == 1 ? 1000 : 30));
    std::vector<Given> in;
    const std::int64_t n = 1 + below(4);
    for (std::int64_t k = 0; k < n; ++k) in.push_back(random_operand(kComputed[below(15)], shape, seed()));
    const SortParams p{below(static_cast<std::int64_t>(rank)), 1 + below(n)};
    EXPECT_TRUE(check(OpCode::kSort, ir::make_params(p), in, "sort by " + std::to_string(p.num_keys)));
  }
}

TEST_F(PlanIndexing, large_sorts_are_split_over_threads) {
  for (const DType t : {f32, f64, i64, u8, f16}) {
    const Dims shape{300000};
    const Given in[] = {random_operand(t, shape, seed()), random_operand(i32, shape, seed())};
    EXPECT_TRUE(check(OpCode::kSort, ir::make_params(SortParams{0, 1}), std::span(in).first(1), "large sort"));
    EXPECT_TRUE(check(OpCode::kSort, ir::make_params(SortParams{0, 1}), in, "large sort of two"));
    EXPECT_TRUE(check(OpCode::kSort, ir::make_params(SortParams{0, 2}), in, "large sort by two"));
  }
}

// ---- top_k ----

TEST_F(PlanIndexing, top_k_of_every_type) {
  for (const DType t : kComputed) {
    if (is_complex(t)) continue;
    for (const std::int64_t n : {0, 1, 2, 10, 100, 999, 5000})
      for (const std::int64_t k : {0, 1, 3, 10, 90, 800, 5000}) {
        if (k > n) continue;
        const Given in[] = {random_operand(t, Dims{3, n}, seed())};
        EXPECT_TRUE(check(OpCode::kTopK, ir::make_params(TopKParams{k}), in,
                          "top " + std::to_string(k) + " of " + in[0].aval.str()));
      }
  }
}

TEST_F(PlanIndexing, top_k_of_ascending_descending_and_equal_elements) {
  const std::int64_t n = 300000;
  for (int kind = 0; kind < 3; ++kind) {
    Buffer b(f32, n);
    for (std::int64_t i = 0; i < n; ++i) b.set<float>(i, static_cast<float>(kind == 0 ? i : kind == 1 ? -i : 5));
    const Given in[] = {{Aval(f32, Dims{n}), b}};
    for (const std::int64_t k : {1, 17, 1000})
      EXPECT_TRUE(check(OpCode::kTopK, ir::make_params(TopKParams{k}), in, "top_k"));
  }
}

TEST_F(PlanIndexing, top_k_of_nan_of_both_signs_and_payloads) {
  const std::int64_t n = 1000;
  Buffer b(f32, n);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto r = static_cast<std::uint32_t>(rng_());
    b.set<std::uint32_t>(i, r % 3 == 0 ? r | 0x7f800000u : r % 3 == 1 ? r & 0x80000000u : r);
  }
  const Given in[] = {{Aval(f32, Dims{n}), b}};
  for (const std::int64_t k : {10, 100, 300, 500, 1000})
    EXPECT_TRUE(check(OpCode::kTopK, ir::make_params(TopKParams{k}), in, "top_k of NaN"));
}

// ---- gather and scatter ----

// Dimension numbers that fit one another: an operand, a window in it, and where the axes of both lie.
struct IndexingCase {
  Dims operand, indices, window_sizes;                   // window sizes by operand axis
  Dims window, absent, batching, indices_batching, map;  // operand axes by role
  Dims moved, moved_window;                              // the result (updates), and its axes along the window
};
IndexingCase random_case(std::mt19937_64& rng) {
  const auto below = [&](std::int64_t n) { return static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(n)); };
  IndexingCase c;
  const std::int64_t rank = below(5), batch_rank = below(4);
  for (std::int64_t b = 0; b < batch_rank; ++b) c.indices.push_back(below(15) == 0 ? 0 : 1 + below(6));
  for (std::int64_t a = 0; a < rank; ++a) {
    c.operand.push_back(below(25) == 0 ? 0 : 1 + below(6));
    c.window_sizes.push_back(std::min<std::int64_t>(1, c.operand.back()));
    const std::int64_t role = below(6);
    const auto used = static_cast<std::int64_t>(c.batching.size());
    if (role == 0 && used < batch_rank) {
      // The next axis of the indices that no other runs along with, in turn from the last.
      const std::int64_t b = batch_rank - 1 - used;
      c.batching.push_back(a);
      c.indices_batching.push_back(b);
      c.operand.back() = c.indices[static_cast<std::size_t>(b)];
      continue;
    }
    if (role <= 2) {
      c.absent.push_back(a);
    } else {
      c.window.push_back(a);
      c.window_sizes.back() = below(2) == 0 ? c.operand.back() : below(c.operand.back() + 1);
    }
    if (role <= 4) c.map.push_back(a);
  }
  std::shuffle(c.map.begin(), c.map.end(), rng);
  const std::int64_t moved_rank = batch_rank + static_cast<std::int64_t>(c.window.size());
  Dims all;
  for (std::int64_t i = 0; i < moved_rank; ++i) all.push_back(i);
  std::shuffle(all.begin(), all.end(), rng);
  c.moved_window.assign(c.window.size(), 0);
  std::copy_n(all.begin(), c.window.size(), c.moved_window.begin());
  std::sort(c.moved_window.begin(), c.moved_window.end());
  std::size_t batch = 0, window = 0;
  for (std::int64_t i = 0; i < moved_rank; ++i) {
    const bool along = std::find(c.moved_window.begin(), c.moved_window.end(), i) != c.moved_window.end();
    c.moved.push_back(along ? c.window_sizes[static_cast<std::size_t>(c.window[window++])] : c.indices[batch++]);
  }
  c.indices.push_back(static_cast<std::int64_t>(c.map.size()));
  return c;
}

constexpr IndexMode kModes[] = {IndexMode::kClip, IndexMode::kFillOrDrop, IndexMode::kPromise, IndexMode::kZeroOrDrop,
                                IndexMode::kPartial};

TEST_F(PlanIndexing, gather_by_random_dimension_numbers) {
  int checked = 0;
  for (int i = 0; i < 3000; ++i) {
    const IndexingCase c = random_case(rng_);
    const DType t = i % 9 == 0 ? std::array{i4, f8e4m3fn, u2}[static_cast<std::size_t>(i) % 3] : kComputed[below(15)];
    Dims sizes(c.window_sizes);
    const IndexMode mode = kModes[below(5)];
    const GatherParams p{{c.moved_window, c.absent, c.batching, c.indices_batching, c.map}, mode, sizes};
    const Given in[] = {random_operand(t, c.operand, seed()), random_indices(kIntegers[below(8)], c.indices, 5, rng_)};
    checked += check(OpCode::kGather, ir::make_params(p), in,
                     "gather case " + std::to_string(i) + " of " + in[0].aval.str() + " by " + in[1].aval.str(),
                     mode != IndexMode::kPartial);
  }
  EXPECT_GT(checked, 2500);
}

TEST_F(PlanIndexing, scatter_by_random_dimension_numbers) {
  int checked = 0;
  for (int i = 0; i < 4000; ++i) {
    const IndexingCase c = random_case(rng_);
    const DType t = kComputed[below(15)];
    const IndexMode mode = kModes[below(5)];
    const ScatterParams p{static_cast<ScatterKind>(below(5)),
                          {c.moved_window, c.absent, c.batching, c.indices_batching, c.map},
                          mode,
                          chance(2)};
    const Given in[] = {random_operand(t, c.operand, seed()), random_indices(kIntegers[below(8)], c.indices, 5, rng_),
                        random_operand(t, c.moved, seed())};
    checked += check(OpCode::kScatter, ir::make_params(p), in,
                     "scatter case " + std::to_string(i) + " of " + in[0].aval.str() + " by " + in[1].aval.str(),
                     mode != IndexMode::kPartial);
  }
  EXPECT_GT(checked, 3000);
}

TEST_F(PlanIndexing, large_gathers_are_split_over_threads) {
  for (const std::int64_t width : {1, 2, 3, 40})
    for (const IndexMode mode : {IndexMode::kClip, IndexMode::kFillOrDrop}) {
      const Given rows[] = {random_operand(f32, Dims{5000, width}, seed()),
                            random_indices(i32, Dims{60000, 1}, 5000, rng_)};
      const GatherParams p{{.offset_dims = {1}, .collapsed_slice_dims = {0}, .start_index_map = {0}}, mode, {1, width}};
      EXPECT_TRUE(check(OpCode::kGather, ir::make_params(p), rows, "rows"));
      const Given columns[] = {random_operand(f32, Dims{100 * width, 700}, seed()),
                               random_indices(i64, Dims{900, 1}, 700, rng_)};
      const GatherParams q{
          {.offset_dims = {0}, .collapsed_slice_dims = {1}, .start_index_map = {1}}, mode, {100 * width, 1}};
      EXPECT_TRUE(check(OpCode::kGather, ir::make_params(q), columns, "columns"));
    }
}

TEST_F(PlanIndexing, large_scatters_are_split_over_threads_and_keep_the_order) {
  for (const ScatterKind kind : {ScatterKind::kSet, ScatterKind::kAdd, ScatterKind::kMul, ScatterKind::kMax})
    for (const std::int64_t width : {1, 3, 40}) {
      const Given rows[] = {
          random_operand(f32, Dims{1001, width}, seed()),
          random_indices(i32, Dims{200000 / width, 1}, 1001, rng_),
          {Aval(f32, Dims{200000 / width, width}), random_buffer(f32, 200000 / width * width, seed(), false)}};
      const ScatterParams p{
          kind,
          {.update_window_dims = {1}, .inserted_window_dims = {0}, .scatter_dims_to_operand_dims = {0}},
          IndexMode::kFillOrDrop};
      EXPECT_TRUE(check(OpCode::kScatter, ir::make_params(p), rows, "rows"));
    }
}

TEST_F(PlanIndexing, updates_may_write_into_their_operand) {
  const Aval x = Aval(f32, Dims{5}), at(i32, Dims{2, 1}), updates(f32, Dims{2}), start(i32, Dims{});
  const ScatterParams p{ScatterKind::kAdd, {{}, {0}, {}, {}, {0}}, IndexMode::kClip};
  EXPECT_TRUE(plan_op(OpCode::kScatter, ir::make_params(p).get(), std::array{x, at, updates}, {&x, 1}).in_place);
  EXPECT_TRUE(plan_op(OpCode::kDynamicUpdateSlice, nullptr, std::array{x, updates, start}, {&x, 1}).in_place);
  EXPECT_FALSE(plan_op(OpCode::kReverse, ir::make_params(ReverseParams{{0}}).get(), {&x, 1}, {&x, 1}).in_place);
}

TEST_F(PlanIndexing, dynamic_update_slice_may_write_into_its_operand) {
  const Given in[] = {random_operand(f32, Dims{20, 30}, 1), random_operand(f32, Dims{3, 4}, 2),
                      random_indices(i32, {}, 20, rng_), random_indices(i32, {}, 30, rng_)};
  EXPECT_TRUE(check(OpCode::kDynamicUpdateSlice, {}, in, "dynamic_update_slice"));
}

}  // namespace
}  // namespace weft::cpu
