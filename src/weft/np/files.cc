#include "weft/np/files.h"

#include <memory>

#include "weft/np/npy.h"

namespace weft::np {

void save(const std::string& path, const Array& x, SourceLocation loc) {
  const LocationScope scope(loc, "save");
  write_npy(path, x.host("save", loc).view);
}

Array load(const std::string& path, NpyOptions options, SourceLocation loc) {
  const LocationScope scope(loc, "load");
  // The bytes stay where they were read to.
  auto file = std::make_shared<NpyData>(read_npy(std::filesystem::path(path), options));
  return Array::borrow(file->aval.dtype(), file->aval.shape(), file->bytes.data(), file);
}

}  // namespace weft::np
