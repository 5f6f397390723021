// Programs inside operations: finding them and changing them, whatever carries them.
#include "weft/ir/nested.h"

#include <gtest/gtest.h>

#include "samples/sample.h"
#include "weft/ir/builder.h"
#include "weft/weft.h"

namespace weft::ir {
namespace {

bool is_sine(const Eqn& e) { return e.op == OpCode::kSine; }

TEST(nested, every_operation_whose_text_has_a_program_is_known) {
  for (const testing::Sample& s : testing::all_samples()) {
    if (!s.params) continue;
    std::vector<std::string> pieces;
    VarNames names;
    s.params->print(pieces, 0, names, 0);
    bool has = false, found = false;
    for (const std::string& piece : pieces) has = has || piece.find("{ lambda") != std::string::npos;
    for_each_program(*s.params, Programs::kAll, [&](const Jaxpr&) { found = true; });
    EXPECT_EQ(found, has) << s.name;
    const Params same = with_programs(s.params, [](const Jaxpr& p) { return p; });
    EXPECT_EQ(same, s.params) << s.name;
  }
}

TEST(nested, rules_of_custom_functions_are_not_what_runs) {
  const auto f =
      custom_jvp([](Array x) { return np::sin(x); }, [](Array x, Array dx) { return std::pair(x, np::cos(x) * dx); });
  const Jaxpr program = make_jaxpr(jit(f))(1.0f);
  const auto is_cosine = [](const Eqn& e) { return e.op == OpCode::kCosine; };
  EXPECT_TRUE(any_eqn(program, Programs::kRun, "sine", [](const Eqn& e) { return is_sine(e); }));
  EXPECT_FALSE(any_eqn(program, Programs::kRun, "cosine", is_cosine));
}

TEST(nested, equations_are_found_at_any_depth) {
  const auto sine = jit([](Array x) { return np::sin(x); });
  const Jaxpr deep = make_jaxpr([&](Array x) {
    return scan([&](Array c) { return std::pair(cond(c > 0, sine, [](Array v) { return v; }, c), c); }, x, no_xs,
                {.length = 2})
        .first;
  })(1.0f);
  EXPECT_TRUE(any_eqn(deep, Programs::kRun, "sine", [](const Eqn& e) { return is_sine(e); }));
  EXPECT_FALSE(any_eqn(deep, Programs::kRun, "cosine", [](const Eqn& e) { return e.op == OpCode::kCosine; }));
}

TEST(nested, equations_are_dropped_at_any_depth) {
  const auto f = [](Array x) {
    debug::print("{}", x);
    return while_loop([](Array y) { return y < 3; },
                      [](Array y) {
                        debug::print("{}", y);
                        return y + 1;
                      },
                      x);
  };
  const Jaxpr program = make_jaxpr(f)(1);
  EXPECT_TRUE(has_effects(program));
  const Jaxpr quiet = without_eqns(program, "callbacks", [](const Eqn& e) { return e.op == OpCode::kHostCallback; });
  EXPECT_FALSE(has_effects(quiet));
  EXPECT_NO_THROW(check(quiet));
  EXPECT_EQ(quiet.eqns().size(), program.eqns().size() - 1);
  EXPECT_EQ(without_eqns(quiet, "callbacks", [](const Eqn& e) { return e.op == OpCode::kHostCallback; }).id(),
            quiet.id());
  // Of an identity with a result its operand is left.
  const Jaxpr sines = make_jaxpr([](Array x) { return np::exp(np::sin(np::sin(x))); })(1.0f);
  EXPECT_EQ(without_eqns(sines, "sines", [](const Eqn& e) { return is_sine(e); }).str(),
            make_jaxpr([](Array x) { return np::exp(x); })(1.0f).str());
}

}  // namespace
}  // namespace weft::ir
