#include "weft/ir/dtype.h"

#include <ostream>

namespace weft {

std::ostream& operator<<(std::ostream& out, DType t) { return out << name(t); }

std::optional<DType> parse_dtype(std::string_view text) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    if (text == name(t) || text == numpy_name(t)) return t;
  }
  return std::nullopt;
}

}  // namespace weft
