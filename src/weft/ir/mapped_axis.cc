#include "weft/ir/mapped_axis.h"

#include <algorithm>

namespace weft {

void add_param_axes(const MappedAxis& axis, ir::AxisNames& names) {
  if (axis && std::ranges::find(names, axis.name) == names.end()) names.push_back(axis.name);
}

}  // namespace weft
