#include "testing/shape_matcher.h"

#include <algorithm>

#include "weft/base/text.h"

namespace weft::testing {

bool DimMatcher::matches(std::int64_t size) const {
  return kind_ != Kind::kSizes || std::find(options_.begin(), options_.end(), size) != options_.end();
}

std::string DimMatcher::str() const {
  if (kind_ == Kind::kAny) return "*";
  if (kind_ == Kind::kEllipsis) return "...";
  return options_.size() == 1 ? number_str(options_[0]) : "{" + join(options_, ",") + "}";
}

ShapeMatcher::ShapeMatcher(std::vector<DimMatcher> dims) : dims_(std::move(dims)) {
  const auto n = std::count_if(dims_.begin(), dims_.end(), [](const DimMatcher& d) { return d.is_ellipsis(); });
  if (n > 1)
    throw ValueError("ShapeMatcher: there must be at most one ellipsis; got " + std::to_string(n) + " in " + str() +
                     ".");
}

bool ShapeMatcher::matches(DimSpan shape) const {
  const auto gap = std::find_if(dims_.begin(), dims_.end(), [](const DimMatcher& d) { return d.is_ellipsis(); });
  const auto fits = [](const DimMatcher& d, std::int64_t size) { return d.matches(size); };
  if (gap == dims_.end()) return std::equal(dims_.begin(), dims_.end(), shape.begin(), shape.end(), fits);
  const auto before = static_cast<std::size_t>(gap - dims_.begin()), after = dims_.size() - before - 1;
  return shape.size() >= before + after && std::equal(dims_.begin(), gap, shape.begin(), fits) &&
         std::equal(gap + 1, dims_.end(), shape.end() - static_cast<std::ptrdiff_t>(after), fits);
}

std::string ShapeMatcher::str() const {
  std::vector<std::string> texts;
  texts.reserve(dims_.size());
  for (const DimMatcher& d : dims_) texts.push_back(d.str());
  return "[" + join(texts, ",") + "]";
}

}  // namespace weft::testing
