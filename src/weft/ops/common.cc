#include "weft/ops/common.h"

#include <algorithm>

#include "weft/base/text.h"

namespace weft::ops {

std::pair<Array, Array> pair_of(const Arg& x, const Arg& y) {
  if (x.is_scalar() && y.is_scalar()) {
    const DType t = y.dtype_beside(x.dtype()) == x.dtype() ? x.dtype() : y.dtype();
    return {x.filled(t, {}), y.filled(t, {})};
  }
  if (x.is_scalar()) return {x.filled(x.dtype_beside(y.dtype()), y.shape()), y.array()};
  if (y.is_scalar()) return {x.array(), y.filled(y.dtype_beside(x.dtype()), x.shape())};
  return {x.array(), y.array()};
}

namespace {

[[noreturn]] void throw_axis(std::string_view op, int axis, int rank, const std::string& of) {
  if (rank == 0)
    throw IndexError(std::string(op) + ": a 0-d array has no axes; got axis " + std::to_string(axis) + of + ".");
  throw IndexError(std::string(op) + ": axis must be in [" + std::to_string(-rank) + ", " + std::to_string(rank) +
                   "); got " + std::to_string(axis) + of + ".");
}

}  // namespace

int normal_axis(std::string_view op, int axis, Aval x) {
  const int rank = x.ndim();
  if (axis < -rank || axis >= rank) throw_axis(op, axis, rank, " for " + x.str());
  return axis < 0 ? axis + rank : axis;
}

int normal_axis(std::string_view op, int axis, int rank) {
  if (axis < -rank || axis >= rank) throw_axis(op, axis, rank, " for a result with " + count_str(rank, "axis", "axes"));
  return axis < 0 ? axis + rank : axis;
}

void check_axes(std::string_view op, DimSpan axes, int rank) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] >= rank)
      throw IndexError(std::string(op) + ": axes must be in [0, " + std::to_string(rank) + "); got " + shape_str(axes) +
                       ".");
    for (std::size_t j = 0; j < i; ++j)
      if (axes[i] == axes[j])
        throw IndexError(std::string(op) + ": axes must be distinct; got " + shape_str(axes) + ".");
  }
}

std::string operand_text(std::span<const Aval> in) {
  std::string s = in[0].str();
  for (std::size_t i = 1; i < in.size(); ++i) s += (i + 1 == in.size() ? " and " : ", ") + in[i].str();
  return s;
}

namespace {

std::string cure(std::string_view accepted, DType got) {
  const bool floats = accepted.find("float") != std::string_view::npos;
  switch (category(got)) {
    case Category::kBool: return "convert with astype(i32).";
    case Category::kInteger: return "convert with astype(f32), or use np::, which promotes.";
    case Category::kFloat:
      if (floats) return "";
      return accepted.find("bool") == std::string_view::npos
                 ? "convert with astype(i32)."
                 : "compare first, as in (x > 0) & (y > 0), or convert with astype(i32).";
    default: return "take real(x), imag(x) or abs(x).";
  }
}

}  // namespace

void throw_dtype(std::string_view op, std::string_view accepted, std::span<const Aval> got) {
  throw DTypeError(std::string(op) + (got.size() == 1 ? ": the operand must be " : ": operands must be ") +
                       std::string(accepted) + "; got " + operand_text(got) + ".",
                   cure(accepted, got[0].dtype()));
}

bool accepts(unsigned mask, DType t) {
  switch (category(t)) {
    case Category::kBool: return mask & kAcceptBool;
    case Category::kInteger: return mask & kAcceptInteger || (mask & kAcceptSigned && is_signed_integer(t));
    case Category::kFloat: return mask & kAcceptFloat;
    default: return mask & kAcceptComplex;
  }
}

namespace {

std::string accepted_text(unsigned mask) {
  std::string s;
  const auto add = [&](unsigned bit, const char* what) {
    if (mask & bit) s += (s.empty() ? "" : ", ") + std::string(what);
  };
  add(kAcceptBool, "bool");
  add(kAcceptInteger, "integer");
  add(kAcceptSigned, "signed integer");
  add(kAcceptFloat, "float");
  add(kAcceptComplex, "complex");
  const auto comma = s.rfind(", ");
  if (comma != std::string::npos) s.replace(comma, 2, " or ");
  return s;
}

}  // namespace

void infer_elementwise(OpCode op, std::span<const Aval> in, unsigned accept, Avals& out) {
  for (const Aval a : in.subspan(1)) {
    if (a == in[0]) continue;
    if (a.dtype() != in[0].dtype())
      throw DTypeError(std::string(ir::op_name(op)) + ": operands must have equal dtypes; got " + in[0].str() +
                           " and " + a.str() + ".",
                       "convert one of them with astype, or use np::, which promotes.");
    if (!same_dims(a.shape(), in[0].shape()))
      throw ShapeError(std::string(ir::op_name(op)) + ": operands must have equal shapes; got " + in[0].str() +
                           " and " + a.str() + ".",
                       "lax:: does not broadcast; np:: does.");
  }
  if (!accepts(accept, in[0].dtype())) throw_dtype(ir::op_name(op), accepted_text(accept), in);
  std::uint64_t vary = 0;
  for (const Aval a : in) vary |= a.vary();
  out.push_back(vary == in[0].vary() ? in[0] : Aval(in[0].dtype(), in[0].shape(), vary));
}

void jvp_linear(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  bind(call.op, call.params, tangents, out_tangents);
}

void jvp_multilinear(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  Arrays filled(tangents);
  for (std::size_t i = 0; i < filled.size(); ++i)
    if (!filled[i].defined()) filled[i] = zeros_of(call.args[i].aval());
  bind(call.op, call.params, filled, out_tangents);
}

void jvp_bilinear(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  Array sum;
  for (std::size_t i = 0; i < 2; ++i) {
    if (!tangents[i].defined()) continue;
    Arrays operands(call.args), term;
    operands[i] = tangents[i];
    bind(call.op, call.params, operands, term);
    sum = sum.defined() ? lax::add(sum, term[0]) : std::move(term[0]);
  }
  out_tangents.push_back(std::move(sum));
}

Array bdim_to(const Array& x, int bdim, int to, std::int64_t size) {
  const int rank = x.ndim();
  if (bdim == kUnmapped) {
    Dims shape(x.shape()), dims;
    shape.insert(shape.begin() + to, size);
    for (int i = 0; i < rank; ++i) dims.push_back(i < to ? i : i + 1);
    return lax::broadcast_in_dim(x, shape, dims);
  }
  if (bdim == to) return x;
  Dims permutation;
  for (int i = 0; i < rank; ++i)
    if (i != bdim) permutation.push_back(i);
  permutation.insert(permutation.begin() + to, bdim);
  return lax::transpose(x, permutation);
}

Array bdim_to_front(const Array& x, int bdim, std::int64_t size) { return bdim_to(x, bdim, 0, size); }

namespace {

// x[..., e, ...] along `axis`, without that axis.
Array example_at(const Array& x, int axis, std::int64_t e) {
  const auto d = static_cast<std::size_t>(axis);
  Dims start(x.shape().size(), 0), limit(x.shape()), shape(x.shape());
  start[d] = e;
  limit[d] = e + 1;
  shape.erase(shape.begin() + axis);
  return lax::reshape(lax::slice(x, start, limit), shape);
}

}  // namespace

void batch_unrolled(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                    Bdims& out_bdims) {
  std::vector<Arrays> columns;  // by result
  for (std::int64_t e = 0; e < axis.size; ++e) {
    Arrays args, results;
    for (std::size_t i = 0; i < bdims.size(); ++i)
      args.push_back(bdims[i] == kUnmapped ? call.args[i] : example_at(call.args[i], bdims[i], e));
    bind(call.op, call.params, args, results);
    columns.resize(results.size());
    for (std::size_t r = 0; r < results.size(); ++r) columns[r].push_back(bdim_to_front(results[r], kUnmapped, 1));
  }
  if (axis.size == 0) {
    Avals in, types;
    for (std::size_t i = 0; i < bdims.size(); ++i) {
      Dims shape(call.args[i].shape());
      if (bdims[i] != kUnmapped) shape.erase(shape.begin() + bdims[i]);
      in.push_back(call.args[i].aval().with_shape(shape));
    }
    ir::infer(call.op, call.params.get(), in, types);
    for (const Aval a : types) {
      Dims shape(a.shape());
      shape.insert(shape.begin(), 0);
      columns.push_back({zeros_of(a.with_shape(shape))});
    }
  }
  for (const Arrays& column : columns) {
    outs.push_back(column.size() == 1 ? column[0] : lax::concatenate(column, 0));
    out_bdims.push_back(0);
  }
}

Dims axes_past(DimSpan axes, int bdim) {
  Dims r;
  for (const std::int64_t a : axes) r.push_back(a + (a >= bdim));
  return r;
}

void batch_elementwise(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                       Bdims& out_bdims) {
  int to = kUnmapped;
  for (const int b : bdims)
    if (to == kUnmapped) to = b;
  Arrays args;
  for (std::size_t i = 0; i < call.args.size(); ++i) args.push_back(bdim_to(call.args[i], bdims[i], to, axis.size));
  bind(call.op, call.params, args, outs);
  for (std::size_t i = 0; i < outs.size(); ++i) out_bdims.push_back(to);
}

FactorTable factors_elementwise(const ParamsBase*, std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table;
  FactorTable::Axes axes;
  for (const std::int64_t size : out[0].shape()) axes.push_back({table.add(size)});
  for (std::size_t i = 0; i < in.size(); ++i) table.operands.push_back(in[i].ndim() ? axes : FactorTable::Axes());
  for (std::size_t i = 0; i < out.size(); ++i) table.results.push_back(axes);
  return table;
}

FactorTable factors_replicated(const ParamsBase*, std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table;
  const auto replicated = [&](Aval a) {
    FactorTable::Axes axes;
    for (const std::int64_t size : a.shape()) axes.push_back({table.add(size, FactorTable::Kind::kNeedReplication)});
    return axes;
  };
  for (const Aval a : in) table.operands.push_back(replicated(a));
  for (const Aval a : out) table.results.push_back(replicated(a));
  return table;
}

Dims axes_without(int rank, DimSpan a, DimSpan b) {
  const auto in = [](DimSpan d, std::int64_t v) { return std::find(d.begin(), d.end(), v) != d.end(); };
  Dims r;
  for (int i = 0; i < rank; ++i)
    if (!in(a, i) && !in(b, i)) r.push_back(i);
  return r;
}

std::vector<std::int64_t> offsets_along(DimSpan shape, DimSpan axes) {
  const Dims strides = row_major_strides(shape);
  Dims sizes, steps;
  for (const std::int64_t a : axes) {
    sizes.push_back(shape[static_cast<std::size_t>(a)]);
    steps.push_back(strides[static_cast<std::size_t>(a)]);
  }
  std::vector<std::int64_t> r;
  r.reserve(static_cast<std::size_t>(product(sizes)));
  for_each_index(sizes, [&](const Dims& at) { r.push_back(offset_of(at, steps)); });
  return r;
}

}  // namespace weft::ops
