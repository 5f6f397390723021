#include "optim/microbatch.h"

#include "weft/weft.h"

namespace weft::optim::detail {

void check_argnums(const std::vector<int>& argnums, std::size_t arguments) {
  for (const int i : argnums)
    if (i < 0 || static_cast<std::size_t>(i) >= arguments)
      throw IndexError("microbatch: argnums must be numbers of arguments; got " + std::to_string(i) + " of " +
                       std::to_string(arguments) + ".");
}

Leaves split_batch(const Leaves& batch, std::int64_t size) {
  if (batch.empty()) throw ValueError("microbatch: there must be a batch; got none.");
  Leaves parts;
  for (const Array& x : batch) {
    if (x.ndim() == 0 || batch[0].ndim() == 0 || x.shape(0) != batch[0].shape(0))
      throw ShapeError("microbatch: batches must have one size along the first axes; got " + batch[0].aval().str() +
                       " and " + x.aval().str() + ".");
    if (x.shape(0) == 0 || x.shape(0) % size != 0)
      throw ValueError("microbatch: a batch must be a positive multiple of microbatch_size, " + std::to_string(size) +
                       "; got " + x.aval().str() + ".");
    Dims shape{x.shape(0) / size, size};
    for (int axis = 1; axis < x.ndim(); ++axis) shape.push_back(x.shape(axis));
    parts.push_back(np::reshape(x, shape));
  }
  return parts;
}

Leaves begin_sums(const Leaves& types, const std::vector<Accumulation>& how) {
  Leaves sums;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (how[i] == Accumulation::kConcat) continue;
    const DType t = types[i].dtype();
    if (how[i] == Accumulation::kMean && !is_inexact(t))
      throw DTypeError("microbatch: a mean must be of float or complex results; got " + types[i].aval().str() + ".");
    sums.push_back(np::zeros(types[i].shape(), wide_dtype(t)));
  }
  return sums;
}

std::pair<Leaves, Leaves> add_part(const Leaves& sums, const Leaves& part, const std::vector<Accumulation>& how) {
  Leaves next, rest;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (how[i] == Accumulation::kConcat) {
      rest.push_back(part[i]);
      continue;
    }
    const Array& sum = sums[next.size()];
    next.push_back(sum + cast_like(part[i], sum));
  }
  return {std::move(next), std::move(rest)};
}

Leaves finish_parts(const Leaves& sums, const Leaves& rest, const Leaves& types, const std::vector<Accumulation>& how,
                    std::int64_t parts) {
  Leaves whole;
  std::size_t summed = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (how[i] == Accumulation::kConcat) {
      const Array& stacked = rest[i - summed];
      if (stacked.ndim() < 2)
        throw ShapeError("microbatch: what is joined must have an axis; got " + types[i].aval().str() + ".");
      Dims shape{stacked.shape(0) * stacked.shape(1)};
      for (int axis = 2; axis < stacked.ndim(); ++axis) shape.push_back(stacked.shape(axis));
      whole.push_back(np::reshape(stacked, shape));
      continue;
    }
    const Array& sum = sums[summed++];
    whole.push_back(cast_like(how[i] == Accumulation::kMean ? sum / static_cast<double>(parts) : sum, types[i]));
  }
  return whole;
}

}  // namespace weft::optim::detail
