// Every check of the harness on every sample of every operation. WEFT_SAMPLES=name runs only samples with that in their
// name.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "samples/checks.h"

namespace weft::testing {
namespace {

void expect_all(Check check) {
  // One mistake breaks many samples of an operation; a few say enough.
  constexpr int kShown = 4;
  std::map<std::string, int> by_operation;
  for (const std::string& s : run_check(check)) {
    int& count = by_operation[s.substr(0, s.find(','))];
    if (++count <= kShown) ADD_FAILURE() << s;
  }
  for (const auto& [op, count] : by_operation)
    if (count > kShown) ADD_FAILURE() << op << ": " << count - kShown << " findings more";
}

TEST(samples, have_distinct_names) {
  std::set<std::string> names;
  for (const Sample& s : all_samples()) EXPECT_TRUE(names.insert(s.name).second) << s.name << " names two samples";
}

TEST(samples, infer_the_types_that_evaluation_gives) { expect_all(checks::types); }
TEST(samples, refuse_other_numbers_of_operands) { expect_all(checks::operand_counts); }
TEST(samples, evaluate_to_known_values) { expect_all(checks::known_values); }
TEST(samples, evaluate_eagerly_as_by_reference) { expect_all(checks::eager); }
TEST(samples, evaluate_under_jit_as_eagerly) { expect_all(checks::jit); }
TEST(samples, survive_printing_and_parsing) { expect_all(checks::text); }
TEST(samples, have_the_jvp_of_central_differences) { expect_all(checks::jvp); }
TEST(samples, have_a_vjp_adjoint_to_the_jvp) { expect_all(checks::vjp); }
TEST(samples, have_second_derivatives) { expect_all(checks::second_order); }
TEST(samples, have_patterns_that_miss_no_derivative) { expect_all(checks::sparsity); }
TEST(samples, batch_like_a_loop) { expect_all(checks::vmap); }
TEST(samples, batch_twice_like_two_loops) { expect_all(checks::vmap_of_vmap); }
TEST(samples, transform_in_any_order) { expect_all(checks::composition); }
TEST(samples, split_along_their_factors) { expect_all(checks::factors); }

}  // namespace
}  // namespace weft::testing
