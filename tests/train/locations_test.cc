// Every function of the library that refuses something says on which line of the user's it was called, and as what.
#include <gtest/gtest.h>

#include <functional>

#include "temporary_folder.h"
#include "train/digits.h"
#include "train/file.h"
#include "train/gzip.h"
#include "train/idx.h"
#include "train/mnist.h"
#include "train/plot.h"
#include "train/progress.h"
#include "train/sheet.h"
#include "weft/base/error.h"

namespace weft::train {
namespace {

TEST(locations, errors_bear_the_users_line_and_the_name_of_what_was_called) {
  const TemporaryFolder folder;
  const std::string foreign = folder / "foreign", none = "/nonexistent/x";
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
  const struct {
    const char* name;
    std::function<void()> call;
    int line;
  } calls[] = {
      {"read_file", [&] { read_file(none); }, __LINE__},
      {"write_file", [&] { write_file(none, {}); }, __LINE__},
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
      {"canvas", [&] { Canvas(1, 1).grey(0, 0, {}, 1, 1); }, __LINE__},
      {"write_png", [&] { Canvas(1, 1).write(none); }, __LINE__},
      {"draw_plot", [&] { draw_plot({}); }, __LINE__},
      {"line_plot", [&] { line_plot(none, Plot{}); }, __LINE__},
      {"line_plot", [&] { line_plot(none, "title", "x", "y", {{.x = one, .y = two}}); }, __LINE__},
      {"draw_digit_sheet", [&] { draw_digit_sheet({.scale = 0}); }, __LINE__},
      {"digit_sheet", [&] { digit_sheet(none, {.scale = 0}); }, __LINE__},
      {"progress", [&] { Progress("label", -1, "images"); }, __LINE__},
  };
  for (const auto& c : calls) {
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

}  // namespace
}  // namespace weft::train
