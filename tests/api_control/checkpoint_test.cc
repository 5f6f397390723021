// checkpoint, its policies, checkpoint_name and saved_residuals: what is kept, what is computed again, and that
// neither changes any derivative.
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <sstream>

#include "weft/core/custom_call.h"
#include "weft/ir/builder.h"
#include "weft/ir/programs.h"
#include "weft/weft.h"

namespace weft {
namespace {

namespace policies = checkpoint_policies;
using Doubles = std::vector<double>;
using Function = std::function<Array(Array)>;

Doubles doubles(const Array& a) { return a.astype(f64).to_vector<double>(); }

std::string text(const SavedResiduals& residuals) {
  std::ostringstream s;
  s << residuals;
  return s.str();
}

std::string here(int line) { return "checkpoint_test.cc:" + std::to_string(line); }

// ---- what is kept ----

constexpr int kLineOfSin = __LINE__ + 4, kLineOfDot = __LINE__ + 3;

Array layer(Array w, Array x) {
  const Array y = np::dot(w, x);
  return np::sin(y);
}

struct Weights {
  Array w1 = np::ones({5, 4}), w2 = np::ones({6, 5}), w3 = np::ones({7, 6});
};

Array plain_net(Weights w, Array x) { return layer(w.w3, layer(w.w2, layer(w.w1, x))); }

const std::string kArguments =
    "f32[5,4] from the argument args[0].w1\n"
    "f32[6,5] from the argument args[0].w2\n"
    "f32[7,6] from the argument args[0].w3\n"
    "f32[4] from the argument args[1]\n";

std::string outputs_of(const char* op, int line) {
  std::string s;
  for (const char* type : {"f32[5]", "f32[6]", "f32[7]"})
    s += std::string(type) + " output of " + op + " from " + here(line) + "\n";
  return s;
}

TEST(golden_saved_residuals, row_107_a_net_of_sines_without_checkpoint) {
  const std::string sine = " output of sin from " + here(kLineOfSin) + "\n",
                    cosine = " output of cos from " + here(kLineOfSin) + "\n";
  EXPECT_EQ(text(saved_residuals(plain_net, Weights(), np::ones({4}))),
            kArguments + "f32[5]" + sine + "f32[5]" + cosine + "f32[6]" + sine + "f32[6]" + cosine + "f32[7]" + cosine);
}

TEST(golden_saved_residuals, row_107_layers_that_are_checkpoints) {
  const auto net = [](Weights w, Array x) {
    const auto f = checkpoint(layer);
    return f(w.w3, f(w.w2, f(w.w1, x)));
  };
  const std::string sine = " output of sin from " + here(kLineOfSin) + "\n";
  EXPECT_EQ(text(saved_residuals(net, Weights(), np::ones({4}))), kArguments + "f32[5]" + sine + "f32[6]" + sine);
}

TEST(golden_saved_residuals, row_107_a_checkpoint_that_keeps_dots) {
  EXPECT_EQ(text(saved_residuals(checkpoint(plain_net, policies::dots_saveable), Weights(), np::ones({4}))),
            kArguments + outputs_of("dot_general", kLineOfDot));
  EXPECT_EQ(text(saved_residuals(checkpoint(plain_net, policies::dots_with_no_batch_dims_saveable), Weights(),
                                 np::ones({4}))),
            kArguments + outputs_of("dot_general", kLineOfDot));
  EXPECT_EQ(text(saved_residuals(checkpoint(plain_net), Weights(), np::ones({4}))), kArguments);
}

template <class F>
Function recursive(const std::vector<F>& fs) {
  if (fs.size() == 1) return fs[0];
  if (fs.size() == 2) return [=](Array x) { return fs[1](fs[0](x)); };
  const auto middle = fs.begin() + static_cast<std::ptrdiff_t>(fs.size() / 2);
  const Function first = recursive(std::vector<F>(fs.begin(), middle)),
                 second = recursive(std::vector<F>(middle, fs.end()));
  return [=](Array x) { return second(checkpoint(first)(x)); };
}

TEST(golden_saved_residuals, row_107_recursive_checkpoints_keep_a_logarithm) {
  const Function sine = [](Array x) { return np::sin(x); };
  const auto kept = [&](std::size_t n) {
    return saved_residuals(recursive(std::vector<Function>(n, sine)), Array(3.0f)).size();
  };
  EXPECT_EQ(kept(8), 4u);
  EXPECT_EQ(kept(16), 5u);
  EXPECT_EQ(kept(64), 7u);
  const Function many = recursive(std::vector<Function>(16, sine)), chain = [&](Array x) {
    for (int i = 0; i < 16; ++i) x = np::sin(x);
    return x;
  };
  EXPECT_DOUBLE_EQ(grad(many)(3.0).item<double>(), grad(chain)(3.0).item<double>());
  EXPECT_NEAR(grad(grad(jit(many)))(3.0).item<double>(), grad(grad(chain))(3.0).item<double>(), 1e-15);
}

constexpr int kLineOfNames = __LINE__ + 2;
Array named_net(Array w, Array x) {
  for (int i = 0; i < 2; ++i) x = checkpoint_name(np::sin(np::matmul(x, w)), "layer" + std::to_string(i));
  return np::sum(np::exp(x));
}

TEST(saved_residuals, names_tell_what_is_kept) {
  const Array w = np::ones({3, 3}), x = np::ones({2, 3});
  const auto kept = [&](const CheckpointPolicy& policy) {
    std::string s = text(saved_residuals(checkpoint(named_net, policy), w, x));
    const std::string arguments = "f32[3,3] from the argument args[0]\nf32[2,3] from the argument args[1]\n";
    EXPECT_EQ(s.substr(0, arguments.size()), arguments);
    return s.substr(arguments.size());
  };
  const auto named = [&](int i) {
    return "f32[2,3] named 'layer" + std::to_string(i) + "' from " + here(kLineOfNames) + "\n";
  };
  EXPECT_EQ(kept(policies::save_only_these_names("layer1")), named(1));
  EXPECT_EQ(kept(policies::save_only_these_names("layer0", "layer1")), named(0) + named(1));
  EXPECT_EQ(kept(policies::save_only_these_names("other")), "");
  EXPECT_EQ(kept(policies::save_any_names_but_these("layer1")), named(0));
  EXPECT_EQ(kept(policies::save_from_both_policies(policies::save_only_these_names("layer0"), policies::dots_saveable))
                .substr(0, 9),
            "f32[2,3] ");
  // What is excluded by name is not kept under the name of the operation that made it either.
  const std::string others = kept(policies::save_anything_except_these_names("layer0"));
  EXPECT_EQ(others.find("named 'layer0'"), std::string::npos);
  EXPECT_EQ(others.find("output of sin"), std::string::npos);
  EXPECT_NE(others.find("output of cos"), std::string::npos);
}

TEST(saved_residuals, policies_look_into_jitted_functions_and_so_does_the_list) {
  const auto inner = jit([](Array w, Array x) { return np::sum(np::sin(np::matmul(x, w))); });
  const auto f = [&](Array w, Array x) { return inner(w, x); };
  const Array w = np::ones({3, 3}), x = np::ones({2, 3});
  const std::string arguments = "f32[3,3] from the argument args[0]\nf32[2,3] from the argument args[1]\n";
  const SavedResiduals plain = saved_residuals(f, w, x),
                       dots = saved_residuals(checkpoint(f, policies::dots_saveable), w, x);
  EXPECT_EQ(text(plain).rfind(arguments + "f32[2,3] output of cos from ", 0), 0u) << plain;
  EXPECT_EQ(text(dots).rfind(arguments + "f32[2,3] output of dot_general from ", 0), 0u) << dots;
  EXPECT_EQ(plain.size(), 3u);
  EXPECT_EQ(dots.bytes(), 4 * (9 + 6 + 6));
}

TEST(saved_residuals, of_abstract_arguments_constants_and_loops) {
  const Array c = np::arange(3.0);
  const auto f = [&](Array x, Array n) {
    const auto [last, ys] = scan([](Array s, Array y) { return std::pair(s * y, s); }, Array(1.0), x * c);
    return last * n;
  };
  const SavedResiduals r = saved_residuals(f, abstract(f64, {3}), Array(2));
  std::set<std::string> origins;
  for (const SavedResidual& s : r) origins.insert(s.origin);
  EXPECT_TRUE(origins.contains("from a constant")) << r;
  EXPECT_TRUE(origins.contains("output of scan")) << r;
}

// ---- derivatives ----

std::vector<CheckpointPolicy> all_policies() {
  return {policies::nothing_saveable,
          policies::everything_saveable,
          policies::dots_saveable,
          policies::dots_with_no_batch_dims_saveable,
          policies::save_only_these_names("a"),
          policies::save_any_names_but_these("a"),
          policies::save_anything_except_these_names("a"),
          policies::save_from_both_policies(policies::dots_saveable, policies::save_only_these_names("b"))};
}

TEST(checkpoint, changes_no_derivative_under_any_transformation) {
  const auto f = [](Array x) {
    const Array a = checkpoint_name(np::sin(x), "a");
    const Array b = checkpoint_name(np::matmul(np::reshape(a, {1, 3}), np::reshape(np::exp(a), {3, 1})), "b");
    return np::sum(a * a * x) + np::sum(b);
  };
  const Array x = np::array({0.3, -1.2, 0.7}), xs = np::stack({x, 2 * x, -x});
  const auto same = [](const Array& a, const Array& b) { return np::allclose(a, b, 1e-12).item<bool>(); };
  for (const CheckpointPolicy& policy : all_policies()) {
    const auto g = checkpoint(f, policy);
    EXPECT_TRUE(same(g(x), f(x)));
    EXPECT_TRUE(same(grad(g)(x), grad(f)(x)));
    EXPECT_TRUE(same(jit(grad(g))(x), grad(f)(x)));
    EXPECT_TRUE(same(grad(jit(g))(x), grad(f)(x)));
    EXPECT_TRUE(same(vmap(grad(g))(xs), vmap(grad(f))(xs)));
    EXPECT_TRUE(same(grad([&](Array v) { return np::sum(vmap(g)(v)); })(xs), vmap(grad(f))(xs)));
    EXPECT_TRUE(same(hessian(g)(x), hessian(f)(x)));
    EXPECT_TRUE(same(hessian(jit(g))(x), hessian(f)(x)));
    const auto twice = [&](auto&& h) { return grad([&](Array v) { return np::sum(np::sin(grad(h)(v))); })(x); };
    EXPECT_TRUE(same(twice(g), twice(f)));
    EXPECT_TRUE(same(jvp(g, x, x).second, jvp(f, x, x).second));
    EXPECT_TRUE(same(linearize(g, x).second(x), jvp(f, x, x).second));
    const auto scanned = [&](auto&& h) {
      return grad([&](Array v) {
        return scan([&](Array c, Array s) { return std::pair(c + h(v * s) * c, c); }, Array(1.0),
                    np::array({0.5, 1.0, 0.2}))
            .first;
      })(x);
    };
    EXPECT_TRUE(same(scanned(g), scanned(f)));
    const auto branched = [&](auto&& h) {
      return grad([&](Array v) {
        return cond(np::sum(v) > 0, [&](Array y) { return np::sum(y); }, [&](Array y) { return h(y); }, v);
      })(x);
    };
    EXPECT_TRUE(same(branched(g), branched(f)));
    EXPECT_TRUE(same(grad(checkpoint(g))(x), grad(f)(x)));
  }
}

TEST(checkpoint, takes_and_gives_trees_with_integers_and_captures) {
  struct Pair {
    Array x, n;
  };
  const Array k = np::array({2.0, 3.0});
  const auto f = checkpoint([&](Pair p, int power) {
    Array y = p.x * k;
    for (int i = 1; i < power; ++i) y = y * p.x;
    return Pair{y, p.n + 1};
  });
  const auto loss = [&](Array x, Array scale) {
    const auto g = checkpoint([&](Array v) { return np::sum(f(Pair{v, Array(1)}, 2).x) * scale; });
    return g(x);
  };
  const auto [gx, gs] = grad<0, 1>(loss)(np::array({1.0, 2.0}), Array(0.5));
  EXPECT_EQ(doubles(gx), (Doubles{2, 6}));
  EXPECT_EQ(gs.item<double>(), 14);
  EXPECT_EQ(f(Pair{np::array({1.0, 2.0}), Array(7)}, 2).n.item<int>(), 8);
}

TEST(checkpoint, keeps_the_rules_of_functions_that_have_their_own) {
  // Derivatives that are not those of the square, so that it shows whose rule was used.
  const auto by_jvp =
      custom_jvp([](Array x) { return x * x; }, [](Array x, Array dx) { return std::pair(x * x, 10.0 * x * dx); });
  const auto by_vjp = custom_vjp([](Array x) { return x * x; }, [](Array x) { return std::pair(x * x, x); },
                                 [](Array x, Array ct) { return 10.0 * x * ct; });
  // The second derivative goes through what the rules give as the value, x * x, whose derivative is its own.
  const double x = 0.3, first = std::cos(x * x) * 10 * x,
               second = std::cos(x * x) * 10 - std::sin(x * x) * 2 * x * 10 * x;
  const auto compare = [&](auto&& square) {
    const auto f = checkpoint([&](Array v) { return np::sin(square(v)); });
    EXPECT_NEAR(grad(f)(x).template item<double>(), first, 1e-12);
    EXPECT_NEAR(jit(grad(f))(x).template item<double>(), first, 1e-12);
    EXPECT_NEAR(grad(grad(f))(x).template item<double>(), second, 1e-12);
    EXPECT_NEAR(grad(grad(jit(f)))(x).template item<double>(), second, 1e-12);
    EXPECT_NEAR(vmap(grad(f))(np::array({x})).template item<double>(), first, 1e-12);
  };
  compare(by_jvp);
  compare(by_vjp);
}

TEST(checkpoint, is_one_equation_that_comes_back_behind_a_barrier) {
  const auto f = checkpoint([](Array x) { return np::sin(np::sin(x)); });
  const Jaxpr forward = make_jaxpr(f)(1.0f);
  EXPECT_EQ(forward.str(),
            "{ lambda ; a:f32[]. let\n"
            "    b:f32[] = checkpoint[\n"
            "      jaxpr={ lambda ; c:f32[]. let d:f32[] = sin c; e:f32[] = sin d in (e,) }\n"
            "      policy=nothing_saveable\n"
            "      differentiated=False\n"
            "    ] a\n"
            "  in (b,) }");
  const Jaxpr backward = make_jaxpr(grad(f))(1.0f);
  const auto ops = [](const Jaxpr& jaxpr) {
    std::multiset<OpCode> r;
    for (const ir::Eqn& e : jaxpr.eqns()) r.insert(e.op);
    return r;
  };
  // Its own run, and what comes back.
  EXPECT_EQ(ops(backward).count(OpCode::kCheckpoint), 2u);
  EXPECT_NE(backward.str().find("differentiated=True"), std::string::npos) << backward;
  EXPECT_EQ(ir::parse(backward.str()), backward);
  const auto inlined = ops(ir::inline_calls(backward));
  EXPECT_EQ(inlined.count(OpCode::kOptimizationBarrier), 1u);
  EXPECT_EQ(inlined.count(OpCode::kCheckpoint), 0u);
  EXPECT_EQ(ops(ir::inline_calls(forward)).count(OpCode::kOptimizationBarrier), 0u);
}

// A product that counts how often it runs.
int evaluations = 0;
Array counted(Array x, bool effect) {
  static const bool registered = [] {
    register_custom_call(
        "weft.test.counted_square",
        {.eval =
             [](const CustomCallParams&, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
               ++evaluations;
               *out[0].as<double>() = *in[0].as<double>() * *in[0].as<double>();
             },
         .jvp =
             [](const Call& call, std::span<const Array> t, Arrays& outs, Arrays& out_tangents) {
               bind(call.op, call.params, call.args, outs);
               out_tangents.push_back(2.0 * call.args[0] * t[0]);
             }});
    return true;
  }();
  (void)registered;
  Arrays outs;
  bind(OpCode::kCustomCall,
       ir::make_params(CustomCallParams{"weft.test.counted_square", effect, "", 1, {Aval(f64, {})}}), Arrays{x}, outs);
  return outs[0];
}

TEST(checkpoint, computes_again_what_is_not_kept_and_only_that) {
  const auto f = [](Array x) { return np::sin(checkpoint_name(counted(np::exp(x), false), "square")); };
  const auto runs = [&](auto&& g) {
    const double want = 2 * std::exp(2 * 0.3) * std::cos(std::exp(2 * 0.3));
    evaluations = 0;
    EXPECT_NEAR(g(Array(0.3)).template item<double>(), want, 1e-12);
    return evaluations;
  };
  for (const bool compiled : {false, true}) {
    const auto runs_of = [&](const CheckpointPolicy& policy) {
      const auto g = grad(checkpoint(f, policy));
      return compiled ? runs(jit(g)) : runs(g);
    };
    EXPECT_EQ(runs_of(policies::everything_saveable), 1);
    EXPECT_EQ(runs_of(policies::save_only_these_names("square")), 1);
    // The square is not kept, but its cosine is, and the derivative needs no more.
    EXPECT_EQ(runs_of(policies::save_anything_except_these_names("square")), 1);
    EXPECT_EQ(runs_of(policies::nothing_saveable), compiled ? 1 : 2);
  }
}

TEST(checkpoint, effects_happen_once) {
  const auto f = checkpoint([](Array x) { return np::sin(counted(np::exp(x), true)); });
  for (const bool compiled : {false, true}) {
    const auto g = grad(f);
    const auto jitted = jit(g);
    evaluations = 0;
    compiled ? jitted(Array(0.3)) : g(Array(0.3));
    EXPECT_EQ(evaluations, 1);
  }
}

// ---- memory ----

// The peak while `f` runs, in arrays of x's size beside x itself.
double peak_arrays(const Function& f, const Array& x) {
  f(x);
  const std::int64_t before = memory_stats().live_bytes;
  reset_peak_memory();
  f(x);
  return static_cast<double>(memory_stats().peak_bytes - before) / static_cast<double>(x.nbytes());
}

TEST(memory, checkpoints_keep_one_array_per_block_and_one_block) {
  constexpr int kBlocks = 8, kSteps = 8;
  const auto block = [](Array x) {
    for (int i = 0; i < kSteps; ++i) x = np::tanh(x);
    return x;
  };
  const auto loss = [&](auto&& f) {
    return [=](Array x) {
      for (int i = 0; i < kBlocks; ++i) x = f(x);
      return np::sum(x);
    };
  };
  const Array x = np::ones({1 << 16}) * 0.5 + np::zeros({1 << 16});
  const auto plain = grad(loss(block));
  const auto checked = grad(loss(checkpoint(block)));
  EXPECT_EQ(doubles(plain(x)), doubles(checked(x)));
  const auto compiled_plain = jit(plain);
  const auto compiled_checked = jit(checked);
  for (const bool compiled : {false, true}) {
    const char* how = compiled ? "compiled" : "eager";
    EXPECT_GE(compiled ? peak_arrays(compiled_plain, x) : peak_arrays(plain, x), kBlocks * kSteps) << how;
    EXPECT_LE(compiled ? peak_arrays(compiled_checked, x) : peak_arrays(checked, x), kBlocks + kSteps + 6) << how;
  }
  // Recursively, a logarithm.
  const Function deep = grad(
      [&](Array v) { return np::sum(recursive(std::vector<Function>(64, [](Array y) { return np::tanh(y); }))(v)); });
  EXPECT_EQ(doubles(deep(x)), doubles(plain(x)));
  EXPECT_LE(peak_arrays(deep, x), 7 + 8);
}

TEST(memory, second_derivatives_through_checkpoints_keep_as_little) {
  constexpr int kBlocks = 8, kSteps = 16;
  const auto block = [](Array x) {
    for (int i = 0; i < kSteps; ++i) x = np::tanh(x);
    return x;
  };
  const auto twice = [&](auto&& f) {
    const auto loss = [=](Array x) {
      for (int i = 0; i < kBlocks; ++i) x = f(x);
      return np::sum(x);
    };
    return grad([=](Array x) { return np::sum(np::square(grad(loss)(x))); });
  };
  const Array x = np::ones({1 << 16}) * 0.5 + np::zeros({1 << 16});
  const Function plain = twice(block), checked = twice(checkpoint(block));
  EXPECT_TRUE(np::allclose(plain(x), checked(x)).item<bool>());
  const double all = peak_arrays(plain, x), some = peak_arrays(checked, x);
  EXPECT_GE(all, 2 * kBlocks * kSteps);
  EXPECT_LE(some, 3 * kBlocks + 6 * kSteps) << all;
}

TEST(memory, a_policy_decides_what_a_checkpoint_keeps) {
  const auto block = [](Array x) {
    for (int i = 0; i < 6; ++i) x = checkpoint_name(np::tanh(x * x + 1), "step" + std::to_string(i));
    return np::sum(x);
  };
  const Array x = np::ones({1 << 16}) * 0.5 + np::zeros({1 << 16});
  const auto held = [&](const CheckpointPolicy& policy) {
    const std::int64_t before = memory_stats().live_bytes;
    const auto result = vjp(checkpoint(block, policy), x);
    return static_cast<double>(memory_stats().live_bytes - before) / static_cast<double>(x.nbytes());
  };
  EXPECT_LT(held(policies::nothing_saveable), 0.1);
  EXPECT_NEAR(held(policies::save_only_these_names("step1", "step4")), 2, 0.1);
  EXPECT_GE(held(policies::everything_saveable), 6);
}

// Every step's residuals are kept, or only the carry of every hundredth.
TEST(memory, a_scan_of_checkpointed_chunks_keeps_the_square_root) {
  constexpr std::int64_t kSteps = 10'000, kChunk = 100;
  const auto step = [](Array c) { return std::pair(np::sin(c), std::tuple<>()); };
  const auto plain = [&](Array x) { return scan(step, x, no_xs, {.length = kSteps}).first; };
  const auto chunked = [&](Array x) {
    const auto chunk = checkpoint([&](Array c) { return scan(step, c, no_xs, {.length = kChunk}).first; });
    return scan([&](Array c) { return std::pair(chunk(c), std::tuple<>()); }, x, no_xs, {.length = kSteps / kChunk})
        .first;
  };
  const Array x(0.7);
  EXPECT_DOUBLE_EQ(grad(plain)(x).item<double>(), grad(chunked)(x).item<double>());
  // A scalar takes 8 bytes; allocators round up.
  EXPECT_GE(peak_arrays(grad(plain), x), kSteps);
  EXPECT_LE(peak_arrays(grad(chunked), x), 2 * kChunk + 2000);
}

}  // namespace
}  // namespace weft
