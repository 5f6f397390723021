#include "train/png.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "temporary_folder.h"
#include "train/file.h"

namespace weft::train {
namespace {

using testing::message_of;

Image sample(int width, int height, int channels) {
  Image out{width, height, channels, {}};
  for (int i = 0; i < width * height * channels; ++i) out.pixels.push_back(static_cast<std::uint8_t>(i * 37));
  return out;
}

TEST(png, grey_and_colour_images_read_back_as_they_were) {
  const TemporaryFolder folder;
  for (const int channels : {1, 3}) {
    const Image image = sample(13, 7, channels);
    write_png(folder / "a.png", image);
    const Image back = read_png(folder / "a.png");
    EXPECT_EQ(back.width, 13);
    EXPECT_EQ(back.height, 7);
    EXPECT_EQ(back.channels, channels);
    EXPECT_EQ(back.pixels, image.pixels);
  }
  EXPECT_EQ(folder.count(), 1u);
}

TEST(png, the_header_says_what_the_standard_wants) {
  const auto bytes = encode_png(sample(300, 2, 3));
  const std::uint8_t expected[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D',
                                   'R',  0,   0,   1,   44,   0,    0,    0,    2, 8, 2, 0,  0,   0};
  ASSERT_GT(bytes.size(), sizeof expected);
  for (std::size_t i = 0; i < sizeof expected; ++i) EXPECT_EQ(std::to_integer<int>(bytes[i]), expected[i]) << i;
}

TEST(png, images_that_their_pixels_do_not_fill_are_refused) {
  EXPECT_EQ(message_of<ShapeError>([] { encode_png({2, 2, 3, {1, 2, 3}}); }),
            "encode_png: pixels must fill a non-empty image of 1 or 3 channels; got 3 bytes for 2x2 pixels of 3 "
            "channels.");
  EXPECT_THROW(encode_png({0, 2, 1, {}}), ShapeError);
  EXPECT_THROW(encode_png({-1, -2, 1, {1, 2}}), ShapeError);
  EXPECT_THROW(encode_png({1, 1, 2, {1, 2}}), ShapeError);
}

TEST(png, damaged_files_are_refused) {
  auto bytes = encode_png(sample(20, 20, 1));
  EXPECT_THROW(decode_png({}, "f"), ParseError);
  for (std::size_t n = 0; n < bytes.size() - 16; n += 7)
    EXPECT_THROW(decode_png(std::span(bytes).first(n), "f"), ParseError) << n;
  bytes[60] ^= std::byte{0xff};
  EXPECT_EQ(message_of<ParseError>([&] { decode_png(bytes, "f"); }).rfind("decode_png: f must be a valid PNG file", 0),
            0u);
}

TEST(png, a_folder_that_is_missing_is_a_backend_error) {
  EXPECT_THROW(write_png("/nonexistent/a.png", sample(1, 1, 1)), BackendError);
  EXPECT_THROW(read_png("/nonexistent/a.png"), BackendError);
}

}  // namespace
}  // namespace weft::train
