#include "weft/np/vectorize.h"

#include "weft/ops/lax.h"

namespace weft::np::detail {

Flattened flatten_arguments(std::span<const Arg> args, const SourceLocation& loc) {
  const LocationScope scope(loc, "vectorize");
  std::optional<DType> arrays;
  for (const Arg& a : args)
    if (!a.is_scalar()) arrays = arrays ? promote_types(*arrays, a.dtype()) : a.dtype();
  Flattened r;
  for (const Arg& a : args) r.shape = broadcast_shapes("vectorize", r.shape, a.shape());
  for (const Arg& a : args) {
    const DType t = arrays ? a.dtype_beside(*arrays) : a.dtype();
    const Array wide = broadcast_to(a.filled(t, {}), r.shape);
    r.arrays.push_back(lax::reshape(wide, Dims{wide.size()}));
  }
  return r;
}

Array unflatten_result(const Array& y, const Dims& shape, const SourceLocation& loc) {
  const LocationScope scope(loc, "vectorize");
  if (y.ndim() != 1) {
    const DimSpan one = y.shape().subspan(1);
    throw ShapeError("vectorize: the function must return 0-d arrays; got one of shape " + shape_str(one) + ".");
  }
  return lax::reshape(y, shape);
}

}  // namespace weft::np::detail
