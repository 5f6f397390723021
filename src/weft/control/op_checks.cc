#include "weft/control/op_checks.h"

#include <algorithm>

#include "weft/control/rules.h"
#include "weft/ir/indexing.h"
#include "weft/ir/shape.h"

namespace weft::control {

namespace {

// Where an operation starts to read or write: one index for each of these axes, the greatest that is in range beside
// it.
struct Starts {
  Dims axes, limits;
  bool scalars = false;  // an operand for each axis from number `first` on; else one array, along its last axis
  std::size_t first = 0;
};

Starts starts_of(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in) {
  Starts s;
  const DimSpan shape = in[0].shape();
  const auto add = [&](std::int64_t axis, std::int64_t size) {
    s.axes.push_back(axis);
    s.limits.push_back(shape[static_cast<std::size_t>(axis)] - size);
  };
  switch (op) {
    case OpCode::kDynamicSlice:
    case OpCode::kDynamicUpdateSlice: {
      s.scalars = true;
      s.first = op == OpCode::kDynamicSlice ? 1 : 2;
      const DimSpan sizes =
          op == OpCode::kDynamicSlice ? DimSpan(ir::params_as<DynamicSliceParams>(params).slice_sizes) : in[1].shape();
      for (std::size_t i = 0; i < shape.size(); ++i) add(static_cast<std::int64_t>(i), sizes[i]);
      return s;
    }
    case OpCode::kGather: {
      const auto& p = ir::params_as<GatherParams>(params);
      s.first = 1;
      for (const std::int64_t axis : p.dimension_numbers.start_index_map)
        add(axis, p.slice_sizes[static_cast<std::size_t>(axis)]);
      return s;
    }
    default: {
      const auto& d = ir::params_as<ScatterParams>(params).dimension_numbers;
      s.first = 1;
      // The window's size along each axis: 1 where it has none among the updates.
      Dims sizes;
      std::size_t next = 0;
      const auto among = [](const Dims& list, std::int64_t axis) {
        return std::find(list.begin(), list.end(), axis) != list.end();
      };
      for (std::size_t i = 0; i < shape.size(); ++i) {
        const auto axis = static_cast<std::int64_t>(i);
        const bool absent = among(d.inserted_window_dims, axis) || among(d.input_batching_dims, axis);
        sizes.push_back(absent ? 1 : in[2].shape()[static_cast<std::size_t>(d.update_window_dims[next++])]);
      }
      for (const std::int64_t axis : d.scatter_dims_to_operand_dims) add(axis, sizes[static_cast<std::size_t>(axis)]);
      return s;
    }
  }
}

bool is_indexing(OpCode op) {
  return op == OpCode::kGather || op == OpCode::kScatter || op == OpCode::kDynamicSlice ||
         op == OpCode::kDynamicUpdateSlice;
}

Dims all_axes(const Array& x) {
  Dims r;
  for (int i = 0; i < x.ndim(); ++i) r.push_back(i);
  return r;
}

Array any(const Array& x) { return lax::reduce_or(x, all_axes(x)); }

// Made of literals: programs inside operations cannot capture arrays.
Array list_of(const Dims& values) {
  Arrays each;
  for (const std::int64_t v : values) each.push_back(lax::full(Dims{1}, Scalar(v), i64));
  return lax::concatenate(each, 0);
}

OpCheck check_indices(const Call& call) {
  const Starts s = starts_of(call.op, call.params.get(), avals_of(call.args));
  Array starts;  // i64[..., n]
  if (s.scalars) {
    Arrays each;
    for (std::size_t i = 0; i < s.axes.size(); ++i)
      each.push_back(lax::reshape(lax::convert(call.args[s.first + i], i64), Dims{1}));
    starts = lax::concatenate(each, 0);
  } else {
    starts = lax::convert(call.args[s.first], i64);
  }
  const Dims last{starts.ndim() - 1};
  const auto along_last = [&](const Dims& values) {
    return lax::broadcast_in_dim(list_of(values), starts.shape(), last);
  };
  const Array outside = lax::or_(lax::lt(starts, zeros_of(starts.aval())), lax::gt(starts, along_last(s.limits)));
  const Dims flat{starts.size()};
  const Array where = lax::argmax(lax::convert(lax::reshape(outside, flat), i32), 0);
  const Array axes = along_last(s.axes);
  return {any(outside), {example_of(lax::reshape(starts, flat), where), example_of(lax::reshape(axes, flat), where)}};
}

}  // namespace

bool check_applies(CheckKind kind, OpCode op, const ir::ParamsBase* params, std::span<const Aval> in,
                   std::span<const Aval> out) {
  switch (kind) {
    case CheckKind::kNan:
      return !ir::only_moves(op) && std::any_of(out.begin(), out.end(), [](Aval a) {
        return is_inexact(a.dtype()) && !is_storage(a.dtype()) && a.size() > 0;
      });
    case CheckKind::kDivision: return (op == OpCode::kDivide || op == OpCode::kRemainder) && in[1].size() > 0;
    case CheckKind::kIndex: {
      if (!is_indexing(op)) return false;
      const Starts s = starts_of(op, params, in);
      return !s.axes.empty() && in[s.first].size() > 0;
    }
    case CheckKind::kUser: break;
  }
  return false;
}

OpCheckText check_text(CheckKind kind, OpCode op, std::span<const Aval> in, std::span<const Aval> out) {
  const std::string name(ir::op_name(op));
  if (kind == CheckKind::kNan) {
    std::string types;
    for (const Aval a : out)
      if (is_inexact(a.dtype())) types += (types.empty() ? "" : ", ") + a.str();
    return {{.pieces = {name + ": results must not be NaN; got NaN in " + types + "."}, .values = {}, .specs = {}}, {}};
  }
  if (kind == CheckKind::kDivision)
    return {{.pieces = {name + ": the divisor must not be zero; got zero in " + in[1].str() + "."},
             .values = {},
             .specs = {}},
            {}};
  return {{.pieces = {name + ": indices must be in range; got ", " for axis ", " of " + in[0].str() + "."},
           .values = {0, 1},
           .specs = {"", ""}},
          {Aval(i64, {}), Aval(i64, {})}};
}

OpCheck run_check(CheckKind kind, const Call& call, std::span<const Array> results) {
  if (kind == CheckKind::kIndex) return check_indices(call);
  if (kind == CheckKind::kDivision) return {any(lax::eq(call.args[1], zeros_of(call.args[1].aval()))), {}};
  Array bad;
  for (const Array& y : results) {
    if (!is_inexact(y.dtype()) || is_storage(y.dtype()) || y.size() == 0) continue;
    const Array nan = any(lax::ne(y, y));
    bad = bad.defined() ? lax::or_(bad, nan) : nan;
  }
  return {bad, {}};
}

}  // namespace weft::control
