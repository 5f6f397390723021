// Operations of Weft that StableHLO does not have, as programs of those it has. Written with lax, so their types are
// checked as they are staged.
#include <algorithm>
#include <limits>
#include <numeric>

#include "weft/core/rules.h"
#include "weft/ir/indexing.h"
#include "weft/ir/programs.h"
#include "weft/ir/shape.h"
#include "weft/ops/lax.h"
#include "weft/stablehlo/exporter.h"

namespace weft::stablehlo {

namespace {

// ---- threefry2x32 (Salmon et al., 2011) ----

Array rotated_left(const Array& x, int n) {
  const auto full = [&](int v) { return Array::full(x.shape(), u32, Scalar(v)); };
  return lax::or_(lax::shift_left(x, full(n)), lax::shift_right_logical(x, full(32 - n)));
}

void threefry(std::span<const Array> args, Arrays& outs) {
  constexpr int kRotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const DimSpan shape = args[2].shape();
  const auto spread = [&](const Array& k) {
    return k.ndim() == args[2].ndim() ? k : lax::broadcast_in_dim(k, shape, {});
  };
  const auto full = [&](std::uint32_t v) { return Array::full(shape, u32, Scalar(v)); };
  const Array k0 = spread(args[0]), k1 = spread(args[1]);
  const Array keys[3] = {k0, k1, lax::xor_(lax::xor_(k0, k1), full(0x1BD11BDAu))};
  Array x = lax::add(args[2], k0), y = lax::add(args[3], k1);
  for (std::uint32_t round = 0; round < 5; ++round) {
    for (const int r : kRotations[round % 2]) {
      x = lax::add(x, y);
      y = lax::xor_(rotated_left(y, r), x);
    }
    x = lax::add(x, keys[(round + 1) % 3]);
    y = lax::add(y, lax::add(keys[(round + 2) % 3], full(round + 1)));
  }
  outs.push_back(x);
  outs.push_back(y);
}

// ---- indices outside ----

// The largest start along each axis that index vectors name, in the indices' dtype.
Array largest_starts(DType t, const Aval& x, DimSpan map, DimSpan window) {
  std::vector<std::int64_t> limits;
  for (const std::int64_t axis : map) {
    const auto a = static_cast<std::size_t>(axis);
    limits.push_back(std::max<std::int64_t>(0, x.shape(a) - window[a]));
  }
  const CurrentTrace evaluate(nullptr);
  const Array list(limits);
  // An index type that does not reach the limit has no index beyond it.
  const std::int64_t largest = is_storage(t) ? (std::int64_t{1} << (bit_width(t) - !is_unsigned(t))) - 1
                                             : visit_dtype(t, []<class T>(TypeTag<T>) -> std::int64_t {
                                                 if constexpr (std::is_integral_v<T> && sizeof(T) < 8)
                                                   return static_cast<std::int64_t>(std::numeric_limits<T>::max());
                                                 else
                                                   return std::numeric_limits<std::int64_t>::max();
                                               });
  return lax::convert(lax::minimum(list, Array::full(list.shape(), i64, Scalar(largest))), t);
}

Array along_last(const Array& limits, const Array& indices) {
  return lax::broadcast_in_dim(limits, indices.shape(), Dims{indices.ndim() - 1});
}

// A gather whose reads outside give a fill: read clamped, then chosen.
void gather_filling(const GatherParams& p, std::span<const Array> args, Arrays& outs) {
  const Array &x = args[0], &indices = args[1];
  GatherParams clipped = p;
  clipped.mode = IndexMode::kClip;
  const Array y = bind1(OpCode::kGather, ir::make_params(clipped), {x, indices});
  const Array limits = along_last(
      largest_starts(indices.dtype(), x.aval(), p.dimension_numbers.start_index_map, p.slice_sizes), indices);
  const Array zero = Array::full(indices.shape(), indices.dtype(), Scalar(0));
  const Array inside =
      lax::reduce_and(lax::and_(lax::ge(indices, zero), lax::le(indices, limits)), Dims{indices.ndim() - 1});
  Dims axes;
  const Dims& offset = p.dimension_numbers.offset_dims;
  for (std::int64_t a = 0; a < y.ndim(); ++a)
    if (std::find(offset.begin(), offset.end(), a) == offset.end()) axes.push_back(a);
  const Array mask = lax::broadcast_in_dim(inside, y.shape(), axes);
  // What a gather reads outside, found by reading there.
  Array outside;
  {
    const CurrentTrace evaluate(nullptr);
    GatherParams read{{.collapsed_slice_dims = {0}, .start_index_map = {0}}, p.mode, {1}};
    const Array one = Array::full(Dims{1}, y.dtype(), Scalar(0)), index = Array::full(Dims{1}, i32, Scalar(1));
    outside = bind1(OpCode::kGather, ir::make_params(std::move(read)), {one, index});
  }
  const detail::HostView element = outside.host("print");
  const Array fill = y.size() > 0 ? detail::make_splat(y.aval(), element.view.data) : zeros_of(y.aval());
  outs.push_back(lax::select(mask, y, fill));
}

// One number per component of the index vectors, as i64, spread over vectors of this shape.
Array per_component(const std::vector<std::int64_t>& numbers, const Array& indices) {
  Array list;
  {
    const CurrentTrace evaluate(nullptr);
    list = Array(numbers);
  }
  return along_last(list, indices);
}

Array as_i64(const Array& indices) {
  // What is too large for i64 must stay beyond the end.
  const Array most = indices.dtype() == u64 ? lax::minimum(indices, INT64_MAX) : indices;
  return lax::convert(most, i64);
}

// A gather that reads zero, element by element, outside: zeros as wide as a window around the operand.
void gather_partial(const GatherParams& p, std::span<const Array> args, Arrays& outs) {
  const Array& x = args[0];
  Dims margin(static_cast<std::size_t>(x.ndim()), 0);
  std::vector<std::int64_t> widths, lowest, ends;
  for (const std::int64_t axis : p.dimension_numbers.start_index_map) {
    const auto a = static_cast<std::size_t>(axis);
    margin[a] = p.slice_sizes[a];
    widths.push_back(margin[a]);
    lowest.push_back(-margin[a]);
    ends.push_back(x.aval().shape(a));
  }
  const Array indices = as_i64(args[1]);
  const Array starts = lax::add(lax::clamp(per_component(lowest, indices), indices, per_component(ends, indices)),
                                per_component(widths, indices));
  GatherParams clipped = p;
  clipped.mode = IndexMode::kClip;
  outs.push_back(bind1(OpCode::kGather, ir::make_params(clipped),
                       {lax::pad(x, Array::full({}, x.dtype(), Scalar(0)), margin, margin), starts}));
}

Dims scatter_window(const ScatterParams& p, const Aval& x, const Aval& updates) {
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  const auto in = [](const Dims& list, std::int64_t a) { return std::find(list.begin(), list.end(), a) != list.end(); };
  Dims window(static_cast<std::size_t>(x.ndim()), 1);
  std::size_t next = 0;
  for (std::int64_t a = 0; a < x.ndim(); ++a)
    if (!in(d.inserted_window_dims, a) && !in(d.input_batching_dims, a))
      window[static_cast<std::size_t>(a)] = updates.shape(static_cast<std::size_t>(d.update_window_dims[next++]));
  return window;
}

// A scatter whose windows outside move to where they fit.
void scatter_clipping(const ScatterParams& p, std::span<const Array> args, Arrays& outs) {
  const Array &x = args[0], &indices = args[1], &updates = args[2];
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  const Dims window = scatter_window(p, x.aval(), updates.aval());
  const Array limits =
      along_last(largest_starts(indices.dtype(), x.aval(), d.scatter_dims_to_operand_dims, window), indices);
  const Array zero = Array::full(indices.shape(), indices.dtype(), Scalar(0));
  outs.push_back(
      lax::scatter(x, lax::clamp(zero, indices, limits), updates, d, p.kind, IndexMode::kPartial, p.unique_indices));
}

// A scatter that leaves out windows that are not wholly inside: those go beyond the end, element by element.
void scatter_dropping(const ScatterParams& p, std::span<const Array> args, Arrays& outs) {
  const Array &x = args[0], &updates = args[2];
  const ScatterDimensionNumbers& d = p.dimension_numbers;
  const Dims window = scatter_window(p, x.aval(), updates.aval());
  std::vector<std::int64_t> last, ends;
  for (const std::int64_t axis : d.scatter_dims_to_operand_dims) {
    const auto a = static_cast<std::size_t>(axis);
    ends.push_back(x.aval().shape(a));
    last.push_back(ends.back() - window[a]);
  }
  const Array indices = as_i64(args[1]);
  const Array zero = Array::full(indices.shape(), i64, Scalar(0));
  const Array inside = lax::reduce_and(
      lax::and_(lax::ge(indices, zero), lax::le(indices, per_component(last, indices))), Dims{indices.ndim() - 1});
  Dims vectors;
  for (std::int64_t a = 0; a + 1 < indices.ndim(); ++a) vectors.push_back(a);
  const Array starts =
      lax::select(lax::broadcast_in_dim(inside, indices.shape(), vectors), indices, per_component(ends, indices));
  outs.push_back(lax::scatter(x, starts, updates, d, p.kind, IndexMode::kPartial, p.unique_indices));
}

// ---- split ----

void slices(const SplitParams& p, const Array& x, Arrays& outs) {
  const auto d = static_cast<std::size_t>(p.axis);
  Dims start(x.shape().size(), 0), limit(x.shape());
  for (const std::int64_t size : p.sizes) {
    limit[d] = start[d] + size;
    outs.push_back(lax::slice(x, start, limit));
    start[d] = limit[d];
  }
}

// ---- scan ----

// A counted while: what is scanned over is captured, what is stacked is carried and written slice by slice.
void counted_loop(const ScanParams& p, std::span<const Array> args, Arrays& outs) {
  const std::size_t num_consts = p.jaxpr.num_consts(), num_carry = static_cast<std::size_t>(p.num_carry);
  const DType counter = p.length <= std::numeric_limits<std::int32_t>::max() ? i32 : i64;
  const auto number = [&](std::int64_t v) { return Array::full({}, counter, Scalar(v)); };
  const auto front = [&](const Array& i, int ndim) {
    Arrays start{i};
    while (static_cast<int>(start.size()) < ndim) start.push_back(number(0));
    return start;
  };
  Arrays captures(args.first(num_consts)), init{number(0)};
  for (const Array& x : args.subspan(num_consts + num_carry)) captures.push_back(x);
  for (const Array& c : args.subspan(num_consts, num_carry)) init.push_back(c);
  const ir::Avals results = p.jaxpr.output_avals();
  for (const Aval y : std::span<const Aval>(results).subspan(num_carry)) {
    Dims shape(y.shape());
    shape.insert(shape.begin(), p.length);
    init.push_back(zeros_of(y.with_shape(shape)));
  }
  if (p.length == 0) {  // nothing to slice
    outs.append(init.begin() + 1, init.end());
    return;
  }
  const ir::Avals state = avals_of(init);
  ir::Avals inputs = avals_of(captures);
  inputs.append(state.begin(), state.end());
  const Staged cond = stage(
      [&](std::span<const Array> in, Arrays& o) { o.push_back(lax::lt(in[0], number(p.length))); }, state, "scan");
  const Staged body = stage(
      [&](std::span<const Array> in, Arrays& o) {
        const std::span<const Array> xs = in.first(captures.size()).subspan(num_consts),
                                     ys = in.subspan(captures.size() + 1 + num_carry);
        const Array& i = in[captures.size()];
        const Array at = p.reverse ? lax::subtract(number(p.length - 1), i) : i;
        Arrays operands(in.first(num_consts)), values;
        for (const Array& c : in.subspan(captures.size() + 1, num_carry)) operands.push_back(c);
        for (const Array& x : xs) {
          Dims sizes(x.shape());
          sizes[0] = 1;
          operands.push_back(lax::reshape(lax::dynamic_slice(x, front(at, x.ndim()), sizes), x.shape().subspan(1)));
        }
        eval_jaxpr(p.jaxpr, operands, values);
        o.push_back(lax::add(i, number(1)));
        for (std::size_t k = 0; k < num_carry; ++k) o.push_back(values[k]);
        for (std::size_t k = 0; k < ys.size(); ++k) {
          Dims shape(ys[k].shape());
          shape[0] = 1;
          o.push_back(
              lax::dynamic_update_slice(ys[k], lax::reshape(values[num_carry + k], shape), front(at, ys[k].ndim())));
        }
      },
      inputs, "scan");
  Arrays operands(captures);
  operands.append(init.begin(), init.end());
  Arrays all;
  bind(OpCode::kWhile, ir::make_params(WhileParams{cond.jaxpr, ir::with_num_consts(body.jaxpr, captures.size())}),
       operands, all);
  outs.append(all.begin() + 1, all.end());
}

}  // namespace

Staged decomposition(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in) {
  FlatFunction f;
  switch (op) {
    case OpCode::kThreefry2x32: f = threefry; break;
    case OpCode::kGather:
      f = [&](std::span<const Array> args, Arrays& outs) {
        const auto& p = ir::params_as<GatherParams>(params);
        p.mode == IndexMode::kPartial ? gather_partial(p, args, outs) : gather_filling(p, args, outs);
      };
      break;
    case OpCode::kSplit:
      f = [&](std::span<const Array> args, Arrays& outs) { slices(ir::params_as<SplitParams>(params), args[0], outs); };
      break;
    case OpCode::kScan:
      f = [&](std::span<const Array> args, Arrays& outs) {
        counted_loop(ir::params_as<ScanParams>(params), args, outs);
      };
      break;
    case OpCode::kScatter:
      f = [&](std::span<const Array> args, Arrays& outs) {
        const auto& p = ir::params_as<ScatterParams>(params);
        const bool clip = p.mode == IndexMode::kClip || p.mode == IndexMode::kPromise;
        clip ? scatter_clipping(p, args, outs) : scatter_dropping(p, args, outs);
      };
      break;
    default: throw InternalError("stablehlo print: an operation has no decomposition");
  }
  const CurrentTrace outside(nullptr);
  return stage(f, in, std::string(ir::op_name(op)));
}

}  // namespace weft::stablehlo
