#include "train/file.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <system_error>

#include "weft/base/error.h"
#include "weft/base/text.h"
#include "weft/base/whole_file.h"

namespace weft::train {

namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

[[noreturn]] void refuse(const char* op, const std::string& path, const char* what, int error) {
  throw BackendError(std::string(op) + ": " + path + " must be " + what + "; got \"" +
                     std::generic_category().message(error) + "\".");
}

// Nothing is taken for absent that may only be hidden.
std::filesystem::file_type type_of(const char* op, const std::string& path) {
  std::error_code error;
  const auto type = std::filesystem::status(path, error).type();
  if (type == std::filesystem::file_type::none) refuse(op, path, "a name that can be looked up", error.value());
  return type;
}

}  // namespace

std::vector<std::byte> read_file(const std::string& path, SourceLocation loc) {
  const LocationScope scope(loc, "read_file");
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) refuse("read_file", path, "readable", errno);
  // Read to the end rather than asking for the size, so that pipes work and a lying size does no harm.
  std::vector<std::byte> data;
  std::size_t size = 0;
  for (;;) {
    data.resize(size + (std::size_t{1} << 20) + size / 2);
    errno = 0;
    const std::size_t got = std::fread(data.data() + size, 1, data.size() - size, file.get());
    size += got;
    if (got == 0 || std::feof(file.get()) != 0 || std::ferror(file.get()) != 0) break;
  }
  if (std::ferror(file.get()) != 0) refuse("read_file", path, "readable", errno);
  data.resize(size);
  return data;
}

void write_file(const std::string& path, std::span<const std::byte> data, SourceLocation loc) {
  const LocationScope scope(loc, "write_file");
  const std::span<const std::byte> parts[] = {data};
  if (const auto failed = write_whole_file(path, parts)) refuse("write_file", path, "writable", failed->error.value());
}

std::string temporary_name(const std::string& path) {
  // No process numbers: in containers each program has the same one, and finds what it left when it was killed.
  return path + "." + number_str(std::random_device()()) + ".part";
}

bool file_exists(const std::string& path, SourceLocation loc) {
  const LocationScope scope(loc, "file_exists");
  return type_of("file_exists", path) != std::filesystem::file_type::not_found;
}

bool folder_exists(const std::string& path, SourceLocation loc) {
  const LocationScope scope(loc, "folder_exists");
  return type_of("folder_exists", path) == std::filesystem::file_type::directory;
}

void make_folders(const std::string& path, SourceLocation loc) {
  const LocationScope scope(loc, "make_folders");
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    throw BackendError("make_folders: " + path + " must be a folder that can be made; got \"" + error.message() +
                       "\".");
}

}  // namespace weft::train
