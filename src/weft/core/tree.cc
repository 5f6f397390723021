#include "weft/core/tree.h"

#include <algorithm>

namespace weft::tree {

namespace detail {

std::string_view nth_name(std::string_view names, std::size_t i) {
  for (; i > 0; --i) names.remove_prefix(names.find(',') + 1);
  names = names.substr(0, names.find(','));
  while (!names.empty() && names.front() == ' ') names.remove_prefix(1);
  while (!names.empty() && names.back() == ' ') names.remove_suffix(1);
  return names;
}

std::string key_text(const std::string& key) { return key; }

}  // namespace detail

void TreeDefBuilder::separate() {
  if (!first_) def_.text_ += ", ";
  first_ = false;
}

void TreeDefBuilder::array(const Array& a) {
  separate();
  def_.text_ += a.defined() ? "*" : "none";
  if (a.defined()) def_.paths_.push_back(path());
}

void TreeDefBuilder::enter(NodeKind kind, std::size_t) {
  static constexpr const char* kOpen[] = {"{", "(", "[", "map{", "optional("};
  separate();
  def_.text_ += kOpen[static_cast<int>(kind)];
  kinds_.push_back(kind);
  first_ = true;
}

void TreeDefBuilder::child(std::string_view name) {
  PathVisitor::child(name);
  separate();
  def_.text_ += std::string(name) + ": ";
  first_ = true;
}

void TreeDefBuilder::child(std::size_t i) { PathVisitor::child(i); }

void TreeDefBuilder::child_key(const std::string& key) {
  PathVisitor::child_key(key);
  separate();
  def_.text_ += "'" + key + "': ";
  first_ = true;
}

void TreeDefBuilder::leave() {
  static constexpr const char* kClose[] = {"}", ")", "]", "}", ")"};
  def_.text_ += kClose[static_cast<int>(kinds_.back())];
  kinds_.pop_back();
  first_ = false;
}

void check_same_structure(std::string_view what, const TreeDef& expected, const TreeDef& got) {
  if (expected == got) return;
  const auto& a = expected.paths();
  const auto& b = got.paths();
  const auto shown = [](const std::string& path) { return path.empty() ? std::string("an array") : path; };
  std::string detail;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()) && detail.empty(); ++i) {
    if (i >= b.size())
      detail = "the second has nothing at " + shown(a[i]);
    else if (i >= a.size())
      detail = "the first has nothing at " + shown(b[i]);
    else if (a[i] != b[i])
      detail = "the first has " + shown(a[i]) + " where the second has " + shown(b[i]);
  }
  if (detail.empty()) detail = "they have the same arrays but differ in their static values or containers";
  throw TreeError(std::string(what) + ": trees must have equal structure; got " + expected.str() + " and " + got.str() +
                  ": " + detail + ".");
}

}  // namespace weft::tree
