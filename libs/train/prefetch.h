// Values made ahead of time by a thread: the next batch is ready when the step before it ends.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "weft/base/error.h"

namespace weft::train {

/// The values of a function, in order, until it gives none. It runs on a thread of this object's: up to `depth` values
/// wait, and one more is being made.
template <class T>
class Prefetcher {
 public:
  using Produce = std::function<std::optional<T>()>;

  /// ValueError when `depth` is below 1, or there is no function.
  Prefetcher(Produce produce, int depth, SourceLocation loc = std::source_location::current())
      : produce_(std::move(produce)), depth_(static_cast<std::size_t>(depth)) {
    const LocationScope scope(loc, "prefetcher");
    if (depth < 1) throw ValueError("prefetcher: the depth must be positive; got " + std::to_string(depth) + ".");
    if (!produce_) throw ValueError("prefetcher: there must be a function that makes the values; got none.");
    thread_ = std::thread([this] { run(); });
  }
  /// Waits for the value that is being made, and drops all that nobody took.
  ~Prefetcher() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  /// The next value; nullopt after the last. An error of the function comes in the place of the value that it did not
  /// make, and again at each further call.
  std::optional<T> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty() || ended_; });
    if (ready_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
    std::optional<T> out(std::move(ready_.front()));
    ready_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return out;
  }

 private:
  // A function of its own: g++ 12 compiles an optional that a try block assigns to in a loop as if it kept the value of
  // the turn before when an exception is thrown.
  std::optional<T> made(std::exception_ptr& error) const {
    try {
      return produce_();
    } catch (...) {
      error = std::current_exception();
      return std::nullopt;
    }
  }
  void run() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
      lock.unlock();
      std::exception_ptr error;
      std::optional<T> value = made(error);
      lock.lock();
      if (value) {
        changed_.wait(lock, [&] { return stop_ || ready_.size() < depth_; });
        ready_.push_back(std::move(*value));
      } else {
        error_ = error;
        ended_ = stop_ = true;
      }
      changed_.notify_all();
    }
  }

  Produce produce_;
  std::size_t depth_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> ready_;
  bool ended_ = false, stop_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace weft::train
