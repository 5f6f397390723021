#include "weft/ir/parse.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "programs.h"
#include "weft/base/error.h"
#include "weft/ir/builder.h"
#include "weft/ir/call.h"

namespace weft::ir {
namespace {

std::string error_of(const std::string& text) {
  try {
    parse(text);
  } catch (const ParseError& e) {
    EXPECT_TRUE(e.message().starts_with("parse: ")) << e.message();
    return e.message().substr(7);
  } catch (const std::exception& e) {
    return std::string("another error: ") + e.what();
  }
  return "no error";
}

/// The mistake in `let <equation> in ()` over a few inputs, without its place.
std::string equation_error(const std::string& equation) {
  const std::string message =
      error_of("{ lambda ; a:f32[2,3] b:f32[2,3] i:i32[] p:bool[2,3] e:f32[0,3]. let " + equation + " in () }");
  const std::size_t at = message.find("expected ");
  return at == std::string::npos ? message : message.substr(at);
}

TEST(parse, every_program_comes_back_equal) {
  std::vector<std::string> texts = testing::programs_by_hand();
  for (const testing::Sample& s : testing::all_samples()) {
    texts.push_back(testing::program_of(s).str());
    texts.push_back(testing::program_of(s, true).str());
  }
  for (const std::string& text : texts) {
    const Jaxpr program = parse(text);
    check(program);
    const Jaxpr again = parse(program.str());
    EXPECT_TRUE(again == program) << text;
    EXPECT_EQ(again.str(), program.str());
    EXPECT_EQ(again.hash(), program.hash()) << text;
  }
}

TEST(parse, blanks_and_lines_mean_nothing_beyond_separating_words) {
  const Jaxpr tidy = parse("{ lambda ; a:f32[3]. let b:f32[3] = sin a; c:f32[3] = add a b in (c,) }");
  EXPECT_EQ(parse("{lambda;a:f32[3].let\n\nb:f32[ 3 ]=sin a\tc:f32[3]=add a b in(c)}"), tidy);
  EXPECT_EQ(parse("  {  lambda\r\n ; a : f32 [3] . let b : f32[3] = sin a c : f32[3] = add a b in ( c , ) }  "), tidy);
}

TEST(parse, names_of_variables_are_forgotten) {
  EXPECT_EQ(parse("{ lambda ; left:f32[] right:f32[]. let sum:f32[] = add left right in (sum,) }"),
            parse("{ lambda ; a:f32[] b:f32[]. let c:f32[] = add a b in (c,) }"));
}

TEST(parse, a_mnemonic_stands_for_the_printed_name) {
  EXPECT_EQ(parse("{ lambda ; a:f32[3]. let b:f32[3] = multiply a a in (b,) }"),
            parse("{ lambda ; a:f32[3]. let b:f32[3] = mul a a in (b,) }"));
  EXPECT_EQ(parse("{ lambda ; a:f32[3]. let b:f32[] = reduce[kind=max axes=(0,)] a in (b,) }"),
            parse("{ lambda ; a:f32[3]. let b:f32[] = reduce_max[axes=(0,)] a in (b,) }"));
}

TEST(parse, numbers_are_read_to_the_last_bit) {
  const auto value = []<class T>(const std::string& text, T) {
    const Jaxpr j = parse("{ lambda ; . let  in (" + text + ",) }");
    T v;
    std::memcpy(&v, j.literal(j.outputs()[0]).value.data(), sizeof v);
    return v;
  };
  EXPECT_EQ(value("0.1:f64[]", 0.0), 0.1);
  EXPECT_EQ(value("0.1:f32[]", 0.0f), 0.1f);
  EXPECT_EQ(value("5e-324:f64[]", 0.0), std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(std::signbit(value("-0.0:f32[]", 0.0f)));
  EXPECT_EQ(value("18446744073709551615:u64[]", std::uint64_t{}), ~std::uint64_t{});
  EXPECT_EQ(value("-128:i8[]", std::int8_t{}), -128);
  EXPECT_EQ(value("(1.5e-05-2e+20j):c128[]", std::complex<double>{}), std::complex<double>(1.5e-05, -2e20));
  EXPECT_EQ(value("True:bool[]", false), true);
}

TEST(parse, every_nan_keeps_its_bits) {
  for (const std::string text : {"nan:f32[]", "nan_FFC00000:f32[2]", "nan_7FC0000E:f32[]", "nan_7E01:f16[]",
                                 "nan_FFC0:bf16[]", "nan_FFF8000000000000:f64[]", "(nan_7FC0000E+nan_7FC0000Ej):c64[]",
                                 "(1.0+nan_FFC00000j):c64[]", "(nan-2.0j):c128[]"})
    EXPECT_EQ(parse("{ lambda ; . let  in (" + text + ",) }").str(), "{ lambda ; . let  in (" + text + ",) }");
  for (const std::string text : {"nan_7F800000:f32[]", "nan_3F800000:f32[]", "nan_7FC:f32[]", "nan_:f32[]",
                                 "nan_7FC00000000:f32[]", "nan_7FCG0000:f32[]", "nan_7FC00000:i32[]"})
    EXPECT_NE(error_of("{ lambda ; . let  in (" + text + ",) }").find("expected an element of"), std::string::npos)
        << text;
}

TEST(parse, numbers_that_the_type_does_not_hold_are_refused) {
  const auto error = [](const std::string& literal) { return error_of("{ lambda ; . let  in (" + literal + ",) }"); };
  EXPECT_EQ(error("256:u8[]"), "1:23: expected an element of u8; got 256.");
  EXPECT_EQ(error("-1:u32[]"), "1:23: expected an element of u32; got -1.");
  EXPECT_EQ(error("1.5:i32[]"), "1:23: expected an element of i32; got 1.5.");
  EXPECT_EQ(error("1e39:f32[]"), "1:23: expected an element of f32; got 1e39.");
  EXPECT_EQ(error("1e-400:f64[]"), "1:23: expected an element of f64; got 1e-400.");
  EXPECT_EQ(error("2:bool[]"), "1:23: expected an element of bool; got 2.");
  EXPECT_EQ(error("1.0:c64[]"), "1:23: expected an element of c64; got 1.0.");
  EXPECT_EQ(error("(1.0+2.0j):f32[]"), "1:23: expected an element of f32; got 1.0.");
  EXPECT_EQ(error("True:i32[]"), "1:23: expected an element of i32; got True.");
  EXPECT_EQ(error("99999999999999999999:i64[]"), "1:23: expected an element of i64; got 99999999999999999999.");
}

TEST(parse, mistakes_are_named_with_their_place) {
  EXPECT_EQ(error_of("{ lambda ; a:f32[3]. let\n    b:f32[3] = frobnicate a\n  in (b,) }"),
            "2:16: expected an operation; got frobnicate.");
  EXPECT_EQ(error_of("{ lambda ; a:f32[3]. let b:f32[3] = sin c in (b,) }"),
            "1:41: expected a variable defined above; got c.");
  EXPECT_EQ(error_of("{ lambda ; a:f32[3]. let b:f32[4] = sin a in (b,) }"), "1:26: expected type f32[3]; got f32[4].");
  EXPECT_EQ(error_of("{ lambda ; a:f32[3] a:f32[3]. let  in () }"),
            "1:21: expected a new variable; got a, which is defined already.");
  EXPECT_EQ(error_of("{ lambda ; a:f32[3]. let a:f32[3] = sin a in (a,) }"),
            "1:26: expected a new variable; got a, which is defined already.");
  EXPECT_EQ(error_of("{ lambda ; a:f32[3]. let b:f32[3] c:f32[3] = sin a in (b,) }"),
            "1:46: expected 1 results; got 2.");
  EXPECT_EQ(error_of("{ lambda ; a:f33[3]. let  in (a,) }"), "1:14: expected a dtype; got f33.");
  EXPECT_EQ(error_of("{ lambda ; a:f32[-3]. let  in (a,) }"), "1:18: expected a size; got -3.");
  EXPECT_EQ(error_of("{ lambda ; a:f32[9223372036854775808]. let  in (a,) }"),
            "1:18: expected an integer of 64 bits; got 9223372036854775808.");
  EXPECT_EQ(error_of("{ lambda ; a:f32[3]. let  in (_,) }"), "1:31: expected a variable defined above; got _.");
  EXPECT_EQ(error_of("{ lambda ; a:f32[3]. let  in (a,) } }"), "1:37: expected the end of the text; got '}'.");
  EXPECT_EQ(error_of("{ lambda ; a:f32[3]. let  in (a,)"), "1:34: expected '}'; got end of text.");
  EXPECT_EQ(error_of(""), "1:1: expected '{'; got end of text.");
}

TEST(parse, types_that_no_array_has_are_refused) {
  EXPECT_EQ(error_of("{ lambda ; a:f32[4611686018427387904,2]. let  in () }"),
            "1:14: expected a type that an array can have; got array: the elements must need fewer than 2^62 bytes; "
            "got shape "
            "[4611686018427387904,2].");
  std::string ones = "1";
  for (int i = 0; i < 32; ++i) ones += ",1";
  EXPECT_EQ(error_of("{ lambda ; a:f32[" + ones + "]. let  in () }"),
            "1:14: expected a type that an array can have; got array: there must be at most 32 axes; got 33.");
}

TEST(parse, operands_of_the_wrong_number_are_refused) {
  const auto got = [](const std::string& what) { return "expected operands and parameters that fit; got " + what; };
  EXPECT_EQ(equation_error("c:f32[2,3] = add a"), got("add: there must be 2 operands; got 1."));
  EXPECT_EQ(equation_error("c:f32[2,3] = sin"), got("sin: there must be 1 operand; got 0."));
  EXPECT_EQ(equation_error("c:f32[2,3] = sin a b"), got("sin: there must be 1 operand; got 2."));
  EXPECT_EQ(equation_error("c:f32[2,3] = select p a"), got("select: there must be 3 operands; got 2."));
  EXPECT_EQ(equation_error("c:f32[2,3] = concatenate[dimension=0]"),
            got("concatenate: there must be at least one operand; got none."));
  EXPECT_EQ(equation_error("c:f32[2,3] = dynamic_update_slice a"),
            got("dynamic_update_slice: there must be at least 2 operands; got 1."));
  EXPECT_EQ(equation_error("c:f32[2,3] = jit[name=f jaxpr={ lambda ; a:f32[2,3]. let  in (a,) }]"),
            got("jit: there must be one operand per input of the program; got 0 for 1."));
  EXPECT_EQ(equation_error("c:f32[2,3] = jit[name=f jaxpr={ lambda ; a:f32[2,3]. let  in (a,) }] i"),
            got("jit: operands must have the types of the program's inputs; got i32[] for f32[2,3], input 0."));
}

TEST(parse, parameters_must_be_the_operations_own) {
  EXPECT_EQ(equation_error("c:f32[2,3] = sin[axes=(0,)] a"), "expected an operation with parameters; got sin.");
  EXPECT_EQ(equation_error("c:f32[3] = reduce_sum a"), "expected 'axes'; got 'a'.");
  EXPECT_EQ(equation_error("c:f32[3] = reduce a"), "expected the parameters of reduce; got 'a'.");
  EXPECT_EQ(equation_error("c:f32[3] = reduce_sum[dims=(0,)] a"), "expected 'axes'; got 'dims'.");
  EXPECT_EQ(equation_error("c:f32[3] = reduce_sum[axes=(0,) axes=(0,)] a"), "expected ']'; got 'axes'.");
  EXPECT_EQ(equation_error("c:f32[3] = reduce[kind=sun axes=(0,)] a"),
            "expected one of sum, prod, max, min, and, or, xor; got sun.");
}

std::string nested(int depth) {
  std::string text = "{ lambda ; a:f32[]. let  in (a,) }";
  for (int i = 1; i < depth; ++i) text = "{ lambda ; a:f32[]. let b:f32[] = jit[name=f jaxpr=" + text + "] a in (b,) }";
  return text;
}

TEST(parse, nesting_has_a_limit) {
  const Jaxpr deep = parse(nested(100));
  check(deep);
  EXPECT_EQ(parse(deep.str()), deep);
  EXPECT_EQ(inline_calls(deep), parse("{ lambda ; a:f32[]. let  in (a,) }"));
  for (const int depth : {101, 3000}) {
    const std::string error = error_of(nested(depth));
    EXPECT_NE(error.find("expected at most 100 nested programs; got '{'."), std::string::npos) << error;
  }
  // A failure inside leaves the count of levels as it was.
  EXPECT_EQ(parse(nested(100)), deep);
}

// As nested, with a name for every program inside.
std::string named(int depth) {
  std::string text = "let p1 = { lambda ; a:f32[]. let  in (a,) } in\n";
  for (int i = 2; i <= depth; ++i)
    text += (i < depth ? "let p" + std::to_string(i) + " = " : "") +
            "{ lambda ; a:f32[]. let b:f32[] = jit[name=f jaxpr=p" + std::to_string(i - 1) + "] a in (b,) }" +
            (i < depth ? " in\n" : "");
  return text;
}

TEST(parse, programs_of_any_depth_that_can_be_read_read_back) {
  EXPECT_EQ(parse(named(100)), parse(nested(100)));
  // Up to there they are written where they are used.
  EXPECT_EQ(parse(named(100)).str().find("let program_"), std::string::npos);
  for (const int depth : {101, 102, 300, 512}) {
    const Jaxpr deep = parse(named(depth));
    EXPECT_EQ(deep.str().find("let program_0 = "), 0u) << depth;
    EXPECT_TRUE(parse(deep.str()) == deep) << depth;
  }
  EXPECT_NE(error_of(named(513)).find("expected at most 512 levels of programs; got p512."), std::string::npos)
      << error_of(named(513));
}

TEST(parse, endless_brackets_and_lists_are_refused_or_read) {
  const std::string many(100'000, '(');
  EXPECT_NE(error_of("{ lambda ; . let  in (" + many).find("expected a complex number"), std::string::npos);
  EXPECT_NE(error_of(many).find("1:1: expected '{'"), std::string::npos);
  EXPECT_NE(error_of(std::string(100'000, '{')).find("expected 'lambda'"), std::string::npos);
  std::string axes;
  for (int i = 0; i < 100'000; ++i) axes += "0, ";
  EXPECT_EQ(equation_error("c:f32[3] = reduce_sum[axes=(" + axes + "0)] a").find("expected operands and parameters"),
            0u);
  EXPECT_EQ(error_of("{ lambda ; . let  in (" + std::string(100'000, '9') + ":i32[],) }").find("1:23: expected"), 0u);
  EXPECT_EQ(error_of("{ lambda ; . let  in (0." + std::string(100'000, '3') + ":f64[],) }"), "no error");
}

TEST(parse, a_long_program_is_read) {
  std::string text = "{ lambda ; a0:f32[2]. let\n";
  constexpr int kLength = 20'000;
  for (int i = 0; i < kLength; ++i) text += "a" + std::to_string(i + 1) + ":f32[2] = sin a" + std::to_string(i) + "\n";
  const Jaxpr program = parse(text + "in (a" + std::to_string(kLength) + ",) }");
  EXPECT_EQ(program.eqns().size(), static_cast<std::size_t>(kLength));
  EXPECT_EQ(parse(program.str()), program);
}

TEST(parse, comments_end_with_their_line) {
  EXPECT_EQ(parse("# one\n{ lambda ; a:f32[]. # two }\n let b:f32[] = sin a # c = cos a\n in (b,) } # three").str(),
            "{ lambda ; a:f32[]. let b:f32[] = sin a in (b,) }");
}

TEST(parse, errors_name_operations_as_the_text_does) {
  EXPECT_EQ(error_of("{ lambda ; a:i32[]. let b:i32[] = sin a in (b,) }"),
            "1:35: expected operands and parameters that fit; got sin: the operand must be float or complex; got "
            "i32[].");
  EXPECT_EQ(error_of("{ lambda ; a:f32[3]. let b:f32[] = reduce_sum[axes=(5,)] a in (b,) }"),
            "1:36: expected operands and parameters that fit; got reduce_sum: axes must be in [0, 1); got [5].");
}

}  // namespace
}  // namespace weft::ir
