#include "weft/ops/window_axis.h"

#include <algorithm>
#include <numeric>

namespace weft::ops {

namespace {

// Sums of a few such numbers do not overflow.
constexpr std::int64_t kMost = std::int64_t{1} << 60;

[[noreturn]] void refuse(std::string_view op, std::size_t number, std::string_view what, std::int64_t got) {
  throw ValueError(std::string(op) + ": " + std::string(what) + "; got " + std::to_string(got) + " for axis " +
                   std::to_string(number) + ".");
}

// (n - 1) d + 1 <= kMost.
bool extent_fits(std::int64_t n, std::int64_t d) { return n <= 1 || d <= (kMost - 1) / (n - 1); }

}  // namespace

void check_window_axis(std::string_view op, std::size_t number, const WindowAxis& a) {
  const auto positive = [&](std::string_view what, std::int64_t v) {
    if (v < 1 || v > kMost)
      refuse(op, number, std::string(what) + (v < 1 ? " must be positive" : " must be at most 2^60"), v);
  };
  if (a.window < 0) refuse(op, number, "window dimensions must not be negative", a.window);
  positive("window strides", a.stride);
  positive("base dilations", a.base_dilation);
  positive("window dilations", a.window_dilation);
  for (const std::int64_t pad : {a.low, a.high})
    if (pad < -kMost || pad > kMost) refuse(op, number, "padding must be in [-2^60, 2^60]", pad);
  if (!extent_fits(a.size, a.base_dilation))
    refuse(op, number, "the dilated size must be at most 2^60", a.base_dilation);
  if (!extent_fits(a.window, a.window_dilation))
    refuse(op, number, "the dilated window must be at most 2^60", a.window_dilation);
}

Progression WindowAxis::seen(std::int64_t o) const {
  // Element i is seen when i base_dilation - start is a multiple of window_dilation in [0, window_extent).
  const std::int64_t start = o * stride - low, end = start + window_extent();
  const std::int64_t least = start <= 0 ? 0 : (start + base_dilation - 1) / base_dilation;
  const std::int64_t limit = end <= 0 ? 0 : std::min(size, (end - 1) / base_dilation + 1);
  Progression r;
  r.step = window_dilation / std::gcd(base_dilation, window_dilation);
  std::int64_t first = least;
  if (base_dilation == 1)
    first += (window_dilation - (least - start) % window_dilation) % window_dilation;
  else  // among `step` neighbours there is one, or none at all
    while (first < limit && (first * base_dilation - start) % window_dilation != 0)
      first = first - least + 1 < r.step ? first + 1 : limit;
  if (first < limit) {
    r.first = first;
    r.count = (limit - 1 - first) / r.step + 1;
  }
  return r;
}

WindowAxis transposed(const WindowAxis& a) {
  WindowAxis t{.size = a.places(),
               .window = a.window,
               .stride = a.base_dilation,
               .base_dilation = a.stride,
               .window_dilation = a.window_dilation,
               .low = a.window_extent() - 1 - a.low};
  // So much at the end that every element has a place.
  t.high = a.base_extent() - 1 + t.window_extent() - t.low - t.base_extent();
  return t;
}

}  // namespace weft::ops
