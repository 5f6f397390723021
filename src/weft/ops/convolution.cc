// convolution: out[b, g O + o, s...] = sum_{c, k...} lhs[b, g C + c, s stride + k rhs_dilation - low ...] *
// rhs[g O + o, c, k...], the axes in any order, lhs dilated and padded with zeros first (StableHLO). With batch groups
// lhs's batch, not its features, is split: out[b, g O + o] sums lhs[g B + b] * rhs[g O + o].
// Differentiation and batching are convolutions again; only dimension numbers, groups and padding change.
#include <algorithm>

#include "weft/ops/wide.h"
#include "weft/ops/window_axis.h"

namespace weft {

using namespace ops;

namespace {

constexpr std::string_view kOp = "convolution";

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

std::string operands_text(std::span<const Aval> in) { return " (lhs " + in[0].str() + ", rhs " + in[1].str() + ")"; }

// ---- inference ----

void check_numbers(std::string_view side, std::int64_t first, std::int64_t second, DimSpan spatial, int rank,
                   std::span<const Aval> in) {
  Dims all{first, second};
  all.append(spatial.begin(), spatial.end());
  if (static_cast<int>(all.size()) != rank)
    throw ShapeError("convolution: dimension numbers must name every axis of the " + std::string(side) + " once; got " +
                     shape_str(all) + " for " + std::to_string(rank) + " axes" + operands_text(in) + ".");
  check_axes(kOp, all, rank);
}

void check_list(std::string_view what, const Dims& list, std::size_t rank) {
  if (list.size() != rank)
    throw ShapeError("convolution: " + std::string(what) + " must have one entry per spatial axis; got " +
                     shape_str(list) + " for " + std::to_string(rank) + ".");
}

// Axis i of the window, its lengths already checked.
WindowAxis window_axis(const ConvolutionParams& p, std::size_t i, Aval lhs, Aval rhs) {
  const ConvDimensionNumbers& d = p.dimension_numbers;
  return {.size = lhs.shape(at(d.input_spatial[i])),
          .window = rhs.shape(at(d.kernel_spatial[i])),
          .stride = p.window_strides[i],
          .base_dilation = p.lhs_dilation[i],
          .window_dilation = p.rhs_dilation[i],
          .low = p.padding_low[i],
          .high = p.padding_high[i]};
}

void check_groups(std::string_view what, std::int64_t groups, std::string_view divided, std::int64_t size,
                  std::span<const Aval> in) {
  if (size % groups)
    throw ShapeError("convolution: the number of " + std::string(what) + " groups must divide " + std::string(divided) +
                     "; got " + std::to_string(groups) + " groups and " + std::to_string(size) + operands_text(in) +
                     ".");
}

void infer(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<ConvolutionParams>(params);
  const ConvDimensionNumbers& d = p.dimension_numbers;
  const Aval lhs = in[0], rhs = in[1];
  if (lhs.ndim() != rhs.ndim() || lhs.ndim() < 2)
    throw ShapeError("convolution: operands must have equally many axes, 2 at least; got" + operands_text(in) + ".");
  const auto rank = at(lhs.ndim() - 2);
  check_numbers("lhs", d.input_batch, d.input_feature, d.input_spatial, lhs.ndim(), in);
  check_numbers("rhs", d.kernel_output_feature, d.kernel_input_feature, d.kernel_spatial, rhs.ndim(), in);
  check_numbers("result", d.output_batch, d.output_feature, d.output_spatial, lhs.ndim(), in);
  check_list("window_strides", p.window_strides, rank);
  check_list("padding_low", p.padding_low, rank);
  check_list("padding_high", p.padding_high, rank);
  check_list("lhs_dilation", p.lhs_dilation, rank);
  check_list("rhs_dilation", p.rhs_dilation, rank);
  check_axes(kOp, p.reversed, static_cast<int>(rank));
  if (p.feature_group_count < 1 || p.batch_group_count < 1 || (p.feature_group_count > 1 && p.batch_group_count > 1))
    throw ValueError("convolution: group counts must be positive, and one of them 1; got " +
                     std::to_string(p.feature_group_count) + " feature groups and " +
                     std::to_string(p.batch_group_count) + " batch groups.");
  const std::int64_t batch = lhs.shape(at(d.input_batch)), features = lhs.shape(at(d.input_feature)),
                     out_features = rhs.shape(at(d.kernel_output_feature)),
                     per_group = rhs.shape(at(d.kernel_input_feature));
  check_groups("feature", p.feature_group_count, "lhs's features", features, in);
  check_groups("feature", p.feature_group_count, "rhs's output features", out_features, in);
  check_groups("batch", p.batch_group_count, "lhs's batch", batch, in);
  check_groups("batch", p.batch_group_count, "rhs's output features", out_features, in);
  if (features / p.feature_group_count != per_group)
    throw ShapeError("convolution: rhs must have as many input features as lhs has in a group; got " +
                     std::to_string(per_group) + ", and " + std::to_string(features) + " in " +
                     std::to_string(p.feature_group_count) + (p.feature_group_count == 1 ? " group" : " groups") +
                     operands_text(in) + ".");
  if (lhs.dtype() != rhs.dtype())
    throw DTypeError("convolution: operands must have equal dtypes; got " + lhs.str() + " and " + rhs.str() + ".",
                     "convert one of them with astype.");
  if (category(p.preferred_element_type) < category(lhs.dtype()))
    throw DTypeError("convolution: the preferred dtype must hold the operands' kind of numbers; got " +
                     std::string(name(p.preferred_element_type)) + " for " + lhs.str() + ".");
  Dims shape(lhs.shape().size());
  shape[at(d.output_batch)] = batch / p.batch_group_count;
  shape[at(d.output_feature)] = out_features;
  for (std::size_t i = 0; i < rank; ++i) {
    const WindowAxis axis = window_axis(p, i, lhs, rhs);
    check_window_axis(kOp, i, axis);
    shape[at(d.output_spatial[i])] = axis.places();
  }
  out.push_back(Aval(p.preferred_element_type, shape, lhs.vary() | rhs.vary()));
}

// ---- evaluation ----

// sums[j] = sum_t patch[t] columns[t, j] for kWidth neighbouring columns, each sum in order of t.
template <std::size_t kWidth, class W>
void multiply_patch(const std::vector<W>& patch, const W* columns, std::size_t row, W* sums) {
  W sum[kWidth] = {};
  for (const W v : patch) {
    for (std::size_t j = 0; j < kWidth; ++j) sum[j] = wide_sum(sum[j], wide_product(v, columns[j]));
    columns += row;
  }
  std::copy(sum, sum + kWidth, sums);
}

// At every place of the window, what it sees of one example becomes a dense patch, with zeros for padding; patches
// are multiplied with the kernel arranged as [group][tap][input feature][output feature].
template <class W>
std::vector<W> convolve(const ConvolutionParams& p, const TensorView& lhs, const TensorView& rhs, DimSpan out_shape) {
  const ConvDimensionNumbers& d = p.dimension_numbers;
  std::vector<W> y(at(product(out_shape)));
  if (y.empty() || rhs.size() == 0) return y;
  const std::vector<W> x = widened<W>(lhs);
  const Dims xs = row_major_strides(lhs.shape()), ks = row_major_strides(rhs.shape()),
             ys = row_major_strides(out_shape);
  const std::int64_t groups = p.feature_group_count * p.batch_group_count;
  const std::int64_t features = rhs.shape()[at(d.kernel_input_feature)],
                     out_features = rhs.shape()[at(d.kernel_output_feature)] / groups,
                     batch = out_shape[at(d.output_batch)];
  // How far apart groups are in lhs.
  const std::int64_t x_group =
      p.feature_group_count > 1 ? features * xs[at(d.input_feature)] : batch * xs[at(d.input_batch)];
  std::vector<WindowAxis> axes;
  Dims window, places;
  for (std::size_t i = 0; i < d.input_spatial.size(); ++i) {
    axes.push_back(window_axis(p, i, lhs.aval, rhs.aval));
    window.push_back(axes.back().window);
    places.push_back(out_shape[at(d.output_spatial[i])]);
  }
  const auto reversed = [&](std::size_t i) {
    return std::find(p.reversed.begin(), p.reversed.end(), static_cast<std::int64_t>(i)) != p.reversed.end();
  };

  std::vector<W> kernel;
  {
    const std::vector<W> k = widened<W>(rhs);
    kernel.reserve(k.size());
    for (std::int64_t g = 0; g < groups; ++g)
      for_each_index(window, [&](const Dims& tap) {
        std::int64_t from = g * out_features * ks[at(d.kernel_output_feature)];
        for (std::size_t i = 0; i < tap.size(); ++i)
          from += (reversed(i) ? window[i] - 1 - tap[i] : tap[i]) * ks[at(d.kernel_spatial[i])];
        for (std::int64_t c = 0; c < features; ++c)
          for (std::int64_t o = 0; o < out_features; ++o)
            kernel.push_back(k[at(from + c * ks[at(d.kernel_input_feature)] + o * ks[at(d.kernel_output_feature)])]);
      });
  }

  const std::size_t patch_size = at(product(window) * features);
  std::vector<W> patch(patch_size), sums(at(out_features));
  std::vector<std::int64_t> taps;                                // where in lhs each tap reads, or -1
  std::vector<std::vector<std::int64_t>> elements(axes.size());  // the same by axis
  for_each_index(places, [&](const Dims& place) {
    std::int64_t to_place = 0;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      to_place += place[i] * ys[at(d.output_spatial[i])];
      elements[i].clear();
      for (std::int64_t k = 0; k < window[i]; ++k) {
        const std::int64_t e = axes[i].element(place[i], k);
        elements[i].push_back(e < 0 ? -1 : e * xs[at(d.input_spatial[i])]);
      }
    }
    taps.clear();
    for_each_index(window, [&](const Dims& tap) {
      std::int64_t from = 0;
      for (std::size_t i = 0; i < tap.size() && from >= 0; ++i) {
        const std::int64_t e = elements[i][at(tap[i])];
        from = e < 0 ? -1 : from + e;
      }
      taps.push_back(from);
    });
    for (std::int64_t g = 0; g < groups; ++g)
      for (std::int64_t b = 0; b < batch; ++b) {
        const std::int64_t example = g * x_group + b * xs[at(d.input_batch)];
        W* into = patch.data();
        for (const std::int64_t from : taps)
          for (std::int64_t c = 0; c < features; ++c)
            *into++ = from < 0 ? W{} : x[at(example + from + c * xs[at(d.input_feature)])];
        const W* k = kernel.data() + at(g) * patch_size * sums.size();
        std::size_t done = 0;
        for (; done + 8 <= sums.size(); done += 8) multiply_patch<8>(patch, k + done, sums.size(), &sums[done]);
        for (; done < sums.size(); ++done) multiply_patch<1>(patch, k + done, sums.size(), &sums[done]);
        for (std::int64_t o = 0; o < out_features; ++o)
          y[at(to_place + b * ys[at(d.output_batch)] + (g * out_features + o) * ys[at(d.output_feature)])] =
              sums[at(o)];
      }
  });
  return y;
}

void eval(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<ConvolutionParams>(params);
  DType sums = in[0].dtype();
  if (is_inexact(sums) && real_dtype(p.preferred_element_type) == f64) sums = is_complex(sums) ? c128 : f64;
  visit_accumulator(sums, [&]<class W>(TypeTag<W>) { narrow(convolve<W>(p, in[0], in[1], out[0].shape()), out[0]); });
}

// ---- axes split and joined ----

// Axis of size n -> axes `major`, n / major.
Array split_axis(const Array& x, std::int64_t axis, std::int64_t major) {
  Dims shape(x.shape());
  shape[at(axis)] /= major;
  shape.insert(shape.begin() + axis, major);
  return lax::reshape(x, shape);
}

// Axis `from` taken out and made the major part of axis `to`, which counts without it.
Array merge_axis(const Array& x, std::int64_t from, std::int64_t to) {
  const Array moved = bdim_to(x, static_cast<int>(from), static_cast<int>(to), 0);
  Dims shape(moved.shape());
  shape[at(to) + 1] *= shape[at(to)];
  shape.erase(shape.begin() + to);
  return lax::reshape(moved, shape);
}

// The groups of one axis become the major part of another: [.., g a, .., b, ..] -> [.., a, .., g b, ..].
Array move_groups(const Array& x, std::int64_t from, std::int64_t to, std::int64_t groups) {
  return merge_axis(split_axis(x, from, groups), from, to);
}

// ---- transposition ----

// The axes of one array of a convolution: batch and feature of lhs and of the result, output and input feature of rhs.
struct ArrayAxes {
  std::int64_t first, second;
  Dims spatial;
  ArrayAxes exchanged() const { return {second, first, spatial}; }
};
ArrayAxes lhs_axes(const ConvDimensionNumbers& d) { return {d.input_batch, d.input_feature, d.input_spatial}; }
ArrayAxes rhs_axes(const ConvDimensionNumbers& d) {
  return {d.kernel_output_feature, d.kernel_input_feature, d.kernel_spatial};
}
ArrayAxes result_axes(const ConvDimensionNumbers& d) { return {d.output_batch, d.output_feature, d.output_spatial}; }

// `p` for the convolution of arrays with those axes, not reversed.
ConvolutionParams with_axes(const ConvolutionParams& p, const ArrayAxes& lhs, const ArrayAxes& rhs,
                            const ArrayAxes& result) {
  ConvolutionParams t = p;
  t.dimension_numbers = {.input_batch = lhs.first,
                         .input_feature = lhs.second,
                         .input_spatial = lhs.spatial,
                         .kernel_output_feature = rhs.first,
                         .kernel_input_feature = rhs.second,
                         .kernel_spatial = rhs.spatial,
                         .output_batch = result.first,
                         .output_feature = result.second,
                         .output_spatial = result.spatial};
  t.reversed.clear();
  return t;
}

bool slides(const ConvolutionParams& p, Aval lhs, Aval rhs) {
  for (std::size_t i = 0; i < p.window_strides.size(); ++i) {
    const WindowAxis axis = window_axis(p, i, lhs, rhs);
    if (axis.size == 0 || axis.window == 0 || axis.places() == 0) return false;
  }
  return true;
}

// ct_lhs[p] = sum_{o, s, k : p = s stride + k dilation - low} ct[o, s] rhs[o, k]: ct convolved with the kernel whose
// feature axes have changed roles, read backwards.
Array transpose_lhs(const ConvolutionParams& p, const Array& ct, const Array& rhs, Aval lhs) {
  const ConvDimensionNumbers& d = p.dimension_numbers;
  ConvolutionParams t = with_axes(p, result_axes(d), rhs_axes(d).exchanged(), lhs_axes(d));
  t.window_strides = p.lhs_dilation;
  t.lhs_dilation = p.window_strides;
  for (std::size_t i = 0; i < p.window_strides.size(); ++i) {
    const WindowAxis axis = transposed(window_axis(p, i, lhs, rhs.aval()));
    t.padding_low[i] = axis.low;
    t.padding_high[i] = axis.high;
    const auto number = static_cast<std::int64_t>(i);
    if (std::find(p.reversed.begin(), p.reversed.end(), number) == p.reversed.end()) t.reversed.push_back(number);
  }
  const std::int64_t groups = p.feature_group_count * p.batch_group_count;
  t.feature_group_count = groups;
  t.batch_group_count = 1;
  const Array kernel = groups == 1 ? rhs : move_groups(rhs, d.kernel_output_feature, d.kernel_input_feature, groups);
  Array x = lax::convolution(ct, kernel, t, lhs.dtype());
  return p.batch_group_count == 1 ? x : move_groups(x, d.input_feature, d.input_batch, groups);
}

// ct_rhs[o, c, k] = sum_{b, s} lhs[b, c, s stride + k dilation - low] ct[b, o, s]: lhs, with features as its batch and
// batch as its features, convolved with ct; stride and dilation of the kernel change roles, and so do the groups.
Array transpose_rhs(const ConvolutionParams& p, const Array& ct, const Array& lhs, Aval rhs) {
  const ConvDimensionNumbers& d = p.dimension_numbers;
  ConvolutionParams t = with_axes(p, lhs_axes(d).exchanged(), result_axes(d).exchanged(), rhs_axes(d).exchanged());
  t.window_strides = p.rhs_dilation;
  t.rhs_dilation = p.window_strides;
  t.feature_group_count = p.batch_group_count;
  t.batch_group_count = p.feature_group_count;
  Dims backwards;
  for (const std::int64_t i : p.reversed) backwards.push_back(d.kernel_spatial[at(i)]);
  for (std::size_t i = 0; i < p.window_strides.size(); ++i) {
    const WindowAxis axis = window_axis(p, i, lhs.aval(), rhs);
    const std::int64_t places_extent = (axis.places() - 1) * axis.stride + 1;
    // So much at the end that every tap has a place.
    t.padding_high[i] = axis.window_extent() - 1 + places_extent - axis.low - axis.base_extent();
  }
  const Array x = lax::convolution(lhs, ct, t, rhs.dtype());
  return backwards.empty() ? x : lax::reverse(x, backwards);
}

void transpose_convolution(const Call& call, std::span<const Array> cts, std::span<GradAccum* const> accums) {
  const auto& p = call.params_as<ConvolutionParams>();
  const std::size_t own = accums[0] ? 0 : 1;
  const Aval aval = accums[own]->aval();
  const Array& other = call.args[1 - own];
  const Aval lhs = own == 0 ? aval : other.aval(), rhs = own == 0 ? other.aval() : aval;
  if (!slides(p, lhs, rhs)) return;  // no element of the operands meets another
  const Array ct = lax::convert(cts[0], aval.dtype());
  accums[own]->add(own == 0 ? transpose_lhs(p, ct, other, aval) : transpose_rhs(p, ct, other, aval));
}

// ---- batching ----

// Examples are more of lhs's batch, more output features of rhs, or, of both, more groups: those of an example with
// groups of its own are kept together.
void batch_convolution(const Call& call, std::span<const int> bdims, const MappedAxis& mapped_axis, Arrays& outs,
                       Bdims& out_bdims) {
  ConvolutionParams p = call.params_as<ConvolutionParams>();
  const ConvDimensionNumbers& d = p.dimension_numbers;
  Array x = call.args[0], k = call.args[1];
  const int lb = bdims[0], rb = bdims[1];
  if (mapped_axis.size == 0) {  // no number of groups fits
    Avals in, out;
    for (std::size_t i = 0; i < 2; ++i) {
      Dims shape(call.args[i].shape());
      if (bdims[i] != kUnmapped) shape.erase(shape.begin() + bdims[i]);
      in.push_back(call.args[i].aval().with_shape(shape));
    }
    infer(call.params.get(), in, out);
    Dims shape(out[0].shape());
    shape.insert(shape.begin(), 0);
    outs.push_back(zeros_of(out[0].with_shape(shape)));
    out_bdims.push_back(0);
    return;
  }
  if (lb != kUnmapped && rb != kUnmapped) {
    if (p.batch_group_count > 1) {
      x = merge_axis(x, lb, d.input_batch);
      p.batch_group_count *= mapped_axis.size;
    } else {
      x = merge_axis(x, lb, d.input_feature);
      p.feature_group_count *= mapped_axis.size;
    }
    k = merge_axis(k, rb, d.kernel_output_feature);
    outs.push_back(split_axis(lax::convolution(x, k, p, p.preferred_element_type), d.output_feature, mapped_axis.size));
    out_bdims.push_back(static_cast<int>(d.output_feature));
    return;
  }
  // (groups, rest) with examples between them, or in front when there is one group.
  const auto folded = [&](const Array& v, int bdim, std::int64_t axis, std::int64_t groups) {
    if (groups == 1) return merge_axis(v, bdim, axis);
    const Array front = bdim_to_front(v, bdim, mapped_axis.size);
    const Array apart = split_axis(front, axis + 1, groups);  // [example, .., group, rest, ..]
    return merge_axis(merge_axis(apart, 0, axis + 1), axis, axis);
  };
  if (lb != kUnmapped) {
    x = folded(x, lb, d.input_batch, p.batch_group_count);
    outs.push_back(split_axis(lax::convolution(x, k, p, p.preferred_element_type), d.output_batch, mapped_axis.size));
    out_bdims.push_back(static_cast<int>(d.output_batch));
    return;
  }
  const std::int64_t groups = p.feature_group_count * p.batch_group_count;
  k = folded(k, rb, d.kernel_output_feature, groups);
  Array y = lax::convolution(x, k, p, p.preferred_element_type);
  if (groups == 1) {
    outs.push_back(split_axis(y, d.output_feature, mapped_axis.size));
    out_bdims.push_back(static_cast<int>(d.output_feature));
    return;
  }
  y = split_axis(split_axis(y, d.output_feature, groups), d.output_feature + 1,
                 mapped_axis.size);  // [.., group, example, o, ..]
  outs.push_back(merge_axis(y, d.output_feature, d.output_feature + 1));
  out_bdims.push_back(static_cast<int>(d.output_feature));
}

// ---- sharding ----

// Groups tie neighbouring features together, and windows overlap: those axes are not split.
FactorTable factors(const ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  using Kind = FactorTable::Kind;
  const auto& p = ir::params_as<ConvolutionParams>(params);
  const ConvDimensionNumbers& d = p.dimension_numbers;
  FactorTable table;
  FactorTable::Axes x(in[0].shape().size()), k(in[1].shape().size()), y(out[0].shape().size());
  const auto whole = [&](FactorTable::Axes& axes, Aval aval, std::int64_t axis) {
    axes[at(axis)].push_back(table.add(aval.shape(at(axis)), Kind::kNeedReplication));
  };
  if (p.batch_group_count == 1) {
    x[at(d.input_batch)].push_back(table.add(in[0].shape(at(d.input_batch))));
    y[at(d.output_batch)] = x[at(d.input_batch)];
  } else {
    whole(x, in[0], d.input_batch);
    whole(y, out[0], d.output_batch);
  }
  if (p.feature_group_count == 1) {
    x[at(d.input_feature)].push_back(table.add(in[0].shape(at(d.input_feature)), Kind::kReduction));
    k[at(d.kernel_input_feature)] = x[at(d.input_feature)];
  } else {
    whole(x, in[0], d.input_feature);
    whole(k, in[1], d.kernel_input_feature);
  }
  k[at(d.kernel_output_feature)].push_back(
      table.add(in[1].shape(at(d.kernel_output_feature)),
                p.feature_group_count * p.batch_group_count == 1 ? Kind::kPassThrough : Kind::kNeedReplication));
  y[at(d.output_feature)] = k[at(d.kernel_output_feature)];
  for (std::size_t i = 0; i < d.input_spatial.size(); ++i) {
    const WindowAxis axis = window_axis(p, i, in[0], in[1]);
    whole(k, in[1], d.kernel_spatial[i]);
    if (axis.trivial()) {
      x[at(d.input_spatial[i])].push_back(table.add(axis.size));
      y[at(d.output_spatial[i])] = x[at(d.input_spatial[i])];
    } else {
      whole(x, in[0], d.input_spatial[i]);
      whole(y, out[0], d.output_spatial[i]);
    }
  }
  table.operands.push_back(std::move(x));
  table.operands.push_back(std::move(k));
  table.results.push_back(std::move(y));
  return table;
}

}  // namespace

Array lax::convolution(const Arg& lhs, const Arg& rhs, ConvolutionParams params, std::optional<DType> preferred) {
  const LocationScope scope(lhs.location(), "convolution");
  const auto [x, k] = pair_of(lhs, rhs);
  const std::size_t rank = params.dimension_numbers.input_spatial.size();
  for (Dims* ones : {&params.window_strides, &params.lhs_dilation, &params.rhs_dilation})
    if (ones->empty()) ones->assign(rank, 1);
  for (Dims* zeros : {&params.padding_low, &params.padding_high})
    if (zeros->empty()) zeros->assign(rank, 0);
  params.preferred_element_type = preferred.value_or(x.dtype());
  return bind1(OpCode::kConvolution, ir::make_params(std::move(params)), {x, k});
}

const ir::OpInfo op_infos::convolution{
    .operands = ir::takes(2), .parse = ir::parse_params<ConvolutionParams>, .infer = infer, .eval = eval};
const OpRules op_rule_table::convolution{
    .jvp = jvp_bilinear, .transpose = transpose_convolution, .batch = batch_convolution, .factors = factors};

}  // namespace weft
