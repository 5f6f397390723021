#include "weft/ir/print.h"

#include <gtest/gtest.h>

#include <complex>
#include <limits>

#include "weft/ir/contraction.h"
#include "weft/ir/parse.h"

namespace weft::ir {
namespace {

std::string again(const std::string& text) { return parse(text).str(); }

TEST(print, a_short_program_is_one_line) {
  EXPECT_EQ(again("{ lambda ; x:f32[3]. let y:f32[3] = sin x; z:f32[3] = add x y in (z,) }"),
            "{ lambda ; a:f32[3]. let b:f32[3] = sin a; c:f32[3] = add a b in (c,) }");
  EXPECT_EQ(again("{ lambda ; . let in () }"), "{ lambda ; . let  in () }");
}

TEST(print, a_program_longer_than_80_columns_is_broken_into_lines) {
  const std::string fits = "{ lambda ; a:f32[12]. let b:f32[12] = sinh a; c:f32[12] = add a b in (c, b, c) }";
  ASSERT_EQ(fits.size(), 80u);
  EXPECT_EQ(again(fits), fits);
  EXPECT_EQ(again("{ lambda ; a:f32[3]. let b:f32[3] = sin a; c:f32[3] = add a b in (c, c, c, c, a) }"),
            "{ lambda ; a:f32[3]. let\n    b:f32[3] = sin a\n    c:f32[3] = add a b\n  in (c, c, c, c, a) }");
}

TEST(print, constants_stand_before_the_semicolon) {
  EXPECT_EQ(again("{ lambda k:f32[] l:i32[2]; x:f32[3]. let in (k, l, x) }"),
            "{ lambda a:f32[] b:i32[2]; c:f32[3]. let  in (a, b, c) }");
}

TEST(print, unused_results_print_as_underscores_and_take_no_name) {
  EXPECT_EQ(again("{ lambda ; x:f32[3]. let y:f32[3] = sin x; z:f32[3] = cos x in (z,) }"),
            "{ lambda ; a:f32[3]. let _:f32[3] = sin a; b:f32[3] = cos a in (b,) }");
}

TEST(print, a_variant_is_part_of_the_name) {
  EXPECT_EQ(again("{ lambda ; x:f32[3]. let y:f32[] = reduce[kind=max axes=(0,)] x in (y,) }"),
            "{ lambda ; a:f32[3]. let b:f32[] = reduce_max[axes=(0,)] a in (b,) }");
  EXPECT_EQ(again("{ lambda ; x:f32[3]. let y:bool[3] = compare[direction=LT] x x in (y,) }"),
            "{ lambda ; a:f32[3]. let b:bool[3] = lt a a in (b,) }");
}

TEST(print, an_equation_with_long_parameters_takes_a_line_for_each) {
  EXPECT_EQ(again("{ lambda ; a:f32[2,3] b:f32[3,5]. let c:f32[2,5] = dot_general[dimension_numbers=(([1], [0]), ([], "
                  "[])) preferred_element_type=float32] a b in (c,) }"),
            "{ lambda ; a:f32[2,3] b:f32[3,5]. let\n"
            "    c:f32[2,5] = dot_general[\n"
            "      dimension_numbers=(([1], [0]), ([], []))\n"
            "      preferred_element_type=float32\n"
            "    ] a b\n"
            "  in (c,) }");
}

TEST(print, an_inner_program_is_indented_and_its_names_go_on) {
  EXPECT_EQ(again("{ lambda ; a:f32[3]. let b:f32[3] = jit[name=f jaxpr={ lambda ; a:f32[3]. let b:f32[3] = sin a; "
                  "c:f32[3] = cos b; d:f32[3] = exp c in (d,) }] a in (b,) }"),
            "{ lambda ; a:f32[3]. let\n"
            "    b:f32[3] = jit[\n"
            "      name=f\n"
            "      jaxpr={ lambda ; c:f32[3]. let\n"
            "          d:f32[3] = sin c\n"
            "          e:f32[3] = cos d\n"
            "          f:f32[3] = exp e\n"
            "        in (f,) }\n"
            "    ] a\n"
            "  in (b,) }");
}

TEST(element_str, prints_what_reads_back) {
  const auto text = []<class T>(T v) { return element_str(dtype_of<T>(), &v); };
  EXPECT_EQ(text(true), "True");
  EXPECT_EQ(text(false), "False");
  EXPECT_EQ(text(std::int8_t{-128}), "-128");
  EXPECT_EQ(text(std::uint8_t{200}), "200");
  EXPECT_EQ(text(~std::uint64_t{}), "18446744073709551615");
  EXPECT_EQ(text(1.0f), "1.0");
  EXPECT_EQ(text(0.1f), "0.1");
  EXPECT_EQ(text(0.1), "0.1");
  EXPECT_EQ(text(-0.0), "-0.0");
  EXPECT_EQ(text(float16(0.1f)), "0.1");
  EXPECT_EQ(text(std::numeric_limits<float>::infinity()), "inf");
  EXPECT_EQ(text(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(text(std::numeric_limits<float>::quiet_NaN()), "nan");
  EXPECT_EQ(text(std::complex<float>(1.5f, -2)), "(1.5-2.0j)");
  EXPECT_EQ(text(std::complex<double>(-1e-5, 1e20)), "(-1e-05+1e+20j)");
  EXPECT_EQ(text(std::complex<double>(0, -0.0)), "(0.0-0.0j)");
  EXPECT_EQ(text(std::complex<float>(std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity())),
            "(nan-infj)");
  EXPECT_EQ(text(-std::numeric_limits<float>::quiet_NaN()), "nan_FFC00000");
  EXPECT_EQ(text(float16::from_bits(0x7e01)), "nan_7E01");
  EXPECT_EQ(text(std::complex<double>(-std::numeric_limits<double>::quiet_NaN(), 1)), "(nan_FFF8000000000000+1.0j)");
}

TEST(describe, names_operation_variant_and_operand_types) {
  const Aval in[] = {Aval(f32, Dims{3}), Aval(f32, Dims{4})};
  EXPECT_EQ(describe(OpCode::kMultiply, nullptr, in), "multiply f32[3] f32[4]");
  const Params p = make_params(ReduceParams{ReduceKind::kMin, {0}});
  EXPECT_EQ(describe(OpCode::kReduce, p.get(), std::span(in).first(1)), "reduce_min f32[3]");
}

}  // namespace
}  // namespace weft::ir
