#include "train/summary_writer.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <vector>

#include "train/crc32c.h"
#include "train/file.h"
#include "train/images.h"
#include "train/summary_events.h"
#include "train/utf8.h"
#include "train/wav.h"
#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

namespace {

template <class T>
void append_little_endian(std::string& out, T v) {
  for (std::size_t i = 0; i < sizeof v; ++i) out += static_cast<char>(v >> (8 * i));
}

// Protocol buffers have nothing else in their texts; readers throw.
const std::string& utf8_checked(const std::string& text) {
  if (!is_utf8(text)) throw ValueError("summary_writer: names and texts must be UTF-8; got other bytes.");
  return text;
}

std::uint32_t text_crc(const std::string& text) { return masked_crc32c(std::as_bytes(std::span(text))); }

}  // namespace

std::string tf_record(const std::string& bytes) {
  std::string out;
  append_little_endian(out, std::uint64_t{bytes.size()});
  append_little_endian(out, text_crc(out));
  out += bytes;
  append_little_endian(out, text_crc(bytes));
  return out;
}

SummaryWriter::SummaryWriter(const std::string& folder, std::function<double()> clock, SourceLocation loc)
    : clock_(std::move(clock)) {
  const LocationScope scope(loc, "summary_writer");
  if (!clock_)
    clock_ = [] { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); };
  make_folders(folder);
  static std::atomic<unsigned> count{0};
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  const double now = clock_();
  path_ = folder + "/events.out.tfevents." + number_str(static_cast<std::int64_t>(now)) + "." + host + "." +
          number_str(static_cast<std::int64_t>(getpid())) + "." + number_str(count++) + ".v2";
  file_.reset(std::fopen(path_.c_str(), "abe"));
  if (!file_)
    throw BackendError("summary_writer: " + path_ + " must be a file that can be made; got \"" +
                       std::generic_category().message(errno) + "\".");
  append(file_version_event(now));
  flush();
}

SummaryWriter::~SummaryWriter() = default;  // which closes the file, and so writes what is in its buffer

void SummaryWriter::check_open() const {
  if (!file_) throw ValueError("summary_writer: a writer must be open when it is written to; got a closed one.");
}

void SummaryWriter::append(const std::string& event) {
  check_open();
  const std::string record = tf_record(event);
  if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size())
    throw BackendError("summary_writer: " + path_ + " must be writable; got \"" +
                       std::generic_category().message(errno) + "\".");
}

void SummaryWriter::start(std::int64_t step) {
  append(start_event(clock_(), step));
  flush();
}

void SummaryWriter::write_scalars(std::int64_t step, const Scalars& scalars) {
  std::vector<ProtoMessage> values;
  for (const auto& [tag, value] : scalars) values.push_back(scalar_value(utf8_checked(tag), value));
  append(summary_event(clock_(), step, values));
}

void SummaryWriter::write_images(std::int64_t step, const ArrayMap& images) {
  std::vector<ProtoMessage> values;
  for (const auto& [tag, array] : images) {
    const std::vector<Image> pictures = images_of(array);
    std::vector<std::string> pngs;
    for (const Image& picture : pictures) {
      const auto bytes = encode_png(picture);
      pngs.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    values.push_back(image_value(utf8_checked(tag), pictures[0].width, pictures[0].height, pngs));
  }
  append(summary_event(clock_(), step, values));
}

void SummaryWriter::write_audios(std::int64_t step, const ArrayMap& audios, int sample_rate) {
  std::vector<ProtoMessage> values;
  for (const auto& [tag, array] : audios) values.push_back(audio_value(utf8_checked(tag), wavs_of(array, sample_rate)));
  append(summary_event(clock_(), step, values));
}

void SummaryWriter::write_texts(std::int64_t step, const Texts& texts) {
  std::vector<ProtoMessage> values;
  for (const auto& [tag, text] : texts) values.push_back(text_value(utf8_checked(tag), utf8_checked(text)));
  append(summary_event(clock_(), step, values));
}

void SummaryWriter::write_histograms(std::int64_t step, const ArrayMap& arrays,
                                     const std::map<std::string, int>& num_buckets) {
  std::vector<ProtoMessage> values;
  for (const auto& [tag, array] : arrays) {
    const auto buckets = num_buckets.find(tag);
    values.push_back(histogram_value(
        utf8_checked(tag), buckets == num_buckets.end() ? histogram(array) : histogram(array, buckets->second)));
  }
  append(summary_event(clock_(), step, values));
}

void SummaryWriter::write_hparams(const HParams& hparams) {
  for (const auto& [name, value] : hparams) {
    utf8_checked(name);
    if (const auto* text = std::get_if<std::string>(&value)) utf8_checked(*text);
  }
  const double now = clock_();
  append(summary_event(now, 0, {hparams_value(hparams, now)}));
}

void SummaryWriter::flush() {
  check_open();
  if (std::fflush(file_.get()) != 0)
    throw BackendError("summary_writer: " + path_ + " must be writable; got \"" +
                       std::generic_category().message(errno) + "\".");
}

void SummaryWriter::close() {
  if (!file_) return;
  flush();
  file_.reset();
}

}  // namespace weft::train
