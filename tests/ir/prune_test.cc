// What depends on what, through the programs that equations carry.
#include "weft/ir/prune.h"

#include <gtest/gtest.h>

#include "weft/ir/builder.h"
#include "weft/weft.h"

namespace weft {
namespace {

using Mask = std::vector<bool>;

// Results and their tangents together: the latter depend on dx, the former do not.
template <class F>
Jaxpr with_tangents(F f) {
  return make_jaxpr([f](Array x, Array dx) { return jvp(f, x, dx); })(1.0, 1.0);
}

const auto cubed = [](Array x) { return np::sin(x) * x * x; };

void expect_apart(const Jaxpr& program) {
  SCOPED_TRACE(program.str());
  EXPECT_EQ(ir::dependent_outputs(program, {false, true}), (Mask{false, true}));
  EXPECT_EQ(ir::dependent_outputs(program, {true, false}), (Mask{true, true}));
  EXPECT_EQ(ir::needed_inputs(program, {true, false}), (Mask{true, false}));
  EXPECT_EQ(ir::needed_inputs(program, {false, true}), (Mask{true, true}));
  EXPECT_EQ(ir::needed_inputs(program, {false, false}), (Mask{false, false}));
  // The parts are programs that give what the whole gives.
  Arrays whole, value, tangent;
  const Arrays args{Array(0.7), Array(2.0)};
  eval_jaxpr(program, args, whole);
  const Jaxpr value_part = ir::prune(program, {true, false}), tangent_part = ir::prune(program, {false, true});
  ir::check(value_part);
  ir::check(tangent_part);
  eval_jaxpr(value_part, args, value);
  eval_jaxpr(tangent_part, args, tangent);
  ASSERT_EQ(value.size(), 1u);
  ASSERT_EQ(tangent.size(), 1u);
  EXPECT_EQ(value[0].item<double>(), whole[0].item<double>());
  EXPECT_EQ(tangent[0].item<double>(), whole[1].item<double>());
}

TEST(prune, looks_into_every_operation_that_carries_programs) {
  const auto scanned = [](Array x) {
    return scan([](Array c) { return std::pair(cubed(c), c); }, x, no_xs, {.length = 2}).first;
  };
  const auto looped = [](Array x) {
    return while_loop([](std::pair<Array, Array> s) { return s.second < 2; },
                      [](std::pair<Array, Array> s) { return std::pair(cubed(s.first), s.second + 1); },
                      std::pair(x, Array(0)))
        .first;
  };
  const auto chosen = [](Array x) { return cond(x > 0.0, cubed, [](Array y) { return -y; }, x); };
  expect_apart(with_tangents(jit(cubed)));
  expect_apart(with_tangents(checkpoint(cubed)));
  expect_apart(with_tangents(scanned));
  expect_apart(with_tangents(looped));
  expect_apart(with_tangents(chosen));
  expect_apart(with_tangents(jit([=](Array x) { return chosen(looped(jit(scanned)(x))); })));
}

TEST(prune, what_goes_round_a_loop_depends_on_all_that_goes_round_with_it) {
  // c1 needs c0, c2 needs c1, of which only the last is asked for; c3 nobody needs.
  using Four = std::tuple<Array, Array, Array, Array>;
  const Jaxpr program = make_jaxpr([](Array a, Array b, Array c, Array d) {
    return scan(
               [](Four s) {
                 const auto& [p, q, r, t] = s;
                 return std::pair(Four(p * 2.0, q + p, r + q, t + r), std::tuple<>());
               },
               Four(a, b, c, d), no_xs, {.length = 3})
        .first;
  })(1.0, 1.0, 1.0, 1.0);
  EXPECT_EQ(ir::needed_inputs(program, {false, false, true, false}), (Mask{true, true, true, false}));
  EXPECT_EQ(ir::needed_inputs(program, {true, false, false, false}), (Mask{true, false, false, false}));
  EXPECT_EQ(ir::dependent_outputs(program, {false, true, false, false}), (Mask{false, true, true, true}));
}

TEST(prune, all_that_a_while_loop_gives_depends_on_its_condition) {
  using Two = std::pair<Array, Array>;
  const Jaxpr program = make_jaxpr([](Array x, Array n) {
    return while_loop([](Two s) { return s.second > 0.0; }, [](Two s) { return Two(s.first * 2.0, s.second - 1.0); },
                      Two(x, n));
  })(1.0, 3.0);
  EXPECT_EQ(ir::dependent_outputs(program, {false, true}), (Mask{true, true}));
  EXPECT_EQ(ir::needed_inputs(program, {true, false}), (Mask{true, true}));
  EXPECT_EQ(ir::needed_inputs(program, {false, true}), (Mask{false, true}));
}

TEST(prune, operations_with_rules_of_their_own_stay_whole) {
  const auto f = custom_jvp([](Array x, Array y) { return std::pair(2.0 * x, 3.0 * y); },
                            [](Array x, Array y, Array dx, Array dy) {
                              return std::pair(std::pair(2.0 * x, 3.0 * y), std::pair(2.0 * dx, 3.0 * dy));
                            });
  const Jaxpr program = make_jaxpr(f)(1.0, 1.0);
  EXPECT_EQ(ir::needed_inputs(program, {true, false}), (Mask{true, true}));
}

}  // namespace
}  // namespace weft
