#include "weft/compiler/decompose_axis.h"

#include <algorithm>

#include "weft/ir/shape.h"

namespace weft::compiler {

using ir::Atom;

Atom padded(JaxprWriter& to, Atom x, std::size_t axis, std::int64_t low, std::int64_t high, std::int64_t interior,
            Atom padding) {
  const std::int64_t more_low = std::max<std::int64_t>(low, 0), more_high = std::max<std::int64_t>(high, 0);
  if (more_low > 0 || more_high > 0 || interior > 0) {
    PadParams p{Dims(to.rank(x), 0), Dims(to.rank(x), 0), Dims(to.rank(x), 0)};
    p.low[axis] = more_low, p.high[axis] = more_high, p.interior[axis] = interior;
    x = to.make(OpCode::kPad, ir::make_params(p), {x, padding});
  }
  return to.slice(x, axis, more_low - low, to.shape(x)[axis] - (more_high - high));
}

Atom window_element(JaxprWriter& to, Atom x, std::size_t axis, std::int64_t k, std::int64_t places, std::int64_t stride,
                    std::int64_t dilation) {
  return to.slice(x, axis, k * dilation, k * dilation + (places - 1) * stride + 1, stride);
}

}  // namespace weft::compiler
