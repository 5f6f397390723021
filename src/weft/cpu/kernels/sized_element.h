// Elements known by their size alone, for kernels that move them and never look inside.
#pragma once

#include <cstdint>

namespace weft::cpu {

/// Sixteen bytes.
struct Wide16 {
  std::uint64_t a, b;
};

/// f(T{}) for the type of `bytes` bytes: 1, 2, 4, 8 or 16.
template <class F>
void with_element(std::int64_t bytes, F&& f) {
  switch (bytes) {
    case 1: return f(std::uint8_t{});
    case 2: return f(std::uint16_t{});
    case 4: return f(std::uint32_t{});
    case 8: return f(std::uint64_t{});
    default: return f(Wide16{});
  }
}

}  // namespace weft::cpu
