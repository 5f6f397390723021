#include "train/array_bytes.h"

#include <bit>
#include <vector>

namespace weft::train {

static_assert(std::endian::native == std::endian::little, "files have the order of the host");

bool fills(DType dtype, std::span<const std::int64_t> shape, std::size_t bytes) {
  if (shape.size() > kMaxRank) return false;
  // Sizes 0 count as 1, as in Aval, so that no product overflows whatever stands beside a 0.
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  std::int64_t most = byte_size(dtype), exact = most;
  for (const std::int64_t n : shape) {
    if (n < 0 || (n > 0 && most > kMost / n)) return false;
    most *= n == 0 ? 1 : n;
    exact = n == 0 ? 0 : exact * n;
  }
  return static_cast<std::uint64_t>(exact) == bytes;
}

Array array_from_bytes(DType dtype, std::span<const std::int64_t> shape, std::span<const std::byte> bytes) {
  const auto copy = [&](std::span<const std::byte> elements) {
    return Array::copy(dtype, Dims(shape.begin(), shape.end()), elements.data(),
                       elements.size() / static_cast<std::size_t>(byte_size(dtype)));
  };
  if (dtype != boolean) return copy(bytes);
  std::vector<std::byte> clean(bytes.begin(), bytes.end());
  for (std::byte& b : clean) b = std::byte{b != std::byte{0}};
  return copy(clean);
}

}  // namespace weft::train
