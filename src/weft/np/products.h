// Products and contractions with NumPy's names. Operands promote; each is one dot_general. `preferred` is the dtype of
// products, sums and result, where it is a parameter; the operands' unless given.
#pragma once

#include <string_view>

#include "weft/np/creation.h"

namespace weft::np {

/// Over the last axis of x and the last but one of y (the last when y is 1-d):
/// out[i..., j..., m] = sum_k x[i..., k] * y[j..., k, m]. With a 0-d operand, the product.
Array dot(const Arg& x, const Arg& y);
/// out[b..., i, m] = sum_k x[b..., i, k] * y[b..., k, m]; leading axes broadcast, 1-d operands are
/// vectors. ShapeError for 0-d operands.
Array matmul(const Arg& x, const Arg& y);
/// The same with products, sums and result in `preferred`. Functions of their own, so that np::dot and np::matmul stay
/// functions of two arrays, as vmap(np::dot) needs them.
Array dot_as(const Arg& x, const Arg& y, DType preferred);
Array matmul_as(const Arg& x, const Arg& y, DType preferred);
/// Contracted over the last `axes` axes of x and the first of y.
Array tensordot(const Arg& x, const Arg& y, int axes = 2, std::optional<DType> preferred = {});
/// Axes of x and of y, pair by pair: {{1}, {0}}.
struct ContractedAxes {
  std::vector<int> x, y;
};
/// Contracted over pairs of axes.
Array tensordot(const Arg& x, const Arg& y, const ContractedAxes& axes, std::optional<DType> preferred = {});
inline Array tensordot(const Arg& x, const Arg& y, const std::vector<int>& x_axes, const std::vector<int>& y_axes,
                       std::optional<DType> preferred = {}) {
  return tensordot(x, y, ContractedAxes{x_axes, y_axes}, preferred);
}
/// sum(conj(x) * y) over all elements.
Array vdot(const Arg& x, const Arg& y);
/// out[i..., j...] = sum_k x[i..., k] * y[j..., k].
Array inner(const Arg& x, const Arg& y);
/// out[i, j] = x[i] * y[j], both flattened.
Array outer(const Arg& x, const Arg& y);
/// out[...] = sum_k conj(x[..., k]) * y[..., k] along an axis; the others broadcast.
Array vecdot(const Arg& x, const Arg& y, Axis axis = -1);
/// The Kronecker product: out[i * p + k, j * q + l] = x[i, j] * y[k, l], likewise for any number of axes.
Array kron(const Arg& x, const Arg& y);
/// The product at right angles to both of the vectors along the last axes, of size 3.
Array cross(const Arg& x, const Arg& y);
/// sum_i x[..., i, i + offset] over the axes `axis1` and `axis2`, in the dtypes of sum.
Array trace(const Arg& x, Integer offset = 0, Axis axis1 = 0, Axis axis2 = 1);
/// A specification of einsum, with the line of the call.
struct EinsumSpec {
  std::string_view text;
  SourceLocation location;
  EinsumSpec(std::string_view text, SourceLocation loc = std::source_location::current()) : text(text), location(loc) {}
  EinsumSpec(const char* text, SourceLocation loc = std::source_location::current()) : text(text), location(loc) {}
};

/// Einstein's summation: "ij,jk->ik". Letters name axes; those not in the result are summed, a letter
/// twice in one term is a diagonal; `...` stands for axes that broadcast; without "->" the result has the
/// ellipsis and the letters that occur once, in order. Terms are contracted from left to right, each pair
/// by one dot_general. ValueError for a malformed specification, ShapeError when sizes differ.
Array einsum(EinsumSpec spec, std::span<const Array> xs, std::optional<DType> preferred = {});
inline Array einsum(EinsumSpec spec, std::initializer_list<Array> xs, std::optional<DType> preferred = {}) {
  return einsum(spec, std::span<const Array>(xs.begin(), xs.size()), preferred);
}
template <class... A>
  requires(std::is_same_v<A, Array> && ...)
Array einsum(EinsumSpec spec, const A&... xs) {
  return einsum(spec, {xs...});
}

}  // namespace weft::np
