// Layers around a layer, which runs with normalised parameters. Its own are kept as they are, below its place as the
// member `layer_instance`; what the normalisation knows of the parameter "a/kernel" is below "a/kernel".
#pragma once

#include <set>

#include "nn/layer.h"
#include "nn/lift.h"
#include "weft/np/params.h"

namespace weft::nn {

namespace detail {

/// How the parameters of a layer at a place are normalised.
struct WeightNormalization {
  double epsilon;
  std::optional<DType> dtype;
  DType param_dtype;
  bool use_scale;
  const Initializer& scale_init;
  const np::Axes& feature_axes;
  const std::set<std::string>& variable_filter;
  Collection operator()(const Place& place, const Collection& params) const;
};
struct SpectralNormalization {
  int n_steps;
  double epsilon;
  std::optional<DType> dtype;
  DType param_dtype;
  bool error_on_non_matrix;
  const std::string& collection_name;
  bool update_stats;
  Collection operator()(const Place& place, const Collection& params) const;
};

/// `normalize` of the collection "params".
template <class N>
Variables normalized_params(const N& normalize, const Place& place, Variables v) {
  if (const auto params = v.find("params"); params != v.end()) params->second = normalize(place, params->second);
  return v;
}

}  // namespace detail

/// Each parameter w whose path has one of the texts `variable_filter` in it, as w / sqrt(sum w^2 + epsilon) scale,
/// summed over all axes but those of features (Salimans and Kingma, 2016). Without a filter, all; without feature axes,
/// one sum. Scales "<parameter>/scale" begin as ones. IndexError for axes that a parameter does not have.
template <class M>
struct WeightNorm : Module<WeightNorm<M>> {
  M layer_instance;
  double epsilon = 1e-12;
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  bool use_scale = true;
  Initializer scale_init = initializers::ones();
  np::Axes feature_axes = -1;
  std::set<std::string> variable_filter = {"kernel"};
  std::string name = {};
  static std::string class_name() { return "WeightNorm"; }

  template <class... A>
  auto call(const A&... args) const {
    const detail::Place place = detail::here("weight_norm", *this);
    const detail::WeightNormalization normalize{epsilon,    dtype,        param_dtype,    use_scale,
                                                scale_init, feature_axes, variable_filter};
    const auto normalized = [&](Variables v) { return detail::normalized_params(normalize, place, std::move(v)); };
    return map_variables(layer_instance, {.collections = "params", .trans_in_fn = normalized}, args...);
  }
};

/// Each parameter w of two axes or more as w / sigma, where sigma is the largest singular value of w[..., features] as
/// a matrix (Miyato et al., 2018), estimated by `n_steps` steps of power iteration from "<parameter>/u" of the
/// collection; with update_stats that and "<parameter>/sigma" follow. Gradients take the vectors for constants.
/// ValueError for parameters of more than two axes with `error_on_non_matrix`.
template <class M>
struct SpectralNorm : Module<SpectralNorm<M>> {
  M layer_instance;
  int n_steps = 1;
  double epsilon = 1e-12;
  std::optional<DType> dtype = {};
  DType param_dtype = f32;
  bool error_on_non_matrix = false;
  std::string collection_name = "batch_stats";
  std::string name = {};
  static std::string class_name() { return "SpectralNorm"; }

  Array call(const Array& x, bool update_stats) const {
    const detail::Place place = detail::here("spectral_norm", *this);
    const detail::SpectralNormalization normalize{n_steps,         epsilon,     dtype, param_dtype, error_on_non_matrix,
                                                  collection_name, update_stats};
    const auto normalized = [&](Variables v) { return detail::normalized_params(normalize, place, std::move(v)); };
    return map_variables(layer_instance, {.collections = "params", .trans_in_fn = normalized}, x);
  }
};

}  // namespace weft::nn
