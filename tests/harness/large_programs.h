// Programs of about a given number of equations, of the kinds that compilers of whole programs meet: for tests and
// benchmarks of compile time.
#pragma once

#include <string>
#include <vector>

#include "weft/weft.h"

namespace weft::testing {

struct LargeProgram {
  const char* name;
  Jaxpr (*make)(std::int64_t equations);
};

/// Elementwise, each value used more than once, so that no expression holds it all.
inline Jaxpr elementwise_chain(std::int64_t equations) {
  return make_jaxpr([=](Array x, Array y) {
    for (std::int64_t i = 0; i + 8 <= equations; i += 8) {
      const Array z = np::tanh(x * y);
      x = x + z * 0.5f;
      y = y * z - x;
      y = np::maximum(y, -x);
    }
    return x + y;
  })(abstract(f32, {1000}), abstract(f32, {1000}));
}

/// The gradient of a chain of scalars, about as long as asked for.
inline Jaxpr gradient_of_chain(std::int64_t equations) {
  return make_jaxpr(grad([=](Array x, Array y) {
    for (std::int64_t i = 0; i + 16 <= equations; i += 16) {
      const Array z = np::sin(x * y);
      x = x * 0.9f + z;
      y = y - z * x;
    }
    return x + y;
  }))(abstract(f32, {}), abstract(f32, {}));
}

/// Products of 4 x 4 matrices with a little between them.
inline Jaxpr small_products(std::int64_t equations) {
  return make_jaxpr([=](Array x, Array w) {
    for (std::int64_t i = 0; i + 3 <= equations; i += 3) x = np::matmul(x, w) * 0.5f + x;
    return x;
  })(abstract(f32, {4, 4}), abstract(f32, {4, 4}));
}

/// Loops, each with another body of 20 equations.
inline Jaxpr scan_bodies(std::int64_t equations) {
  return make_jaxpr([=](Array x) {
    for (std::int64_t i = 0; i + 20 <= equations; i += 20)
      x = fori_loop(
          0, 10,
          [i](Array, Array c) {
            Array d = c * (1.0f / static_cast<float>(i + 2));
            for (int k = 0; k < 6; ++k) d = d * c + d * static_cast<float>(k + 1);
            return np::tanh(d);
          },
          x);
    return x;
  })(abstract(f32, {8}));
}

/// `count` layers of a network, each of weights of its own: a product, a bias, an activation, a normalisation.
inline Jaxpr equal_layers(std::int64_t count) {
  return make_jaxpr([](Array x, std::vector<Array> weights, std::vector<Array> biases) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const Array y = np::tanh(np::matmul(x, weights[i]) + biases[i]);
      const Array centred = y - np::mean(y, 1, {.keepdims = true});
      x = x + centred / np::sqrt(np::mean(centred * centred, 1, {.keepdims = true}) + 1e-5f);
    }
    return x;
  })(abstract(f32, {32, 64}), std::vector<Array>(static_cast<std::size_t>(count), abstract(f32, {64, 64})),
     std::vector<Array>(static_cast<std::size_t>(count), abstract(f32, {64})));
}
inline Jaxpr layers(std::int64_t equations) { return equal_layers(std::max<std::int64_t>(1, equations / 18)); }

inline const std::vector<LargeProgram>& large_programs() {
  static const std::vector<LargeProgram> all{{"elementwise_chain", elementwise_chain},
                                             {"gradient_of_chain", gradient_of_chain},
                                             {"small_products", small_products},
                                             {"scan_bodies", scan_bodies},
                                             {"layers", layers}};
  return all;
}

}  // namespace weft::testing
