// Files that survive: they appear under their names only when complete and on the disk, whatever stops the program or
// the machine. Knows no format.
//
// Invariant: until commit() has renamed it, a file has a name of its own, "<folder>/.<name>.<number>.part", and its
// writer holds a lock on it; a file of that kind without a lock was left behind by a program that was killed.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace weft::train {

/// A file on its way: written under another name, and renamed when it is complete.
class PendingFile {
 public:
  /// Begins a file for `folder`/`name`, with the permissions of the one that has the name now; BackendError, naming the
  /// file and what did not work, here and below.
  PendingFile(std::string folder, std::string name);
  /// Removes the file unless it was committed.
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  void write(std::span<const std::byte> bytes);
  /// Waits until the disk has it all.
  void sync();
  /// Gives it its name, in place of whatever has it. On the disk only after the next sync_folder.
  void commit();

 private:
  std::string folder_, name_, path_;
  int descriptor_ = -1;
};

/// Waits until the disk has the names of the folder's files as they are now.
void sync_folder(const std::string& folder);

/// Makes the folder and those above it that are not there, and waits until the disk has the names of these.
void make_durable_folders(const std::string& path);

/// As write_file, but a regular file is on the disk before it gets its name, and the name is when this returns.
void write_durable_file(const std::string& path, std::span<const std::byte> bytes);

/// Held by one at a time until it goes away, or the program does however it ends. On file systems without locks
/// everyone has it.
class FolderLock {
 public:
  /// Does not wait: none when someone has the lock, in this program or in another. BackendError when it is no folder
  /// that can be read.
  static std::optional<FolderLock> take(const std::string& folder);
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// Removes the files that killed programs left behind when they wrote files whose names begin with `prefix`.
void remove_abandoned(const std::string& folder, const std::string& prefix);

}  // namespace weft::train
