#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>

#include "event_reader.h"
#include "harness/errors.h"
#include "temporary_folder.h"
#include "train/async_writer.h"
#include "train/console_writer.h"
#include "train/csv_reader.h"
#include "train/csv_writer.h"
#include "train/file.h"
#include "train/histogram.h"
#include "train/images.h"
#include "train/metric_writer.h"
#include "train/multi_writer.h"
#include "train/png.h"
#include "train/summary_writer.h"
#include "train/wav.h"
#include "weft/base/error.h"
#include "weft/weft.h"

namespace weft::train {
namespace {

using testing::message_of;

std::string text_of_file(const std::string& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Summary.Value: tag = 1, tensor = 8, metadata = 9 { plugin_data = 1 { plugin_name = 1, content = 2 }, data_class = 4
// }.
struct SeenValue {
  std::string tag, plugin, content;
  std::uint64_t data_class;
  ProtoFields tensor;
  std::vector<std::int64_t> shape;
};
struct SeenEvent {
  double wall_time;
  std::int64_t step;
  std::vector<SeenValue> values;
};

SeenEvent seen(const std::string& record) {
  const ProtoFields event = ProtoFields::parse(record);
  SeenEvent out{event.real(1), static_cast<std::int64_t>(event.integer(2)), {}};
  for (const ProtoFields& v : event.message(5).messages(1)) {
    const ProtoFields metadata = v.message(9), plugin = metadata.message(1), tensor = v.message(8);
    SeenValue value{v.bytes(1), plugin.bytes(1), plugin.bytes(2), metadata.integer(4), tensor, {}};
    for (const ProtoFields& dim : tensor.message(2).messages(2))
      value.shape.push_back(static_cast<std::int64_t>(dim.integer(1)));
    out.values.push_back(value);
  }
  return out;
}

TEST(summary_writer, a_file_begins_with_its_version_and_has_tensorboards_name) {
  const TemporaryFolder folder;
  SummaryWriter writer(folder / "run/a", [] { return 1234567.5; });
  const std::string name = std::filesystem::path(writer.path()).filename().string();
  EXPECT_EQ(name.rfind("events.out.tfevents.1234567.", 0), 0u) << name;
  const auto records = read_tf_records(writer.path());
  ASSERT_EQ(records.size(), 1u);
  const ProtoFields event = ProtoFields::parse(records[0]);
  EXPECT_EQ(event.real(1), 1234567.5);
  EXPECT_EQ(event.bytes(3), "brain.Event:2");
}

// Bytes worked out by hand from record_writer.cc, event.proto, summary.proto and tensor.proto.
TEST(summary_writer, a_scalar_has_exactly_these_bytes) {
  const TemporaryFolder folder;
  SummaryWriter writer(folder.path(), [] { return 1.0; });
  writer.write_scalars(300, {{"loss", 0.5}});
  writer.close();
  const auto records = read_tf_records(writer.path());
  ASSERT_EQ(records.size(), 2u);
  const std::string value = std::string("\x0a\x04loss") +  // tag
                            "\x42\x0a\x08\x01\x12" + '\0' + "\x2a\x04" +
                            std::string("\0\0\0\x3f", 4) +              // DT_FLOAT, {}, 0.5
                            "\x4a\x0d\x0a\x09\x0a\x07scalars\x20\x01";  // plugin, DATA_CLASS_SCALAR
  const std::string summary = "\x0a" + std::string(1, static_cast<char>(value.size())) + value;
  EXPECT_EQ(records[1], std::string("\x09\0\0\0\0\0\0\xf0\x3f", 9) + "\x10\xac\x02" + "\x2a" +
                            std::string(1, static_cast<char>(summary.size())) + summary);
}

TEST(summary_writer, all_kinds_reach_their_plugins) {
  const TemporaryFolder folder;
  SummaryWriter writer(folder.path(), [] { return 2.0; });
  writer.write_scalars(-1, {{"a", 1e300}, {"b", std::numeric_limits<double>::quiet_NaN()}});
  writer.write_texts(2, {{"note", "**h\xc3\xa9**"}});
  writer.write_histograms(3, {{"w", np::array({0.0f, 1.0f, 1.0f, 4.0f})}}, {{"w", 2}});
  writer.write_images(4, {{"x", np::full({2, 3, 5, 1}, 0.5f)}});
  writer.write_hparams({{"rate", 0.1}, {"name", std::string("sgd")}, {"nesterov", true}});
  writer.write_audios(5, {{"x", np::full({2, 3, 1}, 0.5f)}}, 8000);
  writer.flush();
  const auto records = read_tf_records(writer.path());
  ASSERT_EQ(records.size(), 7u);

  const SeenEvent scalars = seen(records[1]);
  EXPECT_EQ(scalars.step, -1);
  ASSERT_EQ(scalars.values.size(), 2u);
  float a;
  std::memcpy(&a, scalars.values[0].tensor.bytes(5).data(), 4);
  EXPECT_TRUE(std::isinf(a));

  const SeenValue text = seen(records[2]).values.at(0);
  EXPECT_EQ(text.plugin, "text");
  EXPECT_EQ(text.data_class, 2u);
  EXPECT_EQ(text.tensor.integer(1), 7u);  // DT_STRING
  EXPECT_EQ(text.tensor.bytes(8), "**h\xc3\xa9**");
  EXPECT_TRUE(text.shape.empty());

  const SeenValue histogram = seen(records[3]).values.at(0);
  EXPECT_EQ(histogram.plugin, "histograms");
  EXPECT_EQ(histogram.tensor.integer(1), 2u);  // DT_DOUBLE
  EXPECT_EQ(histogram.shape, (std::vector<std::int64_t>{2, 3}));
  double triples[6];
  ASSERT_EQ(histogram.tensor.bytes(4).size(), sizeof triples);
  std::memcpy(triples, histogram.tensor.bytes(4).data(), sizeof triples);
  EXPECT_EQ(std::vector<double>(triples, triples + 6), (std::vector<double>{0, 2, 3, 2, 4, 1}));

  const SeenValue images = seen(records[4]).values.at(0);
  EXPECT_EQ(images.plugin, "images");
  EXPECT_EQ(images.data_class, 3u);
  EXPECT_EQ(images.shape, std::vector<std::int64_t>{4});
  const auto strings = images.tensor.all_bytes(8);
  ASSERT_EQ(strings.size(), 4u);
  EXPECT_EQ(strings[0], "5");  // width, height
  EXPECT_EQ(strings[1], "3");
  const Image image = decode_png(std::as_bytes(std::span(strings[2])), "memory");
  EXPECT_EQ(image.width, 5);
  EXPECT_EQ(image.pixels, std::vector<std::uint8_t>(15, 127));

  const SeenValue hparams = seen(records[5]).values.at(0);
  EXPECT_EQ(hparams.tag, "_hparams_/session_start_info");
  EXPECT_EQ(hparams.plugin, "hparams");
  const ProtoFields session = ProtoFields::parse(hparams.content).message(3);
  EXPECT_EQ(session.bytes(4).size(), 32u);
  EXPECT_EQ(session.real(5), 2.0);
  std::map<std::string, ProtoFields> entries;
  for (const ProtoFields& e : session.messages(1)) entries.emplace(e.bytes(1), e.message(2));
  EXPECT_EQ(entries.at("rate").real(2), 0.1);
  EXPECT_EQ(entries.at("name").bytes(3), "sgd");
  EXPECT_EQ(entries.at("nesterov").integer(4), 1u);

  const SeenValue audios = seen(records[6]).values.at(0);
  EXPECT_EQ(audios.tag, "x");
  EXPECT_EQ(audios.plugin, "audio");
  EXPECT_EQ(ProtoFields::parse(audios.content).integer(2), 11u);  // AudioPluginData.encoding, WAV
  EXPECT_EQ(audios.data_class, 3u);
  EXPECT_EQ(audios.tensor.integer(1), 7u);
  EXPECT_EQ(audios.shape, std::vector<std::int64_t>{2});
  EXPECT_EQ(audios.tensor.all_bytes(8), wavs_of(np::full({2, 3, 1}, 0.5f), 8000));
}

TEST(wav, arrays_become_files_of_16_bit_samples) {
  const Array stereo = np::array({{0.5f, -0.5f}, {7.0f, -7.0f}, {np::nan, 1.0f / 32768}});
  const std::vector<std::string> wavs = wavs_of(stereo, 8000);
  ASSERT_EQ(wavs.size(), 1u);
  EXPECT_EQ(wavs[0], std::string("RIFF\x30\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0", 24) +  // PCM, 2 channels
                         std::string("\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0", 12) +        // 8000, 32000 bytes/s, 4, 16
                         std::string("data\x0c\0\0\0", 8) + std::string("\0\x40\0\xc0\xff\x7f\0\x80\0\0\x01\0", 12));
  EXPECT_EQ(wavs_of(np::zeros({3, 4, 1}, bf16), 1).size(), 3u);
  EXPECT_EQ(wavs_of(np::zeros({0, 1}), 1)[0].size(), 44u);
  EXPECT_EQ(
      message_of<ShapeError>([] { wavs_of(np::zeros({4}), 8000); }),
      "wavs_of: sounds must be [n, frames, channels] or [frames, channels], of 1 to 65535 channels and below 2 GB; "
      "got f32[4].");
  EXPECT_THROW(wavs_of(np::zeros({4, 0}), 8000), ShapeError);
  EXPECT_THROW(wavs_of(np::zeros({4, 1}, i16), 8000), DTypeError);
  EXPECT_EQ(message_of<ValueError>([] { wavs_of(np::zeros({4, 1}), 0); }),
            "wavs_of: the sample rate must be positive; got 0.");
}

TEST(summary_writer, what_cannot_be_written_is_refused_and_leaves_the_file_whole) {
  const TemporaryFolder folder;
  SummaryWriter writer(folder.path());
  EXPECT_THROW(writer.write_images(0, {{"x", np::zeros({4})}}), ShapeError);
  EXPECT_THROW(writer.write_scalars(0, {{"\xff", 1}}), ValueError);
  EXPECT_THROW(writer.write_hparams({{"a", std::string("\xff")}}), ValueError);
  writer.close();
  writer.close();
  EXPECT_EQ(message_of<ValueError>([&] { writer.write_scalars(0, {{"a", 1}}); }),
            "summary_writer: a writer must be open when it is written to; got a closed one.");
  EXPECT_EQ(read_tf_records(writer.path()).size(), 1u);
  EXPECT_THROW(SummaryWriter("/proc/none"), BackendError);
}

TEST(summary_writer, two_writers_in_one_folder_have_files_of_their_own) {
  const TemporaryFolder folder;
  const SummaryWriter a(folder.path(), [] { return 1.0; }), b(folder.path(), [] { return 1.0; });
  EXPECT_NE(a.path(), b.path());
  EXPECT_EQ(folder.count(), 2u);
}

TEST(histogram, buckets_are_tensorboards) {
  const auto text = [](const std::vector<Bucket>& buckets) {
    std::ostringstream out;
    for (const Bucket& b : buckets) out << b.left << ".." << b.right << ":" << b.count << " ";
    return out.str();
  };
  EXPECT_EQ(text(histogram(np::array({0, 1, 2, 3, 4}), 4)), "0..1:1 1..2:1 2..3:1 3..4:2 ");
  EXPECT_EQ(text(histogram(np::full({3}, 2.0f))), "1.5..2.5:3 ");
  EXPECT_EQ(text(histogram(np::zeros({0}))), "");
  EXPECT_EQ(text(histogram(np::array({1.0f, np::nan, np::inf}))), "0.5..1.5:1 ");
  EXPECT_EQ(histogram(np::arange(100)).size(), 30u);
  const double most = std::numeric_limits<double>::max();
  EXPECT_EQ(text(histogram(np::array({-most, 0.0, most}), 2)), "-1.79769e+308..0:1 0..1.79769e+308:2 ");
  EXPECT_THROW(histogram(np::zeros({2}), 0), ValueError);
  EXPECT_THROW(histogram(np::zeros({2}, c64)), DTypeError);
}

TEST(images, arrays_become_pictures) {
  const Array floats = np::array({{-1.0f, 0.0f, 0.5f}, {1.0f, 7.0f, np::nan}});
  const auto pictures = images_of(np::reshape(floats, {1, 2, 3}));
  ASSERT_EQ(pictures.size(), 1u);
  EXPECT_EQ(pictures[0].channels, 3);
  EXPECT_EQ(pictures[0].width, 2);
  EXPECT_EQ(pictures[0].pixels, (std::vector<std::uint8_t>{0, 0, 127, 255, 255, 0}));
  EXPECT_EQ(images_of(np::zeros({4, 2, 3, 1}, u8)).size(), 4u);
  EXPECT_EQ(
      message_of<ShapeError>([] { images_of(np::zeros({2, 2, 2})); }),
      "images_of: images must be [n, height, width, channels] or [height, width, channels], of 1 or 3 channels and "
      "not empty; got f32[2,2,2].");
  EXPECT_THROW(images_of(np::zeros({2, 2, 1}, i32)), DTypeError);
}

TEST(images, pictures_become_arrays_again) {
  const Array pixels = np::reshape(np::arange(12).astype(u8), {2, 2, 3});
  const Array again = array_of(images_of(pixels).at(0));
  EXPECT_EQ(again.aval().str(), "u8[2,2,3]");
  EXPECT_EQ(again.to_vector<std::uint8_t>(), pixels.to_vector<std::uint8_t>());
}

TEST(console_writer, each_call_is_a_line) {
  std::ostringstream out;
  ConsoleWriter writer(out, "eval");
  writer.write_scalars(12, {{"loss", 0.25}, {"accuracy", 0.912345678}});
  writer.write_texts(12, {{"note", "hello"}});
  writer.write_images(12, {{"x", np::zeros({2, 3, 1})}});
  writer.write_audios(12, {{"x", np::zeros({9, 1})}}, 8000);
  writer.write_histograms(12, {{"w", np::array({0, 1, 4})}, {"none", np::zeros({0})}}, {{"w", 2}});
  writer.write_hparams({{"rate", 0.1}, {"name", std::string("sgd")}, {"nesterov", false}});
  writer.close();
  EXPECT_EQ(out.str(),
            "[12] collection=eval accuracy=0.912346, loss=0.25\n"
            "[12] collection=eval note: hello\n"
            "[12] collection=eval images: x f32[2,3,1]\n"
            "[12] collection=eval audios of 8000 Hz: x f32[9,1]\n"
            "[12] collection=eval histogram of none: empty\n"
            "[12] collection=eval histogram of w: [0, 2): 2, [2, 4]: 1\n"
            "[hyperparameters] collection=eval name=sgd, nesterov=false, rate=0.1\n");
  EXPECT_THROW(writer.write_texts(1, {{"a", "b"}}), ValueError);
}

TEST(csv_writer, rows_are_appended_and_a_file_is_gone_on_with) {
  const TemporaryFolder folder;
  const std::string path = folder / "run/metrics.csv";
  {
    CsvWriter writer(path);
    writer.write_scalars(1, {{"loss", 0.1}, {"a,\"b\"", 2}});
    writer.write_texts(1, {{"x", "y"}});
    writer.flush();
    writer.write_scalars(2, {{"loss", std::numeric_limits<double>::infinity()}});
  }
  const std::string first = "step,name,value\n1,\"a,\"\"b\"\"\",2.0\n1,loss,0.1\n2,loss,inf\n";
  EXPECT_EQ(text_of_file(path), first);
  // A row was cut off.
  const std::string cut = first.substr(0, first.size() - 3);
  write_file(path, std::as_bytes(std::span(cut)));
  CsvWriter writer(path);
  writer.write_scalars(3, {{"loss", 1}});
  writer.close();
  EXPECT_EQ(text_of_file(path), "step,name,value\n1,\"a,\"\"b\"\"\",2.0\n1,loss,0.1\n3,loss,1.0\n");
  EXPECT_THROW(writer.flush(), ValueError);
}

TEST(console_writer, a_stream_that_fails_is_told) {
  std::ofstream full("/dev/full");
  ConsoleWriter writer(full);
  writer.write_scalars(1, {{"a", 1}});
  EXPECT_EQ(message_of<BackendError>([&] { writer.flush(); }),
            "console_writer: the stream must be writable; got one that failed.");
  EXPECT_THROW(writer.close(), BackendError);
  writer.close();
}

TEST(csv_writer, a_row_that_was_cut_inside_of_quotes_goes_too) {
  const TemporaryFolder folder;
  const std::string path = folder / "metrics.csv", cut = "step,name,value\n1,\"a\nb\",2.0\n2,\"a\n";
  write_file(path, std::as_bytes(std::span(cut)));
  CsvWriter writer(path);
  writer.write_scalars(3, {{"a\nb", 4}});
  writer.close();
  EXPECT_EQ(text_of_file(path), "step,name,value\n1,\"a\nb\",2.0\n3,\"a\nb\",4.0\n");
  EXPECT_EQ(read_series(path, {"a\nb"})[0].x, (std::vector<double>{1, 3}));
}

TEST(csv_writer, rows_after_the_last_step_go) {
  const TemporaryFolder folder;
  const std::string path = folder / "metrics.csv";
  {
    CsvWriter writer(path);
    for (const int step : {1, 3, 2}) writer.write_scalars(step, {{"a\n9", step}});
  }
  CsvWriter(path, 2).write_scalars(4, {{"b", 4}});
  EXPECT_EQ(text_of_file(path), "step,name,value\n1,\"a\n9\",1.0\n2,\"a\n9\",2.0\n4,b,4.0\n");
  CsvWriter(path, 0).close();
  EXPECT_EQ(text_of_file(path), "step,name,value\n");
}

TEST(csv_writer, other_files_are_left_alone) {
  const TemporaryFolder folder;
  const std::string other = "a,b\n";
  write_file(folder / "other.csv", std::as_bytes(std::span(other)));
  EXPECT_EQ(message_of<ParseError>([&] { CsvWriter(folder / "other.csv"); }),
            "csv_writer: " + folder / "other.csv" + " must begin with the line step,name,value; got another file.");
  EXPECT_EQ(text_of_file(folder / "other.csv"), other);
  // A title that was cut off is one of ours.
  write_file(folder / "cut.csv", std::as_bytes(std::span(other)).first(0));
  CsvWriter(folder / "cut.csv").close();
  EXPECT_EQ(text_of_file(folder / "cut.csv"), "step,name,value\n");
}

TEST(csv_reader, curves_are_whole_after_a_run_went_on) {
  const TemporaryFolder folder;
  const std::string path = folder / "curve.csv";
  {
    CsvWriter writer(path);
    for (const int step : {10, 20, 30}) writer.write_scalars(step, {{"loss", 1.0 / step}, {"a,\"b\"\n", step}});
  }
  {
    CsvWriter writer(path);  // from step 20 on once more
    for (const int step : {30, 40}) writer.write_scalars(step, {{"loss", 2.0 / step}});
  }
  const std::string whole = text_of_file(path), cut = whole + "50,lo";
  write_file(path, std::as_bytes(std::span(cut)));
  const std::vector<Series> read = read_series(path, {"loss", "none", "a,\"b\"\n"});
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].name, "loss");
  EXPECT_EQ(read[0].x, (std::vector<double>{10, 20, 30, 40}));
  EXPECT_EQ(read[0].y, (std::vector<double>{1.0 / 10, 1.0 / 20, 2.0 / 30, 2.0 / 40}));
  EXPECT_TRUE(read[1].x.empty());
  EXPECT_EQ(read[2].y, (std::vector<double>{10, 20, 30}));
  EXPECT_TRUE(read_series(folder / "absent.csv", {"loss"})[0].y.empty());
}

TEST(csv_reader, other_files_are_refused_by_row) {
  const TemporaryFolder folder;
  const std::string path = folder / "other.csv";
  const auto message = [&](const std::string& text) {
    write_file(path, std::as_bytes(std::span(text)));
    return message_of<ParseError>([&] { read_series(path, {"loss"}); });
  };
  const std::string must = "read_series: " + path + " must be a table of rows step,name,value; got ";
  EXPECT_EQ(message("a,b\n"), must + "\"a,b\" in row 1.");
  EXPECT_EQ(message("step,name,value\n1,loss,2.5\n2,loss,x\n"), must + "\"2,loss,x\" in row 3.");
  EXPECT_EQ(message("step,name,value\n1.5\n"), must + "\"1.5\" in row 2.");
}

// Writes the names of its calls to a string, waits for a gate, and throws where told.
struct Recorder : MetricWriter {
  std::string* calls;
  std::atomic<bool>* gate = nullptr;
  std::int64_t bad_step = -1;
  explicit Recorder(std::string* calls) : calls(calls) {}
  void call(const std::string& text) {
    while (gate != nullptr && !*gate) std::this_thread::yield();
    *calls += text + " ";
  }
  void write_scalars(std::int64_t step, const Scalars& scalars) override {
    if (step == bad_step)
      throw BackendError("test: a disk must have room; got none at step " + std::to_string(step) + ".");
    call(std::to_string(step) + scalars.begin()->first);
  }
  void write_images(std::int64_t, const ArrayMap& images) override { call(images.at("x").aval().str()); }
  void write_audios(std::int64_t, const ArrayMap& audios, int sample_rate) override {
    call(audios.at("x").aval().str() + "/" + std::to_string(sample_rate));
  }
  void write_texts(std::int64_t, const Texts&) override { call("texts"); }
  void write_histograms(std::int64_t, const ArrayMap& arrays, const std::map<std::string, int>&) override {
    call(arrays.at("w").str());
  }
  void write_hparams(const HParams&) override { call("hparams"); }
  void flush() override { call("flush"); }
  void close() override { call("close"); }
};

TEST(async_writer, calls_arrive_in_order_on_another_thread) {
  std::string calls;
  AsyncWriter writer(std::make_unique<Recorder>(&calls));
  for (std::int64_t step = 0; step < 5; ++step) writer.write_scalars(step, {{"a", 1}});
  writer.write_images(1, {{"x", np::zeros({2, 2, 1})}});
  writer.write_audios(1, {{"x", np::zeros({2, 1})}}, 9);
  writer.write_texts(1, {});
  writer.write_hparams({});
  writer.flush();
  EXPECT_EQ(calls, "0a 1a 2a 3a 4a f32[2,2,1] f32[2,1]/9 texts hparams flush ");
  writer.close();
  writer.close();
  EXPECT_EQ(calls, "0a 1a 2a 3a 4a f32[2,2,1] f32[2,1]/9 texts hparams flush close ");
  EXPECT_EQ(message_of<ValueError>([&] { writer.write_scalars(1, {{"a", 1}}); }),
            "async_writer: a writer must be open when it is written to; got a closed one.");
  EXPECT_THROW(AsyncWriter(std::make_unique<Recorder>(&calls), 0), ValueError);
  EXPECT_EQ(message_of<ValueError>([] { AsyncWriter(nullptr); }),
            "async_writer: there must be a writer to write with; got none.");
}

TEST(async_writer, destroying_it_writes_what_is_left) {
  std::string calls;
  {
    AsyncWriter writer(std::make_unique<Recorder>(&calls));
    for (std::int64_t step = 0; step < 3; ++step) writer.write_scalars(step, {{"a", 1}});
  }
  EXPECT_EQ(calls, "0a 1a 2a ");
}

TEST(async_writer, a_full_queue_waits) {
  std::string calls;
  std::atomic<bool> gate = false;
  std::atomic<int> pushed = 0;
  auto recorder = std::make_unique<Recorder>(&calls);
  recorder->gate = &gate;
  AsyncWriter writer(std::move(recorder), 2);
  std::thread pusher([&] {
    for (std::int64_t step = 0; step < 6; ++step, ++pushed) writer.write_scalars(step, {{"a", 1}});
  });
  while (pushed < 3) std::this_thread::yield();
  // One is being written, two wait; if there were room for more, they would come soon.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(pushed, 3);
  gate = true;
  pusher.join();
  writer.flush();
  EXPECT_EQ(calls, "0a 1a 2a 3a 4a 5a flush ");
}

TEST(async_writer, closing_it_ends_the_wait_for_room) {
  std::string calls;
  std::atomic<bool> gate = false;
  auto recorder = std::make_unique<Recorder>(&calls);
  recorder->gate = &gate;
  AsyncWriter writer(std::move(recorder), 1);
  for (std::int64_t step = 0; step < 2; ++step) writer.write_scalars(step, {{"a", 1}});
  std::thread closer([&] { writer.close(); });
  // Whichever comes first: what is written when the writer is closed is refused, and never written after the end.
  EXPECT_THROW(writer.write_scalars(2, {{"a", 1}}), ValueError);
  gate = true;
  closer.join();
  EXPECT_EQ(calls, "0a 1a close ");
}

TEST(async_writer, errors_come_with_a_later_call_once_and_lose_nothing_else) {
  std::string calls;
  auto recorder = std::make_unique<Recorder>(&calls);
  recorder->bad_step = 1;
  AsyncWriter writer(std::move(recorder));
  writer.write_scalars(0, {{"a", 1}});
  writer.write_scalars(1, {{"a", 1}});
  EXPECT_EQ(message_of<BackendError>([&] { writer.flush(); }), "test: a disk must have room; got none at step 1.");
  EXPECT_EQ(calls, "0a flush ");
  writer.write_scalars(2, {{"a", 1}});
  writer.flush();
  writer.write_scalars(1, {{"a", 1}});
  EXPECT_THROW(writer.close(), BackendError);
  EXPECT_EQ(calls, "0a flush 2a flush close ");
}

TEST(async_writer, arrays_may_be_donated_after_the_call) {
  std::string calls;
  std::atomic<bool> gate = false;
  auto recorder = std::make_unique<Recorder>(&calls);
  recorder->gate = &gate;
  AsyncWriter writer(std::move(recorder));
  Array w = np::arange(3.0f) + 1;
  writer.write_histograms(0, {{"w", w}});
  const auto twice = jit([](const Array& x) { return x * 2; }, {.donate = {0}});
  const Array doubled = twice(std::move(w));
  gate = true;
  writer.flush();
  EXPECT_EQ(calls, "[1. 2. 3.] flush ");
}

TEST(multi_writer, all_writers_get_each_call_also_when_one_throws) {
  std::string a, b;
  std::vector<std::unique_ptr<MetricWriter>> writers;
  auto bad = std::make_unique<Recorder>(&a);
  bad->bad_step = 1;
  writers.push_back(std::move(bad));
  writers.push_back(std::make_unique<Recorder>(&b));
  MultiWriter writer(std::move(writers));
  writer.write_scalars(0, {{"x", 1}});
  EXPECT_THROW(writer.write_scalars(1, {{"x", 1}}), BackendError);
  writer.write_texts(1, {});
  writer.close();
  EXPECT_EQ(a, "0x texts close ");
  EXPECT_EQ(b, "0x 1x texts close ");
  std::vector<std::unique_ptr<MetricWriter>> with_none(1);
  EXPECT_EQ(message_of<ValueError>([&] { MultiWriter(std::move(with_none)); }),
            "multi_writer: there must be a writer in each place; got none in one.");
}

TEST(default_writer, writes_to_the_console_and_to_event_files) {
  const TemporaryFolder folder;
  ::testing::internal::CaptureStderr();
  {
    const auto writer = create_default_writer(folder / "run", {.collection = "train"});
    writer->write_scalars(3, {{"loss", 0.5}});
    writer->close();
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "[3] collection=train loss=0.5\n");
  const auto entry = *std::filesystem::directory_iterator(folder / "run/train");
  EXPECT_EQ(seen(read_tf_records(entry.path().string()).at(1)).values.at(0).tag, "loss");
  ::testing::internal::CaptureStderr();
  create_default_writer(folder / "none", {.just_logging = true, .asynchronous = false})->write_scalars(1, {{"a", 1}});
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "[1] a=1\n");
  EXPECT_FALSE(file_exists(folder / "none"));
}

}  // namespace
}  // namespace weft::train
