#include "train/download.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "train/file.h"
#include "weft/base/error.h"

extern char** environ;

namespace weft::train {

namespace {

std::string seconds(double s) { return std::to_string(std::max(1, static_cast<int>(std::ceil(s)))); }

std::vector<std::string> command_line(const std::string& program, const std::string& url, const std::string& path,
                                      const DownloadOptions& options) {
  const std::string name = std::filesystem::path(program).filename().string();
  if (name == "curl")
    return {program,
            "--fail",
            "--silent",
            "--show-error",
            "--location",
            "--connect-timeout",
            seconds(options.connect_seconds),
            "--max-time",
            seconds(options.total_seconds),
            "--output",
            path,
            "--",
            url};
  if (name == "wget")
    return {program, "--no-verbose", "--tries=1", "--timeout=" + seconds(options.connect_seconds),
            "-O",    path,           "--",        url};
  throw ValueError("download: programs must be curl or wget; got " + program + ".");
}

// A running program whose messages are read through a pipe. Never left behind: the destructor ends it.
class Child {
 public:
  /// Nothing when the program is not installed.
  static std::optional<Child> start(const std::vector<std::string>& arguments) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) refuse(errno);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error == 0) return Child(pid, ends[0]);
    close(ends[0]);
    if (error == ENOENT || error == EACCES) return std::nullopt;
    refuse(error);
  }
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)), pipe_(std::exchange(other.pipe_, -1)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pipe_ >= 0) close(pipe_);
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    wait();
  }

  struct Result {
    int status = 0;  // as waitpid gives it
    bool timed_out = false;
    std::string messages;
  };
  /// Waits for the program to close its messages and end, killing it after `limit` seconds.
  Result finish(double limit) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::duration<double>(limit);
    Result out;
    for (;;) {
      const double left = std::chrono::duration<double>(deadline - Clock::now()).count();
      pollfd wanted{pipe_, POLLIN, 0};
      const int ready = left > 0 ? poll(&wanted, 1, static_cast<int>(std::min(left, 3600.0) * 1000) + 1) : 0;
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) {
        if (ready == 0 && left > 0) continue;
        out.timed_out = true;
        kill(pid_, SIGKILL);
        break;
      }
      char buffer[512];
      const ssize_t got = read(pipe_, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      // Enough for any message; the rest is read and dropped so that the program never waits.
      if (out.messages.size() < 4096) out.messages.append(buffer, static_cast<std::size_t>(got));
    }
    out.status = wait();
    return out;
  }

 private:
  Child(pid_t pid, int pipe) : pid_(pid), pipe_(pipe) {}
  [[noreturn]] static void refuse(int error) {
    throw BackendError("download: the system must start a program; got \"" + std::generic_category().message(error) +
                       "\".");
  }
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

  pid_t pid_;
  int pipe_;
};

std::string one_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

void download(const std::string& url, const std::string& path, const DownloadOptions& options, SourceLocation loc) {
  const LocationScope scope(loc, "download");
  const std::string temporary = temporary_name(path);
  for (const std::string& program : options.programs) {
    std::optional<Child> child = Child::start(command_line(program, url, temporary, options));
    if (!child) continue;
    // A little longer than the program's own limit, so that its message wins.
    const Child::Result result = child->finish(options.total_seconds + 2);
    std::string fault;
    if (result.timed_out)
      fault = "no end after " + seconds(options.total_seconds) + " s";
    else if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) != 0)
      fault = result.messages.empty() ? "status " + std::to_string(result.status) : one_line(result.messages);
    else if (std::rename(temporary.c_str(), path.c_str()) != 0)
      fault = std::generic_category().message(errno);
    if (fault.empty()) return;
    std::remove(temporary.c_str());
    throw BackendError("download: " + program + " must fetch " + url + "; got \"" + fault + "\".");
  }
  throw BackendError("download: curl or wget must be installed to fetch " + url + "; got neither.");
}

}  // namespace weft::train
