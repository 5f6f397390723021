#include "train/mnist.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "harness/errors.h"
#include "temporary_folder.h"
#include "train/file.h"
#include "train/idx.h"

namespace weft::train {
namespace {

using testing::message_of;

constexpr const char* kNames[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                  "t10k-labels-idx1-ubyte"};

// Nothing from outside the test: no environment, no network, few drawn digits.
MnistOptions closed() { return {.folder = "", .cache = "", .mirrors = {}, .drawn_train = 12, .drawn_test = 5}; }

// A folder of files with n training and m test digits.
void write_files(const std::string& folder, std::int64_t n, std::int64_t m, std::uint8_t label = 3) {
  for (int i = 0; i < 4; ++i) {
    IdxFile file;
    file.shape = {i < 2 ? n : m};
    if (i % 2 == 0) file.shape.insert(file.shape.end(), {28, 28});
    file.data.resize(static_cast<std::size_t>(file.shape[0]) * (i % 2 == 0 ? 784 : 1), std::byte{label});
    write_idx(folder + "/" + kNames[i], file);
  }
}

TEST(mnist, a_folder_is_read_and_named) {
  const TemporaryFolder folder;
  write_files(folder.path(), 7, 2);
  MnistOptions options = closed();
  options.folder = folder.path();
  const Mnist m = load_mnist(options);
  EXPECT_EQ(m.num_train(), 7);
  EXPECT_EQ(m.num_test(), 2);
  EXPECT_EQ(m.train_images, std::vector<std::uint8_t>(7 * 784, 3));
  EXPECT_EQ(m.test_labels, std::vector<std::uint8_t>(2, 3));
  EXPECT_EQ(m.source, "7 training and 2 test digits from " + folder.path());
  EXPECT_TRUE(m.notes.empty());
  EXPECT_FALSE(m.drawn);
}

TEST(mnist, digits_are_arrays_for_models) {
  const Mnist m = load_mnist(closed());
  const Digits train = m.train_digits(), test = m.test_digits();
  EXPECT_EQ(train.images.aval().str(), "u8[12,28,28,1]");
  EXPECT_EQ(train.labels.aval().str(), "i32[12]");
  EXPECT_EQ(test.images.to_vector<std::uint8_t>(), m.test_images);
  EXPECT_EQ(test.labels.to_vector<std::int32_t>(),
            std::vector<std::int32_t>(m.test_labels.begin(), m.test_labels.end()));
  EXPECT_EQ(train.size(), 12);
  const Digits part = train.part(10, 20);
  EXPECT_EQ(part.images.to_vector<std::uint8_t>(),
            std::vector<std::uint8_t>(m.train_images.begin() + 10 * 784, m.train_images.end()));
  EXPECT_EQ(part.labels.to_vector<std::int32_t>(), (std::vector<std::int32_t>{m.train_labels[10], m.train_labels[11]}));
}

TEST(mnist, digits_have_an_identity_wherever_they_are_from) {
  const TemporaryFolder folder;
  MnistOptions options = closed();
  for (const char* place : {"a", "b", "c"}) {
    make_folders(folder / place);
    write_files(folder / place, 7, 2, *place == 'c' ? 4 : 3);
  }
  const auto identity = [&](const char* place) {
    options.folder = folder / place;
    return load_mnist(options).identity();
  };
  EXPECT_EQ(identity("a"), identity("b"));
  EXPECT_NE(identity("a"), identity("c"));
  EXPECT_TRUE(identity("a").starts_with("7 + 2, crc32c ")) << identity("a");
}

TEST(mnist, what_the_digits_are_is_told) {
  Mnist m = load_mnist(closed());
  m.notes = {"one", "two"};
  ::testing::internal::CaptureStdout();
  m.announce();
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "note: one\nnote: two\ndigits: 12 training and 5 test digits drawn by this program: the real ones were not "
            "available\n");
}

TEST(mnist, a_cache_that_cannot_be_looked_into_is_a_note) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("loop", folder / "loop");
  MnistOptions options = closed();
  options.cache = folder / "loop";
  const Mnist m = load_mnist(options);
  EXPECT_TRUE(m.drawn);
  EXPECT_NE(m.notes.back().find("loop/train-images-idx3-ubyte.gz must be a name that can be looked up"),
            std::string::npos)
      << m.notes.back();
}

TEST(mnist, a_folder_that_lacks_a_file_is_an_error_not_a_reason_for_other_digits) {
  const TemporaryFolder folder;
  write_files(folder.path(), 7, 2);
  std::filesystem::remove(folder / kNames[2]);
  MnistOptions options = closed();
  options.folder = folder.path();
  EXPECT_EQ(message_of<BackendError>([&] { load_mnist(options); }),
            "load_mnist: " + folder.path() +
                " must hold the four MNIST files, packed or not; got no t10k-images-idx3-ubyte.gz.");
}

TEST(mnist, files_that_contradict_each_other_are_refused) {
  const TemporaryFolder folder;
  MnistOptions options = closed();
  options.folder = folder.path();
  write_files(folder.path(), 7, 2);
  write_idx(folder / kNames[1], {{6}, u8, std::vector<std::byte>(6)});
  EXPECT_EQ(message_of<ParseError>([&] { load_mnist(options); }),
            "load_mnist: " + (folder / kNames[0]) + " and " + (folder / kNames[1]) +
                " must hold equally many; got 7 images and 6 labels.");
  write_files(folder.path(), 7, 2, 10);
  EXPECT_EQ(message_of<ParseError>([&] { load_mnist(options); }),
            "load_mnist: the labels of " + (folder / kNames[1]) + " must be below 10; got 10.");
  write_files(folder.path(), 7, 2);
  write_idx(folder / kNames[0], {{7, 28, 1}, u8, std::vector<std::byte>(7 * 28)});
  EXPECT_EQ(message_of<ParseError>([&] { load_mnist(options); }),
            "load_mnist: " + (folder / kNames[0]) + " must hold u8[n,28,28] with n > 0; got u8[7,28,1].");
  write_files(folder.path(), 0, 2);
  EXPECT_THROW(load_mnist(options), ParseError);
}

TEST(mnist, without_any_source_digits_are_drawn_and_the_reasons_told) {
  const TemporaryFolder folder;
  MnistOptions options = closed();
  options.folder = folder / "absent";
  const Mnist m = load_mnist(options);
  EXPECT_TRUE(m.drawn);
  EXPECT_EQ(m.num_train(), 12);
  EXPECT_EQ(m.num_test(), 5);
  EXPECT_EQ(m.train_images.size(), 12u * 784);
  EXPECT_EQ(m.source, "12 training and 5 test digits drawn by this program: the real ones were not available");
  EXPECT_EQ(m.notes, (std::vector<std::string>{(folder / "absent") + " does not exist"}));
  options.seed = 1;
  EXPECT_NE(load_mnist(options).train_images, m.train_images);
}

TEST(mnist, every_mirror_that_fails_is_noted_once) {
  const TemporaryFolder folder;
  MnistOptions options = closed();
  options.cache = folder / "cache";
  options.mirrors = {"https://one.invalid/", "https://two.invalid/"};
  options.download.programs = {"/nonexistent/curl"};
  const Mnist m = load_mnist(options);
  EXPECT_TRUE(m.drawn);
  ASSERT_EQ(m.notes.size(), 3u);
  EXPECT_EQ(m.notes[0], "no data folder is set (WEFT_DATA_DIR)");
  EXPECT_EQ(m.notes[1],
            "load_mnist: curl or wget must be installed to fetch https://one.invalid/train-images-idx3-ubyte.gz; got "
            "neither.");
  EXPECT_NE(m.notes[2].find("two.invalid"), std::string::npos);
}

TEST(mnist, a_cache_that_cannot_be_made_is_noted) {
  const TemporaryFolder folder;
  write_file(folder / "file", {});
  MnistOptions options = closed();
  options.cache = folder / "file/cache";
  options.mirrors = {"https://one.invalid/"};
  const Mnist m = load_mnist(options);
  EXPECT_TRUE(m.drawn);
  ASSERT_EQ(m.notes.size(), 2u);
  EXPECT_NE(m.notes[1].find("must be a folder that can be made"), std::string::npos);
}

// Whether curl is there and can read local files; tests of whole downloads need it.
bool have_curl(const TemporaryFolder& folder) {
  write_file(folder / "probe", {});
  try {
    download("file://" + (folder / "probe"), folder / "probed", {.programs = {"curl"}});
  } catch (const BackendError&) {
    return false;
  }
  return true;
}

TEST(mnist, a_download_that_is_not_mnist_is_not_kept) {
  const TemporaryFolder folder;
  if (!have_curl(folder)) GTEST_SKIP() << "curl is not installed";
  make_folders(folder / "mirror");
  write_files(folder / "mirror", 7, 2);
  for (const char* name : kNames)
    std::filesystem::rename((folder / "mirror/") + name, (folder / "mirror/") + name + ".gz");
  MnistOptions options = closed();
  options.cache = folder / "cache";
  options.mirrors = {"file://" + (folder / "mirror/")};
  options.download.programs = {"curl"};
  const Mnist m = load_mnist(options);
  EXPECT_TRUE(m.drawn);
  ASSERT_EQ(m.notes.size(), 2u);
  EXPECT_NE(m.notes[1].find("train-images-idx3-ubyte.gz must hold 47040016 bytes with MD5 "
                            "6bbc9ace898e44ae57da46a324031adb; got 5504 with "),
            std::string::npos)
      << m.notes[1];
  EXPECT_TRUE(std::filesystem::is_empty(folder / "cache"));
}

TEST(mnist, a_damaged_cache_is_an_error_that_says_what_to_remove) {
  const TemporaryFolder folder;
  write_files(folder.path(), 7, 2);
  write_file(folder / kNames[3], {});
  MnistOptions options = closed();
  options.cache = folder.path();
  try {
    load_mnist(options);
    FAIL();
  } catch (const ParseError& e) {
    EXPECT_NE(std::string(e.what()).find("can be removed at any time: " + folder.path()), std::string::npos);
  }
}

TEST(mnist, the_real_files_are_read_downloaded_checked_and_cached) {
  const char* root = std::getenv("WEFT_DATA_DIR");
  if (root == nullptr) GTEST_SKIP() << "WEFT_DATA_DIR is not set: the real MNIST files are not here";
  MnistOptions options = closed();
  options.folder = std::string(root) + "/mnist";
  const Mnist m = load_mnist(options);
  EXPECT_EQ(m.num_train(), 60000);
  EXPECT_EQ(m.num_test(), 10000);
  EXPECT_EQ(m.train_images.size(), 47040000u);
  EXPECT_EQ(m.train_labels[0], 5);
  EXPECT_EQ(m.test_labels[0], 7);

  const TemporaryFolder folder;
  if (!have_curl(folder)) GTEST_SKIP() << "curl is not installed";
  options.mirrors = {"file:///nonexistent/", "file://" + options.folder + "/"};
  options.folder.clear();
  options.cache = folder / "a/b";
  options.download.programs = {"curl"};
  const Mnist fetched = load_mnist(options);
  EXPECT_EQ(fetched.source, "60000 training and 10000 test digits downloaded to " + options.cache);
  EXPECT_EQ(fetched.notes.size(), 2u);
  EXPECT_EQ(fetched.test_images, m.test_images);
  options.mirrors.clear();
  const Mnist cached = load_mnist(options);
  EXPECT_EQ(cached.source, "60000 training and 10000 test digits from the cache " + options.cache);
  EXPECT_EQ(cached.train_labels, m.train_labels);
}

}  // namespace
}  // namespace weft::train
