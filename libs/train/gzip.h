// The gzip format (RFC 1952) in memory, by zlib. Knows nothing about files.
// Invariant: gunzip never holds more than `limit` bytes plus one block, whatever the input claims.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "weft/base/location.h"

namespace weft::train {

/// Whether the bytes start as a gzip stream does.
bool is_gzip(std::span<const std::byte> data);

/// The unpacked bytes of all members of a gzip stream. ParseError naming `source` when the stream is damaged,
/// truncated or followed by something else, or when it unpacks to more than `limit` bytes.
std::vector<std::byte> gunzip(std::span<const std::byte> data, std::size_t limit, const std::string& source,
                              SourceLocation loc = std::source_location::current());

/// The first `count` unpacked bytes, fewer when the stream holds fewer; ParseError when that part is damaged.
std::vector<std::byte> gunzip_prefix(std::span<const std::byte> data, std::size_t count, const std::string& source,
                                     SourceLocation loc = std::source_location::current());

/// The bytes as a gzip stream of one member; InternalError when zlib refuses.
std::vector<std::byte> gzip(std::span<const std::byte> data);

}  // namespace weft::train
