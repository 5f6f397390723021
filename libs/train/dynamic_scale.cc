#include "train/dynamic_scale.h"

#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train::detail {

void check_scale_options(const DynamicScaleOptions& options) {
  const auto require = [](bool ok, const char* must, auto got) {
    if (!ok) throw ValueError(std::string("dynamic_scale: ") + must + "; got " + number_str(got) + ".");
  };
  require(options.growth_factor >= 1, "growth_factor must be at least 1", options.growth_factor);
  require(options.backoff_factor > 0 && options.backoff_factor <= 1, "backoff_factor must be above 0 and at most 1",
          options.backoff_factor);
  require(options.growth_interval >= 0, "growth_interval must not be negative", options.growth_interval);
  require(options.minimum_scale >= 0, "minimum_scale must not be negative", options.minimum_scale);
}

DynamicScale next_scale(const DynamicScale& now, const Array& finite, const DynamicScaleOptions& options) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  const Array grow = now.fin_steps == options.growth_interval;
  const Array larger = np::minimum(now.scale * options.growth_factor, kLargest);
  const Array smaller = np::maximum(now.scale * options.backoff_factor, options.minimum_scale);
  return {np::where(grow | !finite, 0, now.fin_steps + 1),
          np::where(finite, np::where(grow, larger, now.scale), smaller)};
}

Array all_finite(const Arrays& arrays) {
  Array out(true);
  for (const Array& a : arrays) out = out & np::all(np::isfinite(a));
  return out;
}

}  // namespace weft::train::detail
