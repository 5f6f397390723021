// What examples/resnet is made of, its main program aside.
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include "harness/errors.h"
#include "resnet/data.h"
#include "resnet/step.h"
#include "train/file.h"
#include "train/temporary_folder.h"

namespace resnet {
namespace {

using weft::Array;
using weft::testing::error_of;

// ---- CIFAR-10's files ----

constexpr int kRecord = 1 + 3 * 32 * 32;

// The class of picture i, and the value of a pixel of it.
int label(int file, int i) { return (3 * file + i) % 10; }
int pixel(int file, int i, int plane, int row, int column) {
  return (file + 7 * i + 50 * plane + 5 * row + column) % 256;
}

std::vector<std::byte> records(int file, int count) {
  std::vector<std::byte> bytes;
  for (int i = 0; i < count; ++i) {
    bytes.push_back(std::byte(label(file, i)));
    for (int plane = 0; plane < 3; ++plane)
      for (int row = 0; row < 32; ++row)
        for (int column = 0; column < 32; ++column) bytes.push_back(std::byte(pixel(file, i, plane, row, column)));
  }
  return bytes;
}

// Files of two pictures each; the test's is file 0.
void write_cifar10(const std::string& folder) {
  for (int file = 1; file <= 5; ++file)
    weft::train::write_file(folder + "/data_batch_" + std::to_string(file) + ".bin", records(file, 2));
  weft::train::write_file(folder + "/test_batch.bin", records(0, 2));
}

void expect_picture(const Images& images, int at, int file, int i) {
  EXPECT_EQ(images.labels(at).item<int>(), label(file, i));
  for (const auto& [plane, row, column] : {std::array{0, 0, 0}, {1, 0, 31}, {2, 31, 0}, {0, 17, 4}, {2, 31, 31}})
    EXPECT_EQ(images.pixels(at, row, column, plane).item<int>(), pixel(file, i, plane, row, column)) << at;
}

TEST(cifar10, pictures_come_in_the_order_of_the_files_with_their_channels_last) {
  const weft::train::TemporaryFolder folder;
  write_cifar10(folder.path());
  const DataSet data = load_cifar10(folder.path());
  EXPECT_EQ(data.classes.size(), 10U);
  EXPECT_EQ(data.train.pixels.shape(), (weft::Shape{10, 32, 32, 3}));
  EXPECT_EQ(data.train.size(), 10);
  EXPECT_EQ(data.test.size(), 2);
  for (int at = 0; at < 10; ++at) expect_picture(data.train, at, 1 + at / 2, at % 2);
  for (int at = 0; at < 2; ++at) expect_picture(data.test, at, 0, at);
}

TEST(cifar10, files_that_are_missing_or_cut_off_are_refused) {
  const weft::train::TemporaryFolder folder;
  EXPECT_THROW(load_cifar10(folder.path()), weft::BackendError);
  write_cifar10(folder.path());
  std::vector<std::byte> bytes = records(3, 2);
  bytes.pop_back();
  weft::train::write_file(folder / "data_batch_3.bin", bytes);
  EXPECT_EQ(error_of([&] { load_cifar10(folder.path()); }),
            "ParseError: cifar10: a file must have 3073 bytes for each picture; got " +
                std::to_string(2 * kRecord - 1) + " in \"" + folder / "data_batch_3.bin\".");
  weft::train::write_file(folder / "data_batch_3.bin", {});
  EXPECT_THROW(load_cifar10(folder.path()), weft::ParseError);
}

// ---- the step ----

TEST(step, the_weights_that_decay_are_those_of_convolutions_and_the_last_layer) {
  const resnet::Model model{.stage_sizes = {3, 3, 3}, .filters = 4, .classes = 10};
  const auto state = resnet::first_state(model, resnet::optimizer(0.1, 0, 100), weft::random::key(0));
  int decaying = 0, biases = 0;
  for (const auto& [path, leaf] : weft::tree::leaves_with_path(state.train.params)) {
    // Batch normalisation's scales and shifts have one axis, as the bias of the last layer.
    EXPECT_EQ(resnet::decays(path), leaf.ndim() > 1) << path;
    decaying += resnet::decays(path) ? 1 : 0;
    biases += path.ends_with("bias']") ? 1 : 0;
  }
  // The stem, two convolutions in each of 9 blocks, one beside two of them, which change the size, and the last layer.
  EXPECT_EQ(decaying, 1 + 2 * 9 + 2 + 1);
  // One for each convolution's normalisation, and the last layer's.
  EXPECT_EQ(biases, 1 + 2 * 9 + 2 + 1);
}

TEST(step, images_are_moved_by_4_pixels_at_most_and_mirrored_in_half_of_the_cases) {
  // A vertical line in the middle of the left half, on a picture without edges.
  const Array image = weft::np::zeros({32, 32, 3}, weft::u8).at(weft::slice(), 11).set(255);
  int mirrored = 0;
  for (int seed = 0; seed < 60; ++seed) {
    const Array moved = resnet::augmented(weft::random::key(seed), image);
    EXPECT_EQ(moved.shape(), image.shape());
    const int line = weft::np::argmax(moved(16, weft::slice(), 0)).item<int>();
    if (line >= 16) ++mirrored;
    EXPECT_LE(std::abs(line >= 16 ? 31 - line - 11 : line - 11), 4) << seed;
  }
  EXPECT_GT(mirrored, 15);
  EXPECT_LT(mirrored, 45);
}

}  // namespace
}  // namespace resnet
