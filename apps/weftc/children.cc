// Each child has one socket, on which jobs come and messages go, both as frames: a length, then bytes. An empty frame
// of a child is the end of its job. The time limit is the child's own alarm, which needs no help from anybody: a child
// that nobody watches any more ends, too.
#include "weftc/children.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <system_error>

#include "weft/base/error.h"

namespace weftc {

namespace {

[[noreturn]] void system_refused(const char* what) {
  throw weft::BackendError(std::string("weftc: must be able to ") + what + "; got " +
                           std::generic_category().message(errno) + ".");
}

bool write_all(int fd, const void* data, std::size_t n) {
  const char* bytes = static_cast<const char*>(data);
  while (n > 0) {
    const ssize_t written = ::send(fd, bytes, n, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    n -= static_cast<std::size_t>(written);
  }
  return true;
}

bool write_frame(int fd, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  return write_all(fd, &size, sizeof size) && write_all(fd, text.data(), text.size());
}

bool read_all(int fd, void* data, std::size_t n) {
  char* bytes = static_cast<char*>(data);
  while (n > 0) {
    const ssize_t got = ::read(fd, bytes, n);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    n -= static_cast<std::size_t>(got);
  }
  return true;
}

std::optional<std::string> read_frame(int fd) {
  std::uint32_t size = 0;
  if (!read_all(fd, &size, sizeof size)) return std::nullopt;
  std::string text(size, '\0');
  if (!read_all(fd, text.data(), size)) return std::nullopt;
  return text;
}

// The whole life of a child.
[[noreturn]] void live(int fd, const Jobs& how) {
  ::signal(SIGALRM, SIG_DFL);
  const auto restart_clock = [&] { ::alarm(static_cast<unsigned>(how.timeout_s)); };
  const auto send = [&](std::string_view message) {
    if (!message.empty() && !write_frame(fd, message)) ::_exit(1);  // nobody listens
    restart_clock();
  };
  while (const std::optional<std::string> job = read_frame(fd)) {
    restart_clock();
    how.work(*job, send);
    ::alarm(0);
    if (!write_frame(fd, {})) break;
  }
  ::_exit(0);
}

class Child {
 public:
  /// `others`: their sockets are closed in this child, so that each sees the end of its own.
  Child(const Jobs& how, const std::vector<std::unique_ptr<Child>>& others) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) system_refused("make a socket");
    std::fflush(nullptr);  // or the child would have the same text to write
    pid_ = ::fork();
    if (pid_ < 0) {
      ::close(ends[0]);
      ::close(ends[1]);
      system_refused("start a process");
    }
    if (pid_ == 0) {
      ::close(ends[0]);
      for (const auto& other : others)
        if (other) ::close(other->fd_);
      live(ends[1], how);
    }
    ::close(ends[1]);
    fd_ = ends[0];
  }
  ~Child() {
    ::close(fd_);
    if (pid_ <= 0) return;
    // An idle child ends by itself; one that is lost in its work does not.
    if (busy) ::kill(pid_, SIGKILL);
    reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// False when the child is gone.
  bool start(std::size_t index, const std::string& job) {
    busy = true;
    job_ = index;
    return write_frame(fd_, job);
  }
  int fd() const { return fd_; }
  std::size_t job() const { return job_; }

  /// Takes what there is; false at the end. `use` is called with every whole frame.
  template <class F>
  bool take(F&& use) {
    char bytes[65536];
    const ssize_t got = ::read(fd_, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) return true;
    if (got <= 0) return false;
    pending_.append(bytes, static_cast<std::size_t>(got));
    std::size_t at = 0;
    for (std::uint32_t size = 0; pending_.size() - at >= sizeof size;) {
      std::memcpy(&size, pending_.data() + at, sizeof size);
      if (pending_.size() - at - sizeof size < size) break;
      use(std::string_view(pending_).substr(at + sizeof size, size));
      at += sizeof size + size;
    }
    pending_.erase(0, at);
    return true;
  }

  /// Waits for its end and says how it came, for a timeout of so many seconds.
  std::string reap(int timeout_s = 0) {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
      return "did not finish within " + std::to_string(timeout_s) + " s";
    if (WIFSIGNALED(status)) return std::string("ended weftc: ") + ::strsignal(WTERMSIG(status));
    return "ended weftc with status " + std::to_string(WEXITSTATUS(status));
  }

  bool busy = false;

 private:
  pid_t pid_ = 0;
  int fd_ = -1;
  std::size_t job_ = 0;
  std::string pending_;
};

}  // namespace

void run_jobs(std::vector<std::string> jobs, const Jobs& how) {
  std::deque<std::pair<std::size_t, std::string>> queue;
  for (std::size_t i = 0; i < jobs.size(); ++i) queue.emplace_back(i, std::move(jobs[i]));
  std::vector<std::unique_ptr<Child>> children(static_cast<std::size_t>(how.at_once));
  const auto bury = [&](std::unique_ptr<Child>& child) {
    const std::size_t index = child->job();
    const std::string reason = child->reap(how.timeout_s);
    child.reset();
    if (std::optional<std::string> next = how.lost(index, reason)) queue.emplace_front(index, std::move(*next));
  };
  for (;;) {
    bool waiting = false;
    for (auto& child : children) {
      if (!(child && child->busy) && !queue.empty()) {
        if (!child) child = std::make_unique<Child>(how, children);
        const auto [index, job] = std::move(queue.front());
        queue.pop_front();
        if (!child->start(index, job)) bury(child);
      }
      waiting |= child && child->busy;
    }
    if (!waiting && queue.empty()) return;

    std::vector<pollfd> sockets;
    std::vector<std::unique_ptr<Child>*> owners;
    for (auto& child : children)
      if (child && child->busy) {
        sockets.push_back({child->fd(), POLLIN, 0});
        owners.push_back(&child);
      }
    if (sockets.empty()) continue;
    if (::poll(sockets.data(), sockets.size(), -1) < 0 && errno != EINTR) system_refused("wait for a process");
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      if (sockets[i].revents == 0) continue;
      Child& child = **owners[i];
      const bool alive = child.take([&](std::string_view message) {
        if (message.empty())
          child.busy = false;
        else
          how.receive(child.job(), message);
      });
      if (!alive) bury(*owners[i]);
    }
  }
}

}  // namespace weftc
