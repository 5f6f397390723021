// What the models of the training workloads are made of: layers, losses and optimisers, in pure functions.
#pragma once

#include "weft_case.h"

namespace workloads {

/// y = x w + b, w[in, out].
struct Dense {
  Array w, b;
  Array operator()(const Array& x) const { return np::matmul(x, w) + b; }
};
Dense make_dense(int seed, std::int64_t in, std::int64_t out);

Array relu(const Array& x);

/// x[n, h, w, c] with kernel[3, 3, c, o], padded so that the size stays.
Array convolution_3x3(Array x, Array kernel);
/// Of windows of 2x2 of x[n, h, w, c].
Array max_pool_2x2(Array x);
Array average_pool_2x2(Array x);

/// The mean over rows of -log softmax(logits[n, c])[label].
Array cross_entropy(const Array& logits, const Array& labels);

/// i32 in [0, high).
Array labels(int seed, const weft::Dims& shape, int high);

/// p - rate g.
template <class P>
P sgd(const P& params, const P& gradient, float rate = 0.01f) {
  return weft::tree::map([&](const Array& p, const Array& g) { return p - rate * g; }, params, gradient);
}

/// Kingma and Ba (2014), with the corrections for the start at zero.
template <class P>
struct Adam {
  P params, mean, square;
  Array count;  // i32[]
};
template <class P>
Adam<P> make_adam(const P& params) {
  const P zero = weft::tree::map([](const Array& p) { return np::zeros_like(p); }, params);
  return {params, zero, zero, np::zeros({}, weft::i32)};
}
template <class P>
Adam<P> adam(Adam<P> s, const P& gradient) {
  constexpr float kRate = 1e-3f, kMean = 0.9f, kSquare = 0.999f, kEpsilon = 1e-8f;
  s.count = s.count + 1;
  const Array t = s.count.astype(weft::f32);
  const Array mean_part = 1.0f - np::power(kMean, t), square_part = 1.0f - np::power(kSquare, t);
  const auto average = [&](float keep) {
    return [keep](const Array& old, const Array& now) { return keep * old + (1.0f - keep) * now; };
  };
  s.mean = weft::tree::map(average(kMean), s.mean, gradient);
  s.square =
      weft::tree::map([&](const Array& v, const Array& g) { return average(kSquare)(v, g * g); }, s.square, gradient);
  s.params = weft::tree::map(
      [&](const Array& p, const Array& m, const Array& v) {
        return p - kRate * (m / mean_part) / (np::sqrt(v / square_part) + kEpsilon);
      },
      s.params, s.mean, s.square);
  return s;
}

}  // namespace workloads
