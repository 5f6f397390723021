// Code that is kept in files: found by later compilations and processes, without LLVM; never the wrong code.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "harness/compiler.h"
#include "harness/errors.h"
#include "harness/files.h"
#include "weft/cpu/executable.h"
#include "weft/weft.h"

namespace weft::cpu {
namespace {

namespace fs = std::filesystem;

// A cache of its own for one test.
class CodeCache : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::has_compiler()) GTEST_SKIP() << "this build has no compiler";
    folder_ = fs::temp_directory_path() / ("weft_code_cache_test." + std::to_string(getpid()));
    fs::remove_all(folder_);
    before_ = compilation_cache();
    set_compilation_cache(folder_.string());
    start_ = compilation_stats();
  }
  void TearDown() override {
    if (folder_.empty()) return;
    set_compilation_cache(before_);
    fs::remove_all(folder_);
  }

  // What has happened since the last question: {compiled, loaded, refused}.
  std::array<std::int64_t, 3> counts() {
    const CompilationStats now = compilation_stats(), then = std::exchange(start_, now);
    return {now.compiled - then.compiled, now.loaded - then.loaded, now.refused - then.refused};
  }
  std::vector<fs::path> entries() const {
    std::vector<fs::path> all;
    for (const auto& e : fs::directory_iterator(folder_)) all.push_back(e.path());
    return all;
  }

  fs::path folder_;

 private:
  std::string before_;
  CompilationStats start_;
};

using Counts = std::array<std::int64_t, 3>;
constexpr Counts kCompiled{1, 0, 0}, kLoaded{0, 1, 0}, kRefused{1, 0, 1};

Array polynomial(Array x) { return np::exp(x * 0.5f) + np::sin(x) * 3.0f; }

TEST_F(CodeCache, a_program_is_compiled_once_and_then_loaded) {
  const Array x = np::linspace(-3, 3, 1000).astype(f32);
  const Array first = jit(polynomial)(x);
  EXPECT_EQ(counts(), kCompiled);
  EXPECT_EQ(entries().size(), 1u);
  const Array second = jit(polynomial)(x);
  EXPECT_EQ(counts(), kLoaded);
  EXPECT_EQ(first.to_vector<float>(), second.to_vector<float>());
  set_compilation_cache("");
  jit(polynomial)(x);
  EXPECT_EQ(counts(), kCompiled);
}

// Everything that code refers to: operations without code, loops that tell where they are, branches, tables of
// addresses, functions of the C library, ranges for threads, literals.
Arrays everything(Array x) {
  const Array sorted = np::sort(x * 2.0f);
  const Array looped = while_loop([](Array v) { return np::max(v) < 100.0f; },
                                  [](Array v) { return np::sort(v) * 1.5f + 1.0f; }, sorted, {.max_steps = 30});
  const auto [last, all] =
      scan([](Array c, Array v) { return std::pair(c * 0.5f + v, np::sin(c * 1e8f)); }, Array(0.25f), x);
  const Array branch = cond(np::sum(x) > 0.0f, [](Array v) { return v + 1.0f; }, [](Array v) { return v - 1.0f; }, x);
  return {looped,
          last,
          all,
          branch,
          np::matmul(np::reshape(x, {10, 10}), np::ones({10, 3}) * 0.125f),
          np::full({7}, 2.5f),
          np::sum(np::tanh(np::broadcast_to(x, {3000, 100})), 1)};
}

TEST_F(CodeCache, loaded_code_does_all_that_made_code_does) {
  const Array x = random::normal(random::key(1), {100});
  const auto f = [](Array a) {
    const Arrays r = everything(a);
    return std::vector<Array>(r.begin(), r.end());
  };
  const std::vector<Array> made = jit(f)(x);
  EXPECT_EQ(counts(), kCompiled);
  const auto loaded_f = jit(f);
  const std::vector<Array> loaded = loaded_f(x);
  EXPECT_EQ(counts(), kLoaded);
  ASSERT_EQ(made.size(), loaded.size());
  for (std::size_t i = 0; i < made.size(); ++i)
    EXPECT_EQ(made[i].to_vector<float>(), loaded[i].to_vector<float>()) << i;
  // The while loop never ends.
  const Array nan = np::full({100}, std::nanf(""));
  EXPECT_NO_THROW(loaded_f(nan));
  const std::string error = testing::message_of<ValueError>([&] { loaded_f(np::full({100}, -1e30f)); });
  EXPECT_EQ(error, testing::message_of<ValueError>([&] { f(np::full({100}, -1e30f)); }));
}

TEST_F(CodeCache, a_plain_function_is_kept_too) {
  for (const Counts& want : {kCompiled, kLoaded}) {
    const auto f = compile(polynomial, abstract(f32, {}));
    EXPECT_EQ(counts(), want);
    const float x = 1.25f;
    float y = 0;
    const void* in[] = {&x};
    void* out[] = {&y};
    ASSERT_EQ(f.workspace_bytes(), 0u);
    EXPECT_EQ(f.raw()(in, out, nullptr), 0);
    EXPECT_EQ(y, polynomial(Array(x)).item<float>());
  }
}

TEST_F(CodeCache, programs_that_differ_in_anything_have_their_own_code) {
  const Array x = np::reshape(np::arange(16).astype(f32), {4, 4}) * 0.25f;  // every sum is exact
  const Array rows = np::arange(4).astype(f32);
  using F = std::function<Array(Array, Array)>;
  const auto scanned = [](std::int64_t length, bool reverse) {
    return F([=](Array a, Array) {
      return scan([](Array c, Array v) { return std::pair(c * 0.5f + v, c); }, np::zeros({4}), a(slice(0, length)),
                  {.reverse = reverse})
          .first;
    });
  };
  const std::vector<F> all{
      [](Array a, Array b) { return np::dot(a, b); },
      [](Array a, Array b) { return np::dot(b, a); },
      [](Array a, Array) { return a * 2.0f; },
      [](Array a, Array) { return a * 2.0000002f; },
      [](Array a, Array) { return a * 0.0f; },
      [](Array a, Array) { return a * -0.0f; },
      scanned(3, false),
      scanned(3, true),
      scanned(4, false),
      [](Array a, Array) { return np::sum(a, 0); },
      [](Array a, Array) { return np::sum(a, 1); },
      [](Array a, Array) { return np::where(a < 0.5f, a, 1.0f); },
      [](Array a, Array) { return np::where(a <= 0.5f, a, 1.0f); },
      [](Array, Array b) { return np::full({4}, 3.0f) + b; },
      [](Array, Array) { return np::full({4}, 3.0f); },
  };
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < all.size(); ++i)
      EXPECT_EQ(jit(all[i])(x, rows).to_vector<float>(), all[i](x, rows).to_vector<float>()) << i;
  const Counts c = counts();
  EXPECT_EQ(static_cast<std::size_t>(c[0]), entries().size());
  EXPECT_GE(c[0], 14);  // the last computes nothing
  EXPECT_GE(c[1], 14);
}

TEST_F(CodeCache, each_effort_has_its_own_code) {
  const Array x = np::linspace(-3, 3, 100).astype(f32);
  jit(polynomial, {.effort = Effort::kDefault})(x);
  EXPECT_EQ(counts(), kCompiled);
  jit(polynomial, {.effort = Effort::kMax})(x);
  EXPECT_EQ(counts(), kCompiled);
  jit(polynomial, {.effort = Effort::kMax})(x);
  EXPECT_EQ(counts(), kLoaded);
}

void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

TEST_F(CodeCache, an_entry_that_is_not_whole_is_made_again) {
  const Array x = np::linspace(-3, 3, 100).astype(f32);
  const std::vector<float> want = jit(polynomial)(x).to_vector<float>();
  EXPECT_EQ(counts(), kCompiled);
  ASSERT_EQ(entries().size(), 1u);
  const fs::path entry = entries()[0];
  const std::string whole = testing::read_file(entry.string());
  const auto refused = [&](const std::string& bytes, const std::string& what) {
    write(entry, bytes);
    EXPECT_EQ(jit(polynomial)(x).to_vector<float>(), want) << what;
    EXPECT_EQ(counts(), kRefused) << what;
    EXPECT_EQ(testing::read_file(entry.string()), whole) << what;
  };
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{1}, std::size_t{103}, std::size_t{104}, whole.size() / 2, whole.size() - 1})
    refused(whole.substr(0, length), "cut to " + std::to_string(length));
  refused(whole + '\0', "longer");
  // The magic word, the format, the flag, the numbers of steps, loops and bytes, the key, the checksum, and the code.
  for (const std::size_t at : {std::size_t{0}, std::size_t{8}, std::size_t{12}, std::size_t{16}, std::size_t{24},
                               std::size_t{33}, std::size_t{40}, std::size_t{72}, std::size_t{110}, whole.size() - 1}) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    refused(bad, "byte " + std::to_string(at));
  }
}

TEST_F(CodeCache, an_entry_of_another_program_or_machine_is_refused) {
  const Array x = np::linspace(-3, 3, 100).astype(f32);
  const std::vector<float> want = jit(polynomial)(x).to_vector<float>();
  const fs::path entry = entries().at(0);
  const std::string whole = testing::read_file(entry.string());
  // Its key, which is of the program, the processor and the build, is in it; the name alone does not count.
  jit([](Array a) { return a * 5.0f; })(x);
  for (const fs::path& other : entries())
    if (other != entry) fs::copy_file(other, entry, fs::copy_options::overwrite_existing);
  ASSERT_NE(testing::read_file(entry.string()), whole);
  counts();
  EXPECT_EQ(jit(polynomial)(x).to_vector<float>(), want);
  EXPECT_EQ(counts(), kRefused);
  EXPECT_EQ(testing::read_file(entry.string()), whole);
}

TEST_F(CodeCache, threads_that_compile_the_same_at_once_leave_whole_entries) {
  const Array x = np::linspace(-3, 3, 100).astype(f32);
  const std::vector<float> want = polynomial(x).to_vector<float>();
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) right += jit(polynomial)(x).to_vector<float>() == want;
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(right, 40);
  const Counts c = counts();
  EXPECT_EQ(c[0] + c[1], 40);
  EXPECT_EQ(c[2], 0);
  EXPECT_EQ(entries().size(), 1u);  // and no temporary files
}

TEST_F(CodeCache, a_folder_that_cannot_be_used_is_refused_and_the_one_before_stays) {
  const fs::path file = folder_ / "file";
  write(file, "");
  EXPECT_EQ(testing::error_of([&] { set_compilation_cache(file.string()); }),
            "BackendError: set_compilation_cache: the folder must be one that can be written to; got " + file.string() +
                ": cannot make it: Not a directory.");
  EXPECT_EQ(compilation_cache(), folder_.string());
}

TEST_F(CodeCache, a_folder_that_goes_away_costs_nothing_but_time) {
  const Array x = np::linspace(-3, 3, 100).astype(f32);
  fs::remove_all(folder_);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(jit(polynomial)(x).to_vector<float>(), polynomial(x).to_vector<float>());
  EXPECT_EQ(jit(polynomial)(x).to_vector<float>(), polynomial(x).to_vector<float>());
  EXPECT_EQ(counts(), (Counts{2, 0, 0}));
  const std::string told = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(told.rfind("weft: compiled code is not kept: cannot create ", 0), 0u) << told;
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1);
}

// ---- processes: this program again, with an environment ----

int run_child(const std::string& environment, const std::string& test) {
  const std::string command = environment + " WEFT_TEST_CHILD=1 " + fs::read_symlink("/proc/self/exe").string() +
                              " --gtest_filter=code_cache_child." + test + " > /dev/null 2>&1";
  return std::system(command.c_str());
}

TEST_F(CodeCache, another_process_runs_no_llvm) {
  const std::string cache = "WEFT_CACHE_DIR=" + folder_.string();
  EXPECT_NE(run_child(cache, "loads_everything"), 0);  // nothing is there yet
  fs::remove_all(folder_);
  EXPECT_EQ(run_child(cache, "compiles_everything"), 0);
  EXPECT_EQ(run_child(cache, "loads_everything"), 0);
  EXPECT_NE(run_child(cache + " WEFT_EFFORT=max", "loads_everything"), 0);
  EXPECT_EQ(run_child(cache + " WEFT_EFFORT=max", "loads_everything"), 0);
  EXPECT_EQ(run_child(cache + " WEFT_EFFORT=none", "runs_without_code"), 0);
  EXPECT_EQ(run_child("WEFT_EFFORT=some", "refuses_the_effort"), 0);
  EXPECT_EQ(run_child("WEFT_CACHE_DIR=/dev/null", "compiles_everything"), 0);  // told, and not used
}

TEST_F(CodeCache, processes_that_compile_the_same_at_once_leave_whole_entries) {
  std::vector<std::thread> processes;
  std::atomic<int> fine{0};
  for (int p = 0; p < 3; ++p)
    processes.emplace_back([&] { fine += run_child("WEFT_CACHE_DIR=" + folder_.string(), "gets_it_somehow") == 0; });
  for (std::thread& t : processes) t.join();
  EXPECT_EQ(fine, 3);
  EXPECT_EQ(entries().size(), 1u);
  EXPECT_EQ(run_child("WEFT_CACHE_DIR=" + folder_.string(), "loads_everything"), 0);
}

class code_cache_child : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::getenv("WEFT_TEST_CHILD")) GTEST_SKIP() << "run by other tests";
  }
  static Counts compile_everything() {
    compile(
        [](Array a) {
          const Arrays r = everything(a);
          return std::vector<Array>(r.begin(), r.end());
        },
        abstract(f32, {100}));
    const CompilationStats s = compilation_stats();
    return {s.compiled, s.loaded, s.refused};
  }
};
TEST_F(code_cache_child, compiles_everything) { EXPECT_EQ(compile_everything(), kCompiled); }
TEST_F(code_cache_child, loads_everything) { EXPECT_EQ(compile_everything(), kLoaded); }
TEST_F(code_cache_child, gets_it_somehow) {
  const Counts c = compile_everything();
  EXPECT_EQ(c[0] + c[1], 1);
  EXPECT_EQ(c[2], 0);
}
TEST_F(code_cache_child, runs_without_code) { EXPECT_EQ(compile_everything(), (Counts{0, 0, 0})); }
TEST_F(code_cache_child, refuses_the_effort) {
  EXPECT_EQ(testing::error_of([] { jit(polynomial)(1.0f); }),
            "ValueError: WEFT_EFFORT: the environment variable must be none, default or max; got 'some'.");
}

}  // namespace
}  // namespace weft::cpu
