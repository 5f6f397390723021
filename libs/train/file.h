// Whole files as bytes. Knows nothing about formats.
// Invariant: a regular file under its final name is complete; writing goes to a temporary name in the
// same folder, which is renamed at the end and removed on any error.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "weft/base/location.h"

namespace weft::train {

/// The bytes of the file; BackendError naming the file when it is missing, a folder or unreadable.
std::vector<std::byte> read_file(const std::string& path, SourceLocation loc = std::source_location::current());

/// Writes `data` to `path`, replacing a regular file in one step: links are followed, its permissions stay, and a pipe
/// or device is written to (see write_whole_file); BackendError when the system refuses.
void write_file(const std::string& path, std::span<const std::byte> data,
                SourceLocation loc = std::source_location::current());

/// A random name beside `path`, for a file that becomes that one when it is complete.
std::string temporary_name(const std::string& path);

/// Whether something exists under that name, links followed; whether that is a folder. BackendError when the system
/// does not tell, as when the folder may not be looked into or the disk fails.
bool file_exists(const std::string& path, SourceLocation loc = std::source_location::current());
bool folder_exists(const std::string& path, SourceLocation loc = std::source_location::current());

/// Makes the folder and those above it; BackendError when the system refuses.
void make_folders(const std::string& path, SourceLocation loc = std::source_location::current());

}  // namespace weft::train
