// What samples do not show of while: forward mode, which values get tangents and mapped axes, reverse mode's refusal.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/functions.h"
#include "harness/values.h"
#include "weft/base/error.h"
#include "weft/control/programs.h"
#include "weft/ir/call.h"
#include "weft/ir/parse.h"
#include "weft/ops/lax.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/transpose.h"

namespace weft {
namespace {

using testing::call;
using testing::jitted;
using testing::pullback;
using testing::pushforward;
using testing::vmapped;

// (s, i, x) -> x = s x sin(x) for i < 4.
void iterate(std::span<const Array> a, Arrays& outs) {
  static const ir::Jaxpr cond = ir::parse("{ lambda ; i:i32[] x:f64[2]. let c:bool[] = lt i 4:i32[] in (c,) }");
  static const ir::Jaxpr body = ir::parse(R"({ lambda s:f64[2]; i:i32[] x:f64[2]. let
    j:i32[] = add i 1:i32[]
    y:f64[2] = sin x
    z:f64[2] = mul x y
    w:f64[2] = mul z s
  in (j, w) })");
  outs = lax::while_(cond, body, a.first(1), a.subspan(1));
}

const Arrays& operands() {
  static const Arrays xs{Array(std::vector<double>{1.5, 0.7}), Array(0), Array(std::vector<double>{1.2, 2.1})};
  return xs;
}
Arrays directions(std::vector<int> by) {
  Arrays ts;
  for (const int i : by) ts.push_back(testing::draw(operands()[static_cast<std::size_t>(i)].aval(), i));
  return ts;
}
Arrays joined(Arrays a, const Arrays& b) {
  a.append(b.begin(), b.end());
  return a;
}

TEST(while_op, forward_mode_agrees_with_differences) {
  for (const std::vector<int>& by : std::vector<std::vector<int>>{{0}, {2}, {0, 2}}) {
    const Arrays ts = directions(by);
    const Arrays want = testing::difference_quotient(iterate, operands(), by, ts);
    EXPECT_EQ(testing::difference(call(pushforward(iterate, 3, by), joined(operands(), ts)), want, 1e-8), "");
    EXPECT_EQ(
        testing::difference(call(jitted(pushforward(jitted(iterate), 3, by)), joined(operands(), ts)), want, 1e-8), "");
  }
}

TEST(while_op, forward_over_forward_agrees_with_differences) {
  const std::vector<int> by{0, 2};
  const Arrays ts = directions(by);
  const FlatFunction first = [&](std::span<const Array> a, Arrays& outs) {
    pushforward(iterate, 3, by)(joined(Arrays(a), ts), outs);
  };
  EXPECT_EQ(testing::difference(call(pushforward(first, 3, by), joined(operands(), ts)),
                                testing::difference_quotient(first, operands(), by, ts), 1e-8),
            "");
}

TEST(while_op, forward_mode_and_vmap_go_together) {
  // Examples end after different numbers of steps.
  const FlatFunction f = [](std::span<const Array> a, Arrays& outs) { iterate(a, outs); };
  const std::vector<int> by{0, 2};
  std::vector<Arrays> examples, derivatives;
  for (const std::int32_t start : {3, 0, 5}) {
    Arrays xs = operands();
    xs[1] = Array(start);
    examples.push_back(joined(xs, directions(by)));
    derivatives.push_back(call(pushforward(f, 3, by), examples.back()));
  }
  const Arrays batched = testing::stacked_results(examples), want = testing::stacked_results(derivatives);
  EXPECT_EQ(testing::difference(call(vmapped(pushforward(f, 3, by), {0, 0, 0, 0, 0}, 3), batched), want, 1e-12), "");
  EXPECT_EQ(testing::difference(call(pushforward(vmapped(f, {0, 0, 0}, 3), 3, by), batched), want, 1e-12), "");
}

TEST(while_op, tangents_spread_through_the_carry_as_far_as_they_go) {
  // a gets one from b, b from c; d never does.
  const ir::Jaxpr cond =
      ir::parse("{ lambda ; i:i32[] a:f64[] b:f64[] c:f64[] d:f64[]. let t:bool[] = lt i 3:i32[] in (t,) }");
  const ir::Jaxpr body = ir::parse(R"({ lambda ; i:i32[] a:f64[] b:f64[] c:f64[] d:f64[]. let
    j:i32[] = add i 1:i32[]
    e:f64[] = mul d 2.0:f64[]
  in (j, b, c, c, e) })");
  const FlatFunction f = [&](std::span<const Array> x, Arrays& outs) { outs = lax::while_(cond, body, {}, x); };
  Arrays outs, tangents;
  transforms::jvp(f, Arrays{Array(0), Array(1.0), Array(2.0), Array(3.0), Array(4.0)},
                  Arrays{Array(), Array(), Array(), Array(5.0), Array()}, "jvp", outs, tangents);
  EXPECT_FALSE(tangents[0].defined());
  EXPECT_EQ(tangents[1].item<double>(), 5);
  EXPECT_EQ(tangents[2].item<double>(), 5);
  EXPECT_EQ(tangents[3].item<double>(), 5);
  EXPECT_FALSE(tangents[4].defined());
  EXPECT_EQ(outs[4].item<double>(), 32);
}

TEST(while_op, only_what_depends_on_a_mapped_value_is_mapped) {
  const FlatFunction f = vmapped(iterate, {0, kUnmapped, kUnmapped}, 3);
  const ir::Avals types{Aval(f64, Dims{3, 2}), Aval(i32, {}), Aval(f64, Dims{2})};
  const Staged staged = stage(f, types, "f");
  for (const ir::Eqn& e : staged.jaxpr.eqns()) {
    if (e.op != OpCode::kWhile) continue;
    EXPECT_EQ(staged.jaxpr.aval(e.out_begin), Aval(i32, {}));
    EXPECT_EQ(staged.jaxpr.aval(e.out_begin + 1), Aval(f64, Dims{3, 2}));
    const auto& p = ir::params_as<WhileParams>(e.params);
    EXPECT_EQ(p.cond_jaxpr.eqns().size(), 1u) << p.cond_jaxpr.str();  // one counter for all
  }
}

TEST(while_op, reverse_mode_is_refused_with_what_to_do) {
  try {
    call(pullback(iterate, 3, {2}), joined(operands(), directions({2})));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const NotDifferentiableError& e) {
    EXPECT_EQ(e.message(),
              "while: reverse-mode derivatives need a bound on the number of steps; got a loop that goes on as long as "
              "a condition holds.");
    EXPECT_NE(e.hint().find("max_steps = n"), std::string::npos);
    EXPECT_NE(e.hint().find("scan"), std::string::npos);
    EXPECT_NE(e.hint().find("fori_loop"), std::string::npos);
  }
}

TEST(while_op, a_linearized_loop_can_be_run_forwards) {
  const transforms::Linearized lin = transforms::linearize(iterate, operands(), {true, false, true}, "linearize");
  const std::vector<int> by{0, 2};
  Arrays args(lin.residuals), got;
  const Arrays ts = directions(by);
  eval_jaxpr(lin.tangent, joined(args, ts), got);
  EXPECT_EQ(testing::difference(got, call(pushforward(iterate, 3, by), joined(operands(), ts)), 1e-14), "");
}

TEST(while_op, a_loop_beside_the_path_of_a_gradient_does_not_hinder_it) {
  const FlatFunction f = [](std::span<const Array> a, Arrays& outs) {
    Arrays looped;
    iterate(a, looped);
    outs.push_back(lax::multiply(a[2], lax::stop_gradient(looped[1])));
  };
  Arrays looped;
  iterate(operands(), looped);
  const Array ones = Array::full(Dims{2}, f64, 1.0);
  EXPECT_EQ(testing::difference(call(pullback(f, 3, {2}), joined(operands(), {ones})), Arrays{looped[1]}, 1e-14), "");
}

TEST(while_op, programs_that_do_not_fit_are_refused) {
  const auto error = [](std::string_view cond, std::string_view body, const Arrays& xs) -> std::string {
    try {
      lax::while_(ir::parse(cond), ir::parse(body), {}, xs);
    } catch (const Error& e) {
      return std::string(e.kind()) + ": " + e.message();
    }
    return "nothing was thrown";
  };
  const Array x(1.0f);
  constexpr std::string_view kYes = "{ lambda ; a:f32[]. let  in (True:bool[],) }",
                             kBody = "{ lambda ; a:f32[]. let  in (a,) }";
  EXPECT_EQ(error(kYes, kBody, {}), "ShapeError: while: the condition must have 0 inputs; got 1.");
  EXPECT_EQ(error(kBody, kBody, {x}), "DTypeError: while: the condition must have output 0 of type bool[]; got f32[].");
  EXPECT_EQ(error(kYes, "{ lambda ; a:f32[]. let  in (a, a) }", {x}),
            "ShapeError: while: the body must have 1 outputs; got 2.");
  EXPECT_EQ(error(kYes, "{ lambda ; a:f32[]. let  in (1:i32[],) }", {x}),
            "DTypeError: while: the body must have output 0 of type f32[]; got i32[].");
  EXPECT_EQ(error("{ lambda b:f32[] c:f32[]; a:f32[]. let  in (True:bool[],) }", kBody, {x}),
            "ShapeError: while: there must be one operand per value that the condition captures; got 1 for 2.");
}

TEST(while_op, many_steps_take_no_stack_and_little_time) {
  const ir::Jaxpr cond = ir::parse("{ lambda ; i:i32[] s:i32[]. let c:bool[] = lt i 300000:i32[] in (c,) }");
  const ir::Jaxpr body = ir::parse(R"({ lambda ; i:i32[] s:i32[]. let
    j:i32[] = add i 1:i32[]
    t:i32[] = cond[
      branches=({ lambda ; s:i32[]. let  in (s,) }, { lambda ; s:i32[]. let t:i32[] = add s 1:i32[] in (t,) })
    ] 1:i32[] s
  in (j, t) })");
  EXPECT_EQ(lax::while_(cond, body, {}, Arrays{Array(0), Array(0)})[1].item<std::int32_t>(), 300000);
}

}  // namespace
}  // namespace weft
