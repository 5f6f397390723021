// Event files for TensorBoard: records with lengths and checksums, each a protocol buffer. Appends only, so a file
// whose writer was killed is whole up to its last record.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "train/metric_writer.h"

namespace weft::train {

/// The bytes as a record of a TFRecord file: length (u64), its masked CRC-32C, the bytes, theirs; little-endian.
std::string tf_record(const std::string& bytes);

/// Writes all kinds. Scalars are rounded to f32, as TensorBoard has them. ValueError for names and texts that are no
/// UTF-8.
class SummaryWriter : public MetricWriter {
 public:
  /// Makes the folder and a new file in it, "events.out.tfevents.<seconds>.<host>.<process>.<number>.v2". `clock` gives
  /// seconds since 1970; the system's when empty. BackendError when the system refuses, here and below.
  explicit SummaryWriter(const std::string& folder, std::function<double()> clock = {},
                         SourceLocation loc = std::source_location::current());
  /// Writes what is left.
  ~SummaryWriter() override;

  const std::string& path() const { return path_; }
  /// Says that this program writes from `step` on: TensorBoard then drops what other files of the folder have of this
  /// and later steps, which a program wrote that was stopped. Before anything else is written.
  void start(std::int64_t step);
  void write_scalars(std::int64_t step, const Scalars& scalars) override;
  void write_images(std::int64_t step, const ArrayMap& images) override;
  void write_audios(std::int64_t step, const ArrayMap& audios, int sample_rate) override;
  void write_texts(std::int64_t step, const Texts& texts) override;
  void write_histograms(std::int64_t step, const ArrayMap& arrays,
                        const std::map<std::string, int>& num_buckets = {}) override;
  void write_hparams(const HParams& hparams) override;
  void flush() override;
  void close() override;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void append(const std::string& event);
  void check_open() const;

  std::function<double()> clock_;
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace weft::train
