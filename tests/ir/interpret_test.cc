// Reference evaluation of whole programs: against op by op, many times over, nested, and without recursion.
#include "weft/ir/interpret.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "harness/values.h"
#include "programs.h"
#include "weft/base/error.h"
#include "weft/core/stage.h"
#include "weft/ir/builder.h"
#include "weft/ir/collectives.h"

namespace weft::ir {
namespace {

std::vector<float> interpreted(const Jaxpr& program, std::vector<std::vector<float>> in, std::size_t result = 0) {
  std::vector<TensorView> views;
  for (std::size_t i = 0; i < in.size(); ++i) views.push_back({program.aval(static_cast<Var>(i)), in[i].data()});
  std::vector<std::vector<float>> out;
  std::vector<MutableTensorView> results;
  for (const Aval a : program.output_avals()) out.emplace_back(static_cast<std::size_t>(a.size()));
  for (std::size_t i = 0; i < out.size(); ++i) results.push_back({program.output_avals()[i], out[i].data()});
  interpret(program, views, results);
  return out[result];
}

TEST(interpret, a_program_gives_what_its_operations_give_one_by_one) {
  int programs = 0;
  for (const testing::Sample& s : testing::all_samples()) {
    const Jaxpr program = testing::program_of(s, true);
    if (has_effects(program)) continue;  // queues would remember
    const Arrays args = testing::make_operands(s);
    Arrays want;
    eval_jaxpr(program, args, want);
    std::vector<detail::HostView> hosts;
    std::vector<TensorView> in;
    for (const Array& a : args) in.push_back(hosts.emplace_back(a.host("test")).view);
    std::vector<std::vector<std::byte>> memory;
    std::vector<MutableTensorView> out;
    for (const Aval a : program.output_avals()) {
      memory.emplace_back(static_cast<std::size_t>(a.bytes()));
      out.push_back({a, memory.back().data()});
    }
    interpret(program, in, out);
    Arrays got;
    for (const MutableTensorView& v : out)
      got.push_back(Array::copy(v.dtype(), v.shape(), v.data, static_cast<std::size_t>(v.size())));
    double tolerance = 0;
    for (const Array& w : want) tolerance = std::max(tolerance, testing::precision(w.dtype()));
    EXPECT_EQ(testing::difference(got, want, tolerance), "") << s.name;
    ++programs;
  }
  EXPECT_GT(programs, 100);
}

TEST(interpret, outputs_may_be_inputs_literals_and_repeated) {
  const Jaxpr p = parse("{ lambda ; a:f32[2] b:f32[2]. let c:f32[2] = add a b in (b, a, 7.0:f32[3], c, c) }");
  EXPECT_EQ(interpreted(p, {{1, 2}, {3, 4}}, 0), (std::vector<float>{3, 4}));
  EXPECT_EQ(interpreted(p, {{1, 2}, {3, 4}}, 1), (std::vector<float>{1, 2}));
  EXPECT_EQ(interpreted(p, {{1, 2}, {3, 4}}, 2), (std::vector<float>{7, 7, 7}));
  EXPECT_EQ(interpreted(p, {{1, 2}, {3, 4}}, 4), (std::vector<float>{4, 6}));
}

TEST(interpret, literals_keep_their_values_while_others_share_memory) {
  const Jaxpr p = parse(R"({ lambda ; a:f32[2]. let
    b:f32[2] = neg a
    c:f32[2] = neg b
    d:f32[2] = add c 1.0:f32[2]
  in (d, 5.0:f32[2], a) })");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(interpreted(p, {{1, 2}}, 0), (std::vector<float>{2, 3}));
    EXPECT_EQ(interpreted(p, {{1, 2}}, 1), (std::vector<float>{5, 5}));
    EXPECT_EQ(interpreted(p, {{1, 2}}, 2), (std::vector<float>{1, 2}));
  }
}

TEST(interpret, an_interpreter_runs_again_and_again_on_changing_inputs) {
  const Jaxpr p = parse("{ lambda s:f32[]; a:f32[] b:f32[]. let c:f32[] = mul a s; d:f32[] = add c b in (d, a) }");
  Interpreter program(p);
  const float half = 0.5f;
  float acc = 0;
  program.set_input(0, &half);
  program.set_input(1, &acc);
  float want = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto x = static_cast<float>(i);
    program.set_input(2, &x);
    program.run();
    const float before = acc;
    std::memcpy(&acc, program.output(0), sizeof acc);
    want = want * 0.5f + x;
    ASSERT_EQ(acc, want);
    ASSERT_EQ(*static_cast<const float*>(program.output(1)), before);
  }
}

TEST(interpret, outputs_that_are_inputs_do_not_alias_them) {
  // A swap, whose results go back to where the inputs are.
  Interpreter swap(parse("{ lambda ; a:i32[] b:i32[]. let  in (b, a) }"));
  std::int32_t state[2] = {1, 2};
  swap.set_input(0, &state[0]);
  swap.set_input(1, &state[1]);
  swap.run();
  for (std::size_t i = 0; i < 2; ++i) std::memcpy(&state[i], swap.output(i), sizeof state[i]);
  EXPECT_EQ(state[0], 2);
  EXPECT_EQ(state[1], 1);
}

TEST(interpret, dead_values_give_their_memory_to_later_ones) {
  JaxprBuilder builder;
  const Aval a(f32, Dims{1000});
  const Var in = builder.add_var(a);
  Atom last = Atom::var(in);
  for (int i = 0; i < 100'000; ++i) {
    const Atom operands[] = {last};
    last = Atom::var(builder.add_eqn(OpCode::kNegate, {}, operands, {&a, 1}, SourceLocation()));
  }
  const Atom outputs[] = {last};
  const Jaxpr p = builder.build({}, {&in, 1}, outputs);
  Interpreter program(p);
  EXPECT_LT(program.bytes(), 4u * 4096u);
  std::vector<float> x(1000, 3);
  program.set_input(0, x.data());
  program.run();
  EXPECT_EQ(*static_cast<const float*>(program.output(0)), 3.0f);
}

TEST(interpret, threads_share_a_program) {
  const Jaxpr p = parse(R"({ lambda ; a:f32[] b:f32[]. let
    c:f32[] = jit[name=f jaxpr={ lambda ; a:f32[] b:f32[]. let c:f32[] = mul a b in (c,) }] a b
  in (c,) })");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const auto x = static_cast<float>(i), y = static_cast<float>(t);
        wrong[t] += interpreted(p, {{x}, {y}})[0] != x * y;
      }
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which end the program instead
TEST(interpret, memory_that_is_not_there_is_an_error) {
  JaxprBuilder builder;
  const Aval small(f32, {}), huge(f32, Dims{std::int64_t{1} << 59});
  const Var in = builder.add_var(small);
  const Atom operands[] = {Atom::var(in)};
  const Var out = builder.add_eqn(OpCode::kNegate, {}, operands, {&huge, 1}, SourceLocation());
  const Atom outputs[] = {Atom::var(out)};
  const Jaxpr p = builder.build({}, {&in, 1}, outputs);
  EXPECT_THROW(Interpreter{p}, BackendError);
}
#endif

TEST(interpret, effects_are_seen_through_calls_and_branches) {
  const auto has = [](std::string_view text) { return has_effects(parse(text)); };
  EXPECT_FALSE(has("{ lambda ; a:f32[]. let b:f32[] = neg a in (b,) }"));
  constexpr std::string_view kOutfeed = "{ lambda ; a:f32[]. let  = outfeed[config=\"\" result_types=()] a in () }";
  EXPECT_TRUE(has(kOutfeed));
  EXPECT_TRUE(has("{ lambda ; a:f32[]. let  = jit[name=f jaxpr=" + std::string(kOutfeed) + "] a in () }"));
  const std::string branches = "{ lambda ; i:i32[] a:f32[]. let  = cond[branches=(" + std::string(kOutfeed) +
                               ", { lambda ; a:f32[]. let  in () })] i a in () }";
  EXPECT_TRUE(has(branches));
  EXPECT_EQ(dce(parse(branches)).eqns().size(), 1u);
  EXPECT_EQ(
      dce(parse("{ lambda ; i:i32[]. let  = cond[branches=({ lambda ; . let  in () },)] i in () }")).eqns().size(), 0u);
}

TEST(interpret, composites_and_calls_are_inlined_in_order_of_their_effects) {
  const Jaxpr p = inline_calls(parse(R"({ lambda ; a:f32[]. let
    = outfeed[config=first result_types=()] a
    b:f32[] = composite[
      name=twice
      version=1
      attributes=""
      decomposition={ lambda ; a:f32[]. let
          = outfeed[config=second result_types=()] a
          b:f32[] = add a a
        in (b,) }
    ] a
    = outfeed[config=third result_types=()] b
  in (b,) })"));
  ASSERT_EQ(p.eqns().size(), 4u);
  EXPECT_EQ(params_as<FeedParams>(p.eqns()[0].params).config, "first");
  EXPECT_EQ(params_as<FeedParams>(p.eqns()[1].params).config, "second");
  EXPECT_EQ(p.eqns()[2].op, OpCode::kAdd);
  EXPECT_EQ(params_as<FeedParams>(p.eqns()[3].params).config, "third");
  EXPECT_EQ(dce(p).eqns().size(), 4u);
}

}  // namespace
}  // namespace weft::ir
