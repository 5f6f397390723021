// Convolutions of every dtype, and the three products that a convolution and its gradients are. Knows shapes, dtypes
// and the parameters, not arrays. Large f32 ones go through oneDNN when it is there (library/convolution.h), the others
// through patches and matmul().
// Invariant: on one machine the bits of a result do not depend on the number of threads.
#pragma once

#include <optional>

#include "weft/base/dims.h"
#include "weft/ir/dtype.h"
#include "weft/ir/window.h"

namespace weft::cpu {

/// The relation of three strided arrays that a convolution and both of its gradients share,
///   dst[n, g, o, s...] ~ src[n, g, c, i...] * weights[g, o, c, k...]  where  i = s stride + k dilation - low,
/// and which of the three is computed as the sum over all such products of the other two.
struct ConvolutionForm {
  enum class Computes : std::uint8_t { kDst, kSrc, kWeights };
  Computes computes = Computes::kDst;
  std::int64_t batch = 0, groups = 1, in_features = 0, out_features = 0;  // features of one group
  Dims src, dst, kernel;                                                  // spatial sizes
  Dims stride, dilation, low;                                             // by spatial axis; low is not negative
  /// In elements: (n, g, c, spatial...), (g, o, c, spatial...), (n, g, o, spatial...). Those of `weights` may be
  /// negative. Each array starts so many elements after its first.
  Dims src_strides, weights_strides, dst_strides;
  std::int64_t src_begin = 0, weights_begin = 0, dst_begin = 0;

  std::int64_t products() const { return batch * groups * in_features * out_features * product(dst) * product(kernel); }
};

/// A convolution of dense row-major operands as such a relation.
struct ConvolutionRoles {
  ConvolutionForm form;
  /// Which operand is the first of (src, weights, dst) that is not computed, and which the second.
  bool exchanged = false;  // the first is rhs
};

/// How lhs, rhs and result of a convolution stand in that relation; nothing when they do not (some uses of several
/// dilations, strides, groups or reversals at once).
std::optional<ConvolutionRoles> convolution_roles(const ConvolutionParams& p, DimSpan lhs, DimSpan rhs, DimSpan out);

/// Served: what matmul serves, but not bool.
bool can_convolve(DType dtype, DType result);

/// out = lhs * rhs (StableHLO convolution) of dense row-major arrays, whose shapes fit. What places see becomes rows of
/// patches, zeros for padding, which are multiplied with the kernel: each element is a sum in order of taps, then
/// features.
void convolve_patches(const ConvolutionParams& p, DType t, DType result, DimSpan lhs_shape, DimSpan rhs_shape,
                      DimSpan out_shape, const void* lhs, const void* rhs, void* out);

}  // namespace weft::cpu
