// Object files against reference evaluation, on every machine that programs can be run on here: the three levels of
// x86-64, and AArch64 under an emulator.
#include <gtest/gtest.h>

#include "harness/compare_programs.h"
#include "harness/compiler.h"
#include "harness/object_programs.h"
#include "samples/sample.h"
#include "weft/ir/builder.h"
#include "weft/weft.h"

namespace weft::testing {
namespace {

class objects : public ::testing::TestWithParam<ObjectTarget> {
 protected:
  void SetUp() override {
    if (!has_compiler()) GTEST_SKIP() << "this build has no compiler";
    if (!GetParam().missing.empty()) GTEST_SKIP() << GetParam().missing;
  }
  // All of them in one run, each against reference evaluation.
  static void check(const std::vector<RandomProgram>& programs) {
    const std::vector<std::vector<Array>> results = run_objects(programs, GetParam());
    for (std::size_t i = 0; i < programs.size(); ++i) {
      const std::vector<Expected> expected = expected_results(programs[i].jaxpr, programs[i].inputs);
      for (std::size_t k = 0; k < expected.size(); ++k) {
        const std::string difference = difference_within(results[i][k], expected[k].value, expected[k].error);
        EXPECT_EQ(difference, "") << "program " << i << ", result " << k << "\n" << description(programs[i]);
        if (!difference.empty()) return;
      }
    }
  }
};

INSTANTIATE_TEST_SUITE_P(on, objects, ::testing::ValuesIn(object_targets()),
                         [](const ::testing::TestParamInfo<ObjectTarget>& info) {
                           std::string name = info.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// ---- programs as people write them ----

template <class F, class... A>
RandomProgram program_of(F f, A... args) {
  RandomProgram p{make_jaxpr(f)(args...), {args...}};
  EXPECT_EQ(p.jaxpr.num_consts(), 0u) << "a program of these tests captures nothing";
  return p;
}

Array normal(int seed, const Shape& shape) { return random::normal(random::key(seed), shape); }
Array whole(int seed, const Shape& shape, DType t) { return random::randint(random::key(seed), shape, 0, 9).astype(t); }

Array convolution(Array x, Array w) {
  const Dims ones{1, 1}, pad{1, 1};
  return lax::convolution(
      x, w,
      {.dimension_numbers = {.input_spatial = {2, 3}, .kernel_spatial = {2, 3}, .output_spatial = {2, 3}},
       .window_strides = Dims{2, 1},
       .padding_low = pad,
       .padding_high = pad,
       .lhs_dilation = ones,
       .rhs_dilation = ones});
}

std::vector<RandomProgram> usual_programs() {
  const auto softmax = [](Array x) {
    const Array e = np::exp(x - np::max(x, 1, {.keepdims = true}));
    return e / np::sum(e, 1, {.keepdims = true});
  };
  const auto layer_norm = [](Array x) {
    const Array centred = x - np::mean(x, 1, {.keepdims = true});
    return centred * lax::rsqrt(np::mean(np::square(centred), 1, {.keepdims = true}) + 1e-5f);
  };
  const auto policy = [](Array x, Array w, Array b, Array v) { return np::matmul(np::tanh(np::matmul(x, w) + b), v); };
  const auto loss = [](Array w, Array x, Array y) {
    const Array logits = np::matmul(x, w);
    return np::mean(np::square(np::tanh(logits) - y));
  };
  std::vector<RandomProgram> all;
  for (const std::int64_t n : {1, 3, 10, 64, 100, 1000}) {
    all.push_back(program_of(softmax, normal(1, {5, n})));
    all.push_back(program_of(layer_norm, normal(2, {4, n})));
    all.push_back(program_of([](Array x) { return std::tuple{np::sum(x), np::max(x), np::min(x), np::prod(x)}; },
                             normal(3, {n})));
    // Over one inner axis, and over the first.
    all.push_back(program_of([](Array x) { return std::pair{np::sum(x, 1), np::max(x, 0)}; }, normal(4, {3, n, 5})));
  }
  all.push_back(program_of([](Array x) { return np::sum(x); }, normal(5, {70000})));
  for (const auto& [m, k, n] :
       {std::tuple{1, 6, 64}, {1, 64, 8}, {7, 3, 5}, {4, 17, 33}, {16, 16, 1}, {1, 100, 1}, {40, 50, 60}, {3, 1, 2}}) {
    all.push_back(program_of([](Array a, Array b) { return np::matmul(a, b); }, normal(m, {m, k}), normal(n, {k, n})));
    all.push_back(program_of([](Array a, Array b) { return np::matmul(a, np::transpose(b)); }, normal(m, {m, k}),
                             normal(n, {n, k})));
    all.push_back(program_of([](Array a, Array b) { return np::matmul(a, b); }, normal(m, {2, m, k}).astype(f64),
                             normal(n, {2, k, n}).astype(f64)));
    all.push_back(
        program_of([](Array a, Array b) { return np::matmul(a, b); }, whole(m, {m, k}, i32), whole(n, {k, n}, i32)));
  }
  all.push_back(program_of(policy, normal(1, {3, 4}), normal(2, {4, 16}), normal(3, {16}), normal(4, {16, 2})));
  all.push_back(program_of(grad(loss), normal(1, {8, 3}), normal(2, {10, 8}), normal(3, {10, 3})));
  all.push_back(program_of(
      [](Array x) { return scan([](Array c, Array v) { return std::pair(np::tanh(c + v), c * v); }, x(0), x); },
      normal(6, {20, 10})));
  all.push_back(program_of(
      [](Array x) {
        return while_loop([](Array v) { return np::sum(v) < 100.0f; }, [](Array v) { return v * 1.5f + 1.0f; }, x);
      },
      np::abs(normal(7, {12}))));
  all.push_back(program_of(
      [](Array i, Array x) {
        return switch_(
            i,
            std::vector<std::function<Array(Array)>>{[](Array v) { return np::sin(v); },
                                                     [](Array v) { return np::square(v); }, [](Array v) { return -v; }},
            x);
      },
      Array(1), normal(8, {33})));
  all.push_back(program_of(
      [](Array x, Array i) {
        const Array from[] = {i, Array(0)}, to[] = {Array(1), i};
        const Array part = lax::dynamic_slice(x, from, Dims{3, 5});
        return std::pair{part, lax::dynamic_update_slice(x, part * 2.0f, to)};
      },
      normal(9, {10, 9}), Array(4)));
  all.push_back(program_of(
      [](Array x) {
        const auto step = [](Array i, Array v) {
          const Array at[] = {i};
          return lax::dynamic_update_slice(v, np::square(lax::dynamic_slice(v, at, Dims{1})) + 1.0f, at);
        };
        return fori_loop(0, 50, step, x);
      },
      normal(10, {50})));
  all.push_back(
      program_of([](Array x) { return std::pair{np::sum(x, {0, 2}), np::max(x, {0, 1})}; }, normal(11, {4, 5, 6})));
  all.push_back(program_of([](Array x, Array w) { return convolution(x, w); }, normal(12, {2, 3, 9, 9}),
                           normal(13, {4, 3, 3, 3})));
  all.push_back(program_of(
      [](Array x, Array w) {
        const auto pooled = [&](ReduceKind kind, std::int64_t size) {
          return lax::reduce_window(np::maximum(convolution(x, w), 0.0f), kind,
                                    {.dimensions = {1, 1, size, size}, .strides = {1, 1, 2, 2}});
        };
        return std::tuple{pooled(ReduceKind::kMax, 2), pooled(ReduceKind::kSum, 3)};
      },
      normal(16, {2, 3, 9, 9}), normal(17, {4, 3, 3, 3})));
  // Words, the sums up to each of them, the likeliest of each row, and a table that counts them.
  all.push_back(program_of(
      [](Array table, Array words) {
        const Array x = np::cumsum(np::take(table, words, 0), 0);
        return std::tuple{x, np::argmax(x, 1), np::zeros({40}, i32).at(words).add(1)};
      },
      normal(18, {40, 5}), whole(19, {150}, i32)));
  for (const DType t : {f16, bf16})
    all.push_back(program_of([](Array a, Array b) { return np::matmul(a, b); }, normal(14, {5, 40}).astype(t),
                             normal(15, {40, 9}).astype(t)));
  return all;
}

TEST_P(objects, usual_programs_agree_with_reference_evaluation) { check(usual_programs()); }

// ---- samples ----

// The samples' operations beside each other, each on its own operands.
RandomProgram beside_each_other(std::span<const Sample* const> samples) {
  ir::JaxprBuilder b;
  std::vector<ir::Var> inputs;
  std::vector<ir::Atom> outputs;
  RandomProgram program;
  for (const Sample* s : samples) {
    std::vector<ir::Atom> operands;
    ir::Avals in, out;
    for (const Array& x : make_operands(*s)) {
      in.push_back(x.aval());
      inputs.push_back(b.add_var(x.aval()));
      operands.push_back(ir::Atom::var(inputs.back()));
      program.inputs.push_back(x);
    }
    ir::infer(s->op, s->params.get(), in, out);
    const ir::Var first = b.add_eqn(s->op, s->params, operands, out, SourceLocation());
    for (std::size_t i = 0; i < out.size(); ++i) outputs.push_back(ir::Atom::var(first + static_cast<ir::Var>(i)));
  }
  program.jaxpr = b.build({}, inputs, outputs);
  return program;
}

// Those that are code, some to a program.
const std::vector<RandomProgram>& programs_of_samples() {
  static const std::vector<RandomProgram> programs = [] {
    constexpr std::size_t kTogether = 16;
    std::vector<RandomProgram> made;
    std::vector<const Sample*> some;
    for (const Sample& s : all_samples()) {
      const Sample* one[] = {&s};
      if (!has_object(beside_each_other(one))) continue;
      some.push_back(&s);
      if (some.size() < kTogether) continue;
      made.push_back(beside_each_other(some));
      some.clear();
    }
    if (!some.empty()) made.push_back(beside_each_other(some));
    return made;
  }();
  return programs;
}

TEST_P(objects, samples_of_every_operation_with_code_agree_with_reference_evaluation) {
  EXPECT_GT(programs_of_samples().size(), 20u);
  check(programs_of_samples());
}

// ---- random programs ----

const std::vector<RandomProgram>& random_programs() {
  static const std::vector<RandomProgram> programs = [] {
    constexpr std::size_t kWanted = 60;
    const auto first = static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed()) * 1'000'000;
    std::vector<RandomProgram> made;
    for (std::uint64_t seed = 0; made.size() < kWanted && seed < 2000; ++seed) {
      RandomProgram p = random_program(first + seed, {.most_eqns = 10});
      bool ends = true;
      try {
        expected_results(p.jaxpr, p.inputs);
      } catch (const Error&) {
        ends = false;  // a loop that is not done in time
      }
      if (ends && has_object(p)) made.push_back(std::move(p));
    }
    return made;
  }();
  return programs;
}

TEST_P(objects, random_programs_agree_with_reference_evaluation) {
  EXPECT_EQ(random_programs().size(), 60u);
  check(random_programs());
}

}  // namespace
}  // namespace weft::testing
