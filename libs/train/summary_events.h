// The events in TensorBoard's files, as bytes of protocol buffers (tensorboard/compat/proto: event.proto,
// summary.proto, tensor.proto). Values have the form of tf.summary's second version: tensors, with the plugin that
// shows them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/histogram.h"
#include "train/metric_writer.h"
#include "train/protobuf.h"

namespace weft::train {

/// The event that a file begins with. `wall_time`, here and below, in seconds since 1970.
std::string file_version_event(double wall_time);

/// The event by which a program says that it writes from that step on: what an earlier one wrote of this step and later
/// ones does not count.
std::string start_event(double wall_time, std::int64_t step);

/// An event with the values of one step; each of them is one of the below.
std::string summary_event(double wall_time, std::int64_t step, const std::vector<ProtoMessage>& values);

ProtoMessage scalar_value(const std::string& tag, double value);
ProtoMessage text_value(const std::string& tag, const std::string& text);
ProtoMessage histogram_value(const std::string& tag, const std::vector<Bucket>& buckets);
/// `pngs`: pictures of that width and height as PNG files.
ProtoMessage image_value(const std::string& tag, int width, int height, const std::vector<std::string>& pngs);
/// `wavs`: sounds as WAV files.
ProtoMessage audio_value(const std::string& tag, const std::vector<std::string>& wavs);
/// The start of a session with these hyperparameters; sessions with equal ones form a group.
ProtoMessage hparams_value(const MetricWriter::HParams& hparams, double wall_time);

}  // namespace weft::train
