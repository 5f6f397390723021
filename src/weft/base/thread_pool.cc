#include "weft/base/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "weft/base/environment.h"
#include "weft/base/error.h"

#ifdef __linux__
#include <sched.h>
#endif

namespace weft {
namespace {

constexpr int kMaxThreads = 1024;
// A range is at most the 4th part of a thread's share of the work, and at most the 2nd of its share of what is left:
// one that loses its processor for a while does not hold up the others, and all are done at one time.
constexpr std::int64_t kPartsOfAll = 4, kPartsOfRest = 2;
// How long a thread looks for more work before it sleeps; about the cost of waking a sleeping thread.
constexpr auto kSpin = std::chrono::microseconds(30);

thread_local bool inside_task = false;

void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

template <class Condition>
bool spin_until(Condition&& done) {
  const auto stop = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
      pause_cpu();
    }
  } while (std::chrono::steady_clock::now() < stop);
  return done();
}

struct Job {
  FunctionRef<void(std::int64_t, std::int64_t)> body;
  std::int64_t n;
  std::int64_t grain;
  std::int64_t threads;
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;  // written by the thread that sets `failed`

  void work() {
    inside_task = true;
    try {
      std::int64_t begin = next.load(std::memory_order_relaxed);
      while (begin < n && !failed.load(std::memory_order_relaxed)) {
        const std::int64_t end = end_of(begin);
        if (!next.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
        body(begin, end);
        begin = next.load(std::memory_order_relaxed);
      }
    } catch (...) {
      if (!failed.exchange(true)) error = std::current_exception();
    }
    inside_task = false;
  }

  // Where the range from `begin` on ends: whole grains.
  std::int64_t end_of(std::int64_t begin) const {
    const std::int64_t all = (n - 1) / grain + 1, left = (n - begin - 1) / grain + 1;
    const std::int64_t grains =
        std::max<std::int64_t>(1, std::min(all / (kPartsOfAll * threads), left / (kPartsOfRest * threads)));
    return std::min(begin + grains * grain, n);
  }
};

class Pool {
 public:
  explicit Pool(int threads) : threads_(threads) {}

  int threads() const { return threads_.load(std::memory_order_relaxed); }

  /// Whether a worker looks for work right now.
  bool awake() const { return awake_.load(std::memory_order_relaxed) > 0; }

  /// False when another thread has the pool; nothing was run then. Threads that sleep stay asleep without `wake`.
  bool run(Job& job, bool wake) {
    std::unique_lock owner(owner_, std::try_to_lock);
    if (!owner) return false;
    start_workers();
    {
      std::lock_guard lock(mutex_);
      job_ = &job;
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (wake) wake_.notify_all();
    job.work();
    {
      std::lock_guard lock(mutex_);
      job_ = nullptr;  // workers that have not entered yet no longer can
    }
    if (!spin_until([&] { return inside_.load(std::memory_order_acquire) == 0; })) {
      std::unique_lock lock(mutex_);
      left_.wait(lock, [&] { return inside_.load(std::memory_order_acquire) == 0; });
    }
    return true;
  }

  void resize(int n) {
    std::lock_guard owner(owner_);
    if (n == threads()) return;
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (std::thread& w : workers_) w.join();
    workers_.clear();
    stop_ = false;
    threads_.store(n, std::memory_order_relaxed);
  }

 private:
  // Called by the owner. A machine that refuses more threads gets the ones it allows.
  void start_workers() {
    const std::size_t wanted = static_cast<std::size_t>(threads() - 1);
    while (workers_.size() < wanted) {
      try {
        workers_.emplace_back([this, seen = generation_.load()] { serve(seen); });
      } catch (const std::exception&) {
        threads_.store(static_cast<int>(workers_.size()) + 1, std::memory_order_relaxed);
        return;
      }
    }
  }

  void serve(std::uint64_t seen) {
    for (;;) {
      Job* job = nullptr;
      awake_.fetch_add(1, std::memory_order_relaxed);
      spin_until([&] { return generation_.load(std::memory_order_acquire) != seen; });
      awake_.fetch_sub(1, std::memory_order_relaxed);
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return generation_.load(std::memory_order_relaxed) != seen; });
        seen = generation_.load(std::memory_order_relaxed);
        if (stop_) return;
        job = job_;
        if (job) inside_.fetch_add(1, std::memory_order_relaxed);
      }
      if (!job) continue;
      job->work();
      // The job may be gone as soon as the count reaches zero.
      if (inside_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        std::lock_guard lock(mutex_);
        left_.notify_all();
      }
    }
  }

  std::mutex owner_;  // held by the thread whose job runs
  std::mutex mutex_;
  std::condition_variable wake_, left_;
  Job* job_ = nullptr;                        // guarded by mutex_
  bool stop_ = false;                         // guarded by mutex_
  std::atomic<std::uint64_t> generation_{0};  // written under mutex_
  std::atomic<int> inside_{0};
  std::atomic<int> awake_{0};
  std::vector<std::thread> workers_;  // guarded by owner_
  std::atomic<int> threads_;
};

#ifdef __linux__
std::string read_line(const std::string& path) {
  std::string line;
  if (std::FILE* f = std::fopen(path.c_str(), "r")) {
    char text[4096];
    if (std::fgets(text, sizeof text, f)) line = text;
    std::fclose(f);
  }
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

// Processors that the CPU quotas of the process's cgroup (v2, then v1) amount to; kMaxThreads without a quota.
int quota_processors() {
  double best = kMaxThreads;
  const auto limit = [&](double quota, double period) {
    if (quota > 0 && period > 0) best = std::min(best, quota / period);
  };
  std::string group = read_line("/proc/self/cgroup");
  group = group.rfind("0::", 0) == 0 ? group.substr(3) : "";
  // A parent's quota binds too.
  for (;;) {
    double quota = 0, period = 0;
    const std::string text = read_line("/sys/fs/cgroup" + group + "/cpu.max");
    if (std::sscanf(text.c_str(), "%lf %lf", &quota, &period) == 2) limit(quota, period);
    const std::size_t slash = group.rfind('/');
    if (slash == std::string::npos) break;
    group.resize(slash);
  }
  limit(std::atof(read_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").c_str()),
        std::atof(read_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us").c_str()));
  return std::max(1, static_cast<int>(std::lround(best)));
}
#endif

int initial_threads() {
  if (const std::string text(environment_text("WEFT_NUM_THREADS")); !text.empty()) {
    char* end = nullptr;
    const long n = std::strtol(text.c_str(), &end, 10);
    if (*end != '\0' || n < 1 || n > kMaxThreads) {
      const ForcedLocation nowhere{SourceLocation()};  // no line of the program is at fault
      throw ValueError("WEFT_NUM_THREADS: the environment variable must be a number of threads from 1 to " +
                       std::to_string(kMaxThreads) + "; got '" + text + "'.");
    }
    return static_cast<int>(n);
  }
  int n = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
#ifdef __linux__
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = std::max(1, CPU_COUNT(&set));
  n = std::min(n, quota_processors());
#endif
  return std::min(n, kMaxThreads);
}

// Never destroyed: workers may still look at it while the process exits.
Pool& pool() {
  static Pool* const p = new Pool(initial_threads());
  return *p;
}

void run_ranges(std::int64_t n, std::int64_t grain, FunctionRef<void(std::int64_t, std::int64_t)> body, bool wake) {
  if (n <= 0) return;
  grain = std::max<std::int64_t>(grain, 1);
  if (n > grain && !inside_task) {
    Pool& p = pool();
    const std::int64_t threads = p.threads();
    if (threads > 1 && (wake || p.awake())) {
      Job job{body, n, grain, threads};
      if (p.run(job, wake)) {
        if (job.error) std::rethrow_exception(job.error);
        return;
      }
    }
  }
  body(0, n);
}

}  // namespace

void parallel_for(std::int64_t n, std::int64_t grain, FunctionRef<void(std::int64_t, std::int64_t)> body) {
  run_ranges(n, grain, body, /*wake=*/true);
}

void parallel_for_if_awake(std::int64_t n, std::int64_t grain, FunctionRef<void(std::int64_t, std::int64_t)> body) {
  run_ranges(n, grain, body, /*wake=*/false);
}

int num_threads() { return pool().threads(); }

void set_num_threads(int n, SourceLocation loc) {
  const LocationScope scope(loc, "set_num_threads");
  if (n < 1 || n > kMaxThreads)
    throw ValueError("set_num_threads: the number of threads must be from 1 to " + std::to_string(kMaxThreads) +
                     "; got " + std::to_string(n) + ".");
  if (inside_task)
    throw ValueError("set_num_threads: must not be called from inside parallel work; got " + std::to_string(n) + ".");
  pool().resize(n);
}

}  // namespace weft
