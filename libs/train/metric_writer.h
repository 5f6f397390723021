// Where the numbers of a training run go: the interface of all writers. Source: clu.metric_writers.
//
// A writer may leave out kinds that it cannot show. After close() nothing more may be written (ValueError).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "weft/core/array.h"

namespace weft::train {

using HParam = std::variant<bool, double, std::string>;

class MetricWriter {
 public:
  using Scalars = std::map<std::string, double>;
  using ArrayMap = std::map<std::string, Array>;
  using Texts = std::map<std::string, std::string>;
  using HParams = std::map<std::string, HParam>;

  MetricWriter() = default;
  MetricWriter(const MetricWriter&) = delete;
  MetricWriter& operator=(const MetricWriter&) = delete;
  virtual ~MetricWriter() = default;

  /// Numbers of that step, by name. A step may come in several calls with different names.
  virtual void write_scalars(std::int64_t step, const Scalars& scalars) = 0;
  /// Pictures [n, height, width, channels] or [height, width, channels], of 1 or 3 channels: u8, or floats from 0 to 1.
  virtual void write_images(std::int64_t step, const ArrayMap& images) = 0;
  /// Sounds [n, frames, channels] or [frames, channels] of floats from -1 to 1, so many frames in a second.
  virtual void write_audios(std::int64_t step, const ArrayMap& audios, int sample_rate) = 0;
  /// Texts, which TensorBoard shows as Markdown.
  virtual void write_texts(std::int64_t step, const Texts& texts) = 0;
  /// The distributions of all elements, in so many buckets of equal width: 30 where `num_buckets` has no other number.
  virtual void write_histograms(std::int64_t step, const ArrayMap& arrays,
                                const std::map<std::string, int>& num_buckets = {}) = 0;
  /// What the run was started with. Once.
  virtual void write_hparams(const HParams& hparams) = 0;
  /// Returns when all that was written is where it belongs.
  virtual void flush() = 0;
  /// Flushes and ends.
  virtual void close() = 0;
};

struct DefaultWriterOptions {
  bool just_logging = false;    ///< only to the console
  bool asynchronous = true;     ///< on a thread of its own; see AsyncWriter
  std::string collection = {};  ///< in each line on the console, and a folder in `folder`
};

/// A writer to the console and to event files for TensorBoard in `folder` (made if needed; none when empty).
/// BackendError when the system refuses.
std::unique_ptr<MetricWriter> create_default_writer(const std::string& folder, const DefaultWriterOptions& options = {},
                                                    SourceLocation loc = std::source_location::current());

}  // namespace weft::train
