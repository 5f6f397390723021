#include <gtest/gtest.h>

#include "weft/weft.h"

namespace weft {
namespace {

using Complex = std::complex<double>;

TEST(jacobian, forward_mode_takes_real_arguments_to_complex_results) {
  const auto f = [](Array x) { return lax::complex(x * x, 3 * x); };
  const Array j = jacfwd(f)(np::array({2.0}));
  EXPECT_EQ(j.to_vector<Complex>(), (std::vector<Complex>{{4, 3}}));
  EXPECT_THROW(jacrev(f)(np::array({2.0})), DTypeError);
}

TEST(jacobian, reverse_mode_takes_complex_arguments_to_real_results) {
  const auto f = [](Array z) { return np::square(np::real(z)) + np::square(np::imag(z)); };
  const Array z = np::array({Complex(1, 2)});
  EXPECT_EQ(jacrev(f)(z).to_vector<Complex>(), grad([&](Array v) { return np::sum(f(v)); })(z).to_vector<Complex>());
  EXPECT_THROW(jacfwd(f)(z), DTypeError);
  EXPECT_THROW(hessian([&](Array v) { return np::sum(f(v)); })(z), DTypeError);
}

TEST(jacobian, results_must_have_derivatives) {
  const auto rounded = [](Array x) { return x.astype(i32); };
  EXPECT_THROW(jacfwd(rounded)(np::ones({2})), DTypeError);
  EXPECT_THROW(jacrev(rounded)(np::ones({2})), DTypeError);
  const auto nothing = [](Array) { return Array(); };
  EXPECT_THROW(jacfwd(nothing)(np::ones({2})), ShapeError);
  EXPECT_THROW(jacrev(nothing)(np::ones({2})), ShapeError);
  EXPECT_THROW(hessian(nothing)(np::ones({2})), ShapeError);
}

TEST(jacobian, of_a_constant_has_the_dtype_of_the_result) {
  const Array constant = np::ones({3}, f64);
  EXPECT_EQ(jacfwd([&](Array) { return constant; })(np::ones({2})).aval().str(), "f64[3,2]");
}

TEST(grad, of_a_loss_that_is_none_is_refused_although_there_is_more) {
  const auto f = [](Array x) { return std::pair(Array(), x * x); };
  EXPECT_THROW(grad(f, has_aux)(3.0f), ShapeError);
}

TEST(grad, of_one_array_passed_twice_to_a_program) {
  const auto product = jit([](Array x, Array y) { return x * y; });
  const Array x = np::array({1.f, 2.f, 3.f});
  const auto square = [&](Array a) { return np::sum(product(a, a)); };
  EXPECT_EQ(grad(square)(x).to_vector<float>(), (std::vector<float>{2, 4, 6}));
  EXPECT_EQ(grad(jit(square))(x).to_vector<float>(), (std::vector<float>{2, 4, 6}));
  EXPECT_EQ(grad([&](Array a) { return np::sum(grad(square)(a)); })(x).to_vector<float>(),
            (std::vector<float>{2, 2, 2}));
  // Once as an argument and once captured.
  const auto captured = [&](Array a) { return np::sum(jit([&](Array y) { return y * a; })(a)); };
  EXPECT_EQ(grad(captured)(x).to_vector<float>(), (std::vector<float>{2, 4, 6}));
}

TEST(callable, pairs_and_tuples_are_single_arguments_in_every_nesting) {
  const auto f = [](std::pair<Array, Array> p) { return np::sum(p.first * p.second); };
  const std::pair<Array, Array> p{np::array({1.f, 2.f}), np::array({3.f, 4.f})};
  EXPECT_EQ(jit(grad(f))(p).first.to_vector<float>(), (std::vector<float>{3, 4}));
  EXPECT_EQ(make_jaxpr(grad(f))(p).output_avals().size(), 2u);
  EXPECT_EQ(vmap(grad(f))(std::pair{np::ones({3, 2}), np::ones({3, 2})}).second.aval().str(), "f32[3,2]");
  EXPECT_EQ(jvp(jit(f), p, p).second.item<float>(), 22);
  const auto generic = [](auto t) { return np::sum(std::get<0>(t)); };
  EXPECT_EQ(std::get<0>(grad(generic)(std::tuple<Array>(np::ones({2})))).aval().str(), "f32[2]");
}

// Work is counted, not time: as many equations per leaf for many leaves as for few.
TEST(ravel, its_gradient_is_linear_in_the_number_of_leaves) {
  const auto equations = [](std::size_t n) {
    const std::vector<Array> leaves(n, np::ones({2}));
    const auto [flat, unravel] = ravel(leaves);
    const auto back = unravel;
    const auto f = [&](Array x) {
      Array sum(0.0f);
      for (const Array& a : back(x)) sum = sum + np::sum(a);
      return sum;
    };
    const Jaxpr program = make_jaxpr(grad(f))(flat);
    std::int64_t elements = 0;
    for (std::size_t v = 0; v < program.num_vars(); ++v) elements += program.aval(static_cast<ir::Var>(v)).size();
    return elements;
  };
  const auto few = equations(100), many = equations(1000);
  EXPECT_LE(many, 11 * few);
}

}  // namespace
}  // namespace weft
