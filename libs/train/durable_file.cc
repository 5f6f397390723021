#include "train/durable_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "train/file.h"
#include "weft/base/error.h"

namespace weft::train {

namespace {

constexpr std::string_view kPart = ".part";

[[noreturn]] void refuse_durable(const std::string& path, const char* what, int error) {
  throw BackendError("write_file: " + path + " must be " + what + "; got \"" + std::generic_category().message(error) +
                     "\".");
}

// What a signal interrupts goes on.
template <class F>
auto retried(F&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

int open_folder(const std::string& folder) {
  const int descriptor = retried([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor < 0) refuse_durable(folder, "a folder", errno);
  return descriptor;
}

}  // namespace

PendingFile::PendingFile(std::string folder, std::string name) : folder_(std::move(folder)), name_(std::move(name)) {
  struct stat info{};
  for (;;) {
    path_ = temporary_name(folder_ + "/." + name_);
    descriptor_ = retried([&] { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); });
    if (descriptor_ < 0 && errno == EEXIST) continue;
    if (descriptor_ < 0) refuse_durable(path_, "a file that can be made", errno);
    // On file systems without locks nothing is ever taken for abandoned.
    retried([&] { return ::flock(descriptor_, LOCK_EX); });
    // Before it had its lock, another program may have taken it for abandoned.
    if (::fstat(descriptor_, &info) != 0 || info.st_nlink > 0) break;
    ::close(descriptor_);
  }
  // What only some may read is never readable by others, not even while it is written.
  if (::stat((folder_ + "/" + name_).c_str(), &info) == 0) ::fchmod(descriptor_, info.st_mode & 0777);
}

PendingFile::~PendingFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

void PendingFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = retried([&] { return ::write(descriptor_, bytes.data(), bytes.size()); });
    if (n < 0) refuse_durable(path_, "writable", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void PendingFile::sync() {
  if (retried([&] { return ::fsync(descriptor_); }) != 0) refuse_durable(path_, "writable", errno);
}

void PendingFile::commit() {
  const std::string target = folder_ + "/" + name_;
  if (::rename(path_.c_str(), target.c_str()) != 0) refuse_durable(target, "replaceable", errno);
  path_.clear();
}

std::optional<FolderLock> FolderLock::take(const std::string& folder) {
  FolderLock lock(open_folder(folder));
  if (retried([&] { return ::flock(lock.descriptor_, LOCK_EX | LOCK_NB); }) != 0 && errno == EWOULDBLOCK)
    return std::nullopt;
  return lock;
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void sync_folder(const std::string& folder) {
  const int descriptor = open_folder(folder);
  const int result = retried([&] { return ::fsync(descriptor); });
  const int error = errno;
  ::close(descriptor);
  // Some file systems cannot, and do it by themselves.
  if (result != 0 && error != EINVAL && error != ENOTSUP) refuse_durable(folder, "writable", error);
}

void make_durable_folders(const std::string& path) {
  std::vector<std::string> parents;  // of the folders that are not there
  for (std::filesystem::path p = path; !p.empty() && !file_exists(p.string()); p = p.parent_path())
    parents.push_back(p.has_parent_path() ? p.parent_path().string() : ".");
  make_folders(path);
  for (const std::string& parent : parents) sync_folder(parent);
}

void write_durable_file(const std::string& path, std::span<const std::byte> bytes) {
  namespace fs = std::filesystem;
  // A link stays, and what it leads to is replaced.
  std::error_code error;
  fs::path target = fs::absolute(path, error);
  if (!error) target = fs::weakly_canonical(target, error);
  const fs::file_type type = error ? fs::file_type::none : fs::symlink_status(target, error).type();
  const bool replaceable = type == fs::file_type::regular && ::access(target.c_str(), W_OK) == 0;
  // Pipes and devices are written to, and what may not be replaced is refused.
  if (!replaceable && type != fs::file_type::not_found) return write_file(path, bytes);
  PendingFile file(target.parent_path().string(), target.filename().string());
  file.write(bytes);
  file.sync();
  file.commit();
  sync_folder(target.parent_path().string());
}

void remove_abandoned(const std::string& folder, const std::string& prefix) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("." + prefix) || !name.ends_with(kPart)) continue;
    // For writing, which locks of network file systems need; a pipe of that name would else be waited for.
    const int descriptor = ::open(entry.path().c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) continue;
    struct stat info{};
    const bool abandoned =
        ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    if (abandoned) ::unlink(entry.path().c_str());
    ::close(descriptor);
  }
}

}  // namespace weft::train
