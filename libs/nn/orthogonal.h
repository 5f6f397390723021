// Orthonormal bases.
#pragma once

#include "weft/core/array.h"

namespace weft::nn {

/// q[m, n] of a[m, n], m >= n, real, of a = q r with q's columns orthonormal and r's diagonal not negative: the one
/// such q of a matrix of full rank. By Householder's reflections.
Array orthonormal_columns(const Array& a);

}  // namespace weft::nn
