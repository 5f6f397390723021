#include "train/console_writer.h"

#include <cstdio>
#include <iostream>
#include <utility>
#include <vector>

#include "train/histogram.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

std::string short_number(const char* pattern, double v) {
  char text[40];
  std::snprintf(text, sizeof text, pattern, v);
  return text;
}

}  // namespace

ConsoleWriter::ConsoleWriter() : ConsoleWriter(std::cerr) {}

ConsoleWriter::ConsoleWriter(std::ostream& out, const std::string& collection)
    : out_(&out), collection_(collection.empty() ? "" : " collection=" + collection) {}

void ConsoleWriter::line(const std::string& head, const std::string& text) {
  if (closed_) throw ValueError("console_writer: a writer must be open when it is written to; got a closed one.");
  // In one piece, so that lines of several threads do not mix.
  *out_ << "[" + head + "]" + collection_ + " " + text + "\n";
}

void ConsoleWriter::write_scalars(std::int64_t step, const Scalars& scalars) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : scalars) parts.push_back(name + "=" + short_number("%.6g", value));
  line(number_str(step), join(parts, ", "));
}

void ConsoleWriter::write_images(std::int64_t step, const ArrayMap& images) {
  std::vector<std::string> parts;
  for (const auto& [name, array] : images) parts.push_back(name + " " + array.aval().str());
  line(number_str(step), "images: " + join(parts, ", "));
}

void ConsoleWriter::write_audios(std::int64_t step, const ArrayMap& audios, int sample_rate) {
  std::vector<std::string> parts;
  for (const auto& [name, array] : audios) parts.push_back(name + " " + array.aval().str());
  line(number_str(step), "audios of " + number_str(sample_rate) + " Hz: " + join(parts, ", "));
}

void ConsoleWriter::write_texts(std::int64_t step, const Texts& texts) {
  for (const auto& [name, text] : texts) line(number_str(step), name + ": " + text);
}

void ConsoleWriter::write_histograms(std::int64_t step, const ArrayMap& arrays,
                                     const std::map<std::string, int>& num_buckets) {
  for (const auto& [name, array] : arrays) {
    const auto n = num_buckets.find(name);
    const auto buckets = n == num_buckets.end() ? histogram(array) : histogram(array, n->second);
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < buckets.size(); ++i)
      parts.push_back("[" + short_number("%.3g", buckets[i].left) + ", " + short_number("%.3g", buckets[i].right) +
                      (i + 1 == buckets.size() ? "]: " : "): ") + short_number("%.0f", buckets[i].count));
    line(number_str(step), "histogram of " + name + ": " + (parts.empty() ? "empty" : join(parts, ", ")));
  }
}

void ConsoleWriter::write_hparams(const HParams& hparams) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : hparams) {
    const auto text = [](const auto& v) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(v)>, std::string>)
        return v;
      else if constexpr (std::is_same_v<std::remove_cvref_t<decltype(v)>, bool>)
        return number_str(v);
      else
        return short_number("%.6g", v);
    };
    parts.push_back(name + "=" + std::visit(text, value));
  }
  line("hyperparameters", join(parts, ", "));
}

void ConsoleWriter::flush() {
  out_->flush();
  if (!*out_) throw BackendError("console_writer: the stream must be writable; got one that failed.");
}

void ConsoleWriter::close() {
  if (!std::exchange(closed_, true)) flush();
}

}  // namespace weft::train
