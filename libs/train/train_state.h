// The state of training: parameters, and what the optimiser keeps. Independent of any optimiser library: `tx` is
// whatever has init(params) and update(grads, opt_state, params, ...), which gives a pair of updates and a new state.
#pragma once

#include <type_traits>
#include <utility>

#include "weft/core/tree.h"
#include "weft/np/np.h"

namespace weft::train {

/// A tree, which goes through jit and checkpoints: as flax.training's TrainState in files, whose other members are no
/// part of them either. A loop with more state (batch statistics, keys) has a struct of its own with this in it.
template <class P, class S>
struct TrainState {
  Array step;  ///< i32[]: how often gradients were applied
  P params;
  S opt_state;

  /// The state after one more update: params + updates, in the parameters' dtypes. TreeError and ShapeError when the
  /// gradients do not fit.
  template <class Tx>
  TrainState apply_gradients(const Tx& tx, const P& grads, SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "apply_gradients");
    tree::check_same_structure("apply_gradients", params, grads);
    return after(tx.update(grads, opt_state, params));
  }
  /// The same with what some optimisers ask for beside gradients, such as the loss: tx.update's fourth argument,
  /// optim::Extra<P>{.value = loss}.
  template <class Tx, class Extra>
  TrainState apply_gradients(const Tx& tx, const P& grads, const Extra& extra,
                             SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "apply_gradients");
    tree::check_same_structure("apply_gradients", params, grads);
    return after(tx.update(grads, opt_state, params, extra));
  }

 private:
  template <class Update>
  TrainState after(Update update) const {
    const auto add = [](const Array& p, const Array& u) { return (p + u).astype(p.dtype()); };
    return {step + 1, tree::map(add, params, update.first), std::move(update.second)};
  }
};

/// The type of state that an optimiser of type Tx makes of parameters P, for members and arguments.
template <class P, class Tx>
using TrainStateOf = TrainState<P, std::decay_t<decltype(std::declval<const Tx&>().init(std::declval<const P&>()))>>;

/// The state before the first step.
template <class P, class Tx>
TrainStateOf<P, Tx> create_train_state(P params, const Tx& tx, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "create_train_state");
  auto opt_state = tx.init(std::as_const(params));
  return {Array(std::int32_t{0}), std::move(params), std::move(opt_state)};
}

}  // namespace weft::train
