#include "train/data_folder.h"

#include <cstdlib>

#include "train/file.h"
#include "weft/base/error.h"

namespace weft::train {

std::optional<std::string> find_data_folder(const std::string& name) {
  const char* root = std::getenv("WEFT_DATA_DIR");  // NOLINT(concurrency-mt-unsafe): nothing here changes it
  if (root == nullptr || *root == '\0') return std::nullopt;
  return std::string(root) + "/" + name;
}

std::string data_folder(const std::string& name, SourceLocation loc) {
  const LocationScope scope(loc, "data_folder");
  const std::string hint = "set WEFT_DATA_DIR to a folder whose folder " + name + " holds the files.";
  std::optional<std::string> path = find_data_folder(name);
  if (!path) throw ValueError("data_folder: WEFT_DATA_DIR must name the folder of all data sets; got nothing.", hint);
  if (!folder_exists(*path)) throw BackendError("data_folder: " + *path + " must be a folder; got none.", hint);
  return *std::move(path);
}

}  // namespace weft::train
