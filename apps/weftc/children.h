// Jobs that may hang or crash, done in child processes: a job that takes too long or dies loses its own child only.
// Knows nothing of programs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weftc {

struct Jobs {
  /// How many children there are at once.
  int at_once = 1;
  /// How long a job may be silent.
  int timeout_s = 60;
  /// In a child: does the job and sends what it finds, as often as it likes; each message starts the time anew.
  std::function<void(const std::string& job, const std::function<void(std::string_view)>& send)> work;
  /// Here: what a child has sent about job number `index`.
  std::function<void(std::size_t index, std::string_view message)> receive;
  /// Here: job number `index` has lost its child, for this reason ("did not finish within 60 s"). What is returned is
  /// done next, under the same number.
  std::function<std::optional<std::string>(std::size_t index, const std::string& reason)> lost;
};

/// Does all jobs. To be called while the process has one thread, since children are forked. BackendError when there can
/// be no child.
void run_jobs(std::vector<std::string> jobs, const Jobs& how);

}  // namespace weftc
