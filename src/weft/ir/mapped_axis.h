// The axis that a vmap maps, and the names by which operations speak of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weft/ir/params.h"

namespace weft {

/// An axis over examples, of `size` positions. Without a name no operation can speak of it.
struct MappedAxis {
  std::int64_t size = 0;
  std::string name = {};

  explicit operator bool() const { return !name.empty(); }
  /// Tells axes apart in the keys of derived programs.
  std::string key() const { return name.empty() ? std::to_string(size) : std::to_string(size) + "=" + name; }

  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("size", &MappedAxis::size), ir::field("name", &MappedAxis::name));
  }
};

/// As a parameter it is spoken of. Found by ParamsBase::add_axes, before the one for structs.
void add_param_axes(const MappedAxis& axis, ir::AxisNames& names);

}  // namespace weft
