#include "nn/initializers.h"

#include <cmath>

#include "nn/orthogonal.h"
#include "weft/weft.h"

namespace weft::nn::initializers {

namespace {

struct Fans {
  double in = 1, out = 1;
};
Fans fans_of(const Dims& shape, const KernelAxes& axes) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (rank < 2)
    throw ValueError(
        "variance_scaling: a kernel must have an input and an output axis; got the shape " + shape_str(shape) + ".",
        "biases and scales begin as zeros(), ones(), constant() or normal()");
  double all = 1;
  for (const std::int64_t n : shape) all *= static_cast<double>(n);
  const auto sizes = [&](const std::vector<int>& list) {
    double n = 1;
    for (const int axis : list) {
      if (axis < -rank || axis >= rank)
        throw IndexError("variance_scaling: axes must be those of the kernel; got axis " + std::to_string(axis) +
                         " of " + shape_str(shape) + ".");
      n *= static_cast<double>(shape[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)]);
    }
    return n;
  };
  const double in = sizes(axes.in), out = sizes(axes.out), batch = sizes(axes.batch);
  const double field = all / in / out / batch;
  return {in * field, out * field};
}

// The standard deviation of a normal that keeps what lies within two of its own.
constexpr double kTruncatedStddev = 0.87962566103423978;

}  // namespace

Initializer zeros() {
  return [](const Array&, const Dims& shape, DType t) { return np::zeros(shape, t); };
}
Initializer ones() {
  return [](const Array&, const Dims& shape, DType t) { return np::ones(shape, t); };
}
Initializer constant(double value) {
  return [value](const Array&, const Dims& shape, DType t) { return np::full(shape, value, t); };
}
Initializer normal(double stddev) {
  return [stddev](const Array& key, const Dims& shape, DType t) {
    return random::normal(key, shape, t) * np::array(stddev, t);
  };
}
Initializer uniform(double scale) {
  return [scale](const Array& key, const Dims& shape, DType t) {
    return random::uniform(key, shape, t) * np::array(scale, t);
  };
}
Initializer truncated_normal(double stddev, double lower, double upper) {
  return [=](const Array& key, const Dims& shape, DType t) {
    return random::truncated_normal(key, lower, upper, shape, t) * np::array(stddev, t);
  };
}

Initializer variance_scaling(double scale, Fan fan, Distribution distribution, const KernelAxes& axes) {
  return [=](const Array& key, const Dims& shape, DType t) {
    const Fans fans = fans_of(shape, axes);
    double n = 0;
    switch (fan) {
      case Fan::kIn: n = fans.in; break;
      case Fan::kOut: n = fans.out; break;
      case Fan::kAverage: n = (fans.in + fans.out) / 2; break;
      case Fan::kGeometricAverage: n = std::sqrt(fans.in * fans.out); break;
    }
    // In the dtype's own precision, as JAX computes it.
    const Array variance = np::array(scale / std::max(1.0, n), t);
    switch (distribution) {
      case Distribution::kNormal: return random::normal(key, shape, t) * np::sqrt(variance);
      case Distribution::kUniform:
        return random::uniform(key, shape, t, -1.0, 1.0) * np::sqrt(np::array(3, t) * variance);
      case Distribution::kTruncatedNormal: break;
    }
    return random::truncated_normal(key, -2.0, 2.0, shape, t) * (np::sqrt(variance) / np::array(kTruncatedStddev, t));
  };
}

Initializer glorot_uniform(const KernelAxes& axes) {
  return variance_scaling(1, Fan::kAverage, Distribution::kUniform, axes);
}
Initializer glorot_normal(const KernelAxes& axes) {
  return variance_scaling(1, Fan::kAverage, Distribution::kTruncatedNormal, axes);
}
Initializer lecun_uniform(const KernelAxes& axes) {
  return variance_scaling(1, Fan::kIn, Distribution::kUniform, axes);
}
Initializer lecun_normal(const KernelAxes& axes) {
  return variance_scaling(1, Fan::kIn, Distribution::kTruncatedNormal, axes);
}
Initializer he_uniform(const KernelAxes& axes) { return variance_scaling(2, Fan::kIn, Distribution::kUniform, axes); }
Initializer he_normal(const KernelAxes& axes) {
  return variance_scaling(2, Fan::kIn, Distribution::kTruncatedNormal, axes);
}

Initializer orthogonal(double scale, int column_axis) {
  return [=](const Array& key, const Dims& shape, DType t) {
    const auto rank = static_cast<std::int64_t>(shape.size());
    if (rank < 2)
      throw ValueError("orthogonal: a kernel must have at least two axes; got the shape " + shape_str(shape) + ".");
    if (column_axis < -rank || column_axis >= rank)
      throw IndexError("orthogonal: the column axis must be one of the kernel's; got axis " +
                       std::to_string(column_axis) + " of " + shape_str(shape) + ".");
    const auto axis = static_cast<std::size_t>(column_axis < 0 ? column_axis + rank : column_axis);
    std::int64_t rows = 1;
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (i != axis) rows *= shape[i];
    const std::int64_t columns = shape[axis];
    const bool wide = rows < columns;
    const Array a = random::normal(key, wide ? Dims{columns, rows} : Dims{rows, columns}, t);
    Array q = orthonormal_columns(a);
    if (wide) q = np::transpose(q);
    Dims sizes;
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (i != axis) sizes.push_back(shape[i]);
    sizes.push_back(columns);
    return np::moveaxis(np::reshape(q, sizes), -1, static_cast<int>(axis)) * np::array(scale, t);
  };
}

Initializer delta_orthogonal(double scale, int column_axis) {
  return [=](const Array& key, const Dims& shape, DType t) {
    const std::size_t rank = shape.size();
    if (rank < 3 || rank > 5)
      throw ValueError("delta_orthogonal: the kernel of a convolution must have three to five axes; got the shape " +
                       shape_str(shape) + ".");
    if (shape[rank - 2] > shape[rank - 1])
      throw ValueError("delta_orthogonal: there must not be more input features than output features; got the shape " +
                       shape_str(shape) + ".");
    const std::int64_t out = shape[rank - 1];
    const Array q = orthogonal(1, column_axis)(key, {out, out}, t);
    const Array centre = q(weft::slice(0, shape[rank - 2])) * np::array(scale, t);
    Dims low(rank, 0), high(rank, 0);
    Dims one(rank, 1);
    one[rank - 2] = shape[rank - 2], one[rank - 1] = out;
    for (std::size_t i = 0; i + 2 < rank; ++i) low[i] = (shape[i] - 1) / 2, high[i] = shape[i] - 1 - low[i];
    return lax::pad(np::reshape(centre, one), np::array(0, t), low, high);
  };
}

}  // namespace weft::nn::initializers
