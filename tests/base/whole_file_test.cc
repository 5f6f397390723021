// Every kind of thing that may stand under the name of a file.
#include "weft/base/whole_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace weft {
namespace {

namespace fs = std::filesystem;

class WholeFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "weft_whole_file_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::optional<WriteFailure> write(const fs::path& path, const std::string& text) {
    // In two parts, one of them empty in short texts.
    const std::span bytes = std::as_bytes(std::span(text));
    const std::size_t half = bytes.size() / 2;
    const std::span<const std::byte> parts[] = {bytes.first(half), bytes.subspan(half)};
    return write_whole_file(path, parts);
  }
  static std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static unsigned mode(const fs::path& path) { return static_cast<unsigned>(fs::status(path).permissions()); }
  std::ptrdiff_t entries() const { return std::distance(fs::directory_iterator(folder_), {}); }

  fs::path folder_;
};
using whole_file = WholeFile;

TEST_F(whole_file, a_new_file_has_the_permissions_that_any_new_file_has) {
  ASSERT_FALSE(write(folder_ / "a", "text"));
  EXPECT_EQ(read(folder_ / "a"), "text");
  std::ofstream(folder_ / "b") << "text";
  EXPECT_EQ(mode(folder_ / "a"), mode(folder_ / "b"));
  ASSERT_FALSE(write(folder_ / "a", ""));
  EXPECT_EQ(read(folder_ / "a"), "");
  EXPECT_EQ(entries(), 2);
}

TEST_F(whole_file, the_permissions_of_a_replaced_file_stay) {
  for (const unsigned m : {0640u, 0600u, 0666u, 0755u}) {
    ASSERT_FALSE(write(folder_ / "a", "old"));
    fs::permissions(folder_ / "a", fs::perms(m));
    ASSERT_FALSE(write(folder_ / "a", "new"));
    EXPECT_EQ(read(folder_ / "a"), "new");
    EXPECT_EQ(mode(folder_ / "a"), m);
  }
  EXPECT_EQ(entries(), 1);
}

TEST_F(whole_file, readers_of_the_old_file_keep_it) {
  ASSERT_FALSE(write(folder_ / "a", "old"));
  fs::create_hard_link(folder_ / "a", folder_ / "b");
  ASSERT_FALSE(write(folder_ / "a", "new"));
  EXPECT_EQ(read(folder_ / "b"), "old");
  EXPECT_EQ(read(folder_ / "a"), "new");
}

TEST_F(whole_file, links_stay_and_what_they_name_is_written) {
  fs::create_directory(folder_ / "there");
  ASSERT_FALSE(write(folder_ / "there/real", "old"));
  fs::permissions(folder_ / "there/real", fs::perms(0640));
  fs::create_symlink("there/real", folder_ / "near");
  fs::create_symlink(folder_ / "near", folder_ / "far");  // a link to a link, by its whole path
  ASSERT_FALSE(write(folder_ / "far", "new"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "far"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "near"));
  EXPECT_EQ(read(folder_ / "there/real"), "new");
  EXPECT_EQ(mode(folder_ / "there/real"), 0640u);
  EXPECT_EQ(entries(), 3);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "there"), {}), 1);
}

TEST_F(whole_file, a_link_to_nothing_makes_what_it_names) {
  fs::create_directory(folder_ / "there");
  fs::create_symlink("there/real", folder_ / "link");
  ASSERT_FALSE(write(folder_ / "link", "new"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read(folder_ / "there/real"), "new");
}

TEST_F(whole_file, links_in_a_circle_are_refused) {
  fs::create_symlink("a", folder_ / "b");
  fs::create_symlink("b", folder_ / "a");
  const auto failed = write(folder_ / "a", "new");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->error.value(), ELOOP);
  EXPECT_EQ(entries(), 2);
}

TEST_F(whole_file, a_pipe_is_written_to_and_stays) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  fs::create_symlink("pipe", folder_ / "link");
  for (const fs::path& name : {pipe, folder_ / "link"}) {
    std::string got;
    std::thread reader([&] { got = read(pipe); });
    const auto failed = write(name, "through the pipe");
    reader.join();
    EXPECT_FALSE(failed);
    EXPECT_EQ(got, "through the pipe");
    EXPECT_TRUE(fs::is_fifo(pipe));
  }
  EXPECT_EQ(entries(), 2);
}

TEST_F(whole_file, an_open_file_is_written_by_the_name_that_the_system_gives_it) {
  ASSERT_FALSE(write(folder_ / "a", "old"));
  const int descriptor = ::open((folder_ / "a").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(descriptor, 0);
  // Removed, it has no other name: the text of the link of /proc names nothing.
  fs::remove(folder_ / "a");
  const fs::path name = "/proc/self/fd/" + std::to_string(descriptor);
  if (fs::exists(name)) {
    EXPECT_FALSE(write(name, "new"));
    char text[8] = {};
    EXPECT_EQ(::pread(descriptor, text, sizeof text, 0), 3);
    EXPECT_STREQ(text, "new");
  }
  ::close(descriptor);
  EXPECT_EQ(entries(), 0);
}

TEST_F(whole_file, what_cannot_be_written_leaves_everything_as_it_was) {
  fs::create_directories(folder_ / "full/inner");
  auto failed = write(folder_ / "full", "new");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->error.value(), EISDIR);
  failed = write(folder_ / "none/a", "new");
  ASSERT_TRUE(failed);
  EXPECT_STREQ(failed->step, "create");
  EXPECT_EQ(failed->error.value(), ENOENT);
  failed = write("", "new");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->error.value(), ENOENT);
  EXPECT_EQ(entries(), 1);
  EXPECT_TRUE(fs::is_directory(folder_ / "full/inner"));
}

TEST_F(whole_file, a_file_that_may_not_be_written_is_not_replaced) {
  if (::geteuid() == 0) GTEST_SKIP() << "the superuser may write everything";
  ASSERT_FALSE(write(folder_ / "a", "old"));
  fs::permissions(folder_ / "a", fs::perms(0444));
  const auto failed = write(folder_ / "a", "new");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->error.value(), EACCES);
  EXPECT_EQ(read(folder_ / "a"), "old");
  EXPECT_EQ(entries(), 1);
}

}  // namespace
}  // namespace weft
