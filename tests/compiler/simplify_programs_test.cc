// Equations that carry programs: what goes in, what comes out, and which need not run.
#include "simplify_checks.h"
#include "weft/ir/programs.h"
#include "weft/weft.h"

namespace weft::compiler {
namespace {

using namespace testing;

std::string scan(const std::string& results, const std::string& body, int num_carry, const std::string& operands) {
  return results + " = scan[jaxpr={ lambda " + body + " } length=3 num_carry=" + std::to_string(num_carry) +
         " reverse=True] " + operands;
}
std::string loop(const std::string& results, const std::string& cond, const std::string& body,
                 const std::string& operands) {
  return results + " = while[cond_jaxpr={ lambda " + cond + " } body_jaxpr={ lambda " + body + " } max_steps=None] " +
         operands;
}
std::string choice(const std::string& results, const std::string& no, const std::string& yes,
                   const std::string& operands) {
  return results + " = cond[branches=({ lambda " + no + " }, { lambda " + yes + " })] " + operands;
}

// ---- what is inside ----

TEST(simplify_programs, programs_inside_are_simplified) {
  const std::string busy =
      "; a:f32[] b:f32[]. let c:f32[] = mul a 1.0:f32[]; d:f32[] = sin c; e:f32[] = sin a; f:f32[] = add d e; g:f32[] "
      "= mul f b";
  const std::string brief = "; a:f32[] b:f32[]. let c:f32[] = sin a; d:f32[] = add c c; e:f32[] = mul d b";
  expect_equations("x:f32[] y:f32[3]", scan("r:f32[] ", busy + " in (g,)", 1, "x y"),
                   scan("r:f32[]", brief + " in (e,)", 1, "x y"));
  expect_equations("p:bool[] x:f32[]",
                   choice("r:f32[]", "; a:f32[]. let  in (a,)",
                          "; a:f32[]. let b:f32[] = neg a; c:f32[] = neg b; d:f32[] = sin c in (d,)", "p x"),
                   choice("r:f32[]", "; a:f32[]. let  in (a,)", "; a:f32[]. let b:f32[] = sin a in (b,)", "p x"));
  expect_equations("p:f32[3] q:f32[3]",
                   "r:f32[] = generic_reduce[axes=(0,) computation={ lambda ; a:f32[] b:f32[]. let c:f32[] = mul "
                   "1.0:f32[] b; d:f32[] = add a c in (d,) }] p 0.0:f32[]",
                   "r:f32[] = generic_reduce[axes=(0,) computation={ lambda ; a:f32[] b:f32[]. let c:f32[] = add a b "
                   "in (c,) }] p 0.0:f32[]");
}

TEST(simplify_programs, at_any_depth) {
  const auto nested = [](const std::string& index, const std::string& innermost) {
    std::string text = "q:bool[] a:f32[]. let " + innermost;
    for (int i = 0; i < 40; ++i)
      text = "q:bool[] a:f32[]. let " +
             choice("b:f32[]", "; q:bool[] a:f32[]. let  in (a,)", "; " + text, index + " q a") + " in (b,)";
    return "{ lambda ; " + text + " }";
  };
  expect_becomes(nested("q", "b:f32[] = mul a 1.0:f32[]; c:f32[] = sin b; d:f32[] = select q c a in (d,)"),
                 nested("q", "b:f32[] = sin a; c:f32[] = select q b a in (c,)"));
  expect_becomes(nested("True:bool[]", "b:f32[] = sin a in (b,)"),
                 "{ lambda ; q:bool[] a:f32[]. let b:f32[] = sin a in (b,) }");
}

TEST(simplify_programs, small_calls_inside_are_written_out) {
  expect_equations("x:f32[] y:f32[3]",
                   scan("r:f32[]",
                        "; a:f32[] b:f32[]. let c:f32[] = jit[name=f jaxpr={ lambda ; a:f32[] b:f32[]. let c:f32[] = "
                        "mul a b in (c,) }] a b in (c,)",
                        1, "x y"),
                   scan("r:f32[]", "; a:f32[] b:f32[]. let c:f32[] = mul a b in (c,)", 1, "x y"));
}

TEST(simplify_programs, a_call_that_stays_has_a_simplified_program) {
  expect_equations(
      "x:f32[]",
      "r:f32[] = jit[name=f jaxpr={ lambda ; a:f32[]. let b:f32[] = sin a; c:f32[] = mul b 1.0:f32[] in (c,) }] x",
      "r:f32[] = jit[name=f jaxpr={ lambda ; a:f32[]. let b:f32[] = sin a in (b,) }] x");
}

// ---- case ----

TEST(simplify_programs, a_branch_that_is_known_is_all_there_is) {
  const std::string no = "; a:f32[]. let b:f32[] = sin a in (b,)", yes = "; a:f32[]. let b:f32[] = cos a in (b,)";
  expect_equations("x:f32[]", choice("r:f32[]", no, yes, "True:bool[] x"), "r:f32[] = cos x");
  expect_equations("x:f32[]", choice("r:f32[]", no, yes, "0:i32[] x"), "r:f32[] = sin x");
  for (const std::string out_of_range : {"-1", "2", "7"})
    expect_equations("x:f32[]", choice("r:f32[]", no, yes, out_of_range + ":i32[] x"), "r:f32[] = cos x");
  expect_equations("p:i32[] x:f32[]", choice("r:f32[]", no, no, "p x"), "r:f32[] = sin x");
  expect_stays(program("p:i32[] x:f32[]", choice("r:f32[]", no, yes, "p x"), "r"));
}

TEST(simplify_programs, branches_take_literals_in) {
  expect_equations(
      "p:bool[] x:f32[]",
      choice("r:f32[]", "; a:f32[] b:f32[]. let c:f32[] = mul a b in (c,)", "; a:f32[] b:f32[]. let  in (b,)",
             "p x 2.0:f32[]"),
      choice("r:f32[]", "; a:f32[]. let c:f32[] = mul a 2.0:f32[] in (c,)", "; a:f32[]. let  in (2.0:f32[],)", "p x"));
}

TEST(simplify_programs, results_of_branches_that_nobody_uses_are_gone) {
  expect_equations("p:bool[] x:f32[] y:f32[]",
                   choice("r:f32[] _:f32[]", "; a:f32[] b:f32[]. let c:f32[] = sin a; d:f32[] = sin b in (c, d)",
                          "; a:f32[] b:f32[]. let  in (a, b)", "p x y"),
                   choice("r:f32[]", "; a:f32[]. let c:f32[] = sin a in (c,)", "; a:f32[]. let  in (a,)", "p x"));
}

// ---- scan ----

TEST(simplify_programs, scans_carry_what_changes) {
  // b stays what it is, d is what e is at the beginning and at each step.
  expect_becomes(
      program(
          "x:f32[] y:f32[] e:f32[]",
          scan("p:f32[] q:f32[] s:f32[]",
               "e:f32[]; a:f32[] b:f32[] d:f32[]. let f:f32[] = mul a b; g:f32[] = add f d in (g, b, e)", 3, "e x y e"),
          "p, q, s"),
      program("x:f32[] y:f32[] e:f32[]",
              scan("p:f32[]", "b:f32[] e:f32[]; a:f32[]. let f:f32[] = mul a b; g:f32[] = add f e in (g,)", 1, "y e x"),
              "p, y, e"));
  // Zero that stays zero.
  expect_becomes(
      program("x:f32[]",
              scan("p:f32[] q:f32[]", "; a:f32[] b:f32[]. let c:f32[] = sin a; d:f32[] = sub c b in (d, 0.0:f32[])", 2,
                   "x 0.0:f32[]"),
              "p, q"),
      program("x:f32[]", scan("p:f32[]", "; a:f32[]. let c:f32[] = sin a in (c,)", 1, "x"), "p, 0.0:f32[]"));
}

TEST(simplify_programs, scans_capture_each_value_once_and_no_literals) {
  expect_equations(
      "x:f32[] y:f32[]",
      scan("r:f32[]",
           "a:f32[] b:f32[] c:f32[] d:f32[]; e:f32[]. let f:f32[] = mul e a; g:f32[] = mul f c; h:f32[] = add b g in "
           "(h,)",
           1, "y y 2.0:f32[] x x"),
      scan("r:f32[]", "a:f32[]; e:f32[]. let f:f32[] = mul e a; g:f32[] = mul f 2.0:f32[]; h:f32[] = add a g in (h,)",
           1, "y x"));
  expect_equations(
      "x:f32[]",
      scan("r:f32[]", "; a:f32[] b:f32[2]. let c:f32[] = reduce_max[axes=(0,)] b; d:f32[] = mul a c in (d,)", 1,
           "x 3.0:f32[3,2]"),
      scan("r:f32[]", "; a:f32[]. let d:f32[] = mul a 3.0:f32[] in (d,)", 1, "x"));
}

TEST(simplify_programs, what_is_captured_and_scanned_over_is_two_things) {
  expect_stays(program("x:f32[] y:f32[3]",
                       scan("r:f32[]",
                            "a:f32[3]; b:f32[] c:f32[]. let d:f32[3] = broadcast_in_dim[broadcast_dimensions=() "
                            "shape=(3)] b; e:f32[3] = mul a d; f:f32[] = reduce_max[axes=(0,)] e; g:f32[] = mul f c in "
                            "(g,)",
                            1, "y x y"),
                       "r"));
}

TEST(simplify_programs, what_a_scan_does_not_compute_does_not_come_out_of_it) {
  expect_becomes(program("x:f32[] y:f32[3] z:f32[2]",
                         scan("p:f32[] q:f32[3] s:f32[3,2] t:i32[3]",
                              "z:f32[2]; a:f32[] b:f32[]. let c:f32[] = mul a b in (c, b, z, 7:i32[])", 1, "z x y"),
                         "p, q, s, t"),
                 program("x:f32[] y:f32[3] z:f32[2]",
                         "s:f32[3,2] = broadcast_in_dim[broadcast_dimensions=(1,) shape=(3, 2)] z; " +
                             scan("p:f32[]", "; a:f32[] b:f32[]. let c:f32[] = mul a b in (c,)", 1, "x y"),
                         "p, y, s, 7:i32[3]"));
}

TEST(simplify_programs, results_of_scans_that_nobody_uses_are_gone) {
  expect_equations(
      "x:f32[] y:f32[3]",
      scan("r:f32[] _:f32[] _:f32[3]",
           "; a:f32[] b:f32[] c:f32[]. let d:f32[] = sin a; e:f32[] = add b c; f:f32[] = exp e in (d, e, f)", 2,
           "x x y"),
      scan("r:f32[]", "; a:f32[]. let d:f32[] = sin a in (d,)", 1, "x"));
}

// The body of a scan that carries a.
std::string carrying(const std::string& consts, const std::string& slices, const std::string& let) {
  return consts + "; a:f32[8,8] " + slices + ". let " + let;
}

TEST(simplify_programs, what_a_scan_takes_slices_of_is_made_inside) {
  const std::string in = "x:f32[8,8] y:f32[3,8,8] z:f32[8]";
  const std::string repeated = "p:f32[3,8,8] = broadcast_in_dim[broadcast_dimensions=(2,) shape=(3, 8, 8)] z; ";
  const std::string inside = "p:f32[8,8] = broadcast_in_dim[broadcast_dimensions=(1,) shape=(8, 8)] z; ";
  const std::string body = carrying("", "b:f32[8,8]", "d:f32[8,8] = sub a b in (d,)");
  expect_equations(
      in, repeated + "q:f32[3,8,8] = add y p; " + scan("r:f32[8,8]", body, 1, "x q"),
      scan("r:f32[8,8]",
           carrying("z:f32[8]", "b:f32[8,8]", inside + "q:f32[8,8] = add b p; d:f32[8,8] = sub a q in (d,)"), 1,
           "z x y"));
  // One after another; literals; another type.
  expect_equations(
      "x:f32[8,8] y:f16[3,8,8]",
      "p:f32[3,8,8] = convert[new_dtype=f32] y; q:f32[3,8,8] = mul p 3.0:f32[3,8,8]; s:f32[3,8,8] = max q "
      "1.0:f32[3,8,8]; " +
          scan("r:f32[8,8]", body, 1, "x s"),
      scan("r:f32[8,8]",
           carrying("", "b:f16[8,8]",
                    "p:f32[8,8] = convert[new_dtype=f32] b; q:f32[8,8] = mul p 3.0:f32[8,8]; s:f32[8,8] = max "
                    "q 1.0:f32[8,8]; d:f32[8,8] = sub a s in (d,)"),
           1, "x y"));
  // What is the same at each step is not scanned over, however small.
  expect_equations("x:f32[] z:f32[]",
                   "p:f32[3] = broadcast_in_dim[broadcast_dimensions=() shape=(3)] z; " +
                       scan("r:f32[]", "; a:f32[] b:f32[]. let c:f32[] = sin a; d:f32[] = mul c b in (d,)", 1, "x p"),
                   scan("r:f32[]", "z:f32[]; a:f32[]. let c:f32[] = sin a; d:f32[] = mul c z in (d,)", 1, "z x"));
}

TEST(simplify_programs, what_a_scan_takes_slices_of_may_be_made_in_many_ways) {
  // Twice of one array; beside broadcasts of several axes, and of axes of size 1; read through a slice; the other way.
  const std::string in = "x:f32[8,8] y:f32[3,8,8] z:f32[8] w:f32[8,1]";
  const std::string let =
      "p:f32[3,8,8] = broadcast_in_dim[broadcast_dimensions=(1,) shape=(3, 8, 8)] z; q:f32[3,8,8] = "
      "broadcast_in_dim[broadcast_dimensions=(1, 2) shape=(3, 8, 8)] w; "
      "s:f32[3,8,8] = add y y; t:f32[3,8,8] = mul s p; u:f32[3,8,8] = sub q t; ";
  for (const bool reverse : {true, false}) {
    std::string loop = scan(
        "r:f32[8,8]",
        carrying("", "b:f32[8,8]",
                 "c:f32[4,8] = slice[limit_indices=(4, 8) start_indices=(0, 0) strides=(1, 1)] b; "
                 "d:f32[8,8] = pad[low=(0, 0) high=(4, 0) interior=(0, 0)] c 0.0:f32[]; e:f32[8,8] = sub a d in (e,)"),
        1, "x u");
    if (!reverse) loop.replace(loop.find("reverse=True"), 12, "reverse=False");
    const Jaxpr from = ir::parse(program(in, let + loop, "r")), to = simplified(from);
    expect_same_results(from, to);
    const auto before =
        std::count_if(to.eqns().begin(), to.eqns().end(), [](const ir::Eqn& e) { return e.op != OpCode::kScan; });
    EXPECT_LE(before, 1) << to.str();  // at most the reshape of w
  }
  // All of it the same at each step.
  const Jaxpr from =
      ir::parse(program("x:f32[8,8] z:f32[8]",
                        "p:f32[3,8,8] = broadcast_in_dim[broadcast_dimensions=(1,) shape=(3, 8, 8)] z; "
                        "q:f32[3,8,8] = neg p; " +
                            scan("r:f32[8,8]", carrying("", "b:f32[8,8]", "c:f32[8,8] = sub a b in (c,)"), 1, "x q"),
                        "r"));
  const Jaxpr to = simplified(from);
  expect_same_results(from, to);
  for (const ir::Eqn& e : to.eqns())
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) EXPECT_LT(to.aval(v).size(), 192) << to.str();
}

TEST(simplify_programs, what_is_better_made_before_a_scan_stays_there) {
  const std::string in = "x:f32[8,8] y:f32[3,8,8] z:f32[3,8,8]";
  const std::string body = carrying("", "b:f32[8,8]", "d:f32[8,8] = sub a b in (d,)");
  const auto stays = [&](const std::string& let, const std::string& out = "r") { expect_stays(program(in, let, out)); };
  stays("p:f32[3,8,8] = add y z; " + scan("r:f32[8,8]", body, 1, "x p"));  // would read two arrays
  stays("p:f32[3,8,8] = exp y; " + scan("r:f32[8,8]", body, 1, "x p"));
  stays("p:f32[3,8,8] = mul y 3.0:f32[3,8,8]; " + scan("r:f32[8,8]", body, 1, "x p"), "r, p");
  // Also when the scan itself gives it back.
  expect_becomes(program(in,
                         "p:f32[3,8,8] = mul y 3.0:f32[3,8,8]; " +
                             scan("r:f32[8,8] t:f32[3,8,8]",
                                  carrying("", "b:f32[8,8]", "d:f32[8,8] = sub a b in (d, b)"), 1, "x p"),
                         "r, t"),
                 program(in, "p:f32[3,8,8] = mul y 3.0:f32[3,8,8]; " + scan("r:f32[8,8]", body, 1, "x p"), "r, p"));
  // Types without kernels, and arrays that would be wider than what is made of them.
  for (const std::string type : {"c64", "f8e4m3fn"})
    expect_stays(program(
        "x:" + type + "[8,8] y:" + type + "[3,8,8]",
        "p:" + type + "[3,8,8] = add y y; " +
            scan("r:" + type + "[8,8]",
                 "; a:" + type + "[8,8] b:" + type + "[8,8]. let d:" + type + "[8,8] = add a b in (d,)", 1, "x p"),
        "r"));
  expect_stays(program("x:f16[8,8] y:f32[3,8,8]",
                       "p:f32[3,8,8] = exp y; q:f16[3,8,8] = convert[new_dtype=f16] p; " +
                           scan("r:f16[8,8]", "; a:f16[8,8] b:f16[8,8]. let d:f16[8,8] = sub a b in (d,)", 1, "x q"),
                       "r"));
  // A product reads it from memory.
  const std::string product =
      "d:f32[8,8] = dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=f32] a b in (d,)";
  stays("p:f32[3,8,8] = mul y 3.0:f32[3,8,8]; " + scan("r:f32[8,8]", carrying("", "b:f32[8,8]", product), 1, "x p"));
  // Slices that are less than a vector.
  expect_stays(program("x:f32[8] y:f32[3,8]",
                       "p:f32[3,8] = mul y 3.0:f32[3,8]; " +
                           scan("r:f32[8]", "; a:f32[8] b:f32[8]. let d:f32[8] = sub a b in (d,)", 1, "x p"),
                       "r"));
}

TEST(simplify_programs, what_is_the_same_at_each_step_is_computed_before_a_loop) {
  // With what it is computed of; the loop captures the result. Cheap views stay where they are read.
  const std::string dot = "dot_general[dimension_numbers=(([1], [0]), ([], [])) preferred_element_type=f32] ";
  expect_equations("x:f32[8,8] w:f32[8,8]",
                   scan("r:f32[8,8]",
                        "w:f32[8,8]; a:f32[8,8]. let t:f32[8,8] = exp w; u:f32[8,8] = mul t w; c:f32[8,8] = " + dot +
                            "a u; d:f32[8,8] = transpose[permutation=(1, 0)] w; e:f32[8,8] = add c d in (e,)",
                        1, "w x"),
                   "t:f32[8,8] = exp w; u:f32[8,8] = mul t w; " +
                       scan("r:f32[8,8]",
                            "w:f32[8,8] u:f32[8,8]; a:f32[8,8]. let c:f32[8,8] = " + dot +
                                "a u; d:f32[8,8] = transpose[permutation=(1, 0)] w; e:f32[8,8] = add c d in (e,)",
                            1, "w u x"));
  // A loop that may take no step is none the worse.
  expect_equations("x:f32[] w:f32[]",
                   loop("r:f32[]", "; a:f32[]. let b:bool[] = lt a 3.0:f32[] in (b,)",
                        "w:f32[]; a:f32[]. let t:f32[] = exp w; b:f32[] = add a t in (b,)", "w x"),
                   "t:f32[] = exp w; " + loop("r:f32[]", "; a:f32[]. let b:bool[] = lt a 3.0:f32[] in (b,)",
                                              "t:f32[]; a:f32[]. let b:f32[] = add a t in (b,)", "t x"));
  // Larger elements than were read cost more to read than to make, unless something wants them in memory.
  const auto wide = [&](const std::string& use) {
    return scan(
        "r:f32[8,8]",
        "w:f16[8,8]; a:f32[8,8]. let t:f32[8,8] = convert[new_dtype=f32] w; c:f32[8,8] = " + use + " a t in (c,)", 1,
        "w x");
  };
  expect_stays(program("x:f32[8,8] w:f16[8,8]", wide("add"), "r"));
  expect_equations(
      "x:f32[8,8] w:f16[8,8]", wide(dot),
      "t:f32[8,8] = convert[new_dtype=f32] w; " +
          scan("r:f32[8,8]", "t:f32[8,8]; a:f32[8,8]. let c:f32[8,8] = " + dot + " a t in (c,)", 1, "t x"));
}

TEST(simplify_programs, what_draws_numbers_stays_in_a_loop) {
  expect_stays(
      program("x:f32[] y:f32[]",
              scan("r:f32[]",
                   "y:f32[]; a:f32[]. let b:f32[] = rng[rng_distribution=UNIFORM shape=()] y 2.0:f32[]; c:f32[] "
                   "= mul a b in (c,)",
                   1, "y x"),
              "r"));
}

TEST(simplify_programs, a_scan_of_nothing_gives_what_it_carries) {
  expect_becomes(program("x:f32[] y:f32[0,2]",
                         "p:f32[] q:f32[0,2] = scan[jaxpr={ lambda ; a:f32[] b:f32[2]. let c:f32[] = sin a in (c, b) } "
                         "length=0 num_carry=1 reverse=False] x y",
                         "p, q"),
                 program("x:f32[] y:f32[0,2]", "", "x, 0.0:f32[0,2]"));
}

// ---- while ----

TEST(simplify_programs, loops_carry_what_changes) {
  expect_becomes(
      program(
          "x:f32[] y:f32[]",
          loop("p:i32[] q:f32[] s:f32[]",
               "; i:i32[] a:f32[] k:f32[]. let b:bool[] = lt a k; c:bool[] = lt i 9:i32[]; d:bool[] = and b c in (d,)",
               "; i:i32[] a:f32[] k:f32[]. let j:i32[] = add i 1:i32[]; b:f32[] = mul a k in (j, b, k)", "0:i32[] x y"),
          "p, q, s"),
      program(
          "x:f32[] y:f32[]",
          loop("p:i32[] q:f32[]",
               "k:f32[]; i:i32[] a:f32[]. let b:bool[] = lt a k; c:bool[] = lt i 9:i32[]; d:bool[] = and b c in (d,)",
               "k:f32[]; i:i32[] a:f32[]. let j:i32[] = add i 1:i32[]; b:f32[] = mul a k in (j, b)", "y y 0:i32[] x"),
          "p, q, y"));
}

TEST(simplify_programs, conditions_take_literals_in) {
  expect_equations(
      "x:f32[]",
      loop("_:i32[] r:f32[]", "n:i32[]; i:i32[] a:f32[]. let b:bool[] = lt i n in (b,)",
           "k:f32[] u:f32[]; i:i32[] a:f32[]. let j:i32[] = add i 1:i32[]; b:f32[] = mul a k in (j, b)",
           "5:i32[] 2.0:f32[] x 0:i32[] x"),
      loop("_:i32[] r:f32[]", "; i:i32[] a:f32[]. let b:bool[] = lt i 5:i32[] in (b,)",
           "; i:i32[] a:f32[]. let j:i32[] = add i 1:i32[]; b:f32[] = mul a 2.0:f32[] in (j, b)", "0:i32[] x"));
}

TEST(simplify_programs, a_loop_that_takes_no_step_gives_what_it_carries) {
  expect_value("x:f32[]",
               loop("r:f32[]", "; a:f32[]. let b:bool[] = lt 2:i32[] 1:i32[] in (b,)",
                    "; a:f32[]. let b:f32[] = sin a in (b,)", "x"),
               "x");
}

TEST(simplify_programs, a_loop_that_may_take_too_many_steps_still_runs) {
  // What it gives is known, if it gives anything.
  const std::string text =
      "r:f32[] = while[cond_jaxpr={ lambda ; a:f32[]. let b:bool[] = gt a 1.0:f32[] in (b,) } "
      "body_jaxpr={ lambda ; a:f32[]. let  in (a,) } max_steps=2] x";
  const Jaxpr from = ir::parse(program("x:f32[]", text, "r"));
  EXPECT_EQ(simplified(from).id(), from.id());
}

TEST(simplify_programs, the_value_that_numbers_the_steps_stays_in_front) {
  const std::string text =
      "r:i32[] s:f32[] = while[cond_jaxpr={ lambda ; i:i32[] a:f32[]. let b:bool[] = gt a 1.0:f32[] in (b,) } "
      "body_jaxpr={ lambda ; i:i32[] a:f32[]. let b:f32[] = mul a 0.5:f32[] in (i, b) } max_steps=None number=carried] "
      "x y";
  const Jaxpr program_of_text = ir::parse(program("x:i32[] y:f32[]", text, "r, s"));
  EXPECT_EQ(simplified(program_of_text).id(), program_of_text.id());
}

TEST(simplify_programs, effects_inside_stay) {
  const Jaxpr before = ir::inline_calls(make_jaxpr([](Array x) {
    return scan(
               [](std::pair<Array, Array> c) {
                 debug::print("{} {}", c.first, c.second);
                 return std::pair(std::pair(c.first * 1.0f, c.second + 1.0f), c.first);
               },
               std::pair(x, x), no_xs, {.length = 2})
        .second;
  })(1.0f));
  const Jaxpr after = simplified(before);
  ASSERT_EQ(after.eqns().size(), 2u) << after.str();
  const ir::Eqn& loop_after = after.eqns()[0].op == OpCode::kScan ? after.eqns()[0] : after.eqns()[1];
  EXPECT_TRUE(ir::has_effects(loop_after.op, loop_after.params.get()));
  // The first carried value stays what it is, so it is captured, and what is stacked of it is a broadcast.
  EXPECT_EQ(ir::params_as<ScanParams>(loop_after.params).num_carry, 1) << after.str();
}

}  // namespace
}  // namespace weft::compiler
