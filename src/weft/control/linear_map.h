// Programs that should be linear in some of their inputs, known by their linearization: that must be the same at every
// value of these. Private to Weft.
#pragma once

#include <optional>

#include "weft/transforms/linearize.h"

namespace weft::control {

/// What the linearization keeps of the program's own run: its residuals, of all its inputs.
ir::Jaxpr residuals_of(const transforms::LinearizedJaxpr& lin);

/// The first of the `linear` inputs that the linearization depends on, and the line where it shows.
struct NotLinear {
  std::size_t input;
  SourceLocation line;
};
std::optional<NotLinear> not_linear(const transforms::LinearizedJaxpr& lin, const std::vector<bool>& linear);

}  // namespace weft::control
