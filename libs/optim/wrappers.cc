#include "optim/wrappers.h"

#include "weft/weft.h"

namespace weft::optim::detail {

Array all_finite(const Leaves& x) {
  Array finite(true);
  for (const Array& leaf : x) finite = finite & np::all(np::isfinite(leaf));
  return finite;
}

Array consecutive(const Array& now, const Array& count) { return choose(now, safe_increment(count), zero_count()); }

std::pair<Leaves, Leaves> lookahead_step(const Leaves& updates, const Leaves& fast, const Leaves& slow,
                                         const Array& sync, const Hyperparam& slow_step_size) {
  Leaves fast_updates, slow_updates;
  for (std::size_t i = 0; i < updates.size(); ++i) {
    const Array apart = fast[i] + updates[i] - slow[i], zero = np::zeros_like(apart);
    slow_updates.push_back(choose(sync, scaled(apart, slow_step_size), zero));
    fast_updates.push_back(updates[i] - choose(sync, scaled(apart, slow_step_size.complement()), zero));
  }
  return {std::move(fast_updates), std::move(slow_updates)};
}

}  // namespace weft::optim::detail
