// Fp::kStrict: the same bits compiled, step by step, on one thread and two, with the kernels of every instruction set,
// and ahead of time for every machine that programs can be run on here.
#include <gtest/gtest.h>

#include "harness/compare_programs.h"
#include "harness/compiler.h"
#include "harness/errors.h"
#include "harness/object_programs.h"
#include "samples/sample.h"
#include "weft/base/thread_pool.h"
#include "weft/cpu/executable.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/ir/builder.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

using Results = std::vector<Array>;

Results run(const Executable& program, const std::vector<Array>& inputs) {
  Arrays outs;
  program.run(inputs, outs);
  return {outs.begin(), outs.end()};
}

class WithThreads {
 public:
  explicit WithThreads(int n) : before_(num_threads()) { set_num_threads(n); }
  ~WithThreads() { set_num_threads(before_); }

 private:
  int before_;
};
class WithIsa {
 public:
  explicit WithIsa(cpu::Isa isa) : before_(cpu::active_isa()) { cpu::force_isa(isa); }
  ~WithIsa() { cpu::force_isa(before_); }

 private:
  cpu::Isa before_;
};

RandomProgram strict(const RandomProgram& p) { return {with_fp(p.jaxpr, Fp::kStrict), p.inputs}; }

// "" or what differs from the program's bits step by step, in this process.
std::string difference_here(const RandomProgram& p, const Results& want) {
  const auto compare = [&](const std::string& who, const Results& got) {
    for (std::size_t i = 0; i < want.size(); ++i)
      if (const std::string s = difference_within(got[i], want[i], {}); !s.empty())
        return who + ", result " + std::to_string(i) + ": " + s;
    return std::string();
  };
  for (const int threads : {1, 2}) {
    const WithThreads with(threads);
    const std::string on = " on " + std::to_string(threads) + " threads";
    if (std::string s = compare("compiled" + on, run(*cpu::make_executable(p.jaxpr), p.inputs)); !s.empty()) return s;
    for (const cpu::Isa isa : {cpu::Isa::kBaseline, cpu::Isa::kV3, cpu::Isa::kV4}) {
      if (!cpu::isa_available(isa)) continue;
      const WithIsa kernels(isa);
      const std::string who = "step by step with kernels " + std::to_string(static_cast<int>(isa)) + on;
      if (std::string s = compare(who, run(*cpu::make_stepwise(p.jaxpr), p.inputs)); !s.empty()) return s;
    }
  }
  return "";
}

// All of `programs`, which are strict ones, on all machines.
void check(const std::vector<RandomProgram>& programs) {
  std::vector<Results> want;
  std::vector<RandomProgram> with_objects;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    want.push_back(run(*cpu::make_stepwise(programs[i].jaxpr), programs[i].inputs));
    ASSERT_EQ(difference_here(programs[i], want[i]), "") << "program " << i << "\n" << description(programs[i]);
    if (!has_compiler() || !has_object(programs[i])) continue;
    with_objects.push_back(programs[i]);
    numbers.push_back(i);
  }
  if (!has_compiler()) return;
  EXPECT_GT(with_objects.size(), programs.size() / 4);
  for (const ObjectTarget& target : object_targets()) {
    if (!target.missing.empty()) {
      std::printf("not on %s: %s\n", target.name.c_str(), target.missing.c_str());
      continue;
    }
    const std::vector<Results> results = run_objects(with_objects, target);
    for (std::size_t i = 0; i < results.size(); ++i)
      for (std::size_t k = 0; k < results[i].size(); ++k)
        ASSERT_EQ(difference_within(results[i][k], want[numbers[i]][k], {}), "")
            << target.name << ", program " << numbers[i] << ", result " << k << "\n"
            << description(with_objects[i]);
  }
}

template <class F, class... A>
RandomProgram program_of(F f, A... args) {
  RandomProgram p{make_jaxpr(f)(args...), {args...}};
  EXPECT_EQ(p.jaxpr.num_consts(), 0u) << "a program of these tests captures nothing";
  return strict(p);
}
Array normal(int seed, const Shape& shape) { return random::normal(random::key(seed), shape); }

Array log_softmax(Array x) {
  const Array shifted = x - np::max(x, -1, {.keepdims = true});
  return shifted - np::log(np::sum(np::exp(shifted), -1, {.keepdims = true}));
}
Array convolution(Array x, Array w, Dims strides, std::int64_t padding) {
  const Dims ones{1, 1}, pad{padding, padding};
  return lax::convolution(
      x, w,
      {.dimension_numbers = {.input_spatial = {2, 3}, .kernel_spatial = {2, 3}, .output_spatial = {2, 3}},
       .window_strides = strides,
       .padding_low = pad,
       .padding_high = pad,
       .lhs_dilation = ones,
       .rhs_dilation = ones});
}

TEST(strict, programs_of_networks_have_the_same_bits_everywhere) {
  using Params = std::tuple<Array, Array, Array, Array>;
  const auto mlp_loss = [](Params p, Array x, Array y) {
    const auto& [w1, b1, w2, b2] = p;
    const Array h = np::tanh(np::matmul(x, w1) + b1);
    return -np::mean(np::sum(log_softmax(np::matmul(h, w2) + b2) * y, 1));
  };
  const auto mlp_step = [mlp_loss](Array w1, Array b1, Array w2, Array b2, Array x, Array y) {
    const auto [g1, gb1, g2, gb2] = grad(mlp_loss)(Params{w1, b1, w2, b2}, x, y);
    return std::tuple{w1 - 0.1f * g1, b1 - 0.1f * gb1, w2 - 0.1f * g2, b2 - 0.1f * gb2};
  };
  const auto conv_loss = [](Array w, Array x) { return np::sum(np::square(convolution(x, w, Dims{2, 1}, 1))); };
  std::vector<RandomProgram> programs;
  programs.push_back(program_of(mlp_step, normal(1, {20, 33}), normal(2, {33}), normal(3, {33, 10}), normal(4, {10}),
                                normal(5, {17, 20}), np::abs(normal(6, {17, 10}))));
  programs.push_back(program_of(log_softmax, normal(7, {9, 1000})));
  programs.push_back(program_of([](Array x, Array w) { return convolution(x, w, Dims{1, 1}, 1); },
                                normal(8, {2, 5, 11, 7}), normal(9, {6, 5, 3, 3})));
  programs.push_back(program_of(grad(conv_loss), normal(10, {4, 3, 3, 3}), normal(11, {2, 3, 9, 9})));
  programs.push_back(program_of([](Array x) { return std::tuple{np::sum(x, 0), np::mean(x), np::prod(x, {0, 1})}; },
                                normal(12, {70, 60, 5}) * 0.1f + 1.0f));
  programs.push_back(program_of([](Array x) { return np::sum(x); }, normal(13, {3, 50000})));
  // Long contractions, in several runs; more columns than vectors have; matrix times vector; large enough for threads.
  programs.push_back(
      program_of([](Array a, Array b) { return np::matmul(a, b); }, normal(14, {9, 1000}), normal(15, {1000, 37})));
  programs.push_back(
      program_of([](Array a, Array b) { return np::matmul(a, b); }, normal(16, {300, 700}), normal(17, {700})));
  programs.push_back(program_of([](Array a, Array b) { return np::matmul(a, np::transpose(b)); },
                                normal(18, {130, 300}), normal(19, {140, 300})));
  programs.push_back(program_of([](Array a, Array b) { return np::matmul(a, b); }, normal(20, {2, 5, 130}).astype(f64),
                                normal(21, {2, 130, 6}).astype(f64)));
  for (const DType t : {f16, bf16})
    programs.push_back(
        program_of([](Array a, Array b) { return std::tuple{np::matmul(a, b), np::sum(a, 0), np::sin(a), np::exp(b)}; },
                   normal(22, {19, 40}).astype(t), normal(23, {40, 9}).astype(t)));
  programs.push_back(program_of(
      [](Array x) {
        return scan([](Array c, Array v) { return std::pair(np::tanh(np::matmul(c, c) + v), np::sum(c)); }, x(0), x);
      },
      normal(24, {12, 6, 6})));
  check(programs);
}

TEST(strict, functions_have_the_same_bits_everywhere_also_of_far_arguments) {
  std::vector<RandomProgram> programs;
  for (const DType t : {f32, f64}) {
    const Array x = normal(1, {501}).astype(t), far = x * Array(1e30).astype(t);
    programs.push_back(program_of(
        [](Array v, Array f) {
          return std::tuple{np::sin(f), np::cos(f),  np::tan(f),          np::sin(v),   np::tan(v),
                            np::exp(v), np::tanh(v), np::remainder(f, v), lax::cbrt(v), np::arctan2(v, f)};
        },
        x, far));
    programs.push_back(program_of(
        [](Array v) {
          const Array a = np::abs(v);
          return std::tuple{np::log(a), np::log1p(a), np::sqrt(a), lax::rsqrt(a), np::arcsin(np::tanh(v)), np::sinh(v)};
        },
        x));
  }
  check(programs);
}

TEST(strict, random_programs_have_the_same_bits_everywhere) {
  const auto first = static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed()) * 1'000'000;
  std::vector<RandomProgram> programs;
  for (std::uint64_t seed = 0; programs.size() < 60 && seed < 1000; ++seed) {
    try {
      RandomProgram p = strict(random_program(first + seed, {.most_eqns = 8}));
      run(*cpu::make_stepwise(p.jaxpr), p.inputs);
      programs.push_back(std::move(p));
    } catch (const BackendError&) {  // an operation that strict programs cannot have
    } catch (const ValueError&) {    // a loop that is not done in time
    }
  }
  EXPECT_EQ(programs.size(), 60u);
  check(programs);
}

// Of ordered products, step by step, reference evaluation is the meaning to the bit.
TEST(strict, ordered_products_are_what_they_say) {
  for (const DType t : {f32, f64})
    for (const std::int64_t k : {1, 5, 127, 128, 129, 255, 256, 257, 900}) {
      const RandomProgram p = program_of([](Array a, Array b) { return np::matmul(a, b); }, normal(1, {3, k}).astype(t),
                                         normal(2, {k, 5}).astype(t));
      ASSERT_NE(p.jaxpr.str().find("ordered=True"), std::string::npos) << p.jaxpr;
      EXPECT_EQ(difference_within(run(*cpu::make_stepwise(p.jaxpr), p.inputs)[0],
                                  expected_results(p.jaxpr, p.inputs)[0].value, {}),
                "")
          << k;
    }
}

// Prebuilt kernels here, loops in object files.
TEST(strict, windows_sums_and_scatters_have_the_same_bits_everywhere) {
  const Array x = normal(1, {4, 20, 20}), table = normal(2, {30, 5}), at = np::arange(0, 90, 3) % 30;
  std::vector<RandomProgram> all;
  for (const DType t : {f32, bf16})
    for (const std::int64_t n : {3, 20})
      all.push_back(program_of(
          [n](Array v) {
            return lax::reduce_window(v, ReduceKind::kSum, {.dimensions = {1, n, n}, .padding_low = {0, 1, 1}});
          },
          x.astype(t)));
  all.push_back(program_of([](Array v) { return lax::cumsum(v, 0); }, normal(3, {150, 3})));
  all.push_back(program_of([](Array v) { return lax::cumsum(v, 0, true); }, normal(4, {70}).astype(f16)));
  for (const ScatterKind kind : {ScatterKind::kAdd, ScatterKind::kMul, ScatterKind::kMin, ScatterKind::kMax})
    all.push_back(program_of(
        [kind](Array to, Array i, Array u) {
          return lax::scatter(
              to, lax::reshape(i, Dims{30, 1}), u,
              {.update_window_dims = {1}, .inserted_window_dims = {0}, .scatter_dims_to_operand_dims = {0}}, kind,
              IndexMode::kClip);
        },
        np::where(table > 0.0f, table, 0.0f), at, np::where(table < 1.0f, -0.0f, table)));
  check(all);
}

// Every sample of what is rewritten, by its values.
TEST(strict, rewritten_operations_mean_what_they_meant) {
  int rewritten = 0;
  for (const Sample& s : all_samples()) {
    if (s.op != OpCode::kConvolution && s.op != OpCode::kDotGeneral && s.op != OpCode::kReduce) continue;
    ir::JaxprBuilder b;
    std::vector<ir::Var> inputs;
    std::vector<ir::Atom> operands;
    ir::Avals in, out;
    RandomProgram program;
    for (const Array& x : make_operands(s)) {
      in.push_back(x.aval());
      inputs.push_back(b.add_var(x.aval()));
      operands.push_back(ir::Atom::var(inputs.back()));
      program.inputs.push_back(x);
    }
    ir::infer(s.op, s.params.get(), in, out);
    const ir::Atom outputs[] = {ir::Atom::var(b.add_eqn(s.op, s.params, operands, out, SourceLocation()))};
    program.jaxpr = b.build({}, inputs, outputs);
    RandomProgram other;
    try {
      other = strict(program);
    } catch (const BackendError&) {
      continue;  // complex, or a storage type
    }
    ir::check(other.jaxpr);
    rewritten += !(other.jaxpr == program.jaxpr);
    const std::vector<Expected> expected = expected_results(program.jaxpr, program.inputs);
    EXPECT_EQ(
        difference_within(run(*cpu::make_stepwise(other.jaxpr), other.inputs)[0], expected[0].value, expected[0].error),
        "")
        << s.name << "\n"
        << other.jaxpr;
  }
  EXPECT_GT(rewritten, 30);
}

TEST(strict, jit_and_compile_take_it_as_an_option) {
  const Array a = normal(1, {40, 300}), b = normal(2, {300, 50});
  const auto product = [](Array x, Array y) { return np::matmul(x, y); };
  const Array jitted = jit(product, {.fp = Fp::kStrict})(a, b),
              compiled = compile({.fp = Fp::kStrict}, product, a, b)(a, b);
  const RandomProgram p = program_of(product, a, b);
  const Array want = expected_results(p.jaxpr, p.inputs)[0].value;
  EXPECT_EQ(difference_within(jitted, want, {}), "");
  EXPECT_EQ(difference_within(compiled, want, {}), "");
}

TEST(strict, operations_that_cannot_promise_their_bits_are_refused_by_name) {
  const auto f = [](Array x) { return np::power(x, x) + lax::lgamma(x); };
  EXPECT_EQ(message_of<BackendError>([&] { jit(f, {.fp = Fp::kStrict})(np::ones({3}, f64)); }),
            "compile: under Fp::kStrict operations must give the same bits on every machine; got lgamma of f64, power "
            "of f64.");
}

}  // namespace
}  // namespace weft::testing
