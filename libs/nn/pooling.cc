#include "nn/pooling.h"

#include "weft/weft.h"

namespace weft::nn {

namespace {

Array pool_as(const char* op, const Array& x, ReduceKind kind, const Shape& window, const Shape& strides,
              const Padding& padding) {
  const std::size_t rank = window.dims().size();
  const auto ndim = static_cast<std::size_t>(x.ndim());
  if (rank == 0) throw ValueError(std::string(op) + ": the window must have a number for each spatial axis; got none.");
  if (ndim < rank + 1)
    throw ShapeError(std::string(op) + ": the input must have " +
                     count_str(static_cast<std::int64_t>(rank), "spatial axis", "spatial axes") +
                     " and one of features; got " + x.aval().str() + ".");
  const Dims sizes = detail::per_axis(op, "the window", window.dims(), rank);
  const Dims steps = detail::per_axis(op, "strides", strides.dims(), rank);
  const std::size_t first = ndim - rank - 1;
  const std::vector<Padding::Ends> ends = padding.ends(op, x.shape().subspan(first, rank), sizes, steps);
  Window w{.dimensions = Dims(ndim, 1),
           .strides = Dims(ndim, 1),
           .padding_low = Dims(ndim, 0),
           .padding_high = Dims(ndim, 0)};
  for (std::size_t i = 0; i < rank; ++i) {
    w.dimensions[first + i] = sizes[i];
    w.strides[first + i] = steps[i];
    w.padding_low[first + i] = ends[i].low;
    w.padding_high[first + i] = ends[i].high;
  }
  return lax::reduce_window(x, kind, w);
}

}  // namespace

Array pool(const Arg& x, ReduceKind kind, const Shape& window, const Pooling& how) {
  const LocationScope scope(x.location(), "pool");
  return pool_as("pool", x.array(), kind, window, how.strides, how.padding);
}

Array avg_pool(const Arg& x, const Shape& window, const AveragePooling& how) {
  const LocationScope scope(x.location(), "avg_pool");
  const Array a = x.array();
  // Sums of many small integers or small floats would leave their types.
  const DType t = np::inexact_dtype(a.dtype()), of_sums = byte_size(t) < 4 ? f32 : t;
  const Array sum = pool_as("avg_pool", a.astype(of_sums), ReduceKind::kSum, window, how.strides, how.padding);
  if (how.count_include_pad)
    return np::divide(sum, np::full({}, static_cast<double>(product(window.dims())), of_sums)).astype(t);
  Dims shape(a.shape());
  for (std::size_t i = 0; i < shape.size() - window.dims().size() - 1; ++i) shape[i] = 1;
  shape.back() = 1;
  return np::divide(sum,
                    pool_as("avg_pool", np::ones(shape, of_sums), ReduceKind::kSum, window, how.strides, how.padding))
      .astype(t);
}

Array max_pool(const Arg& x, const Shape& window, const Pooling& how) {
  const LocationScope scope(x.location(), "max_pool");
  return pool_as("max_pool", x.array(), ReduceKind::kMax, window, how.strides, how.padding);
}
Array min_pool(const Arg& x, const Shape& window, const Pooling& how) {
  const LocationScope scope(x.location(), "min_pool");
  return pool_as("min_pool", x.array(), ReduceKind::kMin, window, how.strides, how.padding);
}

}  // namespace weft::nn
