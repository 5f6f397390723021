// Reads TensorBoard's event files for tests, from the formats' descriptions alone: nothing here is shared with the
// library that wrote them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weft::train {

/// A message of protocol buffers without its description: fields by number, in order. Numbers of 32 and 64 bits and
/// varints are in `number`, all else is bytes.
struct ProtoFields {
  struct Field {
    int wire_type;
    std::uint64_t number = 0;
    std::string bytes = {};
  };
  std::map<int, std::vector<Field>> fields;

  static ProtoFields parse(const std::string& text) {
    ProtoFields out;
    std::size_t at = 0;
    const auto varint = [&] {
      std::uint64_t v = 0;
      for (int shift = 0;; shift += 7) {
        if (at >= text.size() || shift > 63) throw std::runtime_error("a varint is cut off");
        const auto byte = static_cast<unsigned char>(text[at++]);
        v |= std::uint64_t{byte & 127u} << shift;
        if (byte < 128) return v;
      }
    };
    const auto fixed = [&](std::size_t n) {
      if (text.size() - at < n) throw std::runtime_error("a number is cut off");
      std::uint64_t v = 0;
      std::memcpy(&v, text.data() + at, n);
      at += n;
      return v;
    };
    while (at < text.size()) {
      const std::uint64_t tag = varint();
      Field field{static_cast<int>(tag & 7)};
      switch (field.wire_type) {
        case 0: field.number = varint(); break;
        case 1: field.number = fixed(8); break;
        case 5: field.number = fixed(4); break;
        case 2: {
          const std::uint64_t n = varint();
          if (text.size() - at < n) throw std::runtime_error("bytes are cut off");
          field.bytes = text.substr(at, n);
          at += n;
          break;
        }
        default: throw std::runtime_error("an unknown wire type");
      }
      out.fields[static_cast<int>(tag >> 3)].push_back(field);
    }
    return out;
  }

  const Field* find(int number) const {
    const auto it = fields.find(number);
    return it == fields.end() ? nullptr : &it->second.back();
  }
  std::string bytes(int number) const { return find(number) ? find(number)->bytes : ""; }
  std::uint64_t integer(int number) const { return find(number) ? find(number)->number : 0; }
  double real(int number) const {
    double v = 0;
    const std::uint64_t bits = integer(number);
    std::memcpy(&v, &bits, 8);
    return v;
  }
  ProtoFields message(int number) const { return parse(bytes(number)); }
  std::vector<ProtoFields> messages(int number) const {
    std::vector<ProtoFields> out;
    if (fields.contains(number))
      for (const Field& f : fields.at(number)) out.push_back(parse(f.bytes));
    return out;
  }
  std::vector<std::string> all_bytes(int number) const {
    std::vector<std::string> out;
    if (fields.contains(number))
      for (const Field& f : fields.at(number)) out.push_back(f.bytes);
    return out;
  }
};

/// CRC-32C bit by bit, masked.
inline std::uint32_t slow_masked_crc(const std::string& text) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
}

/// The records of a TFRecord file; throws for a length or checksum that does not fit.
inline std::vector<std::string> read_tf_records(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    std::uint64_t size;
    std::uint32_t crc;
    if (text.size() - at < 12) throw std::runtime_error("a record's head is cut off");
    std::memcpy(&size, text.data() + at, 8);
    std::memcpy(&crc, text.data() + at + 8, 4);
    if (crc != slow_masked_crc(text.substr(at, 8))) throw std::runtime_error("a length has another checksum");
    at += 12;
    if (text.size() - at < size + 4) throw std::runtime_error("a record is cut off");
    out.push_back(text.substr(at, size));
    std::memcpy(&crc, text.data() + at + size, 4);
    if (crc != slow_masked_crc(out.back())) throw std::runtime_error("a record has another checksum");
    at += size + 4;
  }
  return out;
}

}  // namespace weft::train
