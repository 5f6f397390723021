// Joining and parting: concatenate, split and pad.
#include <algorithm>

#include "weft/ir/shape.h"
#include "weft/ops/common.h"

namespace weft {

using namespace ops;

// ---- concatenate: the operands one after the other along `dimension` ----

namespace {

void infer_concatenate(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<ConcatenateParams>(params);
  if (in.empty()) throw ValueError("concatenate: there must be at least one operand; got none.");
  check_axes("concatenate", Dims{p.dimension}, in[0].ndim());
  const auto d = static_cast<std::size_t>(p.dimension);
  Dims shape(in[0].shape());
  shape[d] = 0;
  std::uint64_t vary = 0;
  for (const Aval a : in) {
    if (a.dtype() != in[0].dtype())
      throw DTypeError("concatenate: operands must have equal dtypes; got " + in[0].str() + " and " + a.str() + ".");
    if (a.ndim() != in[0].ndim())
      throw ShapeError(
          "concatenate: operands must have equally many axes; got " + in[0].str() + " and " + a.str() + ".",
          "add an axis with expand_dims or reshape.");
    bool fits = true;
    for (std::size_t i = 0; fits && i < shape.size(); ++i) fits = i == d || a.shape(i) == shape[i];
    if (!fits)
      throw ShapeError("concatenate: sizes must be equal except along axis " + std::to_string(d) + "; got " +
                       in[0].str() + " and " + a.str() + ".");
    if (__builtin_add_overflow(shape[d], a.shape(d), &shape[d]))
      throw ShapeError(
          "concatenate: the result must be an array that can exist; got more than 2^63 elements along "
          "axis " +
          std::to_string(d) + ".");
    vary |= a.vary();
  }
  out.push_back(Aval(in[0].dtype(), shape, vary));
}

void eval_concatenate(const ParamsBase* params, std::span<const TensorView> in,
                      std::span<const MutableTensorView> out) {
  const auto d = static_cast<std::size_t>(ir::params_as<ConcatenateParams>(params).dimension);
  const std::int64_t outer = product(out[0].shape().first(d));
  char* to = static_cast<char*>(out[0].data);
  for (std::int64_t o = 0; o < outer; ++o)
    for (const TensorView& x : in) {
      const std::int64_t bytes = product(x.shape().subspan(d)) * byte_size(x.dtype());
      if (bytes) __builtin_memcpy(to, static_cast<const char*>(x.data) + o * bytes, static_cast<std::size_t>(bytes));
      to += bytes;
    }
}

void transpose_concatenate(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto d = static_cast<std::size_t>(call.params_as<ConcatenateParams>().dimension);
  if (std::all_of(accums.begin(), accums.end(), [](const GradAccum* a) { return a != nullptr; })) {
    Dims sizes;
    for (const GradAccum* a : accums) sizes.push_back(a->aval().shape(d));
    Arrays parts = lax::split(cts[0], sizes, static_cast<int>(d));
    for (std::size_t i = 0; i < accums.size(); ++i) accums[i]->add(std::move(parts[i]));
    return;
  }
  Dims start(cts[0].shape().size(), 0), limit(cts[0].shape());
  for (std::size_t i = 0; i < accums.size(); ++i) {
    const Aval x = accums[i] ? accums[i]->aval() : call.args[i].aval();
    limit[d] = start[d] + x.shape(d);
    if (accums[i]) accums[i]->add(lax::slice(cts[0], start, limit));
    start[d] = limit[d];
  }
}

void batch_concatenate(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                       Bdims& out_bdims) {
  Arrays operands;
  for (std::size_t i = 0; i < bdims.size(); ++i) operands.push_back(bdim_to_front(call.args[i], bdims[i], axis.size));
  outs.push_back(lax::concatenate(operands, static_cast<int>(call.params_as<ConcatenateParams>().dimension) + 1));
  out_bdims.push_back(0);
}

FactorTable factors_concatenate(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  const auto d = static_cast<std::size_t>(ir::params_as<ConcatenateParams>(params).dimension);
  FactorTable table;
  FactorTable::Axes y;
  for (std::size_t i = 0; i < out[0].shape().size(); ++i)
    y.push_back(
        {table.add(out[0].shape(i), i == d ? FactorTable::Kind::kPermutation : FactorTable::Kind::kPassThrough)});
  for (const Aval a : in) {
    FactorTable::Axes x = y;
    if (a.shape(d) != out[0].shape(d)) x[d] = {table.add(a.shape(d), FactorTable::Kind::kPermutation)};
    table.operands.push_back(std::move(x));
  }
  table.results.push_back(std::move(y));
  return table;
}

}  // namespace

Array lax::concatenate(std::span<const Array> xs, int dimension, SourceLocation loc) {
  const LocationScope scope(loc, "concatenate");
  if (xs.empty()) throw ValueError("concatenate: there must be at least one operand; got none.");
  const int axis = normal_axis("concatenate", dimension, xs[0].aval());
  if (xs.size() == 1) return xs[0];
  return bind1(OpCode::kConcatenate, ir::make_params(ConcatenateParams{axis}), xs);
}

const ir::OpInfo op_infos::concatenate{.operands = ir::takes_at_least(0),
                                       .parse = ir::parse_params<ConcatenateParams>,
                                       .infer = infer_concatenate,
                                       .eval = eval_concatenate,
                                       .storage_types = true};
const OpRules op_rule_table::concatenate{.jvp = jvp_multilinear,
                                         .transpose = transpose_concatenate,
                                         .batch = batch_concatenate,
                                         .factors = factors_concatenate};

// ---- split: the parts of the operand along `axis`, of the given sizes; the inverse of concatenate ----

namespace {

void infer_split(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<SplitParams>(params);
  check_axes("split", Dims{p.axis}, in[0].ndim());
  const auto d = static_cast<std::size_t>(p.axis);
  std::int64_t left = in[0].shape(d);
  bool fits = true;
  for (const std::int64_t size : p.sizes) {
    fits = fits && size >= 0 && size <= left;
    left -= fits ? size : 0;
  }
  if (!fits || left != 0)
    throw ShapeError("split: the sizes must add up to the axis; got " + shape_str(p.sizes) + " for axis " +
                     std::to_string(d) + " of " + in[0].str() + ".");
  Dims shape(in[0].shape());
  for (const std::int64_t size : p.sizes) {
    shape[d] = size;
    out.push_back(in[0].with_shape(shape));
  }
}

void eval_split(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto d = static_cast<std::size_t>(ir::params_as<SplitParams>(params).axis);
  const std::int64_t outer = product(in[0].shape().first(d));
  const char* from = static_cast<const char*>(in[0].data);
  for (std::int64_t o = 0; o < outer; ++o)
    for (const MutableTensorView& y : out) {
      const std::int64_t bytes = product(y.shape().subspan(d)) * byte_size(y.dtype());
      if (bytes) __builtin_memcpy(static_cast<char*>(y.data) + o * bytes, from, static_cast<std::size_t>(bytes));
      from += bytes;
    }
}

// One concatenation for all parts: linear in their number, where one pad per part would be quadratic.
void transpose_split(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<SplitParams>();
  Arrays parts;
  for (std::size_t i = 0; i < cts.size(); ++i) {
    Dims shape(accums[0]->aval().shape());
    shape[static_cast<std::size_t>(p.axis)] = p.sizes[i];
    parts.push_back(cts[i].defined() ? cts[i] : zeros_of(accums[0]->aval().with_shape(shape)));
  }
  accums[0]->add(lax::concatenate(parts, static_cast<int>(p.axis)));
}

void jvp_split(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  bind(call.op, call.params, tangents, out_tangents);
}

void batch_split(const Call& call, std::span<const int> bdims, const MappedAxis&, Arrays& outs, Bdims& out_bdims) {
  SplitParams p = call.params_as<SplitParams>();
  p.axis += p.axis >= bdims[0];
  bind(call.op, ir::make_params(p), call.args, outs);
  out_bdims.assign(outs.size(), bdims[0]);
}

FactorTable factors_split(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  const auto d = static_cast<std::size_t>(ir::params_as<SplitParams>(params).axis);
  FactorTable table;
  FactorTable::Axes x;
  for (std::size_t i = 0; i < in[0].shape().size(); ++i)
    x.push_back(
        {table.add(in[0].shape(i), i == d ? FactorTable::Kind::kPermutation : FactorTable::Kind::kPassThrough)});
  for (const Aval part : out) {
    FactorTable::Axes y = x;
    if (part.shape(d) != in[0].shape(d)) y[d] = {table.add(part.shape(d), FactorTable::Kind::kPermutation)};
    table.results.push_back(std::move(y));
  }
  table.operands.push_back(std::move(x));
  return table;
}

}  // namespace

Arrays lax::split(const Arg& x, DimSpan sizes, int axis) {
  const LocationScope scope(x.location(), "split");
  const Array a = x.array();
  Arrays outs;
  bind(OpCode::kSplit, ir::make_params(SplitParams{normal_axis("split", axis, a.aval()), Dims(sizes)}), {&a, 1}, outs);
  return outs;
}

const ir::OpInfo op_infos::split{.parse = ir::parse_params<SplitParams>, .infer = infer_split, .eval = eval_split};
const OpRules op_rule_table::split{
    .jvp = jvp_split, .transpose = transpose_split, .batch = batch_split, .factors = factors_split};

// ---- pad: y[low + i * (interior + 1)] = x[i], `value` elsewhere; negative low and high cut off ----

namespace {

constexpr std::int64_t kMaxPadding = std::int64_t{1} << 60;

void infer_pad(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<PadParams>(params);
  const auto rank = static_cast<std::size_t>(in[0].ndim());
  if (p.low.size() != rank || p.high.size() != rank || p.interior.size() != rank)
    throw ShapeError("pad: there must be one low, high and interior padding per axis; got " + shape_str(p.low) + ", " +
                     shape_str(p.high) + " and " + shape_str(p.interior) + " for " + in[0].str() + ".");
  if (in[1].dtype() != in[0].dtype())
    throw DTypeError("pad: the padding value must have the operand's dtype; got " + in[1].str() + " for " +
                     in[0].str() + ".");
  if (in[1].ndim() != 0)
    throw ShapeError("pad: the padding value must be 0-d; got " + in[1].str() + " for " + in[0].str() + ".");
  Dims shape;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t n = in[0].shape(i);
    if (p.interior[i] < 0)
      throw ValueError("pad: interior padding must not be negative; got " + std::to_string(p.interior[i]) + ".");
    // Within these limits no sum or product below or in evaluation overflows.
    if (std::max({p.low[i], p.high[i], p.interior[i]}) > kMaxPadding || std::min(p.low[i], p.high[i]) < -kMaxPadding)
      throw ValueError("pad: padding must be at most 2^60 either way; got low " + std::to_string(p.low[i]) + ", high " +
                       std::to_string(p.high[i]) + " and interior " + std::to_string(p.interior[i]) + ".");
    std::int64_t between = 0;
    if (__builtin_mul_overflow(std::max<std::int64_t>(n - 1, 0), p.interior[i], &between) || between > kMaxPadding)
      throw ShapeError("pad: interior padding must add at most 2^60 elements; got " + std::to_string(p.interior[i]) +
                       " between the " + std::to_string(n) + " of axis " + std::to_string(i) + " of " + in[0].str() +
                       ".");
    const std::int64_t size = n + between + p.low[i] + p.high[i];
    if (size < 0)
      throw ShapeError("pad: negative padding must not remove more than there is; got low " + std::to_string(p.low[i]) +
                       ", high " + std::to_string(p.high[i]) + " for axis " + std::to_string(i) + " of " + in[0].str() +
                       ".");
    shape.push_back(size);
  }
  out.push_back(in[0].with_shape(shape));
}

void eval_pad(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<PadParams>(params);
  const std::int64_t size = byte_size(in[0].dtype());
  for (std::int64_t i = 0; i < out[0].size(); ++i) copy_element(in[1].data, 0, out[0].data, i, size);
  const Dims strides = row_major_strides(out[0].shape());
  std::int64_t n = 0;
  for_each_index(in[0].shape(), [&](const Dims& at) {
    std::int64_t offset = 0;
    bool inside = true;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const std::int64_t to = p.low[i] + at[i] * (p.interior[i] + 1);
      inside = inside && to >= 0 && to < out[0].shape()[i];
      if (inside) offset += to * strides[i];
    }
    if (inside) copy_element(in[0].data, n, out[0].data, offset, size);
    ++n;
  });
}

// The operand's part of the cotangent: undo the edges, then keep every (interior + 1)th element.
Array unpad(const Array& ct, const PadParams& p, DimSpan shape) {
  Dims low, high, start, strides, none(shape.size(), 0);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    low.push_back(-p.low[i]);
    high.push_back(-p.high[i]);
    start.push_back(0);
    strides.push_back(p.interior[i] + 1);
  }
  const Array edges = lax::pad(ct, zeros_of(Aval(ct.dtype(), {})), low, high, none);
  return lax::slice(edges, start, edges.shape(), strides);
}

void transpose_pad(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<PadParams>();
  const Aval x = accums[0] ? accums[0]->aval() : call.args[0].aval();
  const Array inner = unpad(cts[0], p, x.shape());
  if (accums[0]) accums[0]->add(inner);
  if (!accums[1]) return;
  Dims all, inner_all;
  for (int i = 0; i < cts[0].ndim(); ++i) all.push_back(i);
  accums[1]->add(lax::subtract(lax::reduce_sum(cts[0], all), lax::reduce_sum(inner, all)));
}

void batch_pad(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  PadParams p = call.params_as<PadParams>();
  for (Dims* d : {&p.low, &p.high, &p.interior}) d->insert(d->begin(), 0);
  const Array x = bdim_to_front(call.args[0], bdims[0], axis.size);
  out_bdims.push_back(0);
  if (bdims[1] == kUnmapped) {
    outs.push_back(lax::pad(x, call.args[1], p.low, p.high, p.interior));
    return;
  }
  // One padding value per example: pad a mask as well, and choose.
  const Array padded = lax::pad(x, zeros_of(Aval(x.dtype(), {})), p.low, p.high, p.interior);
  const Array mask = lax::pad(lax::full(x.shape(), Scalar(true), boolean), Array(false), p.low, p.high, p.interior);
  outs.push_back(lax::select(mask, padded, lax::broadcast_in_dim(call.args[1], padded.shape(), Dims{0})));
}

FactorTable factors_pad(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  const auto& p = ir::params_as<PadParams>(params);
  FactorTable table;
  FactorTable::Axes x, y;
  for (std::size_t i = 0; i < out[0].shape().size(); ++i) {
    // Equal sizes are not enough: low 1 and high -1 shift.
    const bool whole = p.low[i] == 0 && p.high[i] == 0 && (p.interior[i] == 0 || in[0].shape(i) <= 1);
    x.push_back({table.add(in[0].shape(i), whole ? FactorTable::Kind::kPassThrough : FactorTable::Kind::kPermutation)});
    if (whole)
      y.push_back(x.back());
    else
      y.push_back({table.add(out[0].shape(i), FactorTable::Kind::kPermutation)});
  }
  table.operands.push_back(std::move(x));
  table.operands.push_back({});
  table.results.push_back(std::move(y));
  return table;
}

}  // namespace

Array lax::pad(const Arg& x, const Arg& value, DimSpan low, DimSpan high, DimSpan interior) {
  const LocationScope scope(x.location(), "pad");
  Array a = x.array();
  const auto zero = [](DimSpan d) { return std::all_of(d.begin(), d.end(), [](std::int64_t v) { return v == 0; }); };
  const Array filling = value.filled(a.dtype(), {});
  const auto params =
      ir::make_params(PadParams{Dims(low), Dims(high), interior.empty() ? Dims(low.size(), 0) : Dims(interior)});
  if (zero(low) && zero(high) && zero(interior)) {
    Avals out;
    infer_pad(params.get(), Avals{a.aval(), filling.aval()}, out);
    return a;
  }
  return bind1(OpCode::kPad, params, {a, filling});
}

const ir::OpInfo op_infos::pad{.operands = ir::takes(2),
                               .parse = ir::parse_params<PadParams>,
                               .infer = infer_pad,
                               .eval = eval_pad,
                               .storage_types = true};
const OpRules op_rule_table::pad{
    .jvp = jvp_multilinear, .transpose = transpose_pad, .batch = batch_pad, .factors = factors_pad};

}  // namespace weft
