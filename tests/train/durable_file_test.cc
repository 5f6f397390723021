#include "train/durable_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "harness/errors.h"
#include "temporary_folder.h"
#include "train/checkpoint_folder.h"
#include "train/file.h"
#include "train/safetensors.h"
#include "weft/base/error.h"
#include "weft/np/np.h"

namespace weft::train {
namespace {

// What the disk was told while a test looked, in order: "sync run", "rename a".
std::vector<std::string>* disk_calls = nullptr;
// A name that no file gets.
std::string refused_name;

std::string last_part(const std::string& path) { return std::filesystem::path(path).filename().string(); }

}  // namespace
}  // namespace weft::train

// These stand in for those of the C library in this program, and do the same.
extern "C" int fsync(int descriptor) {
  if (weft::train::disk_calls != nullptr) {
    std::array<char, 4096> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    if (readlink(link.c_str(), path.data(), path.size() - 1) > 0)
      weft::train::disk_calls->push_back("sync " + weft::train::last_part(path.data()));
  }
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}
extern "C" int rename(const char* from, const char* to) noexcept {
  if (weft::train::disk_calls != nullptr) weft::train::disk_calls->push_back("rename " + weft::train::last_part(to));
  if (weft::train::refused_name == weft::train::last_part(to)) {
    errno = EIO;
    return -1;
  }
  return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

namespace weft::train {
namespace {

// The calls that `f` makes, with numbers for the random parts of names left out.
template <class F>
std::vector<std::string> calls_of(F&& f) {
  std::vector<std::string> calls;
  disk_calls = &calls;
  f();
  disk_calls = nullptr;
  for (std::string& c : calls)
    if (c.ends_with(".part")) c = c.substr(0, c.rfind('.', c.size() - 6)) + ".part";
  return calls;
}

std::vector<std::byte> some_bytes(std::size_t n) { return std::vector<std::byte>(n, std::byte{7}); }

TEST(durable_file, names_that_killed_programs_left_behind_are_not_in_the_way) {
  const TemporaryFolder folder;
  // As programs with the number of this process named them by a counter: in a container all have the same one.
  for (int k = 0; k < 200; ++k)
    for (const char* name : {".checkpoint_5.", "..checkpoint_5.sum."})
      write_file(folder / (name + std::to_string(getpid()) + "." + std::to_string(k) + ".part"), {});
  const std::string path = store_checkpoint(folder.path(), some_bytes(3), 5, {});
  EXPECT_EQ(load_checkpoint(path).bytes, some_bytes(3));
  EXPECT_EQ(folder.count(), 2u);
}

TEST(durable_file, what_was_left_behind_is_removed_and_what_is_being_written_is_not) {
  const TemporaryFolder folder;
  for (const char* name : {".a_1.1.0.part", ".a_2.99.part", ".b_1.1.0.part", ".a_1.part.txt", "a_1.1.0.part"})
    write_file(folder / name, {});
  std::filesystem::create_directory(folder / ".a_9.1.part");
  PendingFile pending(folder.path(), "a_3");
  remove_abandoned(folder.path(), "a_");
  EXPECT_EQ(folder.count(), 5u);
  EXPECT_FALSE(file_exists(folder / ".a_1.1.0.part"));
  EXPECT_FALSE(file_exists(folder / ".a_2.99.part"));
  pending.write(some_bytes(2));
  pending.commit();
  EXPECT_EQ(read_file(folder / "a_3"), some_bytes(2));
}

TEST(durable_file, a_file_that_is_not_committed_goes) {
  const TemporaryFolder folder;
  PendingFile(folder.path(), "a").write(some_bytes(2));
  EXPECT_EQ(folder.count(), 0u);
  EXPECT_THROW(PendingFile("/proc/none", "a"), BackendError);
}

TEST(durable_file, the_disk_has_a_file_before_its_name_and_then_the_name) {
  const TemporaryFolder folder;
  const std::string name = last_part(folder.path());
  EXPECT_EQ(calls_of([&] { write_durable_file(folder / "a", some_bytes(3)); }),
            (std::vector<std::string>{"sync .a.part", "rename a", "sync " + name}));
  EXPECT_EQ(calls_of([&] { write_safetensors(folder / "w", {{{"x", np::arange(3)}}, {}}); }),
            (std::vector<std::string>{"sync .w.part", "rename w", "sync " + name}));
}

TEST(durable_file, new_folders_are_on_the_disk_before_what_is_in_them) {
  const TemporaryFolder folder;
  const auto calls = calls_of([&] { store_checkpoint(folder / "runs/a", some_bytes(3), 5, {}); });
  const auto synced = [&](const std::string& name) {
    const auto at = std::ranges::find(calls, "sync " + name), renamed = std::ranges::find(calls, "rename checkpoint_5");
    return renamed != calls.end() && at < renamed;
  };
  EXPECT_TRUE(synced(last_part(folder.path())));
  EXPECT_TRUE(synced("runs"));
  EXPECT_TRUE(synced("a"));
  EXPECT_EQ(calls_of([&] { make_durable_folders(folder / "runs/a/"); }), std::vector<std::string>());
}

// An overwrite that ends when the new sum is there and the new content is not.
TEST(durable_file, damage_stays_damage_while_a_checkpoint_is_overwritten) {
  const TemporaryFolder folder;
  const std::string path = store_checkpoint(folder.path(), some_bytes(9), 1, {});
  write_file(path, some_bytes(8));
  refused_name = "checkpoint_1";
  EXPECT_THROW(store_checkpoint(folder.path(), some_bytes(5), 1, {.overwrite = true}), BackendError);
  refused_name = "";
  EXPECT_THROW(load_checkpoint(path), ParseError);
  write_file(path, some_bytes(9));
  EXPECT_TRUE(load_checkpoint(path).checked);
  write_file(path, some_bytes(5));
  EXPECT_TRUE(load_checkpoint(path).checked);
}

TEST(durable_file, links_permissions_and_pipes_stay) {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  fs::create_directory(folder / "far");
  write_file(folder / "far/real", some_bytes(3));
  fs::permissions(folder / "far/real", fs::perms(0600));
  fs::create_symlink("far/real", folder / "link");
  write_durable_file(folder / "link", some_bytes(5));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "far/real"), some_bytes(5));
  EXPECT_EQ(fs::status(folder / "far/real").permissions(), fs::perms(0600));
  write_durable_file("/dev/null", some_bytes(5));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_EQ(folder.count(), 2u);
  EXPECT_THROW(write_durable_file(folder / "far", some_bytes(5)), BackendError);
}

TEST(durable_file, a_path_without_a_folder_is_of_the_current_one) {
  const TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_durable_file("a", some_bytes(3));
  make_durable_folders("b/c");
  std::filesystem::current_path(before);
  EXPECT_EQ(read_file(folder / "a"), some_bytes(3));
  EXPECT_TRUE(folder_exists(folder / "b/c"));
}

}  // namespace
}  // namespace weft::train
