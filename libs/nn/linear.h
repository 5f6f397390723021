// Affine layers and tables of vectors. Kernels and outputs are laid out as Flax's, and begin with the same bits.
// Errors, beside those of parameters: ValueError for sizes that are not positive and for specifications that cannot be
// read, ShapeError for inputs of too few axes, IndexError for axes that they do not have, DTypeError for a `dtype` that
// is neither float nor complex.
#pragma once

#include <optional>

#include "nn/layer.h"
#include "nn/module.h"
#include "weft/np/params.h"

namespace weft::nn {

/// y[..., features] = x[..., in] kernel[in, features] + bias[features].
struct Dense : Module<Dense> {
  int features = 0;
  bool use_bias = true;
  std::optional<DType> dtype = {};  // of the computation
  DType param_dtype = f32;
  Initializer kernel_init = initializers::lecun_normal();
  Initializer bias_init = initializers::zeros();
  std::string name = {};
  Array call(const Array& x) const;
};

/// Over several axes of x, to several axes of features:
///   y[b..., i..., f...] = sum_a x[b..., i... a...] kernel[b..., a..., f...] + bias[b..., f...]
/// where a are the axes `axis`, b those of `batch_dims`, each of whose places has a kernel of its own, and i the
/// others. The kernel begins as one matrix [b a, f].
struct DenseGeneral : Module<DenseGeneral> {
  np::Shape features = {};   // one number, or several
  np::AxisArg axis = -1;     // one, or several: ascending in the kernel, whatever their order here
  np::Axes batch_dims = {};  // the first axes of x, in order
  bool use_bias = true;
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  Initializer kernel_init = initializers::lecun_normal();
  Initializer bias_init = initializers::zeros();
  std::string name = {};
  Array call(const Array& x) const;
};

/// y = einsum(einsum_str, x, kernel) + bias, with a kernel of the given shape: "abc,cde->abde". The bias has the axes
/// of the result that are axes of the kernel.
struct Einsum : Module<Einsum> {
  np::Shape shape = {};
  std::string einsum_str = {};  // two operands and a result; empty where the call gives it
  bool use_bias = true;
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  Initializer kernel_init = initializers::lecun_normal();
  Initializer bias_init = initializers::zeros();
  std::string name = {};
  /// ValueError when the specification is given twice, here and as a member, or not at all.
  Array call(const Array& x, const std::string& einsum_str = {}) const;
};

/// y[i..., :] = table[i..., :], rows of table[num_embeddings, features] by integers of any shape. Negative ones count
/// from the end, and what is out of range gives NaN; a table of one row gives that row. DTypeError for other dtypes.
struct Embed : Module<Embed> {
  int num_embeddings = 0;
  int features = 0;
  std::optional<DType> dtype = {};  // of the result: the table's unless given
  DType param_dtype = f32;
  Initializer embedding_init = initializers::variance_scaling(
      1, initializers::Fan::kIn, initializers::Distribution::kNormal, {.in = {-2}, .out = {0}});
  std::string name = {};
  Array call(const Array& i) const;
  /// query[..., features] table^T: logits over what is embedded, where output and input share a table.
  Array attend(const Array& query) const;
};

}  // namespace weft::nn
