// Functions with rules of their own, as operations on programs.
#include <gtest/gtest.h>

#include "harness/errors.h"
#include "harness/functions.h"
#include "weft/control/custom.h"
#include "weft/weft.h"

namespace weft {
namespace {

using testing::error_of;

const ir::Jaxpr kSquare = ir::parse("{ lambda ; a:f64[]. let b:f64[] = mul a a in (b,) }");
const ir::Rule kSlope(ir::parse(R"({ lambda ; a:f64[] b:f64[]. let
    c:f64[] = mul a a
    d:f64[] = mul 7.0:f64[] b
  in (c, d) })"));

TEST(custom_jvp_call, refuses_rules_of_other_types) {
  const Arrays x{Array(2.0)};
  const auto error = [&](const ir::Rule& rule) {
    return error_of([&] { lax::custom_jvp_call("f", kSquare, rule, {}, x); });
  };
  EXPECT_EQ(lax::custom_jvp_call("f", kSquare, kSlope, {}, x)[0].item<double>(), 4);
  EXPECT_EQ(error(ir::Rule()), "ValueError: custom_jvp: there must be a jvp rule; got none.");
  EXPECT_EQ(error(ir::Rule(kSquare)), "ShapeError: custom_jvp: the jvp rule must have 2 inputs; got 1.");
  EXPECT_EQ(error(ir::Rule(ir::parse("{ lambda ; a:f64[] b:f64[]. let  in (a,) }"))),
            "ShapeError: custom_jvp: the jvp rule must have 2 outputs; got 1.");
  EXPECT_EQ(error(ir::Rule(ir::parse("{ lambda ; a:f64[] b:f32[]. let  in (a, b) }"))),
            "DTypeError: custom_jvp: the jvp rule must have input 1 of type f64[]; got f32[].");
}

TEST(custom_vjp_call, refuses_rules_of_other_types) {
  const Arrays x{Array(2.0)};
  const auto error = [&](const ir::Rule& fwd, const ir::Rule& bwd, const ir::Rule& jvp = {}) {
    return error_of([&] { lax::custom_vjp_call("f", kSquare, fwd, bwd, jvp, {}, x); });
  };
  const ir::Rule fwd(ir::parse("{ lambda ; a:f64[]. let b:f64[] = mul a a in (b, a) }"));
  const ir::Rule bwd(ir::parse("{ lambda ; a:f64[] b:f64[]. let c:f64[] = mul a b in (c,) }"));
  EXPECT_EQ(error(fwd, bwd), "nothing was thrown");
  EXPECT_EQ(error(fwd, ir::Rule()),
            "ValueError: custom_vjp: fwd and bwd must be two programs or two functions; got another pair.");
  EXPECT_EQ(error(ir::Rule(ir::parse("{ lambda ; a:f64[]. let  in () }")), bwd),
            "ShapeError: custom_vjp: the fwd rule must give the function's results first; got other types.");
  EXPECT_EQ(error(fwd, ir::Rule(kSquare)), "ShapeError: custom_vjp: the bwd rule must have 2 inputs; got 1.");
  EXPECT_EQ(error(fwd, bwd, ir::Rule(kSquare)), "ShapeError: custom_vjp: the jvp rule must have 2 inputs; got 1.");
}

TEST(custom_vjp_tangent, counts_must_fit) {
  const ir::Rule bwd(ir::parse("{ lambda ; a:f64[] b:f64[]. let c:f64[] = mul a b in (c,) }"));
  const auto infer = [&](std::int64_t captures, std::int64_t residuals, std::int64_t args) {
    const ir::Params params =
        ir::make_params(CustomVjpTangentParams{"f", captures, residuals, args, {Aval(f64, Dims{})}, bwd, ir::Rule()});
    return error_of([&] {
      ir::Avals out;
      ir::infer(OpCode::kCustomVjpTangent, params.get(), ir::Avals{Aval(f64, Dims{}), Aval(f64, Dims{})}, out);
    });
  };
  EXPECT_EQ(infer(0, 1, 0), "nothing was thrown");
  EXPECT_EQ(
      infer(0, 3, 0),
      "ValueError: custom_vjp_tangent: num_captures, num_residuals and num_args must count operands; got 3 of 2.");
  EXPECT_EQ(
      infer(-1, 1, 0),
      "ValueError: custom_vjp_tangent: num_captures, num_residuals and num_args must count operands; got -1 of 2.");
  EXPECT_EQ(infer(0, 0, 0), "ShapeError: custom_vjp_tangent: the bwd rule must have 1 inputs; got 2.");
}

TEST(custom_linear_solve, refuses_programs_of_other_types) {
  const Arrays b{Array(2.0)};
  const ir::Jaxpr half = ir::parse("{ lambda ; a:f64[]. let b:f64[] = mul 0.5:f64[] a in (b,) }");
  const ir::Jaxpr wide = ir::parse("{ lambda ; a:f64[]. let  in (a, a) }");
  const auto error = [&](const ir::Jaxpr& matvec, const ir::Jaxpr& solve, const ir::Rule& transpose = {}) {
    return error_of([&] { lax::custom_linear_solve(matvec, solve, transpose, {}, b); });
  };
  EXPECT_EQ(error(half, half), "nothing was thrown");
  EXPECT_EQ(error(wide, half), "ShapeError: custom_linear_solve: matvec must have 1 outputs; got 2.");
  EXPECT_EQ(error(half, wide), "ShapeError: custom_linear_solve: solve must have 1 outputs; got 2.");
  EXPECT_EQ(error(half, half, ir::Rule(wide)),
            "ShapeError: custom_linear_solve: transpose_solve must have 1 outputs; got 2.");
  EXPECT_EQ(error(half, half, control::function_rule([](std::span<const Array>, Arrays&) {})),
            "ValueError: custom_linear_solve: transpose_solve must be a program or none; got a function.");
}

TEST(transposed_map, is_the_transpose_with_the_same_captures) {
  const ir::Jaxpr map = ir::parse(R"({ lambda a:f64[]; b:f64[] c:f64[2]. let
    d:f64[] = mul a b
    e:f64[] = reduce_sum[axes=(0,)] c
    f:f64[] = add d e
  in (f,) })");
  Arrays outs;
  eval_jaxpr(control::transposed_map(map), Arrays{Array(3.0), Array(5.0)}, outs);
  ASSERT_EQ(outs.size(), 2u);
  EXPECT_EQ(outs[0].item<double>(), 15);
  EXPECT_EQ(outs[1].to_vector<double>(), (std::vector<double>{5, 5}));
}

TEST(transposed_map, of_a_map_that_is_not_linear_is_refused) {
  const std::string text =
      "NotDifferentiableError: custom_linear_solve: the map must be linear; got one whose derivative depends on f64[], "
      "what it is applied to.";
  EXPECT_EQ(error_of([] { control::transposed_map(kSquare); }), text);
  const auto f = [](Array b) {
    return custom_linear_solve([](Array x) { return x * x; }, b,
                               [](const LinearMap<Array>&, Array c) { return np::sqrt(c); },
                               [](const LinearMap<Array>&, Array c) { return c; });
  };
  EXPECT_EQ(error_of([&] { grad(f)(4.0); }), text);
}

TEST(rules, functions_are_lost_in_text_and_say_so) {
  const auto f = [](Array x) {
    return lax::custom_jvp_call("lost", kSquare, control::function_rule([](std::span<const Array> in, Arrays& outs) {
                                  outs.push_back(lax::multiply(in[0], in[0]));
                                  outs.push_back(lax::multiply(in[1], 7.0));
                                }),
                                {}, Arrays{x})[0];
  };
  EXPECT_EQ(grad(f)(2.0).item<double>(), 7);
  EXPECT_EQ(grad(jit(f))(2.0).item<double>(), 7);
  EXPECT_EQ(vmap(grad(jit(f)))(np::array({2.0, 3.0})).to_vector<double>(), (std::vector<double>{7, 7}));
  const Jaxpr program = make_jaxpr(f)(2.0), back = ir::parse(program.str());
  EXPECT_EQ(back.str(), program.str());
  EXPECT_FALSE(back == program);
  EXPECT_TRUE(back == ir::parse(program.str()));
  EXPECT_EQ(back.hash(), program.hash());
  const auto run = [&](Array x) {
    Arrays outs;
    eval_jaxpr(back, Arrays{x}, outs);
    return outs[0];
  };
  EXPECT_EQ(run(3.0).item<double>(), 9);
  EXPECT_EQ(
      error_of([&] { grad(run)(3.0); }),
      "NotDifferentiableError: custom_jvp: the jvp rule of lost must be at hand; got a program that was read from "
      "text, which holds no C++ functions.");
}

TEST(rules, that_are_functions_must_not_capture_inside_programs) {
  const Array table = np::array({1.0, 2.0});
  const auto f = [&](Array x) {
    return lax::custom_jvp_call("f", kSquare, control::function_rule([&](std::span<const Array> in, Arrays& outs) {
                                  outs.push_back(lax::multiply(in[0], in[0]));
                                  outs.push_back(lax::multiply(in[1], lax::reduce_sum(table, Dims{0})));
                                }),
                                {}, Arrays{x})[0];
  };
  EXPECT_EQ(grad(f)(2.0).item<double>(), 3);
  std::string hint;
  EXPECT_EQ(
      error_of([&] { grad(jit(f))(2.0); }, &hint),
      "LeakError: custom rules: a rule that runs inside a program must take all it needs as arguments; it captures "
      "f64[2].");
  EXPECT_EQ(hint, "pass it as an argument of the custom function.");
}

TEST(rules, results_that_wait_for_tangents_are_computed_apart) {
  // One call gives results and tangents; linearize stages it whole.
  const ir::Jaxpr together = kSlope.program();
  const auto f = [&](Array x) {
    return lax::custom_jvp_call("f", kSquare, control::function_rule([&](std::span<const Array> in, Arrays& outs) {
                                  bind(OpCode::kCall, ir::make_params(CallParams{"together", together}), in, outs);
                                }),
                                {}, Arrays{x})[0];
  };
  const auto [y, dy] = value_and_grad(f)(3.0);
  EXPECT_EQ(y.item<double>(), 9);
  EXPECT_EQ(dy.item<double>(), 7);
  EXPECT_EQ(jit(grad([&](Array x) { return f(x) * x; }))(3.0).item<double>(), 30);
}

}  // namespace
}  // namespace weft
