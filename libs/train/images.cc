#include "train/images.h"

#include <algorithm>
#include <limits>

#include "weft/base/error.h"

namespace weft::train {

std::vector<Image> images_of(const Array& x, SourceLocation loc) {
  const LocationScope scope(loc, "images_of");
  const int ndim = x.ndim();
  const auto size = [&](int from_end) { return x.shape(ndim - from_end); };
  if ((ndim != 3 && ndim != 4) || (size(1) != 1 && size(1) != 3) || x.size() == 0 ||
      std::max(size(2), size(3)) > std::numeric_limits<int>::max())
    throw ShapeError(
        "images_of: images must be [n, height, width, channels] or [height, width, channels], of 1 or 3 "
        "channels and not empty; got " +
        x.aval().str() + ".");
  std::vector<std::uint8_t> pixels;
  if (x.dtype() == u8) {
    pixels = x.to_vector<std::uint8_t>();
  } else if (is_float(x.dtype())) {
    for (const float v : x.astype(f32).elements<float>()) {
      const float scaled = v * 255.5f;
      pixels.push_back(scaled >= 255 ? 255 : scaled > 0 ? static_cast<std::uint8_t>(scaled) : 0);
    }
  } else {
    throw DTypeError("images_of: images must be u8 or floats; got " + x.aval().str() + ".");
  }
  const auto one = static_cast<std::ptrdiff_t>(size(1) * size(2) * size(3));
  std::vector<Image> out;
  for (auto p = pixels.begin(); p != pixels.end(); p += one)
    out.push_back({static_cast<int>(size(2)), static_cast<int>(size(3)), static_cast<int>(size(1)), {p, p + one}});
  return out;
}

Array array_of(const Image& image) {
  return Array::from_vector(image.pixels, Dims{image.height, image.width, image.channels});
}

}  // namespace weft::train
