// Compiled programs: the same bits as step by step, equal layers compiled once, errors from inside, memory.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "harness/compiler.h"
#include "harness/errors.h"
#include "weft/base/thread_pool.h"
#include "weft/cpu/executable.h"
#include "weft/ir/builder.h"
#include "weft/ir/parse.h"
#include "weft/ir/programs.h"
#include "weft/weft.h"

namespace weft::cpu {
namespace {

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(compiled, sums_have_the_same_bits_for_every_length) {
  for (const std::int64_t n :
       {1, 2, 3, 15, 16, 17, 31, 63, 64, 65, 127, 1000, 1023, 1024, 1025, 2049, 5000, 32768, 32769}) {
    const Array x = random::normal(random::key(static_cast<int>(n)), {3, n});
    const auto f = [](Array a) { return std::tuple{np::sum(a * a, 1), np::prod(a * 0.1f + 1.0f, 1), np::max(a, 1)}; };
    const auto [sum, prod, max] = jit(f)(x);
    const auto [sum2, prod2, max2] = f(x);
    EXPECT_EQ(sum.to_vector<float>(), sum2.to_vector<float>()) << n;
    EXPECT_EQ(prod.to_vector<float>(), prod2.to_vector<float>()) << n;
    EXPECT_EQ(max.to_vector<float>(), max2.to_vector<float>()) << n;
  }
}

TEST(compiled, sums_over_columns_have_the_same_bits_for_every_shape) {
  for (const std::int64_t n : {1, 2, 15, 16, 17, 33, 100, 512, 513, 1024, 1500, 5000})
    for (const std::int64_t width : {1, 2, 3, 10, 63, 100, 127, 128, 300, 1100}) {
      const Array x = random::normal(random::key(static_cast<int>(n)), {n, width});
      const auto f = [](Array a) {
        return std::tuple{np::sum(a * a, 0), np::prod(a * 0.1f + 1.0f, 0), np::max(a, 0), np::mean(a, 0) * 2.0f};
      };
      const auto [sum, prod, max, mean] = jit(f)(x);
      const auto [sum2, prod2, max2, mean2] = f(x);
      EXPECT_EQ(sum.to_vector<float>(), sum2.to_vector<float>()) << n << " " << width;
      EXPECT_EQ(prod.to_vector<float>(), prod2.to_vector<float>()) << n << " " << width;
      EXPECT_EQ(max.to_vector<float>(), max2.to_vector<float>()) << n << " " << width;
      EXPECT_EQ(mean.to_vector<float>(), mean2.to_vector<float>()) << n << " " << width;
    }
}

TEST(compiled, sums_over_any_axes_have_the_same_bits) {
  for (const DType t : {f32, f64, bf16, i32})
    for (const Dims& shape : {Dims{8, 128, 256}, Dims{3, 700, 5}, Dims{40, 1, 1300}, Dims{2, 33000, 2}}) {
      const Array x = lax::convert(random::normal(random::key(1), shape) * 10.0f, t);
      for (const std::vector<int>& axes :
           std::vector<std::vector<int>>{{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}}) {
        const auto f = [&](Array a) {
          const Array b = a * a + a;
          return std::pair{np::sum(b, axes), b};
        };
        const auto [sum, all] = jit(f)(x);
        const auto [sum2, all2] = f(x);
        EXPECT_TRUE(np::array_equal(sum, sum2).item<bool>())
            << name(t) << shape_str(shape) << " over " << axes.size() << " from " << axes[0];
        EXPECT_TRUE(np::array_equal(all, all2).item<bool>())
            << name(t) << shape_str(shape) << " over " << axes.size() << " from " << axes[0];
      }
    }
}

// Few columns are folded: what is subtracted from each row must not be written to memory row by row for that.
TEST(compiled, sums_over_rows_that_something_repeats_in_need_no_memory_for_it) {
  for (const DType t : {f32, bf16})
    for (const Dims& shape : {Dims{16, 8, 8, 16}, Dims{1024, 1, 16}, Dims{512, 2, 8}, Dims{96, 100}, Dims{1000, 7}}) {
      const auto random_of = [&](int seed, const Dims& d) {
        return lax::convert(random::normal(random::key(seed), d), t);
      };
      Dims row = shape;
      std::vector<int> axes;
      for (std::size_t d = 0; d + 1 < shape.size(); ++d) row[d] = 1, axes.push_back(static_cast<int>(d));
      const Array x = random_of(1, shape), g = random_of(2, shape), m = random_of(3, row), s = random_of(4, row);
      const auto f = [&](const Array& x, const Array& g, const Array& m, const Array& s) {
        const Array centred = x - m;
        return std::tuple(np::sum(centred * g, axes), np::max(centred * centred * s + g * 2.0f, axes),
                          np::sum(np::where(x > m, s, g), axes));
      };
      const auto compiled = compile(f, x, g, m, s);
      const auto [a, b, c] = compiled(x, g, m, s);
      const auto [a2, b2, c2] = f(x, g, m, s);
      EXPECT_TRUE(np::array_equal(a, a2).item<bool>()) << name(t) << shape_str(shape);
      EXPECT_TRUE(np::array_equal(b, b2).item<bool>()) << name(t) << shape_str(shape);
      EXPECT_TRUE(np::array_equal(c, c2).item<bool>()) << name(t) << shape_str(shape);
      if (testing::has_compiler() && shape[0] != 1000) {  // a fold that is not even reads the rows as they are
        EXPECT_LT(compiled.memory().workspace, x.nbytes() / 2 + 8192) << name(t) << shape_str(shape);
      }
    }
}

// A square uses what it is of once, though it says so twice.
TEST(compiled, sums_of_squares_of_what_is_computed_need_no_memory_for_what_repeats) {
  for (const Dims& shape : {Dims{1024, 1, 16}, Dims{512, 8}}) {
    Dims row(shape.size(), 1);
    row.back() = shape.back();
    std::vector<int> axes;
    for (std::size_t d = 0; d + 1 < shape.size(); ++d) axes.push_back(static_cast<int>(d));
    const Array x = random::normal(random::key(1), shape), m = random::normal(random::key(2), row);
    const auto f = [&](const Array& x, const Array& m) {
      const Array centred = np::abs(x) - m;
      return np::sum(centred * centred, axes);
    };
    const auto compiled = compile(f, x, m);
    EXPECT_TRUE(np::array_equal(compiled(x, m), f(x, m)).item<bool>()) << shape_str(shape);
    if (testing::has_compiler()) {
      EXPECT_LT(compiled.memory().workspace, x.nbytes() / 2 + 8192) << shape_str(shape);
    }
  }
}

TEST(compiled, rows_that_are_normalised_have_the_bits_of_single_steps) {
  for (const std::int64_t n : {1, 5, 10, 64, 100, 1000, 9000}) {
    const Array x = random::normal(random::key(1), {7, n});
    const auto softmax = [](Array a) {
      const Array e = np::exp(a - np::max(a, 1, {.keepdims = true}));
      return e / np::sum(e, 1, {.keepdims = true});
    };
    EXPECT_EQ(jit(softmax)(x).to_vector<float>(), softmax(x).to_vector<float>()) << n;
  }
}

TEST(compiled, column_sums_that_a_slice_takes_have_the_bits_of_all_of_them) {
  for (const std::int64_t n : {3, 16, 70, 1500})
    for (const std::int64_t width : {4, 300})
      for (const int count : {1, 2, 3}) {
        const Array x = random::normal(random::key(1), {n, width});
        const auto f = [&](Array a) { return np::sum(a * a, 0)(slice(1, 1 + count)); };
        const auto g = [](Array a) { return np::sum(a * a, {0, 1})(2); };
        const Array y = np::reshape(x, {1, n, width});
        for (const Fp fp : {Fp::kFast, Fp::kStrict}) {
          EXPECT_EQ(jit(f, {.fp = fp})(x).to_vector<float>(), f(x).to_vector<float>()) << n << " " << width;
          EXPECT_EQ(jit(g, {.fp = fp})(y).to_vector<float>(), g(y).to_vector<float>()) << n << " " << width;
        }
      }
}

// Large results are written past the caches, in whole vectors where memory is aligned.
TEST(compiled, large_results_are_the_same_wherever_they_are) {
  constexpr std::int64_t kSize = (9 << 20) + 5;
  const auto f = [](Array a) { return std::pair(a * 2.0f + 1.0f, a > 0.5f); };
  const Array x = random::uniform(random::key(1), {kSize});
  const auto [y, above] = f(x);
  const std::vector<float> expected = y.to_vector<float>();
  const auto bits = np::sum(above).item<std::int32_t>();
  const auto compiled = compile(f, abstract(f32, {kSize}));
  std::vector<float> memory(kSize + 64);
  auto flags = std::make_unique<bool[]>(kSize + 64);
  std::vector<char> workspace(compiled.workspace_bytes() + 64);
  char* aligned = workspace.data() + (64 - reinterpret_cast<std::uintptr_t>(workspace.data()) % 64) % 64;
  const auto to_line = [](auto* p) {
    while (reinterpret_cast<std::uintptr_t>(p) % 64 != 0) ++p;
    return p;
  };
  const std::vector<float> in = x.to_vector<float>();
  for (const int shift : {0, 1}) {
    float* const to = to_line(memory.data()) + shift;
    bool* const flag = to_line(flags.get()) + shift;
    compiled.call_into({to, flag}, {in.data()}, aligned);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), to)) << shift;
    EXPECT_EQ(std::count(flag, flag + kSize, true), bits) << shift;
  }
}

TEST(compiled, the_number_of_threads_changes_no_bit) {
  const Array x = random::normal(random::key(1), {3000, 700});
  const auto f = jit([](Array a) { return std::pair(np::sum(np::exp(a), 1), np::tanh(a) + a); });
  const int before = num_threads();
  set_num_threads(1);
  const auto [one, many] = f(x);
  set_num_threads(4);
  const auto [one4, many4] = f(x);
  set_num_threads(before);
  EXPECT_EQ(one.to_vector<float>(), one4.to_vector<float>());
  EXPECT_EQ(many.to_vector<float>(), many4.to_vector<float>());
}

TEST(compiled, equal_layers_are_compiled_once) {
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  const auto layers = [](int n) {
    return compile(
               [n](Array x, Array w) {
                 for (int i = 0; i < n; ++i) x = np::tanh(np::matmul(x, w)) * 0.5f + x;
                 return x;
               },
               abstract(f32, {64, 64}), abstract(f32, {64, 64}))
        .text(ProgramStage::kLlvm);
  };
  EXPECT_EQ(count(layers(24), "define internal void @kernel"), count(layers(2), "define internal void @kernel"));
}

TEST(compiled, long_programs_are_several_functions_that_share_nothing_but_memory) {
  // Statements at every place of a part: kernels, operations without code, products and a loop that may fail.
  const auto f = [](Array x, Array limit) {
    Array all = x;
    for (int i = 0; i < 700; ++i) x = np::sort(x + static_cast<float>(i % 7)) * 0.5f;
    all = all + x;
    x = while_loop([&](Array v) { return np::max(v) < limit; }, [](Array v) { return np::sort(v) + 1.0f; }, x,
                   {.max_steps = 20});
    for (int i = 0; i < 700; ++i) x = np::sort(all - x) * 0.5f + x;
    return std::pair(x, all);
  };
  const Array x = random::normal(random::key(1), {16});
  const auto [a, b] = jit(f)(x, 10.0f);
  const auto [a2, b2] = jit(f, {.effort = Effort::kNone})(x, 10.0f);
  EXPECT_EQ(a.to_vector<float>(), a2.to_vector<float>());
  EXPECT_EQ(b.to_vector<float>(), b2.to_vector<float>());
  EXPECT_THROW(jit(f)(x, 1000.0f), ValueError);
  if (!testing::has_compiler()) return;
  const std::string text = compile(f, x, 10.0f).text(ProgramStage::kLlvm);
  EXPECT_GE(count(text, "define internal i32 @weft_program_part"), 2u);
}

TEST(compiled, errors_inside_name_their_line_and_leave_nothing_broken) {
  const auto f = jit([](Array x) {
    return while_loop([](Array v) { return v < 100.0f; }, [](Array v) { return v + 1.0f; }, x, {.max_steps = 5});
  });
  EXPECT_THROW(f(0.0f), ValueError);
  EXPECT_EQ(f(97.0f).item<float>(), 100);
  EXPECT_THROW(f(0.0f), ValueError);
}

TEST(compiled, large_inputs_that_repeat_are_not_written_out) {
  const Array x = np::zeros({1 << 20, 1 << 20});  // 4 TiB
  EXPECT_EQ(jit([](Array a) { return np::max(a(slice(0, 3), slice(0, 5)) + 1.0f); })(x).item<float>(), 1);
}

TEST(compiled, loops_step_states_that_change_places) {
  // Fibonacci's numbers: each value becomes the other.
  const auto f = [](Array a, Array b) {
    return fori_loop(
        0, 20, [](Array, std::pair<Array, Array> s) { return std::pair(s.second, s.first + s.second); },
        std::pair(a, b));
  };
  const auto [a, b] = jit(f)(0, 1);
  EXPECT_EQ(a.item<int>(), 6765);
  EXPECT_EQ(b.item<int>(), 10946);
  for (int steps = 0; steps < 4; ++steps) {
    const auto g = jit([steps](Array x, Array y) {
      return fori_loop(
          0, steps, [](Array, std::pair<Array, Array> s) { return std::pair(s.second * 2.0f, s.first); },
          std::pair(x, y));
    });
    const auto [x, y] = g(np::ones({5}), np::full({5}, 3.0f));
    const float want[4][2] = {{1, 3}, {6, 1}, {2, 6}, {12, 2}};
    EXPECT_EQ(x(0).item<float>(), want[steps][0]) << steps;
    EXPECT_EQ(y(0).item<float>(), want[steps][1]) << steps;
  }
}

TEST(compiled, one_body_serves_loops_that_carry_different_values) {
  // The same program, once with two carried values and once with one and a slice.
  const ir::Jaxpr body = ir::parse("{ lambda ; a:f32[] b:f32[]. let c:f32[] = add a b d:f32[] = exp b in (c, d) }");
  ir::JaxprBuilder b;
  const ir::Var c = b.add_var(Aval(f32, {})), x = b.add_var(Aval(f32, {})), xs = b.add_var(Aval(f32, Dims{3}));
  const Aval scalar(f32, {}), row(f32, Dims{3});
  const auto scan = [&](std::int64_t carry, ir::Var second, Aval result) {
    const ir::Atom operands[] = {ir::Atom::var(c), ir::Atom::var(second)};
    const Aval results[] = {scalar, result};
    return b.add_eqn(OpCode::kScan, ir::make_params(ScanParams{body, 3, carry, false}), operands, results,
                     SourceLocation());
  };
  const ir::Var first = scan(2, x, scalar), second = scan(1, xs, row);
  const ir::Var inputs[] = {c, x, xs};
  const ir::Atom outputs[] = {ir::Atom::var(first), ir::Atom::var(first + 1), ir::Atom::var(second),
                              ir::Atom::var(second + 1)};
  const ir::Jaxpr jaxpr = b.build({}, inputs, outputs);
  const Arrays args{Array(1.0f), Array(0.5f), np::array({0.1f, 0.2f, 0.3f})};
  Arrays compiled, stepwise;
  make_executable(jaxpr)->run(args, compiled);
  make_stepwise(jaxpr)->run(args, stepwise);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(compiled[i].to_vector<float>(), stepwise[i].to_vector<float>()) << i;
  EXPECT_EQ(args[2].to_vector<float>(), (std::vector<float>{0.1f, 0.2f, 0.3f}));
}

TEST(compiled, updates_in_a_loop_copy_nothing) {
  // Writes every element of a large array, one by one: with a copy per step it would move 40 GB.
  const auto f = jit([](Array x) {
    return fori_loop(0, 100000, [](Array i, Array v) { return v.at(i).set(np::square(v(i)) + 1.0f); }, x);
  });
  const Array y = f(np::arange(100000).astype(f32) * 0.001f);
  EXPECT_FLOAT_EQ(y(50000).item<float>(), 2501);
}

TEST(compiled, elements_of_another_size_are_never_written_where_they_are_read) {
  // Sorts run as operations, so what is between them is a kernel over two dying arrays of 512 bytes.
  const Array x = random::normal(random::key(3), {128});
  const auto f = [](Array a) { return np::sort(np::sort(a)(slice(0, 64)).astype(f64)); };
  EXPECT_EQ(jit(f)(x).to_vector<double>(), f(x).to_vector<double>());
}

TEST(compiled, small_products_agree_with_the_library) {
  const Array x = np::reshape(np::arange(12).astype(i32), {3, 4}), y = np::reshape(np::arange(20).astype(i32), {4, 5});
  EXPECT_EQ(jit([](Array a, Array b) { return np::matmul(a, b); })(x, y).to_vector<std::int32_t>(),
            np::matmul(x, y).to_vector<std::int32_t>());
  for (const auto& [m, k, n] : {std::tuple{1, 6, 64}, {1, 64, 8}, {7, 3, 5}, {4, 17, 33}, {16, 16, 1}, {1, 100, 1}}) {
    const Array a = random::normal(random::key(m), {m, k}), b = random::normal(random::key(n), {k, n});
    const auto product = [](Array x, Array y) { return np::matmul(x, y); };
    const auto transposed = [](Array x, Array y) { return np::matmul(x, np::transpose(y)); };
    EXPECT_LT(np::max(np::abs(jit(product)(a, b) - product(a, b))).item<float>(), 1e-4) << m << k << n;
    EXPECT_LT(np::max(np::abs(jit(transposed)(a, np::transpose(b)) - product(a, b))).item<float>(), 1e-4)
        << m << k << n;
  }
}

// Kernels of some tens of microseconds are split only where other threads are awake, as they are in such a loop.
TEST(compiled, kernels_of_middling_length_give_the_same_on_any_threads_and_as_plain_functions) {
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  const int before = num_threads();
  const auto step = [](Array v) { return np::tanh(v * 1.01f) + np::sin(v) * 0.5f + np::exp(v * -0.25f); };
  const auto loop = jit([&](Array x) { return fori_loop(0, 40, [&](Array, Array v) { return step(v); }, x); });
  const Array x = random::normal(random::key(7), {32768});
  set_num_threads(1);
  const std::vector<float> want = loop(x).to_vector<float>(), once = jit(step)(x).to_vector<float>();
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    for (int i = 0; i < 20; ++i) ASSERT_EQ(loop(x).to_vector<float>(), want) << threads << " threads";
  }
  set_num_threads(before);
  const auto f = compile(step, x);
  std::vector<float> got(32768);
  const std::vector<float> values = x.to_vector<float>();
  const void* in[] = {values.data()};
  void* out[] = {got.data()};
  ASSERT_EQ(f.raw()(in, out, nullptr), 0);
  EXPECT_EQ(got, once);
}

// Long rows are divided by way of a reciprocal, which must round as a division does, for any mantissas; operands that
// are too large or too small for that are among them.
template <class T>
void rows_divide_as_numbers_do(DType t) {
  const auto quotient = jit([](Array x, Array y) { return x / y; });
  std::mt19937_64 draw(5);
  for (int round = 0; round < 20; ++round) {
    const auto numbers = [&](std::int64_t n, double magnitude) {
      std::vector<T> v;
      for (std::int64_t i = 0; i < n; ++i) {
        const double mantissa = 1 + static_cast<double>(draw() >> 12) * 0x1p-52;
        const double exponent = std::floor((static_cast<double>(draw() >> 11) * 0x1p-52 - 1) * magnitude);
        v.push_back(static_cast<T>(std::ldexp(draw() & 1 ? -mantissa : mantissa, static_cast<int>(exponent))));
      }
      return v;
    };
    // Most rounds are of numbers near 1; in the others some are zero, subnormal or infinite.
    const double magnitude = round < 15 ? 4 : t == f32 ? 140 : 1060;
    const Array x = np::reshape(Array(numbers(64 * 1000, magnitude)), {64, 1000}),
                y = np::reshape(Array(numbers(64, magnitude)), {64, 1});
    const Array result = quotient(x, y), exact = x / y;
    const std::vector<T> got = result.to_vector<T>(), want = exact.to_vector<T>();
    for (std::size_t i = 0; i < want.size(); ++i)
      ASSERT_TRUE(std::memcmp(&got[i], &want[i], sizeof(T)) == 0 || (got[i] != got[i] && want[i] != want[i]))
          << x.to_vector<T>()[i] << " / " << y.to_vector<T>()[i / 1000] << " is " << want[i] << "; got " << got[i];
  }
}
TEST(compiled, rows_divided_by_one_number_have_the_bits_of_divisions) {
  rows_divide_as_numbers_do<float>(f32);
  rows_divide_as_numbers_do<double>(f64);
}

}  // namespace
}  // namespace weft::cpu
