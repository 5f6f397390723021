#include "weft/api/jit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>

#include "weft/weft.h"

namespace weft {
namespace {

TEST(jit, traces_once_per_signature) {
  int traces = 0;
  const auto f = jit([&](Array x) {
    ++traces;
    return x * 2;
  });
  f(np::ones({3}));
  f(np::zeros({3}));
  EXPECT_EQ(traces, 1);
  f(np::ones({4}));
  f(np::ones({3}, f64));
  EXPECT_EQ(traces, 3);
  EXPECT_EQ(f.cache_size(), 3u);
}

enum class Mode { kSum, kMax };

TEST(jit, static_values_are_part_of_the_signature) {
  int traces = 0;
  const auto f = jit([&](Array x, int n, bool negate, std::string name, Mode mode) {
    ++traces;
    for (int i = 0; i < n; ++i) x = x + 1;
    if (negate) x = -x;
    if (name == "double") x = x * 2;
    return mode == Mode::kSum ? np::sum(x) : np::max(x);
  });
  const Array x = np::array({1.f, 2.f});
  EXPECT_EQ(f(x, 2, false, "", Mode::kSum).item<float>(), 7);
  EXPECT_EQ(f(x, 2, true, "", Mode::kSum).item<float>(), -7);
  EXPECT_EQ(f(x, 2, false, "double", Mode::kSum).item<float>(), 14);
  EXPECT_EQ(f(x, 2, false, "", Mode::kMax).item<float>(), 4);
  EXPECT_EQ(f(x, 3, false, "", Mode::kMax).item<float>(), 5);
  EXPECT_EQ(traces, 5);
  f(x, 3, false, "", Mode::kMax);
  EXPECT_EQ(traces, 5);
}

TEST(jit, numbers_passed_for_arrays_are_not_part_of_the_signature) {
  int traces = 0;
  const auto f = jit([&](Array x, Array rate) {
    ++traces;
    return x * rate;
  });
  EXPECT_EQ(f(np::ones({2}), 0.5f)(0).item<float>(), 0.5f);
  EXPECT_EQ(f(np::ones({2}), 0.25f)(0).item<float>(), 0.25f);
  EXPECT_EQ(traces, 1);
  // Said on purpose, a number is static.
  const auto g = jit([&](Array x, StaticArg<double> rate) {
    ++traces;
    return x * rate.value;
  });
  EXPECT_EQ(g(np::ones({2}), static_arg(0.5))(0).item<float>(), 0.5f);
  EXPECT_EQ(g(np::ones({2}), static_arg(0.25))(0).item<float>(), 0.25f);
  EXPECT_EQ(traces, 3);
}

TEST(jit, captured_arrays_are_inputs_with_the_values_they_had) {
  Array w = np::array({1.f, 2.f});
  const auto f = jit([&](Array x) { return x + w; });
  EXPECT_EQ(f(np::zeros({2})).to_vector<float>(), (std::vector<float>{1, 2}));
  EXPECT_EQ(f.jaxpr(np::zeros({2})).num_consts(), 1u);
  w = np::array({5.f, 6.f});
  EXPECT_EQ(f(np::zeros({2})).to_vector<float>(), (std::vector<float>{1, 2}));
}

struct Model {
  Array w;
  std::vector<Array> layers;
  int steps = 0;
};

TEST(jit, takes_and_returns_trees_with_static_parts) {
  const auto f = jit([](Model m) {
    m.w = m.w * 2;
    for (Array& a : m.layers) a = a + 1;
    m.steps += 1;
    return std::pair(m, std::string("done"));
  });
  const auto [m, text] = f(Model{Array(1.0f), {Array(1.0f), Array(2.0f)}, 4});
  EXPECT_EQ(m.w.item<float>(), 2);
  EXPECT_EQ(m.layers[1].item<float>(), 3);
  EXPECT_EQ(m.steps, 5);
  EXPECT_EQ(text, "done");
}

TEST(jit, a_vector_of_another_length_is_another_signature) {
  const auto f = jit([](std::vector<Array> xs) {
    Array s(0.0f);
    for (const Array& x : xs) s += x;
    return s;
  });
  EXPECT_EQ(f(std::vector<Array>{Array(1.f), Array(2.f)}).item<float>(), 3);
  EXPECT_EQ(f(std::vector<Array>{Array(1.f)}).item<float>(), 1);
  EXPECT_EQ(f(std::vector<Array>{}).item<float>(), 0);
}

TEST(jit, unused_results_and_duplicated_outputs_work) {
  const auto f = jit([](Array x) {
    np::exp(x);
    return std::tuple(x, x, np::sin(x), Array(3));
  });
  const auto [a, b, c, d] = f(2.0f);
  EXPECT_EQ(a.item<float>(), 2);
  EXPECT_EQ(b.item<float>(), 2);
  EXPECT_EQ(d.item<int>(), 3);
}

TEST(jit, an_error_while_tracing_leaves_nothing_behind) {
  bool fail = true;
  const auto f = jit([&](Array x) {
    if (fail) throw ValueError("mine");
    return x;
  });
  EXPECT_THROW(f(1.0f), ValueError);
  fail = false;
  EXPECT_EQ(f(1.0f).item<float>(), 1);
}

TEST(jit, threads_that_race_for_a_signature_keep_one_program) {
  constexpr int kThreads = 8;
  std::atomic<int> traced{0};
  // Nobody leaves the function before all are in it, so all of them trace.
  std::barrier inside(kThreads);
  const auto f = jit([&](Array x) {
    ++traced;
    inside.arrive_and_wait();
    return np::sin(x);
  });
  std::vector<float> results(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] { results[static_cast<std::size_t>(i)] = f(1.0f).item<float>(); });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(traced, kThreads);
  EXPECT_EQ(f.cache_size(), 1u);
  for (const float r : results) EXPECT_EQ(r, np::sin(1.0f).item<float>());
  EXPECT_EQ(f(1.0f).item<float>(), results[0]);
  EXPECT_EQ(traced, kThreads);
}

TEST(jit, a_function_that_was_moved_from_shares_its_programs) {
  auto f = jit([](Array x) { return x * 2; });
  f(1.0f);
  const auto g = std::move(f);
  EXPECT_EQ(g(1.0f).item<float>(), 2);
  EXPECT_EQ(f(1.0f).item<float>(), 2);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(f(1.0).item<double>(), 2);
  EXPECT_EQ(g.cache_size(), 2u);
}

TEST(jit, eager_and_compiled_agree_to_the_bit) {
  const auto f = [](Array x) { return np::sum(np::tanh(x * 3) / (1 + np::exp(-x)), 0) + np::max(x); };
  const Array x = random::normal(random::key(0), {37, 53});
  EXPECT_EQ(f(x).to_vector<float>(), jit(f)(x).to_vector<float>());
}

TEST(make_jaxpr, shows_one_equation_for_a_nested_jit) {
  const auto inner = jit([](Array x) { return np::sin(x) * 2; });
  EXPECT_EQ(make_jaxpr(inner)(1.0f).eqns().size(), 1u);
}

TEST(eval_shape, computes_types_only) {
  const auto f = [](Array x) { return std::pair(np::matmul(x, x.T()), np::argmax(x, 1)); };
  const auto [p, i] = eval_shape(f, abstract(f32, {1000000, 3000}));
  EXPECT_EQ(p.aval().str(), "f32[1000000,1000000]");
  EXPECT_EQ(i.aval().str(), "i32[1000000]");
  EXPECT_THROW(p + 1, ConcretizationError);
}

// The live set, not the sum of all intermediates: a chain of 50 needs an operand and a result, not
// 50 arrays. One more is allowed: the reference client writes constants out in full.
TEST(memory, a_chain_runs_in_the_space_of_its_live_values) {
  const auto f = jit([](Array x) {
    for (int i = 0; i < 50; ++i) x = np::sin(x) + 1;
    return x;
  });
  const Array x = np::ones({1 << 20}) + np::zeros({1 << 20});
  f(x);
  const std::int64_t before = memory_stats().live_bytes;
  reset_peak_memory();
  const Array y = f(x);
  const std::int64_t peak = memory_stats().peak_bytes - before;
  EXPECT_LE(peak, 3 * x.nbytes() + 65536 * 2) << "for arrays of " << x.nbytes() << " bytes";
  // Eagerly as well: every intermediate is dropped as soon as nobody holds it.
  reset_peak_memory();
  Array z = x;
  for (int i = 0; i < 50; ++i) z = np::sin(z) + 1;
  EXPECT_LE(memory_stats().peak_bytes - before - y.nbytes(), 4 * x.nbytes() + 65536 * 2);
}

// Reverse mode keeps one residual per step here, and gives each back as soon as it is used.
TEST(memory, a_gradient_keeps_the_residuals_and_little_more) {
  const int steps = 20;
  const auto loss = [](Array x) {
    for (int i = 0; i < steps; ++i) x = np::tanh(x);
    return np::sum(x);
  };
  const Array x = np::ones({1 << 18}) * 0.5 + np::zeros({1 << 18});
  for (const bool compiled : {false, true}) {
    const auto g = grad(loss);
    const auto jg = jit(g);
    const auto run = [&] { return compiled ? jg(x) : g(x); };
    run();
    const std::int64_t before = memory_stats().live_bytes;
    reset_peak_memory();
    run();
    const double arrays = static_cast<double>(memory_stats().peak_bytes - before) / static_cast<double>(x.nbytes());
    EXPECT_LE(arrays, steps + 6) << (compiled ? "compiled" : "eager");
  }
}

}  // namespace
}  // namespace weft
