#include "simplify_checks.h"

namespace weft::compiler {
namespace {

using namespace testing;

TEST(simplify_arithmetic, what_does_nothing_to_floats_is_gone) {
  for (const std::string t : {"f16[3]", "bf16[3]", "f32[3]", "f64[3]"}) {
    const std::string in = "x:" + t;
    expect_value(in, "r:" + t + " = add x -0.0:" + t, "x");
    expect_value(in, "r:" + t + " = add -0.0:" + t + " x", "x");
    expect_value(in, "r:" + t + " = sub x 0.0:" + t, "x");
    expect_value(in, "r:" + t + " = mul x 1.0:" + t, "x");
    expect_value(in, "r:" + t + " = mul 1.0:" + t + " x", "x");
    expect_value(in, "r:" + t + " = div x 1.0:" + t, "x");
    expect_value(in, "r:" + t + " = max x x", "x");
    expect_value(in, "r:" + t + " = max x -inf:" + t, "x");
    expect_value(in, "r:" + t + " = min inf:" + t + " x", "x");
    expect_value(in, "r:" + t + " = clamp -inf:" + t + " x inf:" + t, "x");
    expect_value(in, "a:" + t + " = neg x; r:" + t + " = neg a", "x");
  }
  expect_value("x:c64[2]", "r:c64[2] = sub x (0.0+0.0j):c64[2]", "x");
  expect_value("x:c64[2]", "a:c64[2] = conj x; r:c64[2] = conj a", "x");
}

TEST(simplify_arithmetic, what_a_sign_of_zero_or_nan_could_tell_apart_stays) {
  for (const std::string equation :
       {"r:f32[3] = add x 0.0:f32[3]", "r:f32[3] = sub x -0.0:f32[3]", "r:f32[3] = sub 0.0:f32[3] x",
        "r:f32[3] = mul x 0.0:f32[3]", "r:f32[3] = sub x x", "r:f32[3] = div x x", "r:f32[3] = max x inf:f32[3]",
        "r:f32[3] = min x -inf:f32[3]", "r:bool[3] = eq x x", "r:bool[3] = ge x x", "r:f32[3] = div x 3.0:f32[3]",
        "r:f32[3] = clamp 0.0:f32[3] x inf:f32[3]", "r:f32[] = reduce_sum[axes=()] s",
        "a:f32[3] = sub x y; r:f32[3] = neg a", "a:bool[3] = lt x y; r:bool[3] = not a",
        "r:f32[] = reduce_sum[axes=(0,)] o", "r:f32[3] = dynamic_update_slice x o 1:i32[]"})
    expect_stays(program("x:f32[3] y:f32[3] s:f32[] o:f32[1]", equation, "r"));
  for (const std::string equation : {"r:c64[3] = mul x (1.0+0.0j):c64[3]", "r:c64[3] = div x (1.0+0.0j):c64[3]",
                                     "r:c64[3] = add x (0.0+0.0j):c64[3]"})
    expect_stays(program("x:c64[3]", equation, "r"));
  // Storage types are rounded: of f8e8m0fnu, which has no sign, every negation is NaN.
  expect_stays(program("x:f8e8m0fnu[3]", "a:f8e8m0fnu[3] = neg x; r:f8e8m0fnu[3] = neg a", "r"));
}

TEST(simplify_arithmetic, sums_of_floats_keep_their_order) {
  expect_stays(program("x:f32[3] y:f32[3] z:f32[3]", "a:f32[3] = add x y; r:f32[3] = add a z", "r"));
  expect_stays(program("x:f32[3]", "a:f32[3] = add x 1.0:f32[3]; r:f32[3] = add a 1.0:f32[3]", "r"));
  expect_stays(program("x:f32[3]", "a:f32[3] = mul x 3.0:f32[3]; r:f32[3] = mul a 3.0:f32[3]", "r"));
}

TEST(simplify_arithmetic, integers_wrap_and_have_no_nan) {
  for (const std::string t : {"i8[3]", "i32[3]", "u16[3]", "u64[3]"}) {
    const std::string in = "x:" + t, zero = "0:" + t;
    expect_value(in, "r:" + t + " = add x " + zero, "x");
    expect_value(in, "r:" + t + " = sub x " + zero, "x");
    expect_value(in, "r:" + t + " = sub x x", zero);
    expect_value(in, "r:" + t + " = mul x 1:" + t, "x");
    expect_value(in, "r:" + t + " = mul x " + zero, zero);
    expect_value(in, "r:" + t + " = div x 1:" + t, "x");
    expect_value(in, "r:" + t + " = and x x", "x");
    expect_value(in, "r:" + t + " = and x " + zero, zero);
    expect_value(in, "r:" + t + " = or " + zero + " x", "x");
    expect_value(in, "r:" + t + " = xor x x", zero);
    expect_value(in, "r:" + t + " = xor x " + zero, "x");
    expect_value(in, "a:" + t + " = not x; r:" + t + " = not a", "x");
    expect_value(in, "a:" + t + " = neg x; r:" + t + " = neg a", "x");
    for (const std::string op : {"shift_left", "shift_right_arithmetic", "shift_right_logical"})
      expect_value(in, "r:" + t + " = " + op + " x " + zero, "x");
  }
  expect_value("x:i8[3]", "r:i8[3] = max x -128:i8[3]", "x");
  expect_value("x:i8[3]", "r:i8[3] = max x 127:i8[3]", "127:i8[3]");
  expect_value("x:u8[3]", "r:u8[3] = min x 0:u8[3]", "0:u8[3]");
  expect_value("x:i8[3]", "r:i8[3] = and x -1:i8[3]", "x");
  expect_value("x:i8[3]", "r:i8[3] = or x -1:i8[3]", "-1:i8[3]");
  expect_equations("x:i8[3]", "r:i8[3] = xor x -1:i8[3]", "r:i8[3] = not x");
  expect_value("x:i32[3]", "r:bool[3] = le x x", "True:bool[3]");
  expect_value("x:i32[3]", "r:bool[3] = ne x x", "False:bool[3]");
  expect_value("x:f32[3]", "r:bool[3] = eq_to x x", "True:bool[3]");
}

TEST(simplify_arithmetic, negations_join_sums_and_differences) {
  const std::string in = "x:f32[3] y:f32[3]";
  expect_equations(in, "a:f32[3] = neg y; r:f32[3] = add x a", "r:f32[3] = sub x y");
  expect_equations(in, "a:f32[3] = neg y; r:f32[3] = add a x", "r:f32[3] = sub x y");
  expect_equations(in, "a:f32[3] = neg y; r:f32[3] = sub x a", "r:f32[3] = add x y");
  expect_equations(in, "a:f32[3] = neg y; r:f32[3] = abs a", "r:f32[3] = abs y");
}

TEST(simplify_arithmetic, a_quotient_by_a_power_of_two_is_a_product) {
  expect_equations("x:f32[3]", "r:f32[3] = div x -8.0:f32[3]", "r:f32[3] = mul x -0.125:f32[3]");
  expect_equations("x:f16[3]", "r:f16[3] = div x 0.5:f16[3]", "r:f16[3] = mul x 2.0:f16[3]");
  // Its inverse is not a normal number.
  expect_stays(program("x:f32[3]", "r:f32[3] = div x 1.7014118e+38:f32[3]", "r"));
}

TEST(simplify_arithmetic, logic_of_truth_values) {
  const std::string in = "p:bool[3] q:bool[3]";
  expect_equations(in, "r:bool[3] = add p q", "r:bool[3] = or p q");
  expect_equations(in, "r:bool[3] = min p q", "r:bool[3] = and p q");
  expect_value(in, "r:bool[3] = mul p True:bool[3]", "p");
  expect_value(in, "r:bool[3] = max p True:bool[3]", "True:bool[3]");
  expect_equations(in, "r:bool[3] = xor p True:bool[3]", "r:bool[3] = not p");
  expect_value(in, "r:bool[3] = select p True:bool[3] False:bool[3]", "p");
  expect_equations(in, "r:bool[3] = select p False:bool[3] True:bool[3]", "r:bool[3] = not p");
  expect_equations(in, "r:bool[3] = select p q False:bool[3]", "r:bool[3] = and p q");
  expect_equations(in, "r:bool[3] = select p True:bool[3] q", "r:bool[3] = or p q");
  expect_equations("x:i32[3] y:i32[3]", "a:bool[3] = lt x y; r:bool[3] = not a", "r:bool[3] = ge x y");
  expect_equations("x:f32[3] y:f32[3]", "a:bool[3] = eq x y; r:bool[3] = not a", "r:bool[3] = ne x y");
  expect_equations("x:f32[3] y:f32[3]", "a:bool[3] = gt_to x y; r:bool[3] = not a", "r:bool[3] = le_to x y");
}

TEST(simplify_arithmetic, a_choice_that_is_none_is_gone) {
  const std::string in = "p:bool[] x:f32[3] y:f32[3] z:f32[3]";
  expect_value(in, "r:f32[3] = select True:bool[] x y", "x");
  expect_value(in, "r:f32[3] = select False:bool[3] x y", "y");
  expect_value(in, "r:f32[3] = select p x x", "x");
  expect_equations(in, "q:bool[] = not p; r:f32[3] = select q x y", "r:f32[3] = select p y x");
  expect_equations(in, "a:f32[3] = select p x y; r:f32[3] = select p a z", "r:f32[3] = select p x z");
  expect_equations(in, "a:f32[3] = select p x y; r:f32[3] = select p z a", "r:f32[3] = select p z y");
}

TEST(simplify_arithmetic, conversions_that_lose_nothing_are_skipped) {
  const auto chain = [](const std::string& from, const std::string& between, const std::string& to) {
    const auto name = [](const std::string& t) {
      return t[0] == 'b' && t[1] == 'f' ? "bfloat" + t.substr(2)
             : t == "bool"              ? t
                                        : (t[0] == 'f'   ? "float"
                                           : t[0] == 'i' ? "int"
                                           : t[0] == 'u' ? "uint"
                                                         : "complex") +
                                 t.substr(1);
    };
    return program("x:" + from + "[9]",
                   "a:" + between + "[9] = convert_element_type[new_dtype=" + name(between) + "] x; r:" + to +
                       "[9] = convert_element_type[new_dtype=" + name(to) + "] a",
                   "r");
  };
  const auto one = [](const std::string& from, const std::string& to, const std::string& name) {
    return program("x:" + from + "[9]", "r:" + to + "[9] = convert_element_type[new_dtype=" + name + "] x", "r");
  };
  for (const auto& [from, between] : std::vector<std::pair<std::string, std::string>>{{"f32", "f64"},
                                                                                      {"f16", "f32"},
                                                                                      {"bf16", "f64"},
                                                                                      {"i8", "i32"},
                                                                                      {"u8", "i16"},
                                                                                      {"i16", "f32"},
                                                                                      {"u8", "bf16"},
                                                                                      {"i32", "f64"},
                                                                                      {"bool", "f32"},
                                                                                      {"f32", "c64"},
                                                                                      {"bool", "i8"}})
    expect_becomes(chain(from, between, from), program("x:" + from + "[9]", "", "x"));
  expect_becomes(chain("f16", "f32", "f64"), one("f16", "f64", "float64"));
  expect_becomes(chain("f32", "f64", "i32"), one("f32", "i32", "int32"));
  expect_becomes(chain("i8", "i64", "u8"), one("i8", "u8", "uint8"));
  expect_value("x:f32[3]", "r:f32[3] = convert_element_type[new_dtype=float32] x", "x");
  expect_value("x:f4e2m1fn[3]", "r:f4e2m1fn[3] = convert_element_type[new_dtype=float4_e2m1fn] x", "x");
  // -1 as u8 is 255, and as a float 0; large integers are rounded.
  for (const auto& [from, between, to] :
       std::vector<std::tuple<std::string, std::string, std::string>>{{"i8", "f32", "u8"},
                                                                      {"i32", "f32", "i32"},
                                                                      {"f64", "f32", "f64"},
                                                                      {"i32", "i8", "i32"},
                                                                      {"f32", "f16", "f32"},
                                                                      {"f32", "i32", "f32"},
                                                                      {"i8", "u8", "i16"}})
    expect_stays(chain(from, between, to));
}

TEST(simplify_arithmetic, parts_of_complex_numbers_are_what_they_are_made_of) {
  const std::string in = "x:f32[2] y:f32[2] w:c64[2]";
  expect_value(in, "z:c64[2] = complex x y; r:f32[2] = real z", "x");
  expect_value(in, "z:c64[2] = complex x y; r:f32[2] = imag z", "y");
  expect_value(in, "a:f32[2] = real w; b:f32[2] = imag w; r:c64[2] = complex a b", "w");
}

TEST(simplify_arithmetic, rounding_twice_is_rounding_once) {
  for (const std::string op : {"floor", "ceil", "round_nearest_even", "round_nearest_afz", "abs", "sign"})
    expect_equations("x:f32[9]", "a:f32[9] = " + op + " x; r:f32[9] = " + op + " a", "r:f32[9] = " + op + " x");
}

}  // namespace
}  // namespace weft::compiler
