// Older operations and those that take shapes as operands, against loops and differences.
#include <gtest/gtest.h>

#include <cmath>

#include "weft/base/error.h"
#include "weft/stablehlo/import.h"
#include "weft/weft.h"

namespace weft::stablehlo {
namespace {

using Doubles = std::vector<double>;

Array filled(Dims shape, double start, double step) {
  std::int64_t n = 1;
  for (const std::int64_t d : shape) n *= d;
  Doubles v;
  // Neither sorted nor symmetric.
  for (std::int64_t i = 0; i < n; ++i) v.push_back(start + step * static_cast<double>((i * 7 + i * i) % 11));
  return lax::reshape(Array(v), shape);
}

void expect_near(const Array& got, const Doubles& want, double tolerance) {
  const Doubles g = got.to_vector<double>();
  ASSERT_EQ(g.size(), want.size());
  for (std::size_t i = 0; i < g.size(); ++i) EXPECT_NEAR(g[i], want[i], tolerance) << "element " << i;
}

// ---- batch normalisation of f64[4,3,2] over axis 1 ----

constexpr std::int64_t kN = 4, kC = 3, kM = 2;
constexpr double kEpsilon = 0.01;

std::string norm(const std::string& op, const std::string& operands, const std::string& types,
                 const std::string& results) {
  return "\"stablehlo.batch_norm_" + op + "\"(" + operands +
         ") <{epsilon = 1.0e-02 : f32, feature_index = 1 : i64}> : (" + types + ") -> " + results + "\n";
}

const std::string kX = "tensor<4x3x2xf64>", kV = "tensor<3xf64>";

Function training() {
  return import("func.func @main(%x: " + kX + ", %s: " + kV + ", %o: " + kV + ") -> (" + kX + ", " + kV + ", " + kV +
                ") {\n  %0:3 = " +
                norm("training", "%x, %s, %o", kX + ", " + kV + ", " + kV, "(" + kX + ", " + kV + ", " + kV + ")") +
                "  return %0#0, %0#1, %0#2 : " + kX + ", " + kV + ", " + kV + "\n}\n");
}

std::size_t at(std::int64_t n, std::int64_t c, std::int64_t m) {
  return static_cast<std::size_t>((n * kC + c) * kM + m);
}

// y = scale * (x - mean) / sqrt(variance + epsilon) + offset
Doubles normalized(const Doubles& x, const Doubles& s, const Doubles& o, const Doubles& mean, const Doubles& variance) {
  Doubles y(x.size());
  for (std::int64_t n = 0; n < kN; ++n)
    for (std::int64_t c = 0; c < kC; ++c)
      for (std::int64_t m = 0; m < kM; ++m) {
        const auto f = static_cast<std::size_t>(c);
        y[at(n, c, m)] = s[f] * (x[at(n, c, m)] - mean[f]) / std::sqrt(variance[f] + kEpsilon) + o[f];
      }
  return y;
}

TEST(batch_norm, training_and_inference_are_the_formulas) {
  const Array x = filled({kN, kC, kM}, -1, 0.3), s = filled({kC}, 0.5, 0.4), o = filled({kC}, -0.2, 0.1);
  const Doubles xs = x.to_vector<double>();
  Doubles mean(kC, 0.0), variance(kC, 0.0);
  for (int pass = 0; pass < 2; ++pass)
    for (std::int64_t n = 0; n < kN; ++n)
      for (std::int64_t c = 0; c < kC; ++c)
        for (std::int64_t m = 0; m < kM; ++m) {
          const auto f = static_cast<std::size_t>(c);
          const double d = xs[at(n, c, m)] - mean[f];
          if (pass == 0)
            mean[f] += xs[at(n, c, m)];
          else
            variance[f] += d * d / (kN * kM);
          if (pass == 0 && n == kN - 1 && m == kM - 1) mean[f] /= kN * kM;
        }
  const std::vector<Array> got = training()(x, s, o);
  expect_near(got[0], normalized(xs, s.to_vector<double>(), o.to_vector<double>(), mean, variance), 1e-12);
  expect_near(got[1], mean, 1e-13);
  expect_near(got[2], variance, 1e-13);

  const Function inference = import(
      "func.func @main(%x: " + kX + ", %s: " + kV + ", %o: " + kV + ", %m: " + kV + ", %v: " + kV + ") -> " + kX +
      " {\n  %0 = " + norm("inference", "%x, %s, %o, %m, %v", kX + ", " + kV + ", " + kV + ", " + kV + ", " + kV, kX) +
      "  return %0 : " + kX + "\n}\n");
  const Array m = filled({kC}, 0.1, 0.2), v = filled({kC}, 0.3, 0.5);
  expect_near(
      inference(x, s, o, m, v)[0],
      normalized(xs, s.to_vector<double>(), o.to_vector<double>(), m.to_vector<double>(), v.to_vector<double>()),
      1e-12);
}

TEST(batch_norm, grad_is_the_derivative_of_training) {
  const Function f = training();
  const Array w = filled({kN, kC, kM}, 0.1, 0.17);
  const std::vector<Array> args{filled({kN, kC, kM}, -1, 0.3), filled({kC}, 0.5, 0.4), filled({kC}, -0.2, 0.1)};
  const auto loss = [&](const Array& x, const Array& s, const Array& o) {
    return np::sum(lax::multiply(f(x, s, o)[0], w));
  };

  const Function grad_op =
      import("func.func @main(%x: " + kX + ", %s: " + kV + ", %m: " + kV + ", %v: " + kV + ", %ct: " + kX + ") -> (" +
             kX + ", " + kV + ", " + kV + ") {\n  %0:3 = " +
             norm("grad", "%x, %s, %m, %v, %ct", kX + ", " + kV + ", " + kV + ", " + kV + ", " + kX,
                  "(" + kX + ", " + kV + ", " + kV + ")") +
             "  return %0#0, %0#1, %0#2 : " + kX + ", " + kV + ", " + kV + "\n}\n");
  const std::vector<Array> forward = f(args);
  const std::vector<Array> got = grad_op(args[0], args[1], forward[1], forward[2], w);

  const double h = 1e-5;
  for (std::size_t k = 0; k < args.size(); ++k) {
    Doubles differences;
    for (std::size_t i = 0; i < static_cast<std::size_t>(args[k].size()); ++i) {
      const auto moved = [&](double by) {
        Doubles v = args[k].to_vector<double>();
        v[i] += by;
        std::vector<Array> a = args;
        a[k] = lax::reshape(Array(v), args[k].shape());
        return loss(a[0], a[1], a[2]).item<double>();
      };
      differences.push_back((moved(h) - moved(-h)) / (2 * h));
    }
    SCOPED_TRACE("argument " + std::to_string(k));
    expect_near(got[k], differences, 1e-7);
    // And Weft's own derivative of the forward operation.
    const auto one = [&](const Array& v) {
      return loss(k == 0 ? v : args[0], k == 1 ? v : args[1], k == 2 ? v : args[2]);
    };
    expect_near(grad(one)(args[k]), got[k].to_vector<double>(), 1e-11);
  }
}

// ---- selecting ----

TEST(torch_index_select, picks_along_an_axis) {
  const Function rows = import(R"(
func.func @main(%x: tensor<4x3xf64>, %i: tensor<2x2xi32>) -> tensor<2x2x3xf64> {
  %0 = stablehlo.torch_index_select %x, %i, dim = 0, batch_dims = 0 : (tensor<4x3xf64>, tensor<2x2xi32>) -> tensor<2x2x3xf64>
  return %0 : tensor<2x2x3xf64>
})");
  const Array x = filled({4, 3}, 0, 1);
  const std::vector<std::int32_t> index{3, 0, 2, 2};
  const Doubles xs = x.to_vector<double>();
  Doubles want;
  for (const std::int32_t i : index)
    for (std::size_t c = 0; c < 3; ++c) want.push_back(xs[static_cast<std::size_t>(i) * 3 + c]);
  expect_near(rows(x, lax::reshape(Array(index), Dims{2, 2}))[0], want, 0);
}

TEST(torch_index_select, picks_for_each_of_a_batch) {
  // out[b, i, m] = x[b, index[b, i], m]
  const Function f = import(R"(
func.func @main(%x: tensor<2x3x4xf64>, %i: tensor<2x5xi32>) -> tensor<2x5x4xf64> {
  %0 = "stablehlo.torch_index_select"(%x, %i) <{dim = 1 : i64, batch_dims = 1 : i64}> : (tensor<2x3x4xf64>, tensor<2x5xi32>) -> tensor<2x5x4xf64>
  return %0 : tensor<2x5x4xf64>
})");
  const Array x = filled({2, 3, 4}, 0, 1);
  const std::vector<std::int32_t> index{0, 2, 1, 1, 0, 2, 2, 0, 1, 0};
  const Doubles xs = x.to_vector<double>();
  Doubles want;
  for (std::size_t b = 0; b < 2; ++b)
    for (std::size_t i = 0; i < 5; ++i)
      for (std::size_t m = 0; m < 4; ++m)
        want.push_back(xs[(b * 3 + static_cast<std::size_t>(index[b * 5 + i])) * 4 + m]);
  expect_near(f(x, lax::reshape(Array(index), Dims{2, 5}))[0], want, 0);
}

TEST(torch_index_select, axes_must_be_there) {
  EXPECT_THROW(import(R"(
func.func @main(%x: tensor<4x3xf64>, %i: tensor<2xi32>) -> tensor<2x3xf64> {
  %0 = stablehlo.torch_index_select %x, %i, dim = 2, batch_dims = 0 : (tensor<4x3xf64>, tensor<2xi32>) -> tensor<2x3xf64>
  return %0 : tensor<2x3xf64>
})"),
               ParseError);
}

// ---- einsum ----

Array einsum(const std::string& config, const Array& x, const std::string& from, const std::string& to) {
  return import("func.func @main(%x: " + from + ") -> " + to + " {\n  %0 = stablehlo.unary_einsum %x, config = \"" +
                config + "\" : (" + from + ") -> " + to + "\n  return %0 : " + to + "\n}\n")(x)[0];
}

TEST(unary_einsum, transposes_and_sums) {
  const Array x = filled({2, 3}, 0.5, 1);
  const Doubles v = x.to_vector<double>();
  expect_near(einsum("ab->ba", x, "tensor<2x3xf64>", "tensor<3x2xf64>"), {v[0], v[3], v[1], v[4], v[2], v[5]}, 0);
  expect_near(einsum("ab->b", x, "tensor<2x3xf64>", "tensor<3xf64>"), {v[0] + v[3], v[1] + v[4], v[2] + v[5]}, 1e-14);
  expect_near(einsum("ab->", x, "tensor<2x3xf64>", "tensor<f64>"), {v[0] + v[1] + v[2] + v[3] + v[4] + v[5]}, 1e-14);
}

TEST(unary_einsum, a_config_must_fit) {
  const Array x = filled({2, 3}, 0.5, 1);
  for (const char* config : {"", "ab", "ab->c", "aa->a", "abc->a", "ab,b->a", "a1->a", "->", "ab->aab"})
    EXPECT_THROW(einsum(config, x, "tensor<2x3xf64>", "tensor<2xf64>"), ParseError) << config;
}

// ---- sizes ----

std::string sized(int size, const std::string& result) {
  return "func.func @main(%x: tensor<2x3xf32>) -> " + result + " {\n  %0 = stablehlo.constant dense<" +
         std::to_string(size) +
         "> : tensor<i32>\n  %1 = stablehlo.set_dimension_size %x, %0, dim = 1 : (tensor<2x3xf32>, tensor<i32>) -> " +
         result + "\n  return %1 : " + result + "\n}\n";
}

TEST(set_dimension_size, the_size_that_is_there_changes_nothing) {
  const Array x = np::ones({2, 3});
  EXPECT_EQ(import(sized(3, "tensor<2x3xf32>"))(x)[0].to_vector<float>(), x.to_vector<float>());
}

TEST(set_dimension_size, another_size_is_refused) {
  for (const int size : {2, 4, -1}) {
    try {
      import(sized(size, "tensor<2x3xf32>"), {.source = "a.mlir"});
      FAIL() << "nothing was thrown";
    } catch (const ParseError& e) {
      EXPECT_EQ(
          e.message(),
          "a.mlir:3:8: stablehlo.set_dimension_size: the size must be that of the operand's axis, since shapes are "
          "static; got " +
              std::to_string(size) + " for axis 1 of f32[2,3].");
    }
  }
}

}  // namespace
}  // namespace weft::stablehlo
