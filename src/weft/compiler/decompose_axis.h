// What windows do along one axis, written with slices and padding.
#pragma once

#include "weft/compiler/jaxpr_edit.h"

namespace weft::compiler {

/// x dilated by `interior` elements `padding`, a scalar, between its own and padded along one axis; what negative
/// padding removes is removed.
ir::Atom padded(JaxprWriter& to, ir::Atom x, std::size_t axis, std::int64_t low, std::int64_t high,
                std::int64_t interior, ir::Atom padding);

/// Element `k` of each of `places` windows, which are `stride` apart and dilated by `dilation`: x[..., s, ...] as
/// [..., places, ...].
ir::Atom window_element(JaxprWriter& to, ir::Atom x, std::size_t axis, std::int64_t k, std::int64_t places,
                        std::int64_t stride, std::int64_t dilation);

}  // namespace weft::compiler
