// A writer that writes on a thread of its own, so that training goes on meanwhile.
//
// Invariant: calls arrive in order. Arrays are copied at the call, so they may be donated afterwards.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "train/metric_writer.h"

namespace weft::train {

class AsyncWriter : public MetricWriter {
 public:
  /// Holds at most `capacity` calls that are not written yet; the next one waits. ValueError when it is below 1, or
  /// there is no writer.
  explicit AsyncWriter(std::unique_ptr<MetricWriter> writer, int capacity = 256,
                       SourceLocation loc = std::source_location::current());
  /// Writes what is left; errors are lost.
  ~AsyncWriter() override;

  /// These return at once. They throw the first error of earlier calls, once; what was written after it is written.
  void write_scalars(std::int64_t step, const Scalars& scalars) override;
  void write_images(std::int64_t step, const ArrayMap& images) override;
  void write_audios(std::int64_t step, const ArrayMap& audios, int sample_rate) override;
  void write_texts(std::int64_t step, const Texts& texts) override;
  void write_histograms(std::int64_t step, const ArrayMap& arrays,
                        const std::map<std::string, int>& num_buckets = {}) override;
  void write_hparams(const HParams& hparams) override;
  /// These wait until all is written, and throw the first error if there was one.
  void flush() override;
  void close() override;

 private:
  using Task = std::function<void()>;
  void run();
  /// Adds a task, waiting for room.
  void push(Task task);
  /// The same; then throws an error of before, which takes nothing away from what comes now.
  void push_and_report(Task task);
  void wait_idle();
  void throw_error();

  std::unique_ptr<MetricWriter> writer_;
  std::size_t capacity_;
  std::mutex mutex_;  // of all that follows, but the thread
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool busy_ = false, closed_ = false, stop_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace weft::train
