#include "weft/base/environment.h"

#include <cstdlib>

namespace weft {

std::string_view environment_text(const char* name) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): callers ask once
  return text ? text : "";
}

bool environment_flag(const char* name) {
  const std::string_view text = environment_text(name);
  return !text.empty() && text != "0";
}

}  // namespace weft
