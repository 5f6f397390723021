// Changes of type: convert (values), bitcast_convert (bits), reduce_precision (values rounded to
// a smaller format within their own type).
#include <cstring>

#include "weft/ir/elements.h"
#include "weft/ops/elementwise.h"

namespace weft {

using namespace ops;

// ---- y = x in another dtype: linear between floats and complex; transposed: ct converted back ----

namespace {

void infer_convert(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  out.push_back(in[0].with_dtype(ir::params_as<ConvertParams>(params).new_dtype));
}

void eval_convert(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  convert_elements(in[0].dtype(), in[0].data, out[0].dtype(), out[0].data, in[0].size());
}

void jvp_convert(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const bool smooth = is_inexact(call.params_as<ConvertParams>().new_dtype);
  (smooth ? jvp_linear : rules::zero_tangent)(call, tangents, outs, out_tangents);
}

}  // namespace

Array lax::convert(const Arg& x, DType dtype) {
  const LocationScope scope(x.location(), "convert");
  if (x.is_scalar()) return x.filled(dtype, {});
  if (x.dtype() == dtype) return x.array();
  return bind1(OpCode::kConvert, ir::make_params(ConvertParams{dtype}), {x.array()});
}
const ir::OpInfo op_infos::convert{.parse = ir::parse_params<ConvertParams>,
                                   .infer = infer_convert,
                                   .eval = eval_convert,
                                   .elementwise = true,
                                   .storage_types = true};
const OpRules op_rule_table::convert{
    .jvp = jvp_convert,
    .transpose =
        [](const Call&, std::span<const Array> cts, std::span<GradAccum* const> accums) {
          accums[0]->add(lax::convert(cts[0], accums[0]->aval().dtype()));
        },
    .batch = batch_elementwise,
    .factors = factors_elementwise};

// ---- the bits of x as another dtype: y[..., k] is part k of x[...], low bits first; no tangent ----
// bool has one bit, i4 four: eight bools are the bits of a u8.

namespace {

// Parts of the narrower type in one element of the wider; 0 when its bits do not come out even.
int bitcast_parts(DType a, DType b) {
  const int wide = std::max(bit_width(a), bit_width(b)), narrow = std::min(bit_width(a), bit_width(b));
  return wide % narrow == 0 ? wide / narrow : 0;
}

void infer_bitcast(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const Aval x = in[0];
  const DType to = ir::params_as<ConvertParams>(params).new_dtype;
  const std::string got = "; got " + x.str() + " to " + std::string(name(to)) + ".";
  if (is_complex(x.dtype()) != is_complex(to))
    throw DTypeError("bitcast_convert: complex types exchange bits with complex types only" + got,
                     "take real(x) and imag(x) first.");
  const int parts = bitcast_parts(x.dtype(), to);
  if (parts == 0)
    throw DTypeError("bitcast_convert: one type must have a multiple of the other's bits; got " +
                     std::to_string(bit_width(x.dtype())) + " and " + std::to_string(bit_width(to)) + " (" + x.str() +
                     " to " + std::string(name(to)) + ").");
  Dims shape(x.shape());
  if (bit_width(to) < bit_width(x.dtype())) {
    shape.push_back(parts);
  } else if (parts > 1) {
    if (shape.empty() || shape.back() != parts)
      throw ShapeError("bitcast_convert: the last axis must have the size " + std::to_string(parts) +
                       ", the parts of one " + std::string(name(to)) + got);
    shape.pop_back();
  }
  out.push_back(Aval(to, shape, x.vary()));
}

// Moves `bits` bits, lowest first, of elements that lie `from_size` and `to_size` bytes apart with `from_width` and
// `to_width` bits each, one width a multiple of the other.
void move_bits(const unsigned char* from, std::int64_t from_size, int from_width, unsigned char* to,
               std::int64_t to_size, int to_width, std::int64_t bits) {
  for (std::int64_t i = 0; i < bits; ++i) {
    const std::int64_t x = i % from_width, y = i % to_width;
    const unsigned bit = from[i / from_width * from_size + x / 8] >> (x % 8) & 1u;
    to[i / to_width * to_size + y / 8] |= static_cast<unsigned char>(bit << (y % 8));
  }
}

void eval_bitcast(const ParamsBase*, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const DType from = in[0].dtype(), to = out[0].dtype();
  if (in[0].size() == 0) return;
  const auto whole = [](DType t) { return bit_width(t) == 8 * byte_size(t); };
  if (from == to || (whole(from) && whole(to))) {
    std::memcpy(out[0].data, in[0].data, static_cast<std::size_t>(out[0].aval.bytes()));
    return;
  }
  std::memset(out[0].data, 0, static_cast<std::size_t>(out[0].aval.bytes()));
  move_bits(in[0].as<unsigned char>(), byte_size(from), bit_width(from), out[0].as<unsigned char>(), byte_size(to),
            bit_width(to), in[0].size() * bit_width(from));
  if (bit_width(to) < 8) copy_canonical(to, out[0].data, out[0].data, out[0].size());
}

void batch_bitcast(const Call& call, std::span<const int> bdims, const MappedAxis& mapped_axis, Arrays& outs,
                   Bdims& out_bdims) {
  // In front, the mapped axis never is the one that appears or disappears.
  bind(call.op, call.params, std::initializer_list<Array>{bdim_to_front(call.args[0], bdims[0], mapped_axis.size)},
       outs);
  out_bdims.push_back(0);
}

FactorTable factors_bitcast(const ParamsBase*, std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table;
  FactorTable::Axes common;
  const int shared = std::min(in[0].ndim(), out[0].ndim());
  for (int i = 0; i < shared; ++i) common.push_back({table.add(in[0].shape(static_cast<std::size_t>(i)))});
  const auto axes = [&](Aval a) {
    FactorTable::Axes all = common;
    if (a.ndim() > shared) all.push_back({table.add(a.shape().back(), FactorTable::Kind::kNeedReplication)});
    return all;
  };
  table.operands.push_back(axes(in[0]));
  table.results.push_back(axes(out[0]));
  return table;
}

}  // namespace

Array lax::bitcast_convert(const Arg& x, DType dtype) {
  const LocationScope scope(x.location(), "bitcast_convert");
  return bind1(OpCode::kBitcastConvert, ir::make_params(ConvertParams{dtype}), {x.array()});
}
const ir::OpInfo op_infos::bitcast_convert{
    .parse = ir::parse_params<ConvertParams>, .infer = infer_bitcast, .eval = eval_bitcast, .storage_types = true};
const OpRules op_rule_table::bitcast_convert{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_bitcast, .factors = factors_bitcast};

// ---- x rounded to a format of few bits: t and ct rounded alike ----

namespace {

void infer_reduce_precision(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<ReducePrecisionParams>(params);
  infer_elementwise(OpCode::kReducePrecision, in, kAcceptFloat, out);
  if (p.exponent_bits < 1 || p.mantissa_bits < 0)
    throw ValueError("reduce_precision: exponent_bits must be at least 1 and mantissa_bits at least 0; got " +
                     std::to_string(p.exponent_bits) + " and " + std::to_string(p.mantissa_bits) + ".");
}

// On the bits of an IEEE format with kMantissa stored mantissa bits. Numbers below the smallest normal of
// the target become zero, numbers above its largest infinite; NaN stays NaN while there is a mantissa.
template <class U, int kMantissa>
U round_bits(U bits, std::int64_t to_exponent, std::int64_t to_mantissa) {
  constexpr int kWidth = 8 * sizeof(U), kExponent = kWidth - 1 - kMantissa;
  constexpr U kOne = 1, kSign = kOne << (kWidth - 1), kInfinity = ((kOne << kExponent) - 1) << kMantissa;
  const U sign = bits & kSign;
  U magnitude = bits & ~kSign;
  if (magnitude > kInfinity) return to_mantissa > 0 ? bits : sign | kInfinity;  // no bit is left to tell them apart
  if (to_mantissa < kMantissa) {
    // Half to even; a carry out of the mantissa correctly goes into the exponent.
    const int drop = kMantissa - static_cast<int>(to_mantissa);
    const U last = (magnitude >> drop) & kOne;
    magnitude = (magnitude + ((kOne << (drop - 1)) - 1) + last) & ~((kOne << drop) - 1);
  }
  if (to_exponent < kExponent) {
    const U bias = (kOne << (kExponent - 1)) - 1, to_bias = (kOne << (to_exponent - 1)) - 1;
    const U exponent = magnitude >> kMantissa;
    if (exponent > bias + to_bias)
      magnitude = kInfinity;
    else if (exponent + to_bias <= bias)
      magnitude = 0;
  }
  return sign | magnitude;
}

void eval_reduce_precision(const ParamsBase* params, std::span<const TensorView> in,
                           std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<ReducePrecisionParams>(params);
  const auto run = [&]<class U, int kMantissa>() {
    const U* x = in[0].as<U>();
    U* y = out[0].as<U>();
    for (std::int64_t n = in[0].size(), i = 0; i < n; ++i)
      y[i] = round_bits<U, kMantissa>(x[i], p.exponent_bits, p.mantissa_bits);
  };
  switch (in[0].dtype()) {  // storage types come as f32
    case DType::kF16: return run.operator()<std::uint16_t, 10>();
    case DType::kBF16: return run.operator()<std::uint16_t, 7>();
    case DType::kF32: return run.operator()<std::uint32_t, 23>();
    default: return run.operator()<std::uint64_t, 52>();
  }
}

}  // namespace

Array lax::reduce_precision(const Arg& x, int exponent_bits, int mantissa_bits) {
  const LocationScope scope(x.location(), "reduce_precision");
  return bind1(OpCode::kReducePrecision, ir::make_params(ReducePrecisionParams{exponent_bits, mantissa_bits}),
               {x.array()});
}
const ir::OpInfo op_infos::reduce_precision{.parse = ir::parse_params<ReducePrecisionParams>,
                                            .infer = infer_reduce_precision,
                                            .eval = eval_reduce_precision,
                                            .elementwise = true};
const OpRules op_rule_table::reduce_precision{
    .jvp = jvp_linear,
    .transpose = [](const Call& call, std::span<const Array> cts,
                    std::span<GradAccum* const> accums) { accums[0]->add(bind1(call.op, call.params, {cts[0]})); },
    .batch = batch_elementwise,
    .factors = factors_elementwise};

}  // namespace weft
