#include "nn/weight_normalization.h"

#include <algorithm>

#include "weft/weft.h"

namespace weft::nn::detail {

namespace {

// What is known of a parameter is below the place, and has keys of the place's own.
Place below(const Place& place, const std::string& parameter) {
  return {nullptr, place.store, joined(place.path, parameter)};
}

Array l2_normalized(const Array& x, const np::AxisArg& axes, double epsilon) {
  return x * lax::rsqrt(np::sum(x * x, axes, true) + epsilon);
}

}  // namespace

Collection WeightNormalization::operator()(const Place& place, const Collection& params) const {
  Collection r;
  for (const auto& [path, w] : params) {
    const bool chosen =
        variable_filter.empty() || std::any_of(variable_filter.begin(), variable_filter.end(),
                                               [&](const auto& text) { return path.find(text) != std::string::npos; });
    if (!chosen) {
      r.emplace(path, w);
      continue;
    }
    const Dims features = np::AxisArg(feature_axes.axes()).resolve("weight_norm", w.aval());
    std::vector<int> reduced;
    Dims sizes, spread(static_cast<std::size_t>(w.ndim()), 1);
    for (int i = 0; i < w.ndim(); ++i) {
      if (std::find(features.begin(), features.end(), i) == features.end()) {
        reduced.push_back(i);
      } else {
        sizes.push_back(w.shape(i));
        spread[static_cast<std::size_t>(i)] = w.shape(i);
      }
    }
    Array y = l2_normalized(w, reduced, epsilon), scale;
    if (use_scale) {
      scale = param(below(place, path), "scale", sizes, [&](const Array&) {
        return scale_init(next_key(*place.store, place.path, "params"), sizes, param_dtype);
      });
      scale = np::reshape(scale, spread);
      y = y * scale;
    }
    r.emplace(path, y.astype(computation_dtype(dtype, {w, scale})));
  }
  return r;
}

Collection SpectralNormalization::operator()(const Place& place, const Collection& params) const {
  Collection r;
  for (const auto& [path, w] : params) {
    if (w.ndim() < 2 || n_steps < 1) {
      r.emplace(path, w);
      continue;
    }
    if (w.ndim() > 2 && error_on_non_matrix)
      throw ValueError("spectral_norm: parameters must have at most two axes; got " + w.aval().str() + " for \"" +
                       path + "\".");
    const std::int64_t features = w.shape().back();
    const Array matrix = np::reshape(w, {-1, features});
    const Variable u = variable(below(place, path), collection_name, "u", [&] {
      return random::normal(next_key(*place.store, place.path, "params"), {1, features}, param_dtype);
    });
    const Variable sigma =
        variable(below(place, path), collection_name, "sigma", [&] { return np::ones({}, param_dtype); });
    Array u0 = u.value(), v0;
    for (int i = 0; i < n_steps; ++i) {
      v0 = l2_normalized(np::matmul(u0, np::transpose(matrix)), {}, epsilon);
      u0 = l2_normalized(np::matmul(v0, matrix), {}, epsilon);
    }
    u0 = lax::stop_gradient(u0);
    v0 = lax::stop_gradient(v0);
    const Array value = np::sum(np::matmul(v0, matrix) * u0);
    const Array y = w / np::where(value != 0, value, 1);
    if (update_stats) {
      u.set(u0);
      sigma.set(value);
    }
    r.emplace(path, y.astype(computation_dtype(dtype, {w, u0, v0, value})));
  }
  return r;
}

}  // namespace weft::nn::detail
