// Bytes written in hexadecimal digits: golden files in tests.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weft::train {

inline std::vector<std::byte> bytes_of_hex(std::string_view digits) {
  std::vector<std::byte> out;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < digits.size(); i += 2)
    out.push_back(static_cast<std::byte>(digit(digits[i]) << 4 | digit(digits[i + 1])));
  return out;
}

inline std::string hex_of_bytes(const std::vector<std::byte>& bytes) {
  std::string out;
  for (const std::byte b : bytes)
    for (const int shift : {4, 0}) out += "0123456789abcdef"[std::to_integer<int>(b) >> shift & 15];
  return out;
}

}  // namespace weft::train
