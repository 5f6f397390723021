#include "nn/padding.h"

#include <algorithm>
#include <string>

#include "weft/base/error.h"
#include "weft/ir/aval.h"

namespace weft::nn {

std::string_view Padding::mode_name(Mode mode) {
  constexpr std::string_view kNames[] = {"kValid", "kSame", "kCircular", "kReflect", "kCausal", "kNumbers"};
  return kNames[mode];
}

std::vector<Padding::Ends> Padding::numbers(std::string_view op, std::size_t rank) const {
  if (for_all_) return std::vector<Ends>(rank, ends_[0]);
  if (ends_.size() != rank)
    throw ShapeError(std::string(op) + ": padding must be given for every axis of the window, " + std::to_string(rank) +
                     "; got " + std::to_string(ends_.size()) + ".");
  return ends_;
}

std::vector<Padding::Ends> Padding::ends(std::string_view op, DimSpan sizes, DimSpan window, DimSpan strides) const {
  switch (mode_) {
    case kNumbers: return numbers(op, window.size());
    case kValid: return std::vector<Ends>(window.size(), Ends(0));
    case kSame: break;
    default:
      throw ValueError(std::string(op) + ": padding must be kSame, kValid or numbers; got " +
                       std::string(mode_name(mode_)) + ".");
  }
  std::vector<Ends> r;
  for (std::size_t i = 0; i < window.size(); ++i) {
    const std::int64_t places = (sizes[i] + strides[i] - 1) / strides[i];
    const std::int64_t n = std::max<std::int64_t>(0, (places - 1) * strides[i] + window[i] - sizes[i]);
    r.emplace_back(n / 2, n - n / 2);
  }
  return r;
}

Dims detail::per_axis(std::string_view op, std::string_view what, DimSpan numbers, std::size_t rank) {
  if (numbers.size() != 1 && numbers.size() != rank)
    throw ShapeError(std::string(op) + ": there must be one number of " + std::string(what) +
                     ", or one for every axis of the window, " + std::to_string(rank) + "; got " + shape_str(numbers) +
                     ".");
  for (const std::int64_t n : numbers)
    if (n < 1)
      throw ValueError(std::string(op) + ": " + std::string(what) + " must be positive; got " + shape_str(numbers) +
                       ".");
  return numbers.size() == rank ? Dims(numbers) : Dims(rank, numbers[0]);
}

}  // namespace weft::nn
