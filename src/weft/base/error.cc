#include "weft/base/error.h"

namespace weft {

std::string SourceLocation::str() const {
  if (line == 0) return {};
  std::string_view path = file;
  const auto slash = path.find_last_of("/\\");
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return std::string(path) + ":" + std::to_string(line);
}

Error::Error(const char* kind, std::string message, std::string hint)
    : kind_(kind), message_(std::move(message)), hint_(std::move(hint)), location_(current_location()) {
  compose();
}

void Error::add_note(std::string note) {
  notes_.push_back(std::move(note));
  compose();
}

void Error::compose() {
  text_ = message_;
  if (std::string_view(kind_) == "InternalError") text_ += "\n  this is a bug in Weft; please report it";
  if (location_) text_ += "\n  at " + location_.str();
  for (const std::string& note : notes_) text_ += "\n  " + note;
  if (!hint_.empty()) text_ += "\nhint: " + hint_;
}

}  // namespace weft
