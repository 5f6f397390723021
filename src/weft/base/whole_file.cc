#include "weft/base/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <random>

#include "weft/base/text.h"

namespace weft {

namespace {

struct CloseFile {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

WriteFailure failure(const char* step, int error) { return {step, {error, std::generic_category()}}; }

// What the links at the end of `path` lead to in the end, whether or not it is there.
std::optional<WriteFailure> follow_links(std::filesystem::path& path) {
  constexpr int kMostLinks = 40;  // as Linux
  for (int links = 0;; ++links) {
    std::error_code error;
    if (!std::filesystem::is_symlink(std::filesystem::symlink_status(path, error))) return std::nullopt;
    if (links == kMostLinks) return failure("create", ELOOP);
    const std::filesystem::path next = std::filesystem::read_symlink(path, error);
    if (error) return WriteFailure{"create", error};
    path = path.parent_path() / next;  // which is `next` alone when it is absolute
  }
}

// Writes everything and closes the file: what is still buffered may be what does not fit.
std::optional<WriteFailure> write_all(File file, std::span<const std::span<const std::byte>> parts) {
  for (const auto& part : parts)
    if (!part.empty() && std::fwrite(part.data(), 1, part.size(), file.get()) != part.size())
      return failure("write", errno);
  if (std::fclose(file.release()) != 0) return failure("write", errno);
  return std::nullopt;
}

std::optional<WriteFailure> write_in_place(const std::filesystem::path& path,
                                           std::span<const std::span<const std::byte>> parts) {
  File file(std::fopen(path.c_str(), "wb"));
  if (!file) return failure("create", errno);
  return write_all(std::move(file), parts);
}

// A new file beside `path` under a name that nothing else has.
std::optional<WriteFailure> open_beside(const std::filesystem::path& path, bool readable_by_others, File& file,
                                        std::filesystem::path& name) {
  std::random_device random;
  int descriptor = -1;
  do {
    name = path;
    name += ".tmp" + number_str(random());
    descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, readable_by_others ? 0666 : 0600);
  } while (descriptor < 0 && errno == EEXIST);
  if (descriptor < 0) return failure("create", errno);
  file.reset(::fdopen(descriptor, "wb"));
  if (file) return std::nullopt;
  const int error = errno;
  ::close(descriptor);
  ::unlink(name.c_str());
  return failure("create", error);
}

}  // namespace

std::optional<WriteFailure> write_whole_file(const std::filesystem::path& path,
                                             std::span<const std::span<const std::byte>> parts) {
  struct stat old{}, end{};
  const bool exists = ::stat(path.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) return write_in_place(path, parts);
  if (exists && ::access(path.c_str(), W_OK) != 0) return failure("write", errno);
  std::filesystem::path target = path;
  if (auto failed = follow_links(target)) return failed;
  // Links of /proc lead to files by other means than their text, which may name nothing. What is no link is never
  // written in place: when another process replaces it just now, it is another file, too.
  if (exists && target != path &&
      (::stat(target.c_str(), &end) != 0 || end.st_dev != old.st_dev || end.st_ino != old.st_ino))
    return write_in_place(path, parts);

  File file;
  std::filesystem::path name;
  // What may be private is never readable by others, not even while it is written.
  if (auto failed = open_beside(target, !exists, file, name)) return failed;
  std::optional<WriteFailure> failed;
  if (exists) {
    const int descriptor = ::fileno(file.get());
    // Only a privileged user may give a file away, and then the mode is for the writer. The mode comes second, as a new
    // owner takes the set-user-ID bits away.
    const bool same_owner = ::fchown(descriptor, old.st_uid, old.st_gid) == 0;
    if (::fchmod(descriptor, old.st_mode & (same_owner ? 07777 : 0777)) != 0) failed = failure("write", errno);
  }
  if (!failed) failed = write_all(std::move(file), parts);
  if (!failed && ::rename(name.c_str(), target.c_str()) != 0) failed = failure("replace", errno);
  if (failed) ::unlink(name.c_str());  // the first error is the one that counts
  return failed;
}

}  // namespace weft
