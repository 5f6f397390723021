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

}  // namespace
}  // namespace weft::stablehlo
