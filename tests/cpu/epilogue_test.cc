// Kernels that follow a convolution or a pooling part by part, while the rest of it is still being computed.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>

#include "harness/compiler.h"
#include "harness/convolutions.h"
#include "weft/base/thread_pool.h"
#include "weft/cpu/library/onednn.h"
#include "weft/cpu/plan.h"
#include "weft/weft.h"

namespace weft::cpu {
namespace {

using testing::same_3x3;

class epilogue : public ::testing::Test {
 protected:
  void TearDown() override { set_num_threads(threads_); }
  int threads_ = num_threads();
};

Array normal(int seed, const Shape& shape) { return random::normal(random::key(seed), shape); }

Array softmax(const Array& x) {
  const Array e = np::exp(x - np::max(x, -1, true));
  return e / np::sum(e, -1, true);
}
Array pooled(const Array& x, ReduceKind kind) {
  return lax::reduce_window(x, kind, {.dimensions = {1, 2, 2, 1}, .strides = {1, 2, 2, 1}});
}

// By the text of a program; of a build without a compiler, which has none, what is expected.
template <class Program>
void expect_epilogue(const Program& program, bool expected, const std::string& what = "") {
  if (!testing::has_compiler()) return;
  const std::string text = program.text(ProgramStage::kKernels);
  EXPECT_EQ(text.find("epilogue kernel") != std::string::npos, expected) << what << text;
}

// The compiled program gives the bits of the eager one, on any number of threads.
template <class F, class... A>
auto same_as_eager(F f, A... args) {
  const auto program = compile(f, args...);
  const std::vector<float> want = f(args...).template to_vector<float>();
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const std::vector<float> got = program(args...).template to_vector<float>();
    EXPECT_EQ(std::memcmp(got.data(), want.data(), want.size() * sizeof(float)), 0) << threads << " threads";
  }
  return program;
}

TEST_F(epilogue, bias_and_relu_follow_a_convolution) {
  const auto layer = [](Array x, Array k, Array b) {
    return np::maximum(lax::convolution(x, k, same_3x3()) + b, 0.0f);
  };
  struct Sizes {
    std::int64_t image, in, out;
    bool told;
  };
  // By Winograd's way, with parts that fit or not; by the library, example by example; by patches, which do not tell.
  for (const Sizes& s : {Sizes{28, 32, 64, true},
                         {23, 16, 48, true},
                         {28, 1, 32, have_onednn()},
                         {27, 5, 7, have_onednn()},
                         {6, 3, 4, false}}) {
    const Array x = normal(1, {9, s.image, s.image, s.in}), k = normal(2, {3, 3, s.in, s.out}), b = normal(3, {s.out});
    expect_epilogue(same_as_eager(layer, x, k, b), s.told, std::to_string(s.image));
  }
}

TEST_F(epilogue, rows_follow_a_convolution) {
  const auto layer = [](Array x, Array k) { return softmax(lax::convolution(x, k, same_3x3())); };
  const Array x = normal(1, {7, 20, 20, 16}), k = normal(2, {3, 3, 16, 32});
  const auto program = compile(layer, x, k);
  expect_epilogue(program, true);
  set_num_threads(1);
  const std::vector<float> one = program(x, k).to_vector<float>(), eager = layer(x, k).to_vector<float>();
  for (std::size_t i = 0; i < one.size(); ++i) ASSERT_NEAR(one[i], eager[i], 1e-6) << i;
  set_num_threads(2);
  EXPECT_EQ(program(x, k).to_vector<float>(), one);
}

TEST_F(epilogue, an_average_is_a_sum_and_its_epilogue_in_one_memory) {
  const auto average = [](Array x) { return pooled(x, ReduceKind::kSum) * 0.25f; };
  const Array x = normal(1, {8, 32, 32, 16});
  const auto program = same_as_eager(average, x);
  expect_epilogue(program, true);
  if (testing::has_compiler()) {
    EXPECT_EQ(program.memory().workspace, 0);
  }
}

// A chain of operations and kernels, each in the place of the one before, ends in the output's memory; in a loop, too.
TEST_F(epilogue, chains_are_made_in_the_memory_of_outputs) {
  const auto chain = [](Array x) {
    const Array y = lax::cumsum(np::exp(pooled(x, ReduceKind::kMax)), 1);
    return lax::cumsum(y * 0.5f, 0) + 1.0f;
  };
  same_as_eager(chain, normal(1, {8, 32, 32, 16}));
  const auto loop = [&](Array xs) {
    return scan([&](Array total, Array x) { return std::pair{total + np::sum(x), chain(x)}; }, Array(0.0f), xs).second;
  };
  same_as_eager(loop, normal(2, {3, 4, 16, 16, 8}));
}

TEST_F(epilogue, what_reads_other_elements_waits) {
  const auto mirrored = [](Array x) {
    const Array y = pooled(x, ReduceKind::kMax);
    return y + lax::reverse(y, Dims{0});
  };
  expect_epilogue(same_as_eager(mirrored, normal(1, {8, 32, 32, 16})), false);
  const auto totals = [](Array x) { return np::sum(pooled(x, ReduceKind::kMax)); };
  expect_epilogue(same_as_eager(totals, normal(1, {8, 32, 32, 16})), false);
}

// The result may not go where the operation still reads.
TEST_F(epilogue, a_donated_operand_is_not_overwritten_too_early) {
  const auto step = [](Array x, Array k) { return lax::convolution(x, k, same_3x3()) * 0.5f; };
  const Array x = normal(1, {9, 28, 28, 32}), k = normal(2, {3, 3, 32, 32}) * 0.1f;
  const auto program = compile(step, x, k);
  Array state = x + 0.0f, plain = x;
  const auto donating = jit(step, {.donate = {0}});
  if (testing::has_compiler()) {
    EXPECT_EQ(compile({.donate = {0}}, step, x, k).replaces(), std::vector<int>{0});
  }
  for (int i = 0; i < 4; ++i) {
    plain = program(plain, k);
    state = donating(std::move(state), k);
  }
  EXPECT_EQ(state.to_vector<float>(), plain.to_vector<float>());
}

// Each element is told once, and only when it is complete.
TEST_F(epilogue, parts_are_told_once_and_complete) {
  Window window{.dimensions = {1, 3, 2, 1}, .strides = {1, 2, 2, 1}};
  window.base_dilations = window.window_dilations = {1, 1, 1, 1};
  window.padding_low = {0, 1, 0, 0};
  window.padding_high = {0, 0, 1, 0};
  const Array x = normal(1, {5, 37, 22, 24}), k = normal(2, {3, 3, 24, 16}), wide = normal(3, {5, 24, 24, 32}),
              wide_k = normal(4, {3, 3, 32, 16});
  ConvolutionParams convolution = same_3x3();
  convolution.window_strides = convolution.lhs_dilation = convolution.rhs_dilation = {1, 1};
  convolution.preferred_element_type = f32;
  const ir::Params pool = ir::make_params(ReduceWindowParams{ReduceKind::kMax, window}),
                   conv = ir::make_params(convolution);
  struct Case {
    OpCode op;
    const ir::Params& params;
    Arrays in;
  };
  std::vector<Case> cases{{OpCode::kReduceWindow, pool, {x}}, {OpCode::kConvolution, conv, {wide, wide_k}}};
  if (have_onednn()) cases.push_back({OpCode::kConvolution, conv, {x, k}});
  for (const Case& c : cases) {
    ir::Avals in, out;
    std::vector<const void*> from;
    for (const Array& a : c.in) {
      in.push_back(a.aval());
      from.push_back(a.buffer()->data());
    }
    ir::infer(c.op, c.params.get(), in, out);
    const OpPlan plan = plan_op(c.op, c.params.get(), in, out);
    ASSERT_TRUE(plan.run_with);
    const auto n = static_cast<std::size_t>(out[0].size());
    std::vector<float> want(n);
    void* to = want.data();
    plan.run(from.data(), &to);
    int told = 0;
    for (const int threads : {1, 2})
      for (const std::int64_t granule : {1, 8, 48, 64, 1000, 1 << 20}) {
        set_num_threads(threads);
        std::vector<float> got(n, -1), seen(n, -1);
        std::vector<std::atomic<int>> times(n);
        to = got.data();
        const auto follow = [&](std::int64_t begin, std::int64_t end) {
          EXPECT_EQ(begin % granule, 0);
          EXPECT_TRUE(end % granule == 0 || end == out[0].size());
          for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            seen[i] = got[i];
            ++times[i];
          }
        };
        const bool was_told = plan.run_with(from.data(), &to, Epilogue{follow, granule});
        told += was_told;
        EXPECT_EQ(got, want);
        if (was_told) {
          EXPECT_EQ(seen, want) << granule;
        }
        for (const auto& t : times) ASSERT_EQ(t.load(), was_told ? 1 : 0) << granule;
      }
    EXPECT_GT(told, 0) << static_cast<int>(c.op);
  }
}

}  // namespace
}  // namespace weft::cpu
