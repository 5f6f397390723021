// Functions of whole rows: each row is read, reduced and read again.
#include "weft_case.h"

namespace workloads {

namespace {

Array softmax(Array x) {
  const Array e = np::exp(x - np::max(x, 1, true));
  return e / np::sum(e, 1, true);
}

Array layer_norm(Array x, Array scale, Array shift) {
  const Array centred = x - np::mean(x, 1, true);
  return centred * lax::rsqrt(np::mean(centred * centred, 1, true) + 1e-5f) * scale + shift;
}

}  // namespace

void add_rows(Cases& cases) {
  constexpr double kSoftmax = 4.0 * 4096 * 1024, kNorm = 4.0 * 8192 * 768;
  cases.push_back(weft_case("softmax", "4096x1024", {.bytes = 2 * kSoftmax},
                            [] { return compiled(softmax, normal(0, {4096, 1024})); }));
  cases.push_back(weft_case("logsumexp", "4096x1024", {.bytes = kSoftmax}, [] {
    return compiled([](Array x) { return np::logsumexp(x, 1); }, normal(0, {4096, 1024}));
  }));
  cases.push_back(weft_case("layernorm", "8192x768", {.bytes = 2 * kNorm}, [] {
    return compiled(layer_norm, normal(0, {8192, 768}), normal(1, {768}), normal(2, {768}));
  }));
}

}  // namespace workloads
