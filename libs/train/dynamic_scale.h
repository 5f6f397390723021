// Scaling the loss for gradients in f16 and bf16, whose small parts would else become 0: by the largest factor with
// which no gradient overflows, found while training goes on. Source: flax.training.dynamic_scale.
//
//   auto [scale, finite, loss, grads] = state.scale.value_and_grad(loss_of)(params, batch);
//   params = tree::map([&](const Array& p, const Array& g) { return np::where(finite, p - 0.1 * g, p); }, params,
//   grads);
#pragma once

#include <limits>
#include <string>
#include <utility>

#include "weft/api/collectives.h"
#include "weft/api/grad.h"
#include "weft/np/np.h"

namespace weft::train {

struct DynamicScaleOptions {
  double growth_factor = 2;     ///< of the scale after `growth_interval` steps of finite gradients
  double backoff_factor = 0.5;  ///< of the scale after a step with a gradient that is not finite
  std::int64_t growth_interval = 2000;
  double minimum_scale = std::numeric_limits<float>::min();
  std::string axis_name = {};  ///< gradients are averaged over this axis of a vmap; none when empty
};

template <class V, class G>
struct ScaledGradients;

/// A tree, for the training state: in files as Flax's.
struct DynamicScale {
  Array fin_steps = Array(std::int32_t{0});  ///< i32[]: finite steps since the scale last changed
  Array scale = Array(65536.0f);             ///< f32[]: what the loss is multiplied by

  /// As weft::value_and_grad, of the loss times the scale: a function that returns the next scale, whether all
  /// gradients are finite (when not, the step is to be left out), the loss and the gradients, both divided by the scale
  /// again, of at least f32. ValueError for factors and intervals out of range.
  template <std::size_t... kArgs, class F>
  auto value_and_grad(F f, const DynamicScaleOptions& options = {},
                      SourceLocation loc = std::source_location::current()) const;
  /// The same where f returns a pair (loss, aux), and so is the value.
  template <std::size_t... kArgs, class F>
  auto value_and_grad(F f, HasAux, const DynamicScaleOptions& options = {},
                      SourceLocation loc = std::source_location::current()) const;
};

template <class V, class G>
struct ScaledGradients {
  DynamicScale dynamic_scale;
  Array finite;  ///< bool[]
  V value;
  G grads;
};

namespace detail {

void check_scale_options(const DynamicScaleOptions& options);
/// The scale for the next step.
DynamicScale next_scale(const DynamicScale& now, const Array& finite, const DynamicScaleOptions& options);
Array all_finite(const Arrays& arrays);

/// f with its loss times a number.
template <class F>
struct ScaledLoss {
  F f;
  Array scale;
  template <class... A>
  auto operator()(A&&... args) const {
    auto result = f(std::forward<A>(args)...);
    if constexpr (std::is_same_v<decltype(result), Array>)
      result = result * scale;
    else
      result.first = result.first * scale;
    return result;
  }
};

template <class Gradient>
auto scaled_gradients(Gradient gradient, const DynamicScale& now, const DynamicScaleOptions& options) {
  check_scale_options(options);
  return [gradient = std::move(gradient), now, options](auto&&... args) {
    auto [value, grads] = gradient(std::forward<decltype(args)>(args)...);
    if constexpr (std::is_same_v<decltype(value), Array>)
      value = value / now.scale;
    else
      value.first = value.first / now.scale;
    tree::for_each(grads, [&](Array& g) { g = g / now.scale; });
    if (!options.axis_name.empty()) grads = lax::pmean(grads, options.axis_name);
    const Array finite = all_finite(tree::leaves(grads));
    return ScaledGradients<decltype(value), decltype(grads)>{next_scale(now, finite, options), finite, std::move(value),
                                                             std::move(grads)};
  };
}

}  // namespace detail

template <std::size_t... kArgs, class F>
auto DynamicScale::value_and_grad(F f, const DynamicScaleOptions& options, SourceLocation loc) const {
  const LocationScope scope(loc, "dynamic_scale");
  return detail::scaled_gradients(weft::value_and_grad<kArgs...>(detail::ScaledLoss<F>{std::move(f), scale}, loc),
                                  *this, options);
}
template <std::size_t... kArgs, class F>
auto DynamicScale::value_and_grad(F f, HasAux, const DynamicScaleOptions& options, SourceLocation loc) const {
  const LocationScope scope(loc, "dynamic_scale");
  return detail::scaled_gradients(
      weft::value_and_grad<kArgs...>(detail::ScaledLoss<F>{std::move(f), scale}, has_aux, loc), *this, options);
}

}  // namespace weft::train

// Transformations see the parameters of the function itself.
template <class F>
struct weft::api::parameters_of<weft::train::detail::ScaledLoss<F>> : weft::api::parameters_of<F> {};
