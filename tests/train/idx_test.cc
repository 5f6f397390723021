#include "train/idx.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "harness/errors.h"
#include "temporary_folder.h"
#include "train/file.h"
#include "train/gzip.h"

namespace weft::train {
namespace {

using testing::message_of;

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int v : values) out.push_back(static_cast<std::byte>(v));
  return out;
}

const std::vector<std::byte> kSmall = bytes({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6});

std::string fault(const std::vector<std::byte>& data) {
  return message_of<ParseError>([&] { parse_idx(data, "f.idx"); });
}

TEST(idx, bytes_are_read_with_their_shape) {
  const IdxFile file = parse_idx(kSmall, "small");
  EXPECT_EQ(file.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.dtype, u8);
  EXPECT_EQ(file.data, bytes({1, 2, 3, 4, 5, 6}));
}

TEST(idx, gzip_is_recognised_by_content) {
  const IdxFile file = parse_idx(gzip(kSmall), "small");
  EXPECT_EQ(file.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.data, bytes({1, 2, 3, 4, 5, 6}));
}

template <class T>
void expect_element(int code, DType dtype, std::initializer_list<int> big_endian, T value) {
  std::vector<std::byte> data = bytes({0, 0, code, 1, 0, 0, 0, 1});
  for (const int v : big_endian) data.push_back(static_cast<std::byte>(v));
  const IdxFile file = parse_idx(data, "element");
  EXPECT_EQ(file.dtype, dtype);
  ASSERT_EQ(file.data.size(), sizeof(T));
  T got{};
  std::memcpy(&got, file.data.data(), sizeof got);
  EXPECT_EQ(got, value);
}

TEST(idx, every_element_type_is_read_in_the_hosts_byte_order) {
  expect_element<std::uint8_t>(0x08, u8, {0xfe}, 254);
  expect_element<std::int8_t>(0x09, i8, {0xfe}, -2);
  expect_element<std::int16_t>(0x0b, i16, {0x01, 0x02}, 0x0102);
  expect_element<std::int32_t>(0x0c, i32, {0xff, 0xff, 0xff, 0xfd}, -3);
  expect_element<float>(0x0d, f32, {0x3f, 0xc0, 0, 0}, 1.5F);
  expect_element<double>(0x0e, f64, {0xc0, 0x04, 0, 0, 0, 0, 0, 0}, -2.5);
}

TEST(idx, scalars_and_empty_shapes_are_files_too) {
  EXPECT_EQ(parse_idx(bytes({0, 0, 8, 0, 7}), "scalar").data, bytes({7}));
  // The other size does not matter, however large, when one is zero.
  const IdxFile empty = parse_idx(bytes({0, 0, 14, 2, 255, 255, 255, 255, 0, 0, 0, 0}), "empty");
  EXPECT_EQ(empty.shape, (std::vector<std::int64_t>{4294967295, 0}));
  EXPECT_TRUE(empty.data.empty());
}

TEST(idx, what_is_written_reads_back) {
  const TemporaryFolder folder;
  IdxFile file;
  file.shape = {2, 1, 2};
  file.dtype = f32;
  const float values[] = {1, -2, 3.5F, 0};
  file.data.resize(sizeof values);
  std::memcpy(file.data.data(), values, sizeof values);
  write_idx(folder / "a", file);
  const IdxFile back = read_idx(folder / "a");
  EXPECT_EQ(back.shape, file.shape);
  EXPECT_EQ(back.dtype, f32);
  EXPECT_EQ(back.data, file.data);
  EXPECT_EQ(read_file(folder / "a").size(), 4u + 3 * 4 + 16);
  EXPECT_EQ(folder.count(), 1u);
}

TEST(idx, writing_refuses_what_the_format_cannot_say) {
  EXPECT_THROW(write_idx("unused", {{1}, u32, bytes({0, 0, 0, 0})}), DTypeError);
  EXPECT_THROW(write_idx("unused", {{2}, u8, bytes({0})}), ShapeError);
  EXPECT_THROW(write_idx("unused", {{-1}, u8, bytes({0})}), ShapeError);
  EXPECT_THROW(write_idx("unused", {{std::int64_t{1} << 32}, u8, {}}), ShapeError);
  EXPECT_EQ(message_of<ShapeError>([] { write_idx("unused", {{4294967295, 4294967295, 4294967295}, u8, bytes({1})}); }),
            "write_idx: the data must fill the shape, whose sizes need 32 bits at most; got "
            "u8[4294967295,4294967295,4294967295] and 1 byte.");
}

TEST(idx, foreign_files_are_refused) {
  EXPECT_EQ(fault({}), "parse_idx: f.idx must have an IDX header of at least 4 bytes; got 0 bytes.");
  EXPECT_EQ(fault(bytes({0x89, 'P', 'N', 'G'})),
            "parse_idx: f.idx must be an IDX file, which starts with two zero bytes; got 0x89 0x50.");
  EXPECT_EQ(fault(bytes({0, 0, 0x0a, 1})),
            "parse_idx: f.idx must have element type 0x08 (u8), 0x09 (i8), 0x0b (i16), 0x0c (i32), 0x0d (f32) or "
            "0x0e (f64); got 0x0a.");
  EXPECT_EQ(fault(bytes({0, 0, 8, 3, 0, 0})),
            "parse_idx: f.idx must have a header of 16 bytes for its 3 sizes; got 6 bytes.");
}

TEST(idx, every_truncation_is_refused) {
  for (std::size_t n = 0; n < kSmall.size(); ++n) EXPECT_NE(fault({kSmall.begin(), kSmall.begin() + n}), "") << n;
  const std::vector<std::byte> packed = gzip(kSmall);
  for (std::size_t n = 0; n < packed.size(); ++n) EXPECT_NE(fault({packed.begin(), packed.begin() + n}), "") << n;
  EXPECT_EQ(fault({kSmall.begin(), kSmall.end() - 1}),
            "parse_idx: f.idx must hold 6 bytes of data for u8[2,3]; got 5, so it is truncated.");
  EXPECT_EQ(fault({packed.begin(), packed.end() - 1}),
            "parse_idx: f.idx must be a whole gzip stream; got a stream "
            "truncated after " +
                std::to_string(packed.size() - 1) + " bytes.");
}

TEST(idx, trailing_data_is_refused) {
  std::vector<std::byte> data = kSmall;
  data.push_back(std::byte{9});
  EXPECT_EQ(fault(data), "parse_idx: f.idx must end after the 6 bytes of u8[2,3]; got 1 trailing byte.");
  EXPECT_EQ(fault(gzip(data)), "parse_idx: f.idx must unpack to at most 18 bytes; got more.");
  data = gzip(kSmall);
  data.push_back(std::byte{9});
  EXPECT_EQ(fault(data), "parse_idx: f.idx must end with its gzip stream; got 1 trailing byte.");
}

TEST(idx, damaged_gzip_is_refused) {
  std::vector<std::byte> data = gzip(kSmall);
  data[data.size() - 6] ^= std::byte{1};  // the checksum
  EXPECT_EQ(fault(data), "parse_idx: f.idx must be a valid gzip stream; got \"incorrect data check\".");
}

TEST(idx, sizes_whose_product_overflows_are_refused_without_allocating) {
  std::vector<std::byte> data = bytes({0, 0, 14, 4});
  for (int i = 0; i < 16; ++i) data.push_back(std::byte{0xff});
  const std::string must =
      "parse_idx: f.idx must hold the data of f64[4294967295,4294967295,4294967295,4294967295], which is more than any "
      "file can; got 0 bytes, so it is truncated.";
  EXPECT_EQ(fault(data), must);
  EXPECT_EQ(fault(gzip(data)), must);
  // Just below the limit the bytes are counted.
  data = bytes({0, 0, 14, 2, 255, 255, 255, 255, 7, 255, 255, 255});
  EXPECT_EQ(
      fault(data),
      "parse_idx: f.idx must hold 4611685982993907720 bytes of data for f64[4294967295,134217727]; got 0, so it is "
      "truncated.");
}

TEST(idx, a_gzip_bomb_stops_at_the_size_that_its_header_tells) {
  std::vector<std::byte> data = bytes({0, 0, 8, 1, 0, 0, 0, 10});
  data.resize(std::size_t{1} << 24);
  EXPECT_EQ(fault(gzip(data)), "parse_idx: f.idx must unpack to at most 18 bytes; got more.");
}

TEST(idx, missing_files_and_folders_are_backend_errors) {
  EXPECT_EQ(message_of<BackendError>([] { read_idx("/nonexistent/x.idx"); }),
            "read_idx: /nonexistent/x.idx must be readable; got \"No such file or directory\".");
  const TemporaryFolder folder;
  EXPECT_THROW(read_idx(folder.path()), BackendError);
}

TEST(idx, the_real_digits_have_their_known_shapes_and_contents) {
  const char* root = std::getenv("WEFT_DATA_DIR");
  if (root == nullptr) GTEST_SKIP() << "WEFT_DATA_DIR is not set: the real MNIST files are not here";
  const std::string folder = std::string(root) + "/mnist/";
  const IdxFile images = read_idx(folder + "t10k-images-idx3-ubyte.gz");
  EXPECT_EQ(images.shape, (std::vector<std::int64_t>{10000, 28, 28}));
  EXPECT_EQ(images.dtype, u8);
  const IdxFile labels = read_idx(folder + "t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(labels.shape, (std::vector<std::int64_t>{10000}));
  // The first test digits, as published.
  EXPECT_EQ(std::vector(labels.data.begin(), labels.data.begin() + 5), bytes({7, 2, 1, 0, 4}));
}

}  // namespace
}  // namespace weft::train
