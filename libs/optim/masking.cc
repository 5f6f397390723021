#include "optim/masking.h"

#include <algorithm>

#include "weft/base/text.h"

namespace weft::optim::detail {

bool mask_leaf(const Array& a) {
  if (a.dtype() != boolean) throw DTypeError("mask: arrays in a mask must be bool[]; got " + a.aval().str() + ".");
  if (a.ndim() != 0) throw ShapeError("mask: arrays in a mask must be bool[]; got " + a.aval().str() + ".");
  if (!a.known())
    throw ConcretizationError("mask: which leaves are meant must be known while tracing; got a traced bool[].",
                              "make the mask outside of the transformation");
  return a.item<bool>();
}

std::optional<std::size_t> covering(const PathIndex& index, std::string_view path) {
  for (;;) {
    if (const auto at = index.find(path); at != index.end()) return at->second;
    const std::size_t last = path.find_last_of(".[");
    if (last == std::string_view::npos) return std::nullopt;
    path = path.substr(0, last);
  }
}

void refuse_empty(bool empty, const SourceLocation& loc) {
  const LocationScope scope(loc, "mask");
  if (empty) throw ValueError("mask: what tells the value of a leaf must be a function; got an empty one.");
}

void check_kept(std::size_t leaves, const std::vector<bool>& keep) {
  const auto kept = static_cast<std::size_t>(std::count(keep.begin(), keep.end(), true));
  if (leaves != kept)
    throw TreeError("masked: a transformation must keep the structure of updates; got " +
                    count_str(static_cast<std::int64_t>(leaves), "array", "arrays") + " for " + std::to_string(kept) +
                    ".");
}

namespace {
std::string place(const std::string& path) { return path.empty() ? "the root" : path; }
}  // namespace

void throw_not_covered(const char* what, const std::string& path) {
  throw TreeError(std::string(what) +
                  ": a tree of values must have one for each leaf of the parameters; got none for " + place(path) +
                  ".");
}

void throw_covers_nothing(const char* what, const std::string& path) {
  throw TreeError(std::string(what) + ": a tree of values must have them for leaves of the parameters; got one for " +
                  place(path) + ", where there is no leaf.");
}

void check_groups(const std::vector<std::string>& groups) {
  for (std::size_t i = 0; i < groups.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (groups[i] == groups[j])
        throw ValueError("partition: groups must have labels that differ; got '" + groups[i] + "' twice.");
}

void check_labels(const std::vector<std::string>& labels, const std::vector<std::string>& groups, PathOf path) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (std::find(groups.begin(), groups.end(), labels[i]) != groups.end()) continue;
    throw ValueError("partition: every leaf must have the label of a group, which are " + join(groups, ", ") +
                     "; got '" + labels[i] + "' for " + path(i) + ".");
  }
}

std::vector<bool> labelled(const std::vector<std::string>& labels, const std::string& label) {
  std::vector<bool> r;
  for (const std::string& own : labels) r.push_back(own == label);
  return r;
}

}  // namespace weft::optim::detail
