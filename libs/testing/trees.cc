#include "testing/trees.h"

namespace weft::testing::detail {

namespace {

std::string both(const std::string& a, const std::string& b) { return a == b ? "" : a + " and " + b; }

}  // namespace

std::string at_path(const std::string& text, const std::string& path) {
  return path.empty() ? text : text + " at " + path;
}

std::string place(std::size_t i, DimSpan shape) {
  if (shape.empty()) return {};
  Dims at(shape.size());
  auto rest = static_cast<std::int64_t>(i);
  for (std::size_t k = shape.size(); k-- > 0; rest /= shape[k]) at[k] = rest % shape[k];
  return shape_str(at);
}

void compare_leaves(std::string_view op, const std::string& must, const PathLeaves& a, const PathLeaves& b,
                    const std::function<std::string(const Array&, const Array&)>& difference,
                    const SourceLocation& loc) {
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (const std::string text = difference(a[i].second, b[i].second); !text.empty())
      wrong.push_back(at_path(text, a[i].first));
  if (!wrong.empty()) fail(op, must, listed(wrong), loc);
}

void check_leaf_types(std::string_view op, const std::string& must, const PathLeaves& leaves,
                      const std::function<bool(const Array&)>& holds, const SourceLocation& loc) {
  if (!asserts_enabled()) return;
  std::vector<std::string> wrong;
  for (const auto& [path, x] : leaves)
    if (!holds(x)) wrong.push_back(at_path(x.aval().str(), path));
  if (!wrong.empty()) fail(op, must, listed(wrong), loc);
}

std::string shapes_differ(const Array& a, const Array& b) {
  return a.shape() == b.shape() ? "" : a.aval().str() + " and " + b.aval().str();
}
std::string dtypes_differ(const Array& a, const Array& b) {
  return both(std::string(name(a.dtype())), std::string(name(b.dtype())));
}
std::string sizes_differ(const Array& a, const Array& b) {
  return a.size() == b.size() ? "" : a.aval().str() + " and " + b.aval().str();
}
std::string types_differ(const Array& a, const Array& b) { return both(a.aval().str(), b.aval().str()); }

void check_no_paths(std::string_view op, const char* must, const std::vector<std::string>& found, bool are_paths,
                    const SourceLocation& loc) {
  if (found.empty() || !asserts_enabled()) return;
  std::vector<std::string> texts;
  texts.reserve(found.size());
  for (const std::string& f : found) texts.push_back(are_paths ? at_path("none", f) : f);
  fail(op, must, listed(texts), loc);
}

}  // namespace weft::testing::detail
