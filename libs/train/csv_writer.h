// Scalars as a table for spreadsheets and data frames: a row "step,name,value" for each number (RFC 4180).
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "train/metric_writer.h"

namespace weft::train {

/// Writes scalars, with as many digits as they have, and leaves out all else.
class CsvWriter : public MetricWriter {
 public:
  /// Goes on at the end of a file that another CsvWriter began, after a row that was cut off; makes a new one, and its
  /// folder, where there is none. Rows of steps after `last_step` are removed first: a run that goes on from that step
  /// writes them again. ParseError when the file is another one, BackendError when the system refuses.
  explicit CsvWriter(const std::string& path, std::optional<std::int64_t> last_step = {},
                     SourceLocation loc = std::source_location::current());

  void write_scalars(std::int64_t step, const Scalars& scalars) override;
  void write_images(std::int64_t, const ArrayMap&) override {}
  void write_audios(std::int64_t, const ArrayMap&, int) override {}
  void write_texts(std::int64_t, const Texts&) override {}
  void write_histograms(std::int64_t, const ArrayMap&, const std::map<std::string, int>&) override {}
  void write_hparams(const HParams&) override {}
  void flush() override;
  void close() override;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void append(const std::string& text);

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace weft::train
