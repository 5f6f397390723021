// Every check of the harness on every sample of every operation, and the coverage matrix.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "harness/check.h"
#include "weft/core/rules.h"

namespace weft::testing {
namespace {

class samples : public ::testing::TestWithParam<Sample> {};

TEST_P(samples, evaluate_as_inferred_and_expected) { check_evaluation(GetParam()); }
TEST_P(samples, have_right_derivatives) { check_derivatives(GetParam()); }
TEST_P(samples, batch_like_a_loop) { check_batching(GetParam()); }
TEST_P(samples, have_true_factors) { check_factors(GetParam()); }

INSTANTIATE_TEST_SUITE_P(all, samples, ::testing::ValuesIn(all_samples()), [](const auto& info) { return info.param.name; });

TEST(coverage, sample_names_are_unique) {
  std::set<std::string> names;
  for (const Sample& s : all_samples()) EXPECT_TRUE(names.insert(s.name).second) << s.name;
}

TEST(coverage, every_operation_has_every_rule_and_samples) {
  std::set<OpCode> sampled;
  for (const Sample& s : all_samples()) sampled.insert(s.op);
  std::ifstream file(std::string(WEFT_TEST_FOLDER) + "/../src/weft/ops/lax.h");
  ASSERT_TRUE(file);
  std::stringstream lax;
  lax << file.rdbuf();
  std::cout << "op                           eval  jvp   linear batch factors samples lax.h\n";
  for (int i = 0; i < kNumOps; ++i) {
    const auto op = static_cast<OpCode>(i);
    const ir::OpInfo& info = ir::op_info(op);
    const OpRules& rules = op_rules(op);
    const std::string name(ir::op_name(op));
    // A call has neither evaluation of its own nor a public function: jit is its interface.
    const bool higher_order = op == OpCode::kCall;
    const bool documented = higher_order || lax.str().find(" " + name + "(") != std::string::npos || lax.str().find(" " + name + "_(") != std::string::npos;
    const char* linear = rules.transpose == weft::rules::not_linear ? "none" : "yes";
    const char* jvp = rules.jvp == weft::rules::zero_tangent ? "zero" : "yes";
    std::printf("%-28s %-5s %-5s %-6s %-5s %-7s %-7s %s\n", name.c_str(), info.eval ? "yes" : "none", jvp, linear, rules.batch ? "yes" : "HOLE",
                rules.factors ? "yes" : "HOLE", sampled.count(op) ? "yes" : "HOLE", documented ? "yes" : "HOLE");
    EXPECT_TRUE(info.infer) << name << " has no infer";
    EXPECT_TRUE(info.eval || higher_order) << name << " has no eval";
    EXPECT_TRUE(rules.jvp) << name << " has no jvp, not even zero_tangent";
    EXPECT_TRUE(rules.transpose) << name << " has no transpose, not even not_linear";
    EXPECT_TRUE(rules.batch) << name << " has no batch rule";
    EXPECT_TRUE(rules.factors) << name << " has no factors";
    EXPECT_TRUE(!higher_order || rules.linearize) << name << " has no linearize rule";
    EXPECT_TRUE(sampled.count(op)) << name << " has no samples";
    EXPECT_TRUE(documented) << name << " is not declared in ops/lax.h";
  }
}

}  // namespace
}  // namespace weft::testing
