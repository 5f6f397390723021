// Random programs, compiled and by reference evaluation; weft_programs_fuzz is the long form. Other programs for each
// weft_cpu_test --gtest_random_seed=<n>.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

#include "fuzz/programs_property.h"
#include "harness/shrink_program.h"
#include "weft/ir/builder.h"
#include "weft/ir/contraction.h"
#include "weft/ir/nested.h"
#include "weft/ir/parse.h"
#include "weft/ir/programs.h"

namespace weft::testing {
namespace {

// 1,000,000 seeds apart for each seed of the tests.
std::uint64_t first_seed() {
  return static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed()) * 1'000'000;
}

TEST(random_programs, are_well_typed_and_come_back_from_text) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    const RandomProgram p = random_program(first_seed() + seed);
    ir::check(p.jaxpr);
    EXPECT_EQ(ir::parse(p.jaxpr.str()), p.jaxpr);
    ASSERT_EQ(p.inputs.size(), p.jaxpr.num_inputs());
    for (std::size_t i = 0; i < p.inputs.size(); ++i)
      EXPECT_EQ(p.inputs[i].aval(), p.jaxpr.aval(static_cast<ir::Var>(i)));
  }
}

// Left out: what talks to other processes or the host, what clients take apart before they run it, and decompositions
// that have no compiled form.
TEST(random_programs, have_every_operation) {
  std::map<std::string, int> counts;
  for (std::uint64_t seed = 0; seed < 5000; ++seed) count_operations(random_program(seed).jaxpr, counts);
  const std::set<std::string> others{"fft",
                                     "cholesky",
                                     "triangular_solve",
                                     "rng",
                                     "rng_bit_generator",
                                     "select_and_gather_add",
                                     "check_finite",
                                     "check_index",
                                     "custom_call",
                                     "host_callback",
                                     "check",
                                     "custom_jvp_call",
                                     "custom_vjp_call",
                                     "custom_vjp_tangent",
                                     "custom_vmap_call",
                                     "custom_linear_solve",
                                     "generic_reduce",
                                     "generic_reduce_window",
                                     "generic_sort",
                                     "generic_scatter",
                                     "generic_select_and_scatter",
                                     "all_gather",
                                     "all_reduce",
                                     "all_to_all",
                                     "collective_broadcast",
                                     "collective_permute",
                                     "collective_reduce",
                                     "reduce_scatter",
                                     "partition_id",
                                     "axis_index",
                                     "replica_id",
                                     "send",
                                     "recv",
                                     "infeed",
                                     "outfeed"};
  for (int i = 0; i < kNumOps; ++i) {
    const std::string op(ir::op_text(static_cast<OpCode>(i)));
    EXPECT_EQ(counts.count(op), others.count(op) ? 0u : 1u) << op;
  }
}

TEST(random_programs, agree_compiled_and_by_reference_evaluation) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const RandomProgram program = random_program(first_seed() + seed);
    const std::string fault = judge(program);
    if (fault.empty()) continue;
    const RandomProgram small = shrink(program, [](const RandomProgram& p) { return !judge(p).empty(); });
    ADD_FAILURE() << "seed " << first_seed() + seed << ": " << fault << "\nmade smaller: " << judge(small) << "\n"
                  << description(small);
    return;
  }
}

// ---- the tools themselves ----

Array vector_of(std::initializer_list<float> v) { return Array(std::vector<float>(v)); }

TEST(expected_results, sums_of_small_integers_are_exact_and_others_are_not) {
  const ir::Jaxpr sum = ir::parse("{ lambda ; a:f32[3]. let b:f32[] = reduce_sum[axes=(0,)] a in (b,) }");
  const auto error = [&](const Array& x) { return expected_results(sum, std::span(&x, 1))[0].error; };
  EXPECT_TRUE(error(vector_of({1, 2, -4})).empty());
  const std::vector<double> e = error(vector_of({1, 2.5, -4}));
  ASSERT_EQ(e.size(), 1u);
  EXPECT_GT(e[0], 0);
  EXPECT_LT(e[0], 1e-4);
}

TEST(expected_results, know_nothing_after_a_decision_on_an_inexact_value) {
  const ir::Jaxpr program = ir::parse(R"({ lambda ; a:f32[2]. let
    b:f32[2] = exp a
    c:f32[2] = floor b
    d:f32[2] = neg a
  in (b, c, d) })");
  const Array x = vector_of({1, 2});
  const std::vector<Expected> r = expected_results(program, std::span(&x, 1));
  EXPECT_LT(r[0].error.at(0), 1e-4);
  EXPECT_TRUE(std::isinf(r[1].error.at(0)));
  EXPECT_TRUE(r[1].mismatch.empty());  // two forms of compilation have the same exp
  EXPECT_TRUE(r[2].error.empty());
}

TEST(compare_programs, a_wrong_bit_is_found) {
  const Array want = vector_of({0, 1, 2}), got = vector_of({-0.0f, 1, 2});
  EXPECT_EQ(difference_within(want, want, {}), "");
  EXPECT_EQ(difference_within(got, want, {}), "element [0] must be 0.0 (bits 00000000); got -0.0 (bits 80000000).");
  EXPECT_EQ(difference_within(got, want, {1e-9, 0, 0}), "");
  EXPECT_NE(difference_within(vector_of({0, 1, 2.5}), want, {0, 0, 0.25}), "");
}

// The program with operation `to` wherever it has `from`, also inside of others.
ir::Jaxpr miscompiled(const ir::Jaxpr& jaxpr, OpCode from, OpCode to) {
  ir::JaxprBuilder builder;
  std::vector<ir::Var> inputs;
  for (const Aval a : jaxpr.input_avals()) inputs.push_back(builder.add_var(a));
  const auto use = [&](ir::Atom a) { return a.is_literal() ? builder.add_literal(jaxpr.literal(a)) : a; };
  for (const ir::Eqn& e : jaxpr.eqns()) {
    std::vector<ir::Atom> operands;
    std::vector<Aval> results;
    for (const ir::Atom a : jaxpr.operands(e)) operands.push_back(use(a));
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) results.push_back(jaxpr.aval(v));
    const auto inside = [&](const ir::Jaxpr& p) { return miscompiled(p, from, to); };
    builder.add_eqn(e.op == from ? to : e.op, e.params ? ir::with_programs(e.params, inside) : e.params, operands,
                    results, e.location);
  }
  std::vector<ir::Atom> outputs;
  for (const ir::Atom a : jaxpr.outputs()) outputs.push_back(use(a));
  return ir::with_num_consts(builder.build({}, inputs, outputs), jaxpr.num_consts());
}

TEST(compare_programs, a_wrong_operation_is_found_and_made_small) {
  using Ops = std::pair<OpCode, OpCode>;
  for (const Ops& ops : {Ops{OpCode::kMaximum, OpCode::kMinimum}, Ops{OpCode::kExponential, OpCode::kTanh}}) {
    const OpCode from = ops.first, to = ops.second;
    const auto fault = [&](const RandomProgram& p) {
      const auto wrong = [&](const ir::Jaxpr& jaxpr) { return cpu::make_stepwise(miscompiled(jaxpr, from, to)); };
      return disagreement(p, wrong, wrong);
    };
    int programs = 0, found = 0;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
      const RandomProgram program = random_program(seed);
      // Where it is no dead code.
      std::vector<ir::Var> inputs(program.jaxpr.num_inputs());
      std::iota(inputs.begin(), inputs.end(), 0);
      std::map<std::string, int> counts;
      count_operations(ir::part_of(program.jaxpr, inputs, program.jaxpr.outputs()), counts);
      programs += counts.count(std::string(ir::op_text(from))) > 0;
      if (fault(program).empty()) continue;
      if (++found > 2) continue;
      const RandomProgram small = shrink(program, [&](const RandomProgram& p) { return !fault(p).empty(); });
      EXPECT_EQ(small.jaxpr.eqns().size(), 1u) << description(small);
      EXPECT_EQ(small.jaxpr.eqns()[0].op, from) << description(small);
    }
    // Not in branches that do not run, on equal operands, or where anything is right.
    EXPECT_GT(4 * found, programs) << ir::op_name(from) << ": " << found << " of " << programs;
  }
}

bool has_op(const ir::Jaxpr& jaxpr, OpCode op) {
  return ir::any_eqn(jaxpr, ir::Programs::kRun, "has " + std::string(ir::op_name(op)),
                     [op](const ir::Eqn& e) { return e.op == op; });
}

// Whether, here or in a program inside, a sum is taken of a tanh.
bool sums_a_tanh(const ir::Jaxpr& jaxpr) {
  bool found = false;
  for (const ir::Eqn& e : jaxpr.eqns()) {
    if (e.params)
      ir::for_each_program(*e.params, ir::Programs::kRun, [&](const ir::Jaxpr& p) { found |= sums_a_tanh(p); });
    if (e.op != OpCode::kReduce) continue;
    for (const ir::Eqn& by : jaxpr.eqns())
      found |= by.op == OpCode::kTanh && jaxpr.operands(e)[0] == ir::Atom::var(by.out_begin);
  }
  return found;
}

TEST(shrink, leaves_the_two_equations_of_a_planted_fault) {
  int planted = 0;
  for (std::uint64_t seed = 0; planted < 5 && seed < 20000; ++seed) {
    const ir::Jaxpr program = random_program(seed).jaxpr;
    if (!sums_a_tanh(program)) continue;
    ++planted;
    const ir::Jaxpr small = shrink(program, [](const ir::Jaxpr& j) { return sums_a_tanh(j); });
    EXPECT_TRUE(sums_a_tanh(small)) << small;
    EXPECT_EQ(small.eqns().size(), 2u) << program << "\n" << small;
    EXPECT_LE(small.num_inputs(), 1u) << small;
  }
  EXPECT_EQ(planted, 5);
}

TEST(shrink, keeps_a_loop_that_the_fault_needs) {
  int planted = 0;
  for (std::uint64_t seed = 0; planted < 5 && seed < 2000; ++seed) {
    const RandomProgram program = random_program(seed);
    const auto fails = [](const RandomProgram& p) {
      return ir::any_eqn(p.jaxpr, ir::Programs::kRun, "a scan with a sine", [](const ir::Eqn& e) {
        return e.op == OpCode::kScan && has_op(ir::params_as<ScanParams>(e.params).jaxpr, OpCode::kMaximum);
      });
    };
    if (!fails(program)) continue;
    ++planted;
    const RandomProgram small = shrink(program, fails);
    EXPECT_TRUE(fails(small));
    std::map<std::string, int> counts;
    count_operations(small.jaxpr, counts);
    EXPECT_LE(counts.size(), 2u) << program.jaxpr << "\n" << small.jaxpr;
    EXPECT_EQ(small.inputs.size(), small.jaxpr.num_inputs());
  }
  EXPECT_EQ(planted, 5);
}

}  // namespace
}  // namespace weft::testing
