#include "train/async_writer.h"

#include <utility>

#include "train/array_bytes.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

MetricWriter::ArrayMap copies(const MetricWriter::ArrayMap& arrays) {
  MetricWriter::ArrayMap out;
  for (const auto& [name, a] : arrays)
    out.emplace(name, array_from_bytes(a.dtype(), a.shape(), ArrayBytes(a, "async_writer").bytes()));
  return out;
}

}  // namespace

AsyncWriter::AsyncWriter(std::unique_ptr<MetricWriter> writer, int capacity, SourceLocation loc)
    : writer_(std::move(writer)), capacity_(static_cast<std::size_t>(capacity)) {
  const LocationScope scope(loc, "async_writer");
  if (capacity < 1) throw ValueError("async_writer: the capacity must be positive; got " + number_str(capacity) + ".");
  if (!writer_) throw ValueError("async_writer: there must be a writer to write with; got none.");
  thread_ = std::thread([this] { run(); });
}

AsyncWriter::~AsyncWriter() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void AsyncWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stop_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    busy_ = true;
    lock.unlock();
    changed_.notify_all();  // there is room
    std::exception_ptr error;
    try {
      task();
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    busy_ = false;
    if (!error_) error_ = error;
    changed_.notify_all();
  }
}

void AsyncWriter::throw_error() {
  const std::unique_lock lock(mutex_);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void AsyncWriter::push(Task task) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || tasks_.size() < capacity_; });
    if (closed_) throw ValueError("async_writer: a writer must be open when it is written to; got a closed one.");
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void AsyncWriter::push_and_report(Task task) {
  std::exception_ptr error;
  {
    const std::lock_guard lock(mutex_);
    error = std::exchange(error_, nullptr);
  }
  push(std::move(task));
  if (error) std::rethrow_exception(error);
}

void AsyncWriter::wait_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return tasks_.empty() && !busy_; });
}

void AsyncWriter::write_scalars(std::int64_t step, const Scalars& scalars) {
  push_and_report([this, step, scalars] { writer_->write_scalars(step, scalars); });
}

void AsyncWriter::write_images(std::int64_t step, const ArrayMap& images) {
  push_and_report([this, step, images = copies(images)] { writer_->write_images(step, images); });
}

void AsyncWriter::write_audios(std::int64_t step, const ArrayMap& audios, int sample_rate) {
  push_and_report(
      [this, step, audios = copies(audios), sample_rate] { writer_->write_audios(step, audios, sample_rate); });
}

void AsyncWriter::write_texts(std::int64_t step, const Texts& texts) {
  push_and_report([this, step, texts] { writer_->write_texts(step, texts); });
}

void AsyncWriter::write_histograms(std::int64_t step, const ArrayMap& arrays,
                                   const std::map<std::string, int>& num_buckets) {
  push_and_report(
      [this, step, arrays = copies(arrays), num_buckets] { writer_->write_histograms(step, arrays, num_buckets); });
}

void AsyncWriter::write_hparams(const HParams& hparams) {
  push_and_report([this, hparams] { writer_->write_hparams(hparams); });
}

void AsyncWriter::flush() {
  push([this] { writer_->flush(); });
  wait_idle();
  throw_error();
}

void AsyncWriter::close() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
    // Whatever happened before, the writer is closed; it needs no room.
    tasks_.push_back([this] { writer_->close(); });
  }
  changed_.notify_all();
  wait_idle();
  throw_error();
}

}  // namespace weft::train
