#include "weft/api/stepwise.h"

#include <algorithm>

#include "weft/ir/programs.h"
#include "weft/ops/lax.h"

namespace weft::api {

std::optional<std::size_t> branch_to_run(const Array& index, std::size_t num_branches) {
  if (!jit_disabled() || !index.known()) return std::nullopt;
  if (index.dtype() == boolean) return index.item<bool>() ? 1 : 0;
  const std::size_t last = num_branches - 1;
  if (is_unsigned(index.dtype())) return std::min<std::uint64_t>(index.item<std::uint64_t>(), last);
  const auto i = index.item<std::int64_t>();
  return i < 0 ? 0 : std::min(static_cast<std::size_t>(i), last);
}

void check_step(const char* function, std::int64_t step, std::optional<std::int64_t> max_steps,
                const SourceLocation& loc) {
  if (!max_steps || step < *max_steps) return;
  const LocationScope scope(loc, function);
  throw_too_many_steps();
}

Arrays slices_at(std::span<const Array> xs, std::int64_t i, const SourceLocation& loc) {
  const LocationScope scope(loc, "scan");
  Arrays r;
  for (const Array& x : xs) {
    Dims start(static_cast<std::size_t>(x.ndim())), limit(x.shape()), strides;
    strides.assign(static_cast<std::size_t>(x.ndim()), 1);
    start[0] = i;
    limit[0] = i + 1;
    r.push_back(lax::reshape(lax::slice(x, start, limit, strides), x.shape().subspan(1)));
  }
  return r;
}

void StackedSteps::add(Arrays ys, const std::vector<std::string>& paths) {
  const LocationScope scope(loc_, "scan");
  if (by_leaf_.empty()) {
    by_leaf_.resize(ys.size());
    types_ = avals_of(ys);
  }
  for (std::size_t i = 0; i < ys.size(); ++i) {
    if (const Aval type = ys[i].aval(); type != types_[i]) {
      const std::string message = "scan: ys must have the same type in every step; got y" + paths[i] + " " +
                                  types_[i].str() + " in the first and " + type.str() + " in another.";
      if (type.dtype() != types_[i].dtype()) throw DTypeError(message);
      throw ShapeError(message);
    }
    Dims shape(ys[i].shape());
    shape.insert(shape.begin(), 1);
    by_leaf_[i].push_back(lax::reshape(ys[i], shape));
  }
}

Arrays StackedSteps::take(bool reverse) {
  const LocationScope scope(loc_, "scan");
  Arrays r;
  for (Arrays& ys : by_leaf_) {
    if (reverse) std::reverse(ys.begin(), ys.end());
    r.push_back(lax::concatenate(ys, 0));
  }
  return r;
}

}  // namespace weft::api
