// Samples of the elementwise operations. Known values are from mpmath 1.3 with 40 digits.
#include <cmath>

#include "samples/sample.h"
#include "weft/ir/elementwise.h"

namespace weft::testing {

namespace {

// Intervals in which a function is smooth and moderate.
struct Domain {
  OpCode op;
  double low, high;
};

// Floats only.
constexpr Domain kRealUnary[] = {
    {OpCode::kBesselI0e, 0.25, 3}, {OpCode::kBesselI1e, 0.25, 3}, {OpCode::kDigamma, 0.5, 4}, {OpCode::kErf, -2, 2},
    {OpCode::kErfInv, -0.9, 0.9},  {OpCode::kErfc, -2, 2},        {OpCode::kLgamma, 0.5, 4},  {OpCode::kCbrt, 0.25, 3},
};
// Floats and complex; the square [low, high]^2 of the complex plane avoids branch cuts and poles.
constexpr Domain kInexactUnary[] = {
    {OpCode::kAbs, 0.25, 2},       {OpCode::kAcos, 0.125, 0.875}, {OpCode::kAcosh, 1.25, 3},
    {OpCode::kAsin, 0.125, 0.875}, {OpCode::kAsinh, 0.125, 2},    {OpCode::kAtan, 0.125, 2},
    {OpCode::kAtanh, 0.125, 0.75}, {OpCode::kConj, -2, 2},        {OpCode::kCosh, -2, 2},
    {OpCode::kCosine, -2, 2},      {OpCode::kExponential, -2, 2}, {OpCode::kExponentialMinusOne, -2, 2},
    {OpCode::kImag, -2, 2},        {OpCode::kLog, 0.25, 3},       {OpCode::kLogPlusOne, 0.25, 3},
    {OpCode::kLogistic, -2, 2},    {OpCode::kNegate, -2, 2},      {OpCode::kReal, -2, 2},
    {OpCode::kRsqrt, 0.25, 3},     {OpCode::kSine, -2, 2},        {OpCode::kSinh, -2, 2},
    {OpCode::kSqrt, 0.25, 3},      {OpCode::kSquare, -2, 2},      {OpCode::kTan, -0.75, 0.75},
    {OpCode::kTanh, -2, 2},
};
// Floats only, without derivatives.
constexpr OpCode kSteps[] = {OpCode::kCeil,     OpCode::kFloor, OpCode::kRoundNearestAfz, OpCode::kRoundNearestEven,
                             OpCode::kIsFinite, OpCode::kIsInf, OpCode::kIsNegInf,        OpCode::kIsPosInf};
constexpr OpCode kIntegerUnary[] = {OpCode::kAbs,      OpCode::kCountLeadingZeros,
                                    OpCode::kIsFinite, OpCode::kNegate,
                                    OpCode::kNot,      OpCode::kPopcnt,
                                    OpCode::kSign,     OpCode::kSquare};
constexpr OpCode kIntegerBinary[] = {OpCode::kAdd,
                                     OpCode::kAnd,
                                     OpCode::kDivide,
                                     OpCode::kMaximum,
                                     OpCode::kMinimum,
                                     OpCode::kMulhi,
                                     OpCode::kMultiply,
                                     OpCode::kOr,
                                     OpCode::kPower,
                                     OpCode::kRemainder,
                                     OpCode::kShiftLeft,
                                     OpCode::kShiftRightArithmetic,
                                     OpCode::kShiftRightLogical,
                                     OpCode::kSubtract,
                                     OpCode::kXor};
constexpr OpCode kBoolBinary[] = {OpCode::kAdd,      OpCode::kAnd, OpCode::kMaximum, OpCode::kMinimum,
                                  OpCode::kMultiply, OpCode::kOr,  OpCode::kXor};

std::string named(OpCode op, std::string_view suffix) {
  return std::string(ir::op_name(op)) + "_" + std::string(suffix);
}

void add_unary(std::vector<Sample>& out) {
  const auto floats = [&](const Domain& d) {
    out.push_back(
        {.name = named(d.op, "f64"), .op = d.op, .operands = {{f64, {2, 3}, d.low, d.high}}, .smooth_in = {0}});
    out.push_back({.name = named(d.op, "f32"), .op = d.op, .operands = {{f32, {5}, d.low, d.high}}, .smooth_in = {0}});
    for (const DType t : {f16, bf16})
      out.push_back({.name = named(d.op, name(t)), .op = d.op, .operands = {{t, {3}, d.low, d.high}}});
  };
  for (const Domain& d : kRealUnary) floats(d);
  // On both sides of where the slope of bessel_i1e is a series.
  for (const OpCode op : {OpCode::kBesselI0e, OpCode::kBesselI1e})
    out.push_back({.name = named(op, "near_zero"),
                   .op = op,
                   .operands = {{f64, {4}, 0, 0, {0.003, -0.004, 0.0085, -0.02}}},
                   .smooth_in = {0}});
  for (const Domain& d : kInexactUnary) {
    floats(d);
    out.push_back(
        {.name = named(d.op, "c128"), .op = d.op, .operands = {{c128, {2, 2}, d.low, d.high}}, .smooth_in = {0}});
    out.push_back({.name = named(d.op, "c64"), .op = d.op, .operands = {{c64, {3}, d.low, d.high}}});
  }
  for (const DType t : {f64, f32, f16, bf16})
    out.push_back({.name = named(OpCode::kSign, name(t)), .op = OpCode::kSign, .operands = {{t, {2, 3}, -3, 3}}});
  out.push_back({.name = "sign_c128", .op = OpCode::kSign, .operands = {{c128, {2, 2}, 0.25, 2}}, .smooth_in = {0}});
  for (const OpCode op : kSteps) {
    for (const DType t : {f64, f32, f16, bf16})
      out.push_back({.name = named(op, name(t)), .op = op, .operands = {{t, {2, 3}, -3, 3}}});
  }
  for (const OpCode op : kIntegerUnary) {
    out.push_back({.name = named(op, "i32"), .op = op, .operands = {{i32, {2, 3}, -9, 9}}});
    out.push_back({.name = named(op, "i8"), .op = op, .operands = {{i8, {4}, -128, 127}}});
    if (op != OpCode::kAbs) out.push_back({.name = named(op, "u16"), .op = op, .operands = {{u16, {4}, 0, 65535}}});
  }
  out.push_back({.name = "not_bool", .op = OpCode::kNot, .operands = {{boolean, {2, 3}}}});
}

void add_binary(std::vector<Sample>& out) {
  const auto floats = [&](OpCode op, SampleOperand x, SampleOperand y, std::vector<int> smooth_in,
                          std::vector<int> smooth_once_in = {}) {
    for (const DType t : {f64, f32, f16, bf16}) {
      x.dtype = y.dtype = t;
      Sample s{.name = named(op, name(t)), .op = op, .operands = {x, y}};
      if (byte_size(t) >= 4) s.smooth_in = smooth_in;
      s.smooth_once_in = smooth_once_in;
      out.push_back(std::move(s));
    }
  };
  const Dims shape = {2, 3};
  const SampleOperand any{f64, shape, -2, 2}, positive{f64, shape, 0.5, 2}, above{f64, shape, 2.5, 4};
  for (const OpCode op : {OpCode::kAdd, OpCode::kSubtract, OpCode::kMultiply}) floats(op, any, any, {0, 1});
  floats(OpCode::kDivide, any, positive, {0, 1});
  floats(OpCode::kPower, positive, any, {0, 1});
  floats(OpCode::kAtan2, any, positive, {0, 1});
  floats(OpCode::kMaximum, positive, above, {0, 1});
  floats(OpCode::kMinimum, positive, above, {0, 1});
  floats(OpCode::kRemainder, {f64, shape, 7.125, 7.875}, {f64, shape, 2.125, 2.25}, {0, 1});
  floats(OpCode::kZeta, above, positive, {0, 1});
  floats(OpCode::kPolygamma, {f64, shape, 0, 0, {0, 1, 3}}, positive, {1});
  floats(OpCode::kNextAfter, any, positive, {});
  floats(OpCode::kIgamma, positive, positive, {0, 1}, {0});
  floats(OpCode::kIgammac, above, positive, {0, 1}, {0});
  floats(OpCode::kIgammaGradA, positive, above, {1});
  floats(OpCode::kRandomGammaGrad, positive, positive, {1});
  for (const OpCode op : {OpCode::kRegularizedIncompleteBeta, OpCode::kRegularizedIncompleteBetaGradA,
                          OpCode::kRegularizedIncompleteBetaGradB})
    for (const DType t : {f64, f32, f16, bf16}) {
      Sample s{.name = named(op, name(t)),
               .op = op,
               .operands = {{t, shape, 0.5, 2}, {t, shape, 2.5, 4}, {t, shape, 0.125, 0.75}}};
      if (byte_size(t) >= 4)
        s.smooth_in = op == OpCode::kRegularizedIncompleteBeta ? std::vector{0, 1, 2} : std::vector{2};
      s.smooth_once_in = {0, 1};
      out.push_back(std::move(s));
    }
  for (const DType t : {f64, f32, f16, bf16}) {
    Sample s{.name = named(OpCode::kZetaDerivative, name(t)),
             .op = OpCode::kZetaDerivative,
             .operands = {{t, shape, 0, 0, {1, 0, 2, 4}}, {t, shape, 2.5, 4}, {t, shape, 0.5, 2}}};
    if (byte_size(t) >= 4) s.smooth_in = {1, 2};
    out.push_back(std::move(s));
  }
  for (const DType t : {f64, f32})
    out.push_back({.name = named(OpCode::kComplex, name(t)),
                   .op = OpCode::kComplex,
                   .operands = {{t, shape}, {t, shape}},
                   .smooth_in = {0, 1}});
  for (const OpCode op :
       {OpCode::kAdd, OpCode::kSubtract, OpCode::kMultiply, OpCode::kDivide, OpCode::kPower, OpCode::kAtan2}) {
    const SampleOperand x{c128, {2, 2}, 0.5, 2}, y{c128, {2, 2}, 0.25, 0.75};
    out.push_back({.name = named(op, "c128"), .op = op, .operands = {x, y}, .smooth_in = {0, 1}});
    out.push_back({.name = named(op, "c64"), .op = op, .operands = {{c64, {3}, 0.5, 2}, {c64, {3}, 0.25, 0.75}}});
  }
  for (const OpCode op : {OpCode::kMaximum, OpCode::kMinimum})
    out.push_back({.name = named(op, "c128"),
                   .op = op,
                   .operands = {{c128, {4}, 0.5, 2}, {c128, {4}, 2.5, 4}},
                   .smooth_in = {0, 1}});
  for (const OpCode op : kIntegerBinary) {
    out.push_back({.name = named(op, "i32"), .op = op, .operands = {{i32, shape, -9, 9}, {i32, shape, -5, 5}}});
    out.push_back({.name = named(op, "u8"), .op = op, .operands = {{u8, {4}, 0, 255}, {u8, {4}, 0, 9}}});
  }
  for (const OpCode op : kBoolBinary)
    out.push_back({.name = named(op, "bool"), .op = op, .operands = {{boolean, shape}, {boolean, shape}}});
}

void add_select(std::vector<Sample>& out) {
  for (int d = 0; d < 6; ++d) {
    const auto params = ir::make_params(CompareParams{static_cast<ComparisonDirection>(d)});
    const std::string suffix(enum_names(ComparisonDirection())[static_cast<std::size_t>(d)]);
    for (const DType t : {f32, i32, u8, boolean})
      out.push_back({.name = named(OpCode::kCompare, suffix + "_" + std::string(name(t))),
                     .op = OpCode::kCompare,
                     .params = params,
                     .operands = {{t, {2, 3}, 0, 3, {1, 2, 0}}, {t, {2, 3}, 0, 3, {1, 0, 2, 1}}}});
    if (d < 2)
      out.push_back({.name = named(OpCode::kCompare, suffix + "_c64"),
                     .op = OpCode::kCompare,
                     .params = params,
                     .operands = {{c64, {3}, 0, 3, {1, 2, 1, 1, 2, 2}}, {c64, {3}, 0, 3, {1, 2, 1, 2, 0, 2}}}});
  }
  for (const DType t : {f64, c128})
    out.push_back({.name = named(OpCode::kSelect, name(t)),
                   .op = OpCode::kSelect,
                   .operands = {{boolean, {2, 3}}, {t, {2, 3}}, {t, {2, 3}}},
                   .smooth_in = {1, 2}});
  out.push_back({.name = "select_by_one_predicate",
                 .op = OpCode::kSelect,
                 .operands = {{boolean, {}}, {f64, {2, 3}}, {f64, {2, 3}}},
                 .smooth_in = {1, 2}});
  out.push_back(
      {.name = "select_u8", .op = OpCode::kSelect, .operands = {{boolean, {4}}, {u8, {4}, 0, 255}, {u8, {4}, 0, 255}}});
  const SampleOperand inside{f64, {2, 3}, -0.75, 0.75};
  out.push_back({.name = "clamp_inside",
                 .op = OpCode::kClamp,
                 .operands = {{f64, {2, 3}, -2, -1}, inside, {f64, {2, 3}, 1, 2}},
                 .smooth_in = {0, 1, 2}});
  out.push_back({.name = "clamp_below",
                 .op = OpCode::kClamp,
                 .operands = {{f64, {2, 3}, 1, 2}, inside, {f64, {2, 3}, 3, 4}},
                 .smooth_in = {0, 1, 2}});
  out.push_back({.name = "clamp_above",
                 .op = OpCode::kClamp,
                 .operands = {{f64, {2, 3}, -4, -3}, inside, {f64, {2, 3}, -2, -1}},
                 .smooth_in = {0, 1, 2}});
  out.push_back({.name = "clamp_by_numbers",
                 .op = OpCode::kClamp,
                 .operands = {{f64, {}, 0, 0, {0.25}}, inside, {f64, {}, 0, 0, {0.5}}},
                 .smooth_in = {0, 1, 2}});
  // By real parts here: the first is between its bounds, the second below, the third above.
  out.push_back({.name = "clamp_c128",
                 .op = OpCode::kClamp,
                 .operands = {{c128, {}, 0, 0, {-1, 5}},
                              {c128, {3}, 0, 0, {0.5, 7, -2, 3, 4, -1}},
                              {c128, {3}, 0, 0, {1, -1, 1.5, 2, 3, 0}}},
                 .smooth_in = {0, 1, 2},
                 .expected = {0.5, 7, -1, 5, 3, 0},
                 .tolerance = 0});
  out.push_back({.name = "clamp_bool",
                 .op = OpCode::kClamp,
                 .operands = {{boolean, {4}, 0, 0, {0, 1, 0, 1}},
                              {boolean, {4}, 0, 0, {0, 0, 1, 1}},
                              {boolean, {4}, 0, 0, {1, 1, 0, 0}}},
                 .expected = {0, 1, 0, 0},
                 .tolerance = 0});
  out.push_back(
      {.name = "clamp_crossed_bounds_and_nan",
       .op = OpCode::kClamp,
       .operands = {{f32, {4}, 0, 0, {5, 5, NAN, 0}}, {f32, {4}, 0, 0, {0, 9, 1, NAN}}, {f32, {4}, 0, 0, {2, 2, 2, 2}}},
       .expected = {2, 2, NAN, NAN},
       .tolerance = 0});
  out.push_back({.name = "clamp_i8",
                 .op = OpCode::kClamp,
                 .operands = {{i8, {}, 0, 0, {-50}}, {i8, {5}, -128, 127}, {i8, {5}, 0, 100}}});
}

void add_conversions(std::vector<Sample>& out) {
  constexpr DType kAllTypes[] = {boolean, i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64, c64, c128};
  for (const DType from : kAllTypes)
    for (const DType to : kAllTypes) {
      Sample s{.name = named(OpCode::kConvert, std::string(name(from)) + "_to_" + std::string(name(to))),
               .op = OpCode::kConvert,
               .params = ir::make_params(ConvertParams{to}),
               .operands = {{from, {2, 3}, 0, 9}}};
      const auto precise = [](DType t) { return is_inexact(t) && byte_size(t) >= (is_complex(t) ? 16 : 8); };
      if (precise(from) && precise(to)) s.smooth_in = {0};
      out.push_back(std::move(s));
    }
  const auto bitcast = [&](DType from, Dims shape, DType to) {
    out.push_back({.name = named(OpCode::kBitcastConvert, std::string(name(from)) + "_to_" + std::string(name(to))),
                   .op = OpCode::kBitcastConvert,
                   .params = ir::make_params(ConvertParams{to}),
                   .operands = {{from, std::move(shape), 1, 100}}});
  };
  bitcast(f32, {2, 3}, u32);
  bitcast(f32, {2, 3}, u8);
  bitcast(u8, {2, 3, 4}, i32);
  bitcast(f64, {3}, u32);
  bitcast(u16, {3, 2}, u32);
  bitcast(c128, {2}, c64);
  const auto reduce_precision = [&](std::string_view suffix, DType t, std::int64_t exponent, std::int64_t mantissa,
                                    std::vector<int> smooth_in) {
    out.push_back({.name = named(OpCode::kReducePrecision, suffix),
                   .op = OpCode::kReducePrecision,
                   .params = ir::make_params(ReducePrecisionParams{exponent, mantissa}),
                   .operands = {{t, {2, 3}, -100, 100}},
                   .smooth_in = std::move(smooth_in)});
  };
  reduce_precision("to_bf16", f32, 8, 7, {});
  reduce_precision("to_f16", f64, 5, 10, {});
  reduce_precision("to_itself", f64, 11, 52, {0});
  reduce_precision("of_f16", f16, 4, 3, {});
}

void add_known(std::vector<Sample>& out) {
  const auto known = [&](OpCode op, std::vector<double> x, std::vector<double> y) {
    const auto n = static_cast<std::int64_t>(x.size());
    out.push_back({.name = named(op, "known"),
                   .op = op,
                   .operands = {{f64, {n}, 0, 0, std::move(x)}},
                   .expected = std::move(y),
                   .tolerance = 1e-13});
  };
  const auto known_complex = [&](OpCode op, std::vector<double> y) {
    const SampleOperand x{c128, {3}, 0, 0, {0.5, 0.75, -1.25, 0.5, 0.25, -2}};
    out.push_back(
        {.name = named(op, "known_complex"), .op = op, .operands = {x}, .expected = std::move(y), .tolerance = 1e-13});
  };
  const auto known2 = [&](OpCode op, std::vector<double> x, std::vector<double> y, std::vector<double> z) {
    const auto n = static_cast<std::int64_t>(x.size());
    out.push_back({.name = named(op, "known"),
                   .op = op,
                   .operands = {{f64, {n}, 0, 0, std::move(x)}, {f64, {n}, 0, 0, std::move(y)}},
                   .expected = std::move(z),
                   .tolerance = 1e-13});
  };
  const auto known3 = [&](OpCode op, std::vector<double> z) {
    out.push_back({.name = named(op, "known"),
                   .op = op,
                   .operands = {{f64, {3}, 0, 0, {0.5, 2.5, 30}},
                                {f64, {3}, 0, 0, {1.5, 3, 25}},
                                {f64, {3}, 0, 0, {0.25, 0.5, 0.625}}},
                   .expected = std::move(z),
                   .tolerance = 1e-13});
  };
  const auto known2_complex = [&](OpCode op, std::vector<double> z) {
    const SampleOperand x{c128, {3}, 0, 0, {0.5, 0.75, -1.25, 0.5, 0.25, -2}},
        y{c128, {3}, 0, 0, {1.5, -0.5, 0.75, 0.25, -0.5, 1}};
    out.push_back({.name = named(op, "known_complex"),
                   .op = op,
                   .operands = {x, y},
                   .expected = std::move(z),
                   .tolerance = 1e-13});
  };
  // clang-format off
  known(OpCode::kAbs, {-1.5, 0, 2.25}, {1.5, 0.0, 2.25});
  known(OpCode::kAcos, {-0.75, 0.125, 0.5}, {2.4188584057763776, 1.4454684956268313, 1.0471975511965979});
  known(OpCode::kAcosh, {1.25, 2, 7.5}, {0.6931471805599453, 1.3169578969248168, 2.703575830931402});
  known(OpCode::kAsin, {-0.75, 0.125, 0.5}, {-0.848062078981481, 0.1253278311680654, 0.5235987755982989});
  known(OpCode::kAsinh, {-1.5, 0.25, 3}, {-1.1947632172871092, 0.24746646154726346, 1.8184464592320668});
  known(OpCode::kAtan, {-2, 0.25, 1.5}, {-1.1071487177940904, 0.24497866312686414, 0.982793723247329});
  known(OpCode::kAtanh, {-0.75, 0.125, 0.5}, {-0.9729550745276566, 0.12565721414045303, 0.5493061443340549});
  known(OpCode::kBesselI0e, {-2.5, 0.5, 9}, {0.27004644161220276, 0.6450352704491501, 0.13495952458172303});
  known(OpCode::kBesselI1e, {-2.5, 0.5, 9}, {-0.20658464953126657, 0.1564208031848717, 0.1272249839358912});
  known(OpCode::kCbrt, {-8, 0.5, 3}, {-2.0, 0.7937005259840998, 1.4422495703074083});
  known(OpCode::kCeil, {-1.5, 0.25, 2}, {-1.0, 1.0, 2.0});
  known(OpCode::kCosh, {-1.5, 0.25, 2}, {2.352409615243247, 1.0314130998795732, 3.7621956910836314});
  known(OpCode::kCosine, {-1.5, 0.25, 2}, {0.0707372016677029, 0.9689124217106447, -0.4161468365471424});
  known(OpCode::kDigamma, {-0.5, 0.5, 3.25}, {0.03648997397857652, -1.9635100260214235, 1.016990911068179});
  known(OpCode::kErf, {-1.5, 0.25, 2}, {-0.9661051464753108, 0.27632639016823696, 0.9953222650189527});
  known(OpCode::kErfInv, {-0.75, 0.125, 0.9375}, {-0.8134198475976185, 0.11123545184094996, 1.3171503349861307});
  known(OpCode::kErfc, {-1.5, 0.25, 2}, {1.9661051464753108, 0.7236736098317631, 0.004677734981047266});
  known(OpCode::kExponential, {-1.5, 0.25, 2}, {0.22313016014842982, 1.2840254166877414, 7.38905609893065});
  known(OpCode::kExponentialMinusOne, {-1.5, 9.5367431640625e-07, 2}, {-0.7768698398515702, 9.536747711537455e-07, 6.38905609893065});
  known(OpCode::kFloor, {-1.5, 0.25, 2}, {-2.0, 0.0, 2.0});
  known(OpCode::kLgamma, {-0.5, 0.5, 3.25}, {1.2655121234846454, 0.5723649429247001, 0.9358019311087253});
  known(OpCode::kLog, {0.25, 1.5, 10}, {-1.3862943611198906, 0.4054651081081644, 2.302585092994046});
  known(OpCode::kLogPlusOne, {-0.75, 9.5367431640625e-07, 3}, {-1.3862943611198906, 9.536738616591883e-07, 1.3862943611198906});
  known(OpCode::kLogistic, {-3, 0.25, 2}, {0.04742587317756678, 0.5621765008857981, 0.8807970779778824});
  known(OpCode::kNegate, {-1.5, 0.25, 2}, {1.5, -0.25, -2.0});
  known(OpCode::kRsqrt, {0.25, 2, 10}, {2.0, 0.7071067811865476, 0.31622776601683794});
  known(OpCode::kSign, {-1.5, 0.25, 0}, {-1.0, 1.0, 0.0});
  known(OpCode::kSine, {-1.5, 0.25, 2}, {-0.9974949866040544, 0.24740395925452294, 0.9092974268256817});
  known(OpCode::kSinh, {-1.5, 0.25, 2}, {-2.1292794550948173, 0.2526123168081683, 3.6268604078470186});
  known(OpCode::kSqrt, {0.25, 2, 10}, {0.5, 1.4142135623730951, 3.1622776601683795});
  known(OpCode::kSquare, {-1.5, 0.25, 3}, {2.25, 0.0625, 9.0});
  known(OpCode::kTan, {-1.25, 0.25, 2}, {-3.0095696738628313, 0.25534192122103627, -2.185039863261519});
  known(OpCode::kTanh, {-1.5, 0.25, 2}, {-0.9051482536448664, 0.24491866240370913, 0.9640275800758169});
  known_complex(OpCode::kAcos, {1.1725184532565882, -0.7433204263252785, 2.6319820992636394, -0.8988936293694825, 1.459318401426415, 1.449208152255119});
  known_complex(OpCode::kAcosh, {0.7433204263252785, 1.1725184532565882, 0.8988936293694825, 2.6319820992636394, 1.449208152255119, -1.459318401426415});
  known_complex(OpCode::kAsin, {0.39827787353830835, 0.7433204263252785, -1.0611857724687426, 0.8988936293694825, 0.11147792536848175, -1.449208152255119});
  known_complex(OpCode::kAsinh, {0.6063349998873513, 0.6822039655834323, -1.0855765577207785, 0.3079813715721186, 1.3287633703408075, -1.427924144520526});
  known_complex(OpCode::kAtan, {0.6927241883996009, 0.5902135002795054, -0.9425141129396175, 0.1858945085467093, 1.489877611175685, -0.5358800995910896});
  known_complex(OpCode::kAtanh, {0.3104282830771958, 0.7232206661240675, -0.708303336014054, 1.1265564408348223, 0.04954423214593718, -1.1121113339878292});
  known_complex(OpCode::kCosh, {0.8250713669946073, 0.35519875789073846, 1.6572478640539148, -0.7680009178735728, -0.42921929868816616, -0.22969972965814134});
  known_complex(OpCode::kCosine, {1.136191473803348, -0.3942396421115833, 0.355565683247121, 0.49451143013196674, 3.645238137997194, 0.8972996245648263});
  known_complex(OpCode::kExponential, {1.2063510016467853, 1.1238323225841311, 0.2514316136224464, 0.1373577165473844, -0.53434311520073, -1.167561007372937});
  known_complex(OpCode::kExponentialMinusOne, {0.2063510016467854, 1.1238323225841311, -0.7485683863775535, 0.1373577165473844, -1.5343431152007299, -1.167561007372937});
  known_complex(OpCode::kLog, {-0.10381968238912224, 0.982793723247329, 0.2973535538733464, 2.761086276477428, 0.7008992738279279, -1.446441332248135});
  known_complex(OpCode::kLogPlusOne, {0.5170368837652692, 0.4636476090008061, -0.5815754049028404, 2.0344439357957027, 0.8580238237461792, -1.0121970114513341});
  known_complex(OpCode::kLogistic, {0.6401310030830609, 0.1833037491900986, 0.21042744917647238, 0.08666385078420563, 0.705286988628272, -0.7389462749840264});
  known_complex(OpCode::kNegate, {-0.5, -0.75, 1.25, -0.5, -0.25, 2.0});
  known_complex(OpCode::kRsqrt, {0.92865090530163, -0.49699888182260676, 0.16298187060899497, -0.846296793424742, 0.5280517966522297, 0.4661547365512724});
  known_complex(OpCode::kSign, {0.5547001962252291, 0.8320502943378437, -0.9284766908852593, 0.3713906763541037, 0.12403473458920845, -0.9922778767136676});
  known_complex(OpCode::kSine, {0.620704231078055, 0.7216508242975646, -1.0700996973668528, 0.16431300276137265, 0.9307821094643965, -3.514110100973512});
  known_complex(OpCode::kSinh, {0.3812796346521781, 0.7686335646933927, -1.4058162504314682, 0.9053586344209572, -0.10512381651256376, -0.9378612777147958});
  known_complex(OpCode::kSqrt, {0.8370746140177701, 0.44798873806491907, 0.21942105845112725, 1.139361927085425, 1.064322422265602, -0.9395649091666411});
  known_complex(OpCode::kSquare, {-0.3125, 0.75, 1.3125, -1.25, -3.9375, -1.0});
  known_complex(OpCode::kTan, {0.2908934618296181, 0.736084170551191, -0.8066346988510736, 1.583963548284424, 0.017009461384601497, -0.968214572183509});
  known_complex(OpCode::kTanh, {0.7282118012804724, 0.6180963948062022, -0.9067248043194309, 0.12610856648423438, 1.099398135211779, 1.5966892107707558});
  known2(OpCode::kAtan2, {1, -1.5, 0.75}, {2, -0.5, -2}, {0.4636476090008061, -1.892546881191539, 2.782821983319221});
  known2(OpCode::kPower, {2, 0.25, 3}, {0.5, -1.5, 4}, {1.4142135623730951, 8.0, 81.0});
  known2(OpCode::kRemainder, {5.5, -7.25, 3}, {2, 1.5, -0.75}, {1.5, -1.25, 0.0});
  known2(OpCode::kZeta, {2, 3.5, 1.5}, {0.5, 1.25, 4}, {4.934802200544679, 0.5469589642843458, 1.0663718683623393});
  known2(OpCode::kPolygamma, {0, 1, 3}, {0.5, 2.5, 1.25}, {-1.9635100260214235, 0.49035775610023485, 2.782144009188396});
  known2(OpCode::kIgamma, {0.5, 2.5, 30}, {0.25, 3, 25}, {0.5204998778130465, 0.6937810815867216, 0.18210391597745512});
  known2(OpCode::kIgammac, {0.5, 2.5, 30}, {0.25, 3, 25}, {0.4795001221869535, 0.3062189184132784, 0.8178960840225449});
  known2(OpCode::kIgammaGradA, {0.5, 2.5, 30}, {0.25, 3, 25}, {-0.797947316783223, -0.22754855127826082, -0.049954877425834855});
  known2(OpCode::kRandomGammaGrad, {0.5, 2.5, 30}, {0.25, 3, 25}, {0.9080144917641113, 1.1692620067376636, 0.9166815997356572});
  known3(OpCode::kRegularizedIncompleteBeta, {0.6089977810442293, 0.5910970748981296, 0.8831238676900922});
  known3(OpCode::kRegularizedIncompleteBetaGradA, {-0.6461318944389011, -0.18874640178207322, -0.02235524844615149});
  known3(OpCode::kRegularizedIncompleteBetaGradB, {0.18227405067490657, 0.16991413923583445, 0.031609811961042636});
  known2_complex(OpCode::kPower, {0.06250309984780879, 1.3974765466106198, -0.3404934308648369, 0.5261572014005776, 0.4373055588060158, 2.9600196904269653});
  known2_complex(OpCode::kDivide, {0.15, 0.55, -1.3, 1.1, -1.7, 0.6});
  known2_complex(OpCode::kMultiply, {1.125, 0.875, -1.0625, 0.0625, 1.875, 1.25});
  out.push_back({.name = "abs_known_complex", .op = OpCode::kAbs, .operands = {{c128, {3}, 0, 0, {0.5, 0.75, -1.25, 0.5, 0.25, -2}}},
                 .expected = {0.9013878188659973, 1.346291201783626, 2.0155644370746373}, .tolerance = 1e-13});
  // clang-format on
}

}  // namespace

std::vector<Sample> elementwise_samples() {
  std::vector<Sample> out;
  add_unary(out);
  add_binary(out);
  add_select(out);
  add_conversions(out);
  add_known(out);
  return out;
}

}  // namespace weft::testing
