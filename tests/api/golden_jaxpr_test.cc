// Programs as JAX prints them (golden values C1 - C7 and the vmap demonstration).
// Two differences, on purpose: a literal shows the shape it is repeated to (`3.0:f32[8]`), because
// operations do not broadcast, and argument names follow our own order of equations.
#include <gtest/gtest.h>

#include "weft/ir/builder.h"
#include "weft/weft.h"

namespace weft {
namespace {

std::string text(const Jaxpr& jaxpr) {
  EXPECT_EQ(ir::parse(jaxpr.str()), jaxpr);
  ir::check(jaxpr);
  return jaxpr.str();
}

TEST(golden_jaxpr, sine_of_cosine_fits_on_one_line) {
  const auto f = [](Array x) { return np::sin(np::cos(x)); };
  EXPECT_EQ(text(make_jaxpr(f)(1.0f)), "{ lambda ; a:f32[]. let b:f32[] = cos a; c:f32[] = sin b in (c,) }");
}

TEST(golden_jaxpr, gradient_of_sine_of_cosine) {
  const auto f = [](Array x) { return np::sin(np::cos(x)); };
  EXPECT_EQ(text(make_jaxpr(grad(f))(1.0f)),
            "{ lambda ; a:f32[]. let\n"
            "    b:f32[] = cos a\n"
            "    c:f32[] = sin a\n"
            "    _:f32[] = sin b\n"
            "    d:f32[] = cos b\n"
            "    e:f32[] = mul 1.0:f32[] d\n"
            "    f:f32[] = neg e\n"
            "    g:f32[] = mul f c\n"
            "  in (g,) }");
}

TEST(golden_jaxpr, twice_x_plus_y_of_integers) {
  EXPECT_EQ(text(make_jaxpr([](Array x, Array y) { return 2 * x + y; })(1, 2)),
            "{ lambda ; a:i32[] b:i32[]. let\n"
            "    c:i32[] = mul 2:i32[] a\n"
            "    d:i32[] = add c b\n"
            "  in (d,) }");
}

TEST(golden_jaxpr, sum_of_x_plus_three_sine_y) {
  const auto f = [](Array x, Array y) { return np::sum(x + np::sin(y) * 3.0); };
  const std::string expected =
      "{ lambda ; a:f32[8] b:f32[8]. let\n"
      "    c:f32[8] = sin b\n"
      "    d:f32[8] = mul c 3.0:f32[8]\n"
      "    e:f32[8] = add a d\n"
      "    f:f32[] = reduce_sum[axes=(0,)] e\n"
      "  in (f,) }";
  const Array v = np::ones({8});
  EXPECT_EQ(text(make_jaxpr(f)(v, v)), expected);
  // The same for an inlined helper and for a pair of arguments.
  const auto helper = [](Array y) { return np::sin(y) * 3.0; };
  EXPECT_EQ(text(make_jaxpr([&](Array x, Array y) { return np::sum(x + helper(y)); })(v, v)), expected);
  EXPECT_EQ(text(make_jaxpr([&](std::pair<Array, Array> p) { return f(p.first, p.second); })(std::pair(v, v))),
            expected);
}

// C5 in spirit: an i32 index needs no conversion, and a branch that is linear is not marked so.
TEST(golden_jaxpr, a_switch_of_three_branches) {
  const auto f = [](Array i, Array x) {
    return switch_(i,
                   std::tuple([](Array a) { return a + 1.0f; }, [](Array a) { return a - 2.0f; },
                              [](Array a) { return a + 3.0f; }),
                   x);
  };
  EXPECT_EQ(text(make_jaxpr(f)(1, 1.0f)),
            "{ lambda ; a:i32[] b:f32[]. let\n"
            "    c:i32[] = clamp 0:i32[] a 2:i32[]\n"
            "    d:f32[] = cond[\n"
            "      branches=({ lambda ; e:f32[]. let f:f32[] = add e 1.0:f32[] in (f,) }, "
            "{ lambda ; g:f32[]. let h:f32[] = sub g 2.0:f32[] in (h,) }, "
            "{ lambda ; i:f32[]. let j:f32[] = add i 3.0:f32[] in (j,) })\n"
            "    ] c b\n"
            "  in (d,) }");
}

// C6 in spirit: the upper bound is a constant of the condition instead of something carried, and ones are a literal.
TEST(golden_jaxpr, a_loop_whose_count_is_traced) {
  const auto f = [](Array arg, Array n) {
    const Array ones = np::ones({16});
    return fori_loop(Array(0), n, [&](Array, Array c) { return c + ones * 3.0f + arg; }, arg + ones);
  };
  EXPECT_EQ(text(make_jaxpr(f)(np::zeros({16}), 5)),
            "{ lambda ; a:f32[16] b:i32[]. let\n"
            "    c:f32[16] = add a 1.0:f32[16]\n"
            "    _:i32[] d:f32[16] = while[\n"
            "      cond_jaxpr={ lambda e:i32[]; f:i32[] g:f32[16]. let h:bool[] = lt f e in (h,) }\n"
            "      body_jaxpr={ lambda i:f32[16]; j:i32[] k:f32[16]. let\n"
            "          l:f32[16] = mul 1.0:f32[16] 3.0:f32[16]\n"
            "          m:f32[16] = add k l\n"
            "          n:f32[16] = add m i\n"
            "          o:i32[] = add j 1:i32[]\n"
            "        in (o, n) }\n"
            "      max_steps=None\n"
            "    ] b a 0:i32[] c\n"
            "  in (d,) }");
}

TEST(golden_jaxpr, product_of_matrix_plus_one_and_vector_plus_one) {
  // In two statements: C++ leaves open which operand of a call is evaluated first.
  const auto f = [](Array m, Array v) {
    const Array p = m + 1.0;
    const Array q = v + 1.0;
    return np::dot(p, q);
  };
  EXPECT_EQ(text(make_jaxpr(f)(np::ones({3, 4}), np::ones({4}))),
            "{ lambda ; a:f32[3,4] b:f32[4]. let\n"
            "    c:f32[3,4] = add a 1.0:f32[3,4]\n"
            "    d:f32[4] = add b 1.0:f32[4]\n"
            "    e:f32[3] = dot_general[\n"
            "      dimension_numbers=(([1], [0]), ([], []))\n"
            "      preferred_element_type=float32\n"
            "    ] c d\n"
            "  in (e,) }");
}

TEST(golden_jaxpr, vmap_of_dot_is_one_dot_general_each_time) {
  const auto dot = [](Array x, Array y) { return np::dot(x, y); };
  const auto numbers = [](const Jaxpr& j) {
    EXPECT_EQ(j.eqns().size(), 1u);
    const std::string s = text(j);
    const auto from = s.find("dimension_numbers=") + 18;
    return s.substr(from, s.find('\n', from) - from);
  };
  const Array x1 = np::ones({3}), x2 = np::ones({2, 3}), x3 = np::ones({4, 2, 3});
  EXPECT_EQ(numbers(make_jaxpr(dot)(x1, x1)), "(([0], [0]), ([], []))");
  EXPECT_EQ(numbers(make_jaxpr(vmap(dot))(x2, x2)), "(([1], [1]), ([0], [0]))");
  EXPECT_EQ(numbers(make_jaxpr(vmap(vmap(dot)))(x3, x3)), "(([2], [2]), ([0, 1], [0, 1]))");
}

TEST(golden_jaxpr, captured_arrays_stand_before_the_semicolon) {
  const Array w = np::array({1.f, 2.f});
  EXPECT_EQ(text(make_jaxpr([&](Array x) { return x * w; })(w)),
            "{ lambda a:f32[2]; b:f32[2]. let c:f32[2] = mul b a in (c,) }");
}

TEST(golden_jaxpr, a_jitted_function_is_one_equation_with_its_program) {
  const auto f = jit([](Array x) { return np::sin(x); }, {.name = "wave"});
  EXPECT_EQ(text(make_jaxpr([&](Array x) { return f(f(x)); })(1.0f)),
            "{ lambda ; a:f32[]. let\n"
            "    b:f32[] = jit[\n"
            "      name=wave\n"
            "      jaxpr={ lambda ; c:f32[]. let d:f32[] = sin c in (d,) }\n"
            "    ] a\n"
            "    e:f32[] = jit[\n"
            "      name=wave\n"
            "      jaxpr={ lambda ; f:f32[]. let g:f32[] = sin f in (g,) }\n"
            "    ] b\n"
            "  in (e,) }");
}

TEST(golden_jaxpr, a_program_without_equations_returns_its_inputs) {
  EXPECT_EQ(text(make_jaxpr([](Array x) { return x; })(1)), "{ lambda ; a:i32[]. let  in (a,) }");
}

}  // namespace
}  // namespace weft
