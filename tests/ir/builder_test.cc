#include "weft/ir/builder.h"

#include <gtest/gtest.h>

#include "weft/base/error.h"
#include "weft/ir/call.h"
#include "weft/ir/contraction.h"
#include "weft/ir/parse.h"

namespace weft::ir {
namespace {

const Aval kVector(f32, Dims{3});

template <class F>
std::string our_fault(F&& f) {
  try {
    f();
  } catch (const InternalError& e) {
    return e.message();
  }
  return "no error";
}

Var add(JaxprBuilder& b, OpCode op, std::initializer_list<Atom> operands, Aval result = kVector) {
  return b.add_eqn(op, Params(), std::span(operands.begin(), operands.size()), {&result, 1}, SourceLocation());
}
Jaxpr build(JaxprBuilder& b, std::initializer_list<Var> consts, std::initializer_list<Var> inputs,
            std::initializer_list<Atom> outputs) {
  return b.build(std::span(consts.begin(), consts.size()), std::span(inputs.begin(), inputs.size()),
                 std::span(outputs.begin(), outputs.size()));
}

TEST(builder, numbers_constants_then_inputs_then_results) {
  JaxprBuilder b;
  const Var input = b.add_var(kVector);
  const Var sum = add(b, OpCode::kAdd, {Atom::var(input), Atom::var(input)});
  // A constant found while the program is being written still comes first.
  const Var constant = b.add_var(kVector);
  const Var product = add(b, OpCode::kMultiply, {Atom::var(sum), Atom::var(constant)});
  EXPECT_EQ(b.num_eqns(), 2u);
  const Jaxpr j = build(b, {constant}, {input}, {Atom::var(product), Atom::var(input)});
  EXPECT_EQ(j.str(), "{ lambda a:f32[3]; b:f32[3]. let\n    c:f32[3] = add b b\n    d:f32[3] = mul c a\n  in (d, b) }");
  EXPECT_EQ(j.num_consts(), 1u);
  EXPECT_EQ(j.num_inputs(), 2u);
  EXPECT_EQ(j.num_vars(), 4u);
  EXPECT_EQ(b.num_eqns(), 0u) << "the builder is empty afterwards";
  check(j);
}

TEST(builder, uses_before_definitions_are_our_fault) {
  JaxprBuilder b;
  const Var never = b.add_var(kVector);
  EXPECT_EQ(our_fault([&] { build(b, {}, {}, {Atom::var(never)}); }),
            "jaxpr builder: a variable is used before it is defined");
  JaxprBuilder c;
  const Var x = c.add_var(kVector);
  add(c, OpCode::kSine, {Atom::var(x)});
  EXPECT_EQ(our_fault([&] { build(c, {}, {}, {}); }), "jaxpr builder: a variable is used before it is defined");
}

TEST(builder, double_definitions_are_our_fault) {
  JaxprBuilder b;
  const Var x = b.add_var(kVector);
  EXPECT_EQ(our_fault([&] { build(b, {x}, {x}, {}); }), "jaxpr builder: a variable is defined twice");
  JaxprBuilder c;
  const Var y = c.add_var(kVector);
  const Var z = add(c, OpCode::kSine, {Atom::var(y)});
  EXPECT_EQ(our_fault([&] { build(c, {}, {y, z}, {}); }), "jaxpr builder: a variable is defined twice");
}

TEST(builder, atoms_of_another_builder_are_our_fault) {
  JaxprBuilder b;
  EXPECT_EQ(our_fault([&] { build(b, {}, {}, {Atom::var(5)}); }), "jaxpr builder: there is no such variable");
  JaxprBuilder c;
  EXPECT_EQ(our_fault([&] { build(c, {}, {}, {Atom::literal(0)}); }), "jaxpr builder: there is no such literal");
  JaxprBuilder d;
  EXPECT_EQ(our_fault([&] { build(d, {}, {3}, {}); }), "jaxpr builder: there is no such variable");
}

TEST(check, finds_results_that_the_operation_does_not_give) {
  JaxprBuilder b;
  const Var x = b.add_var(kVector);
  const Var y = add(b, OpCode::kSine, {Atom::var(x)}, Aval(f32, Dims{4}));
  const Jaxpr j = build(b, {}, {x}, {Atom::var(y)});
  EXPECT_EQ(our_fault([&] { check(j); }), "jaxpr check: sine infers f32[3] where the program has f32[4]");
}

TEST(check, finds_operands_that_the_operation_does_not_take) {
  JaxprBuilder b;
  const Var x = b.add_var(kVector);
  add(b, OpCode::kAdd, {Atom::var(x)});
  const Jaxpr one = build(b, {}, {x}, {});
  EXPECT_EQ(our_fault([&] { check(one); }), "jaxpr check: add: there must be 2 operands; got 1.");
  const Var y = b.add_var(kVector), z = b.add_var(Aval(i32, Dims{3}));
  add(b, OpCode::kAdd, {Atom::var(y), Atom::var(z)});
  const Jaxpr mixed = build(b, {}, {y, z}, {});
  EXPECT_EQ(our_fault([&] { check(mixed); }),
            "jaxpr check: add: operands must have equal dtypes; got f32[3] and i32[3].");
}

TEST(check, finds_a_wrong_number_of_results) {
  JaxprBuilder b;
  const Var x = b.add_var(kVector);
  const Aval two[] = {kVector, kVector};
  const Atom operand = Atom::var(x);
  b.add_eqn(OpCode::kSine, Params(), {&operand, 1}, two, SourceLocation());
  const Jaxpr j = build(b, {}, {x}, {});
  EXPECT_EQ(our_fault([&] { check(j); }), "jaxpr check: wrong number of results");
}

TEST(dce, drops_what_no_output_needs) {
  const Jaxpr j = parse(R"({ lambda k:f32[3] ; a:f32[3] b:f32[3]. let
    c:f32[3] = sin a
    d:f32[3] = cos b
    e:f32[3] = mul c 2.0:f32[3]
    f:f32[3] = mul d k
    g:f32[3] = exp f
  in (e, f) })");
  EXPECT_EQ(dce(j).eqns().size(), 4u);
  EXPECT_EQ(dce(j).outputs().size(), 2u);
  EXPECT_EQ(dce(j, {true, false}), parse(R"({ lambda k:f32[3] ; a:f32[3] b:f32[3]. let
    c:f32[3] = sin a
    e:f32[3] = mul c 2.0:f32[3]
  in (e,) })"));
  EXPECT_EQ(dce(j, {false, false}), parse("{ lambda k:f32[3] ; a:f32[3] b:f32[3]. let in () }"));
  EXPECT_EQ(dce(dce(j)), dce(j));
  EXPECT_EQ(our_fault([&] { dce(j, {true}); }), "dce: there must be one mark per output");
}

TEST(dce, keeps_an_equation_for_any_of_its_results) {
  const Jaxpr j = parse(R"({ lambda ; a:u32[] b:u32[] c:u32[4]. let
    _:u32[4] e:u32[4] = threefry2x32 a b c c
    _:u32[4] _:u32[4] = threefry2x32 a b e e
  in (e,) })");
  EXPECT_EQ(dce(j), parse(R"({ lambda ; a:u32[] b:u32[] c:u32[4]. let
    _:u32[4] e:u32[4] = threefry2x32 a b c c
  in (e,) })"));
}

TEST(dce, an_output_may_be_an_input_or_a_literal) {
  const Jaxpr j = parse("{ lambda ; a:f32[3]. let b:f32[3] = sin a in (a, 1.0:f32[3], a) }");
  EXPECT_EQ(dce(j), parse("{ lambda ; a:f32[3]. let in (a, 1.0:f32[3], a) }"));
}

TEST(dce_consts, says_which_constants_stay) {
  const Jaxpr j = parse(R"({ lambda k:f32[3] l:f32[3] m:f32[3]; a:f32[3] b:f32[3]. let
    c:f32[3] = add a l
    d:f32[3] = add a m
  in (c,) })");
  std::vector<bool> kept;
  EXPECT_EQ(dce_consts(j, kept), parse("{ lambda l:f32[3]; a:f32[3] b:f32[3]. let c:f32[3] = add a l in (c,) }"));
  EXPECT_EQ(kept, (std::vector<bool>{false, true, false}));
}

TEST(inline_calls, replaces_calls_at_every_depth) {
  const Jaxpr j = parse(R"({ lambda ; a:f32[3]. let
    b:f32[3] c:f32[3] = jit[
      name=outer
      jaxpr={ lambda ; x:f32[3]. let
        y:f32[3] = jit[name=inner jaxpr={ lambda ; u:f32[3] v:f32[3]. let w:f32[3] = mul u v in (w,) }] x 2.0:f32[3]
      in (y, x) }
    ] a
    d:f32[3] = add b c
  in (d, c) })");
  EXPECT_EQ(inline_calls(j), parse(R"({ lambda ; a:f32[3]. let
    b:f32[3] = mul a 2.0:f32[3]
    d:f32[3] = add b a
  in (d, a) })"));
}

TEST(jaxpr, last_uses_list_every_variable_that_is_no_output_once) {
  const Jaxpr j = parse(R"({ lambda ; a:f32[3] b:f32[3]. let
    c:f32[3] = add a a
    d:f32[3] = mul c b
    _:f32[3] = sin c
  in (d,) })");
  const auto& uses = j.last_uses();
  const auto at = [&](std::size_t i) {
    return std::vector<Var>(uses.vars.begin() + uses.begin[i], uses.vars.begin() + uses.begin[i + 1]);
  };
  EXPECT_EQ(at(0), (std::vector<Var>{0}));
  EXPECT_EQ(at(1), (std::vector<Var>{1}));
  EXPECT_EQ(at(2), (std::vector<Var>{2, 4}));
  EXPECT_EQ(&j.last_uses(), &uses) << "computed once";
}

TEST(jaxpr, equality_sees_types_operations_parameters_operands_and_literals) {
  const std::string text =
      "{ lambda ; a:f32[3] b:f32[3]. let c:f32[3] = sub a b; d:f32[] = reduce_sum[axes=(0,)] c; "
      "e:f32[] = mul d 2.0:f32[] in (e,) }";
  const Jaxpr j = parse(text);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string s = text;
    for (std::size_t at = 0; (at = s.find(from, at)) != std::string::npos; at += to.size())
      s.replace(at, from.size(), to);
    EXPECT_NE(s, text) << from;
    const Jaxpr k = parse(s);
    EXPECT_FALSE(k == j) << s;
    EXPECT_NE(k.hash(), j.hash()) << s;
  };
  with("f32", "f64");
  with("sub", "add");
  with("sub a b", "sub b a");
  with("sub a b", "sub a a");
  with("reduce_sum", "reduce_max");
  with("2.0", "3.0");
  with("2.0", "-2.0");
  with("in (e,)", "in (d,)");
  with("in (e,)", "in (e, e)");
  with("lambda ; a:f32[3]", "lambda a:f32[3] ;");
  EXPECT_EQ(parse(text), j);
  EXPECT_EQ(parse(text).hash(), j.hash());
}

TEST(jaxpr, memos_are_made_once_and_die_with_the_program) {
  std::weak_ptr<const int> made;
  {
    const Jaxpr j = parse("{ lambda ; a:f32[3]. let in (a,) }");
    int calls = 0;
    const auto make = [&] {
      ++calls;
      return std::make_shared<const int>(42);
    };
    made = j.memo<int>("answer", make);
    EXPECT_EQ(*j.memo<int>("answer", make), 42);
    EXPECT_EQ(calls, 1);
    j.memo<int>("another", make);
    EXPECT_EQ(calls, 2);
    EXPECT_FALSE(made.expired());
  }
  EXPECT_TRUE(made.expired());
}

TEST(part_of, computes_outputs_from_variables_that_are_given) {
  const Jaxpr j = parse(R"({ lambda ; a:f32[] b:f32[]. let
    c:f32[] = sin a
    d:f32[] = mul c b
    e:f32[] = exp d
    f:f32[] = add e c
  in (f,) })");
  const std::vector<Var> c_and_b{2, 1};
  const std::vector<Atom> d_c_e{Atom::var(3), Atom::var(2), Atom::var(4)};
  const Jaxpr part = part_of(j, c_and_b, d_c_e);
  EXPECT_EQ(part.str(),
            "{ lambda ; a:f32[] b:f32[]. let\n    c:f32[] = mul a b\n    d:f32[] = exp c\n  in (c, a, d) }");
  check(part);
  const std::vector<Var> only_b{1};
  EXPECT_EQ(our_fault([&] { part_of(j, only_b, d_c_e); }), "part_of: an input that is needed is not given");
}

TEST(with_outputs, gives_other_variables) {
  const Jaxpr j = parse("{ lambda ; a:f32[]. let b:f32[] = sin a; c:f32[] = exp b in (c,) }");
  const std::vector<Atom> outputs{Atom::var(1), Atom::var(0)};
  EXPECT_EQ(dce(with_outputs(j, outputs)).str(), "{ lambda ; a:f32[]. let b:f32[] = sin a in (b, a) }");
  const std::vector<Atom> none{Atom::var(3)};
  EXPECT_EQ(our_fault([&] { with_outputs(j, none); }), "with_outputs: there is no such variable");
}

TEST(inline_calls, puts_what_is_computed_again_behind_a_barrier) {
  const auto inlined = [](const std::string& differentiated) {
    return inline_calls(parse(R"({ lambda ; a:f32[]. let
    b:f32[] = checkpoint[
      jaxpr={ lambda ; c:f32[]. let d:f32[] = sin c in (d,) }
      policy=nothing_saveable
      differentiated=)" + differentiated +
                              R"(
    ] a
  in (b,) })"))
        .str();
  };
  EXPECT_EQ(inlined("False"), "{ lambda ; a:f32[]. let b:f32[] = sin a in (b,) }");
  EXPECT_EQ(inlined("True"),
            "{ lambda ; a:f32[]. let\n    b:f32[] = optimization_barrier a\n    c:f32[] = sin b\n  in (c,) }");
}

}  // namespace
}  // namespace weft::ir
