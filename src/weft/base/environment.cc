#include "weft/base/environment.h"

#include <cstdlib>
#include <string>

#include "weft/base/error.h"

namespace weft {

std::string_view environment_text(const char* name) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): callers ask once
  return text ? text : "";
}

bool environment_flag(const char* name) {
  const std::string_view text = environment_text(name);
  for (const std::string_view yes : {"1", "true", "yes", "on"})
    if (text == yes) return true;
  for (const std::string_view no : {"", "0", "false", "no", "off"})
    if (text == no) return false;
  const ForcedLocation nowhere{SourceLocation()};  // no line of the program is at fault
  throw ValueError(std::string(name) + ": the environment variable must be 1 or 0; got '" + std::string(text) + "'.");
}

}  // namespace weft
