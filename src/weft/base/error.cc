#include "weft/base/error.h"

namespace weft {

namespace {

constexpr std::size_t kNotesAtEachEnd = 8;

// Messages start with the operation that found the fault. The user may have called another one, built from it.
std::string named_for_the_user(std::string message) {
  const std::string_view operation = current_operation();
  const auto colon = message.find(": ");
  if (operation.empty() || colon == std::string::npos) return message;
  for (std::size_t i = 0; i < colon; ++i) {
    const char c = message[i];
    const bool letter = (c >= 'a' && c <= 'z') || c == '_';
    if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '.'))) return message;
  }
  return message.replace(0, colon, operation);
}

}  // namespace

std::string SourceLocation::str() const {
  if (line == 0) return {};
  std::string_view path = file;
  const auto slash = path.find_last_of("/\\");
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return std::string(path) + ":" + std::to_string(line) + (column == 0 ? "" : ":" + std::to_string(column));
}

std::string after_last_call() {
  if (!detail::last_location) return {};
  const std::string_view operation = detail::last_operation.empty() ? "a call" : detail::last_operation;
  return "after " + std::string(operation) + " at " + detail::last_location.str();
}

Error::Error(const char* kind, std::string message, std::string hint)
    : kind_(kind), message_(std::move(message)), hint_(std::move(hint)), location_(current_location()) {
  if (std::string_view(kind_) != "InternalError") message_ = named_for_the_user(std::move(message_));
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
  // A recursion leaves one note per level.
  const std::size_t n = notes_.size(), left_out = n > 2 * kNotesAtEachEnd ? n - 2 * kNotesAtEachEnd : 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (left_out > 0 && i == kNotesAtEachEnd) {
      text_ += "\n  ... (" + std::to_string(left_out) + " more)";
      i += left_out;
    }
    text_ += "\n  " + notes_[i];
  }
  if (!hint_.empty()) text_ += "\nhint: " + hint_;
}

}  // namespace weft
