// Samples of dot_general, the reductions, argmax, argmin and cumsum.
#include "samples/sample.h"
#include "weft/ir/contraction.h"

namespace weft::testing {

std::vector<Sample> contraction_samples() {
  using ir::make_params;
  std::vector<Sample> s;
  const auto dot = [&](std::string name, DotDimensionNumbers d, DType t, Dims a, Dims b, DType preferred) {
    const std::vector<int> smooth = is_inexact(t) && t == preferred ? std::vector<int>{0, 1} : std::vector<int>{};
    s.push_back({"dot_" + std::move(name), OpCode::kDotGeneral, make_params(DotGeneralParams{std::move(d), preferred}),
                 {{t, std::move(a)}, {t, std::move(b)}}, smooth});
  };
  for (const DType t : {f64, f32, c128, i32, bf16}) {
    const std::string suffix = "_" + std::string(name(t));
    dot("matrix" + suffix, {{1}, {0}, {}, {}}, t, {3, 4}, {4, 2}, t);
    dot("batch_in_the_middle" + suffix, {{0}, {2}, {1}, {0}}, t, {4, 2, 3}, {2, 5, 4}, t);
  }
  dot("vectors", {{0}, {0}, {}, {}}, f64, {5}, {5}, f64);
  dot("outer", {{}, {}, {}, {}}, f64, {2}, {3}, f64);
  dot("transposed_both", {{0}, {1}, {}, {}}, f64, {4, 3}, {2, 4}, f64);
  dot("two_contracted_crosswise", {{0, 2}, {2, 1}, {}, {}}, f64, {2, 3, 4}, {5, 4, 2}, f64);
  dot("two_batch", {{3}, {1}, {2, 0}, {0, 3}}, f64, {2, 3, 4, 5}, {4, 5, 2, 2}, f64);
  dot("two_contracted_crosswise_f32", {{0, 2}, {2, 1}, {}, {}}, f32, {2, 3, 4}, {5, 4, 2}, f32);
  dot("two_batch_f32", {{3}, {1}, {2, 0}, {0, 3}}, f32, {2, 3, 4, 5}, {4, 5, 2, 2}, f32);
  dot("nothing_contracted_is_zero", {{1}, {0}, {}, {}}, f64, {2, 0}, {0, 3}, f64);
  dot("bf16_into_f32", {{1}, {0}, {}, {}}, bf16, {2, 3}, {3, 2}, f32);
  dot("i8_into_i32", {{1}, {0}, {}, {}}, i8, {2, 3}, {3, 2}, i32);
  dot("large_f32", {{1}, {1}, {}, {}}, f32, {33, 70}, {41, 70}, f32);

  const auto reduce = [&](std::string name, ReduceKind kind, Dims axes, SampleOperand x, bool smooth, std::vector<double> expected = {}) {
    s.push_back({"reduce_" + std::move(name), OpCode::kReduce, make_params(ReduceParams{kind, std::move(axes)}), {std::move(x)},
                 smooth ? std::vector<int>{0} : std::vector<int>{}, std::move(expected)});
  };
  for (const DType t : {f64, f32, i32, f16, u8}) {
    const std::string suffix = "_" + std::string(name(t));
    for (const ReduceKind kind : {ReduceKind::kSum, ReduceKind::kProd, ReduceKind::kMax, ReduceKind::kMin}) {
      const std::string base = std::string(enum_names(kind)[static_cast<std::size_t>(kind)]) + suffix;
      reduce(base + "_last", kind, {1}, {t, {3, 4}}, is_float(t));
      reduce(base + "_first_and_last", kind, {0, 2}, {t, {2, 3, 2}}, is_float(t));
      reduce(base + "_all", kind, {0, 1}, {t, {3, 3}}, is_float(t));
    }
  }
  reduce("sum_complex", ReduceKind::kSum, {0}, {c128, {4, 2}}, true);
  reduce("prod_complex", ReduceKind::kProd, {0}, {c128, {3, 2}}, true);
  reduce("prod_with_zeros", ReduceKind::kProd, {1}, {f64, {2, 3}, 0, 0, {2, 0, 3, 0, 0, 5}}, true, {0, 0});
  reduce("sum_of_nothing", ReduceKind::kSum, {0}, {f64, {0, 2}}, true, {0, 0});
  reduce("prod_of_nothing", ReduceKind::kProd, {0}, {f64, {0, 2}}, true, {1, 1});
  reduce("max_of_nothing", ReduceKind::kMax, {0}, {i32, {0, 2}}, false, {-2147483648.0, -2147483648.0});
  reduce("and_i32", ReduceKind::kAnd, {0}, {i32, {3}, 0, 0, {7, 13, 5}}, false, {5});
  reduce("or_u8", ReduceKind::kOr, {0}, {u8, {3}, 0, 0, {1, 4, 16}}, false, {21});
  reduce("xor_i64", ReduceKind::kXor, {0}, {i64, {3}, 0, 0, {7, 13, 5}}, false, {15});
  reduce("and_bool", ReduceKind::kAnd, {1}, {boolean, {2, 2}, 0, 0, {1, 1, 0, 1}}, false, {1, 0});
  reduce("or_bool", ReduceKind::kOr, {1}, {boolean, {2, 2}, 0, 0, {0, 0, 0, 1}}, false, {0, 1});
  reduce("xor_bool", ReduceKind::kXor, {0}, {boolean, {3}, 0, 0, {1, 1, 1}}, false, {1});
  reduce("sum_long", ReduceKind::kSum, {0}, {f32, {5000}, 0.5, 2}, false);  // positive: nothing cancels

  const auto arg = [&](std::string name, OpCode op, std::int64_t axis, SampleOperand x, std::vector<double> expected = {}) {
    s.push_back({std::move(name), op, make_params(ArgReduceParams{axis, i32}), {std::move(x)}, {}, std::move(expected)});
  };
  arg("argmax_ties", OpCode::kArgmax, 0, {f32, {4}, 0, 0, {1, 3, 3, 2}}, {1});
  arg("argmin_ties", OpCode::kArgmin, 0, {i32, {4}, 0, 0, {5, 1, 1, 2}}, {1});
  arg("argmax_nan", OpCode::kArgmax, 0, {f64, {3}, 0, 0, {9, __builtin_nan(""), 10}}, {1});
  arg("argmin_nan", OpCode::kArgmin, 0, {f32, {3}, 0, 0, {9, __builtin_nan(""), -10}}, {1});
  arg("argmax_matrix", OpCode::kArgmax, 0, {f64, {3, 4}});
  arg("argmin_last", OpCode::kArgmin, 2, {bf16, {2, 2, 3}});
  arg("argmax_bool", OpCode::kArgmax, 0, {boolean, {3}, 0, 0, {0, 1, 1}}, {1});

  const auto cumsum = [&](std::string name, CumsumParams p, SampleOperand x, std::vector<double> expected = {}) {
    const bool smooth = is_inexact(x.dtype);
    s.push_back({"cumsum_" + std::move(name), OpCode::kCumsum, make_params(p), {std::move(x)}, smooth ? std::vector<int>{0} : std::vector<int>{},
                 std::move(expected)});
  };
  cumsum("values", {0, false}, {f64, {4}, 0, 0, {1, 2, 3, 4}}, {1, 3, 6, 10});
  cumsum("reversed", {0, true}, {i32, {4}, 0, 0, {0, 1, 2, 3}}, {6, 6, 5, 3});
  cumsum("middle", {1, false}, {f64, {2, 3, 2}});
  cumsum("complex", {0, true}, {c128, {3}});
  cumsum("f16", {0, false}, {f16, {5}});
  return s;
}

}  // namespace weft::testing
