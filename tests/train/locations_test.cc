// Every function of the library that refuses something says on which line of the user's it was called, and as what.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "temporary_folder.h"
#include "train/async_writer.h"
#include "train/checkpoint.h"
#include "train/common_utils.h"
#include "train/csv_reader.h"
#include "train/csv_writer.h"
#include "train/data.h"
#include "train/data_folder.h"
#include "train/digits.h"
#include "train/dynamic_scale.h"
#include "train/file.h"
#include "train/gzip.h"
#include "train/histogram.h"
#include "train/idx.h"
#include "train/image_sheet.h"
#include "train/images.h"
#include "train/metrics.h"
#include "train/mnist.h"
#include "train/msgpack.h"
#include "train/multi_writer.h"
#include "train/periodic_actions.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "train/safetensors.h"
#include "train/shuffle.h"
#include "train/summary_writer.h"
#include "train/train_state.h"
#include "train/wav.h"
#include "weft/base/error.h"

namespace weft::train {
namespace {

struct LocatedCall {
  const char* name;
  std::function<void()> call;
  int line;
};

void expect_located(std::span<const LocatedCall> calls) {
  for (const LocatedCall& c : calls) {
    SCOPED_TRACE(std::string(c.name) + " on line " + std::to_string(c.line));
    try {
      c.call();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& e) {
      EXPECT_EQ(e.location().str(), "locations_test.cc:" + std::to_string(c.line)) << e.what();
      EXPECT_EQ(e.message().substr(0, e.message().find(':')), c.name) << e.what();
    }
    EXPECT_FALSE(current_location());
  }
}

TEST(locations, errors_bear_the_users_line_and_the_name_of_what_was_called) {
  const TemporaryFolder folder;
  const std::string foreign = folder / "foreign", none = "/nonexistent/x", loop = folder / "loop";
  std::filesystem::create_symlink("loop", loop);
  const std::byte byte{1};
  write_file(foreign, std::span(&byte, 1));
  MnistOptions damaged, empty;
  damaged.folder = empty.folder = folder / "mnist";
  for (const char* name :
       {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    make_folders(folder / "damaged");
    write_file(folder / "damaged/" + name, std::span(&byte, 1));
  }
  make_folders(empty.folder);
  damaged.folder = folder / "damaged";
  const std::vector<double> one{1}, two{1, 2};
  const LocatedCall calls[] = {
      {"read_file", [&] { read_file(none); }, __LINE__},
      {"write_file", [&] { write_file(none, {}); }, __LINE__},
      {"file_exists", [&] { file_exists(loop); }, __LINE__},
      {"folder_exists", [&] { folder_exists(loop); }, __LINE__},
      {"make_folders", [&] { make_folders(foreign + "/below"); }, __LINE__},
      {"gunzip", [&] { gunzip(std::span(&byte, 1), 9, "memory"); }, __LINE__},
      {"gunzip_prefix", [&] { gunzip_prefix(std::span(&byte, 1), 9, "memory"); }, __LINE__},
      {"read_idx", [&] { read_idx(none); }, __LINE__},
      {"read_idx", [&] { read_idx(foreign); }, __LINE__},
      {"parse_idx", [&] { parse_idx({}, "memory"); }, __LINE__},
      {"write_idx", [&] { write_idx(none, {{2}, u8, {}}); }, __LINE__},
      {"load_mnist", [&] { load_mnist(damaged); }, __LINE__},
      {"load_mnist", [&] { load_mnist(empty); }, __LINE__},
      {"download", [&] { download("https://example.org/a", none, {.programs = {}}); }, __LINE__},
      {"encode_png", [&] { encode_png({}); }, __LINE__},
      {"decode_png", [&] { decode_png({}, "memory"); }, __LINE__},
      {"read_png", [&] { read_png(foreign); }, __LINE__},
      {"write_png", [&] { write_png(none, {1, 1, 1, {0}}); }, __LINE__},
      {"draw_digits", [&] { draw_digits(-1, 0); }, __LINE__},
      {"canvas", [&] { Canvas(0, 1); }, __LINE__},
      {"canvas", [&] { Canvas(1, 1).pixel(1, 1); }, __LINE__},
      {"canvas", [&] { Canvas(1, 1).path(one, two, kBlack); }, __LINE__},
      {"canvas", [&] { Canvas(1, 1).draw(0, 0, {.channels = 2}); }, __LINE__},
      {"write_png", [&] { Canvas(1, 1).write(none); }, __LINE__},
      {"draw_plot", [&] { draw_plot({}); }, __LINE__},
      {"line_plot", [&] { line_plot(none, Plot{}); }, __LINE__},
      {"line_plot", [&] { line_plot(none, "title", "x", "y", {{.x = one, .y = two}}); }, __LINE__},
      {"draw_image_sheet", [&] { draw_image_sheet({}); }, __LINE__},
      {"image_sheet", [&] { image_sheet(none, {}); }, __LINE__},
      {"data_folder", [&] { data_folder("none/such"); }, __LINE__},
      {"progress", [&] { Progress("label", -1, "images"); }, __LINE__},
  };
  expect_located(calls);
}

TEST(locations, so_do_those_of_checkpoints_metrics_writers_and_data) {
  const TemporaryFolder folder;
  const std::string foreign = folder / "foreign", none = "/proc/none";
  const std::byte byte{0xc1};
  write_file(foreign, std::span(&byte, 1));
  const Array x = np::zeros({2});
  const std::map<std::string, Array> clash{{"a", x}, {"a/b", x}};
  const auto loss = [](Array w) { return np::sum(w); };
  const LocatedCall calls[] = {
      {"to_state_dict", [&] { to_state_dict(clash); }, __LINE__},
      {"from_state_dict", [&] { from_state_dict(x, StateDict()); }, __LINE__},
      {"at", [&] { (void)StateDict().at("key"); }, __LINE__},
      {"msgpack_serialize", [&] { msgpack_serialize(x, {.max_chunk_bytes = 0}); }, __LINE__},
      {"msgpack_restore", [&] { msgpack_restore({}); }, __LINE__},
      {"to_bytes", [&] { to_bytes(clash); }, __LINE__},
      {"from_bytes", [&] { from_bytes(x, {}); }, __LINE__},
      {"serialize_safetensors", [&] { serialize_safetensors({{{"x", Array()}}, {}}); }, __LINE__},
      {"parse_safetensors", [&] { parse_safetensors({}); }, __LINE__},
      {"write_safetensors", [&] { write_safetensors(none + "/x", {}); }, __LINE__},
      {"read_safetensors", [&] { read_safetensors(foreign); }, __LINE__},
      {"to_safetensors", [&] { to_safetensors(clash); }, __LINE__},
      {"from_safetensors", [&] { from_safetensors(x, {}); }, __LINE__},
      {"save_checkpoint", [&] { save_checkpoint(none, x, 1); }, __LINE__},
      {"restore_checkpoint", [&] { restore_checkpoint(foreign, x); }, __LINE__},
      {"restore_checkpoint", [&] { restore_checkpoint(foreign); }, __LINE__},
      {"restore_or_initialize", [&] { restore_or_initialize(foreign, x); }, __LINE__},
      {"latest_checkpoint", [&] { latest_checkpoint(foreign); }, __LINE__},
      {"save_checkpoint", [&] { AsyncCheckpointer().save(none, x, -1); }, __LINE__},
      {"run_folder", [&] { RunFolder(""); }, __LINE__},
      {"restore", [&] { RunFolder(foreign).restore(x); }, __LINE__},
      {"learned", [&] { RunFolder(folder / "empty").learned(x); }, __LINE__},
      {"write_scalars", [&] { RunFolder(none).write_scalars(1, {}); }, __LINE__},
      {"writer", [&] { RunFolder(none).writer(); }, __LINE__},
      {"save", [&] { RunFolder(none).save(x, 1); }, __LINE__},
      {"series", [&] { RunFolder(none).series({}); }, __LINE__},
      {"settings_of", [&] { settings_of(foreign); }, __LINE__},
      {"Accuracy", [&] { metrics::from_model_output<metrics::Accuracy>({}); }, __LINE__},
      {"Average", [&] { metrics::compute(metrics::Average{x, x}); }, __LINE__},
      {"reduce", [&] { metrics::reduce(metrics::Average::empty()); }, __LINE__},
      {"histogram", [&] { histogram(x, 0); }, __LINE__},
      {"images_of", [&] { images_of(x); }, __LINE__},
      {"wavs_of", [&] { wavs_of(x, 1); }, __LINE__},
      {"summary_writer", [&] { SummaryWriter(none + "/x"); }, __LINE__},
      {"csv_writer", [&] { CsvWriter(none + "/x"); }, __LINE__},
      {"read_series", [&] { read_series(folder.path(), {}); }, __LINE__},
      {"create_default_writer", [&] { create_default_writer(none + "/x"); }, __LINE__},
      {"async_writer", [&] { AsyncWriter(nullptr, 0); }, __LINE__},
      {"async_writer", [&] { AsyncWriter(nullptr); }, __LINE__},
      {"multi_writer", [&] { MultiWriter(std::vector<std::unique_ptr<MetricWriter>>(1)); }, __LINE__},
      {"periodic_action", [&] { PeriodicCallback({.every_steps = 0}, {}); }, __LINE__},
      {"periodic_callback", [&] { PeriodicCallback({}, {}); }, __LINE__},
      {"profile_action", [&] { ProfileAction({}); }, __LINE__},
      {"dynamic_scale", [&] { DynamicScale().value_and_grad(loss, {.growth_factor = 0}); }, __LINE__},
      {"shuffled", [&] { shuffled(-1, 0, 0); }, __LINE__},
      {"prefetcher", [&] { Prefetcher<int>({}, 0); }, __LINE__},
      {"array_source", [&] { ArraySource<Array>(Array(1.0f)); }, __LINE__},
      {"pipeline", [&] { Pipeline<ArraySource<Array>>(ArraySource<Array>(x), {.batch_size = 0}); }, __LINE__},
      {"seek", [&] { Pipeline<ArraySource<Array>>(ArraySource<Array>(x)).seek({.epoch = -1}); }, __LINE__},
      {"shard", [&] { shard(x, 3); }, __LINE__},
      {"unshard", [&] { unshard(x); }, __LINE__},
      {"stack_forest", [&] { stack_forest(std::vector<Array>()); }, __LINE__},
      {"onehot", [&] { onehot(x, 3); }, __LINE__},
  };
  expect_located(calls);
}

}  // namespace
}  // namespace weft::train
