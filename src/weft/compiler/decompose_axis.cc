#include "weft/compiler/decompose_axis.h"

#include <algorithm>

#include "weft/ir/shape.h"

namespace weft::compiler {

using ir::Atom;

Atom padded(JaxprEdit& to, Atom x, std::size_t axis, std::int64_t low, std::int64_t high, std::int64_t interior,
            const ir::Literal& padding) {
  const std::int64_t more_low = std::max<std::int64_t>(low, 0), more_high = std::max<std::int64_t>(high, 0);
  if (more_low > 0 || more_high > 0 || interior > 0) {
    PadParams p{Dims(to.rank(x), 0), Dims(to.rank(x), 0), Dims(to.rank(x), 0)};
    p.low[axis] = more_low, p.high[axis] = more_high, p.interior[axis] = interior;
    x = to.make(OpCode::kPad, ir::make_params(p), {x, to.literal(padding)});
  }
  const std::int64_t start = more_low - low, limit = to.shape(x)[axis] - (more_high - high);
  return start > 0 || limit < to.shape(x)[axis] ? to.slice(x, axis, start, limit) : x;
}

Atom window_element(JaxprEdit& to, Atom x, std::size_t axis, std::int64_t k, std::int64_t places, std::int64_t stride,
                    std::int64_t dilation) {
  return to.slice(x, axis, k * dilation, k * dilation + (places - 1) * stride + 1, stride);
}

Atom window_elements(JaxprEdit& to, Atom x, std::size_t axis, std::int64_t count, std::int64_t places,
                     std::int64_t stride, std::int64_t dilation) {
  SmallVector<Atom, 4> parts;
  for (std::int64_t k = 0; k < count; ++k) {
    const Atom part = window_element(to, x, axis, k, places, stride, dilation);
    Dims with(to.shape(part));
    with.insert(with.begin() + static_cast<std::ptrdiff_t>(axis), 1);
    parts.push_back(to.reshape(part, with));
  }
  return to.concatenate(parts, axis);
}

}  // namespace weft::compiler
