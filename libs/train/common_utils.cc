#include "train/common_utils.h"

#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace detail {

Array sharded(const Array& x, std::int64_t n) {
  if (n < 1 || x.ndim() == 0 || x.shape(0) % n != 0)
    throw ShapeError("shard: the first size must be a multiple of the positive number of shards; got " +
                     x.aval().str() + " for " + number_str(n) + ".");
  Dims shape{n, x.shape(0) / n};
  for (const std::int64_t size : x.shape().subspan(1)) shape.push_back(size);
  return np::reshape(x, shape);
}

Array unsharded(const Array& x) {
  if (x.ndim() < 2) throw ShapeError("unshard: arrays must have two axes or more; got " + x.aval().str() + ".");
  Dims shape{x.shape(0) * x.shape(1)};
  for (const std::int64_t size : x.shape().subspan(2)) shape.push_back(size);
  return np::reshape(x, shape);
}

}  // namespace detail

Array onehot(const Array& labels, std::int64_t num_classes, double on_value, double off_value, SourceLocation loc) {
  const LocationScope scope(loc, "onehot");
  if (!is_integer(labels.dtype()))
    throw DTypeError("onehot: labels must be integers; got " + labels.aval().str() + ".");
  if (num_classes < 0)
    throw ValueError("onehot: num_classes must not be negative; got " + number_str(num_classes) + ".");
  // Wide enough for the labels and the classes, whatever the labels' dtype.
  const Array classes = np::arange(num_classes).astype(i64);
  return np::where(np::expand_dims(labels.astype(i64), -1) == classes, np::full({}, on_value).astype(f32),
                   np::full({}, off_value).astype(f32));
}

}  // namespace weft::train
