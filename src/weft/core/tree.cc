#include "weft/core/tree.h"

#include <algorithm>

#include "weft/base/text.h"

namespace weft::tree {

namespace {

// Inside quotes, so that no content looks like structure.
std::string quoted(const std::string& text, char quote) {
  std::string r(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') r += '\\';
    r += c;
  }
  return r + quote;
}

}  // namespace

namespace detail {

std::string_view nth_name(std::string_view names, std::size_t i) {
  for (; i > 0; --i) names.remove_prefix(names.find(',') + 1);
  names = names.substr(0, names.find(','));
  while (!names.empty() && names.front() == ' ') names.remove_prefix(1);
  while (!names.empty() && names.back() == ' ') names.remove_suffix(1);
  return names;
}

std::string static_text(bool v) { return v ? "true" : "false"; }
std::string static_text(std::int64_t v) { return number_str(v); }
std::string static_text(std::uint64_t v) { return number_str(v); }
std::string static_text(float v) { return number_str(v); }
std::string static_text(double v) { return number_str(v); }
std::string static_text(DType v) { return std::string(name(v)); }
std::string static_text(const std::string& v) { return quoted(v, '"'); }

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
  def_.text_ += quoted(key, '\'') + ": ";
  first_ = true;
}

void TreeDefBuilder::leave() {
  static constexpr const char* kClose[] = {"}", ")", "]", "}", ")"};
  def_.text_ += kClose[static_cast<int>(kinds_.back())];
  kinds_.pop_back();
  first_ = false;
}

void detail::Outline::enter(NodeKind kind, std::size_t n) {
  if (kind == NodeKind::kList || kind == NodeKind::kMap)
    add(count_str(static_cast<std::int64_t>(n), "entry", "entries"));
  if (kind == NodeKind::kOptional) add(n ? "a value" : "no value");
}

void detail::throw_structures_differ(std::string_view what, const Outline& a, const Outline& b,
                                     const SourceLocation& loc) {
  const LocationScope scope(loc);
  const auto has = [](const Outline& o, const std::string& path) {
    return std::any_of(o.entries.begin(), o.entries.end(), [&](const auto& e) { return e.path == path; });
  };
  std::size_t i = 0;
  while (i < a.entries.size() && i < b.entries.size() && a.entries[i] == b.entries[i]) ++i;
  // What stands there in one tree, what in the other.
  std::string path, first = "nothing", second = "nothing";
  if (i < a.entries.size() && (i == b.entries.size() || !has(b, a.entries[i].path))) {
    path = a.entries[i].path;
    first = a.entries[i].text;
  } else if (i < b.entries.size() && (i == a.entries.size() || !has(a, b.entries[i].path))) {
    path = b.entries[i].path;
    second = b.entries[i].text;
  } else if (i < a.entries.size() && a.entries[i].path == b.entries[i].path) {
    path = a.entries[i].path;
    first = a.entries[i].text;
    second = a.entries[i].value && b.entries[i].value ? "one that is not equal" : b.entries[i].text;
  } else {
    first = second = "other types";  // the same entries in another order or another kind of container
  }
  TreeError error(std::string(what) + ": trees must have equal structure; got " + first + " and " + second + " at " +
                  (path.empty() ? std::string("the root") : path) + ".");
  if (const std::string after = after_last_call(); !error.location() && !after.empty()) error.add_note(after);
  throw error;
}

}  // namespace weft::tree
