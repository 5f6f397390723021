#include "weft/ops/prefixes.h"

#include "weft/ops/lax.h"

namespace weft::ops {

Array rows(const Array& x, std::int64_t from, std::int64_t to, std::int64_t step) {
  Dims start(static_cast<std::size_t>(x.ndim())), limit(x.shape()), strides;
  strides.assign(static_cast<std::size_t>(x.ndim()), 1);
  start[0] = from;
  limit[0] = to;
  strides[0] = step;
  return lax::slice(x, start, limit, strides);
}
Arrays rows(std::span<const Array> xs, std::int64_t from, std::int64_t to, std::int64_t step) {
  Arrays r;
  for (const Array& x : xs) r.push_back(rows(x, from, to, step));
  return r;
}

Array in_groups(const Array& x, std::int64_t size) {
  Dims shape(x.shape());
  shape[0] /= size;
  shape.insert(shape.begin() + 1, size);
  return lax::reshape(x, shape);
}

Array out_of_groups(const Array& x) {
  Dims shape(x.shape().subspan(1));
  shape[0] *= x.shape()[0];
  return lax::reshape(x, shape);
}

// Those of pairs, by recursion, are the odd ones, and one more combination each gives the even ones.
Arrays prefixes(CombineRows combine, std::span<const Array> elements, std::int64_t n) {
  if (n < 2) return Arrays(elements);
  Arrays pairs, rest;
  combine(rows(elements, 0, n - 1, 2), rows(elements, 1, n, 2), pairs);
  const std::int64_t num_odd = n / 2, num_rest = (n - 1) / 2;  // the rest: even positions but the first
  const Arrays odd = prefixes(combine, pairs, num_odd);
  if (num_rest > 0) combine(rows(odd, 0, num_rest), rows(elements, 2, n, 2), rest);
  Arrays r;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const Array first = rows(elements[i], 0, 1);
    const Array even = num_rest > 0 ? lax::concatenate(Arrays{first, rest[i]}, 0) : first;
    // Interleaved: even and odd positions as pairs, then an even one that is left.
    const auto as_pairs = [&](const Array& x) { return in_groups(rows(x, 0, num_odd), 1); };
    const Array y = out_of_groups(lax::concatenate(Arrays{as_pairs(even), as_pairs(odd[i])}, 1));
    r.push_back(n % 2 == 0 ? y : lax::concatenate(Arrays{y, rows(even, num_odd, num_odd + 1)}, 0));
  }
  return r;
}

}  // namespace weft::ops
