// profile: the times of a program's statements.
#include "weft/api/profile.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdio>
#include <numeric>

#include "harness/compiler.h"
#include "harness/errors.h"
#include "harness/files.h"
#include "weft/weft.h"

namespace weft {
namespace {

Array step(Array x, Array w) {
  const Array h = np::tanh(np::matmul(x, w));
  return fori_loop(0, 4, [](Array, Array s) { return np::sort(s) + np::flip(s); }, np::sum(h, 0));
}

const Profile::Row* row_of(const Profile& p, const std::string& name) {
  for (const Profile::Row& r : p.rows())
    if (r.statement.name.starts_with(name)) return &r;
  return nullptr;
}

TEST(profile, a_timed_program_gives_what_the_program_gives) {
  const Array x = random::normal(random::key(0), {64, 128}), w = random::normal(random::key(1), {128, 256});
  const auto p = profile({.runs = 3}, step, x, w);
  EXPECT_EQ(p.result.to_vector<float>(), jit(step)(x, w).to_vector<float>());
  EXPECT_EQ(p.runs(), 3);
  EXPECT_GT(p.seconds(), 0);
}

TEST(profile, statements_are_counted_and_their_own_times_make_up_the_whole) {
  const Array x = random::normal(random::key(0), {64, 128}), w = random::normal(random::key(1), {128, 256});
  const auto p = profile({.runs = 3}, step, x, w);
  const Profile::Row* product = row_of(p, "dot_general f32[64,128] f32[128,256]");
  ASSERT_NE(product, nullptr) << p;
  EXPECT_EQ(product->times.calls, 3);
  EXPECT_EQ(product->statement.flops, 2.0 * 64 * 128 * 256);
  EXPECT_EQ(product->statement.bytes, 4.0 * (64 * 128 + 128 * 256 + 64 * 256));
  EXPECT_EQ(product->statement.location.str().substr(0, 16), "profile_test.cc:");
  double own = 0;
  for (const Profile::Row& r : p.rows()) {
    own += r.times.own;
    EXPECT_LE(r.times.own, r.times.seconds * 1.0001 + 1e-9);
  }
  EXPECT_LE(own, p.seconds());
  for (std::size_t i = 1; i < p.rows().size(); ++i) EXPECT_LE(p.rows()[i].times.own, p.rows()[i - 1].times.own);
  if (!testing::has_compiler()) return;
  // What is inside of the loop counts for each step.
  const Profile::Row* sorts = row_of(p, "sort f32[256]");
  ASSERT_NE(sorts, nullptr) << p;
  EXPECT_EQ(sorts->times.calls, 12);
}

TEST(profile, the_table_names_each_statement) {
  const auto p = profile({.runs = 2}, step, np::ones({64, 128}), np::ones({128, 256}));
  const std::string table = p.str();
  EXPECT_EQ(table.find("2 runs of "), 0u) << table;
  EXPECT_NE(table.find("GFLOP/s"), std::string::npos);
  EXPECT_NE(table.find("dot_general f32[64,128] f32[128,256]  at profile_test.cc:"), std::string::npos) << table;
  EXPECT_NE(table.find("(the call)"), std::string::npos);
}

TEST(profile, a_jitted_function_keeps_what_it_would_take) {
  const auto f = jit([](Array x) { return x * 2.0f; }, {.donate = {0}});
  const Array x = np::arange(100).astype(f32);
  const auto p = profile(f, x);
  EXPECT_FALSE(x.is_donated());
  EXPECT_EQ(p.result(99).item<float>(), 198);
}

TEST(profile, a_program_that_fails_says_so) {
  const auto f = [](Array x) {
    return while_loop([](Array v) { return np::all(v < 1e6f); }, [](Array v) { return v + 1.0f; }, x, {.max_steps = 3});
  };
  EXPECT_THROW(profile(f, np::zeros({2})), ValueError);
  EXPECT_EQ(testing::message_of<ValueError>([] { profile({.runs = 0}, step, np::ones({1, 1}), np::ones({1, 1})); }),
            "profile: there must be one run at least; got 0.");
  EXPECT_EQ(testing::message_of<ValueError>(
                [] { grad([](Array x) { return profile([](Array y) { return y * y; }, x).result; })(1.0f); }),
            "profile: arguments and captured arrays must have values; got values of a transformation.");
}

// Whether the text is one value of JSON.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : rest_(text) {}
  bool whole() { return value() && (space(), rest_.empty()); }

 private:
  void space() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0]))) rest_.remove_prefix(1);
  }
  bool take(char c) {
    space();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool string() {
    if (!take('"')) return false;
    while (!rest_.empty() && rest_[0] != '"') {
      if (static_cast<unsigned char>(rest_[0]) < 0x20) return false;
      if (rest_[0] == '\\') {
        if (rest_.size() < 2 || std::string_view("\"\\/bfnrtu").find(rest_[1]) == std::string_view::npos) return false;
        rest_.remove_prefix(1);
      }
      rest_.remove_prefix(1);
    }
    return take('"');
  }
  bool list(char end, bool pairs) {
    if (take(end)) return true;
    do {
      if (pairs && !(string() && take(':'))) return false;
      if (!value()) return false;
    } while (take(','));
    return take(end);
  }
  bool value() {
    space();
    if (take('{')) return list('}', true);
    if (take('[')) return list(']', false);
    if (!rest_.empty() && rest_[0] == '"') return string();
    const std::size_t n = rest_.find_first_not_of("-+.eE0123456789");
    if (n == 0 || n == std::string_view::npos) return false;
    rest_.remove_prefix(n);
    return true;
  }
  std::string_view rest_;
};

TEST(profile, a_trace_is_json_with_an_event_for_each_call) {
  const auto p = profile({.runs = 2}, step, np::ones({64, 128}), np::ones({128, 256}));
  const std::string path = ::testing::TempDir() + "weft_profile.json";
  p.save_trace(path);
  const std::string text = testing::read_file(path);
  std::remove(path.c_str());
  EXPECT_TRUE(JsonReader(text).whole()) << text;
  std::int64_t calls = 0, events = 0;
  for (const Profile::Row& r : p.rows()) calls += r.times.calls;
  for (std::size_t at = 0; (at = text.find("\"ph\":\"X\"", at)) != std::string::npos; ++at) ++events;
  EXPECT_EQ(events, calls);
  EXPECT_EQ(testing::message_of<BackendError>([&] { p.save_trace("/nowhere/a.json"); }).substr(0, 59),
            "save_trace: the file must be writable; got /nowhere/a.json:");
}

TEST(profile, a_trace_escapes_what_json_does) {
  StatementTimer timer(1);
  timer.begin(0);
  timer.end();
  const Profile p({{"a \"b\\c\"\n\x01", SourceLocation(), 0, 0}}, timer, 1, 1);
  const std::string path = ::testing::TempDir() + "weft_profile_escapes.json";
  p.save_trace(path);
  const std::string text = testing::read_file(path);
  std::remove(path.c_str());
  EXPECT_TRUE(JsonReader(text).whole()) << text;
  EXPECT_NE(text.find("\"a \\\"b\\\\c\\\"\\u000a\\u0001\""), std::string::npos) << text;
}

}  // namespace
}  // namespace weft
