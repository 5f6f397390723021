// The MD5 digest (RFC 1321): finds damaged or foreign downloads. Not for security.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace weft::train {

/// The digest of the bytes as 32 lower-case hexadecimal digits.
std::string md5(std::span<const std::byte> data);

}  // namespace weft::train
