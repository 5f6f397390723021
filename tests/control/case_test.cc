// What samples do not show of case: which branches run, what NaN does, how branches are made to agree, and errors.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/errors.h"
#include "harness/functions.h"
#include "harness/values.h"
#include "weft/base/error.h"
#include "weft/control/programs.h"
#include "weft/ir/call.h"
#include "weft/ir/parse.h"
#include "weft/ops/lax.h"
#include "weft/transforms/jvp.h"
#include "weft/transforms/linearize.h"

namespace weft {
namespace {

using testing::call;
using testing::error_of;
using testing::pullback;
using testing::pushforward;
using testing::vmapped;

FlatFunction case_of(std::vector<ir::Jaxpr> branches) {
  return [branches = std::move(branches)](std::span<const Array> a, Arrays& outs) {
    outs = lax::case_(a[0], branches, a.subspan(1));
  };
}

Array vec(const std::vector<double>& v) { return Array(v); }
std::vector<double> values(const Array& x) { return x.to_vector<double>(); }

TEST(case_op, an_index_out_of_range_means_the_last_branch) {
  const FlatFunction f =
      case_of({ir::parse("{ lambda ; . let  in (0:i32[],) }"), ir::parse("{ lambda ; . let  in (1:i32[],) }"),
               ir::parse("{ lambda ; . let  in (2:i32[],) }")});
  std::vector<int> got;
  for (const std::int32_t i : {0, 1, 2, 3, -1, INT32_MAX, INT32_MIN})
    got.push_back(call(f, Arrays{Array(i)})[0].item<std::int32_t>());
  EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 2, 2, 2, 2}));
  const Array indices(std::vector<std::int32_t>{0, 1, 2, 3, -1, INT32_MAX, INT32_MIN});
  EXPECT_EQ(call(vmapped(f, {0}, 7), Arrays{indices})[0].to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{0, 1, 2, 2, 2, 2, 2}));
}

// sqrt for positive numbers; its derivative at 0 is infinite, and 0 * inf is NaN.
FlatFunction safe_sqrt() {
  return [](std::span<const Array> a, Arrays& outs) {
    const ir::Jaxpr branches[] = {ir::parse("{ lambda ; a:f64[]. let  in (0.0:f64[],) }"),
                                  ir::parse("{ lambda ; a:f64[]. let b:f64[] = sqrt a in (b,) }")};
    outs = lax::case_(lax::gt(a[0], 0.0), branches, a);
  };
}

TEST(case_op, a_branch_that_is_not_taken_puts_no_nan_into_gradients) {
  const Array x = vec({4, 0, -1, 9});
  const Arrays operands{x, vec({1, 1, 1, 1})};
  EXPECT_EQ(values(call(pullback(vmapped(safe_sqrt(), {0}, 4), 1, {0}), operands)[0]),
            (std::vector<double>{0.25, 0, 0, 1.0 / 6}));
  EXPECT_EQ(values(call(vmapped(pullback(safe_sqrt(), 1, {0}), {0, 0}, 4), operands)[0]),
            (std::vector<double>{0.25, 0, 0, 1.0 / 6}));
  EXPECT_EQ(values(call(pushforward(vmapped(safe_sqrt(), {0}, 4), 1, {0}), operands)[0]),
            (std::vector<double>{0.25, 0, 0, 1.0 / 6}));
}

TEST(case_op, an_index_that_is_not_mapped_keeps_one_branch_at_run_time) {
  const ir::Jaxpr branches[] = {ir::parse("{ lambda ; a:f64[]. let b:f64[] = sin a in (b,) }"),
                                ir::parse("{ lambda ; a:f64[]. let  in (2.0:f64[],) }")};
  const FlatFunction f = vmapped(case_of({branches[0], branches[1]}), {kUnmapped, 0}, 3);
  const ir::Avals types{Aval(i32, {}), Aval(f64, Dims{3})};
  const Staged staged = stage(f, types, "f");
  int cases = 0, selects = 0;
  for (const ir::Eqn& e : staged.jaxpr.eqns()) {
    cases += e.op == OpCode::kCase;
    selects += e.op == OpCode::kSelect;
  }
  EXPECT_EQ(cases, 1);
  EXPECT_EQ(selects, 0);
  // The constant branch is repeated for each example, so that the branches agree.
  EXPECT_EQ(values(call(f, Arrays{Array(1), vec({1, 2, 3})})[0]), (std::vector<double>{2, 2, 2}));
}

TEST(case_op, branches_share_the_slots_of_their_residuals) {
  // Each needs one residual of the same type, so one slot is enough.
  const FlatFunction f = case_of({ir::parse("{ lambda ; a:f64[3]. let b:f64[3] = sin a in (b,) }"),
                                  ir::parse("{ lambda ; a:f64[3]. let b:f64[3] = exp a in (b,) }"),
                                  ir::parse("{ lambda ; a:f64[3]. let  in (a,) }")});
  const transforms::Linearized lin =
      transforms::linearize(f, Arrays{Array(1), vec({1, 2, 3})}, {false, true}, "linearize");
  EXPECT_EQ(lin.residuals.size(), 1u);
  EXPECT_EQ(lin.tangent.eqns().size(), 1u);
}

TEST(case_op, results_that_no_branch_makes_of_tangents_have_none) {
  const FlatFunction f = case_of({ir::parse("{ lambda ; a:f64[]. let b:f64[] = sin a in (b, 1.0:f64[], 3:i32[]) }"),
                                  ir::parse("{ lambda ; a:f64[]. let  in (2.0:f64[], 2.0:f64[], 4:i32[]) }")});
  Arrays outs, tangents;
  transforms::jvp(f, Arrays{Array(0), Array(0.5)}, Arrays{Array(), Array(2.0)}, "jvp", outs, tangents);
  EXPECT_DOUBLE_EQ(tangents[0].item<double>(), 2 * std::cos(0.5));
  EXPECT_FALSE(tangents[1].defined());
  EXPECT_FALSE(tangents[2].defined());
}

TEST(case_op, what_does_not_fit_is_an_error) {
  const ir::Jaxpr f = ir::parse("{ lambda ; a:f32[]. let  in (a,) }"),
                  two = ir::parse("{ lambda ; a:f32[]. let  in (a, a) }"),
                  other = ir::parse("{ lambda ; a:f32[]. let  in (1:i32[],) }"),
                  captures = ir::parse("{ lambda a:f32[]; . let  in (a,) }");
  const auto error = [](const Array& index, std::vector<ir::Jaxpr> branches, const Arrays& xs) {
    return error_of([&] { lax::case_(index, branches, xs); });
  };
  const Array x(1.0f), i(0);
  EXPECT_EQ(error(i, {}, {}), "ValueError: case: there must be at least one branch; got none.");
  EXPECT_EQ(error(x, {f}, {x}), "DTypeError: case: the index must be i32 or bool; got f32[].");
  EXPECT_EQ(error(Array::full(Dims{2}, i32, 0), {f}, {x}), "ShapeError: case: the index must be 0-d; got i32[2].");
  EXPECT_EQ(error(Array(true), {f}, {x}), "ValueError: case: a bool index must choose among 2 branches; got 1.");
  EXPECT_EQ(error(i, {f}, {}), "ShapeError: case: branch 0 must have 0 inputs; got 1.");
  EXPECT_EQ(error(i, {f}, {i}), "DTypeError: case: branch 0 must have input 0 of type i32[]; got f32[].");
  EXPECT_EQ(error(i, {f, two}, {x}), "ShapeError: case: branch 1 must have 1 outputs; got 2.");
  EXPECT_EQ(error(i, {f, other}, {x}), "DTypeError: case: branch 1 must have output 0 of type f32[]; got i32[].");
  EXPECT_EQ(error(i, {captures}, {x}),
            "ValueError: case: branches must take what they need as inputs; got 1 captures in branch 0.");
  EXPECT_EQ(error(i, {ir::Jaxpr()}, {x}), "ValueError: case: branch 0 must be a program; got none.");
}

}  // namespace
}  // namespace weft
