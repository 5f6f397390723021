#include "train/histogram.h"

#include <algorithm>
#include <cmath>

#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

std::vector<Bucket> histogram(const Array& x, int num_buckets, SourceLocation loc) {
  const LocationScope scope(loc, "histogram");
  if (num_buckets < 1)
    throw ValueError("histogram: the number of buckets must be positive; got " + number_str(num_buckets) + ".");
  if (is_complex(x.dtype())) throw DTypeError("histogram: elements must be real; got " + x.aval().str() + ".");
  std::vector<double> values = x.astype(f64).to_vector<double>();
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  if (values.empty()) return {};
  const auto [least, most] = std::ranges::minmax(values);
  if (least == most) return {{least - 0.5, least + 0.5, static_cast<double>(values.size())}};
  // The whole range may be more than a double holds; half of it never is.
  const double scale = std::isinf(most - least) ? 0.5 : 1;
  const double first = scale * least, width = (scale * most - first) / num_buckets;
  std::vector<Bucket> out(static_cast<std::size_t>(num_buckets));
  for (int i = 0; i < num_buckets; ++i) {
    Bucket& bucket = out[static_cast<std::size_t>(i)];
    bucket.left = (first + i * width) / scale;
    bucket.right = i + 1 == num_buckets ? most : (first + (i + 1) * width) / scale;
  }
  for (const double v : values) {
    const double place = std::floor((scale * v - first) / width);
    out[static_cast<std::size_t>(std::clamp(place, 0.0, num_buckets - 1.0))].count += 1;
  }
  return out;
}

}  // namespace weft::train
