// SHA-1 (FIPS 180-4): which number a name stands for in the keys of random streams.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weft::nn {

/// The digest's five words.
std::array<std::uint32_t, 5> sha1(std::string_view bytes);

}  // namespace weft::nn
