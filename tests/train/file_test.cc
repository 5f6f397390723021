#include "train/file.h"

#include <gtest/gtest.h>

#include "harness/errors.h"
#include "temporary_folder.h"

namespace weft::train {
namespace {

using testing::message_of;

TEST(file, what_is_written_reads_back_at_any_size) {
  const TemporaryFolder folder;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, (std::size_t{1} << 20) - 1, std::size_t{1} << 20, std::size_t{3000000}}) {
    std::vector<std::byte> data(size);
    for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::byte>(i * 31 >> 3);
    write_file(folder / "a", data);
    EXPECT_EQ(read_file(folder / "a"), data) << size;
  }
  EXPECT_EQ(folder.count(), 1u);
}

TEST(file, a_failed_write_leaves_the_old_state_and_no_temporary_file) {
  const TemporaryFolder folder;
  const std::vector<std::byte> data(3);
  EXPECT_EQ(message_of<BackendError>([&] { write_file("/nonexistent/folder/a", data); }),
            "write_file: /nonexistent/folder/a must be writable; got \"No such file or directory\".");
  make_folders(folder / "taken/by/folders");
  EXPECT_THROW(write_file(folder / "taken", data), BackendError);
  EXPECT_EQ(folder.count(), 1u);
  EXPECT_TRUE(file_exists(folder / "taken/by/folders"));
}

TEST(file, writing_keeps_links_and_permissions) {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  write_file(folder / "real", std::vector<std::byte>(3));
  fs::permissions(folder / "real", fs::perms(0600));
  fs::create_symlink("real", folder / "link");
  write_file(folder / "link", std::vector<std::byte>(5));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "real").size(), 5u);
  EXPECT_EQ(fs::status(folder / "real").permissions(), fs::perms(0600));
  EXPECT_EQ(folder.count(), 2u);
}

TEST(file, folders_cannot_be_made_below_files) {
  const TemporaryFolder folder;
  write_file(folder / "a", {});
  EXPECT_THROW(make_folders(folder / "a/b"), BackendError);
}

TEST(file, what_cannot_be_looked_up_is_not_taken_for_absent) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("loop", folder / "loop");
  EXPECT_EQ(message_of<BackendError>([&] { file_exists(folder / "loop"); }),
            "file_exists: " + folder / "loop" +
                " must be a name that can be looked up; got \"Too many levels of symbolic links\".");
  EXPECT_THROW(folder_exists(folder / "loop/a"), BackendError);
  write_file(folder / "a", {});
  EXPECT_TRUE(file_exists(folder / "a"));
  EXPECT_FALSE(folder_exists(folder / "a"));
  EXPECT_TRUE(folder_exists(folder.path()));
  EXPECT_FALSE(file_exists(folder / "a/b"));
  EXPECT_FALSE(file_exists(folder / "none"));
}

TEST(file, temporary_names_differ_and_stay_in_the_folder) {
  const std::string a = temporary_name("x/y"), b = temporary_name("x/y");
  EXPECT_NE(a, b);
  EXPECT_EQ(a.rfind("x/y.", 0), 0u);
}

}  // namespace
}  // namespace weft::train
