// How parameters begin: functions of a key, a shape and a dtype, as in jax.nn.initializers, with the same bits.
#pragma once

#include <functional>

#include "weft/core/array.h"
#include "weft/ir/dtype.h"

namespace weft::nn {

/// param = init(key, shape, dtype).
using Initializer = std::function<Array(const Array& key, const Dims& shape, DType dtype)>;

namespace initializers {

Initializer zeros();
Initializer ones();
Initializer constant(double value);
/// Normal of this standard deviation around 0; uniform in [0, scale).
Initializer normal(double stddev = 0.01);
Initializer uniform(double scale = 0.01);
/// Normal within (lower, upper) standard deviations, times `stddev`.
Initializer truncated_normal(double stddev = 0.01, double lower = -2, double upper = 2);

enum class Fan : std::uint8_t { kIn, kOut, kAverage, kGeometricAverage };
enum class Distribution : std::uint8_t { kTruncatedNormal, kNormal, kUniform };
/// Which axes are what: a kernel's fans are the product of its input (output) axes and of those that are neither nor
/// batch axes, the receptive field.
struct KernelAxes {
  std::vector<int> in = {-2}, out = {-1}, batch = {};
};
/// Variance scale / fan (He et al., "Delving deep into rectifiers", 2015). ValueError for kernels of less than two
/// axes.
Initializer variance_scaling(double scale, Fan fan, Distribution distribution, const KernelAxes& axes = {});
/// Glorot and Bengio (2010); LeCun et al. (1998); He et al. (2015).
Initializer glorot_uniform(const KernelAxes& axes = {});
Initializer glorot_normal(const KernelAxes& axes = {});
Initializer lecun_uniform(const KernelAxes& axes = {});
Initializer lecun_normal(const KernelAxes& axes = {});
Initializer he_uniform(const KernelAxes& axes = {});
Initializer he_normal(const KernelAxes& axes = {});
/// `scale` times a matrix with orthonormal rows or columns (Saxe et al., 2013); the columns are along `column_axis`.
Initializer orthogonal(double scale = 1, int column_axis = -1);
/// The same at the centre of a convolution's kernel (..., in, out), zeros elsewhere (Xiao et al., 2018): in <= out.
Initializer delta_orthogonal(double scale = 1, int column_axis = -1);

}  // namespace initializers

}  // namespace weft::nn
