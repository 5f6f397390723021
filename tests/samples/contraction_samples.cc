// Samples of dot_general, reduce, argmax, argmin and cumsum. Formulas are plain loops.
#include <algorithm>
#include <cmath>

#include "samples/sample.h"
#include "weft/ir/contraction.h"

namespace weft::testing {

namespace {

using Values = std::vector<double>;
using Formula = std::function<Values(const std::vector<Values>&)>;

// ---- dot_general ----

ir::Params dot(DotDimensionNumbers d, DType preferred) {
  return ir::make_params(DotGeneralParams{std::move(d), preferred});
}

// z[b, m, n] = sum_k x[b, m, k] y[b, k, n], all dense in this order.
Formula product_of_matrices(std::size_t batch, std::size_t m, std::size_t k, std::size_t n) {
  return [=](const std::vector<Values>& in) {
    Values z(batch * m * n);
    for (std::size_t b = 0; b < batch; ++b)
      for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < n; ++j)
          for (std::size_t l = 0; l < k; ++l)
            z[(b * m + i) * n + j] += in[0][(b * m + i) * k + l] * in[1][(b * k + l) * n + j];
    return z;
  };
}

void add_dot(std::vector<Sample>& out) {
  const auto add = [&](std::string name, DType t, Dims x, Dims y, DotDimensionNumbers d, Formula formula = {}) {
    Sample s{.name = "dot_general_" + name, .op = OpCode::kDotGeneral, .params = dot(std::move(d), t)};
    s.operands = {{t, std::move(x)}, {t, std::move(y)}};
    if (is_inexact(t) && byte_size(t) >= 4) s.smooth_in = {0, 1};
    s.tolerance = t == f64 ? 1e-13 : 1e-5;
    s.formula = std::move(formula);
    out.push_back(std::move(s));
  };
  const DotDimensionNumbers matrices{{1}, {0}, {}, {}}, batched{{2}, {1}, {0}, {0}};
  for (const DType t : {f64, f32}) {
    add("matrices_" + std::string(name(t)), t, {3, 4}, {4, 5}, matrices, product_of_matrices(1, 3, 4, 5));
    add("batched_" + std::string(name(t)), t, {2, 3, 4}, {2, 4, 3}, batched, product_of_matrices(2, 3, 4, 3));
  }
  for (const DType t : {f16, bf16, c64, c128}) add("matrices_" + std::string(name(t)), t, {2, 3}, {3, 4}, matrices);
  for (const DType t : {i8, i32, i64, u8, u32, boolean})
    add("matrices_" + std::string(name(t)), t, {2, 3}, {3, 4}, matrices);
  add("rhs_transposed", f64, {3, 4}, {5, 4}, {{1}, {1}, {}, {}});
  add("lhs_transposed", f64, {4, 3}, {4, 5}, {{0}, {0}, {}, {}});
  add("both_transposed", f64, {4, 3}, {5, 4}, {{0}, {1}, {}, {}});
  add("vectors", f64, {6}, {6}, {{0}, {0}, {}, {}}, product_of_matrices(1, 1, 6, 1));
  add("matrix_vector", f64, {3, 4}, {4}, matrices, product_of_matrices(1, 3, 4, 1));
  add("vector_matrix", f64, {4}, {4, 3}, {{0}, {0}, {}, {}}, product_of_matrices(1, 1, 4, 3));
  add("vector_tensor", f32, {4}, {2, 4, 3}, {{0}, {1}, {}, {}});
  add("outer", f64, {3}, {4}, {}, product_of_matrices(1, 3, 1, 4));
  add("scalars", f64, {}, {}, {});
  add("of_no_products", f64, {2, 0}, {0, 3}, matrices, product_of_matrices(1, 2, 0, 3));
  add("no_rows", f64, {0, 2}, {2, 3}, matrices);
  add("one_by_one", f64, {1, 1}, {1, 1}, matrices);
  add("batch_last", f64, {3, 4, 2}, {4, 5, 2}, {{1}, {0}, {2}, {2}});
  add("batch_axes_apart", f64, {2, 4, 3, 2}, {4, 2, 5, 3}, {{1}, {0}, {0, 2}, {1, 3}});
  add("batch_axes_crossed", f64, {2, 3, 4}, {3, 2, 4}, {{2}, {2}, {1, 0}, {0, 1}});
  add("batch_alone", f64, {3, 2}, {3, 2}, {{}, {}, {0, 1}, {0, 1}});
  add("two_contracting", f64, {2, 3, 4}, {4, 5, 3}, {{1, 2}, {2, 0}, {}, {}});
  add("contracting_in_falling_order", f64, {2, 3, 4}, {3, 4, 2}, {{2, 1}, {1, 0}, {}, {}});
  add("everything", f64, {2, 3, 2, 2, 2}, {2, 2, 3, 2, 3}, {{1, 3}, {4, 0}, {4, 0}, {1, 3}});
  add("larger_f32", f32, {17, 33}, {33, 9}, matrices, product_of_matrices(1, 17, 33, 9));
  add("larger_transposed_f32", f32, {33, 17}, {9, 33}, {{0}, {1}, {}, {}});

  const auto wider = [&](DType from, DType to, std::vector<int> smooth_in) {
    out.push_back({.name = "dot_general_" + std::string(name(from)) + "_summed_in_" + std::string(name(to)),
                   .op = OpCode::kDotGeneral,
                   .params = dot(matrices, to),
                   .operands = {{from, {2, 3}}, {from, {3, 2}}},
                   .smooth_in = std::move(smooth_in)});
  };
  wider(f16, f32, {});
  wider(bf16, f32, {});
  wider(f32, f64, {0, 1});
  wider(i8, i32, {});
  wider(u8, u32, {});
  wider(f32, c64, {});
}

// ---- reduce ----

// Folds the last axis, of size n.
Formula fold_last(std::size_t n, double start, double (*f)(double, double)) {
  return [=](const std::vector<Values>& in) {
    Values y(n ? in[0].size() / n : 0, start);
    for (std::size_t i = 0; i < in[0].size(); ++i) y[i / n] = f(y[i / n], in[0][i]);
    return y;
  };
}

void add_reduce(std::vector<Sample>& out) {
  const auto add = [&](std::string name, ReduceKind kind, DType t, Dims shape, Dims axes, double low = -2,
                       double high = 2, Formula formula = {}) {
    Sample s{.name = "reduce_" + std::string(enum_names(kind)[static_cast<std::size_t>(kind)]) + "_" + name,
             .op = OpCode::kReduce,
             .params = ir::make_params(ReduceParams{kind, std::move(axes)}),
             .operands = {{t, std::move(shape), low, high}}};
    if (is_inexact(t) && byte_size(t) >= 4) s.smooth_in = {0};
    s.tolerance = 1e-6;
    s.formula = std::move(formula);
    out.push_back(std::move(s));
  };
  using enum ReduceKind;
  constexpr double kInf = std::numeric_limits<double>::infinity();
  for (const ReduceKind kind : {kSum, kProd, kMax, kMin}) {
    const Formula last = kind == kSum    ? fold_last(4, 0, [](double a, double b) { return a + b; })
                         : kind == kProd ? fold_last(4, 1, [](double a, double b) { return a * b; })
                         : kind == kMax  ? fold_last(4, -kInf, [](double a, double b) { return std::max(a, b); })
                                         : fold_last(4, kInf, [](double a, double b) { return std::min(a, b); });
    add("f64", kind, f64, {3, 4}, {1}, -2, 2, last);
    add("f32", kind, f32, {2, 4}, {1}, -2, 2, last);
    add("first", kind, f64, {4, 3}, {0});
    add("middle", kind, f64, {2, 5, 3}, {1});
    add("outer_two", kind, f64, {2, 3, 4}, {0, 2});
    add("all", kind, f64, {2, 3}, {0, 1});
    add("vector", kind, f64, {7}, {0});
    add("one_element", kind, f64, {3, 1}, {1});
    add("no_elements", kind, f64, {3, 0}, {1});
    add("no_rows", kind, f64, {0, 3}, {1});
    add("c128", kind, c128, {2, 3}, {1});
    for (const DType t : {f16, bf16, c64}) add(std::string(name(t)), kind, t, {2, 3}, {0});
    for (const DType t : {i8, i32, u16, i64, boolean}) add(std::string(name(t)), kind, t, {2, 5}, {1}, -100, 100);
  }
  for (const ReduceKind kind : {kAnd, kOr, kXor}) {
    add("bool", kind, boolean, {3, 4}, {1});
    add("u8", kind, u8, {3, 4}, {0}, 0, 255);
    add("i32", kind, i32, {3, 4}, {0, 1}, -100, 100);
    add("no_elements", kind, i32, {2, 0}, {1});
  }
  // Products are smooth at zeros: one and two of them among the factors.
  out.push_back({.name = "reduce_prod_with_zeros",
                 .op = OpCode::kReduce,
                 .params = ir::make_params(ReduceParams{kProd, {1}}),
                 .operands = {{f64, {3, 3}, 0, 0, {2, 0, 3, 0, 0, 5, 2, 3, 4}}},
                 .smooth_in = {0},
                 .expected = {0, 0, 24}});
  const auto of_nothing = [&](ReduceKind kind, DType t, double expected) {
    out.push_back({.name = "reduce_" + std::string(enum_names(kind)[static_cast<std::size_t>(kind)]) + "_of_nothing_" +
                           std::string(name(t)),
                   .op = OpCode::kReduce,
                   .params = ir::make_params(ReduceParams{kind, {0}}),
                   .operands = {{t, {0, 2}}},
                   .expected = {expected, expected}});
  };
  for (const DType t : {f64, bf16, i32, u8}) {
    of_nothing(kSum, t, 0);
    of_nothing(kProd, t, 1);
  }
  of_nothing(kMax, f16, -kInf);
  of_nothing(kMin, f32, kInf);
  of_nothing(kMax, i32, -2147483648.0);
  of_nothing(kMin, i8, 127);
  of_nothing(kMax, u16, 0);
  of_nothing(kMin, boolean, 1);
  of_nothing(kAnd, u8, 255);
  of_nothing(kOr, i8, 0);
  of_nothing(kXor, boolean, 0);
  const auto bits = [&](ReduceKind kind, DType t, std::vector<double> values, double expected) {
    out.push_back({.name = "reduce_" + std::string(enum_names(kind)[static_cast<std::size_t>(kind)]) + "_known_" +
                           std::string(name(t)),
                   .op = OpCode::kReduce,
                   .params = ir::make_params(ReduceParams{kind, {0}}),
                   .operands = {{t, {3}, 0, 0, std::move(values)}},
                   .expected = {expected}});
  };
  bits(kAnd, i32, {7, 13, 5}, 5);
  bits(kOr, u8, {1, 4, 16}, 21);
  bits(kXor, i64, {7, 13, 5}, 15);
  bits(kXor, boolean, {1, 1, 1}, 1);
  bits(kSum, i8, {100, 100, 100}, 44);  // wraps
  bits(kSum, boolean, {0, 1, 1}, 1);
  out.push_back({.name = "reduce_max_of_nan",
                 .op = OpCode::kReduce,
                 .params = ir::make_params(ReduceParams{kMax, {1}}),
                 .operands = {{f32, {2, 3}, 0, 0, {1, std::nan(""), 3, 4, 6, 5}}},
                 .expected = {std::nan(""), 6}});
  out.push_back({.name = "reduce_sum_of_many",
                 .op = OpCode::kReduce,
                 .params = ir::make_params(ReduceParams{kSum, {0}}),
                 .operands = {{f32, {1000, 2}, 0, 1}},
                 .smooth_in = {0}});
}

// ---- argmax, argmin ----

void add_arg(std::vector<Sample>& out) {
  for (const OpCode op : {OpCode::kArgmax, OpCode::kArgmin}) {
    const bool max = op == OpCode::kArgmax;
    const auto add = [&](std::string name, SampleOperand x, std::int64_t axis, DType index,
                         std::vector<double> expected = {}) {
      out.push_back({.name = (max ? "argmax_" : "argmin_") + name,
                     .op = op,
                     .params = ir::make_params(ArgReduceParams{axis, index}),
                     .operands = {std::move(x)},
                     .expected = std::move(expected)});
    };
    for (const DType t : {f64, f32, f16, bf16, i32, u8}) add(std::string(name(t)), {t, {3, 5}, 0, 100}, 1, i32);
    add("first", {f64, {4, 3}}, 0, i64);
    add("middle", {f64, {2, 4, 3}}, 1, i32);
    add("vector", {f32, {5}}, 0, u8);
    add("one_element", {f32, {3, 1}}, 1, i32);
    add("no_rows", {f32, {0, 3}}, 1, i32);
    add("bool", {boolean, {2, 4}, 0, 1, {0, 1, 1, 0, 1, 1, 0, 1}}, 1, i32,
        max ? std::vector<double>{1, 0} : std::vector<double>{0, 2});
    add("ties", {f32, {2, 4}, 0, 0, {3, 1, 3, 1, 1, 2, 1, 2}}, 1, i32,
        max ? std::vector<double>{0, 1} : std::vector<double>{1, 0});
    add("nan", {f32, {4}, 0, 0, {1, 5, std::nan(""), 0}}, 0, i32, {2});
  }
}

// ---- cumsum ----

void add_cumsum(std::vector<Sample>& out) {
  const auto add = [&](std::string name, DType t, Dims shape, std::int64_t axis, bool reverse,
                       std::vector<double> values = {}, std::vector<double> expected = {}) {
    Sample s{.name = "cumsum_" + name,
             .op = OpCode::kCumsum,
             .params = ir::make_params(CumsumParams{axis, reverse}),
             .operands = {{t, std::move(shape), -9, 9, std::move(values)}},
             .expected = std::move(expected)};
    if (is_inexact(t) && byte_size(t) >= 4) s.smooth_in = {0};
    out.push_back(std::move(s));
  };
  for (const DType t : {f64, f32, f16, bf16, c64, c128, i32, i8, u16}) add(std::string(name(t)), t, {2, 5}, 1, false);
  add("reverse", f64, {2, 5}, 1, true);
  add("first", f64, {4, 3}, 0, false);
  add("middle", f64, {2, 4, 3}, 1, true);
  add("one_element", f64, {3, 1}, 1, false);
  add("no_elements", f64, {3, 0}, 1, false);
  add("known", f64, {4}, 0, false, {1, 2, 4, 8}, {1, 3, 7, 15});
  add("known_reverse", f64, {4}, 0, true, {1, 2, 4, 8}, {15, 14, 12, 8});
}

}  // namespace

std::vector<Sample> contraction_samples() {
  std::vector<Sample> out;
  add_dot(out);
  add_reduce(out);
  add_arg(out);
  add_cumsum(out);
  return out;
}

}  // namespace weft::testing
