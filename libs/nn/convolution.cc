#include "nn/convolution.h"

#include "weft/weft.h"

namespace weft::nn {

namespace {

using Ends = Padding::Ends;

// ---- what an input goes on with ----

// x[..., place(-low), ..., place(size - 1 + high), ...] along an axis. Neighbours that are neighbours in x, in order or
// backwards, are one slice.
Array extended(const Array& x, int axis, Ends ends, FunctionRef<std::int64_t(std::int64_t)> place) {
  const std::int64_t end = x.shape(axis) + ends.high;
  Arrays parts;
  for (std::int64_t i = -ends.low; i < end;) {
    const std::int64_t first = place(i);
    const std::int64_t step = i + 1 < end && place(i + 1) < first ? -1 : 1;
    std::int64_t n = 1;
    while (i + n < end && place(i + n) == first + n * step) ++n;
    Dims start(static_cast<std::size_t>(x.ndim()), 0), limit(x.shape());
    const auto at = static_cast<std::size_t>(axis);
    start[at] = step > 0 ? first : first - n + 1;
    limit[at] = start[at] + n;
    const Array part = lax::slice(x, start, limit);
    parts.push_back(step > 0 ? part : lax::reverse(part, Dims{axis}));
    i += n;
  }
  return parts.size() == 1 ? parts[0] : lax::concatenate(parts, axis);
}

Array circular(const Array& x, int axis, Ends ends) {
  const std::int64_t n = x.shape(axis);
  return extended(x, axis, ends, [n](std::int64_t i) { return ((i % n) + n) % n; });
}
Array reflected(const Array& x, int axis, Ends ends) {
  const std::int64_t n = x.shape(axis), period = std::max<std::int64_t>(1, 2 * (n - 1));
  return extended(x, axis, ends, [n, period](std::int64_t i) {
    const std::int64_t at = ((i % period) + period) % period;
    return at < n ? at : period - at;
  });
}

// ---- the input and its windows ----

// x with one axis of batch, and all numbers by spatial axis.
struct Windows {
  Array x;
  Dims batch;  // sizes of the axes of batch
  Dims kernel, strides, input_dilation, kernel_dilation;
  std::vector<Ends> ends = {};

  std::size_t rank() const { return kernel.size(); }
  std::int64_t in_features() const { return x.shape().back(); }
  Dims spatial() const { return Dims(x.shape().subspan(1, rank())); }
  Dims dilated_kernel() const {
    Dims r;
    for (std::size_t i = 0; i < rank(); ++i) r.push_back((kernel[i] - 1) * kernel_dilation[i] + 1);
    return r;
  }
};

template <class M>
Windows windows_of(const char* op, const M& m, const Array& x) {
  if (m.features < 1)
    throw ValueError(std::string(op) + ": features must be positive; got " + std::to_string(m.features) + ".");
  Windows w;
  const std::size_t rank = m.kernel_size.dims().size();
  if (rank == 0)
    throw ValueError(std::string(op) + ": kernel_size must have a number for each spatial axis; got none.");
  w.kernel = detail::per_axis(op, "kernel_size", m.kernel_size.dims(), rank);
  w.strides = detail::per_axis(op, "strides", m.strides.dims(), rank);
  w.kernel_dilation = detail::per_axis(op, "kernel_dilation", m.kernel_dilation.dims(), rank);
  if constexpr (requires { m.input_dilation; })
    w.input_dilation = detail::per_axis(op, "input_dilation", m.input_dilation.dims(), rank);
  const auto ndim = static_cast<std::size_t>(x.ndim());
  if (ndim < rank + 1)
    throw ShapeError(std::string(op) + ": the input must have " +
                     count_str(static_cast<std::int64_t>(rank), "spatial axis", "spatial axes") +
                     " and one of features; got " + x.aval().str() + ".");
  w.batch = Dims(x.shape().first(ndim - rank - 1));
  w.x = x;
  if (w.batch.size() != 1) {
    Dims flat{product(w.batch)};
    for (const std::int64_t n : x.shape().subspan(w.batch.size())) flat.push_back(n);
    w.x = np::reshape(x, flat);
  }
  return w;
}

// Pads by other than zeros here, and says how many zeros are left to pad.
void pad(const char* op, Windows& w, const Padding& padding) {
  const Padding::Mode mode = padding.mode();
  for (const std::int64_t d : w.input_dilation)
    if (d != 1 && mode != Padding::kValid && mode != Padding::kNumbers)
      throw ValueError(std::string(op) + ": padding of a dilated input must be kValid or numbers; got " +
                       std::string(Padding::mode_name(mode)) + ".");
  const Dims kernel = w.dilated_kernel();
  if (mode == Padding::kCircular || mode == Padding::kReflect) {
    for (std::size_t i = 0; i < w.rank(); ++i) {
      const int axis = static_cast<int>(i) + 1;
      if (w.x.shape(axis) == 0)
        throw ShapeError(std::string(op) + ": an input that goes on with itself must not be empty; got " +
                         w.x.aval().str() + ".");
      const Ends ends((kernel[i] - 1) / 2, kernel[i] / 2);
      w.x = mode == Padding::kCircular ? circular(w.x, axis, ends) : reflected(w.x, axis, ends);
    }
    w.ends.assign(w.rank(), Ends(0));
  } else if (mode == Padding::kCausal) {
    if (w.rank() != 1)
      throw ValueError(std::string(op) + ": padding kCausal must be along one spatial axis; got " +
                       std::to_string(w.rank()) + ".");
    w.ends = {Ends(kernel[0] - 1, 0)};
  } else {
    w.ends = padding.ends(op, w.spatial(), kernel, w.strides);
  }
}

// ---- parameters and the convolution itself ----

template <class M>
Array masked_kernel(const char* op, const M& m, const Dims& shape) {
  if (m.mask.defined() && !same_dims(m.mask.shape(), shape))
    throw ShapeError(std::string(op) + ": the mask must have the kernel's shape, " + shape_str(shape) + "; got " +
                     m.mask.aval().str() + ".");
  const Array kernel = m.param("kernel", m.kernel_init, shape, m.param_dtype);
  return m.mask.defined() ? kernel * m.mask : kernel;
}

Dims with(Dims a, std::initializer_list<std::int64_t> more) {
  for (const std::int64_t n : more) a.push_back(n);
  return a;
}

// x[b, spatial..., in] with kernel[k..., in / groups, out].
Array convolve(const Windows& w, const Array& x, const Array& kernel, std::int64_t groups) {
  const auto n = static_cast<std::int64_t>(w.rank());
  ConvolutionParams p;
  ConvDimensionNumbers& d = p.dimension_numbers;
  d.input_feature = d.output_feature = n + 1;
  d.kernel_output_feature = n + 1, d.kernel_input_feature = n;
  for (std::int64_t i = 0; i < n; ++i) {
    d.input_spatial.push_back(i + 1);
    d.output_spatial.push_back(i + 1);
    d.kernel_spatial.push_back(i);
  }
  p.window_strides = w.strides;
  p.lhs_dilation = w.input_dilation, p.rhs_dilation = w.kernel_dilation;
  for (const Ends& e : w.ends) p.padding_low.push_back(e.low), p.padding_high.push_back(e.high);
  p.feature_group_count = groups;
  return lax::convolution(x, kernel, p);
}

// y[b, spatial..., out] with the axes of batch that the input had.
Array with_batch(const Windows& w, const Array& y) {
  if (w.batch.size() == 1) return y;
  Dims shape = w.batch;
  for (const std::int64_t n : y.shape().subspan(1)) shape.push_back(n);
  return np::reshape(y, shape);
}

}  // namespace

Array Conv::call(const Array& x) const {
  Windows w = windows_of("conv", *this, x);
  pad("conv", w, padding);
  if (feature_group_count < 1 || w.in_features() % feature_group_count != 0 || features % feature_group_count != 0)
    throw ValueError("conv: feature_group_count must divide the features of input and result; got " +
                     std::to_string(feature_group_count) + " for " + std::to_string(w.in_features()) + " and " +
                     std::to_string(features) + ".");
  const Array kernel = masked_kernel("conv", *this, with(w.kernel, {w.in_features() / feature_group_count, features}));
  const Array bias = use_bias ? param("bias", bias_init, {features}, param_dtype) : Array();
  const Arrays p = promoted(dtype, {w.x, kernel, bias});
  const Array y = convolve(w, p[0], p[1], feature_group_count);
  return with_batch(w, use_bias ? y + p[2] : y);
}

namespace {

// What each place sees, y[b, o..., c k]: by a kernel that is 1 at one place of the window, for each feature by itself.
Array patches(const Windows& w) {
  const std::int64_t places = product(w.kernel), in = w.in_features();
  Array one = np::reshape(np::moveaxis(np::eye(places, {}, 0, w.x.dtype()), 0, 1), with(w.kernel, {1, places}));
  std::vector<std::int64_t> repetitions(w.rank() + 1, 1);
  repetitions.push_back(in);
  return convolve(w, w.x, np::tile(one, repetitions), in);
}

}  // namespace

Array ConvLocal::call(const Array& x) const {
  Windows w = windows_of("conv_local", *this, x);
  pad("conv_local", w, padding);
  w.x = w.x.astype(np::inexact_dtype(w.x.dtype()));
  const Array seen = patches(w);
  Dims sizes(seen.shape().subspan(1));
  sizes.push_back(features);
  const Array kernel = masked_kernel("conv_local", *this, sizes);
  const Dims bias_sizes = with(Dims(seen.shape().subspan(1, w.rank())), {features});
  const Array bias = use_bias ? param("bias", bias_init, bias_sizes, param_dtype) : Array();
  const Arrays p = promoted(dtype, {seen, kernel, bias});
  DotDimensionNumbers d;
  for (std::size_t i = 0; i < w.rank(); ++i) {
    d.lhs_batch.push_back(static_cast<std::int64_t>(i) + 1);
    d.rhs_batch.push_back(static_cast<std::int64_t>(i));
  }
  d.lhs_contracting = {static_cast<std::int64_t>(w.rank()) + 1};
  d.rhs_contracting = {static_cast<std::int64_t>(w.rank())};
  const Array y = np::moveaxis(lax::dot_general(p[0], p[1], d), -2, 0);  // places, batch, features before
  return with_batch(w, use_bias ? y + p[2] : y);
}

// ---- ConvTranspose ----

namespace {

// Of the dilated input, so that the result has the size that Conv's input has.
Ends transposed_ends(std::int64_t kernel, std::int64_t stride, bool same) {
  const std::int64_t all = kernel + stride - 2 + (same ? 0 : std::max<std::int64_t>(kernel - stride, 0));
  const std::int64_t low = !same || stride > kernel - 1 ? kernel - 1 : (all + 1) / 2;
  return {low, all - low};
}

// y[b, o..., f] wrapped round so that axis i has `period[i]` places: what lies beyond is added where it comes out.
Array wrapped(Array y, const Dims& period, bool extra_at_the_end) {
  Dims low(period.size() + 2, 0), high(period.size() + 2, 0);
  for (std::size_t i = 0; i < period.size(); ++i) {
    // To a whole number of periods, of which the input's begins one.
    const std::int64_t two = 2 * period[i], n = y.shape()[i + 1] - period[i];
    const std::int64_t missing = ((-n % two) + two) % two;
    low[i + 1] = extra_at_the_end ? missing / 2 : (missing + 1) / 2;
    high[i + 1] = missing - low[i + 1];
  }
  y = lax::pad(y, np::zeros({}, y.dtype()), low, high);
  for (std::size_t i = 0; i < period.size(); ++i) {
    Dims shape(y.shape());
    const std::int64_t turns = shape[i + 1] / period[i];
    shape[i + 1] = period[i];
    shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(i) + 1, turns);
    y = np::sum(np::reshape(y, shape), static_cast<int>(i) + 1);
  }
  return y;
}

}  // namespace

Array ConvTranspose::call(const Array& x) const {
  Windows w = windows_of("conv_transpose", *this, x);
  const Padding::Mode mode = padding.mode();
  if (mode == Padding::kReflect || mode == Padding::kCausal)
    throw ValueError("conv_transpose: padding must be kSame, kValid, kCircular or numbers; got " +
                     std::string(Padding::mode_name(mode)) + ".");
  const Dims dilated = w.dilated_kernel();
  if (mode == Padding::kNumbers) {
    w.ends = padding.numbers("conv_transpose", w.rank());
  } else {
    for (std::size_t i = 0; i < w.rank(); ++i)
      w.ends.push_back(transposed_ends(dilated[i], w.strides[i], mode == Padding::kSame));
  }
  Dims period;
  for (std::size_t i = 0; i < w.rank(); ++i) period.push_back(w.spatial()[i] * w.strides[i]);
  if (mode == Padding::kCircular && product(period) == 0)
    throw ShapeError("conv_transpose: an input that goes on with itself must not be empty; got " + w.x.aval().str() +
                     ".");

  const std::int64_t in = w.in_features();
  const Array kernel = masked_kernel(
      "conv_transpose", *this, transpose_kernel ? with(w.kernel, {features, in}) : with(w.kernel, {in, features}));
  const Array bias = use_bias ? param("bias", bias_init, {features}, param_dtype) : Array();
  const Arrays p = promoted(dtype, {w.x, kernel, bias});
  Array k = p[1];
  if (transpose_kernel) {
    Dims spatial;
    for (std::size_t i = 0; i < w.rank(); ++i) spatial.push_back(static_cast<std::int64_t>(i));
    k = np::swapaxes(lax::reverse(k, spatial), -1, -2);
  }
  w.input_dilation = w.strides;
  w.strides = Dims(w.rank(), 1);
  Array y = convolve(w, p[0], k, 1);
  if (mode == Padding::kCircular) y = wrapped(y, period, transpose_kernel);
  return with_batch(w, use_bias ? y + p[2] : y);
}

}  // namespace weft::nn
