#include "train/shuffle.h"

#include <numeric>
#include <utility>

#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15;

}  // namespace

std::vector<std::int64_t> shuffled(std::int64_t n, std::int64_t seed, std::int64_t epoch, SourceLocation loc) {
  const LocationScope scope(loc, "shuffled");
  if (n < 0) throw ValueError("shuffled: n must not be negative; got " + number_str(n) + ".");
  std::vector<std::int64_t> out(static_cast<std::size_t>(n));
  std::iota(out.begin(), out.end(), 0);
  std::uint64_t state = mixed(mixed(static_cast<std::uint64_t>(seed) + kGamma) + static_cast<std::uint64_t>(epoch));
  for (std::uint64_t left = out.size(); left > 1; --left) {
    state += kGamma;
    // The high half of the product: uniform in [0, left) but for 1 in 2^64 / left.
    __extension__ using Wide = unsigned __int128;
    const auto pick = static_cast<std::uint64_t>(Wide{mixed(state)} * left >> 64);
    std::swap(out[left - 1], out[pick]);
  }
  return out;
}

}  // namespace weft::train
