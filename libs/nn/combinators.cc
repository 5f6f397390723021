#include "nn/combinators.h"

#include "weft/np/shape.h"

namespace weft::nn {

Array Sequential::call(const Array& x) const {
  if (layers.empty()) throw ValueError("sequential: a chain must have at least one layer; got none.");
  Array y = x;
  for (const Layer& layer : layers) y = layer(y);
  return y;
}

namespace detail {

Array with_axes_merged(const Array& x, int num_dims, std::optional<Dims>& sizes) {
  if (x.ndim() < num_dims) return x;
  const auto n = static_cast<std::size_t>(num_dims);
  const Dims own(x.shape().first(n));
  if (!sizes) sizes = own;
  if (own != *sizes)
    throw ShapeError("batch_apply: the axes that are merged must have the same sizes in all arguments; got " +
                     shape_str(*sizes) + " and " + shape_str(own) + " of " + x.aval().str() + ".");
  Dims shape{product(x.shape().first(n))};
  for (const std::int64_t size : x.shape().subspan(n)) shape.push_back(size);
  return np::reshape(x, shape);
}

Array with_axis_split(const Array& x, DimSpan sizes) {
  if (x.ndim() == 0 || x.shape(0) != product(sizes))
    throw ShapeError("batch_apply: the result's first axis must be the one that the arguments' became, of size " +
                     std::to_string(product(sizes)) + "; got " + x.aval().str() + ".");
  Dims shape(sizes);
  for (const std::int64_t size : x.shape().subspan(1)) shape.push_back(size);
  return np::reshape(x, shape);
}

void check_batch_axes(int num_dims, bool found) {
  if (num_dims < 1) throw ValueError("batch_apply: num_dims must be positive; got " + std::to_string(num_dims) + ".");
  if (!found)
    throw ValueError("batch_apply: an array among the arguments must have " + std::to_string(num_dims) +
                     " axes or more; got none.");
}

}  // namespace detail

}  // namespace weft::nn
