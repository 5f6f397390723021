// pure_callback and io_callback: results of the host in programs.
#include <gtest/gtest.h>

#include "harness/errors.h"
#include "weft/ir/builder.h"
#include "weft/weft.h"

namespace weft {
namespace {

using testing::error_of;
using Floats = std::vector<float>;

TEST(pure_callback, gives_results_to_eager_and_compiled_programs) {
  const auto f = pure_callback([](Array x) { return np::sin(x); }, abstract(f32, {2}));
  const Array x = np::array({0.0f, 1.0f});
  EXPECT_EQ(f(x).to_vector<float>(), np::sin(x).to_vector<float>());
  EXPECT_EQ(jit([&](Array x) { return f(x) + 1; })(x).to_vector<float>(), (np::sin(x) + 1).to_vector<float>());
}

TEST(pure_callback, results_are_trees) {
  struct Pair {
    Array a;
    std::vector<Array> b;
  };
  const auto f =
      pure_callback([](Array x, int n) { return Pair{x + n, {x * n}}; }, Pair{abstract(i32, {}), {abstract(i32, {})}});
  const Pair r = jit([&](Array x) { return f(x, 3); })(5);
  EXPECT_EQ(r.a.item<int>(), 8);
  EXPECT_EQ(r.b[0].item<int>(), 15);
}

TEST(pure_callback, is_left_out_when_nobody_needs_it_and_io_callback_is_not) {
  int pure = 0, io = 0;
  const auto f = jit([&](Array x) {
    pure_callback([&](Array v) { return ++pure, v; }, x)(x);
    io_callback([&](Array v) { return ++io, v; }, x)(x);
    return x;
  });
  f(1.0f);
  f(2.0f);
  EXPECT_EQ(pure, 0);
  EXPECT_EQ(io, 2);
}

TEST(pure_callback, runs_in_loops_and_branches) {
  const auto next = pure_callback([](Array x) { return Array(x.item<int>() + 1); }, abstract(i32, {}));
  const auto f = jit([&](Array x) {
    const Array a = fori_loop(0, 3, [&](Array, Array v) { return next(v); }, x);
    return cond(a > 4, next, [](Array v) { return v; }, a);
  });
  EXPECT_EQ(f(0).item<int>(), 3);
  EXPECT_EQ(f(2).item<int>(), 6);
}

TEST(pure_callback, in_a_branch_sees_only_examples_that_take_it) {
  const std::vector<float> table{0, 10, 20, 30};
  const auto look = pure_callback([&](Array i) { return Array(table.at(i.item<unsigned>())); }, abstract(f32, {}));
  const auto f = vmap(
      [&](Array i) { return cond(i < 4, [&](Array i) { return look(i); }, [](Array i) { return i.astype(f32); }, i); });
  EXPECT_EQ(f(np::array({7, 9})).to_vector<float>(), (Floats{7, 9}));
  EXPECT_EQ(jit(f)(np::array({7, 9})).to_vector<float>(), (Floats{7, 9}));
  EXPECT_EQ(f(np::array({1, 9, 2})).to_vector<float>(), (Floats{10, 9, 20}));
}

TEST(pure_callback, vmap_calls_it_as_it_is_told) {
  std::vector<std::string> calls;
  const auto add = [&](Array x, Array y) {
    calls.push_back(x.aval().str() + " " + y.aval().str());
    return x + y;
  };
  const Array xs = np::array({1.0f, 2.0f}), y = Array(10.0f);
  for (const auto& [method, expected] :
       {std::pair(VmapMethod::kSequential, std::vector<std::string>{"f32[] f32[]", "f32[] f32[]"}),
        std::pair(VmapMethod::kExpandDims, std::vector<std::string>{"f32[2] f32[1]"}),
        std::pair(VmapMethod::kBroadcastAll, std::vector<std::string>{"f32[2] f32[2]"})}) {
    calls.clear();
    const auto f = pure_callback(add, abstract(f32, {}), {.vmap_method = method});
    EXPECT_EQ(vmap(f, {0, unmapped})(xs, y).to_vector<float>(), (Floats{11, 12}));
    EXPECT_EQ(calls, expected);
    EXPECT_EQ(jit(vmap(f, {0, unmapped}))(xs, y).to_vector<float>(), (Floats{11, 12}));
  }
}

TEST(pure_callback, nested_vmaps_agree_for_all_methods) {
  const Array xs = np::array({1.0f, 2.0f}), ys = np::array({10.0f, 20.0f, 30.0f});
  const Floats expected{11, 21, 31, 12, 22, 32};
  for (const VmapMethod method : {VmapMethod::kSequential, VmapMethod::kExpandDims, VmapMethod::kBroadcastAll}) {
    const auto f = pure_callback([](Array x, Array y) { return x + y; }, abstract(f32, {}), {.vmap_method = method});
    const auto g = vmap(vmap(f, {unmapped, 0}), {0, unmapped});
    EXPECT_EQ(g(xs, ys).to_vector<float>(), expected);
    EXPECT_EQ(jit(g)(xs, ys).to_vector<float>(), expected);
    EXPECT_EQ(vmap(f)(np::zeros({0}), np::zeros({0})).aval().str(), "f32[0]");
  }
}

TEST(pure_callback, has_no_derivative_unless_it_is_given_one) {
  const auto host_sin = pure_callback([](Array x) { return np::sin(x); }, abstract(f32, {}), {.name = "host_sin"});
  const auto host_cos = pure_callback([](Array x) { return np::cos(x); }, abstract(f32, {}));
  std::string hint;
  const std::string expected =
      "NotDifferentiableError: pure_callback: a function of the host has no derivatives that could be told from it; "
      "got "
      "a derivative through host_sin.";
  EXPECT_EQ(error_of([&] { grad(host_sin)(1.0f); }, &hint), expected);
  EXPECT_NE(hint.find("custom_jvp"), std::string::npos);
  EXPECT_EQ(error_of([&] { jit([&](Array x) { return jvp(host_sin, x, x); })(1.0f); }), expected);
  EXPECT_EQ(grad([&](Array x) { return x * host_sin(stop_gradient(x)); })(0.0f).item<float>(), 0.0f);

  const auto f = custom_jvp(host_sin, [&](Array x, Array dx) { return std::pair(host_sin(x), host_cos(x) * dx); });
  EXPECT_EQ(grad(f)(0.0f).item<float>(), 1.0f);
  EXPECT_EQ(jit(vmap(grad(f)))(np::zeros({2})).to_vector<float>(), (Floats{1, 1}));
  // Integers have no tangents to lose.
  const auto count = pure_callback([](Array x) { return np::argmax(x); }, abstract(i32, {}));
  EXPECT_EQ(grad([&](Array x) { return np::sum(x) * count(x); })(np::array({1.0f, 5.0f})).to_vector<float>(),
            (Floats{1, 1}));
}

TEST(pure_callback, results_must_be_what_was_promised) {
  struct Out {
    Array w;
    std::vector<Array> b;
  };
  const Out promised{abstract(f32, {2}), {abstract(i32, {})}};
  const auto run = [&](Out actual) {
    try {
      jit([&](Array x) { return pure_callback([actual](Array) { return actual; }, promised)(x); })(1.0f);
    } catch (const Error& e) {
      EXPECT_EQ(e.location().str(), "callback_test.cc:" + std::to_string(__LINE__ - 2));
      return std::string(e.kind()) + ": " + e.message();
    }
    return std::string("nothing was thrown");
  };
  EXPECT_EQ(run({np::ones({2}), {Array(1)}}), "nothing was thrown");
  EXPECT_EQ(run({np::ones({3}), {Array(1)}}),
            "ShapeError: pure_callback: f must return what was promised, f32[2]; got f32[3] at result.w.");
  EXPECT_EQ(run({np::ones({2}), {Array(1.0f)}}),
            "DTypeError: pure_callback: f must return what was promised, i32[]; got f32[] at result.b[0].");
  EXPECT_EQ(run({np::ones({2}), {}}),
            "TreeError: pure_callback: what was promised and what f returned: trees must have equal structure; got 1 "
            "entry and 0 entries at .b.");
}

TEST(io_callback, is_called_once_per_step_and_example_in_order) {
  std::vector<int> seen;
  const auto push = io_callback([&](Array x) { return seen.push_back(x.item<int>()), x * 2; }, abstract(i32, {}));
  const auto f = [&](Array x) {
    return scan([&](Array c, Array v) { return std::pair(push(c + v), c); }, x, np::arange(2)).first;
  };
  EXPECT_EQ(jit(f)(1).item<int>(), 6);
  EXPECT_EQ(seen, (std::vector<int>{1, 3}));
  seen.clear();
  EXPECT_EQ(vmap(f)(np::array({1, 10})).to_vector<int>(), (std::vector<int>{6, 42}));
  EXPECT_EQ(seen, (std::vector<int>{1, 10, 3, 21}));
}

TEST(io_callback, ordered_ones_refuse_vmap_and_mapped_branches_refuse_all) {
  const auto ordered = io_callback([](Array x) { return x; }, abstract(f32, {}), {.ordered = true});
  EXPECT_EQ(jit(ordered)(1.0f).item<float>(), 1.0f);
  EXPECT_EQ(error_of([&] { vmap(ordered)(np::ones({2})); }),
            "ValueError: io_callback: an ordered callback must not be mapped; got vmap over 2 examples.");
  const auto io = io_callback([](Array x) { return x; }, abstract(f32, {}));
  EXPECT_EQ(
      error_of([&] { vmap([&](Array x) { return cond(x > 0, io, [](Array v) { return v; }, x); })(np::ones({2})); }),
      "ValueError: cond: branches with effects must have the same index for all examples of vmap; got a mapped "
      "index.");
  EXPECT_EQ(
      error_of([&] { grad(io)(1.0f); }),
      "NotDifferentiableError: io_callback: a function of the host has no derivatives that could be told from it; "
      "got a derivative through f.");
}

TEST(callbacks, programs_with_them_have_no_text_to_read) {
  const auto f = pure_callback([](Array x) { return x; }, abstract(f32, {}), {.name = "host"});
  const Jaxpr program = make_jaxpr(f)(1.0f);
  EXPECT_NE(program.str().find("b:f32[] = pure_callback[\n      name=host\n"), std::string::npos) << program;
  EXPECT_THROW(ir::parse(program.str()), ParseError);
  EXPECT_NO_THROW(ir::check(program));
  EXPECT_FALSE(ir::has_effects(program));
}

}  // namespace
}  // namespace weft
