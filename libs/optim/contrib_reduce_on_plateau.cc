#include "optim/contrib_reduce_on_plateau.h"

#include <algorithm>
#include <limits>

#include "optim/polyak.h"
#include "weft/base/text.h"
#include "weft/weft.h"

namespace weft::optim::contrib {

OnTrees<ReduceOnPlateau> reduce_on_plateau(ReduceOnPlateau options, SourceLocation loc) {
  const detail::Require check("reduce_on_plateau", loc);
  if (options.factor.is_number() && !(options.factor.number() > 0 && options.factor.number() < 1))
    check.fail("factor must be in (0, 1)", number_str(options.factor.number()));
  check.fraction("rtol", options.rtol).not_negative("atol", options.atol).not_negative("min_scale", options.min_scale);
  if (options.rtol.is(0) && options.atol.is(0)) check.fail("rtol or atol must be positive", "0.0 and 0.0");
  check.at_least("patience", options.patience, 0).at_least("cooldown", options.cooldown, 0);
  check.at_least("accumulation_size", options.accumulation_size, 1);
  return {std::move(options)};
}

ReduceOnPlateauState ReduceOnPlateau::init(const Leaves& params) const {
  const DType t = detail::precision(params);
  return {np::ones({}, t), np::full({}, std::numeric_limits<double>::infinity(), t),
          zero_count(),    zero_count(),
          zero_count(),    np::zeros({}, t)};
}

void ReduceOnPlateau::update(Leaves& u, ReduceOnPlateauState& state, const Leaves&, const Extra<Leaves>& extra) const {
  const DType t = state.scale.dtype();
  const Array value = detail::loss_of(kName, extra.value, t), n = safe_increment(state.count);
  const Array mean = (state.count.astype(t) * state.avg_value + value) / n.astype(t);
  const Array due = n == accumulation_size;

  const Array improved = mean < rtol.complement().in(t)*state.best_value - atol.in(t);
  const Array bad = np::where(improved, 0, safe_increment(state.plateau_count));
  const Array cooling = state.cooldown_count > 0;
  const Array reduce = ~cooling & (bad >= std::max<std::int64_t>(patience, 1));

  const Array smaller = np::minimum(state.scale, np::maximum(detail::scaled(state.scale, factor), min_scale.in(t)));
  state.scale = np::where(due & reduce, smaller, state.scale);
  state.best_value = np::where(due & improved, mean, state.best_value);
  state.cooldown_count =
      np::where(due, np::where(cooling, state.cooldown_count - 1, np::where(reduce, cooldown, np::zeros_like(n))),
                state.cooldown_count);
  state.plateau_count = np::where(due, np::where(cooling | reduce, 0, bad), state.plateau_count);
  state.count = np::where(due, 0, n);
  state.avg_value = np::where(due, 0, mean);
  u = detail::scale_all(u, state.scale);
}

}  // namespace weft::optim::contrib
