#include "train/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest window; 16 asks zlib for the gzip format

// zlib wants mutable input pointers and counts of 32 bits.
Bytef* zlib_bytes(const std::byte* p) { return reinterpret_cast<Bytef*>(const_cast<std::byte*>(p)); }
uInt zlib_count(std::size_t n) {
  return static_cast<uInt>(std::min<std::size_t>(n, std::numeric_limits<uInt>::max() / 2));
}

struct Inflater {
  z_stream stream{};
  Inflater() { internal_check(inflateInit2(&stream, kGzipWindow) == Z_OK, "gunzip: zlib must start."); }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

bool has_magic(std::span<const std::byte> data) {
  return data.size() >= 2 && data[0] == std::byte{0x1f} && data[1] == std::byte{0x8b};
}

// The unpacked bytes: all of them, at most `limit`, or with `prefix` the first `limit`.
std::vector<std::byte> unpack(std::span<const std::byte> data, std::size_t limit, bool prefix,
                              const std::string& source) {
  const auto refuse = [&](const std::string& must, const std::string& got) {
    throw ParseError("gunzip: " + source + " must " + must + "; got " + got + ".");
  };
  Inflater inflater;
  z_stream& stream = inflater.stream;
  std::vector<std::byte> out;
  std::size_t read = 0, written = 0;
  for (;;) {
    if (written == out.size()) {
      if (prefix && written >= limit) break;
      if (written > limit) refuse("unpack to at most " + std::to_string(limit) + " bytes", "more");
      // One byte more than allowed tells "exactly the limit" from "too much".
      const std::size_t block = std::max<std::size_t>(std::size_t{1} << 16, out.size());
      out.resize(written + std::min(block, limit - written) + (limit - written <= block ? 1 : 0));
    }
    const uInt in = zlib_count(data.size() - read), room = zlib_count(out.size() - written);
    stream.next_in = zlib_bytes(data.data() + read);
    stream.avail_in = in;
    stream.next_out = zlib_bytes(out.data() + written);
    stream.avail_out = room;
    const int status = inflate(&stream, Z_NO_FLUSH);
    read += in - stream.avail_in;
    written += room - stream.avail_out;
    if (status == Z_STREAM_END) {
      if (read == data.size()) break;
      if (!has_magic(data.subspan(read)))
        refuse("end with its gzip stream",
               count_str(static_cast<std::int64_t>(data.size() - read), "trailing byte", "trailing bytes"));
      inflateReset(&stream);
    } else if (status == Z_BUF_ERROR || (status == Z_OK && read == data.size() && stream.avail_out != 0)) {
      refuse("be a whole gzip stream", "a stream truncated after " + std::to_string(data.size()) + " bytes");
    } else if (status != Z_OK) {
      refuse("be a valid gzip stream", stream.msg != nullptr ? std::string("\"") + stream.msg + "\"" : "damaged data");
    }
  }
  if (prefix) written = std::min(written, limit);
  if (written > limit) refuse("unpack to at most " + std::to_string(limit) + " bytes", "more");
  out.resize(written);
  return out;
}

}  // namespace

bool is_gzip(std::span<const std::byte> data) { return has_magic(data); }

std::vector<std::byte> gunzip(std::span<const std::byte> data, std::size_t limit, const std::string& source,
                              SourceLocation loc) {
  const LocationScope scope(loc, "gunzip");
  return unpack(data, limit, false, source);
}

std::vector<std::byte> gunzip_prefix(std::span<const std::byte> data, std::size_t count, const std::string& source,
                                     SourceLocation loc) {
  const LocationScope scope(loc, "gunzip_prefix");
  return unpack(data, count, true, source);
}

std::vector<std::byte> gzip(std::span<const std::byte> data) {
  z_stream stream{};
  internal_check(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK,
                 "gzip: zlib must start.");
  std::vector<std::byte> out(std::size_t{1} << 16);
  std::size_t read = 0, written = 0;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    if (written == out.size()) out.resize(2 * out.size());
    const uInt in = zlib_count(data.size() - read), room = zlib_count(out.size() - written);
    stream.next_in = zlib_bytes(data.data() + read);
    stream.avail_in = in;
    stream.next_out = zlib_bytes(out.data() + written);
    stream.avail_out = room;
    status = deflate(&stream, read + in == data.size() ? Z_FINISH : Z_NO_FLUSH);
    read += in - stream.avail_in;
    written += room - stream.avail_out;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      deflateEnd(&stream);
      throw InternalError("gzip: zlib must accept any input; got status " + std::to_string(status) + ".");
    }
  }
  deflateEnd(&stream);
  out.resize(written);
  return out;
}

}  // namespace weft::train
