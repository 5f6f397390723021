// How much is done before a program runs changes what it costs, not what it gives.
#include <gtest/gtest.h>

#include "fuzz/programs_property.h"
#include "harness/compiler.h"
#include "harness/errors.h"
#include "weft/weft.h"

namespace weft::cpu {
namespace {

Array normalised(Array x) {
  const Array y = np::tanh(x) - np::mean(x, 1, {.keepdims = true});
  return y / np::sqrt(np::sum(y * y, 1, {.keepdims = true}) + 1e-5f);
}

TEST(effort, none_makes_no_code_also_of_programs_inside) {
  const auto f = jit([](Array x) { return fori_loop(0, 3, [](Array, Array c) { return normalised(c); }, x); },
                     {.effort = Effort::kNone});
  const Array x = random::normal(random::key(1), {7, 33});
  const std::int64_t before = compilation_stats().compiled;
  const Array y = f(x);
  EXPECT_EQ(compilation_stats().compiled, before);
  EXPECT_EQ(y.to_vector<float>(), normalised(normalised(normalised(x))).to_vector<float>());
}

TEST(effort, jit_and_compile_take_one_each) {
  const Array x = random::normal(random::key(1), {7, 33});
  const std::vector<float> want = normalised(x).to_vector<float>();
  for (const Effort effort : {Effort::kNone, Effort::kDefault, Effort::kMax}) {
    const std::int64_t before = compilation_stats().compiled + compilation_stats().loaded;
    EXPECT_EQ(jit(normalised, {.effort = effort})(x).to_vector<float>(), want);
    EXPECT_EQ(compile({.effort = effort}, normalised, x)(x).to_vector<float>(), want);
    const std::int64_t made = compilation_stats().compiled + compilation_stats().loaded - before;
    EXPECT_EQ(made, testing::has_compiler() && effort != Effort::kNone ? 2 : 0);
  }
}

TEST(effort, none_has_no_plain_function_and_says_why) {
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  const auto f = compile({.effort = Effort::kNone}, normalised, abstract(f32, {7, 33}));
  const std::string why = ": the program must be compiled; got one of Effort::kNone.";
  EXPECT_EQ(testing::error_of([&] { f.raw(); }), "BackendError: raw" + why);
  EXPECT_EQ(testing::error_of([&] { f.text(ProgramStage::kLlvm); }), "BackendError: text" + why);
  EXPECT_EQ(testing::error_of([&] { f.save_object("never.o", "never.h"); }), "BackendError: save_object" + why);
  const std::vector<float> x(7 * 33, 0.5f);
  std::vector<float> y(x.size());
  f.call_into({y.data()}, {x.data()}, nullptr);
  EXPECT_EQ(y, normalised(Array::from_vector(x, {7, 33})).to_vector<float>());
}

// The slice that a carried value repeats is somebody else's memory, which goes on to the next one.
TEST(effort, a_carried_value_may_repeat_a_slice) {
  const auto last = [](Array x) {
    const auto step = [](Array, Array v) { return std::pair(np::broadcast_to(v, {64}), v); };
    return scan(step, np::zeros({64}), x).first;
  };
  const Array x = np::array({1.0f, 2.0f, 3.0f});
  EXPECT_EQ(jit(last, {.effort = Effort::kNone})(x).to_vector<float>(), std::vector<float>(64, 3.0f));
}

TEST(effort, max_optimises_what_default_leaves) {
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  const auto text = [](Effort effort) {
    return compile({.effort = effort}, normalised, abstract(f32, {7, 33})).text(ProgramStage::kLlvm);
  };
  EXPECT_EQ(text(Effort::kDefault), text(Effort::kDefault));
  EXPECT_NE(text(Effort::kMax), text(Effort::kDefault));
}

TEST(effort, random_programs_give_the_same_bits_at_max_and_default) {
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  const auto first =
      static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed()) * 1'000'000 + 500'000;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const testing::RandomProgram program = testing::random_program(first + seed);
    EXPECT_EQ(testing::disagreement(
                  program, [](const ir::Jaxpr& jaxpr) { return make_executable(jaxpr, {.effort = Effort::kMax}); },
                  [](const ir::Jaxpr& jaxpr) { return make_executable(jaxpr, {.effort = Effort::kDefault}); }),
              "")
        << "seed " << first + seed << "\n"
        << testing::description(program);
  }
}

}  // namespace
}  // namespace weft::cpu
