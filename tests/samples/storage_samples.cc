// Samples of storage types (small floats, 2- and 4-bit integers) through every family of operations, and of bitcasts to
// other widths. They are exact, so all their known values are too.
#include <cmath>
#include <limits>

#include "samples/sample.h"
#include "weft/ir/contraction.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/indexing.h"
#include "weft/ir/shape.h"

namespace weft::testing {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

constexpr DType kStorage[] = {
    i2,     i4,     u2,        u4,       f8e4m3fn, f8e5m2,  f8e4m3fnuz, f8e5m2fnuz, f8e4m3b11fnuz,
    f8e4m3, f8e3m4, f8e8m0fnu, f6e2m3fn, f6e3m2fn, f4e2m1fn};
// One of each kind, for operations that treat the kinds alike.
constexpr DType kSome[] = {i4, u2, f8e4m3fn, f8e5m2fnuz, f6e3m2fn, f4e2m1fn};

std::string join(std::string_view a, DType t, std::string_view b = {}) {
  return "storage_" + std::string(a) + "_" + std::string(name(t)) + std::string(b);
}

SampleOperand some(DType t, Dims shape) {
  return t == f8e8m0fnu ? SampleOperand{t, std::move(shape), 0.25, 8} : SampleOperand{t, std::move(shape), -3, 3};
}

// So small that no partial sum or product leaves the range of a format.
SampleOperand moderate(DType t, Dims shape) {
  return is_float(t) ? SampleOperand{t, std::move(shape), -1, 1} : some(t, std::move(shape));
}

// An operation of one operand type on given values, and its results.
void add_known(std::vector<Sample>& out, OpCode op, DType t, std::vector<std::vector<double>> values,
               std::vector<double> expected, ir::Params params = {}, std::string_view suffix = {}) {
  Sample s{.name = join(ir::op_name(op), t, suffix), .op = op, .params = std::move(params)};
  for (std::vector<double>& v : values) {
    const auto n = static_cast<std::int64_t>(v.size());
    s.operands.push_back({t, {n}, 0, 0, std::move(v)});
  }
  s.expected = std::move(expected);
  s.tolerance = 0;
  out.push_back(std::move(s));
}

void add_arithmetic(std::vector<Sample>& out) {
  // Integers wrap at their own width.
  add_known(out, OpCode::kAdd, i2, {{1, 0, -1, -2}, {-1, 1, 1, 1}}, {0, 1, 0, -1});
  add_known(out, OpCode::kAdd, i4, {{0, 1, 2, -3, 7}, {-8, -1, 2, -3, 1}}, {-8, 0, 4, -6, -8});
  add_known(out, OpCode::kAdd, u4, {{0, 2, 15}, {15, 3, 2}}, {15, 5, 1});
  add_known(out, OpCode::kSubtract, u2, {{0, 2}, {1, 1}}, {3, 1});
  add_known(out, OpCode::kMultiply, i4, {{3, 7, -8}, {3, 7, -1}}, {-7, 1, -8});
  add_known(out, OpCode::kDivide, i4, {{7, -7, 5, -8}, {2, 2, 0, -1}}, {3, -3, -1, -8});
  add_known(out, OpCode::kDivide, u4, {{15, 7}, {4, 0}}, {3, 15});
  add_known(out, OpCode::kRemainder, i4, {{7, -7, 5, -8}, {2, 2, 0, -1}}, {1, -1, 5, 0});
  add_known(out, OpCode::kPower, i4, {{2, 3, 2, -1}, {2, 2, -1, -3}}, {4, -7, 0, -1});
  add_known(out, OpCode::kNegate, i4, {{7, 0, -8}}, {-7, 0, -8});
  add_known(out, OpCode::kNegate, u4, {{1, 0, 15}}, {15, 0, 1});
  add_known(out, OpCode::kAbs, i2, {{-2, -1, 0, 1}}, {-2, 1, 0, 1});
  add_known(out, OpCode::kSign, i4, {{-8, 0, 7}}, {-1, 0, 1});
  add_known(out, OpCode::kMaximum, i4, {{-8, 7, 1}, {-7, -1, 1}}, {-7, 7, 1});
  add_known(out, OpCode::kMinimum, u4, {{15, 0}, {1, 3}}, {1, 0});
  // Bits.
  add_known(out, OpCode::kNot, i4, {{0, -1, 5}}, {-1, 0, -6});
  add_known(out, OpCode::kNot, u2, {{0, 1, 3}}, {3, 2, 0});
  add_known(out, OpCode::kAnd, i4, {{-4, 7}, {6, 5}}, {4, 5});
  add_known(out, OpCode::kOr, u4, {{8, 1}, {3, 1}}, {11, 1});
  add_known(out, OpCode::kXor, i4, {{-1, 7}, {5, -8}}, {-6, -1});
  add_known(out, OpCode::kPopcnt, i4, {{-1, 0, 7, -8}}, {4, 0, 3, 1});
  add_known(out, OpCode::kPopcnt, u2, {{0, 1, 3}}, {0, 1, 2});
  add_known(out, OpCode::kCountLeadingZeros, i4, {{0, 1, 7, -1}}, {4, 3, 1, 0});
  add_known(out, OpCode::kCountLeadingZeros, u2, {{0, 1, 2}}, {2, 1, 0});
  add_known(out, OpCode::kShiftLeft, i4, {{3, -1, 1, 1}, {1, 2, 3, 4}}, {6, -4, -8, 0});
  add_known(out, OpCode::kShiftRightLogical, i4, {{-1, -8, 7, -1}, {1, 3, 1, 4}}, {7, 1, 3, 0});
  add_known(out, OpCode::kShiftRightArithmetic, i4, {{-8, -1, 7, -8}, {1, 2, 1, 7}}, {-4, -1, 3, -1});
  add_known(out, OpCode::kShiftRightArithmetic, u4, {{8, 15}, {1, 5}}, {12, 15});
  // Floats round once, from float.
  add_known(out, OpCode::kAdd, f8e4m3fn, {{1, 1, 448, 448}, {0.0625, 0.1875, 16, 32}}, {1, 1.25, 448, kNan});
  add_known(out, OpCode::kAdd, f8e5m2, {{1, 57344, 57344}, {0.125, 2048, 4096}}, {1, 57344, kInf});
  add_known(out, OpCode::kMultiply, f4e2m1fn, {{1.5, 6, -6, 0.5}, {1.5, 6, 2, 0.5}}, {2, 6, -6, 0});
  add_known(out, OpCode::kMultiply, f8e8m0fnu, {{2, 0.5, 0x1p100}, {8, 0.25, 0x1p100}}, {16, 0.125, kNan});
  add_known(out, OpCode::kDivide, f8e4m3fnuz, {{1, 3, 1}, {3, 2, 0}}, {0.34375, 1.5, kNan});
  add_known(out, OpCode::kSqrt, f6e3m2fn, {{4, 2, 0.25}}, {2, 1.5, 0.5});
  add_known(out, OpCode::kMaximum, f8e4m3fn, {{1, kNan, -0.0}, {2, 1, 0}}, {2, kNan, 0});
  add_known(out, OpCode::kExponential, f8e5m2, {{0, 1, -kInf}}, {1, 2.5, 0});
  add_known(out, OpCode::kFloor, f8e3m4, {{1.75, -0.5}}, {1, -1});
  add_known(out, OpCode::kIsFinite, f8e5m2, {{1, kInf, kNan}}, {1, 0, 0});
  add_known(out, OpCode::kNextAfter, f8e4m3fn, {{1, 1, 0, 0, -1, 448}, {2, 0, 1, -1, 0, 448}},
            {1.125, 0.9375, 0x1p-9, -0x1p-9, -0.9375, 448});
  add_known(out, OpCode::kNextAfter, f8e5m2, {{57344, kInf, 1, kNan}, {kInf, 0, kNan, 1}}, {kInf, 57344, kNan, kNan});
  add_known(out, OpCode::kNextAfter, f8e4m3fnuz, {{-0x1p-10, 0x1p-10, 0}, {1, -1, -1}}, {0, 0, -0x1p-10});
  add_known(out, OpCode::kNextAfter, f8e8m0fnu, {{1, 1}, {8, 0.125}}, {2, 0.5});
  add_known(out, OpCode::kReducePrecision, f8e3m4, {{1.0625, 1.1875, 13}}, {1, 1.25, 12},
            ir::make_params(ReducePrecisionParams{5, 2}));
}

void add_comparisons(std::vector<Sample>& out) {
  using enum ComparisonDirection;
  const auto compare = [&](ComparisonDirection d) { return ir::make_params(CompareParams{d}); };
  add_known(out, OpCode::kCompare, i4, {{-8, 1, 7}, {7, 1, -8}}, {1, 0, 0}, compare(kLt), "_lt");
  add_known(out, OpCode::kCompare, u4, {{15, 1, 7}, {7, 1, 8}}, {1, 1, 0}, compare(kTotalGe), "_ge_to");
  add_known(out, OpCode::kCompare, f8e4m3fn, {{1, kNan, -0.0}, {1, kNan, 0}}, {1, 0, 1}, compare(kEq), "_eq");
  add_known(out, OpCode::kCompare, f8e5m2, {{-0.0, kNan, kInf, 1}, {0, kInf, kNan, 1}}, {1, 0, 1, 0}, compare(kTotalLt),
            "_lt_to");
  // IEEE's total order: -NaN < -inf < -1 < -0 < 0 < 1 < inf < NaN.
  const std::vector<double> ordered{-kNan, -kInf, -1, -0.0, 0, 1, kInf, kNan};
  std::vector<double> left, right;
  for (const double x : ordered)
    for (const double y : ordered) {
      left.push_back(x);
      right.push_back(y);
    }
  for (const auto& [d, suffix] :
       {std::pair{kTotalEq, "eq_to"}, std::pair{kTotalNe, "ne_to"}, std::pair{kTotalGe, "ge_to"},
        std::pair{kTotalGt, "gt_to"}, std::pair{kTotalLe, "le_to"}, std::pair{kTotalLt, "lt_to"}}) {
    std::vector<double> expected;
    for (std::size_t i = 0; i < ordered.size(); ++i)
      for (std::size_t j = 0; j < ordered.size(); ++j)
        expected.push_back(d == kTotalEq   ? i == j
                           : d == kTotalNe ? i != j
                           : d == kTotalGe ? i >= j
                           : d == kTotalGt ? i > j
                           : d == kTotalLe ? i <= j
                                           : i < j);
    for (const DType t : {f16, bf16, f32, f64, f8e4m3})
      add_known(out, OpCode::kCompare, t, {left, right}, expected, compare(d), "_total_" + std::string(suffix));
    for (const DType t : {i32, u8, boolean})
      out.push_back({.name = join("compare_total", t, "_" + std::string(suffix)),
                     .op = OpCode::kCompare,
                     .params = compare(d),
                     .operands = {{t, {2, 3}, 0, 3}, {t, {2, 3}, 0, 3}}});
  }
  for (const DType t : kSome) {
    out.push_back({.name = join("clamp", t),
                   .op = OpCode::kClamp,
                   .operands = {{t, {}, 0, 0, {0}}, {t, {5}, -3, 3}, {t, {}, 0, 0, {1}}}});
    out.push_back({.name = join("select", t),
                   .op = OpCode::kSelect,
                   .operands = {{boolean, {2, 3}, 0, 1}, {t, {2, 3}, -3, 3}, {t, {2, 3}, -3, 3}}});
  }
}

void add_conversions(std::vector<Sample>& out) {
  const auto convert = [&](DType from, DType to) {
    out.push_back({.name = join("convert", from, "_to_" + std::string(name(to))),
                   .op = OpCode::kConvert,
                   .params = ir::make_params(ConvertParams{to}),
                   .operands = {some(from, {7})}});
  };
  for (const DType t : kStorage) {
    for (const DType other : {boolean, i8, u64, bf16, f32, f64, c64}) {
      convert(t, other);
      convert(other, t);
    }
    convert(t, t);
    if (t != f8e4m3fn) convert(t, f8e4m3fn);
    if (t != i4) convert(t, i4);
  }
  const auto known = [&](DType from, DType to, std::vector<double> x, std::vector<double> y, const char* suffix = "") {
    add_known(out, OpCode::kConvert, from, {std::move(x)}, std::move(y), ir::make_params(ConvertParams{to}),
              "_known_" + std::string(name(to)) + suffix);
  };
  known(f32, i4, {7.9, 8, 100, -8.9, -100, kNan, kInf}, {7, 7, 7, -8, -8, 0, 7});
  known(f64, u2, {2.9, 3, 4, -0.5, -1, kNan, -kInf}, {2, 3, 3, 0, 0, 0, 0});
  known(i32, i4, {7, 8, 15, 16, -9}, {7, -8, -1, 0, 7});
  known(i64, u4, {15, 16, -1}, {15, 0, 15});
  known(i4, u4, {-1, 7, -8}, {15, 7, 8});
  known(u4, i4, {15, 7, 8}, {-1, 7, -8});
  known(f64, f8e4m3fn, {1.0625, 1.0625 + 0x1p-40, 464, 465, kInf}, {1, 1.125, 448, kNan, kNan});
  known(f32, f8e5m2, {61439, 61440, -kInf, 0x1p-17, 0x1.8p-17}, {57344, kInf, -kInf, 0, 0x1p-16});
  known(f64, f4e2m1fn, {0.25, 0.75, 2.5, 5, 7, kInf}, {0, 1, 2, 4, 6, 6});
  known(f32, f8e8m0fnu, {1, 3, 0, -1, 0x1p-130f}, {1, 4, kNan, kNan, 0x1p-127});
  known(i64, f8e8m0fnu, {0x1p41, 3 * 0x1p40 - 1, 3}, {0x1p41, 0x1p41, 4});
  known(f8e5m2, f8e4m3fn, {1.25, 57344, kInf, 0x1p-16}, {1.25, kNan, kNan, 0});
  known(f8e4m3fn, f8e5m2, {1.125, 1.375, 448, kNan}, {1, 1.5, 448, kNan});
  known(f8e5m2, boolean, {0, -0.0, 1, kNan}, {0, 0, 1, 1});
  known(boolean, f4e2m1fn, {0, 1}, {0, 1});
  known(c64, f8e5m2, {1.5, 9, -2, 7}, {1.5, -2});
  out.back().operands[0].shape = {2};
  // Also of types of full width: complex numbers lose their imaginary part, whatever they become.
  known(c128, boolean, {-1, 0, 0, 1, 1, 0}, {1, 0, 1});
  out.back().operands[0].shape = {3};
}

void add_bitcasts(std::vector<Sample>& out) {
  const auto bitcast = [&](DType from, Dims shape, std::vector<double> x, DType to, std::vector<double> y) {
    out.push_back({.name = join("bitcast", from, "_to_" + std::string(name(to))),
                   .op = OpCode::kBitcastConvert,
                   .params = ir::make_params(ConvertParams{to}),
                   .operands = {{from, std::move(shape), 0, 0, std::move(x)}},
                   .expected = std::move(y),
                   .tolerance = 0});
  };
  bitcast(i8, {3}, {0x12, -1, -128}, i4, {2, 1, -1, -1, 0, -8});
  bitcast(i4, {3, 2}, {2, 1, -1, -1, 0, -8}, i8, {0x12, -1, -128});
  bitcast(u16, {2}, {0x1234, 0xf00f}, u4, {4, 3, 2, 1, 15, 0, 0, 15});
  bitcast(u8, {1}, {0x1b}, u2, {3, 2, 1, 0});
  bitcast(u2, {2, 2}, {3, 2, 1, 0}, i4, {-5, 1});
  bitcast(i2, {4}, {-2, 1, 0, -1}, u2, {2, 1, 0, 3});
  bitcast(f8e4m3fn, {3}, {1, -448, 0}, u8, {0x38, 0xfe, 0});
  bitcast(u8, {2}, {0x3c, 0x7b}, f8e5m2, {1, 57344});
  bitcast(f4e2m1fn, {3}, {-6, 1.5, 0}, i4, {-1, 3, 0});
  bitcast(f32, {1}, {1}, f8e5m2, {0, 0, -0.0, 1.75});  // 00 00 80 3f
  bitcast(boolean, {2, 8}, {1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0}, u8, {129, 2});
  bitcast(u8, {2}, {129, 2}, boolean, {1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0});
  bitcast(boolean, {2, 4}, {1, 1, 0, 0, 0, 0, 0, 1}, i4, {3, -8});
  bitcast(boolean, {3}, {1, 0, 1}, boolean, {1, 0, 1});
  bitcast(f6e2m3fn, {2}, {1, -7.5}, f6e3m2fn, {0.5, -28});
  bitcast(u4, {0, 2}, {}, u8, {});
}

void add_moves(std::vector<Sample>& out) {
  for (const DType t : kSome) {
    const auto add = [&](OpCode op, ir::Params params, std::vector<SampleOperand> operands) {
      out.push_back(
          {.name = join(ir::op_name(op), t), .op = op, .params = std::move(params), .operands = std::move(operands)});
    };
    add(OpCode::kReshape, ir::make_params(ReshapeParams{{3, 2}}), {some(t, {2, 3})});
    add(OpCode::kBroadcastInDim, ir::make_params(BroadcastInDimParams{{1}, {2, 3}}), {some(t, {3})});
    add(OpCode::kTranspose, ir::make_params(TransposeParams{{1, 0}}), {some(t, {2, 3})});
    add(OpCode::kReverse, ir::make_params(ReverseParams{{1}}), {some(t, {2, 3})});
    add(OpCode::kSlice, ir::make_params(SliceParams{{2, 4}, {0, 1}, {1, 2}}), {some(t, {2, 4})});
    add(OpCode::kDynamicSlice, ir::make_params(DynamicSliceParams{{1, 2}}),
        {some(t, {2, 4}), {u4, {}, 0, 0, {1, 9}}, {i4, {}, 0, 0, {-3, 7}}});
    add(OpCode::kDynamicUpdateSlice, {}, {some(t, {5}), some(t, {2}), {i4, {}, 0, 0, {2, 7}}});
    add(OpCode::kConcatenate, ir::make_params(ConcatenateParams{0}), {some(t, {2}), some(t, {3})});
    add(OpCode::kPad, ir::make_params(PadParams{{1, -1}, {0, 2}, {0, 1}}), {some(t, {2, 3}), {t, {}, 0, 0, {1}}});
    add(OpCode::kIota, ir::make_params(IotaParams{1, t, {2, 3}}), {});
    add(OpCode::kOptimizationBarrier, {}, {some(t, {3})});
    add(OpCode::kStopGradient, {}, {some(t, {3})});
    const GatherDimensionNumbers rows{{1}, {0}, {}, {}, {0}};
    for (const IndexMode mode : {IndexMode::kClip, IndexMode::kFillOrDrop}) {
      add(OpCode::kGather, ir::make_params(GatherParams{rows, mode, {1, 2}}),
          {some(t, {4, 2}), {i4, {3, 1}, 0, 0, {-2, 1, 6}}});
      out.back().name += mode == IndexMode::kClip ? "_clip" : "_fill";
    }
    const ScatterDimensionNumbers into{{1}, {0}, {}, {}, {0}};
    for (const ScatterKind kind : {ScatterKind::kSet, ScatterKind::kAdd, ScatterKind::kMax}) {
      add(OpCode::kScatter, ir::make_params(ScatterParams{kind, into, IndexMode::kFillOrDrop, false}),
          {some(t, {4, 2}), {u4, {2, 1}, 0, 0, {1, 9}}, some(t, {2, 2})});
      out.back().name += "_" + std::string(enum_names(kind)[static_cast<std::size_t>(kind)]);
    }
  }
  out.push_back({.name = "storage_gather_fills_i4",
                 .op = OpCode::kGather,
                 .params = ir::make_params(GatherParams{{{}, {0}, {}, {}, {0}}, IndexMode::kFillOrDrop, {1}}),
                 .operands = {{i4, {2}, 0, 0, {3, 4}}, {i32, {3, 1}, 0, 0, {0, 5, 1}}},
                 .expected = {3, -8, 4},
                 .tolerance = 0});
}

void add_reductions(std::vector<Sample>& out) {
  for (const DType t : kSome) {
    for (const ReduceKind kind : {ReduceKind::kSum, ReduceKind::kProd, ReduceKind::kMax, ReduceKind::kMin})
      out.push_back({.name = join("reduce", t, "_" + std::string(enum_names(kind)[static_cast<std::size_t>(kind)])),
                     .op = OpCode::kReduce,
                     .params = ir::make_params(ReduceParams{kind, {1}}),
                     .operands = {moderate(t, {2, 3})}});
    out.push_back({.name = join("sort", t),
                   .op = OpCode::kSort,
                   .params = ir::make_params(SortParams{0, 1}),
                   .operands = {moderate(t, {5}), {i32, {5}, 0, 9}}});
    out.push_back({.name = join("argmax", t),
                   .op = OpCode::kArgmax,
                   .params = ir::make_params(ArgReduceParams{1, i32}),
                   .operands = {moderate(t, {2, 5})}});
    out.push_back({.name = join("argmin", t, "_u4"),
                   .op = OpCode::kArgmin,
                   .params = ir::make_params(ArgReduceParams{0, u4}),
                   .operands = {moderate(t, {3, 2})}});
    out.push_back({.name = join("cumsum", t),
                   .op = OpCode::kCumsum,
                   .params = ir::make_params(CumsumParams{0, false}),
                   .operands = {moderate(t, {4})}});
    for (const DType to : {t, compute_dtype(t), is_float(t) ? bf16 : i32})
      out.push_back({.name = join("dot_general", t, "_to_" + std::string(name(to))),
                     .op = OpCode::kDotGeneral,
                     .params = ir::make_params(DotGeneralParams{{{1}, {0}, {}, {}}, to}),
                     .operands = {moderate(t, {2, 3}), moderate(t, {3, 2})}});
  }
  add_known(out, OpCode::kReduce, f8e4m3fn, {{448, 448, -448}}, {448},
            ir::make_params(ReduceParams{ReduceKind::kSum, {0}}), "_rounds_once");
  const auto empty = [&](DType t, ReduceKind kind, double expected) {
    add_known(out, OpCode::kReduce, t, {{}}, {expected}, ir::make_params(ReduceParams{kind, {0}}),
              "_of_none_" + std::string(enum_names(kind)[static_cast<std::size_t>(kind)]));
  };
  empty(i4, ReduceKind::kMax, -8);
  empty(i4, ReduceKind::kMin, 7);
  empty(u2, ReduceKind::kMax, 0);
  empty(u2, ReduceKind::kMin, 3);
  empty(u4, ReduceKind::kAnd, 15);
  empty(i2, ReduceKind::kAnd, -1);
  empty(i2, ReduceKind::kSum, 0);
  empty(f8e5m2, ReduceKind::kMax, -kInf);
  empty(f8e5m2, ReduceKind::kMin, kInf);
  empty(f8e4m3fn, ReduceKind::kMax, -448);
  empty(f4e2m1fn, ReduceKind::kMin, 6);
  empty(f8e8m0fnu, ReduceKind::kMax, 0x1p-127);
  empty(f6e3m2fn, ReduceKind::kProd, 1);
}

}  // namespace

std::vector<Sample> storage_samples() {
  std::vector<Sample> out;
  add_arithmetic(out);
  add_comparisons(out);
  add_conversions(out);
  add_bitcasts(out);
  add_moves(out);
  add_reductions(out);
  return out;
}

}  // namespace weft::testing
