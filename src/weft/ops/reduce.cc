// Reductions: reduce with each kind, argmax, argmin, cumsum.
#include <algorithm>
#include <limits>

#include "weft/ir/elements.h"
#include "weft/ops/common.h"
#include "weft/ops/reduce_kinds.h"

namespace weft {

using namespace ops;

double ops::storage_identity(ReduceKind kind, DType t) {
  const bool infinite = is_float(t) && small_float_format(t).infinity_code() != 0;
  const double most = infinite      ? std::numeric_limits<double>::infinity()
                      : is_float(t) ? decode_small_float(small_float_format(t),
                                                         static_cast<std::uint8_t>(small_float_format(t).max_code()))
                                    : (1 << (bit_width(t) - !is_unsigned(t))) - 1;
  const bool negative = is_float(t) ? small_float_format(t).has_sign() : !is_unsigned(t);
  const double lowest = !negative ? (is_float(t) ? 0x1p-127 : 0) : is_float(t) ? -most : -most - 1;
  switch (kind) {
    case ReduceKind::kSum:
    case ReduceKind::kOr:
    case ReduceKind::kXor: return 0;
    case ReduceKind::kProd: return 1;
    case ReduceKind::kMax: return lowest;
    case ReduceKind::kMin: return most;
    default: return is_unsigned(t) ? most : -1;  // all bits
  }
}

namespace {

Dims pick(DimSpan shape, DimSpan axes) {
  Dims r;
  for (const std::int64_t a : axes) r.push_back(shape[static_cast<std::size_t>(a)]);
  return r;
}

// A reduced array spread over the axes it lost: `y` in x's shape.
Array spread(const Array& y, DimSpan x_shape, DimSpan axes) {
  return lax::broadcast_in_dim(y, x_shape, axes_without(static_cast<int>(x_shape.size()), axes));
}

// The reduced axes are shared by all partial results; `kind` says how they combine.
FactorTable factors_along(DimSpan axes, std::span<const Aval> in, FactorTable::Kind kind) {
  FactorTable table;
  FactorTable::Axes x, y;
  for (int i = 0; i < in[0].ndim(); ++i) {
    const bool reduced = std::find(axes.begin(), axes.end(), i) != axes.end();
    x.push_back(
        {table.add(in[0].shape(static_cast<std::size_t>(i)), reduced ? kind : FactorTable::Kind::kPassThrough)});
    if (!reduced) y.push_back(x.back());
  }
  table.operands.push_back(std::move(x));
  table.results.push_back(std::move(y));
  return table;
}

// ---- reduce: y[kept...] = x[kept..., a0] o x[kept..., a1] o ... over the positions of `axes` ----
// Sums start from +0: one of nothing but -0 is +0, as one of nothing is.

void infer_reduce(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<ReduceParams>(params);
  check_axes("reduce", p.axes, in[0].ndim());
  const bool bits = p.kind == ReduceKind::kAnd || p.kind == ReduceKind::kOr || p.kind == ReduceKind::kXor;
  if (bits && category(in[0].dtype()) > Category::kInteger)
    throw_dtype("reduce_" + std::string(enum_names(p.kind)[static_cast<std::size_t>(p.kind)]), "bool or integer", in);
  out.push_back(in[0].with_shape(pick(in[0].shape(), axes_without(in[0].ndim(), p.axes))));
}

// Pairwise: the error grows with the logarithm of the count.
template <class W, class Read>
W reduce_tree(ReduceKind kind, const Read& read, std::size_t begin, std::size_t end) {
  if (end - begin == 1) return read(begin);
  const std::size_t half = begin + (end - begin) / 2;
  return combine(kind, reduce_tree<W>(kind, read, begin, half), reduce_tree<W>(kind, read, half, end));
}

void eval_reduce(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out);

void eval_reduce_storage(const ParamsBase* params, std::span<const TensorView> in,
                         std::span<const MutableTensorView> out) {
  const DType t = out[0].dtype();
  if (in[0].size() > 0) return ir::evaluate_computed(eval_reduce, params, in, out);
  const double identity = storage_identity(ir::params_as<ReduceParams>(params).kind, t);
  for (std::int64_t i = 0; i < out[0].size(); ++i) convert_elements(f64, &identity, t, out[0].as<char>() + i, 1);
}

void eval_reduce(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  if (is_storage(in[0].dtype())) return eval_reduce_storage(params, in, out);
  const auto& p = ir::params_as<ReduceParams>(params);
  const auto rows = offsets_along(in[0].shape(), axes_without(in[0].ndim(), p.axes)),
             along = offsets_along(in[0].shape(), p.axes);
  ReduceKind kind = p.kind;
  visit_dtype(in[0].dtype(), [&]<class T>(TypeTag<T>) {
    using W = std::conditional_t<
        std::is_same_v<T, bool>, std::int64_t,
        std::conditional_t<std::is_unsigned_v<T>, std::uint64_t,
                           std::conditional_t<std::is_integral_v<T>, std::int64_t,
                                              std::conditional_t<std::is_same_v<T, std::complex<float>> ||
                                                                     std::is_same_v<T, std::complex<double>>,
                                                                 std::complex<double>, double>>>>;
    if (std::is_same_v<T, bool> && kind == ReduceKind::kSum) kind = ReduceKind::kOr;
    const T* x = in[0].as<T>();
    T* y = out[0].as<T>();
    for (const std::int64_t row : rows) {
      if (along.empty()) {
        *y++ = reduce_identity<T>(kind);
        continue;
      }
      const auto read = [&](std::size_t i) { return convert_element<W>(x[row + along[i]]); };
      const W sum = reduce_tree<W>(kind, read, 0, along.size());
      if constexpr (std::is_integral_v<W> && !std::is_same_v<T, bool>)
        *y++ = static_cast<T>(sum);  // wraps
      else if constexpr (std::is_integral_v<W>)
        *y++ = convert_element<T>(sum);
      else
        *y++ = convert_element<T>(kind == ReduceKind::kSum ? sum + W(0) : sum);
    }
  });
}

// prod: d y = sum_i t_i prod_{j != i} x_j. The products of the others come from running products
// from both sides, so zeros need no special case: y' is the sum over i of t_i before_i after_i.
Array prod_tangent(const Array& x, const Array& t, DimSpan axes) {
  // One axis holding all reduced positions, last.
  const Dims kept = axes_without(x.ndim(), axes);
  Dims order(kept), shape = pick(x.shape(), kept);
  order.append(axes.begin(), axes.end());
  const std::int64_t n = product(pick(x.shape(), axes));
  shape.push_back(n);
  Array value = lax::reshape(lax::transpose(x, order), shape), tangent = lax::reshape(lax::transpose(t, order), shape);
  // Halve until one is left: (a, a') (b, b') -> (ab, a'b + ab').
  const int last = static_cast<int>(shape.size()) - 1;
  const auto part = [&](const Array& a, std::int64_t begin, std::int64_t end) {
    Dims start(a.shape().size(), 0), limit(a.shape());
    start.back() = begin;
    limit.back() = end;
    return lax::slice(a, start, limit);
  };
  for (std::int64_t size = n; size > 1;) {
    const std::int64_t half = size / 2;
    const Array a = part(value, 0, half), b = part(value, half, 2 * half);
    const Array da = part(tangent, 0, half), db = part(tangent, half, 2 * half);
    Array v = lax::multiply(a, b), d = lax::add(lax::multiply(da, b), lax::multiply(a, db));
    if (size % 2) {
      v = lax::concatenate({v, part(value, size - 1, size)}, last);
      d = lax::concatenate({d, part(tangent, size - 1, size)}, last);
    }
    value = v;
    tangent = d;
    size = half + size % 2;
  }
  shape.pop_back();
  return n == 0 ? zeros_of(Aval(x.dtype(), shape)) : lax::reshape(tangent, shape);
}

void jvp_reduce(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<ReduceParams>();
  const Array& x = call.args[0];
  const Array& t = tangents[0];
  bind(call.op, call.params, call.args, outs);
  switch (p.kind) {
    case ReduceKind::kSum: out_tangents.push_back(lax::reduce_sum(t, p.axes)); return;
    case ReduceKind::kProd: out_tangents.push_back(prod_tangent(x, t, p.axes)); return;
    default: break;
  }
  if (product(pick(x.shape(), p.axes)) == 0) {  // the constant of no elements
    out_tangents.push_back(Array());
    return;
  }
  // max and min: the tangents of the elements that attain it, averaged over ties.
  const Array hit = lax::convert(lax::eq(x, spread(outs[0], x.shape(), p.axes)), x.dtype());
  const Array count = lax::reduce_sum(hit, p.axes);
  out_tangents.push_back(lax::divide(lax::reduce_sum(lax::multiply(t, hit), p.axes), count));
}

void transpose_reduce(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<ReduceParams>();
  internal_check(p.kind == ReduceKind::kSum, "reduce: only sums are linear");
  accums[0]->add(spread(cts[0], accums[0]->aval().shape(), p.axes));
}

void batch_reduce(const Call& call, std::span<const int> bdims, const MappedAxis&, Arrays& outs, Bdims& out_bdims) {
  const auto& p = call.params_as<ReduceParams>();
  outs.push_back(lax::reduce(call.args[0], p.kind, axes_past(p.axes, bdims[0])));
  int before = 0;
  for (const std::int64_t a : p.axes) before += a < bdims[0];
  // Axes at or past the mapped one moved up and are not before it.
  out_bdims.push_back(bdims[0] - before);
}

FactorTable factors_reduce(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval>) {
  return factors_along(ir::params_as<ReduceParams>(params).axes, in, FactorTable::Kind::kReduction);
}

constexpr std::string_view kReduceTexts[] = {"reduce_sum", "reduce_prod", "reduce_max", "reduce_min",
                                             "reduce_and", "reduce_or",   "reduce_xor"};

// ---- argmax, argmin: the first position of the largest (smallest) along one axis; NaN wins ----

template <bool kMax>
void infer_arg(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<ArgReduceParams>(params);
  const char* op = kMax ? "argmax" : "argmin";
  const Dims axes{p.axis};
  check_axes(op, axes, in[0].ndim());
  if (is_complex(in[0].dtype())) throw_dtype(op, "bool, integer or float", in);
  if (!is_integer(p.index_dtype))
    throw DTypeError(std::string(op) + ": indices must be integers; got " + std::string(name(p.index_dtype)) + ".");
  if (in[0].shape(static_cast<std::size_t>(p.axis)) == 0)
    throw ShapeError(std::string(op) + ": the axis must not be empty; got axis " + std::to_string(p.axis) + " of " +
                     in[0].str() + ".");
  out.push_back(in[0].with_shape(pick(in[0].shape(), axes_without(in[0].ndim(), axes))).with_dtype(p.index_dtype));
}

template <bool kMax>
void eval_arg(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<ArgReduceParams>(params);
  const Dims axes{p.axis};
  const auto rows = offsets_along(in[0].shape(), axes_without(in[0].ndim(), axes)),
             along = offsets_along(in[0].shape(), axes);
  std::vector<std::int64_t> found;
  visit_dtype(in[0].dtype(), [&]<class T>(TypeTag<T>) {
    if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>) {
      using C = compute_t<T>;
      const T* x = in[0].as<T>();
      for (const std::int64_t row : rows) {
        std::size_t best = 0;
        C value = static_cast<C>(x[row + along[0]]);
        for (std::size_t i = 1; i < along.size() && value == value; ++i) {
          const C v = static_cast<C>(x[row + along[i]]);
          if (v != v || (kMax ? v > value : v < value)) {
            best = i;
            value = v;
          }
        }
        found.push_back(static_cast<std::int64_t>(best));
      }
    }
  });
  visit_dtype(out[0].dtype(), [&]<class I>(TypeTag<I>) {
    if constexpr (std::is_integral_v<I>)
      for (std::size_t i = 0; i < found.size(); ++i) out[0].as<I>()[i] = static_cast<I>(found[i]);
  });
}

void batch_arg(const Call& call, std::span<const int> bdims, const MappedAxis&, Arrays& outs, Bdims& out_bdims) {
  auto p = call.params_as<ArgReduceParams>();
  p.axis += p.axis >= bdims[0];
  outs.push_back(bind1(call.op, ir::make_params(p), {call.args[0]}));
  out_bdims.push_back(bdims[0] - (p.axis < bdims[0]));
}

FactorTable factors_arg(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval>) {
  return factors_along(Dims{ir::params_as<ArgReduceParams>(params).axis}, in, FactorTable::Kind::kNeedReplication);
}

Array bind_arg(OpCode op, const Arg& x, int axis, DType index_dtype) {
  const LocationScope scope(x.location(), ir::op_name(op));
  const Array a = x.array();
  return bind1(op, ir::make_params(ArgReduceParams{normal_axis(ir::op_name(op), axis, a.aval()), index_dtype}), {a});
}

// ---- cumsum: y[..., i, ...] = sum_{j <= i} x[..., j, ...] ----

void infer_cumsum(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  check_axes("cumsum", Dims{ir::params_as<CumsumParams>(params).axis}, in[0].ndim());
  if (in[0].dtype() == boolean) throw_dtype("cumsum", "integer, float or complex", in);
  out.push_back(in[0]);
}

void eval_cumsum(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<CumsumParams>(params);
  const auto d = static_cast<std::size_t>(p.axis);
  const DimSpan shape = in[0].shape();
  const std::int64_t n = shape[d], outer = product(shape.first(d)), inner = product(shape.subspan(d + 1));
  visit_dtype(in[0].dtype(), [&]<class T>(TypeTag<T>) {
    if constexpr (!std::is_same_v<T, bool>) {
      constexpr bool kComplex = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;
      using W = std::conditional_t<std::is_integral_v<T>, std::uint64_t,
                                   std::conditional_t<kComplex, std::complex<double>, double>>;
      const T* x = in[0].as<T>();
      T* y = out[0].as<T>();
      // The sum in the block, and that of the blocks before.
      std::vector<W> sums(static_cast<std::size_t>(inner)), before(sums.size());
      for (std::int64_t o = 0; o < outer; ++o) {
        std::fill(sums.begin(), sums.end(), W{});
        std::fill(before.begin(), before.end(), W{});
        for (std::int64_t k = 0; k < n; ++k) {
          const std::int64_t row = (o * n + (p.reverse ? n - 1 - k : k)) * inner;
          const bool last = (k + 1) % kCumsumBlock == 0;
          for (std::int64_t j = 0; j < inner; ++j) {
            W &sum = sums[static_cast<std::size_t>(j)], &c = before[static_cast<std::size_t>(j)];
            if constexpr (std::is_integral_v<T>) {
              sum += static_cast<W>(x[row + j]);
              y[row + j] = static_cast<T>(c + sum);
            } else {
              sum += convert_element<W>(x[row + j]);
              y[row + j] = convert_element<T>(c + sum);
            }
            if (last) {
              c += sum;
              sum = W{};
            }
          }
        }
      }
    }
  });
}

void transpose_cumsum(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<CumsumParams>();
  accums[0]->add(lax::cumsum(cts[0], static_cast<int>(p.axis), !p.reverse));
}

void batch_cumsum(const Call& call, std::span<const int> bdims, const MappedAxis&, Arrays& outs, Bdims& out_bdims) {
  const auto& p = call.params_as<CumsumParams>();
  outs.push_back(lax::cumsum(call.args[0], static_cast<int>(p.axis + (p.axis >= bdims[0])), p.reverse));
  out_bdims.push_back(bdims[0]);
}

FactorTable factors_cumsum(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table = factors_elementwise(params, in, out);
  table.factors[static_cast<std::size_t>(ir::params_as<CumsumParams>(params).axis)].kind =
      FactorTable::Kind::kNeedReplication;
  return table;
}

}  // namespace

Array lax::reduce(const Arg& x, ReduceKind kind, DimSpan axes) {
  const LocationScope scope(x.location(), "reduce");
  Array a = x.array();
  if (axes.empty()) return a;
  Dims sorted(axes);
  std::sort(sorted.begin(), sorted.end());
  return bind1(OpCode::kReduce, ir::make_params(ReduceParams{kind, sorted}), {a});
}
Array lax::argmax(const Arg& x, int axis, DType index_dtype) { return bind_arg(OpCode::kArgmax, x, axis, index_dtype); }
Array lax::argmin(const Arg& x, int axis, DType index_dtype) { return bind_arg(OpCode::kArgmin, x, axis, index_dtype); }
Array lax::cumsum(const Arg& x, int axis, bool reverse) {
  const LocationScope scope(x.location(), "cumsum");
  const Array a = x.array();
  return bind1(OpCode::kCumsum, ir::make_params(CumsumParams{normal_axis("cumsum", axis, a.aval()), reverse}), {a});
}

const ir::OpInfo op_infos::reduce{.variants = kReduceTexts,
                                  .parse = ir::parse_params<ReduceParams>,
                                  .infer = infer_reduce,
                                  .eval = eval_reduce,
                                  .storage_types = true};
const OpRules op_rule_table::reduce{
    .jvp = jvp_reduce, .transpose = transpose_reduce, .batch = batch_reduce, .factors = factors_reduce};

const ir::OpInfo op_infos::argmax{
    .parse = ir::parse_params<ArgReduceParams>, .infer = infer_arg<true>, .eval = eval_arg<true>};
const OpRules op_rule_table::argmax{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_arg, .factors = factors_arg};
const ir::OpInfo op_infos::argmin{
    .parse = ir::parse_params<ArgReduceParams>, .infer = infer_arg<false>, .eval = eval_arg<false>};
const OpRules op_rule_table::argmin{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_arg, .factors = factors_arg};

const ir::OpInfo op_infos::cumsum{.parse = ir::parse_params<CumsumParams>, .infer = infer_cumsum, .eval = eval_cumsum};
const OpRules op_rule_table::cumsum{
    .jvp = jvp_linear, .transpose = transpose_cumsum, .batch = batch_cumsum, .factors = factors_cumsum};

}  // namespace weft
