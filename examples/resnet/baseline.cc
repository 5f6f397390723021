#include "baseline.h"

#include "nn/activation.h"

namespace resnet {

using weft::Array;
namespace lax = weft::lax;
namespace np = weft::np;

namespace {

// Pixels from -1 to 1, and a 1 for the bias.
Array features(const Array& pixels) {
  const Array x = np::reshape(pixels.astype(weft::f32) / 127.5 - 1, {pixels.shape(0), -1});
  return np::concatenate({x, np::ones({pixels.shape(0), 1})}, 1);
}

Array fit(const Images& images, const Array& targets, double ridge) {
  const Array x = features(images.pixels);
  const Array gram = np::matmul(x.T(), x) + ridge * static_cast<double>(x.shape(0)) * np::eye(x.shape(1));
  const Array factor = lax::cholesky(gram);
  const Array half = lax::triangular_solve(factor, np::matmul(x.T(), targets), {});
  return lax::triangular_solve(factor, half, {.transpose_a = weft::TransposeA::kTranspose});
}

}  // namespace

double linear_accuracy(const DataSet& data, double ridge) {
  const auto classes = static_cast<std::int64_t>(data.classes.size());
  const Array weights = weft::jit(
      [&](const Images& images) { return fit(images, weft::nn::one_hot(images.labels, classes), ridge); })(data.train);
  const Array guesses = np::argmax(np::matmul(features(data.test.pixels), weights), -1);
  return np::mean(guesses == data.test.labels).item<double>();
}

}  // namespace resnet
