#include "models.h"

namespace workloads {

Dense make_dense(int seed, std::int64_t in, std::int64_t out) {
  return {normal(seed, {in, out}) * std::sqrt(1.0f / static_cast<float>(in)), np::zeros({out})};
}

Array relu(const Array& x) { return np::maximum(x, 0.0f); }

Array convolution_3x3(Array x, Array kernel) {
  weft::ConvolutionParams p;
  p.dimension_numbers = {.input_batch = 0,
                         .input_feature = 3,
                         .input_spatial = {1, 2},
                         .kernel_output_feature = 3,
                         .kernel_input_feature = 2,
                         .kernel_spatial = {0, 1},
                         .output_batch = 0,
                         .output_feature = 3,
                         .output_spatial = {1, 2}};
  p.padding_low = p.padding_high = {1, 1};
  return lax::convolution(x, kernel, p);
}

namespace {
const weft::Window kPool{.dimensions = {1, 2, 2, 1}, .strides = {1, 2, 2, 1}};
}  // namespace

Array max_pool_2x2(Array x) { return lax::reduce_window(x, weft::ReduceKind::kMax, kPool); }
Array average_pool_2x2(Array x) { return lax::reduce_window(x, weft::ReduceKind::kSum, kPool) * 0.25f; }

Array cross_entropy(const Array& logits, const Array& labels) {
  const Array chosen = np::expand_dims(labels, 1) == np::arange(static_cast<int>(logits.shape(1)));
  return np::mean(np::logsumexp(logits, 1) - np::sum(np::where(chosen, logits, 0.0f), 1));
}

Array labels(int seed, const weft::Dims& shape, int high) {
  return weft::random::randint(weft::random::key(seed), shape, 0, high);
}

}  // namespace workloads
