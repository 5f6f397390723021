// Samples of fft, cholesky, triangular_solve, top_k, rng and rng_bit_generator.
#include <cmath>
#include <complex>
#include <numbers>

#include "samples/sample.h"
#include "weft/ir/indexing.h"
#include "weft/ir/linalg.h"
#include "weft/ir/random.h"

namespace weft::testing {

namespace {

using Values = std::vector<double>;
using Complex = std::complex<double>;

// ---- fft ----

// y[k] = sum_j x[j] e^(sign 2 pi i j k / n), by definition, over each row of the last axis.
std::vector<Complex> slow_transform(const std::vector<Complex>& x, std::size_t n, double sign) {
  std::vector<Complex> y(x.size());
  for (std::size_t row = 0; row < x.size(); row += n)
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t j = 0; j < n; ++j)
        y[row + k] += x[row + j] * std::polar(1.0, sign * 2 * std::numbers::pi * static_cast<double>(j * k % n) /
                                                       static_cast<double>(n));
  return y;
}

// The formula of a transform of the last axis alone.
std::function<Values(const std::vector<Values>&)> fft_by_definition(FftType type, std::size_t n) {
  return [=](const std::vector<Values>& in) {
    const bool real_in = type == FftType::kRfft, real_out = type == FftType::kIrfft;
    const bool inverse = type == FftType::kIfft || real_out;
    std::vector<Complex> x;
    for (std::size_t i = 0; i < in[0].size(); i += real_in ? 1 : 2)
      x.emplace_back(in[0][i], real_in ? 0 : in[0][i + 1]);
    const std::size_t half = n / 2 + 1;
    if (real_out) {
      std::vector<Complex> whole;
      for (std::size_t row = 0; row < x.size(); row += half)
        for (std::size_t k = 0; k < n; ++k) {
          Complex v = k < half ? x[row + k] : std::conj(x[row + n - k]);
          if (k == 0 || 2 * k == n) v = v.real();
          whole.push_back(v);
        }
      x = whole;
    }
    std::vector<Complex> y = slow_transform(x, n, inverse ? 1 : -1);
    Values r;
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (real_in && i % n >= half) continue;
      const Complex v = inverse ? y[i] / static_cast<double>(n) : y[i];
      r.push_back(v.real());
      if (!real_out) r.push_back(v.imag());
    }
    return r;
  };
}

void add_fft(std::vector<Sample>& out) {
  const auto add = [&](std::string name, FftType type, DType t, Dims shape, Dims lengths, bool by_definition) {
    Sample s{.name = std::string(enum_names(type)[static_cast<std::size_t>(type)]) + "_" + std::move(name),
             .op = OpCode::kFft,
             .params = ir::make_params(FftParams{type, lengths}),
             .operands = {{t, std::move(shape)}},
             .smooth_in = {0}};
    for (char& c : s.name) c = static_cast<char>(c | 32 * (c >= 'A' && c <= 'Z'));
    s.name = "fft_" + s.name;
    if (by_definition) s.formula = fft_by_definition(type, static_cast<std::size_t>(lengths.back()));
    s.tolerance = t == f64 || t == c128 ? 1e-13 : 2e-6;
    out.push_back(std::move(s));
  };
  for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 30, 37}) {
    const std::string line = "of_" + std::to_string(n);
    add(line, FftType::kFft, c128, {n}, {n}, true);
    add(line, FftType::kIfft, c128, {n}, {n}, true);
    add(line, FftType::kRfft, f64, {n}, {n}, true);
    add(line, FftType::kIrfft, c128, {n / 2 + 1}, {n}, true);
  }
  add("rows", FftType::kFft, c128, {3, 6}, {6}, true);
  add("rows", FftType::kIrfft, c128, {2, 4}, {6}, true);
  add("c64", FftType::kFft, c64, {2, 5}, {5}, true);
  add("c64", FftType::kIfft, c64, {2, 6}, {6}, true);
  add("f32", FftType::kRfft, f32, {2, 6}, {6}, true);
  add("c64", FftType::kIrfft, c64, {2, 3}, {5}, true);
  add("f32_of_17", FftType::kRfft, f32, {3, 17}, {17}, true);
  out.back().tolerance = 1e-5;  // primes are computed in f32, the others in double
  add("image", FftType::kFft, c128, {3, 4}, {3, 4}, false);
  add("image", FftType::kIfft, c128, {2, 2, 3}, {2, 3}, false);
  add("image", FftType::kRfft, f64, {3, 4}, {3, 4}, false);
  add("image", FftType::kIrfft, c128, {2, 3, 3}, {3, 5}, false);
  add("volume", FftType::kFft, c128, {2, 3, 2}, {2, 3, 2}, false);
  add("volume", FftType::kRfft, f64, {2, 2, 3, 4}, {2, 3, 4}, false);
  add("volume", FftType::kIrfft, c128, {2, 3, 3}, {2, 3, 4}, false);
  add("no_rows", FftType::kFft, c64, {0, 4}, {4}, false);
  add("no_rows", FftType::kRfft, f32, {0, 5}, {5}, false);
  add("no_elements", FftType::kFft, c128, {2, 0}, {0}, false);
  add("no_elements", FftType::kRfft, f64, {2, 0}, {0}, false);
  add("no_elements", FftType::kIrfft, c128, {2, 0}, {0}, false);
}

// ---- matrices ----

// Two of them, both with a dominant diagonal: their triangles are well conditioned, and those of a Hermitian matrix
// make it positive definite. Of complex, with imaginary parts.
Values matrices(std::size_t n, bool complex) {
  Values v;
  for (std::size_t m = 0; m < 2; ++m)
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) {
        const double off = 0.3 * std::sin(static_cast<double>(7 * i + 3 * j + 5 * m + 1));
        v.push_back(i == j ? 2 + 0.5 * static_cast<double>(i) + 0.25 * static_cast<double>(m) : off);
        if (complex) v.push_back(0.3 * std::cos(static_cast<double>(5 * i + 2 * j + 3 * m + 1)));
      }
  return v;
}

void add_cholesky(std::vector<Sample>& out) {
  const auto add = [&](std::string name, DType t, Dims examples, std::int64_t n, bool lower) {
    Dims shape = std::move(examples);
    shape.push_back(n);
    shape.push_back(n);
    Sample s{.name = "cholesky_" + std::move(name),
             .op = OpCode::kCholesky,
             .params = ir::make_params(CholeskyParams{lower}),
             .operands = {{t, std::move(shape), 0, 0, matrices(static_cast<std::size_t>(n), is_complex(t))}}};
    if (byte_size(t) >= 4) s.smooth_in = {0};
    out.push_back(std::move(s));
  };
  for (const DType t : {f64, f32, f16, bf16, c64, c128}) {
    add("lower_" + std::string(name(t)), t, {}, 3, true);
    add("upper_" + std::string(name(t)), t, {}, 3, false);
  }
  add("batched", f64, {2, 2}, 2, true);
  add("one_by_one", f64, {}, 1, true);
  add("of_five", f64, {}, 5, true);
  add("of_nothing", f64, {2}, 0, true);
  add("no_examples", f64, {0}, 3, false);
  const auto known = [&](std::string name, bool lower, Values a, Values expected) {
    out.push_back({.name = "cholesky_" + std::move(name),
                   .op = OpCode::kCholesky,
                   .params = ir::make_params(CholeskyParams{lower}),
                   .operands = {{f64, {2, 2}, 0, 0, std::move(a)}},
                   .expected = std::move(expected)});
  };
  const double nan = std::nan("");
  known("reads_the_lower_triangle", true, {4, nan, 2, 10}, {2, 0, 1, 3});
  known("reads_the_upper_triangle", false, {4, 2, nan, 10}, {2, 1, 0, 3});
  known("not_positive", true, {4, 2, 2, 1}, {nan, 0, nan, nan});
}

void add_triangular_solve(std::vector<Sample>& out) {
  const auto add = [&](std::string name, DType t, Dims examples, std::int64_t n, std::int64_t columns,
                       TriangularSolveParams p) {
    Dims a = examples, b = std::move(examples);
    a.push_back(n);
    a.push_back(n);
    b.push_back(p.left_side ? n : columns);
    b.push_back(p.left_side ? columns : n);
    Sample s{
        .name = "triangular_solve_" + std::move(name),
        .op = OpCode::kTriangularSolve,
        .params = ir::make_params(p),
        .operands = {{t, std::move(a), 0, 0, matrices(static_cast<std::size_t>(n), is_complex(t))}, {t, std::move(b)}}};
    if (byte_size(t) >= 4) s.smooth_in = {0, 1};
    out.push_back(std::move(s));
  };
  for (const bool left : {true, false})
    for (const bool lower : {true, false})
      for (const bool unit : {false, true})
        for (const TransposeA transpose : {TransposeA::kNoTranspose, TransposeA::kTranspose, TransposeA::kAdjoint}) {
          const TriangularSolveParams p{left, lower, unit, transpose};
          const std::string name = std::string(left ? "left" : "right") + (lower ? "_lower" : "_upper") +
                                   (unit ? "_unit" : "") +
                                   (transpose == TransposeA::kNoTranspose ? ""
                                    : transpose == TransposeA::kTranspose ? "_t"
                                                                          : "_h");
          add(name, f64, {}, 3, 2, p);
          add(name + "_c128", c128, {}, 2, 3, p);
        }
  for (const DType t : {f32, f16, bf16, c64}) add(std::string(name(t)), t, {}, 3, 2, {});
  add("batched", f64, {2, 2}, 2, 3, {});
  add("batched_right", f64, {2}, 3, 2, {.left_side = false, .lower = false});
  add("one_by_one", f64, {}, 1, 1, {});
  add("of_nothing", f64, {}, 0, 2, {});
  add("no_columns", f64, {2}, 2, 0, {});
  add("no_examples", f64, {0}, 2, 2, {});
  out.push_back({.name = "triangular_solve_known",
                 .op = OpCode::kTriangularSolve,
                 .params = ir::make_params(TriangularSolveParams{}),
                 .operands = {{f64, {2, 2}, 0, 0, {2, std::nan(""), 1, 4}}, {f64, {2, 1}, 0, 0, {6, 11}}},
                 .expected = {3, 2}});
}

// ---- top_k ----

void add_top_k(std::vector<Sample>& out) {
  const auto add = [&](std::string name, SampleOperand x, std::int64_t k, Values expected = {},
                       std::size_t known_result = 0) {
    Sample s{.name = "top_k_" + std::move(name),
             .op = OpCode::kTopK,
             .params = ir::make_params(TopKParams{k}),
             .operands = {std::move(x)},
             .expected = std::move(expected),
             .known_result = known_result};
    const DType t = s.operands[0].dtype;
    if (s.operands[0].values.empty() && is_inexact(t) && byte_size(t) >= 4) s.smooth_in = {0};
    out.push_back(std::move(s));
  };
  for (const DType t : {f64, f32, f16, bf16, i8, i32, u16, u64, boolean})
    add(std::string(name(t)), {t, {3, 5}, is_unsigned(t) ? 0.0 : -50.0, 50}, 3);
  add("vector", {f64, {6}}, 2);
  add("all", {f64, {2, 2, 4}}, 4);
  add("none", {f64, {2, 3}}, 0);
  add("no_rows", {f64, {0, 3}}, 2);
  add("no_elements", {f64, {2, 0}}, 0);
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  add("known", {f32, {6}, 0, 0, {1, 5, 3, 5, -inf, 4}}, 4, {5, 5, 4, 3});
  add("first_of_ties", {f32, {6}, 0, 0, {1, 5, 3, 5, 4, 5}}, 4, {1, 3, 5, 4}, 1);
  add("nan_is_largest", {f32, {5}, 0, 0, {1, nan, inf, nan, 2}}, 4, {1, 3, 2, 4}, 1);
  for (const DType t : {f32, f64, bf16})
    add("in_total_order_" + std::string(name(t)), {t, {5}, 0, 0, {-nan, -inf, -0.0, 0.0, nan}}, 5, {4, 3, 2, 1, 0}, 1);
}

// ---- random numbers ----

// What is drawn differs from call to call, so these distributions have one value (a, when b is not larger);
// tests/ops/rng_test.cc has others.
void add_rng(std::vector<Sample>& out) {
  const auto add = [&](std::string name, RngDistribution distribution, DType t, Dims examples, Dims shape, Values a,
                       Values b) {
    out.push_back({.name = "rng_" + std::move(name),
                   .op = OpCode::kRng,
                   .params = ir::make_params(RngParams{distribution, std::move(shape)}),
                   .operands = {{t, examples, 0, 0, std::move(a)}, {t, examples, 0, 0, std::move(b)}}});
  };
  for (const DType t : {i8, i32, u16, u64, i64})
    add("uniform_" + std::string(name(t)), RngDistribution::kUniform, t, {}, {2, 3}, {3, 5, 7}, {4, 2, 1});
  for (const DType t : {f16, bf16, f32, f64}) {
    add("uniform_" + std::string(name(t)), RngDistribution::kUniform, t, {}, {3}, {1.5, 2.5}, {1.5, 1});
    add("normal_" + std::string(name(t)), RngDistribution::kNormal, t, {}, {2, 2}, {1.5, -2.5}, {0});
  }
  add("uniform_bool", RngDistribution::kUniform, boolean, {}, {4}, {1}, {1});
  add("examples", RngDistribution::kUniform, i32, {2, 2}, {3}, {1, 3, 5, 7}, {2});
  add("scalar", RngDistribution::kUniform, f32, {}, {}, {2}, {2});
  add("nothing", RngDistribution::kNormal, f32, {}, {2, 0}, {0}, {1});
}

void add_bits(std::vector<Sample>& out) {
  const auto add = [&](std::string name, RngAlgorithm algorithm, DType state, Dims state_shape, DType t, Dims shape,
                       Values expected = {}) {
    out.push_back({.name = "rng_bit_generator_" + std::move(name),
                   .op = OpCode::kRngBitGenerator,
                   .params = ir::make_params(RngBitGeneratorParams{algorithm, t, std::move(shape)}),
                   .operands = {{state, std::move(state_shape), 0, 1000}},
                   .expected = std::move(expected),
                   .known_result = 1});
  };
  for (const DType t : {i8, u8, i16, u16, i32, u32, i64, u64, f16, f32, f64}) {
    add("three_fry_" + std::string(name(t)), RngAlgorithm::kThreeFry, u64, {2}, t, {3, 4});
    add("philox_" + std::string(name(t)), RngAlgorithm::kPhilox, u64, {2}, t, {3, 3});
  }
  add("default", RngAlgorithm::kDefault, u64, {3}, u32, {5});
  add("philox_of_three_words", RngAlgorithm::kPhilox, u64, {3}, u64, {5});
  add("three_fry_of_u32", RngAlgorithm::kThreeFry, u32, {4}, u32, {5, 3});
  add("philox_of_u32", RngAlgorithm::kPhilox, u32, {4}, u32, {2, 3});
  add("examples", RngAlgorithm::kPhilox, u64, {2, 3, 2}, u32, {5});
  add("scalar", RngAlgorithm::kThreeFry, u64, {2}, u32, {});
  add("nothing", RngAlgorithm::kThreeFry, u64, {2}, u32, {3, 0});
}

}  // namespace

std::vector<Sample> linalg_samples() {
  std::vector<Sample> out;
  add_fft(out);
  add_cholesky(out);
  add_triangular_solve(out);
  add_top_k(out);
  add_rng(out);
  add_bits(out);
  return out;
}

}  // namespace weft::testing
