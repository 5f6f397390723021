// einsum and ragged_dot against loops over single elements, and their derivatives against differences.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/functions.h"
#include "harness/values.h"
#include "weft/base/error.h"
#include "weft/stablehlo/import.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

using Shape = std::vector<std::int64_t>;

std::string type_of(const Shape& shape, const std::string& element) {
  std::string text = "tensor<";
  for (const std::int64_t d : shape) text += std::to_string(d) + "x";
  return text + element + ">";
}

Array numbers(const Shape& shape, int salt) {
  return testing::draw(Aval(f64, Dims(std::span<const std::int64_t>(shape))), salt);
}

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const ParseError& e) {
    return e.message();
  }
  return "no error";
}

// ---- einsum ----

Function einsum(const std::string& config, const std::vector<Shape>& in, const Shape& out) {
  const bool two = in.size() == 2;
  std::string types, arguments;
  for (std::size_t i = 0; i < in.size(); ++i) {
    types += (i ? ", " : "") + type_of(in[i], "f64");
    arguments += (i ? ", %" : "%") + std::string(1, "ab"[i]) + ": " + type_of(in[i], "f64");
  }
  return import("func.func @main(" + arguments + ") -> " + type_of(out, "f64") + " {\n  %0 = stablehlo." +
                    (two ? "einsum %a, %b" : "unary_einsum %a") + ", config = \"" + config + "\" : (" + types +
                    ") -> " + type_of(out, "f64") + "\n  return %0 : " + type_of(out, "f64") + "\n}\n",
                {.source = "a.mlir"});
}

// What np.einsum, whose tests compare it with loops, says.
void agrees(const std::string& config, const std::vector<Shape>& in) {
  std::vector<Array> xs;
  for (std::size_t i = 0; i < in.size(); ++i) xs.push_back(numbers(in[i], static_cast<int>(i)));
  const Array expected = np::einsum(np::EinsumSpec(config), xs);
  const DimSpan shape = expected.shape();
  const std::vector<Array> got = einsum(config, in, Shape(shape.begin(), shape.end()))(xs);
  EXPECT_EQ(testing::difference(got[0], expected, 1e-13), "") << config;
}

TEST(einsum, contracts_batches_sums_and_transposes) {
  agrees("ab,bc->ac", {{2, 3}, {3, 4}});
  agrees("ab, cb -> ca", {{2, 3}, {4, 3}});
  agrees("bij,bjk->bik", {{2, 3, 4}, {2, 4, 5}});
  agrees("ab,cd->db", {{2, 3}, {4, 5}});
  agrees("ab->ba", {{2, 3}});
  agrees("ab->", {{2, 3}});
}

TEST(einsum, a_letter_that_an_operand_repeats_is_its_diagonal) {
  agrees("ii->i", {{3, 3}});
  agrees("ii->", {{3, 3}});
  agrees("iji->ji", {{3, 2, 3}});
  agrees("iii->i", {{3, 3, 3}});
  agrees("iijj->ij", {{2, 2, 3, 3}});
  agrees("ii,ij->j", {{3, 3}, {3, 2}});
  EXPECT_EQ(einsum("ii->i", {{0, 0}}, {0})(np::zeros({0, 0}, f64))[0].size(), 0);
  EXPECT_NE(error_of([] { einsum("ii->i", {{2, 3}}, {2}); }).find("axes of one letter must have equal sizes"),
            std::string::npos);
}

TEST(einsum, dots_stand_for_axes_that_broadcast) {
  agrees("...ij,...jk->...ik", {{2, 5, 3, 4}, {2, 5, 4, 2}});
  agrees("...ij,...jk->...ik", {{5, 3, 4}, {2, 1, 4, 2}});
  agrees("...ij,...jk->...ik", {{3, 4}, {2, 4, 2}});
  agrees("i...,...->i...", {{3, 1, 2}, {4, 1}});
  agrees("...i->...", {{2, 3, 4}});
  agrees("i...->...i", {{2, 3, 4}});
}

TEST(einsum, without_a_result_letters_that_occur_once_are_kept_in_order) {
  agrees("ba,ac", {{2, 3}, {3, 4}});
  agrees("...b,ba", {{2, 3}, {3, 4}});
  agrees("ba", {{2, 3}});
  agrees("ii", {{3, 3}});
}

TEST(einsum, what_is_no_specification_is_refused) {
  for (const char* config : {"ab", "ab,bc,cd->ad", "a,bc->ac", "ab,b?->a", "ab,bc->ax", "ab,bc->aa", "......,bc->ac",
                             "ab...,bc->a.", ",->", "ab,bc->a->c"})
    EXPECT_NE(error_of([&] { einsum(config, {{2, 3}, {3, 4}}, {2, 4}); }), "no error") << config;
  EXPECT_NE(error_of([&] { einsum("...b,bc->c", {{2, 3}, {3, 4}}, {4}); }), "no error");
}

// ---- ragged_dot ----

struct Ragged {
  Shape lhs, rhs, sizes, out;
  std::string numbers;
};

// The three modes, with axes in an order of their own, and sizes that differ by example or not.
const Ragged kNonContracting{
    {2, 5, 3},
    {4, 2, 3, 2},
    {2, 4},
    {2, 5, 2},
    "lhs_batching_dimensions = [0], rhs_batching_dimensions = [1], lhs_contracting_dimensions = "
    "[2], rhs_contracting_dimensions = [2], lhs_ragged_dimensions = [1], rhs_group_dimensions = [0]"};
const Ragged kContracting{
    {2, 3, 5},
    {2, 5, 2},
    {2, 4},
    {4, 2, 3, 2},
    "lhs_batching_dimensions = [0], rhs_batching_dimensions = [0], lhs_contracting_dimensions = [2], "
    "rhs_contracting_dimensions = [1], lhs_ragged_dimensions = [2]"};
const Ragged kBatch{{5, 2, 3},
                    {5, 3, 2},
                    {4},
                    {5, 2, 2},
                    "lhs_batching_dimensions = [0], rhs_batching_dimensions = [0], lhs_contracting_dimensions = [2], "
                    "rhs_contracting_dimensions = [1], lhs_ragged_dimensions = [0]"};

Function ragged_dot(const Ragged& r) {
  const std::string in = type_of(r.lhs, "f64") + ", " + type_of(r.rhs, "f64") + ", " + type_of(r.sizes, "i32");
  return import("func.func @main(%a: " + type_of(r.lhs, "f64") + ", %b: " + type_of(r.rhs, "f64") +
                    ", %g: " + type_of(r.sizes, "i32") + ") -> " + type_of(r.out, "f64") +
                    " {\n  %0 = \"chlo.ragged_dot\"(%a, %b, %g) <{precision_config = [#chlo<precision DEFAULT>, "
                    "#chlo<precision DEFAULT>], ragged_dot_dimension_numbers = #chlo.ragged_dot<" +
                    r.numbers + ">}> : (" + in + ") -> " + type_of(r.out, "f64") +
                    "\n  return %0 : " + type_of(r.out, "f64") + "\n}\n",
                {.source = "a.mlir"});
}

// The group of position i, or -1 beyond the last.
int group_of(const std::vector<int>& sizes, int i) {
  for (int g = 0; g < static_cast<int>(sizes.size()); ++g) {
    if (i < sizes[static_cast<std::size_t>(g)]) return g;
    i -= sizes[static_cast<std::size_t>(g)];
  }
  return -1;
}

// An element as a number.
double at(const Array& x, std::initializer_list<int> index) {
  const std::vector<double> all = x.to_vector<double>();
  std::size_t i = 0, axis = 0;
  for (const int v : index) i = i * static_cast<std::size_t>(x.shape()[axis++]) + static_cast<std::size_t>(v);
  return all[i];
}

const std::vector<int> kSizes[2] = {{2, 0, 3, 0}, {1, 2, 0, 1}};  // all of the axis, and less than it
Array sizes_of_both() { return lax::reshape(Array(std::vector<int>{2, 0, 3, 0, 1, 2, 0, 1}), Dims{2, 4}); }

TEST(ragged_dot, rows_of_a_group_meet_its_own_matrix) {
  const Array a = numbers(kNonContracting.lhs, 1), b = numbers(kNonContracting.rhs, 2);
  const Array y = ragged_dot(kNonContracting)(a, b, sizes_of_both())[0];
  for (int e = 0; e < 2; ++e)
    for (int m = 0; m < 5; ++m)
      for (int n = 0; n < 2; ++n) {
        const int g = group_of(kSizes[e], m);
        double sum = 0;
        for (int k = 0; g >= 0 && k < 3; ++k) sum += at(a, {e, m, k}) * at(b, {g, e, k, n});
        EXPECT_NEAR(at(y, {e, m, n}), sum, 1e-14) << e << m << n;
      }
}

TEST(ragged_dot, a_contracted_axis_gives_a_product_per_group) {
  const Array a = numbers(kContracting.lhs, 1), b = numbers(kContracting.rhs, 2);
  const Array y = ragged_dot(kContracting)(a, b, sizes_of_both())[0];
  for (int g = 0; g < 4; ++g)
    for (int e = 0; e < 2; ++e)
      for (int m = 0; m < 3; ++m)
        for (int n = 0; n < 2; ++n) {
          double sum = 0;
          for (int k = 0; k < 5; ++k)
            if (group_of(kSizes[e], k) == g) sum += at(a, {e, m, k}) * at(b, {e, k, n});
          EXPECT_NEAR(at(y, {g, e, m, n}), sum, 1e-14) << g << e << m << n;
        }
}

TEST(ragged_dot, a_batched_axis_keeps_what_is_in_a_group) {
  const Array a = numbers(kBatch.lhs, 1), b = numbers(kBatch.rhs, 2);
  const Array y = ragged_dot(kBatch)(a, b, Array(kSizes[1]))[0];
  for (int e = 0; e < 5; ++e)
    for (int m = 0; m < 2; ++m)
      for (int n = 0; n < 2; ++n) {
        double sum = 0;
        for (int k = 0; e < 4 && k < 3; ++k) sum += at(a, {e, m, k}) * at(b, {e, k, n});
        EXPECT_NEAR(at(y, {e, m, n}), sum, 1e-14) << e << m << n;
      }
}

TEST(ragged_dot, sizes_may_be_the_same_for_all_examples) {
  for (const Ragged& mode : {kNonContracting, kContracting}) {
    Ragged same = mode;
    same.sizes = {4};
    const Array a = numbers(mode.lhs, 1), b = numbers(mode.rhs, 2), one(kSizes[0]);
    EXPECT_EQ(
        testing::bit_difference(ragged_dot(same)(a, b, one), ragged_dot(mode)(a, b, np::broadcast_to(one, {2, 4}))),
        "");
  }
}

TEST(ragged_dot, what_is_not_finite_stays_in_its_group) {
  Ragged r{{3, 1},
           {2, 1, 1},
           {2},
           {3, 1},
           "lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [1], lhs_ragged_dimensions = [0], "
           "rhs_group_dimensions = [0]"};
  const double inf = std::numeric_limits<double>::infinity();
  const Array a = lax::reshape(Array(std::vector<double>{0, 2, 3}), Dims{3, 1});
  const Array b = lax::reshape(Array(std::vector<double>{4, inf}), Dims{2, 1, 1});
  EXPECT_EQ(ragged_dot(r)(a, b, Array(std::vector<int>{2, 1}))[0].to_vector<double>(),
            (std::vector<double>{0, 8, inf}));
}

TEST(ragged_dot, has_the_derivatives_of_what_it_computes) {
  for (const auto& [mode, sizes] : {std::pair(kNonContracting, sizes_of_both()),
                                    std::pair(kContracting, sizes_of_both()), std::pair(kBatch, Array(kSizes[1]))}) {
    const Function f = ragged_dot(mode);
    const FlatFunction flat = [&](std::span<const Array> args, Arrays& outs) {
      for (const Array& y : f(std::vector<Array>{args[0], args[1], sizes})) outs.push_back(y);
    };
    const Arrays args{numbers(mode.lhs, 1), numbers(mode.rhs, 2)}, ts{numbers(mode.lhs, 3), numbers(mode.rhs, 4)};
    const int by[] = {0, 1};
    const Arrays slope = testing::call(testing::pushforward(flat, 2, {0, 1}), testing::joined(args, ts));
    EXPECT_EQ(testing::difference(slope, testing::difference_quotient(flat, args, by, ts), 1e-7), "");
    const Array ct = numbers(mode.out, 5);
    const Arrays cts = testing::call(testing::pullback(flat, 2, {0, 1}), testing::joined(args, Arrays{ct}));
    EXPECT_NEAR(testing::pairing(cts[0], ts[0]) + testing::pairing(cts[1], ts[1]), testing::pairing(ct, slope[0]),
                1e-12);
  }
}

TEST(ragged_dot, batches_over_examples) {
  const Function f = ragged_dot(kNonContracting);
  const Array a = numbers({3, 2, 5, 3}, 1), b = numbers(kNonContracting.rhs, 2);
  const Array y = vmap([&](const Array& one) { return f(one, b, sizes_of_both())[0]; })(a);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(testing::difference(y(i), f(a(i), b, sizes_of_both())[0], 1e-14), "");
}

TEST(ragged_dot, stands_in_other_dialects_too) {
  const char* text = R"(
func.func @main(%a: tensor<3x2xf64>, %b: tensor<2x2x1xf64>, %g: tensor<2xi32>) -> (tensor<3x1xf64>, tensor<3x1xf64>, tensor<3x1xf64>) {
  %0 = "chlo.ragged_dot"(%a, %b, %g) <{ragged_dot_dimension_numbers = #chlo.ragged_dot<lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [1], lhs_ragged_dimensions = [0], rhs_group_dimensions = [0]>}> : (tensor<3x2xf64>, tensor<2x2x1xf64>, tensor<2xi32>) -> tensor<3x1xf64>
  %1 = "mhlo.ragged_dot"(%a, %b, %g) {ragged_dot_dimension_numbers = #mhlo.ragged_dot<dot_dimension_numbers = #mhlo.dot<lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [1]>, lhs_ragged_dimensions = [0], rhs_group_dimensions = [0]>} : (tensor<3x2xf64>, tensor<2x2x1xf64>, tensor<2xi32>) -> tensor<3x1xf64>
  %2 = stablehlo.custom_call @chlo.ragged_dot(%a, %b, %g) {mhlo.attributes = {precision_config = ["DEFAULT", "DEFAULT"], ragged_dot_dimension_numbers = [dense<> : tensor<0xi64>, dense<> : tensor<0xi64>, dense<1> : tensor<1xi64>, dense<1> : tensor<1xi64>, dense<0> : tensor<1xi64>, dense<0> : tensor<1xi64>]}} : (tensor<3x2xf64>, tensor<2x2x1xf64>, tensor<2xi32>) -> tensor<3x1xf64>
  return %0, %1, %2 : tensor<3x1xf64>, tensor<3x1xf64>, tensor<3x1xf64>
}
)";
  const std::vector<Array> y = import(text)(numbers({3, 2}, 1), numbers({2, 2, 1}, 2), Array(std::vector<int>{1, 2}));
  EXPECT_EQ(testing::bit_difference(Arrays{y[1]}, Arrays{y[0]}), "");
  EXPECT_EQ(testing::bit_difference(Arrays{y[2]}, Arrays{y[0]}), "");
  const Module m = parse(text);
  EXPECT_TRUE(parse(print(m, Form::kPretty)) == m);
  EXPECT_TRUE(parse(print(m, Form::kGeneric)) == m);
}

TEST(ragged_dot, what_does_not_fit_is_refused) {
  const auto refused = [](Ragged r, auto&& change) {
    change(r);
    return error_of([&] { ragged_dot(r); });
  };
  const auto without = [](const std::string& what) {
    return [what](Ragged& r) { r.numbers.erase(r.numbers.find(", " + what)); };
  };
  const std::string at = "a.mlir:2:8: chlo.ragged_dot: ";
  EXPECT_EQ(refused(kBatch, without("lhs_ragged")), at + "there must be one ragged axis; got [].");
  EXPECT_EQ(refused(kNonContracting, without("rhs_group")),
            at + "there must be one group axis of rhs where the ragged axis is neither batched nor contracted, else "
                 "none; got [].");
  EXPECT_EQ(refused(kNonContracting, [](Ragged& r) { r.sizes = {2, 5}; }),
            at + "there must be one part of rhs per group; got 4 for 5 groups.");
  EXPECT_EQ(refused(kContracting, [](Ragged& r) { r.sizes = {3, 4}; }),
            at + "group sizes must have shape [2,4] or [4]; got i32[3,4].");
  EXPECT_EQ(refused(kContracting, [](Ragged& r) { r.sizes = {}; }),
            at + "group sizes must be integers, with an axis of groups; got i32[].");
  EXPECT_EQ(refused(kBatch, [](Ragged& r) { r.numbers.replace(r.numbers.find("[0]"), 3, "[7]"); }),
            at + "dimension numbers must be axes; got 7.");
  EXPECT_NE(refused(kBatch, [](Ragged& r) { r.numbers.replace(r.numbers.find("[0]"), 3, "[0, 0]"); }), "no error");
}

// ---- factors of two types ----

TEST(products, factors_of_two_types_are_computed_in_one_that_holds_both) {
  const auto product = [](const std::string& op, const std::string& a, const std::string& b, const std::string& r) {
    const std::string in = "tensor<2x3x" + a + ">, tensor<3x2x" + b + ">", out = "tensor<2x2x" + r + ">";
    const Function f = import(
        "func.func @main(%x: tensor<2x3xi32>, %y: tensor<3x2xi32>) -> tensor<2x2xf32> {\n"
        "  %a = stablehlo.convert %x : (tensor<2x3xi32>) -> tensor<2x3x" +
        a +
        ">\n"
        "  %b = stablehlo.convert %y : (tensor<3x2xi32>) -> tensor<3x2x" +
        b +
        ">\n"
        "  %0 = stablehlo." +
        op + " : (" + in + ") -> " + out +
        "\n"
        "  %1 = stablehlo.convert %0 : (" +
        out +
        ") -> tensor<2x2xf32>\n"
        "  return %1 : tensor<2x2xf32>\n}\n");
    const Array x = lax::reshape(Array(std::vector<int>{1, -2, 3, 4, 5, -6}), Dims{2, 3}),
                y = lax::reshape(Array(std::vector<int>{7, 1, 0, 2, 3, 4}), Dims{3, 2});
    return f(x, y)[0].to_vector<float>();
  };
  const std::vector<float> want{16, 9, 10, -10};
  for (const char* op :
       {"dot_general %a, %b, contracting_dims = [1] x [0]", "dot %a, %b", "einsum %a, %b, config = \"ij,jk->ik\"",
        "convolution(%a, %b) dim_numbers = [b, f]x[i, o]->[b, f], window = {}"})
    for (const auto& [a, b, r] : std::initializer_list<std::array<const char*, 3>>{{"bf16", "f32", "f32"},
                                                                                   {"f8E4M3FN", "bf16", "f32"},
                                                                                   {"f8E4M3FN", "f8E5M2", "f32"},
                                                                                   {"f8E4M3FN", "bf16", "bf16"},
                                                                                   {"f32", "bf16", "bf16"},
                                                                                   {"i4", "i8", "i32"},
                                                                                   {"i8", "bf16", "f32"},
                                                                                   {"i8", "ui8", "i32"},
                                                                                   {"i8", "i16", "i8"},
                                                                                   {"ui8", "i64", "i64"}}) {
      std::vector<float> expected = want;
      // Without a sign -2 and -6 are others.
      if (std::string_view(a) == "ui8") expected = {16, 521, 778, 1014};
      EXPECT_EQ(product(op, a, b, r), expected) << op << " " << a << " " << b << " " << r;
    }
}

}  // namespace
}  // namespace weft::stablehlo
