#include "train/idx.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "train/file.h"
#include "train/gzip.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

struct Code {
  unsigned code;
  DType dtype;
};
constexpr Code kCodes[] = {{0x08, u8}, {0x09, i8}, {0x0b, i16}, {0x0c, i32}, {0x0d, f32}, {0x0e, f64}};

constexpr std::size_t kLongestHeader = 4 + 4 * 255;

unsigned byte_at(std::span<const std::byte> bytes, std::size_t i) { return std::to_integer<unsigned>(bytes[i]); }

std::string hex(unsigned v) { return {'0', 'x', "0123456789abcdef"[v >> 4 & 15], "0123456789abcdef"[v & 15]}; }

std::string type_str(const IdxFile& file) { return std::string(name(file.dtype)) + "[" + join(file.shape, ",") + "]"; }

// Reverses every element's bytes; its own inverse.
void swap_elements(std::span<std::byte> data, std::int64_t element) {
  if (element == 1 || std::endian::native == std::endian::big) return;
  for (std::size_t at = 0; at < data.size(); at += static_cast<std::size_t>(element))
    std::reverse(data.begin() + static_cast<std::ptrdiff_t>(at),
                 data.begin() + static_cast<std::ptrdiff_t>(at) + static_cast<std::ptrdiff_t>(element));
}

}  // namespace

namespace {

[[noreturn]] void refuse(const std::string& source, const std::string& must, const std::string& got) {
  throw ParseError("read_idx: " + source + " must " + must + "; got " + got + ".");
}

struct Header {
  IdxFile file;  // without data
  std::size_t size = 0;
  std::uint64_t data_size = 0;
  bool too_large = false;  // for data_size, and so for any file
};

// Reads the header from the file's first bytes, at least kLongestHeader of them unless the file is shorter.
Header parse_header(std::span<const std::byte> bytes, const std::string& source) {
  if (bytes.size() < 4)
    refuse(source, "have an IDX header of at least 4 bytes", std::to_string(bytes.size()) + " bytes");
  if (byte_at(bytes, 0) != 0 || byte_at(bytes, 1) != 0)
    refuse(source, "be an IDX file, which starts with two zero bytes",
           hex(byte_at(bytes, 0)) + " " + hex(byte_at(bytes, 1)));
  Header out;
  const unsigned code = byte_at(bytes, 2);
  const auto* known = std::find_if(std::begin(kCodes), std::end(kCodes), [&](const Code& c) { return c.code == code; });
  if (known == std::end(kCodes))
    refuse(source, "have element type 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c (i32), 0x0d (f32) or 0x0e (f64)",
           hex(code));
  out.file.dtype = known->dtype;
  const std::size_t rank = byte_at(bytes, 3);
  out.size = 4 + 4 * rank;
  if (bytes.size() < out.size)
    refuse(source, "have a header of " + std::to_string(out.size) + " bytes for its " + std::to_string(rank) + " sizes",
           std::to_string(bytes.size()) + " bytes");
  // Beyond this, the bytes of the widest elements overflow.
  constexpr std::uint64_t kTooMany = std::uint64_t{1} << 59;
  std::uint64_t count = 1;
  bool empty = false;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::uint64_t size = 0;
    for (std::size_t b = 0; b < 4; ++b) size = size << 8 | byte_at(bytes, 4 + 4 * axis + b);
    out.file.shape.push_back(static_cast<std::int64_t>(size));
    empty = empty || size == 0;
    count = size != 0 && count > kTooMany / size ? kTooMany : count * std::max<std::uint64_t>(size, 1);
  }
  out.too_large = !empty && count == kTooMany;
  out.data_size = empty ? 0 : count * static_cast<std::uint64_t>(byte_size(out.file.dtype));
  return out;
}

}  // namespace

IdxFile parse_idx(std::span<const std::byte> bytes, const std::string& source, SourceLocation loc) {
  const LocationScope scope(loc, "parse_idx");
  const bool packed = is_gzip(bytes);
  Header header = parse_header(packed ? gunzip_prefix(bytes, kLongestHeader, source) : bytes, source);
  IdxFile file = std::move(header.file);
  std::vector<std::byte> unpacked;
  if (packed) {
    // The header bounds what is unpacked, so a small file cannot fill the memory.
    unpacked = gunzip(bytes, header.size + header.data_size, source);
    bytes = unpacked;
  }
  const std::uint64_t expected = header.data_size, got = bytes.size() - header.size;
  if (header.too_large)
    refuse(source, "hold the data of " + type_str(file) + ", which is more than any file can",
           count_str(static_cast<std::int64_t>(got), "byte", "bytes") + ", so it is truncated");
  if (got < expected)
    refuse(source, "hold " + std::to_string(expected) + " bytes of data for " + type_str(file),
           std::to_string(got) + ", so it is truncated");
  if (got > expected)
    refuse(source, "end after the " + std::to_string(expected) + " bytes of " + type_str(file),
           count_str(static_cast<std::int64_t>(got - expected), "trailing byte", "trailing bytes"));
  if (packed) {
    unpacked.erase(unpacked.begin(), unpacked.begin() + static_cast<std::ptrdiff_t>(header.size));
    file.data = std::move(unpacked);
  } else {
    file.data.assign(bytes.begin() + static_cast<std::ptrdiff_t>(header.size), bytes.end());
  }
  swap_elements(file.data, byte_size(file.dtype));
  return file;
}

IdxFile read_idx(const std::string& path, SourceLocation loc) {
  const LocationScope scope(loc, "read_idx");
  return parse_idx(read_file(path), path);
}

void write_idx(const std::string& path, const IdxFile& file, SourceLocation loc) {
  const LocationScope scope(loc, "write_idx");
  const auto* code =
      std::find_if(std::begin(kCodes), std::end(kCodes), [&](const Code& c) { return c.dtype == file.dtype; });
  if (code == std::end(kCodes))
    throw DTypeError("write_idx: dtype must be u8, i8, i16, i32, f32 or f64; got " + std::string(name(file.dtype)) +
                     ".");
  std::uint64_t expected = static_cast<std::uint64_t>(byte_size(file.dtype));
  bool fits = file.shape.size() < 256;
  for (const std::int64_t size : file.shape) {
    fits = fits && size >= 0 && size <= std::numeric_limits<std::uint32_t>::max();
    // Stops growing once it exceeds any possible data, so that it cannot wrap around.
    if (fits && (expected <= file.data.size() || size == 0)) expected *= static_cast<std::uint64_t>(size);
  }
  if (!fits || expected != file.data.size())
    throw ShapeError("write_idx: the data must fill the shape, whose sizes need 32 bits at most; got " +
                     type_str(file) + " and " + count_str(std::ssize(file.data), "byte", "bytes") + ".");
  std::vector<std::byte> bytes = {std::byte{0}, std::byte{0}, static_cast<std::byte>(code->code),
                                  static_cast<std::byte>(file.shape.size())};
  for (const std::int64_t size : file.shape)
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::byte>(size >> shift));
  const std::size_t header = bytes.size();
  bytes.insert(bytes.end(), file.data.begin(), file.data.end());
  swap_elements(std::span(bytes).subspan(header), byte_size(file.dtype));
  write_file(path, bytes);
}

}  // namespace weft::train
