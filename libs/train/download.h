// Fetching one file with the system's own download program (curl, else wget), started without a shell.
// Knows nothing about what is fetched. Invariant: the target appears only when the whole transfer succeeded.
#pragma once

#include <string>
#include <vector>

#include "weft/base/location.h"

namespace weft::train {

struct DownloadOptions {
  double connect_seconds = 5;  ///< to reach the server
  double total_seconds = 120;  ///< for everything; the program is then killed
  /// Tried in order until one is installed; curl's and wget's options are known, others are ValueErrors.
  std::vector<std::string> programs = {"curl", "wget"};
};

/// Fetches `url` into the file `path`. BackendError naming the url and the program's own message when that fails,
/// or when no program is installed.
void download(const std::string& url, const std::string& path, const DownloadOptions& options = {},
              SourceLocation loc = std::source_location::current());

}  // namespace weft::train
