// Donation: a call takes arrays for good, and makes its results in their memory.
#include "weft/api/donation.h"

#include <gtest/gtest.h>

#include "harness/compiler.h"
#include "harness/errors.h"
#include "weft/weft.h"

namespace weft {
namespace {

using Floats = std::vector<float>;

const void* memory_of(const Array& a) { return a.buffer()->data(); }

Array counted(std::int64_t n) { return np::arange(static_cast<double>(n)).astype(f32); }

struct State {
  Array weights, momentum;
};

State sgd(State s, Array gradient) {
  const Array momentum = s.momentum * 0.9f + gradient;
  return {s.weights - momentum * 0.1f, momentum};
}

TEST(donation, an_optimiser_step_is_made_in_the_memory_of_its_state) {
  const auto step = jit(sgd, {.name = "sgd", .donate = {0}});
  constexpr std::int64_t kSize = 1 << 20;
  State state{counted(kSize), counted(kSize) * 2.0f};
  const Array gradient = np::ones({kSize}) * counted(kSize);
  const State expected = jit(sgd)(state, gradient);
  state = step(state, gradient);  // compiles
  EXPECT_EQ(state.weights.to_vector<float>(), expected.weights.to_vector<float>());
  EXPECT_EQ(state.momentum.to_vector<float>(), expected.momentum.to_vector<float>());
  const void *weights = memory_of(state.weights), *momentum = memory_of(state.momentum);
  reset_peak_memory();
  const std::int64_t before = memory_stats().live_bytes;
  for (int i = 0; i < 5; ++i) state = step(state, gradient);
  if (testing::has_compiler()) {
    EXPECT_EQ(memory_of(state.weights), weights);
    EXPECT_EQ(memory_of(state.momentum), momentum);
    EXPECT_LT(memory_stats().peak_bytes - before, kSize);  // less than one of them
  }
  EXPECT_LE(memory_stats().live_bytes, before + 4096);
}

TEST(donation, a_donated_array_has_a_type_and_cannot_be_read) {
  const Array x = counted(3), same = x;
  const auto f = jit([](Array a) { return a + 1.0f; }, {.name = "f", .donate = {0}});
  EXPECT_FALSE(x.is_donated());
  EXPECT_EQ(f(x).to_vector<float>(), (Floats{1, 2, 3}));
  EXPECT_TRUE(x.is_donated());
  EXPECT_TRUE(same.is_donated());
  EXPECT_FALSE(x.known());
  EXPECT_EQ(x.aval().str(), "f32[3]");
  for (const auto& use : std::vector<std::function<void()>>{
           [&] { x.to_vector<float>(); }, [&] { x.elements<float>(); }, [&] { (void)x.str(); }, [&] { np::sin(x); },
           [&] { f(x); }, [&] { jit([](Array a) { return a; })(x); },
           [&] { jit([&](Array a) { return a + x; })(1.0f); }, [&] { jit([&](Array) { return x; })(1.0f); },
           [&] { grad([&](Array a) { return np::sum(a * a); })(x); }, [&] { vmap([](Array a) { return a * a; })(x); },
           [&] { compile([](Array a) { return a; }, x)(x); }, [&] { np::copy(x); },
           [&] { (void)np::concatenate({x, x}, 0); }})
    EXPECT_THROW(use(), DonatedError);
}

TEST(donation, arrays_that_share_memory_with_a_donated_one_keep_it) {
  const auto f = jit([](Array a) { return a + 1.0f; }, {.donate = {0}});
  const Array x = counted(4), reshaped = np::reshape(x, {2, 2}), copied = np::copy(x);
  const Elements<float> elements = x.elements<float>();
  f(x);
  EXPECT_TRUE(x.is_donated());
  EXPECT_EQ(reshaped.to_vector<float>(), (Floats{0, 1, 2, 3}));
  EXPECT_EQ(copied.to_vector<float>(), (Floats{0, 1, 2, 3}));
  EXPECT_EQ(Floats(elements.begin(), elements.end()), (Floats{0, 1, 2, 3}));
}

TEST(donation, memory_of_others_is_not_written_to) {
  const auto f = jit([](Array a) { return a + 1.0f; }, {.donate = {0}});
  const Floats mine{1, 2, 3};
  EXPECT_EQ(f(Array::borrow(f32, {3}, mine.data(), nullptr)).to_vector<float>(), (Floats{2, 3, 4}));
  EXPECT_EQ(mine, (Floats{1, 2, 3}));
  // One element stands for all.
  EXPECT_EQ(f(np::ones({3})).to_vector<float>(), (Floats{2, 2, 2}));
  // A literal of the program, which it returns each time.
  for (const Effort effort : {Effort::kDefault, Effort::kNone}) {
    const auto literal = jit([](Array a) { return std::pair(np::ones({3}), a); }, {.effort = effort});
    for (int i = 0; i < 2; ++i) EXPECT_EQ(f(literal(1.0f).first).to_vector<float>(), (Floats{2, 2, 2}));
  }
}

TEST(donation, large_arrays_that_repeat_can_be_donated) {
  const auto f = jit([](Array a, Array b) { return std::pair(a + b, b * 2.0f); }, {.donate = {0, 1}});
  constexpr std::int64_t kSize = 5 << 20;
  const Array a = np::zeros({kSize}), b = counted(kSize);
  const void* memory = memory_of(b);
  const auto [sum, twice] = f(a, b);
  if (testing::has_compiler()) {
    EXPECT_TRUE(memory_of(sum) == memory || memory_of(twice) == memory);
  }
  EXPECT_EQ(sum(-1).item<float>(), kSize - 1);
  EXPECT_EQ(twice(-1).item<float>(), 2 * (kSize - 1));
  EXPECT_TRUE(a.is_donated());
  EXPECT_TRUE(b.is_donated());
}

TEST(donation, results_that_are_arguments_are_arrays_of_their_own) {
  const auto keep = jit([](Array a, Array b) { return std::tuple(a, a, b + 1.0f); });
  const auto f = jit([](Array a) { return a * 2.0f; }, {.donate = {0}});
  const Array x = counted(3), y = counted(3);
  const auto [first, second, sum] = keep(x, y);
  f(x);
  EXPECT_EQ(first.to_vector<float>(), (Floats{0, 1, 2}));
  f(first);
  EXPECT_EQ(second.to_vector<float>(), (Floats{0, 1, 2}));
  // A donated argument that is returned as it is.
  const auto give = jit([](Array a, Array b) { return std::pair(a, a + b); }, {.donate = {0}});
  const auto [same, more] = give(second, y);
  EXPECT_TRUE(second.is_donated());
  EXPECT_EQ(same.to_vector<float>(), (Floats{0, 1, 2}));
  EXPECT_EQ(more.to_vector<float>(), (Floats{0, 2, 4}));
}

TEST(donation, an_array_that_is_still_read_is_not_written_to_before) {
  // The second result takes the place of the argument only after the first has read all of it.
  const auto f = [](Array a) { return std::pair(np::flip(a) + a, np::cumsum(a) * 2.0f); };
  for (const std::int64_t n : {7, 1000}) {
    const auto [expected_flip, expected_sum] = f(counted(n));
    const auto [flip, sum] = jit(f, {.donate = {0}})(counted(n));
    EXPECT_EQ(flip.to_vector<float>(), expected_flip.to_vector<float>());
    EXPECT_EQ(sum.to_vector<float>(), expected_sum.to_vector<float>());
  }
}

TEST(donation, results_may_come_in_another_order_than_arguments) {
  const auto swap = [](Array a, Array b) { return std::pair(b + 1.0f, a * 2.0f); };
  const auto [x, y] = jit(swap, {.donate = {0, 1}})(counted(5), counted(5) * 10.0f);
  EXPECT_EQ(x.to_vector<float>(), (Floats{1, 11, 21, 31, 41}));
  EXPECT_EQ(y.to_vector<float>(), (Floats{0, 2, 4, 6, 8}));
  const auto exchange = jit([](Array a, Array b) { return std::pair(b, a); }, {.donate = {0, 1}});
  const auto [p, q] = exchange(x, y);
  EXPECT_EQ(p.to_vector<float>(), (Floats{0, 2, 4, 6, 8}));
  EXPECT_EQ(q.to_vector<float>(), (Floats{1, 11, 21, 31, 41}));
}

TEST(donation, putting_a_slice_into_a_donated_array_moves_no_more_than_the_slice) {
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  const auto put = compile(
      {.donate = {0}},
      [](Array cache, Array row, Array at) {
        const Array start[] = {at, Array(0)};
        return lax::dynamic_update_slice(cache, np::reshape(row, {1, 8}), start);
      },
      abstract(f32, {1 << 16, 8}), abstract(f32, {8}), abstract(i32, {}));
  Array cache = np::copy(np::zeros({1 << 16, 8}) + counted(8));
  const void* memory = memory_of(cache);
  for (int i = 0; i < 4; ++i) cache = put(cache, counted(8) + float(i), Array(i));
  EXPECT_EQ(memory_of(cache), memory);
  EXPECT_EQ(cache(3, 0).item<float>(), 3);
  EXPECT_EQ(cache(4, 0).item<float>(), 0);
  // Nothing is copied: the statement is one kernel over the slice.
  const std::string text = put.text(ProgramStage::kKernels);
  EXPECT_EQ(text.find("out0:"), std::string::npos) << text;
}

TEST(donation, inside_of_transformations_nothing_is_taken) {
  const auto f = jit([](Array a) { return a * a; }, {.donate = {0}});
  const Array x = counted(3);
  EXPECT_EQ(grad([&](Array a) { return np::sum(f(a)); })(x).to_vector<float>(), (Floats{0, 2, 4}));
  EXPECT_EQ(vmap(f)(x).to_vector<float>(), (Floats{0, 1, 4}));
  EXPECT_EQ(jit([&](Array a) { return f(a) + a; })(x).to_vector<float>(), (Floats{0, 2, 6}));
  EXPECT_FALSE(x.is_donated());
  // The outermost request counts, also with a donating function inside.
  EXPECT_EQ(jit([&](Array a) { return f(a) + a; }, {.donate = {0}})(x).to_vector<float>(), (Floats{0, 2, 6}));
  EXPECT_TRUE(x.is_donated());
}

TEST(donation, the_arguments_that_are_donated_are_checked) {
  const auto f = [](Array a, Array b) { return a + b; };
  EXPECT_EQ(testing::message_of<IndexError>([&] { jit(f, {.donate = {2}})(1.0f, 2.0f); }),
            "jit: donated arguments must be in [-2, 2); got 2.");
  EXPECT_EQ(testing::message_of<IndexError>([&] { compile({.donate = {-3}}, f, np::ones({2}), np::ones({2})); }),
            "compile: donated arguments must be in [-2, 2); got -3.");
  const Array x = counted(2), y = counted(2);
  jit(f, {.donate = {-1}})(x, y);
  EXPECT_FALSE(x.is_donated());
  EXPECT_TRUE(y.is_donated());
  for (const std::vector<int>& donate : {std::vector{0}, std::vector{1}, std::vector{0, 1}})
    EXPECT_THROW(jit(f, {.donate = donate})(x, x), ValueError);
  EXPECT_EQ(x.to_vector<float>(), (Floats{0, 1}));
}

TEST(donation, what_a_function_captures_can_be_donated_to_it) {
  const Array x = counted(3);
  const auto f = jit([x](Array a) { return a + x; }, {.donate = {0}});
  EXPECT_EQ(f(counted(3)).to_vector<float>(), (Floats{0, 2, 4}));
  EXPECT_THROW(f(x), ValueError);  // it is there twice
  jit([](Array a) { return a + 1.0f; }, {.donate = {0}})(x);
  EXPECT_THROW(f(counted(3)), DonatedError);
}

TEST(donation, memory_of_the_caller_is_reused_where_the_caller_says_so) {
  const auto f = compile(
      {.donate = {0}}, [](Array a, Array b) { return std::pair(np::sum(a * b), a + b); }, abstract(f32, {3}),
      abstract(f32, {3}));
  std::vector<std::byte> workspace(f.workspace_bytes() + 64);
  float a[3] = {1, 2, 3}, b[3] = {10, 20, 30}, sum = 0, out[3] = {};
  f.call_into({&sum, out}, {a, b}, workspace.data());
  EXPECT_EQ(Floats(a, a + 3), (Floats{1, 2, 3}));
  EXPECT_EQ(Floats(out, out + 3), (Floats{11, 22, 33}));
  f.call_into({&sum, a}, {a, b}, workspace.data());
  EXPECT_EQ(Floats(a, a + 3), (Floats{11, 22, 33}));
  EXPECT_EQ(sum, 140);
  if (!testing::has_compiler()) return;
  const void* in[] = {a, b};
  void* outs[] = {&sum, out};
  EXPECT_EQ(f.raw()(in, outs, workspace.data()), 0);
  EXPECT_EQ(Floats(a, a + 3), (Floats{11, 22, 33}));
  EXPECT_EQ(Floats(out, out + 3), (Floats{21, 42, 63}));
}

TEST(donation, a_program_with_operations_of_the_library_is_made_in_place) {
  const auto f = compile(
      {.donate = {0}}, [](Array a, Array b) { return std::pair(np::sort(b), a + np::sort(b)); }, abstract(f32, {3}),
      abstract(f32, {3}));
  const float a[3] = {1, 2, 3}, b[3] = {3, 2, 1};
  float sorted[3], out[3];
  std::vector<std::byte> workspace(f.workspace_bytes() + 64);
  void* aligned = workspace.data() + (64 - reinterpret_cast<std::uintptr_t>(workspace.data()) % 64);
  f.call_into({sorted, out}, {a, b}, aligned);
  EXPECT_EQ(Floats(a, a + 3), (Floats{1, 2, 3}));
  EXPECT_EQ(Floats(out, out + 3), (Floats{2, 4, 6}));
  const auto [s, o] = f(counted(3), np::array({3.0f, 1.0f, 2.0f}));
  EXPECT_EQ(o.to_vector<float>(), (Floats{1, 3, 5}));
}

}  // namespace
}  // namespace weft
