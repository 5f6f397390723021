// compile: programs that are called with memory of the caller's, as plain functions, and as object files.
#include "weft/api/compile.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <thread>

#include "harness/compiler.h"
#include "harness/errors.h"
#include "weft/weft.h"

namespace weft {
namespace {

TEST(compile, a_compiled_function_gives_what_the_function_gives) {
  const auto f = [](Array x, Array y) { return std::pair(np::sum(x * y), np::sin(x) + y); };
  const Array x = np::arange(10).astype(f32), y = np::ones({10});
  const auto compiled = compile(f, x, y);
  const auto [sum, sines] = compiled(x, y);
  EXPECT_EQ(sum.item<float>(), jit(f)(x, y).first.item<float>());
  EXPECT_EQ(sines.to_vector<float>(), f(x, y).second.to_vector<float>());
}

TEST(compile, types_are_enough_to_compile_for) {
  const auto compiled = compile([](Array x) { return x + 1.0f; }, abstract(f32, {3}));
  EXPECT_EQ(compiled(np::array({1.0f, 2.0f, 3.0f})).to_vector<float>(), (std::vector<float>{2, 3, 4}));
}

TEST(compile, options_and_the_function_may_have_names) {
  CompileOptions options{.donate = {0}};
  auto f = [](Array x) { return x * 2.0f; };
  EXPECT_EQ(compile(options, f, abstract(f32, {2}))(np::array({1.0f, 2.0f})).to_vector<float>(),
            (std::vector<float>{2, 4}));
}

TEST(compile, arguments_of_another_type_are_refused_by_name) {
  const auto compiled = compile([](Array x, std::pair<Array, int> y) { return x + y.first * float(y.second); },
                                np::ones({3}), std::pair(np::ones({3}), 2));
  EXPECT_EQ(testing::message_of<ValueError>([&] { compiled(np::ones({3}), std::pair(np::ones({4}), 2)); }),
            "compile: arguments must be as those that the function was compiled for; args[1][0]: f32[4] instead of "
            "f32[3].");
  EXPECT_EQ(testing::message_of<ValueError>([&] { compiled(np::ones({3}), std::pair(np::ones({3}), 3)); }),
            "compile: arguments must be as those that the function was compiled for; args[1][1]: 3 instead of 2.");
}

TEST(compile, memory_of_the_caller_is_read_and_written) {
  const auto compiled = compile([](Array x, Array y) { return std::tuple{x + y, x, np::sum(x)}; }, abstract(f32, {4}),
                                abstract(f32, {4}));
  ASSERT_EQ(compiled.inputs().size(), 2u);
  ASSERT_EQ(compiled.outputs().size(), 3u);
  EXPECT_EQ(compiled.outputs()[2].str(), "f32[]");
  const float x[4] = {1, 2, 3, 4}, y[4] = {10, 20, 30, 40};
  float sum[4], same[4], total;
  std::vector<std::byte> workspace(compiled.workspace_bytes() + 64);
  void* aligned = workspace.data() + (64 - reinterpret_cast<std::uintptr_t>(workspace.data()) % 64);
  compiled.call_into({sum, same, &total}, {x, y}, aligned);
  EXPECT_EQ(std::vector<float>(sum, sum + 4), (std::vector<float>{11, 22, 33, 44}));
  EXPECT_EQ(std::vector<float>(same, same + 4), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(total, 10);
}

TEST(compile, captured_arrays_are_part_of_a_compiled_function) {
  const Array w = np::array({1.0f, 2.0f});
  const auto compiled = compile([&](Array x) { return x * w; }, abstract(f32, {2}));
  const float x[2] = {3, 4};
  float y[2];
  compiled.call_into({y}, {x}, nullptr);
  EXPECT_EQ(y[1], 8);
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  EXPECT_EQ(testing::message_of<ValueError>([&] { compiled.raw(); }),
            "raw: the function must not capture arrays; got 1 captured arrays.");
}

TEST(compile, a_compiled_function_can_be_transformed) {
  const auto f = compile([](Array x) { return x * x; }, abstract(f32, {}));
  EXPECT_EQ(grad([&](Array x) { return f(x) * 2.0f; })(3.0f).item<float>(), 12);
  EXPECT_EQ(vmap([&](Array x) { return f(x); })(np::array({1.0f, 2.0f})).to_vector<float>(),
            (std::vector<float>{1, 4}));
  EXPECT_EQ(jit([&](Array x) { return f(x) + 1.0f; })(3.0f).item<float>(), 10);
}

TEST(compile, values_of_a_transformation_cannot_be_captured) {
  const auto f = [](Array x) { return compile([&](Array y) { return x * y; }, abstract(f32, {}))(Array(2.0f)); };
  EXPECT_EQ(testing::message_of<ValueError>([&] { grad(f)(3.0f); }),
            "compile: the function must not capture values of a transformation around it; got some.");
}

TEST(compile, any_name_of_c_can_be_that_of_an_object_file) {
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  const auto compiled = compile([](Array x) { return np::exp(x); }, abstract(f32, {3}));
  // Names that generated code has for parts of its own.
  for (const std::string name : {"kernel1", "weft_program", "weft_raw"}) {
    const std::string path = ::testing::TempDir() + "weft_" + name;
    compiled.save_object(path + ".o", path + ".h", {.name = name});
    std::FILE* symbols = popen(("nm -g --defined-only " + path + ".o").c_str(), "r");
    ASSERT_NE(symbols, nullptr);
    char line[256] = {};
    EXPECT_NE(std::fgets(line, sizeof line, symbols), nullptr);
    pclose(symbols);
    std::remove((path + ".o").c_str());
    std::remove((path + ".h").c_str());
    EXPECT_NE(std::string(line).find(" T " + name + "\n"), std::string::npos) << line;
  }
}

TEST(compile, wrong_addresses_are_refused) {
  const auto compiled = compile([](Array x) { return x + 1.0f; }, abstract(f32, {2}));
  float x[2] = {}, y[2];
  EXPECT_EQ(testing::message_of<ValueError>([&] { compiled.call_into({y, y}, {x}, nullptr); }),
            "call_into: there must be one address per array; got 2 outputs for 1, and 1 inputs for 1.");
  EXPECT_EQ(testing::message_of<ValueError>([&] { compiled.call_into({y}, {nullptr}, nullptr); }),
            "call_into: input 0 must have an address; got null.");
}

TEST(compile, a_program_that_is_code_alone_is_a_plain_function) {
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  const auto compiled = compile([](Array x) { return std::pair(np::exp(x), x); }, abstract(f32, {3}));
  const float x[3] = {0, 1, 2};
  float y[3], same[3];
  const void* in[] = {x};
  void* out[] = {y, same};
  EXPECT_EQ(compiled.raw()(in, out, nullptr), 0);
  EXPECT_EQ(std::vector<float>(y, y + 3), np::exp(np::array({0.0f, 1.0f, 2.0f})).to_vector<float>());
  EXPECT_EQ(std::vector<float>(same, same + 3), (std::vector<float>{0, 1, 2}));
  const auto sorts = compile([](Array v) { return np::sort(v); }, abstract(f32, {3}));
  EXPECT_EQ(testing::message_of<ValueError>([&] { sorts.raw(); }),
            "raw: the program must be code alone; got one that calls sort.");
}

TEST(compile, the_stages_of_a_program_can_be_read) {
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  const auto compiled = compile([](Array x) { return x * 2.0f + 1.0f; }, abstract(f32, {100}));
  EXPECT_NE(compiled.text(ProgramStage::kSimplified).find("mul a 2.0:f32[100]"), std::string::npos);
  EXPECT_NE(compiled.text(ProgramStage::kKernels).find("kernel [100]"), std::string::npos);
  EXPECT_NE(compiled.text(ProgramStage::kLlvm).find("define"), std::string::npos);
  EXPECT_NE(compiled.text(ProgramStage::kAssembly).find("ret"), std::string::npos);
}

TEST(compile, object_files_refuse_names_and_operations) {
  const auto compiled = compile([](Array x) { return x + 1.0f; }, abstract(f32, {2}));
  EXPECT_EQ(testing::message_of<ValueError>([&] { compiled.save_object("a.o", "a.h", {.name = "a b"}); }),
            "save_object: the name must be one that a function of C and C++ can have; got \"a b\".");
  if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
  const auto sorts = compile([](Array v) { return np::sort(v); }, abstract(f32, {3}));
  EXPECT_EQ(testing::message_of<BackendError>([&] { sorts.save_object("a.o", "a.h"); }),
            "save_object: a program that runs alone must consist of operations with code of their own; got sort.");
  EXPECT_EQ(
      testing::message_of<BackendError>([&] { compiled.save_object("/nowhere/a.o", "/nowhere/a.h"); }).substr(0, 59),
      "save_object: the file must be writable; got /nowhere/a.h: c");
}

TEST(compile, the_cost_of_a_program_counts_loops_and_products) {
  const auto compiled = compile(
      [](Array a, Array b) { return fori_loop(0, 10, [&](Array, Array x) { return np::tanh(np::matmul(x, b)); }, a); },
      abstract(f32, {4, 8}), abstract(f32, {8, 8}));
  const ProgramCost cost = compiled.cost();
  EXPECT_EQ(cost.flops, 10 * 2 * 4 * 8 * 8);
  EXPECT_EQ(cost.transcendentals, 10 * 4 * 8);
  EXPECT_EQ(cost.input_bytes, 4 * (4 * 8 + 8 * 8));
  EXPECT_EQ(cost.output_bytes, 4 * 4 * 8);
}

TEST(compile, one_program_runs_on_many_threads_at_once) {
  const auto compiled =
      compile([](Array x) { return fori_loop(0, 100, [](Array, Array v) { return v * 0.5f + 1.0f; }, x); },
              abstract(f32, {16}));
  std::vector<std::thread> threads;
  std::vector<float> found(8);
  for (std::size_t t = 0; t < found.size(); ++t)
    threads.emplace_back([&, t] { found[t] = np::max(compiled(np::full({16}, float(t)))).item<float>(); });
  for (std::thread& t : threads) t.join();
  for (const float v : found) EXPECT_EQ(v, 2);
}

}  // namespace
}  // namespace weft
