#include "weft/compiler/simplify_window.h"

#include "weft/compiler/reduction_tree.h"
#include "weft/compiler/simplify_axes.h"
#include "weft/ir/contraction.h"

namespace weft::compiler::simplifying {

namespace {

Range range(std::int64_t start, std::int64_t size, std::int64_t stride) { return {start, size, size > 1 ? stride : 1}; }
Range all_of(std::int64_t size) { return {0, size, 1}; }
bool is_all_of(const Range& r, std::int64_t size) { return r == all_of(size); }

}  // namespace

Window whole(DimSpan shape) {
  Window w;
  for (const std::int64_t n : shape) w.push_back(all_of(n));
  return w;
}

bool is_whole(const Window& w, DimSpan shape) { return w == whole(shape); }

Dims sizes(const Window& w) {
  Dims r;
  for (const Range& a : w) r.push_back(a.size);
  return r;
}

Window window_of(const SliceParams& p) {
  Window w;
  for (std::size_t i = 0; i < p.strides.size(); ++i) {
    const std::int64_t extent = p.limit_indices[i] - p.start_indices[i];
    w.push_back(range(p.start_indices[i], extent > 0 ? (extent - 1) / p.strides[i] + 1 : 0, p.strides[i]));
  }
  return w;
}

SliceParams slice_params(const Window& w) {
  SliceParams p;
  for (const Range& a : w) {
    p.start_indices.push_back(a.start);
    p.limit_indices.push_back(a.size == 0 ? a.start : a.start + (a.size - 1) * a.stride + 1);
    p.strides.push_back(a.stride);
  }
  return p;
}

Window within(const Window& outer, const Window& inner) {
  Window w;
  for (std::size_t i = 0; i < outer.size(); ++i)
    w.push_back(
        range(outer[i].start + inner[i].start * outer[i].stride, inner[i].size, outer[i].stride * inner[i].stride));
  return w;
}

Window window_of(const SplitParams& p, std::size_t i, DimSpan shape) {
  Window w = whole(shape);
  Range& along = w[as_index(p.axis)];
  along = range(std::accumulate(p.sizes.begin(), p.sizes.begin() + static_cast<std::ptrdiff_t>(i), std::int64_t{0}),
                p.sizes[i], 1);
  return w;
}

namespace {

using Part = Narrowed::Part;

Narrowed moved(std::size_t operand, Window w) { return {OpCode::kSlice, {}, {Part{operand, std::move(w)}}, true}; }

// f(x, y)[w] = f(x[w], y[w]). Operands without axes (select's predicate) are the same for all elements.
Narrowed of_elementwise(OpCode op, const ir::Params& params, std::span<const Aval> in, const Window& w) {
  Narrowed r{op, params, {}};
  for (std::size_t i = 0; i < in.size(); ++i) r.parts.push_back({i, in[i].ndim() == 0 ? Window() : w});
  return r;
}

// iota[w] = iota, where w starts at 0 and takes each position along the counted axis
std::optional<Narrowed> of_iota(IotaParams p, const Window& w) {
  const Range& counted = w[as_index(p.dimension)];
  if (counted.start != 0 || counted.stride != 1) return std::nullopt;
  p.shape = sizes(w);
  return Narrowed{OpCode::kIota, ir::make_params(std::move(p)), {}};
}

// broadcast(x)[w] = broadcast(x[v]), v the ranges of those axes that x has
Narrowed of_broadcast(BroadcastInDimParams p, Aval x, const Window& w) {
  Window v;
  for (std::size_t i = 0; i < p.broadcast_dimensions.size(); ++i) {
    const std::size_t to = as_index(p.broadcast_dimensions[i]);
    v.push_back(x.shape(i) == p.shape[to] ? w[to] : all_of(1));
  }
  p.shape = sizes(w);
  return {OpCode::kBroadcastInDim, ir::make_params(std::move(p)), {Part{0, std::move(v)}}};
}

// reshape(x)[w] = reshape(x[v]), where axes that become one, or are parts of one, are taken whole
std::optional<Narrowed> of_reshape(Aval x, Aval out, const Window& w) {
  Window v = whole(x.shape());
  const auto size = static_cast<std::size_t>(x.ndim()), out_size = static_cast<std::size_t>(out.ndim());
  for (std::size_t i = 0, j = 0; i < size || j < out_size;) {
    if (i < size && x.shape(i) == 1) {
      ++i;
      continue;
    }
    if (j < out_size && out.shape(j) == 1) {
      if (!is_all_of(w[j++], 1)) return std::nullopt;
      continue;
    }
    // The fewest next axes of both with the same number of positions: not empty, for the window is not.
    const std::size_t first = i, first_out = j;
    std::int64_t n = x.shape(i++), m = out.shape(j++);
    while (n != m) {
      if (n < m)
        n *= x.shape(i++);
      else
        m *= out.shape(j++);
    }
    if (i == first + 1 && j == first_out + 1) {
      v[first] = w[first_out];
      continue;
    }
    for (std::size_t k = first_out; k < j; ++k)
      if (!is_all_of(w[k], out.shape(k))) return std::nullopt;
  }
  return Narrowed{OpCode::kReshape, ir::make_params(ReshapeParams{sizes(w)}), {Part{0, std::move(v)}}};
}

// transpose(x)[w] = transpose(x[v]), v[permutation[k]] = w[k]
Narrowed of_transpose(const ir::Params& params, const Window& w) {
  const Dims& permutation = ir::params_as<TransposeParams>(params).permutation;
  Window v(w.size());
  for (std::size_t k = 0; k < w.size(); ++k) v[as_index(permutation[k])] = w[k];
  return {OpCode::kTranspose, params, {Part{0, std::move(v)}}};
}

// reverse(x)[w] = reverse(x[v]), v from the other end
Narrowed of_reverse(const ir::Params& params, Aval x, const Window& w) {
  Window v = w;
  for (const std::int64_t d : ir::params_as<ReverseParams>(params).dimensions) {
    Range& r = v[as_index(d)];
    r.start = x.shape(as_index(d)) - 1 - (r.start + (r.size - 1) * r.stride);
  }
  return {OpCode::kReverse, params, {Part{0, std::move(v)}}};
}

// concatenate(x, y)[w] = concatenate(x[u], y[v]) of those in which w has elements
Narrowed of_concatenate(const ir::Params& params, std::span<const Aval> in, const Window& w) {
  const std::size_t d = as_index(ir::params_as<ConcatenateParams>(params).dimension);
  const Range& along = w[d];
  Narrowed r{OpCode::kConcatenate, params, {}};
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::int64_t end = begin + in[i].shape(d);
    // How many of the window's positions lie before a place.
    const auto before = [&](std::int64_t place) {
      return std::clamp((place - along.start + along.stride - 1) / along.stride, std::int64_t{0}, along.size);
    };
    const std::int64_t from = before(begin), to = before(end);
    if (to > from) {
      r.parts.push_back({i, w});
      r.parts.back().window[d] = range(along.start + from * along.stride - begin, to - from, along.stride);
    }
    begin = end;
  }
  r.moves_only = r.parts.size() == 1;
  return r;
}

// pad(x)[w] = pad(x[v]) with less padding
std::optional<Narrowed> of_pad(PadParams p, Aval x, Aval out, const Window& w) {
  Window v = w;
  bool padded = false;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const bool none = p.low[i] == 0 && p.high[i] == 0 && p.interior[i] == 0;
    padded = padded || !none;
    if (none) continue;
    if (is_all_of(w[i], out.shape(i))) {
      v[i] = all_of(x.shape(i));
      continue;
    }
    if (w[i].stride != 1 || p.interior[i] != 0) return std::nullopt;
    const std::int64_t first = w[i].start - p.low[i], size = x.shape(i);
    const std::int64_t begin = std::clamp(first, std::int64_t{0}, size);
    const std::int64_t n = std::clamp(first + w[i].size, std::int64_t{0}, size) - begin;
    v[i] = {begin, n, 1};
    p.low[i] = std::clamp(-first, std::int64_t{0}, w[i].size);
    p.high[i] = w[i].size - p.low[i] - n;
  }
  if (padded) {
    const Dims none(w.size(), 0);
    padded = !(p.low == none && p.high == none && p.interior == none);
  }
  if (!padded) return moved(0, std::move(v));
  return Narrowed{OpCode::kPad, ir::make_params(std::move(p)), {Part{0, std::move(v)}, Part{1, {}}}};
}

// Sums and products of floats are rounded in an order that may depend on the sizes of axes behind the reduced ones (few
// columns are folded), never on the sizes of those before.
bool order_matters(const ReduceParams& p, DType t) {
  return is_inexact(t) && (p.kind == ReduceKind::kSum || p.kind == ReduceKind::kProd);
}

// reduce(x)[w] = reduce(x[v]), reduced axes whole
enum class Order : std::uint8_t {
  kAny,         // the result has the same bits in every order
  kByColumn,    // each column is added up on its own, but a single one as a row is
  kAllColumns,  // the order may depend on how many columns there are
};
std::optional<Narrowed> of_reduction(OpCode op, const ir::Params& params, Aval x, DimSpan axes, Order order,
                                     const Window& w) {
  Window v = whole(x.shape());
  const Dims kept = axes_without(v.size(), axes);
  std::int64_t columns = 1, columns_left = 1;
  for (std::size_t k = 0; k < kept.size(); ++k) {
    const std::size_t axis = as_index(kept[k]);
    if (std::any_of(axes.begin(), axes.end(), [&](std::int64_t a) { return a < kept[k]; })) {
      if (order == Order::kAllColumns && !is_all_of(w[k], x.shape(axis))) return std::nullopt;
      columns *= x.shape(axis);
      columns_left *= w[k].size;
    }
    v[axis] = w[k];
  }
  if (order == Order::kByColumn && columns_left == 1 && columns > 1) return std::nullopt;
  return Narrowed{op, params, {Part{0, std::move(v)}}};
}

// dot_general(x, y)[w] = dot_general(x[u], y[v]), contracted axes whole
Narrowed of_dot(const ir::Params& params, std::span<const Aval> in, const Window& w) {
  const DotDimensionNumbers& d = ir::params_as<DotGeneralParams>(params).dimension_numbers;
  Window u = whole(in[0].shape()), v = whole(in[1].shape());
  std::size_t next = 0;
  for (; next < d.lhs_batch.size(); ++next) {
    u[as_index(d.lhs_batch[next])] = w[next];
    v[as_index(d.rhs_batch[next])] = w[next];
  }
  for (const std::int64_t a : axes_without(u.size(), d.lhs_contracting, d.lhs_batch)) u[as_index(a)] = w[next++];
  for (const std::int64_t a : axes_without(v.size(), d.rhs_contracting, d.rhs_batch)) v[as_index(a)] = w[next++];
  return {OpCode::kDotGeneral, params, {Part{0, std::move(u)}, Part{1, std::move(v)}}};
}

}  // namespace

std::optional<Narrowed> narrowed(OpCode op, const ir::Params& params, std::span<const Aval> in, Aval out,
                                 const Window& w, bool columns_apart) {
  if (std::any_of(w.begin(), w.end(), [](const Range& r) { return r.size == 0; })) return std::nullopt;
  switch (op) {
    case OpCode::kSlice: return moved(0, within(window_of(ir::params_as<SliceParams>(params)), w));
    case OpCode::kIota: return of_iota(ir::params_as<IotaParams>(params), w);
    case OpCode::kBroadcastInDim: return of_broadcast(ir::params_as<BroadcastInDimParams>(params), in[0], w);
    case OpCode::kReshape: return of_reshape(in[0], out, w);
    case OpCode::kTranspose: return of_transpose(params, w);
    case OpCode::kReverse: return of_reverse(params, in[0], w);
    case OpCode::kConcatenate: return of_concatenate(params, in, w);
    case OpCode::kPad: return of_pad(ir::params_as<PadParams>(params), in[0], out, w);
    case OpCode::kReduce: {
      const auto& p = ir::params_as<ReduceParams>(params);
      const Order order = !order_matters(p, in[0].dtype())                                ? Order::kAny
                          : columns_apart && is_reduced_by_kernels(in[0].dtype(), p.kind) ? Order::kByColumn
                                                                                          : Order::kAllColumns;
      return of_reduction(op, params, in[0], p.axes, order, w);
    }
    case OpCode::kArgmax:
    case OpCode::kArgmin:
      return of_reduction(op, params, in[0], Dims{ir::params_as<ArgReduceParams>(params).axis}, Order::kAny, w);
    case OpCode::kDotGeneral: return of_dot(params, in, w);
    default: break;
  }
  if (ir::op_info(op).elementwise) return of_elementwise(op, params, in, w);
  return std::nullopt;
}

}  // namespace weft::compiler::simplifying
