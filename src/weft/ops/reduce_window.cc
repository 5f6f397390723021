// Windows that slide over an array: reduce_window with each kind, and the two operations that differentiate pooling,
// select_and_scatter and select_and_gather_add. A place of a window sees elements only; padding and what dilation
// puts between them have no part in it.
#include <algorithm>
#include <memory>

#include "weft/base/function_ref.h"
#include "weft/ir/elements.h"
#include "weft/ops/reduce_kinds.h"
#include "weft/ops/wide.h"
#include "weft/ops/window_axis.h"

namespace weft {

using namespace ops;

namespace {

// What one step is computed in before it is rounded to T.
template <class T>
using step_t = std::conditional_t<std::is_same_v<T, bool>, std::uint64_t, compute_t<T>>;

// ---- windows ----

std::vector<WindowAxis> window_axes(const Window& w, DimSpan shape) {
  std::vector<WindowAxis> axes;
  axes.reserve(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i)
    axes.push_back({.size = shape[i],
                    .window = w.dimensions[i],
                    .stride = w.strides[i],
                    .base_dilation = w.base_dilations[i],
                    .window_dilation = w.window_dilations[i],
                    .low = w.padding_low[i],
                    .high = w.padding_high[i]});
  return axes;
}

// The shape of the places of a window over x, checked.
Dims window_places(std::string_view op, const Window& w, Aval x) {
  const auto rank = x.shape().size();
  const auto check = [&](std::string_view what, const Dims& list) {
    if (list.size() != rank)
      throw ShapeError(std::string(op) + ": " + std::string(what) + " must have one entry per axis; got " +
                       shape_str(list) + " for " + x.str() + ".");
  };
  check("window_dimensions", w.dimensions);
  check("window_strides", w.strides);
  check("base_dilations", w.base_dilations);
  check("window_dilations", w.window_dilations);
  check("padding_low", w.padding_low);
  check("padding_high", w.padding_high);
  Dims places;
  const std::vector<WindowAxis> axes = window_axes(w, x.shape());
  for (std::size_t i = 0; i < rank; ++i) {
    check_window_axis(op, i, axes[i]);
    places.push_back(axes[i].places());
  }
  return places;
}

// A window whose lists may be left empty.
Window filled_window(Window w, std::size_t rank) {
  for (Dims* ones : {&w.strides, &w.base_dilations, &w.window_dilations})
    if (ones->empty()) ones->assign(rank, 1);
  for (Dims* zeros : {&w.padding_low, &w.padding_high})
    if (zeros->empty()) zeros->assign(rank, 0);
  return w;
}

// The window over an array with one more axis, along which it does not slide.
Window with_axis(Window w, int axis) {
  for (Dims* ones : {&w.dimensions, &w.strides, &w.base_dilations, &w.window_dilations})
    ones->insert(ones->begin() + axis, 1);
  for (Dims* zeros : {&w.padding_low, &w.padding_high}) zeros->insert(zeros->begin() + axis, 0);
  return w;
}

// One run of elements that a place sees: `count` offsets from `first` on, `step` apart.
using Run = FunctionRef<void(std::int64_t first, std::int64_t count, std::int64_t step)>;
using Runs = FunctionRef<void(Run)>;

// Calls f(place, runs) for every place in row-major order, where `runs(g)` calls g for every run of elements that it
// sees, in row-major order too.
void for_each_place(const Window& w, DimSpan shape, FunctionRef<void(std::int64_t place, Runs runs)> f) {
  const std::vector<WindowAxis> axes = window_axes(w, shape);
  const Dims strides = row_major_strides(shape);
  Dims places;
  for (const WindowAxis& axis : axes) places.push_back(axis.places());
  if (product(places) == 0) return;
  std::vector<std::vector<Progression>> seen;  // by axis and place, in offsets
  for (std::size_t i = 0; i < axes.size(); ++i) {
    std::vector<Progression>& list = seen.emplace_back();
    for (std::int64_t o = 0; o < places[i]; ++o) {
      Progression p = axes[i].seen(o);
      p.first *= strides[i];
      p.step *= strides[i];
      list.push_back(p);
    }
  }
  std::vector<Progression> window(axes.size());
  Dims counter(axes.size());
  std::int64_t place = 0;
  for_each_index(places, [&](const Dims& at) {
    std::int64_t offset = 0;
    bool empty = false;
    for (std::size_t i = 0; i < at.size(); ++i) {
      window[i] = seen[i][static_cast<std::size_t>(at[i])];
      offset += window[i].first;
      empty |= window[i].count == 0;
      counter[i] = 0;
    }
    f(place++, [&](Run g) {
      if (empty) return;
      if (window.empty()) return g(0, 1, 0);
      const Progression& inner = window.back();
      for (;;) {
        g(offset, inner.count, inner.step);
        std::size_t i = window.size() - 1;
        while (i-- > 0) {
          offset += window[i].step;
          if (++counter[i] < window[i].count) break;
          offset -= window[i].step * window[i].count;
          counter[i] = 0;
        }
        if (i == static_cast<std::size_t>(-1)) return;
      }
    });
  });
}

// Axes along which windows do not slide pass through; the others are needed whole.
FactorTable factors_window(const Window& w, std::span<const Aval> in, std::span<const Aval> out, bool scatters) {
  using Kind = FactorTable::Kind;
  FactorTable table;
  const Aval x = in[0];
  const std::vector<WindowAxis> axes = window_axes(w, x.shape());
  FactorTable::Axes elements, places;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const bool whole = !axes[i].trivial();
    elements.push_back({table.add(axes[i].size, whole ? Kind::kNeedReplication : Kind::kPassThrough)});
    if (whole)
      places.push_back({table.add(axes[i].places(), Kind::kNeedReplication)});
    else
      places.push_back(elements.back());
  }
  table.operands.push_back(elements);
  if (in.size() > 1) table.operands.push_back(scatters ? places : elements);
  for (std::size_t i = 0; i < out.size(); ++i) table.results.push_back(scatters ? elements : places);
  return table;
}

// ---- reduce_window: y[o...] = x[i0...] o x[i1...] o ... over the elements that place o sees ----

void infer_reduce_window(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<ReduceWindowParams>(params);
  const bool bits = p.kind == ReduceKind::kAnd || p.kind == ReduceKind::kOr || p.kind == ReduceKind::kXor;
  if (bits && category(in[0].dtype()) > Category::kInteger)
    throw_dtype("reduce_window_" + std::string(enum_names(p.kind)[static_cast<std::size_t>(p.kind)]), "bool or integer",
                in);
  out.push_back(in[0].with_shape(window_places("reduce_window", p.window, in[0])));
}

// Every step is rounded to the element type, in row-major order, as StableHLO's reference does: where terms cancel,
// results can agree in no other way.
template <class T>
void reduce_windows(const ReduceWindowParams& p, DimSpan shape, const T* x, T identity, T* y) {
  using C = step_t<T>;
  for_each_place(p.window, shape, [&](std::int64_t place, Runs runs) {
    T all = identity;
    runs([&](std::int64_t i, std::int64_t count, std::int64_t step) {
      for (; count > 0; --count, i += step)
        all = convert_element<T>(combine(p.kind, convert_element<C>(all), convert_element<C>(x[i])));
    });
    y[place] = all;
  });
}

void eval_reduce_window(const ParamsBase* params, std::span<const TensorView> in,
                        std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<ReduceWindowParams>(params);
  const DType t = in[0].dtype();
  visit_dtype(compute_dtype(t), [&]<class T>(TypeTag<T>) {
    if (!is_storage(t))
      return reduce_windows<T>(p, in[0].shape(), in[0].as<T>(), reduce_identity<T>(p.kind), out[0].as<T>());
    // A window of padding alone gives the lowest (largest) value that the type itself has.
    const std::unique_ptr<T[]> x(new T[static_cast<std::size_t>(in[0].size())]),
        y(new T[static_cast<std::size_t>(out[0].size())]);
    widen_elements(t, in[0].data, x.get(), in[0].size());
    reduce_windows<T>(p, in[0].shape(), x.get(), convert_element<T>(storage_identity(p.kind, t)), y.get());
    narrow_elements(t, y.get(), out[0].data, out[0].size());
  });
}

// The elements [begin, begin + length) of one axis, every stride-th.
Array part(const Array& x, int axis, std::int64_t begin, std::int64_t length, std::int64_t stride = 1) {
  const auto a = static_cast<std::size_t>(axis);
  Dims start(x.shape().size(), 0), limit(x.shape()), strides(x.shape().size(), 1);
  start[a] = begin;
  limit[a] = begin + length;
  strides[a] = stride;
  return lax::slice(x, start, limit, strides);
}

// prod: products of windows of 1, 2, 4, ... elements, each of two shorter ones side by side, axis by axis. Nothing
// is divided, so zeros need no special case.
Array window_prod_tangent(const Array& x, const Array& t, const Window& w) {
  const std::vector<WindowAxis> axes = window_axes(w, x.shape());
  for (const WindowAxis& a : axes)
    if (a.window == 0 || a.places() == 0) return Array();
  Dims interior;
  for (const std::int64_t d : w.base_dilations) interior.push_back(d - 1);
  Factor all{lax::pad(x, 1, w.padding_low, w.padding_high, interior),
             lax::pad(t, 0, w.padding_low, w.padding_high, interior)};
  for (int axis = 0; axis < x.ndim(); ++axis) {
    const WindowAxis& a = axes[static_cast<std::size_t>(axis)];
    const Factor one = all;
    const std::int64_t n = one.value.shape(axis);
    const auto from = [&](const Factor& v, std::int64_t begin, std::int64_t length) {
      return Factor{part(v.value, axis, begin, length), part(v.tangent, axis, begin, length)};
    };
    // The product of `length` elements, starting anywhere, from those of the leading bits of `window`.
    int bit = 62;
    while ((a.window >> bit) == 0) --bit;
    std::int64_t length = 1;
    while (bit-- > 0) {
      const std::int64_t places = n - (2 * length - 1) * a.window_dilation;
      all = from(all, 0, places) * from(all, length * a.window_dilation, places);
      length *= 2;
      if ((a.window >> bit) & 1) {
        const std::int64_t more = n - length * a.window_dilation;
        all = from(all, 0, more) * from(one, length * a.window_dilation, more);
        ++length;
      }
    }
    const std::int64_t span = (a.places() - 1) * a.stride + 1;
    all = {part(all.value, axis, 0, span, a.stride), part(all.tangent, axis, 0, span, a.stride)};
  }
  return all.tangent;
}

void jvp_reduce_window(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const auto& p = call.params_as<ReduceWindowParams>();
  const Array& x = call.args[0];
  const Array& t = tangents[0];
  bind(call.op, call.params, call.args, outs);
  switch (p.kind) {
    case ReduceKind::kSum: out_tangents.push_back(lax::reduce_window(t, p.kind, p.window)); return;
    case ReduceKind::kProd: out_tangents.push_back(window_prod_tangent(x, t, p.window)); return;
    case ReduceKind::kMax:
      out_tangents.push_back(lax::select_and_gather_add(x, t, WindowSelect::kGe, p.window));
      return;
    case ReduceKind::kMin:
      out_tangents.push_back(lax::select_and_gather_add(x, t, WindowSelect::kLe, p.window));
      return;
    default: throw InternalError("reduce_window: a tangent of integers");
  }
}

// sum: ct_x[i] is the sum of ct over the places that see i, a window over ct.
void transpose_reduce_window(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<ReduceWindowParams>();
  internal_check(p.kind == ReduceKind::kSum, "reduce_window: only sums are linear");
  Window w = p.window;
  const std::vector<WindowAxis> axes = window_axes(p.window, accums[0]->aval().shape());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].size == 0 || axes[i].window == 0 || axes[i].places() == 0) return;
    const WindowAxis t = transposed(axes[i]);
    w.strides[i] = t.stride;
    w.base_dilations[i] = t.base_dilation;
    w.padding_low[i] = t.low;
    w.padding_high[i] = t.high;
  }
  accums[0]->add(lax::reduce_window(cts[0], ReduceKind::kSum, w));
}

void batch_reduce_window(const Call& call, std::span<const int> bdims, const MappedAxis&, Arrays& outs,
                         Bdims& out_bdims) {
  const auto& p = call.params_as<ReduceWindowParams>();
  outs.push_back(lax::reduce_window(call.args[0], p.kind, with_axis(p.window, bdims[0])));
  out_bdims.push_back(bdims[0]);
}

FactorTable factors_reduce_window(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  return factors_window(ir::params_as<ReduceWindowParams>(params).window, in, out, false);
}

constexpr std::string_view kReduceWindowTexts[] = {"reduce_window_sum", "reduce_window_prod", "reduce_window_max",
                                                   "reduce_window_min", "reduce_window_and",  "reduce_window_or",
                                                   "reduce_window_xor"};

// ---- selection: of what a place sees, the element that beats all others ----

// Whether the element chosen so far stays, as StableHLO's select region says: NaN never holds its place.
template <class W>
bool stays(WindowSelect select, W chosen, W next) {
  const bool first = select == WindowSelect::kGe || select == WindowSelect::kLe;
  const bool largest = select == WindowSelect::kGe || select == WindowSelect::kGt;
  if (chosen == next) return first;
  if constexpr (std::is_same_v<W, std::complex<double>>)
    return largest ? greater(chosen, next) : greater(next, chosen);
  else
    return largest ? chosen > next : chosen < next;
}

// Where in x each place finds its element; -1 when it sees none.
std::vector<std::int64_t> chosen_elements(const WindowSelectParams& p, const TensorView& x) {
  std::vector<std::int64_t> chosen;
  visit_wide(x.dtype(), [&]<class W>(TypeTag<W>) {
    const std::vector<W> values = widened<W>(x);
    for_each_place(p.window, x.shape(), [&](std::int64_t, Runs runs) {
      std::int64_t best = -1;
      runs([&](std::int64_t i, std::int64_t count, std::int64_t step) {
        for (; count > 0; --count, i += step)
          if (best < 0 || !stays(p.select, values[static_cast<std::size_t>(best)], values[static_cast<std::size_t>(i)]))
            best = i;
      });
      chosen.push_back(best);
    });
  });
  return chosen;
}

void check_equal_dtypes(std::string_view op, std::span<const Aval> in) {
  if (in[0].dtype() != in[1].dtype())
    throw DTypeError(std::string(op) + ": operands must have equal dtypes; got " + operand_text(in) + ".");
}

// Both operands with the mapped axis in front.
void batch_select(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs,
                  Bdims& out_bdims) {
  const auto& p = call.params_as<WindowSelectParams>();
  const Arrays operands{bdim_to_front(call.args[0], bdims[0], axis.size),
                        bdim_to_front(call.args[1], bdims[1], axis.size)};
  bind(call.op, ir::make_params(WindowSelectParams{p.select, with_axis(p.window, 0)}), operands, outs);
  out_bdims.push_back(0);
}

// Linear in the second operand; the choice does not vary smoothly with the first.
void jvp_select(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  bind(call.op, call.params, call.args, outs);
  if (tangents[1].defined())
    bind(call.op, call.params, Arrays{call.args[0], tangents[1]}, out_tangents);
  else
    out_tangents.push_back(Array());
}

// ---- select_and_scatter: y[i...] = sum of source[o...] over the places o that choose x[i...] ----

void infer_select_and_scatter(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<WindowSelectParams>(params);
  const Dims places = window_places("select_and_scatter", p.window, in[0]);
  check_equal_dtypes("select_and_scatter", in);
  if (!same_dims(places, in[1].shape()))
    throw ShapeError("select_and_scatter: the source must have one element per place of the window, shape " +
                     shape_str(places) + "; got " + operand_text(in) + ".");
  out.push_back(Aval(in[0].dtype(), in[0].shape(), in[0].vary() | in[1].vary()));
}

void eval_select_and_scatter(const ParamsBase* params, std::span<const TensorView> in,
                             std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<WindowSelectParams>(params);
  const std::vector<std::int64_t> chosen = chosen_elements(p, in[0]);
  if (out[0].size()) __builtin_memset(out[0].data, 0, static_cast<std::size_t>(out[0].aval.bytes()));
  visit_dtype(in[1].dtype(), [&]<class T>(TypeTag<T>) {
    using C = step_t<T>;
    const T* source = in[1].as<T>();
    T* y = out[0].as<T>();
    for (std::size_t o = 0; o < chosen.size(); ++o)
      if (chosen[o] >= 0)
        y[chosen[o]] = convert_element<T>(
            combine(ReduceKind::kSum, convert_element<C>(y[chosen[o]]), convert_element<C>(source[o])));
  });
}

void transpose_select_and_scatter(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<WindowSelectParams>();
  accums[1]->add(lax::select_and_gather_add(call.args[0], cts[0], p.select, p.window));
}

FactorTable factors_select_and_scatter(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  return factors_window(ir::params_as<WindowSelectParams>(params).window, in, out, true);
}

// ---- select_and_gather_add: y[o...] = t[i...] where place o chooses x[i...], 0 where it sees nothing ----

void infer_select_and_gather_add(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<WindowSelectParams>(params);
  const Dims places = window_places("select_and_gather_add", p.window, in[0]);
  check_equal_dtypes("select_and_gather_add", in);
  if (!same_dims(in[0].shape(), in[1].shape()))
    throw ShapeError("select_and_gather_add: operands must have equal shapes; got " + operand_text(in) + ".");
  out.push_back(Aval(in[0].dtype(), places, in[0].vary() | in[1].vary()));
}

void eval_select_and_gather_add(const ParamsBase* params, std::span<const TensorView> in,
                                std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<WindowSelectParams>(params);
  const std::vector<std::int64_t> chosen = chosen_elements(p, in[0]);
  const std::int64_t size = byte_size(in[1].dtype());
  if (out[0].size()) __builtin_memset(out[0].data, 0, static_cast<std::size_t>(out[0].aval.bytes()));
  for (std::size_t o = 0; o < chosen.size(); ++o)
    if (chosen[o] >= 0) copy_element(in[1].data, chosen[o], out[0].data, static_cast<std::int64_t>(o), size);
}

void transpose_select_and_gather_add(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<WindowSelectParams>();
  accums[1]->add(lax::select_and_scatter(call.args[0], cts[0], p.select, p.window));
}

FactorTable factors_select_and_gather_add(const ParamsBase* params, std::span<const Aval> in,
                                          std::span<const Aval> out) {
  return factors_window(ir::params_as<WindowSelectParams>(params).window, in, out, false);
}

Array bind_select(OpCode op, const Arg& x, const Arg& y, WindowSelect select, const Window& window) {
  const LocationScope scope(x.location(), ir::op_name(op));
  const Array a = x.array();
  return bind1(op, ir::make_params(WindowSelectParams{select, filled_window(window, a.shape().size())}),
               {a, y.array()});
}

}  // namespace

Array lax::reduce_window(const Arg& x, ReduceKind kind, const Window& window) {
  const LocationScope scope(x.location(), "reduce_window");
  const Array a = x.array();
  return bind1(OpCode::kReduceWindow,
               ir::make_params(ReduceWindowParams{kind, filled_window(window, a.shape().size())}), {a});
}
Array lax::select_and_scatter(const Arg& x, const Arg& source, WindowSelect select, const Window& window) {
  return bind_select(OpCode::kSelectAndScatter, x, source, select, window);
}
Array lax::select_and_gather_add(const Arg& x, const Arg& y, WindowSelect select, const Window& window) {
  return bind_select(OpCode::kSelectAndGatherAdd, x, y, select, window);
}

const ir::OpInfo op_infos::reduce_window{.variants = kReduceWindowTexts,
                                         .parse = ir::parse_params<ReduceWindowParams>,
                                         .infer = infer_reduce_window,
                                         .eval = eval_reduce_window,
                                         .storage_types = true};
const OpRules op_rule_table::reduce_window{.jvp = jvp_reduce_window,
                                           .transpose = transpose_reduce_window,
                                           .batch = batch_reduce_window,
                                           .factors = factors_reduce_window};

const ir::OpInfo op_infos::select_and_scatter{.operands = ir::takes(2),
                                              .parse = ir::parse_params<WindowSelectParams>,
                                              .infer = infer_select_and_scatter,
                                              .eval = eval_select_and_scatter};
const OpRules op_rule_table::select_and_scatter{.jvp = jvp_select,
                                                .transpose = transpose_select_and_scatter,
                                                .batch = batch_select,
                                                .factors = factors_select_and_scatter};

const ir::OpInfo op_infos::select_and_gather_add{.operands = ir::takes(2),
                                                 .parse = ir::parse_params<WindowSelectParams>,
                                                 .infer = infer_select_and_gather_add,
                                                 .eval = eval_select_and_gather_add};
const OpRules op_rule_table::select_and_gather_add{.jvp = jvp_select,
                                                   .transpose = transpose_select_and_gather_add,
                                                   .batch = batch_select,
                                                   .factors = factors_select_and_gather_add};

}  // namespace weft
