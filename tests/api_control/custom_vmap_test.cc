// custom_vmap as users write it.
#include <gtest/gtest.h>

#include <string>

#include "harness/errors.h"
#include "weft/weft.h"

namespace weft {
namespace {

using Doubles = std::vector<double>;
using testing::error_of;

Doubles doubles(const Array& a) { return a.astype(f64).to_vector<double>(); }

// x + y; mapped, it adds 100, and 1000 for each argument that is not mapped.
const auto marked = custom_vmap([](Array x, Array y) { return x + y; },
                                [](VmapInfo info, Array x, Array y) {
                                  double mark = 100;
                                  for (const bool m : info.mapped) mark += m ? 0 : 1000;
                                  return np::broadcast_to(x + y, {info.size}) + mark;
                                },
                                {.name = "marked"});

TEST(custom_vmap, vmap_uses_the_rule) {
  EXPECT_EQ(marked(1.0, 2.0).item<double>(), 3);
  EXPECT_EQ(jit(marked)(1.0, 2.0).item<double>(), 3);
  const Array xs = np::array({1.0, 2.0});
  EXPECT_EQ(doubles(vmap(marked)(xs, xs)), (Doubles{102, 104}));
  EXPECT_EQ(doubles(vmap(marked, {0, unmapped})(xs, 1.0)), (Doubles{1102, 1103}));
  EXPECT_EQ(doubles(vmap(marked, {unmapped, 0})(1.0, xs)), (Doubles{1102, 1103}));
  EXPECT_EQ(doubles(vmap(jit(marked))(xs, xs)), (Doubles{102, 104}));
  EXPECT_EQ(doubles(jit(vmap(marked))(xs, xs)), (Doubles{102, 104}));
}

TEST(custom_vmap, mapped_axes_come_in_front) {
  const auto f = custom_vmap([](Array row) { return np::sum(row); },
                             [](VmapInfo info, Array rows) {
                               EXPECT_EQ(rows.shape(0), info.size);
                               return np::sum(rows, 1) + 0.5;
                             });
  const Array x = np::reshape(np::arange(6).astype(f64), {2, 3});
  EXPECT_EQ(doubles(vmap(f)(x)), (Doubles{3.5, 12.5}));
  EXPECT_EQ(doubles(vmap(f, 1)(x)), (Doubles{3.5, 5.5, 7.5}));
}

TEST(custom_vmap, rules_survive_other_transformations) {
  const Array xs = np::array({1.0, 2.0});
  const auto scanned = [](Array x) {
    return scan([](Array c) { return std::pair(marked(c, c), std::tuple<>()); }, x, no_xs, {.length = 2}).first;
  };
  EXPECT_EQ(doubles(vmap(scanned)(xs)), (Doubles{304, 308}));
  const auto branches = [](Array x) {
    return cond(Array(true), [](Array y) { return marked(y, y); }, [](Array y) { return y; }, x);
  };
  EXPECT_EQ(doubles(vmap(branches)(xs)), (Doubles{102, 104}));
  // Two levels: the rule runs for the inner one, and is mapped by the outer one.
  EXPECT_EQ(doubles(vmap(vmap(marked))(np::array({{1.0, 2.0}}), np::array({{1.0, 2.0}}))), (Doubles{102, 104}));
}

TEST(custom_vmap, derivatives_of_vmap_are_those_of_the_rule) {
  const auto f = custom_vmap([](Array x) { return x * x; }, [](VmapInfo, Array x) { return 5.0 * x * x; });
  const Array xs = np::array({1.0, 2.0});
  const auto loss = [&](Array x) { return np::sum(vmap(f)(x)); };
  EXPECT_EQ(doubles(grad(loss)(xs)), (Doubles{10, 20}));
  EXPECT_EQ(doubles(jvp(vmap(f), xs, xs).second), (Doubles{10, 40}));
  EXPECT_EQ(doubles(jit(grad(loss))(xs)), (Doubles{10, 20}));
  EXPECT_EQ(grad(f)(3.0).item<double>(), 6);
  EXPECT_EQ(grad(jit(f))(3.0).item<double>(), 6);
  EXPECT_EQ(jvp(jit(f), 3.0, 1.0).second.item<double>(), 6);
  EXPECT_EQ(doubles(vmap(grad(f))(xs)), (Doubles{2, 4}));
}

TEST(custom_vmap, says_what_is_wrong) {
  const Array xs = np::array({1.0, 2.0});
  const auto summed = custom_vmap([](Array x) { return x; }, [](VmapInfo, Array x) { return np::sum(x); });
  EXPECT_EQ(error_of([&] { vmap(summed)(xs); }),
            "ShapeError: custom_vmap: result of the rule must have the type of result with all examples in front; got "
            "f64[] for f64[2].");
  const auto captured = [](Array x, Array w) {
    return custom_vmap([w](Array y) { return w * y; }, [w](VmapInfo, Array y) { return w * y; }, {.name = "scaled"})(x);
  };
  std::string hint;
  EXPECT_EQ(error_of([&] { vmap(captured)(xs, xs); }, &hint),
            "ValueError: custom_vmap: the rule must be told of all that is mapped; got a mapped value that scaled "
            "captures, f64[2] for all examples together.");
  EXPECT_EQ(hint, "pass it as an argument of scaled.");
  EXPECT_EQ(doubles(vmap(captured, {0, unmapped})(xs, 3.0)), (Doubles{3, 6}));
}

TEST(custom_vmap, as_text_it_has_lost_its_rule) {
  const Jaxpr program = make_jaxpr(marked)(1.0, 2.0);
  EXPECT_EQ(program.str(), R"({ lambda ; a:f64[] b:f64[]. let
    c:f64[] = custom_vmap_call[
      name=marked
      call_jaxpr={ lambda ; d:f64[] e:f64[]. let f:f64[] = add d e in (f,) }
      rule=Function
    ] a b
  in (c,) })");
  const Jaxpr back = ir::parse(program.str());
  EXPECT_EQ(back.str(), program.str());
  const auto run = [&](Array x, Array y) {
    Arrays outs;
    eval_jaxpr(back, Arrays{x, y}, outs);
    return outs[0];
  };
  EXPECT_EQ(doubles(vmap(run)(np::array({1.0}), np::array({2.0}))), (Doubles{3}));
}

}  // namespace
}  // namespace weft
