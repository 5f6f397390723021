// Computations on scalars (of generic_reduce, generic_scatter, ...) where many of them run at once, and where they are
// differentiated. Private to control/.
#pragma once

#include "weft/control/rules.h"

namespace weft::control {

/// For memo keys.
std::string window_key(const Window& window);

/// The computation, which takes captures and scalars, on arrays of `n` elements in place of the scalars.
ir::Jaxpr for_each_of(const ir::Jaxpr& computation, std::int64_t n);

/// `xs`, which are 1-d and of the computation's dtypes, with computation(x[p], update) put where x[p] was, for each
/// position p and the updates there, one after the other; positions below 0 and past the end count for nothing.
/// `at_once`: no position comes twice. Differentiable like the operations that it consists of.
Arrays update_in_order(const ir::Jaxpr& computation, std::span<const Array> captures, Arrays xs, const Array& positions,
                       std::span<const Array> updates, bool at_once);

}  // namespace weft::control
