// The parameters of `call`, which jit stages: a named program applied to its inputs.
#pragma once

#include "weft/ir/jaxpr.h"

namespace weft {

struct CallParams {
  std::string name;
  ir::Jaxpr jaxpr;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("name", &CallParams::name), ir::field("jaxpr", &CallParams::jaxpr));
  }
};

}  // namespace weft
