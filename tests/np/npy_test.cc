// The byte strings are files that np.save of NumPy 1.24 wrote.
#include "weft/np/npy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <complex>
#include <csignal>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "harness/files.h"
#include "weft/base/text.h"

namespace weft::np {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(std::string_view s) {
  return {reinterpret_cast<const std::byte*>(s.data()), s.size()};
}

// A version 1.0 file; the header is padded the way np.save pads.
std::string file_of(std::string header, std::string_view data) {
  header.append(118 - 1 - header.size(), ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" + std::string(data);
}

template <std::size_t N>
std::string_view raw(const char (&s)[N]) {
  return {s, N - 1};
}

template <class T>
std::vector<T> elements(const NpyData& d) {
  std::vector<T> out(d.bytes.size() / sizeof(T));
  std::memcpy(out.data(), d.bytes.data(), d.bytes.size());
  return out;
}

std::string error_of(std::string_view file, NpyOptions options = {}) {
  try {
    read_npy(bytes_of(file), "x.npy", options);
  } catch (const ParseError& e) {
    return e.message();
  }
  return "no error";
}

// A folder of its own for every test, removed afterwards.
class Npy : public ::testing::Test {
 protected:
  Npy() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / ("weft_npy_" + number_str(std::random_device()()) + test->name());
    fs::create_directory(folder_);
  }
  ~Npy() override { fs::remove_all(folder_); }
  fs::path folder_;
};
using npy = Npy;

const std::string kI16Matrix =
    file_of("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }", raw("\1\0\2\0\3\0\4\0\5\0\6\0"));

TEST_F(npy, written_files_equal_those_of_numpy) {
  const std::int16_t m[] = {1, 2, 3, 4, 5, 6};
  const float s = 1.5f;
  const bool b[] = {true, false};
  const std::complex<float> c[] = {{1, 2}};
  const auto written = [&](Aval aval, const void* data) {
    write_npy(folder_ / "a.npy", {aval, data});
    return testing::read_file(folder_ / "a.npy");
  };
  const auto shape = [](std::initializer_list<std::int64_t> d) { return Dims(d); };
  EXPECT_EQ(written(Aval(i16, shape({2, 3})), m), kI16Matrix);
  EXPECT_EQ(written(Aval(f32, {}), &s),
            file_of("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", raw("\0\0\xc0?")));
  EXPECT_EQ(written(Aval(boolean, shape({2})), b),
            file_of("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", raw("\1\0")));
  EXPECT_EQ(written(Aval(c64, shape({1})), c),
            file_of("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", raw("\0\0\x80?\0\0\0@")));
  EXPECT_EQ(written(Aval(u8, shape({0, 3})), nullptr),
            file_of("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 3), }", ""));
  EXPECT_EQ(written(Aval(bf16, shape({1})), "\x80?"),
            file_of("{'descr': '<V2', 'fortran_order': False, 'shape': (1,), }", "\x80?"));
}

TEST_F(npy, long_headers_stay_aligned) {
  for (std::size_t rank = 0; rank <= kMaxRank; ++rank) {
    const Aval aval(f64, Dims(rank, 1));
    const std::vector<std::byte> header = npy_header(aval);
    EXPECT_EQ(header.size() % 64, 0u);
    std::string file(reinterpret_cast<const char*>(header.data()), header.size());
    EXPECT_TRUE(read_npy(bytes_of(file + std::string(8, '\0'))).aval == aval);
  }
}

TEST_F(npy, every_dtype_reads_back) {
  std::vector<std::byte> data(96);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = std::byte(i * 37 + 11);
  for (int t = 0; t < kNumComputeDTypes; ++t) {
    const Aval aval(static_cast<DType>(t), Dims{2, 3});
    auto source = data;
    if (aval.dtype() == boolean)
      for (auto& b : source) b &= std::byte{1};
    write_npy(folder_ / "a.npy", {aval, source.data()});
    const NpyData back = read_npy(folder_ / "a.npy", {.v2_is_bfloat16 = true});
    EXPECT_TRUE(back.aval == aval) << back.aval.str();
    source.resize(static_cast<std::size_t>(aval.bytes()));
    EXPECT_EQ(back.bytes, source) << aval.str();
  }
}

TEST_F(npy, fortran_order_is_transposed) {
  const NpyData d = read_npy(
      bytes_of(file_of("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }", raw("\1\0\4\0\2\0\5\0\3\0\6\0"))));
  EXPECT_EQ(d.aval.str(), "i16[2,3]");
  EXPECT_EQ(elements<std::int16_t>(d), (std::vector<std::int16_t>{1, 2, 3, 4, 5, 6}));
  std::string data(24, '\0');
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k)
        data[static_cast<std::size_t>(i + 2 * j + 6 * k)] = static_cast<char>(12 * i + 4 * j + k);
  const NpyData cube =
      read_npy(bytes_of(file_of("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }", data)));
  for (std::size_t i = 0; i < 24; ++i) EXPECT_EQ(std::to_integer<std::size_t>(cube.bytes[i]), i);
  EXPECT_EQ(read_npy(bytes_of(file_of("{'descr': '<f4', 'fortran_order': True, 'shape': (0, 3), }", ""))).aval.str(),
            "f32[0,3]");
}

TEST_F(npy, big_endian_numbers_are_swapped) {
  const NpyData c =
      read_npy(bytes_of(file_of("{'descr': '>c8', 'fortran_order': False, 'shape': (1,), }", raw("?\x80\0\0@\0\0\0"))));
  EXPECT_EQ(elements<std::complex<float>>(c)[0], std::complex<float>(1, 2));
  const NpyData i =
      read_npy(bytes_of(file_of("{'descr': '>i2', 'fortran_order': True, 'shape': (1, 2), }", raw("\1\2\xff\xfe"))));
  EXPECT_EQ(elements<std::int16_t>(i), (std::vector<std::int16_t>{0x102, -2}));
  EXPECT_EQ(read_npy(bytes_of(file_of("{'descr': '>u1', 'fortran_order': False, 'shape': (), }", "a"))).bytes[0],
            std::byte{'a'});
}

TEST_F(npy, later_versions_and_other_spellings_are_read) {
  const std::string header = "{\"shape\":(1,),\"descr\":\"<i2\",\"fortran_order\":False}";
  for (const char version : {'\2', '\3'}) {
    std::string file = "\x93NUMPY";
    file += {version, '\0', static_cast<char>(header.size()), '\0', '\0', '\0'};
    EXPECT_EQ(elements<std::int16_t>(read_npy(bytes_of(file + header + std::string("\7\0", 2))))[0], 7);
  }
}

TEST_F(npy, bools_become_zero_or_one) {
  const NpyData d =
      read_npy(bytes_of(file_of("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", raw("\0\1\x7f"))));
  EXPECT_EQ(d.bytes, (std::vector<std::byte>{std::byte{0}, std::byte{1}, std::byte{1}}));
}

TEST_F(npy, two_unnamed_bytes_are_bfloat16_only_when_asked) {
  for (const std::string order : {"<", "|"}) {
    const std::string file = file_of("{'descr': '" + order + "V2', 'fortran_order': False, 'shape': (1,), }", "\x80?");
    EXPECT_EQ(error_of(file), "read_npy: x.npy: 'descr' must name a type of numbers; got '" + order + "V2'.");
    const NpyData d = read_npy(bytes_of(file), "x.npy", {.v2_is_bfloat16 = true});
    EXPECT_EQ(d.aval.str(), "bf16[1]");
    EXPECT_EQ(static_cast<float>(elements<weft::bfloat16>(d)[0]), 1.0f);
  }
}

TEST_F(npy, malformed_files_say_what_is_wrong) {
  const auto header = [](std::string h, std::string_view data = "") { return error_of(file_of(std::move(h), data)); };
  EXPECT_EQ(error_of(""), "read_npy: x.npy: the file must start with '\\x93NUMPY'; got an empty file.");
  EXPECT_EQ(error_of("PK\3\4......"), "read_npy: x.npy: the file must start with '\\x93NUMPY'; got 'PK\\x03\\x04..'.");
  EXPECT_EQ(error_of(raw("\x93NUMPY\x04\0.....")),
            "read_npy: x.npy: the format version must be 1.0, 2.0 or 3.0; got 4.0.");
  EXPECT_EQ(error_of(raw("\x93NUMPY\x02\0\xff\xff\xff\xff")),
            "read_npy: x.npy: the header must have at most 65536 bytes; got 4294967295.");
  EXPECT_EQ(header("[1, 2]"), "read_npy: x.npy: header 1:1: expected '{'; got '['.");
  EXPECT_EQ(header("{'descr': '<i2'}"),
            "read_npy: x.npy: header 2:1: expected keys 'descr', 'fortran_order' and 'shape'; got end of text.");
  EXPECT_EQ(header("{'descr': '<i2', 'descr': '<i2'}"),
            "read_npy: x.npy: header 1:18: expected every key once; got 'descr' again.");
  EXPECT_EQ(header("{'order': 1}"),
            "read_npy: x.npy: header 1:2: expected 'descr', 'fortran_order' or 'shape'; got another key.");
  EXPECT_EQ(header("{'descr': [('a', '<i2')]}"),
            "read_npy: x.npy: header 1:11: expected a plain type, not a structure; got '['.");
  EXPECT_EQ(header("{'fortran_order': 1}"), "read_npy: x.npy: header 1:19: expected True or False; got '1'.");
  EXPECT_EQ(header("{'shape': (3)}"), "read_npy: x.npy: header 1:13: expected ','; got ')'.");
  EXPECT_EQ(header("{'shape': (3, -1)}"),
            "read_npy: x.npy: header 1:15: expected a size that is not negative; got -1.");
  EXPECT_EQ(header("{'shape': (99999999999999999999,)}"),
            "read_npy: x.npy: header 1:12: expected an integer of 64 bits; got 99999999999999999999.");
  EXPECT_EQ(header("{'descr': '<i2', 'fortran_order': False, 'shape': (), } x"),
            "read_npy: x.npy: header 1:57: expected end of header; got 'x'.");
  EXPECT_EQ(header("{'descr': '<i2"), "read_npy: x.npy: header 2:1: expected a closing quote; got end of text.");
  EXPECT_EQ(header("{'descr': '|O', 'fortran_order': False, 'shape': (), }"),
            "read_npy: x.npy: 'descr' must name a type of numbers; got '|O', Python objects.");
  for (const std::string descr : {"", "<", "i4", "=i4", "|i4", "<i3", "<U8", "<f16", "<c32", "<M8[ns]", "<i44"})
    EXPECT_EQ(header("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (), }"),
              "read_npy: x.npy: 'descr' must be a byte order and one of b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16; "
              "got '" +
                  descr + "'.");
  EXPECT_EQ(header("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }"),
            "read_npy: x.npy: the shape must be of an array that memory can hold; got f64[4611686018427387904,4].");
  EXPECT_EQ(header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"),
            "read_npy: x.npy: the data of f64[1000000000000] must have 8000000000000 bytes; got 0.");
  EXPECT_EQ(error_of(kI16Matrix + "x"), "read_npy: x.npy: the data of i16[2,3] must have 12 bytes; got 13.");
  // Sizes beside a 0 count, too: Aval has no such type.
  EXPECT_EQ(header("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 0), }"),
            "read_npy: x.npy: the shape must be of an array that memory can hold; got f64[4611686018427387904,0].");
  EXPECT_EQ(header("{'descr': '|u1', 'fortran_order': False, 'shape': (4611686018427387905,), }"),
            "read_npy: x.npy: the shape must be of an array that memory can hold; got u8[4611686018427387905].");
  std::string many = "(";
  for (std::size_t i = 0; i <= kMaxRank; ++i) many += "1,";
  EXPECT_EQ(header("{'shape': " + many + ")}"),
            "read_npy: x.npy: header 1:76: expected at most 32 dimensions; got one more.");
}

TEST_F(npy, a_file_cut_at_any_length_is_refused) {
  for (std::size_t n = 0; n < kI16Matrix.size(); ++n)
    EXPECT_THROW(read_npy(bytes_of(std::string_view(kI16Matrix).substr(0, n))), ParseError) << n;
  EXPECT_EQ(read_npy(bytes_of(kI16Matrix)).aval.str(), "i16[2,3]");
}

TEST_F(npy, random_damage_is_refused_or_changes_values_only) {
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string file = kI16Matrix;
    for (int k = 1 + i % 4; k > 0; --k) file[random() % (i % 2 ? file.size() : 70)] = static_cast<char>(random());
    try {
      const NpyData d = read_npy(bytes_of(file), "x.npy", {.v2_is_bfloat16 = true});
      EXPECT_EQ(d.aval.bytes(), std::ssize(d.bytes));
      EXPECT_EQ(d.bytes.size(), 12u);
    } catch (const ParseError& e) {
      EXPECT_TRUE(e.message().starts_with("read_npy: x.npy: ")) << e.message();
      ++refused;
    }
  }
  EXPECT_GT(refused, 10000);
}

TEST_F(npy, missing_files_and_folders_are_the_systems_errors) {
  EXPECT_THROW(read_npy(folder_ / "none.npy"), BackendError);
  EXPECT_THROW(read_npy(folder_), BackendError);
  const float x = 1;
  EXPECT_THROW(write_npy(folder_ / "none" / "a.npy", {Aval(f32, {}), &x}), BackendError);
  try {
    read_npy(folder_ / "none.npy");
  } catch (const BackendError& e) {
    EXPECT_EQ(e.message(), "read_npy: must be able to open '" + (folder_ / "none.npy").string() +
                               "'; got No such file or directory.");
  }
}

TEST_F(npy, errors_name_the_path) {
  std::ofstream(folder_ / "bad.npy") << "hello";
  try {
    read_npy(folder_ / "bad.npy");
    FAIL();
  } catch (const ParseError& e) {
    EXPECT_NE(e.message().find((folder_ / "bad.npy").string()), std::string::npos);
  }
}

TEST_F(npy, a_file_is_read_no_further_than_its_header_says) {
  const fs::path path = folder_ / "a.npy";
  const auto error = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    try {
      read_npy(path);
    } catch (const ParseError& e) {
      return e.message().substr(("read_npy: " + path.string() + ": ").size());
    }
    return std::string("no error");
  };
  EXPECT_EQ(error(kI16Matrix), "no error");
  EXPECT_EQ(error(kI16Matrix.substr(0, kI16Matrix.size() - 5)), "the data of i16[2,3] must have 12 bytes; got 7.");
  EXPECT_EQ(error(kI16Matrix + "x"), "the data of i16[2,3] must have 12 bytes; got more.");
  EXPECT_EQ(error(kI16Matrix + std::string(1 << 20, 'x')), "the data of i16[2,3] must have 12 bytes; got more.");
  // Memory is not taken on the word of the header.
  EXPECT_EQ(error(file_of("{'descr': '|u1', 'fortran_order': False, 'shape': (4611686018427387904,), }", "abc")),
            "the data of u8[4611686018427387904] must have 4611686018427387904 bytes; got 3.");
  // More than one block.
  const std::string long_data(std::size_t{5} << 19, 'y');
  EXPECT_EQ(
      error(file_of("{'descr': '|u1', 'fortran_order': False, 'shape': (" + number_str(long_data.size()) + ",), }",
                    long_data)),
      "no error");
  EXPECT_EQ(testing::read_file(path).size(), 128 + read_npy(path).bytes.size());
  EXPECT_EQ(read_npy(path).bytes.back(), std::byte{'y'});
}

TEST_F(npy, endless_devices_are_refused) {
  try {
    read_npy(fs::path("/dev/zero"));
    FAIL();
  } catch (const ParseError& e) {
    EXPECT_EQ(e.message(),
              "read_npy: /dev/zero: the file must start with '\\x93NUMPY'; got '\\x00\\x00\\x00\\x00\\x00\\x00'.");
  }
}

// Writes to a pipe under this name until everything is written or nobody reads any more.
std::size_t write_to_pipe(const fs::path& path, const std::string& content, std::size_t times) {
  const int pipe = open(path.c_str(), O_WRONLY);
  std::size_t written = 0;
  for (std::size_t i = 0; i < times; ++i) {
    const ssize_t n = write(pipe, content.data(), content.size());
    if (n < 0) break;
    written += static_cast<std::size_t>(n);
  }
  close(pipe);
  return written;
}

TEST_F(npy, a_pipe_is_read_like_a_file) {
  const fs::path path = folder_ / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  std::thread writer([&] { write_to_pipe(path, kI16Matrix, 1); });
  const NpyData d = read_npy(path);
  writer.join();
  EXPECT_EQ(elements<std::int16_t>(d), (std::vector<std::int16_t>{1, 2, 3, 4, 5, 6}));
}

TEST_F(npy, a_pipe_without_end_is_left_soon) {
  std::signal(SIGPIPE, SIG_IGN);
  const fs::path path = folder_ / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  std::size_t written = 0;
  std::thread writer([&] { written = write_to_pipe(path, kI16Matrix, 1 << 20); });
  try {
    read_npy(path);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const ParseError& e) {
    EXPECT_EQ(e.message(), "read_npy: " + path.string() + ": the data of i16[2,3] must have 12 bytes; got more.");
  }
  writer.join();
  EXPECT_LT(written, std::size_t{1} << 20);
  std::signal(SIGPIPE, SIG_DFL);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // which end the program instead
TEST_F(npy, memory_that_cannot_be_had_is_an_error_with_the_files_name) {
  const fs::path path = folder_ / "big.npy";
  std::ofstream(path, std::ios::binary) << file_of(
      "{'descr': '|u1', 'fortran_order': False, 'shape': (68719476736,), }", "");
  fs::resize_file(path, 128 + (std::uintmax_t{1} << 36));  // without any blocks on the disk
  const auto load_with_little_memory = [&] {
    const rlimit limit{std::size_t{1} << 34, std::size_t{1} << 34};
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(1);
    try {
      read_npy(path);
    } catch (const BackendError& e) {
      std::fputs(e.what(), stderr);
      _exit(0);
    }
    _exit(2);
  };
  EXPECT_EXIT(
      load_with_little_memory(), ::testing::ExitedWithCode(0),
      "read_npy: there must be memory for '.*big.npy'; got none for the 68719476736 bytes of u8\\[68719476736\\]");
}
#endif

TEST_F(npy, storage_types_have_no_name_in_files) {
  const std::uint8_t byte = 0;
  try {
    write_npy(folder_ / "a.npy", {Aval(f8e4m3fn, Dims{}), &byte});
    FAIL();
  } catch (const DTypeError& e) {
    EXPECT_EQ(e.message(), "write_npy: the dtype must be one that .npy files have a name for; got f8e4m3fn.");
    EXPECT_NE(e.hint().find("astype(f32)"), std::string::npos) << e.hint();
  }
  EXPECT_THROW(write_npy(folder_ / "a.npy", {Aval(i4, Dims{}), &byte}), DTypeError);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 0);
}

TEST_F(npy, a_failed_write_leaves_the_folder_as_it_was) {
  fs::create_directory(folder_ / "a.npy");
  std::ofstream(folder_ / "a.npy" / "inside") << "x";
  const float x = 1;
  EXPECT_THROW(write_npy(folder_ / "a.npy", {Aval(f32, {}), &x}), BackendError);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
  EXPECT_TRUE(fs::exists(folder_ / "a.npy" / "inside"));
}

TEST_F(npy, a_write_replaces_the_old_file_and_leaves_nothing_else) {
  std::ofstream(folder_ / "a.npy") << std::string(1000, 'x');
  const float x = 1;
  write_npy(folder_ / "a.npy", {Aval(f32, {}), &x});
  EXPECT_EQ(elements<float>(read_npy(folder_ / "a.npy"))[0], 1.0f);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

}  // namespace
}  // namespace weft::np
