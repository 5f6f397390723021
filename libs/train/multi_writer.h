// One writer that stands for several.
#pragma once

#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "train/metric_writer.h"
#include "weft/base/error.h"

namespace weft::train {

/// Hands each call on to several writers, in their order.
class MultiWriter : public MetricWriter {
 public:
  /// ValueError when one of them is none.
  explicit MultiWriter(std::vector<std::unique_ptr<MetricWriter>> writers,
                       SourceLocation loc = std::source_location::current())
      : writers_(std::move(writers)) {
    const LocationScope scope(loc, "multi_writer");
    for (const auto& writer : writers_)
      if (!writer) throw ValueError("multi_writer: there must be a writer in each place; got none in one.");
  }

  /// All writers get each call, also when one of them throws; the first error is thrown in the end.
  void write_scalars(std::int64_t step, const Scalars& scalars) override {
    for_each([&](MetricWriter& w) { w.write_scalars(step, scalars); });
  }
  void write_images(std::int64_t step, const ArrayMap& images) override {
    for_each([&](MetricWriter& w) { w.write_images(step, images); });
  }
  void write_audios(std::int64_t step, const ArrayMap& audios, int sample_rate) override {
    for_each([&](MetricWriter& w) { w.write_audios(step, audios, sample_rate); });
  }
  void write_texts(std::int64_t step, const Texts& texts) override {
    for_each([&](MetricWriter& w) { w.write_texts(step, texts); });
  }
  void write_histograms(std::int64_t step, const ArrayMap& arrays,
                        const std::map<std::string, int>& num_buckets = {}) override {
    for_each([&](MetricWriter& w) { w.write_histograms(step, arrays, num_buckets); });
  }
  void write_hparams(const HParams& hparams) override {
    for_each([&](MetricWriter& w) { w.write_hparams(hparams); });
  }
  void flush() override {
    for_each([](MetricWriter& w) { w.flush(); });
  }
  void close() override {
    for_each([](MetricWriter& w) { w.close(); });
  }

 private:
  template <class F>
  void for_each(F&& call) {
    std::exception_ptr first;
    for (const auto& writer : writers_) {
      try {
        call(*writer);
      } catch (...) {
        if (!first) first = std::current_exception();
      }
    }
    if (first) std::rethrow_exception(first);
  }

  std::vector<std::unique_ptr<MetricWriter>> writers_;
};

}  // namespace weft::train
