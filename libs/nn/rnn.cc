#include "nn/rnn.h"

#include <algorithm>

#include "weft/weft.h"

namespace weft::nn::detail {

void check_lengths(const Array& lengths, DimSpan batch) {
  if (is_integer(lengths.dtype()) && Dims(lengths.shape()) == Dims(batch)) return;
  throw ShapeError("RNN: seq_lengths must be integers, one for each sequence of the batch " + shape_str(batch) +
                   "; got " + lengths.aval().str() + ".");
}

Array backwards(const Array& x, const Array& lengths) {
  if (!lengths.defined()) return np::flip(x, 0);
  const std::int64_t n = x.shape()[0];
  // Step t of a sequence of length l is l - 1 - t, modulo n: the rest is beyond l still.
  Dims column(lengths.shape());
  column.insert(column.begin(), 1);
  Dims times(column.size(), 1);
  times[0] = n;
  const Array t = np::reshape(np::arange(n), times);
  Array from = np::mod(np::reshape(lengths.astype(i32), column) - 1 - t, static_cast<int>(n));
  Dims whole(from.shape());
  while (whole.size() < x.shape().size()) whole.push_back(1);
  return np::take_along_axis(x, np::broadcast_to(np::reshape(from, whole), x.shape()), 0);
}

Array before_end(const Array& t, const Array& lengths, const Array& now, const Array& old) {
  Dims shape(lengths.shape());
  while (shape.size() < now.shape().size()) shape.push_back(1);
  return np::where(np::reshape(t < lengths, shape), now, old);
}

}  // namespace weft::nn::detail
