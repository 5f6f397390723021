#include "weft/base/dims.h"

#include <ostream>

namespace weft {

std::ostream& operator<<(std::ostream& out, ShapeView shape) {
  out << "(";
  for (std::size_t i = 0; i < shape.size(); ++i) out << (i ? ", " : "") << shape[i];
  return out << (shape.size() == 1 ? ",)" : ")");
}

}  // namespace weft
