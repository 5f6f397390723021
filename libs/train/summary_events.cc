#include "train/summary_events.h"

#include <nlohmann/json.hpp>
#include <span>

#include "train/md5.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

// Numbers of fields and of enumerators, by message.
namespace event {
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7, kSourceMetadata = 10;
constexpr int kStatus = 1, kStart = 1;  // SessionLog, and its SessionStatus
}  // namespace event
namespace summary {
constexpr int kValue = 1;
constexpr int kTag = 1, kTensor = 8, kMetadata = 9;  // Summary.Value
constexpr int kPluginData = 1, kDataClass = 4;       // SummaryMetadata
constexpr int kPluginName = 1, kContent = 2;         // SummaryMetadata.PluginData
enum DataClass : int { kScalar = 1, kTensorClass = 2, kBlobs = 3 };
}  // namespace summary
namespace tensor {
constexpr int kDType = 1, kShape = 2, kContent = 4, kFloats = 5, kStrings = 8;
constexpr int kDim = 2, kSize = 1;  // TensorShapeProto, and its Dim
enum DataType : int { kFloat = 1, kDouble = 2, kString = 7 };
}  // namespace tensor
namespace audio {
constexpr int kEncoding = 2;  // AudioPluginData
enum Encoding : int { kWav = 11 };
}  // namespace audio
namespace hparams {
constexpr int kSessionStart = 3;                                           // HParamsPluginData
constexpr int kHParams = 1, kGroupName = 4, kStartTime = 5;                // SessionStartInfo
constexpr int kKey = 1, kMapValue = 2, kNumber = 2, kText = 3, kBool = 4;  // a map's entry; google.protobuf.Value
}  // namespace hparams

ProtoMessage tensor_of(tensor::DataType dtype, const std::vector<std::int64_t>& shape) {
  ProtoMessage dims;
  for (const std::int64_t n : shape) dims.message(tensor::kDim, ProtoMessage().integer(tensor::kSize, n));
  return ProtoMessage().integer(tensor::kDType, dtype).message(tensor::kShape, dims);
}

ProtoMessage value_of(const std::string& tag, const std::string& plugin, const std::string& content,
                      summary::DataClass data_class, const ProtoMessage& tensor) {
  ProtoMessage plugin_data;
  plugin_data.text(summary::kPluginName, plugin);
  if (!content.empty()) plugin_data.text(summary::kContent, content);
  ProtoMessage metadata;
  metadata.message(summary::kPluginData, plugin_data).integer(summary::kDataClass, data_class);
  return ProtoMessage()
      .text(summary::kTag, tag)
      .message(summary::kTensor, tensor)
      .message(summary::kMetadata, metadata);
}

// Repeated numbers are packed: one field with all of them.
ProtoMessage float_tensor(float value, const std::vector<std::int64_t>& shape) {
  const auto bytes = std::bit_cast<std::uint32_t>(value);
  std::string packed;
  for (int i = 0; i < 4; ++i) packed += static_cast<char>(bytes >> (8 * i));
  return tensor_of(tensor::kFloat, shape).text(tensor::kFloats, packed);
}

}  // namespace

std::string file_version_event(double wall_time) {
  return ProtoMessage()
      .number(event::kWallTime, wall_time)
      .text(event::kFileVersion, "brain.Event:2")
      .message(event::kSourceMetadata, ProtoMessage().text(1, "weft.train.summary_writer"))
      .bytes();
}

std::string start_event(double wall_time, std::int64_t step) {
  return ProtoMessage()
      .number(event::kWallTime, wall_time)
      .integer(event::kStep, step)
      .message(event::kSessionLog, ProtoMessage().integer(event::kStatus, event::kStart))
      .bytes();
}

std::string summary_event(double wall_time, std::int64_t step, const std::vector<ProtoMessage>& values) {
  ProtoMessage all;
  for (const ProtoMessage& v : values) all.message(summary::kValue, v);
  return ProtoMessage()
      .number(event::kWallTime, wall_time)
      .integer(event::kStep, step)
      .message(event::kSummary, all)
      .bytes();
}

ProtoMessage scalar_value(const std::string& tag, double value) {
  return value_of(tag, "scalars", "", summary::kScalar, float_tensor(static_cast<float>(value), {}));
}

ProtoMessage text_value(const std::string& tag, const std::string& text) {
  return value_of(tag, "text", "", summary::kTensorClass, tensor_of(tensor::kString, {}).text(tensor::kStrings, text));
}

ProtoMessage histogram_value(const std::string& tag, const std::vector<Bucket>& buckets) {
  // Triples (left, right, count), little-endian as they are here.
  const std::string_view triples(reinterpret_cast<const char*>(buckets.data()), buckets.size() * sizeof(Bucket));
  static_assert(sizeof(Bucket) == 3 * sizeof(double));
  const auto tensor = tensor_of(tensor::kDouble, {static_cast<std::int64_t>(buckets.size()), 3});
  return value_of(tag, "histograms", "", summary::kTensorClass, ProtoMessage(tensor).text(tensor::kContent, triples));
}

ProtoMessage image_value(const std::string& tag, int width, int height, const std::vector<std::string>& pngs) {
  ProtoMessage tensor = tensor_of(tensor::kString, {static_cast<std::int64_t>(pngs.size()) + 2});
  tensor.text(tensor::kStrings, number_str(width)).text(tensor::kStrings, number_str(height));
  for (const std::string& png : pngs) tensor.text(tensor::kStrings, png);
  return value_of(tag, "images", "", summary::kBlobs, tensor);
}

// The sounds alone: with a data class, TensorBoard takes no labels beside them any more.
ProtoMessage audio_value(const std::string& tag, const std::vector<std::string>& wavs) {
  ProtoMessage tensor = tensor_of(tensor::kString, {static_cast<std::int64_t>(wavs.size())});
  for (const std::string& wav : wavs) tensor.text(tensor::kStrings, wav);
  const ProtoMessage plugin = ProtoMessage().integer(audio::kEncoding, audio::kWav);
  return value_of(tag, "audio", plugin.bytes(), summary::kBlobs, tensor);
}

ProtoMessage hparams_value(const MetricWriter::HParams& params, double wall_time) {
  ProtoMessage session;
  nlohmann::ordered_json canonical;
  for (const auto& [key, value] : params) {
    ProtoMessage number;
    std::visit([&](const auto& v) { canonical[key] = v; }, value);
    if (const auto* b = std::get_if<bool>(&value))
      number.integer(hparams::kBool, *b);
    else if (const auto* v = std::get_if<double>(&value))
      number.number(hparams::kNumber, *v);
    else
      number.text(hparams::kText, std::get<std::string>(value));
    session.message(hparams::kHParams, ProtoMessage().text(hparams::kKey, key).message(hparams::kMapValue, number));
  }
  const std::string text = canonical.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  session.text(hparams::kGroupName, md5(std::as_bytes(std::span(text)))).number(hparams::kStartTime, wall_time);
  const ProtoMessage content = ProtoMessage().message(hparams::kSessionStart, session);
  return value_of("_hparams_/session_start_info", "hparams", content.bytes(), summary::kTensorClass,
                  float_tensor(0, {1}));
}

}  // namespace weft::train
