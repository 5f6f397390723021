#include "weft/compiler/decompose.h"

#include <algorithm>

#include "weft/compiler/decompose_axis.h"
#include "weft/compiler/decompose_loops.h"
#include "weft/compiler/decompose_reductions.h"
#include "weft/compiler/jaxpr_edit.h"
#include "weft/compiler/simplify_axes.h"
#include "weft/compiler/simplify_literal.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/nested.h"
#include "weft/ir/shape.h"
#include "weft/ir/window.h"

namespace weft::compiler {

namespace {

using ir::Atom;
using simplifying::all_axes;
using simplifying::as_index;
using simplifying::axes_without;
using simplifying::picked;
using Atoms = SmallVector<Atom, 4>;

// In what products of elements of type `t` are added up for a result of type `to`.
DType sum_type(DType t, DType to) {
  if (!is_float(t)) return to;
  return t == f64 || to == f64 ? f64 : f32;
}
bool can_multiply(DType t) { return t == f32 || t == f64 || t == i32 || t == i64 || t == u32 || t == u64; }

class Decomposer {
 public:
  Decomposer(const ir::Jaxpr& jaxpr, bool ordered) : jaxpr_(jaxpr), ordered_(ordered), to_(jaxpr) {}

  ir::Jaxpr run() {
    const auto inside = [&](const ir::Jaxpr& p) { return decompose(p, ordered_); };
    for (const ir::Eqn& e : jaxpr_.eqns()) {
      to_.at(e);
      if (const std::optional<Atom> other = rewritten(e))
        to_.replace(*other);
      else
        to_.keep(e.params ? ir::with_programs(e.params, inside) : e.params);
    }
    return to_.finish();
  }

 private:
  std::optional<Atom> rewritten(const ir::Eqn& e) {
    if (e.out_end - e.out_begin != 1) return std::nullopt;
    const Aval out = jaxpr_.aval(e.out_begin);
    const auto plain = [](Aval a) { return a.size() > 0 && !is_complex(a.dtype()) && !is_storage(a.dtype()); };
    for (const Atom a : jaxpr_.operands(e))
      if (!plain(jaxpr_.aval(a))) return std::nullopt;
    if (!plain(out)) return std::nullopt;
    switch (e.op) {
      case OpCode::kDotGeneral: return dot(e, out);
      case OpCode::kConvolution: return convolution(e, out);
      default: return ordered_ ? std::nullopt : without_kernels(e, out);
    }
  }

  // What prebuilt kernels do where there are any.
  std::optional<Atom> without_kernels(const ir::Eqn& e, Aval out) {
    const auto x = [&](std::size_t i) { return to_.now(jaxpr_.operands(e)[i]); };
    const ir::ParamsBase* params = e.params.get();
    switch (e.op) {
      case OpCode::kPad: {
        const auto& p = ir::params_as<PadParams>(params);
        return removes(p) ? std::optional(padded_and_cut(p, x(0), x(1))) : std::nullopt;
      }
      case OpCode::kReduceWindow: return windows_reduced(to_, ir::params_as<ReduceWindowParams>(params), x(0), out);
      case OpCode::kArgmax:
      case OpCode::kArgmin:
        return place_of_extreme(to_, ir::params_as<ArgReduceParams>(params), x(0), e.op == OpCode::kArgmax);
      case OpCode::kGather: return gathered_by_steps(to_, ir::params_as<GatherParams>(params), x(0), x(1), out);
      case OpCode::kScatter: return scattered_by_steps(to_, ir::params_as<ScatterParams>(params), x(0), x(1), x(2));
      case OpCode::kCumsum: return summed_by_steps(to_, ir::params_as<CumsumParams>(params), x(0));
      default: return std::nullopt;
    }
  }

  static bool removes(const PadParams& p) {
    const auto negative = [](std::int64_t n) { return n < 0; };
    return std::any_of(p.low.begin(), p.low.end(), negative) || std::any_of(p.high.begin(), p.high.end(), negative);
  }
  // Code has padding, and slices for what negative padding removes.
  Atom padded_and_cut(const PadParams& p, Atom x, Atom padding) {
    for (std::size_t i = 0; i < p.low.size(); ++i) x = padded(to_, x, i, p.low[i], p.high[i], p.interior[i], padding);
    return x;
  }

  // ---- products ----

  // [b, m, k] x [b, k, n] -> [b, m, n]
  Atom product(Atom lhs, Atom rhs) {
    DotGeneralParams p;
    p.dimension_numbers = {.lhs_contracting = {2}, .rhs_contracting = {1}, .lhs_batch = {0}, .rhs_batch = {0}};
    p.preferred_element_type = to_.aval(lhs).dtype();
    p.ordered = ordered_ && is_float(p.preferred_element_type);
    return to_.make(OpCode::kDotGeneral, ir::make_params(p), {lhs, rhs});
  }

  std::optional<Atom> dot(const ir::Eqn& e, Aval out) {
    auto p = ir::params_as<DotGeneralParams>(e.params.get());
    const std::span<const Atom> x = jaxpr_.operands(e);
    const DType t = jaxpr_.aval(x[0]).dtype(), sums = sum_type(t, out.dtype());
    if (p.ordered || !can_multiply(sums)) return std::nullopt;
    const bool canonical = ordered_ && is_float(sums);
    if (!canonical && sums == t && sums == out.dtype()) return std::nullopt;
    Atom lhs = to_.convert(to_.now(x[0]), sums), rhs = to_.convert(to_.now(x[1]), sums);
    if (!canonical) {
      p.preferred_element_type = sums;
      return to_.convert(to_.make(OpCode::kDotGeneral, ir::make_params(p), {lhs, rhs}), out.dtype());
    }
    const DotDimensionNumbers& d = p.dimension_numbers;
    const Dims rows = axes_without(to_.rank(lhs), d.lhs_batch, d.lhs_contracting),
               columns = axes_without(to_.rank(rhs), d.rhs_batch, d.rhs_contracting);
    const auto count = [&](Atom a, const Dims& axes) { return weft::product(DimSpan(picked(to_.shape(a), axes))); };
    const std::int64_t b = count(lhs, d.lhs_batch), m = count(lhs, rows), k = count(lhs, d.lhs_contracting),
                       n = count(rhs, columns);
    lhs = to_.reshape(to_.transpose(lhs, joined(d.lhs_batch, rows, d.lhs_contracting)), Dims{b, m, k});
    rhs = to_.reshape(to_.transpose(rhs, joined(d.rhs_batch, d.rhs_contracting, columns)), Dims{b, k, n});
    return to_.convert(to_.reshape(product(lhs, rhs), Dims(out.shape())), out.dtype());
  }
  static Dims joined(const Dims& a, const Dims& b, const Dims& c) {
    Dims all(a);
    all.append(b.begin(), b.end());
    all.append(c.begin(), c.end());
    return all;
  }

  // ---- convolutions ----

  std::optional<Atom> convolution(const ir::Eqn& e, Aval out) {
    const auto& p = ir::params_as<ConvolutionParams>(e.params.get());
    const ConvDimensionNumbers& d = p.dimension_numbers;
    const DType sums = sum_type(jaxpr_.aval(jaxpr_.operands(e)[0]).dtype(), out.dtype());
    // Integers have one sum in every order: only what has no code needs to be something else.
    if (!can_multiply(sums) || (ordered_ && !is_float(sums))) return std::nullopt;
    const std::size_t spatial = d.input_spatial.size();
    const auto with_spatial = [](std::int64_t first, std::int64_t second, const Dims& axes) {
      Dims all{first, second};
      all.append(axes.begin(), axes.end());
      return all;
    };
    Atom x = to_.convert(to_.now(jaxpr_.operands(e)[0]), sums), w = to_.convert(to_.now(jaxpr_.operands(e)[1]), sums);
    x = to_.transpose(x, with_spatial(d.input_batch, d.input_feature, d.input_spatial));
    w = to_.transpose(w, with_spatial(d.kernel_output_feature, d.kernel_input_feature, d.kernel_spatial));
    if (!p.reversed.empty()) {
      Dims axes;
      for (const std::int64_t i : p.reversed) axes.push_back(i + 2);
      w = to_.make(OpCode::kReverse, ir::make_params(ReverseParams{axes}), {w});
    }
    const std::int64_t groups = p.feature_group_count * p.batch_group_count;
    const std::int64_t batch = to_.shape(x)[0] / p.batch_group_count,
                       features = to_.shape(x)[1] / p.feature_group_count, out_features = to_.shape(w)[0] / groups;
    x = grouped(x, p.batch_group_count > 1 ? 0 : 1, groups);
    const Atom zero = to_.literal(simplifying::number(Aval(sums, {}), 0));
    for (std::size_t i = 0; i < spatial; ++i)
      x = padded(to_, x, 3 + i, p.padding_low[i], p.padding_high[i], p.lhs_dilation[i] - 1, zero);

    // [group, batch, feature, k0, o0, k1, o1, ...]
    Dims kernel, places;
    const auto patches = [&](Atom of, std::size_t axis, std::size_t i) {
      Atoms parts;
      for (std::int64_t k = 0; k < kernel[i]; ++k) {
        const Atom part = window_element(to_, of, axis, k, places[i], p.window_strides[i], p.rhs_dilation[i]);
        Dims with(to_.shape(part));
        with.insert(with.begin() + static_cast<std::ptrdiff_t>(axis), 1);
        parts.push_back(to_.reshape(part, with));
      }
      return to_.concatenate(parts, axis);
    };
    for (std::size_t i = 0; i < spatial; ++i) {
      kernel.push_back(to_.shape(w)[2 + i]);
      places.push_back(out.shape(as_index(d.output_spatial[i])));
      x = patches(x, 3 + 2 * i, i);
    }
    Dims rows{0, 1}, sum{2};
    for (std::size_t i = 0; i < spatial; ++i) {
      rows.push_back(static_cast<std::int64_t>(4 + 2 * i));
      sum.push_back(static_cast<std::int64_t>(3 + 2 * i));
    }
    const std::int64_t m = batch * weft::product(DimSpan(places)), k = features * weft::product(DimSpan(kernel));
    x = to_.reshape(to_.transpose(x, joined(rows, sum, {})), Dims{groups, m, k});
    w = to_.reshape(w, Dims{groups, out_features, k});
    w = to_.transpose(w, Dims{0, 2, 1});
    Atom y = product(x, w);

    // [group, batch, places..., feature] as the convolution wants it.
    Dims wide{groups, batch}, to{1, 0, static_cast<std::int64_t>(2 + spatial)}, whole{batch, groups * out_features};
    wide.append(places.begin(), places.end());
    wide.push_back(out_features);
    for (std::size_t i = 0; i < spatial; ++i) to.push_back(static_cast<std::int64_t>(2 + i));
    whole.append(places.begin(), places.end());
    y = to_.reshape(to_.transpose(to_.reshape(y, wide), to), whole);
    y = to_.transpose(y, simplifying::inverse(with_spatial(d.output_batch, d.output_feature, d.output_spatial)));
    return to_.convert(y, out.dtype());
  }
  // [batch, feature, ...] as [group, batch, feature, ...], of axis `axis`, whose parts are the groups.
  Atom grouped(Atom x, std::size_t axis, std::int64_t groups) {
    Dims parts(to_.shape(x));
    parts[axis] /= groups;
    parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(axis), groups);
    Dims order = all_axes(parts.size());
    if (axis == 1) std::swap(order[0], order[1]);
    return to_.transpose(to_.reshape(x, parts), order);
  }

  const ir::Jaxpr& jaxpr_;
  const bool ordered_;
  JaxprEdit to_;
};

}  // namespace

ir::Jaxpr decompose(const ir::Jaxpr& jaxpr, bool ordered) {
  return *jaxpr.memo<ir::Jaxpr>(ordered ? "decompose ordered" : "decompose",
                                [&] { return std::make_shared<const ir::Jaxpr>(Decomposer(jaxpr, ordered).run()); });
}

}  // namespace weft::compiler
