#include "weft/transforms/nonzero.h"

#include "weft/ir/elements.h"

namespace weft::transforms {

std::vector<char> nonzero_elements(DType t, const void* data, std::int64_t n) {
  static_assert(sizeof(bool) == sizeof(char));
  // As bool a complex number is what its real part is: both parts are looked at, as numbers of their own.
  const std::int64_t parts = is_complex(t) ? 2 : 1;
  const DType part = t == c64 ? f32 : t == c128 ? f64 : t;
  std::vector<char> r(static_cast<std::size_t>(parts * n));
  convert_elements(part, data, boolean, r.data(), parts * n);
  if (parts == 2) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) r[i] = r[2 * i] | r[2 * i + 1];
    r.resize(static_cast<std::size_t>(n));
  }
  return r;
}

}  // namespace weft::transforms
