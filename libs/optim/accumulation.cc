#include "optim/accumulation.h"

#include <algorithm>

#include "weft/weft.h"

namespace weft::optim {

SkipDecision skip_not_finite(const Leaves& updates, const Array&, const Leaves&) {
  Array count = zero_count();
  for (const Array& u : updates) count = count + np::count_nonzero(!np::isfinite(u));
  const Array skip = count > 0;
  return {skip, {{"should_skip", skip}, {"num_not_finite", count}}};
}

ShouldSkip skip_large_updates(Hyperparam max_squared_norm, SourceLocation loc) {
  const detail::Require check("skip_large_updates", loc);
  check.not_negative("max_squared_norm", max_squared_norm);
  return [bound = std::move(max_squared_norm)](const Leaves& updates, const Array&, const Leaves&) -> SkipDecision {
    const Array size = detail::squared_norm(updates);
    const Array skip = !(size < bound.in(size.dtype()));  // of NaN, too
    return {skip, {{"should_skip", skip}, {"norm_squared", size}}};
  };
}

namespace detail {

Leaves accumulate(const Leaves& acc, const Leaves& grads, const Array& n, bool mean) {
  Leaves r;
  for (std::size_t i = 0; i < acc.size(); ++i) {
    const Array g = cast_like(grads[i], acc[i]);
    // Welford's step: no sum that grows with the number of gradients.
    r.push_back(mean ? acc[i] + (g - acc[i]) / cast_like(n + 1, acc[i]) : acc[i] + g);
  }
  return r;
}

Leaves accumulators(const Leaves& params, std::optional<DType> dtype) {
  Leaves r;
  for (const Array& p : params) r.push_back(np::zeros_like(p, dtype.value_or(np::promote_types(p.dtype(), f32))));
  return r;
}

bool same_names(const std::map<std::string, Array>& x, const std::map<std::string, Array>& y) {
  return std::ranges::equal(x, y, [](const auto& a, const auto& b) { return a.first == b.first; });
}

void check_decision(const SkipDecision& decision) {
  const Array& skip = decision.should_skip;
  if (!skip.defined()) throw ValueError("multi_steps: should_skip must decide with a bool[]; got none.");
  const std::string text = "multi_steps: should_skip must decide with a bool[]; got " + skip.aval().str() + ".";
  if (skip.dtype() != boolean) throw DTypeError(text);
  if (skip.ndim() != 0) throw ShapeError(text);
}

}  // namespace detail

}  // namespace weft::optim
