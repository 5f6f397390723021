// Long programs are compiled in parts on several threads; what they compute does not depend on that.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "harness/compiler.h"
#include "harness/errors.h"
#include "harness/large_programs.h"
#include "weft/base/thread_pool.h"
#include "weft/weft.h"

namespace weft::cpu {
namespace {

class CompileThreads : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  }
  void TearDown() override { set_num_threads(before_); }

  const int before_ = num_threads();
};

// Small numbers of both signs.
Arrays arguments_of(const Jaxpr& program) {
  Arrays args;
  for (const Aval a : program.input_avals())
    args.push_back(random::uniform(random::fold_in(random::key(3), static_cast<std::int64_t>(args.size())),
                                   Shape(a.shape()), f32, -0.5, 0.5));
  return args;
}

std::vector<std::vector<float>> results(const Executable& program, const Arrays& args) {
  Arrays outs;
  program.run(args, outs);
  std::vector<std::vector<float>> values;
  for (const Array& a : outs) values.push_back(a.to_vector<float>());
  return values;
}

TEST_F(CompileThreads, give_the_same_results_in_any_number) {
  for (const testing::LargeProgram& p : testing::large_programs()) {
    for (const Effort effort : {Effort::kDefault, Effort::kMax}) {
      // kMax makes one kernel of much of a program, and takes long for it.
      const Jaxpr program = p.make(effort == Effort::kMax ? 1000 : 4000);
      const Arrays args = arguments_of(program);
      set_num_threads(1);
      const auto alone = default_client().compile(program, {.effort = effort});
      set_num_threads(3);
      const auto together = default_client().compile(program, {.effort = effort});
      EXPECT_EQ(results(*alone, args), results(*together, args)) << p.name;
      if (effort == Effort::kDefault && std::string(p.name) == "scan_bodies") {
        EXPECT_GT(together->memory().code, alone->memory().code) << "one file instead of several";
      }
    }
  }
}

// What code refers to, in many functions: prebuilt steps and kernels, the C library, literals, branches, loops that
// tell where they are, ranges for threads.
Jaxpr all_kinds_of_code() {
  return make_jaxpr([](Array x) {
    std::vector<Array> all;
    for (int i = 0; i < 60; ++i) {
      const float a = static_cast<float>(i) + 0.5f;
      const Array far = np::sin(x * (1e6f * a)) + np::cos(x * (1e8f * a)) + np::fmod(x * 100.0f, Array(a));
      const Array sorted = np::sort(far * a);
      const Array looped = while_loop([a](Array v) { return np::max(v) < 100.0f + a; },
                                      [a](Array v) { return np::flip(v) * 1.5f + a; }, sorted, {.max_steps = 40});
      const Array branch =
          cond(np::sum(x) > a, [a](Array v) { return np::tanh(v) + a; }, [a](Array v) { return np::exp(v) - a; }, x);
      const Array product = np::matmul(np::reshape(branch, {10, 10}), np::reshape(looped, {10, 10}));
      all.push_back(np::sum(np::exp(np::broadcast_to(x, {2000 + i, 100}) * a * 0.001f), 1));
      x = x + np::reshape(product, {100}) * 1e-6f + np::cumsum(x) * 1e-3f;
    }
    all.push_back(x);
    return all;
  })(abstract(f32, {100}));
}

TEST_F(CompileThreads, share_what_any_kind_of_code_refers_to) {
  const Jaxpr program = all_kinds_of_code();
  const Arrays args = arguments_of(program);
  set_num_threads(1);
  const auto alone = default_client().compile(program, {});
  const auto want = results(*alone, args);
  set_num_threads(4);
  const auto together = default_client().compile(program, {});
  EXPECT_GT(together->memory().code, alone->memory().code) << "one file instead of several";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(results(*together, args), want);
  // The loop that never ends says so from any file.
  const Arrays never = {np::full({100}, std::nanf(""))};
  Arrays outs;
  EXPECT_NO_THROW(together->run(never, outs));
  const Arrays small = {np::full({100}, -1e30f)};
  EXPECT_EQ(testing::error_of([&] { together->run(small, outs); }),
            testing::error_of([&] { alone->run(small, outs); }));
}

TEST_F(CompileThreads, leave_code_that_is_found_again) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("weft_compile_threads_test." + std::to_string(getpid()));
  std::filesystem::remove_all(folder);
  const std::string before = compilation_cache();
  set_compilation_cache(folder.string());
  set_num_threads(3);
  const Jaxpr program = testing::scan_bodies(4000);
  const Arrays args = arguments_of(program);
  const CompilationStats start = compilation_stats();
  const auto made = default_client().compile(program, {});
  const auto found = default_client().compile(program, {});
  EXPECT_EQ(compilation_stats().compiled - start.compiled, 1);
  EXPECT_EQ(compilation_stats().loaded - start.loaded, 1);
  EXPECT_EQ(results(*made, args), results(*found, args));
  EXPECT_EQ(made->memory().code, found->memory().code);
  set_compilation_cache(before);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace weft::cpu
