#include "samples/sample.h"

namespace weft::testing {

namespace {

Array make_operand(const SampleOperand& o, std::uint64_t salt, int example) {
  const std::int64_t n = product(o.shape);
  std::vector<std::byte> bytes(static_cast<std::size_t>(n * byte_size(o.dtype)));
  // Multiples of an odd number modulo a prime visit distinct points of the interval.
  constexpr std::uint64_t kPoints = 101;
  std::uint64_t at = 17 * (salt + 1) + 29 * static_cast<std::uint64_t>(example);
  auto value = static_cast<std::size_t>(example * n * (is_complex(o.dtype) ? 2 : 1));
  const auto next = [&] {
    if (!o.values.empty()) return o.values[value++ % o.values.size()];
    at = (at + 37) % kPoints;
    return o.low + (o.high - o.low) * (static_cast<double>(at) + 0.5) / static_cast<double>(kPoints);
  };
  for (std::int64_t i = 0; i < n; ++i) {
    std::byte* element = bytes.data() + i * byte_size(o.dtype);
    if (is_complex(o.dtype)) {
      const double re = next();
      Scalar(std::complex<double>(re, next())).write(o.dtype, element);
    } else if (o.dtype == boolean && o.values.empty()) {
      Scalar(static_cast<int>(next() > (o.low + o.high) / 2)).write(o.dtype, element);
    } else {
      Scalar(next()).write(o.dtype, element);
    }
  }
  return Array::copy(o.dtype, o.shape, bytes.data(), static_cast<std::size_t>(n));
}

}  // namespace

Arrays make_operands(const Sample& sample, int example) {
  Arrays operands;
  for (std::size_t i = 0; i < sample.operands.size(); ++i)
    operands.push_back(make_operand(sample.operands[i], i, example));
  return operands;
}

const std::vector<Sample>& all_samples() {
  static const std::vector<Sample> all = [] {
    std::vector<Sample> samples;
    for (const auto family : {elementwise_samples, contraction_samples, shape_samples, indexing_samples, storage_samples,
                              window_samples, linalg_samples, other_samples, program_samples})
      for (Sample& s : family()) samples.push_back(std::move(s));
    return samples;
  }();
  return all;
}

}  // namespace weft::testing
