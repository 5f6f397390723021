// Writing a whole file in place of what stands under its name. Knows nothing of formats or of error texts.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <system_error>

namespace weft {

/// Why a file was not written: "create", "write" or "replace" did not work.
struct WriteFailure {
  const char* step;
  std::error_code error;
};

/// Writes `parts`, one after the other, as the whole of `path`; nullopt when that worked.
///
/// Symbolic links stay, and what they name is written. A regular file, or one that is not there yet, appears under its
/// name only when complete: it is written under a name of its own in the same folder, which is renamed at the end and
/// removed on any error. The new file has the permissions of the old one, and its owner where the system allows; other
/// hard links keep the old one. A file that may not be written is refused, as if it were written in place. Anything
/// else (a pipe, a device) is never replaced: the bytes are written to it.
std::optional<WriteFailure> write_whole_file(const std::filesystem::path& path,
                                             std::span<const std::span<const std::byte>> parts);

}  // namespace weft
