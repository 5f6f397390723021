// The checksum CRC-32C (Castagnoli's polynomial; RFC 3720, appendix B.4): finds every flipped bit and every damaged
// stretch of up to 32 bits. Not for security.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weft::train {

/// The checksum of the bytes; with `so_far` that of other bytes followed by these.
std::uint32_t crc32c(std::span<const std::byte> data, std::uint32_t so_far = 0);

/// crc32c(data), rotated and shifted as TFRecord files have it, where checksums of checksums occur.
std::uint32_t masked_crc32c(std::span<const std::byte> data);

}  // namespace weft::train
