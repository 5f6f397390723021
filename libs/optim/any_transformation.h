// A transformation of any type, for parameters of one: an optimiser that is chosen when the program runs.
#pragma once

#include <map>

#include "optim/transformation.h"
#include "weft/api/jit.h"

namespace weft::optim {

/// The state of a transformation whose type is not known: its arrays by their paths, ".count".
struct AnyState {
  std::map<std::string, Array> leaves;
};

namespace detail {
AnyState any_state(const std::vector<std::pair<std::string, Array>>& leaves);
/// The arrays of a state in order. TreeError unless it has the paths and shapes of `like`.
Leaves leaves_of_state(const AnyState& state, const std::vector<std::pair<std::string, Array>>& like);
}  // namespace detail

/// Holds any transformation of parameters P, so that variables, members and results of functions can have one type, and
/// states another one. TreeError, when it runs, for a state that another transformation's init made.
///   const AnyTransformation<Model> opt = flag == "adam" ? AnyTransformation<Model>(adam(1e-3)) : sgd(0.1);
template <class P>
class AnyTransformation {
 public:
  template <class T>
    requires(!std::is_same_v<T, AnyTransformation> && GradientTransformationOf<T, P>)
  AnyTransformation(T t)  // implicit by design
      : init_([t](const P& params) { return detail::any_state(tree::leaves_with_path(t.init(params))); }),
        update_([t](P updates, const AnyState& state, const P& params, const Extra<P>& extra) {
          // The structure and the static values of the state, without its arrays, which would cost time.
          const auto like = eval_shape([&t](const P& p) { return t.init(p); }, params);
          auto own = tree::with_leaves(like, detail::leaves_of_state(state, tree::leaves_with_path(like)));
          auto [u, next] = detail::run(t, std::move(updates), std::move(own), params, extra);
          return std::pair<P, AnyState>(std::move(u), detail::any_state(tree::leaves_with_path(next)));
        }) {}

  AnyState init(const P& params, SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "init");
    return init_(params);
  }
  std::pair<P, AnyState> update(P updates, AnyState state, const P& params, const Extra<P>& extra = {},
                                SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "update");
    return update_(std::move(updates), state, params, extra);
  }

 private:
  std::function<AnyState(const P&)> init_;
  std::function<std::pair<P, AnyState>(P, const AnyState&, const P&, const Extra<P>&)> update_;
};

}  // namespace weft::optim
