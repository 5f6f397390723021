// Metrics as lines of text: "[120] accuracy=0.91, loss=0.25". Images and sounds are only told of.
#pragma once

#include <iosfwd>
#include <string>

#include "train/metric_writer.h"

namespace weft::train {

/// What CLU calls LoggingWriter.
class ConsoleWriter : public MetricWriter {
 public:
  /// To standard error.
  ConsoleWriter();
  /// `out` outlives the writer; `collection` is in each line: "[120] collection=eval loss=0.25".
  explicit ConsoleWriter(std::ostream& out, const std::string& collection = {});

  void write_scalars(std::int64_t step, const Scalars& scalars) override;
  void write_images(std::int64_t step, const ArrayMap& images) override;
  void write_audios(std::int64_t step, const ArrayMap& audios, int sample_rate) override;
  void write_texts(std::int64_t step, const Texts& texts) override;
  void write_histograms(std::int64_t step, const ArrayMap& arrays,
                        const std::map<std::string, int>& num_buckets = {}) override;
  void write_hparams(const HParams& hparams) override;
  /// BackendError when the stream is bad: lines before may be lost.
  void flush() override;
  void close() override;

 private:
  void line(const std::string& head, const std::string& text);

  std::ostream* out_;
  std::string collection_;
  bool closed_ = false;
};

}  // namespace weft::train
