// Bodies that Weft has a name for: which, that nothing else is taken for one of them, and that they have derivatives.
#include <gtest/gtest.h>

#include "weft/stablehlo/export.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

using Values = std::vector<float>;

// Scatters two updates into a vector, with this body over a (the value there) and b (the update).
std::string scatter(const std::string& body, const std::string& type = "f32") {
  std::string text = R"(func.func @main(%x: tensor<3xT>, %i: tensor<2x1xi32>, %u: tensor<2xT>) -> tensor<3xT> {
  %0 = "stablehlo.scatter"(%x, %i, %u) <{scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>}> ({
  ^bb0(%a: tensor<T>, %b: tensor<T>):
BODY
  }) : (tensor<3xT>, tensor<2x1xi32>, tensor<2xT>) -> tensor<3xT>
  return %0 : tensor<3xT>
})";
  const auto replace = [&](const std::string& what, const std::string& with) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
      text.replace(at, what.size(), with);
  };
  replace("BODY", body);
  replace("xT>", "x" + type + ">");
  replace("<T>", "<" + type + ">");
  return text;
}

const Array kX(Values{10, 20, 30}), kU(Values{3, 4});
Array indices() { return lax::reshape(Array(std::vector<int>{2, 2}), Dims{2, 1}); }

// The gradients of a weighted sum of the results by the array and the updates.
std::pair<Values, Values> gradients(const Function& f) {
  const auto loss = [&](Array x, Array u) { return np::sum(f(x, indices(), u)[0] * np::array({1.f, 10.f, 100.f})); };
  return {grad<0>(loss)(kX, kU).to_vector<float>(), grad<1>(loss)(kX, kU).to_vector<float>()};
}

TEST(import_scatter, subtraction_adds_the_negated_update) {
  const Function f = import(scatter("%c = stablehlo.subtract %a, %b : tensor<T>\nstablehlo.return %c : tensor<T>"));
  EXPECT_EQ(f(kX, indices(), kU)[0].to_vector<float>(), (Values{10, 20, 23}));
  EXPECT_EQ(gradients(f), std::pair(Values({1, 10, 100}), Values({-100, -100})));
  EXPECT_NE(f.jaxpr().str().find("scatter_add"), std::string::npos) << f.jaxpr().str();
  // To the last bit, of every kind of number, and back through text.
  const Function bytes =
      import(scatter("%c = stablehlo.subtract %a, %b : tensor<T>\nstablehlo.return %c : tensor<T>", "ui8"));
  EXPECT_EQ(bytes(kX.astype(u8), indices(), kU.astype(u8))[0].to_vector<std::uint8_t>(),
            (std::vector<std::uint8_t>{10, 20, 23}));
  const Function again = import(print(f, Form::kPretty));
  EXPECT_EQ(again(kX, indices(), kU)[0].to_vector<float>(), (Values{10, 20, 23}));
}

TEST(import_scatter, the_other_difference_is_none_of_them) {
  const Function f = import(scatter("%c = stablehlo.subtract %b, %a : tensor<T>\nstablehlo.return %c : tensor<T>"));
  EXPECT_EQ(f(kX, indices(), kU)[0].to_vector<float>(), (Values{10, 20, 4 - (3 - 30)}));
  EXPECT_NE(f.jaxpr().str().find("generic_scatter"), std::string::npos) << f.jaxpr().str();
}

TEST(import_scatter, a_body_that_returns_what_is_there_changes_nothing) {
  const Function f = import(scatter("stablehlo.return %a : tensor<T>"));
  EXPECT_EQ(f(kX, indices(), kU)[0].to_vector<float>(), (Values{10, 20, 30}));
  EXPECT_EQ(gradients(f), std::pair(Values({1, 10, 100}), Values({0, 0})));
}

TEST(import_scatter, products_of_updates_that_meet_have_gradients) {
  const Function f = import(scatter("%c = stablehlo.multiply %b, %a : tensor<T>\nstablehlo.return %c : tensor<T>"));
  EXPECT_EQ(f(kX, indices(), kU)[0].to_vector<float>(), (Values{10, 20, 360}));
  EXPECT_EQ(gradients(f), std::pair(Values({1, 10, 1200}), Values({12000, 9000})));
}

TEST(import_scatter, arrays_that_do_not_mix_are_scattered_one_by_one) {
  const char* text =
      R"(func.func @main(%x: tensor<3xf32>, %y: tensor<3xf32>, %i: tensor<2x1xi32>, %u: tensor<2xf32>, %v: tensor<2xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %0:2 = "stablehlo.scatter"(%x, %y, %i, %u, %v) <{scatter_dimension_numbers = #stablehlo.scatter<inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %c: tensor<f32>, %d: tensor<f32>):
    %e = stablehlo.add %a, %c : tensor<f32>
    %f = stablehlo.multiply %SECOND, %d : tensor<f32>
    stablehlo.return %e, %f : tensor<f32>, tensor<f32>
  }) : (tensor<3xf32>, tensor<3xf32>, tensor<2x1xi32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<3xf32>, tensor<3xf32>)
  return %0#0, %0#1 : tensor<3xf32>, tensor<3xf32>
})";
  const auto with = [&](const std::string& second) {
    std::string t = text;
    t.replace(t.find("SECOND"), 6, second);
    return import(t);
  };
  const Function apart = with("b"), mixed = with("a");
  EXPECT_EQ(apart.jaxpr().str().find("generic_scatter"), std::string::npos) << apart.jaxpr().str();
  EXPECT_NE(mixed.jaxpr().str().find("generic_scatter"), std::string::npos) << mixed.jaxpr().str();
  const auto y = apart(kX, kX, indices(), kU, kU);
  EXPECT_EQ(y[0].to_vector<float>(), (Values{10, 20, 37}));
  EXPECT_EQ(y[1].to_vector<float>(), (Values{10, 20, 360}));
  const auto z = mixed(kX, kX, indices(), kU, kU);
  EXPECT_EQ(z[0].to_vector<float>(), (Values{10, 20, 37}));
  EXPECT_EQ(z[1].to_vector<float>(), (Values{10, 20, 33 * 4}));
}

// Pairs of neighbours of a vector of four choose; sources go to the chosen ones, upon the initial value.
std::string select_and_scatter(const std::string& compare) {
  return R"(func.func @main(%x: tensor<4xf32>, %s: tensor<2xf32>, %init: tensor<f32>) -> tensor<4xf32> {
  %0 = "stablehlo.select_and_scatter"(%x, %s, %init) <{window_dimensions = array<i64: 2>, window_strides = array<i64: 2>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.compare )" +
         compare + R"( : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  }, {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %c : tensor<f32>
  }) : (tensor<4xf32>, tensor<2xf32>, tensor<f32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
})";
}

TEST(import_select_and_scatter, any_initial_value_is_added_and_has_a_gradient) {
  const Array x(Values{1, 2, 4, 3}), s(Values{10, 20}), init(0.5f);
  for (const auto& [compare, chosen] :
       std::initializer_list<std::pair<const char*, Values>>{{"GE, %a, %b", {0.5, 10.5, 20.5, 0.5}},
                                                             {"LE, %b, %a", {0.5, 10.5, 20.5, 0.5}},
                                                             {"GT, %a, %b", {0.5, 10.5, 20.5, 0.5}},
                                                             {"LT, %a, %b", {10.5, 0.5, 0.5, 20.5}},
                                                             {"LE, %a, %b", {10.5, 0.5, 0.5, 20.5}},
                                                             {"GE, %b, %a", {10.5, 0.5, 0.5, 20.5}}}) {
    const Function f = import(select_and_scatter(compare));
    EXPECT_EQ(f(x, s, init)[0].to_vector<float>(), chosen) << compare;
    const auto loss = [&](Array x, Array s, Array init) {
      return np::sum(f(x, s, init)[0] * np::array({1.f, 10.f, 100.f, 1000.f}));
    };
    EXPECT_EQ(grad<2>(loss)(x, s, init).item<float>(), 1111.0f) << compare;
    EXPECT_EQ(grad<1>(loss)(x, s, init).to_vector<float>(), chosen[0] > 1 ? Values({1, 1000}) : Values({10, 100}))
        << compare;
    EXPECT_EQ(vmap([&](Array i) { return f(x, s, i)[0]; })(np::array({0.5f, 0.f}))(0).to_vector<float>(), chosen);
  }
  // What orders otherwise keeps its own program.
  const Function other = import(select_and_scatter("NE, %a, %b"));
  EXPECT_NE(other.jaxpr().str().find("generic_select_and_scatter"), std::string::npos) << other.jaxpr().str();
}

// ---- sort ----

// A comparator that makes every NaN `nan` and every zero +0, in the total order.
std::string sort_by(const std::string& nan) {
  return R"(func.func @main(%x: tensor<6xf32>) -> tensor<6xi32> {
  %0 = stablehlo.iota dim = 0 : tensor<6xi32>
  %1:2 = "stablehlo.sort"(%x, %0) <{dimension = 0 : i64, is_stable = true}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>, %i: tensor<i32>, %j: tensor<i32>):
    %zero = stablehlo.constant dense<0.0> : tensor<f32>
    %nan = stablehlo.constant dense<)" +
         nan + R"(> : tensor<f32>
    %2 = stablehlo.compare EQ, %a, %zero, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %3 = stablehlo.select %2, %zero, %a : tensor<i1>, tensor<f32>
    %4 = stablehlo.compare NE, %a, %a, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %5 = stablehlo.select %4, %nan, %3 : tensor<i1>, tensor<f32>
    %6 = stablehlo.compare EQ, %b, %zero, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %7 = stablehlo.select %6, %zero, %b : tensor<i1>, tensor<f32>
    %8 = stablehlo.compare NE, %b, %b, FLOAT : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %9 = stablehlo.select %8, %nan, %7 : tensor<i1>, tensor<f32>
    %10 = stablehlo.compare LT, %5, %9, TOTALORDER : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %10 : tensor<i1>
  }) : (tensor<6xf32>, tensor<6xi32>) -> (tensor<6xf32>, tensor<6xi32>)
  return %1#1 : tensor<6xi32>
})";
}

TEST(import_sort, nans_stand_where_the_comparators_own_nan_does) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Array x(Values{3, -0.0f, 0, nan, -1, -nan});
  const Function last = import(sort_by("0x7FC00000")), first = import(sort_by("0xFFC00000"));
  EXPECT_EQ(last(x)[0].to_vector<int>(), (std::vector<int>{4, 1, 2, 0, 3, 5}));
  EXPECT_EQ(first(x)[0].to_vector<int>(), (std::vector<int>{3, 5, 4, 1, 2, 0}));
  EXPECT_EQ(last.jaxpr().str().find("generic_sort"), std::string::npos) << last.jaxpr().str();
  EXPECT_NE(first.jaxpr().str().find("generic_sort"), std::string::npos) << first.jaxpr().str();
}

// ---- sums from zeros of either sign ----

std::string sum_from(const std::string& init, int n) {
  const std::string type = "tensor<" + std::to_string(n) + "xf32>";
  return "func.func @main(%x: " + type + ") -> tensor<f32> {\n  %i = stablehlo.constant dense<" + init +
         "> : tensor<f32>\n  %0 = stablehlo.reduce(%x init: %i) applies stablehlo.add across dimensions = [0] : (" +
         type + ", tensor<f32>) -> tensor<f32>\n  return %0 : tensor<f32>\n}\n";
}

TEST(import_reduce, a_sum_has_the_sign_of_zero_that_its_start_gives) {
  for (const int n : {0, 1, 2, 5}) {
    const Array negative = Array::full(Dims{n}, f32, -0.0);
    const Function from_zero = import(sum_from("0.0", n)), from_negative = import(sum_from("-0.0", n));
    EXPECT_FALSE(std::signbit(from_zero(negative)[0].item<float>())) << n;
    EXPECT_TRUE(std::signbit(from_negative(negative)[0].item<float>())) << n;
    EXPECT_EQ(from_negative(negative)[0].item<float>(), 0) << n;
    if (n == 0) continue;
    EXPECT_FALSE(std::signbit(from_negative(np::zeros({n}))[0].item<float>())) << n;
    // The derivative of the sum, whichever way it is computed.
    const auto loss = [&](Array x) { return from_negative(x)[0]; };
    for (const float at : {-0.0f, 0.0f, 2.0f})
      EXPECT_EQ(grad(loss)(np::full({n}, at)).to_vector<float>(), Values(static_cast<std::size_t>(n), 1));
  }
  const Function f = import(sum_from("-0.0", 2));
  EXPECT_FALSE(std::signbit(f(Array(Values{1, -1}))[0].item<float>()));
  EXPECT_FALSE(std::signbit(f(Array(Values{-0.0f, 0}))[0].item<float>()));
  EXPECT_EQ(f(Array(Values{1, 2}))[0].item<float>(), 3);
  EXPECT_EQ(import(sum_from("0.0", 2)).jaxpr().eqns().size(), 1u);
}

TEST(import_reduce, windows_start_from_either_zero_too) {
  const auto windows = [](const std::string& init) {
    return import(R"(func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
  %i = stablehlo.constant dense<)" +
                  init + R"(> : tensor<f32>
  %0 = "stablehlo.reduce_window"(%x, %i) <{window_dimensions = array<i64: 2>, window_strides = array<i64: 2>, padding = dense<[[2, 1]]> : tensor<1x2xi64>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %c : tensor<f32>
  }) : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
})");
  };
  const Function from_zero = windows("0.0"), from_negative = windows("-0.0");
  const Array x(Values{-0.0f, -0.0f, 2});
  // Padding alone, zeros alone, a number beside padding.
  const Values zero = from_zero(x)[0].to_vector<float>(), negative = from_negative(x)[0].to_vector<float>();
  EXPECT_EQ(zero, (Values{0, 0, 2}));
  EXPECT_EQ(negative, (Values{0, 0, 2}));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_FALSE(std::signbit(zero[i])) << i;
    EXPECT_TRUE(std::signbit(negative[i])) << i;
  }
  const auto loss = [&](Array v) { return np::sum(from_negative(v)[0] * np::array({1.f, 10.f, 100.f})); };
  EXPECT_EQ(grad(loss)(x).to_vector<float>(), (Values{10, 10, 100}));
}

TEST(import_select_and_scatter, what_nothing_is_given_to_keeps_the_start) {
  std::string text = select_and_scatter("GE, %a, %b");
  const std::string argument = ", %init: tensor<f32>", body = "%0 = \"stablehlo.select_and_scatter\"";
  text.replace(text.find(argument), argument.size(), "");
  text.replace(text.find(body), body.size(), "%init = stablehlo.constant dense<-0.0> : tensor<f32>\n  " + body);
  const Function f = import(text);
  const Values y = f(Array(Values{1, 2, 4, 3}), Array(Values{10, -0.0f}))[0].to_vector<float>();
  EXPECT_EQ(y, (Values{0, 10, 0, 0}));
  for (const std::size_t i : {0, 2, 3}) EXPECT_TRUE(std::signbit(y[i])) << i;
  const auto loss = [&](Array s) {
    return np::sum(f(Array(Values{1, 2, 4, 3}), s)[0] * np::array({1.f, 10.f, 100.f, 1000.f}));
  };
  EXPECT_EQ(grad(loss)(Array(Values{10, -0.0f})).to_vector<float>(), (Values{10, 100}));
}

}  // namespace
}  // namespace weft::stablehlo
