#include "weft/base/environment.h"

#include <cstdlib>
#include <string_view>

namespace weft {

bool environment_flag(const char* name) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): callers ask once
  return text && std::string_view(text) != "" && std::string_view(text) != "0";
}

}  // namespace weft
