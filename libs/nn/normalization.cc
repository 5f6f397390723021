#include "nn/normalization.h"

#include "weft/weft.h"

namespace weft::nn {

namespace {

std::vector<int> ints(DimSpan axes) { return std::vector<int>(axes.begin(), axes.end()); }

bool among(std::int64_t axis, DimSpan axes) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); }

Array abs_square(const Array& x) {
  return is_complex(x.dtype()) ? np::square(np::real(x)) + np::square(np::imag(x)) : np::square(x);
}

// ---- mean and variance ----

struct Moments {
  Array mean, var;  // without the axes that were reduced
};

// How a layer computes them.
struct Estimator {
  Dims axes;
  std::optional<DType> dtype;
  std::string axis_name;
  const AxisGroups& groups;
  const Array& mask;

  Array mean(const Array& x) const {
    if (!mask.defined()) return np::mean(x, ints(axes));
    return np::mean(x, ints(axes), np::Reduction{.where = mask});
  }
  // Of all examples of the named axis, too: several at a time are one message.
  Arrays means(std::initializer_list<Array> xs) const {
    Arrays r;
    for (const Array& x : xs) r.push_back(mean(x));
    if (axis_name.empty()) return r;
    const Array all = lax::pmean(np::stack(r), axis_name, groups);
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = all(static_cast<int>(i));
    return r;
  }

  Array wide(const Array& x) const { return x.astype(np::promote_types(dtype.value_or(x.dtype()), f32)); }

  Moments centred(const Array& input, bool fast) const {
    const Array x = wide(input);
    if (!fast) {
      const Array mean = means({x})[0];
      return {mean, means({abs_square(x - np::expand_dims(mean, ints(axes)))})[0]};
    }
    // Together they are one message, if of one type.
    const Array squares = abs_square(x);
    if (is_complex(x.dtype())) {
      const Array mean = means({x})[0];
      return {mean, np::maximum(0, means({squares})[0] - abs_square(mean))};
    }
    const Arrays m = means({x, squares});
    return {m[0], np::maximum(0, m[1] - np::square(m[0]))};
  }
  Moments uncentred(const Array& input) const {
    const Array var = means({abs_square(wide(input))})[0];
    return {np::zeros_like(var), var};
  }
};

template <class M>
Estimator estimator(const M& m, const Dims& axes, const Array& mask) {
  return {axes, m.dtype, m.axis_name, m.axis_index_groups, mask};
}

// ---- what is made of them ----

// The parameter with the sizes of the feature axes, beside x.
template <class M>
Array feature_param(const M& m, const char* name, const Initializer& init, const Array& x, const Dims& feature_axes) {
  Dims sizes, spread(static_cast<std::size_t>(x.ndim()), 1);
  for (const std::int64_t a : feature_axes) {
    const std::int64_t n = x.shape()[static_cast<std::size_t>(a)];
    sizes.push_back(n);
    spread[static_cast<std::size_t>(a)] = n;
  }
  return np::reshape(m.param(name, init, sizes, m.param_dtype), spread);
}

// `reduced` are the axes of x that the moments lack.
template <class M>
Array normalized(const M& m, const Array& x, const Moments& moments, const Dims& reduced, const Dims& feature_axes) {
  const Array mean = np::expand_dims(moments.mean, ints(reduced));
  Array factor = lax::rsqrt(np::expand_dims(moments.var, ints(reduced)) + m.epsilon);
  Array scale, bias;
  if (m.use_scale) {
    scale = feature_param(m, "scale", m.scale_init, x, feature_axes);
    factor = factor * scale;
  }
  Array y = (x - mean) * factor;
  if constexpr (requires { m.use_bias; })
    if (m.use_bias) {
      bias = feature_param(m, "bias", m.bias_init, x, feature_axes);
      y = y + bias;
    }
  return y.astype(computation_dtype(m.dtype, {x, scale, bias}));
}

// All axes of x from `first` on but those.
Dims others(const Array& x, const Dims& axes, std::int64_t first = 0) {
  Dims r;
  for (std::int64_t i = first; i < x.ndim(); ++i)
    if (!among(i, axes)) r.push_back(i);
  return r;
}

}  // namespace

Array BatchNorm::call(const Array& x, std::optional<bool> argument, const Array& mask) const {
  const bool use_average = given_once("batch_norm", "use_running_average", use_running_average, argument);
  const Dims features = axis.resolve("batch_norm", x.aval()), reduced = others(x, features);
  Dims sizes;
  for (const std::int64_t a : features) sizes.push_back(x.shape()[static_cast<std::size_t>(a)]);
  const Variable mean = variable("batch_stats", "mean", [&] { return np::zeros(sizes); });
  const Variable var = variable("batch_stats", "var", [&] { return np::ones(sizes); });
  Moments moments{mean.value(), var.value()};
  if (!use_average) {
    Estimator e = estimator(*this, reduced, mask);
    if (is_initializing()) e.axis_name.clear();  // the axis need not be there yet
    moments = e.centred(x, use_fast_variance);
    if (!is_initializing()) {
      // In the average's own type, which steps of a loop hand on.
      const auto follow = [&](const Variable& average, const Array& now) {
        const Array old = average.value();
        average.set(momentum * old + (1 - momentum) * now.astype(old.dtype()));
      };
      follow(mean, moments.mean);
      follow(var, moments.var);
    }
  }
  return normalized(*this, x, moments, reduced, features);
}

Array LayerNorm::call(const Array& x, const Array& mask) const {
  const Dims reduced = reduction_axes.resolve("layer_norm", x.aval());
  const Moments moments = estimator(*this, reduced, mask).centred(x, use_fast_variance);
  return normalized(*this, x, moments, reduced, feature_axes.resolve("layer_norm", x.aval()));
}

Array RMSNorm::call(const Array& x, const Array& mask) const {
  const Dims reduced = reduction_axes.resolve("rms_norm", x.aval());
  const Moments moments = estimator(*this, reduced, mask).uncentred(x);
  return normalized(*this, x, moments, reduced, feature_axes.resolve("rms_norm", x.aval()));
}

namespace {

std::int64_t groups_of(const GroupNorm& m, std::int64_t channels) {
  if (m.num_groups && m.group_size)
    throw ValueError("group_norm: there must be a number of groups or their size; got both, " +
                     std::to_string(*m.num_groups) + " and " + std::to_string(*m.group_size) + ".");
  const std::int64_t n = m.group_size ? *m.group_size : m.num_groups.value_or(32);
  if (n < 1 || channels % n != 0)
    throw ValueError("group_norm: the " + std::string(m.group_size ? "size" : "number") +
                     " of groups must divide the number of features; got " + std::to_string(n) + " for " +
                     std::to_string(channels) + ".");
  return m.group_size ? channels / n : n;
}

// The last axis as two: groups, and the features of each.
Array in_groups(const Array& x, std::int64_t groups, std::int64_t size) {
  Dims shape(x.shape());
  const bool broadcast = shape.empty() || shape.back() != groups * size;  // as a mask may be
  if (broadcast) return np::expand_dims(x, -1);
  shape.back() = groups;
  shape.push_back(size);
  return np::reshape(x, shape);
}

}  // namespace

Array GroupNorm::call(const Array& x, const Array& mask) const {
  if (x.ndim() < 1)
    throw ShapeError("group_norm: the input must have an axis of features; got " + x.aval().str() + ".");
  const std::int64_t last = x.ndim() - 1;
  Dims reduced = reduction_axes ? reduction_axes->resolve("group_norm", x.aval()) : others(x, {last}, 1);
  if (!reduction_axes) reduced.push_back(last);
  if (reduced.empty() || reduced.back() != last)
    throw ValueError("group_norm: the reduction axes must have the last, that of features; got " + shape_str(reduced) +
                     " of " + x.aval().str() + ".");
  reduced.pop_back();
  const std::int64_t channels = x.shape().back(), groups = groups_of(*this, channels);
  const Array in = in_groups(x, groups, channels / groups);
  const Array counted = mask.defined() ? in_groups(mask, groups, channels / groups) : mask;
  Dims axes = reduced;
  axes.push_back(last + 1);
  Moments moments = estimator(*this, axes, counted).centred(in, use_fast_variance);
  moments.mean = np::repeat(moments.mean, channels / groups, -1);
  moments.var = np::repeat(moments.var, channels / groups, -1);
  return normalized(*this, x, moments, reduced, {last});
}

Array InstanceNorm::call(const Array& x, const Array& mask) const {
  const Dims features = feature_axes.resolve("instance_norm", x.aval());
  if (among(0, features))
    throw ValueError("instance_norm: the first axis must be that of the batch; got it among the features of " +
                     x.aval().str() + ".");
  const Dims reduced = others(x, features, 1);
  const Moments moments = estimator(*this, reduced, mask).centred(x, use_fast_variance);
  return normalized(*this, x, moments, reduced, features);
}

}  // namespace weft::nn
