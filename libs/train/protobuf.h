// Writing protocol buffers (protobuf.dev, "Encoding"): fields one after the other, each with its number and wire type.
// Knows no messages.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft::train {

/// The bytes of a message that is built field by field.
class ProtoMessage {
 public:
  const std::string& bytes() const { return bytes_; }

  /// int32, int64, uint64, bool and enum fields.
  ProtoMessage& integer(int field, std::int64_t value) {
    tag(field, 0);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  ProtoMessage& number(int field, double value) {
    tag(field, 1);
    fixed(std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }
  ProtoMessage& number(int field, float value) {
    tag(field, 5);
    fixed(std::bit_cast<std::uint32_t>(value), 4);
    return *this;
  }
  /// string and bytes fields.
  ProtoMessage& text(int field, std::string_view value) {
    tag(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  ProtoMessage& message(int field, const ProtoMessage& value) { return text(field, value.bytes()); }

 private:
  void tag(int field, unsigned wire_type) { varint(static_cast<std::uint64_t>(field) << 3 | wire_type); }
  void varint(std::uint64_t v) {
    for (; v >= 128; v >>= 7) bytes_ += static_cast<char>(v | 128);
    bytes_ += static_cast<char>(v);
  }
  void fixed(std::uint64_t v, int bytes) {
    for (int i = 0; i < bytes; ++i) bytes_ += static_cast<char>(v >> (8 * i));
  }

  std::string bytes_;
};

}  // namespace weft::train
