#include "samples/sample.h"

namespace weft::testing {

namespace {

Array make_operand(const SampleOperand& o, std::uint64_t salt) {
  const std::int64_t n = product(o.shape);
  std::vector<std::byte> bytes(static_cast<std::size_t>(n * byte_size(o.dtype)));
  // Multiples of an odd number modulo a prime visit distinct points of the interval.
  constexpr std::uint64_t kPoints = 101;
  std::uint64_t at = 17 * (salt + 1);
  const auto next = [&] {
    at = (at + 37) % kPoints;
    return o.low + (o.high - o.low) * (static_cast<double>(at) + 0.5) / static_cast<double>(kPoints);
  };
  for (std::int64_t i = 0; i < n; ++i) {
    std::byte* element = bytes.data() + i * byte_size(o.dtype);
    if (!o.values.empty()) Scalar(o.values[static_cast<std::size_t>(i) % o.values.size()]).write(o.dtype, element);
    else if (is_complex(o.dtype)) {
      const double re = next();
      Scalar(std::complex<double>(re, next())).write(o.dtype, element);
    } else if (o.dtype == boolean) {
      Scalar(static_cast<int>(next() > (o.low + o.high) / 2)).write(o.dtype, element);
    } else {
      Scalar(next()).write(o.dtype, element);
    }
  }
  return Array::copy(o.dtype, o.shape, bytes.data(), static_cast<std::size_t>(n));
}

}  // namespace

Arrays make_operands(const Sample& sample) {
  Arrays operands;
  for (std::size_t i = 0; i < sample.operands.size(); ++i) operands.push_back(make_operand(sample.operands[i], i));
  return operands;
}

}  // namespace weft::testing
