#include "weft/api/compiles.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <thread>

#include "weft/weft.h"

namespace weft {
namespace {

using Reason = CompileExplanation::Reason;
using Kind = CompileDifference::Kind;

// Explanations of what `body` compiles.
template <class Body>
std::vector<CompileExplanation> explained(Body&& body) {
  std::vector<CompileExplanation> all;
  const auto explain = explain_compiles([&](const CompileExplanation& e) { all.push_back(e); });
  body();
  return all;
}

std::vector<std::string> texts(const std::vector<CompileDifference>& all) {
  std::vector<std::string> r;
  for (const CompileDifference& d : all) r.push_back(d.str());
  return r;
}

TEST(explain_compiles, the_first_call_of_a_function) {
  const auto f = jit([](Array x) { return x + 1; }, {.name = "step"});
  const auto all = explained([&] {
    f(np::ones({3}));
    f(np::zeros({3}));  // nothing new
  });
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].reason, Reason::kFirstCall);
  EXPECT_EQ(all[0].function.rfind("jit(step) at compiles_test.cc:", 0), 0u) << all[0].function;
  EXPECT_EQ(all[0].after.rfind("after ones at compiles_test.cc:", 0), 0u) << all[0].after;
  EXPECT_EQ(all[0].programs, 0u);
  EXPECT_TRUE(all[0].differences.empty());
  EXPECT_GT(all[0].trace_seconds.value(), 0);
  EXPECT_GE(all[0].compile_seconds.value(), 0);
  const std::string text = all[0].str();
  EXPECT_NE(text.find(" ms and compiled in "), std::string::npos) << text;
  EXPECT_NE(text.find(" ms: it was not called before"), std::string::npos) << text;
}

struct Layer {
  Array w, b;
};
struct Model {
  std::vector<Layer> layers;
  std::map<std::string, Array> extra;
  std::optional<Array> scale;
  std::string name = "mlp";
};

Model model(std::int64_t n = 3) {
  return {.layers = {{np::ones({n, 2}), np::ones({2})}, {np::ones({2, 2}), np::ones({2})}},
          .extra = {{"a", Array(1.0f)}},
          .scale = {}};
}

TEST(explain_compiles, each_difference_with_its_path) {
  const auto f = jit([](Model m, Array x, int n) { return np::sum(m.layers[0].w) + x * n; });
  const auto differing = [&](Model m, const Array& x, int n) {
    const auto all = explained([&] { f(std::move(m), x, n); });
    EXPECT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].reason, Reason::kDifferent);
    return all[0].differences;
  };
  f(model(), 1.0f, 2);
  auto d = differing(model(4), 1.0f, 2);
  EXPECT_EQ(texts(d), (std::vector<std::string>{"args[0].layers[0].w: f32[4,2] instead of f32[3,2]"}));
  EXPECT_EQ(d[0].kind, Kind::kArray);
  EXPECT_EQ(d[0].path, "args[0].layers[0].w");
  EXPECT_EQ(d[0].before, "f32[3,2]");
  EXPECT_EQ(d[0].now, "f32[4,2]");
  d = differing(model(), 1.0f, 5);
  EXPECT_EQ(texts(d), (std::vector<std::string>{"args[2]: 5 instead of 2"}));
  EXPECT_EQ(d[0].kind, Kind::kStatic);
  d = differing(model(), Array(1.0), 2);
  EXPECT_EQ(texts(d), (std::vector<std::string>{"args[1]: f64[] instead of f32[]"}));

  Model named = model();
  named.name = "rnn";
  EXPECT_EQ(texts(differing(named, 1.0f, 2)), (std::vector<std::string>{"args[0].name: \"rnn\" instead of \"mlp\""}));
  Model shorter = model();
  shorter.layers.pop_back();
  d = differing(shorter, 1.0f, 2);
  EXPECT_EQ(texts(d), (std::vector<std::string>{"args[0].layers: 1 entry instead of 2 entries",
                                                "args[0].layers[1].w: nothing instead of f32[2,2]",
                                                "args[0].layers[1].b: nothing instead of f32[2]"}));
  EXPECT_EQ(d[0].kind, Kind::kStructure);
  Model keyed = model();
  keyed.extra = {{"b", Array(1.0f)}};
  EXPECT_EQ(texts(differing(keyed, 1.0f, 2)),
            (std::vector<std::string>{"args[0].extra['b']: f32[] instead of nothing",
                                      "args[0].extra['a']: nothing instead of f32[]"}));
  Model scaled = model();
  scaled.scale = Array(1.0f);
  EXPECT_EQ(texts(differing(scaled, 1.0f, 2)),
            (std::vector<std::string>{"args[0].scale: a value, f32[] instead of no value"}));
  Model without = model();
  without.layers[0].b = Array();
  EXPECT_EQ(texts(differing(without, 1.0f, 2)),
            (std::vector<std::string>{"args[0].layers[0].b: none instead of f32[2]"}));
  EXPECT_EQ(f.stats().compiles, 9);
}

TEST(explain_compiles, compares_with_the_most_similar_program) {
  const auto f = jit([](Array x, Array y, int n) { return np::sum(x) + np::sum(y) + n; });
  f(np::ones({2}), np::ones({3}), 0);
  f(np::ones({5}), np::ones({6}), 1);
  const auto all = explained([&] { f(np::ones({5}), np::ones({7}), 1); });
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(texts(all[0].differences), (std::vector<std::string>{"args[1]: f32[7] instead of f32[6]"}));
  EXPECT_EQ(all[0].programs, 2u);
  const std::string text = all[0].str();
  EXPECT_NE(text.find("ms: it differs from the most similar of its 2 programs\n  args[1]: f32[7] instead of f32[6]"),
            std::string::npos)
      << text;
}

TEST(explain_compiles, what_differs_in_flags_and_in_types_alone) {
  const auto f = jit([](Array x, std::vector<bool> flags) { return flags[0] ? x : -x; });
  f(1.0f, std::vector<bool>{true, false});
  auto all = explained([&] { f(1.0f, std::vector<bool>{true, true}); });
  EXPECT_EQ(texts(all[0].differences),
            (std::vector<std::string>{"args[1]: 2 entries, true, true instead of 2 entries, true, false"}));
  // As text these are the same; they are other C++ types, and so other programs.
  const auto g = jit([](auto x) { return std::get<0>(x) * 2; });
  g(std::pair(Array(1.0f), Array(2.0f)));
  all = explained([&] { g(std::tuple(Array(1.0f), Array(2.0f))); });
  EXPECT_EQ(texts(all[0].differences),
            (std::vector<std::string>{"args: other C++ types or values instead of those before"}));
}

TEST(explain_compiles, other_named_axes_around_the_call) {
  const auto f = jit([](Array x) { return x - lax::pmean(x, "i"); });
  const auto under = [&](const char* name, std::int64_t size) {
    return explained([&] {
      vmap([&](Array x) { return vmap(f, {.axis_name = "i"})(x); }, {.axis_name = name})(np::ones({size, 3}));
    });
  };
  under("j", 2);
  const auto all = under("k", 5);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(
      texts(all[0].differences),
      (std::vector<std::string>{"named axes: 'k' of size 5, 'i' of size 3 instead of 'j' of size 2, 'i' of size 3"}));
  EXPECT_EQ(all[0].differences[0].kind, Kind::kAxes);
  EXPECT_TRUE(under("k", 5).empty());
}

TEST(explain_compiles, a_function_called_inside_of_others) {
  const auto inner = jit([](Array x) { return np::sin(x); }, {.name = "inner"});
  const auto outer = jit([&](Array x) { return inner(x) * 2; }, {.name = "outer"});
  auto all = explained([&] { outer(1.0f); });
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].function.substr(0, 10), "jit(inner)");
  EXPECT_FALSE(all[0].compile_seconds.has_value());
  EXPECT_EQ(all[1].function.substr(0, 10), "jit(outer)");
  EXPECT_TRUE(all[1].compile_seconds.has_value());
  EXPECT_GE(*all[1].trace_seconds, *all[0].trace_seconds);
  EXPECT_EQ(inner.stats().traces, 1);
  EXPECT_EQ(inner.stats().compiles, 0);
  // Called alone, its program is there, but not ready to run.
  all = explained([&] { inner(1.0f); });
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].reason, Reason::kFirstRun);
  EXPECT_FALSE(all[0].trace_seconds.has_value());
  EXPECT_TRUE(all[0].compile_seconds.has_value());
  EXPECT_EQ(inner.stats().compiles, 1);
  EXPECT_TRUE(explained([&] { inner(1.0f); }).empty());
}

TEST(explain_compiles, a_program_that_was_for_one_call_only) {
  const auto all = explained([&] {
    grad([](Array x) {
      const auto f = jit([&](Array y) { return x * y; }, {.name = "captures"});
      return f(2.0f) + f(3.0f);
    })(1.0f);
  });
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].reason, Reason::kFirstCall);
  EXPECT_EQ(all[0].captured.rfind("f32[], argument args[0] of grad(f)", 0), 0u) << all[0].captured;
  EXPECT_EQ(all[1].reason, Reason::kNotKept);
  EXPECT_NE(all[1].str().find("captured values of another transformation, so it was for one call only"),
            std::string::npos)
      << all[1].str();
}

TEST(explain_compiles, sinks_nest_and_may_use_weft) {
  int outer = 0, inner = 0;
  const auto twice = jit([](Array x) { return 2 * x; });
  const auto count = explain_compiles([&](const CompileExplanation&) {
    EXPECT_EQ(twice(Array(1.0f)).item<float>(), 2);  // evaluated, though jit traces around it
    ++outer;
  });
  const auto f = jit([](Array x) { return x + 1; });
  const auto g = jit([&](Array x) { return f(x); });
  {
    const auto within = explain_compiles([&](const CompileExplanation&) { ++inner; });
    f(1.0f);
  }
  EXPECT_EQ(outer, 0);
  EXPECT_EQ(inner, 1);
  g(np::ones({2}));
  EXPECT_EQ(outer, 2);
  // A sink may throw; what was made is kept.
  {
    const auto refuse = explain_compiles([](const CompileExplanation&) { throw std::runtime_error("mine"); });
    EXPECT_THROW(f(np::ones({5})), std::runtime_error);
  }
  EXPECT_TRUE(evaluating());
  EXPECT_TRUE(explained([&] { f(np::ones({5})); }).empty());
}

TEST(explain_compiles, without_a_sink_it_prints_to_stderr) {
  testing::internal::CaptureStderr();
  {
    const auto explain = explain_compiles();
    jit([](Array x) { return x; }, {.name = "shown"})(1.0f);
  }
  jit([](Array x) { return x; }, {.name = "hidden"})(1.0f);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.rfind("jit(shown) at compiles_test.cc:", 0), 0u) << text;
  EXPECT_EQ(text.find("hidden"), std::string::npos) << text;
}

TEST(explain_compiles_death_test, the_environment_asks_for_it) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // in a process of its own, which reads the variable anew
  setenv("WEFT_EXPLAIN_COMPILES", "1", 1);
  EXPECT_EXIT(
      {
        jit([](Array x) { return x; }, {.name = "shown"})(1.0f);
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "jit\\(shown\\) at compiles_test.cc:.*it was not called before");
  unsetenv("WEFT_EXPLAIN_COMPILES");
}

TEST(compile_policy, never_in_a_scope) {
  const auto f = jit([](Array x) { return x + 1; });
  f(np::ones({3}));
  {
    const CompilePolicyScope serving(CompilePolicy::kNever);
    EXPECT_EQ(f(np::zeros({3})).to_vector<float>(), (std::vector<float>{1, 1, 1}));
    EXPECT_THROW(f(np::ones({4})), ValueError);
    EXPECT_THROW(grad([&](Array x) { return f(x); })(1.0f), ValueError);
    bool elsewhere = false;
    std::thread([&] {
      f(np::ones({7}));
      elsewhere = true;
    }).join();
    EXPECT_TRUE(elsewhere);
    {
      const CompilePolicyScope warming(CompilePolicy::kAlways);
      f(np::ones({4}));
    }
    f(np::ones({4}));
  }
  f(np::ones({5}));
  EXPECT_EQ(f.stats().compiles, 4);
}

TEST(compile_policy, a_program_that_was_only_traced_counts_as_none) {
  const auto f = jit([](Array x) { return x + 1; });
  jit([&](Array x) { return f(x); })(1.0f);
  const CompilePolicyScope serving(CompilePolicy::kNever);
  EXPECT_THROW(f(1.0f), ValueError);
  EXPECT_EQ(f.stats().compiles, 0);
}

TEST(compile_policy, of_one_function) {
  const auto never = jit([](Array x) { return x + 1; }, {.policy = CompilePolicy::kNever});
  EXPECT_THROW(never(1.0f), ValueError);
  {
    const CompilePolicyScope warming(CompilePolicy::kAlways);
    never(1.0f);
  }
  EXPECT_EQ(never(2.0f).item<float>(), 3);
  EXPECT_THROW(never(2.0), ValueError);

  const auto once = jit([](Array x) { return x + 1; }, {.policy = CompilePolicy::kOnce});
  once(1.0f);
  const auto copy = once;
  EXPECT_EQ(copy(2.0f).item<float>(), 3);
  EXPECT_THROW(copy(2.0), ValueError);
  EXPECT_THROW(once(np::ones({2})), ValueError);
}

TEST(jit_stats, count_what_calls_cost) {
  const auto f = jit([](Array x, int n) { return x * n; });
  EXPECT_EQ(f.stats().traces, 0);
  for (int i = 0; i < 5; ++i) f(np::ones({3}), i % 2);
  const auto copy = f;
  copy(np::ones({3}), 1);
  const JitStats s = f.stats();
  EXPECT_EQ(s.traces, 2);
  EXPECT_EQ(s.compiles, 2);
  EXPECT_EQ(s.hits, 4);
  EXPECT_GT(s.trace_seconds, 0);
  EXPECT_GE(s.compile_seconds, 0);
  // A call that fails makes nothing.
  const auto g = jit([](Array x) { return x + np::ones({3}); });
  EXPECT_THROW(g(np::ones({2})), ShapeError);
  EXPECT_EQ(g.stats().traces, 0);
  EXPECT_EQ(g.cache_size(), 0u);
}

}  // namespace
}  // namespace weft
