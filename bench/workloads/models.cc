#include "models.h"

#include "harness/convolutions.h"

namespace workloads {

Dense make_dense(int seed, std::int64_t in, std::int64_t out) {
  return {normal(seed, {in, out}) * std::sqrt(1.0f / static_cast<float>(in)), np::zeros({out})};
}

Array relu(const Array& x) { return np::maximum(x, 0.0f); }

Array convolution_3x3(Array x, Array kernel) { return lax::convolution(x, kernel, weft::testing::same_3x3()); }

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
