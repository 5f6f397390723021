#include "train/state_tree.h"

#include <algorithm>
#include <span>

#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train::detail {

namespace {

// Before all characters that may follow a part of a key comes its end, so that keys with equal beginnings stand
// together.
bool parts_before(const StateEntry& a, const StateEntry& b) {
  const auto rank = [](char c) { return c == '/' ? 0 : 1 + static_cast<unsigned char>(c); };
  return std::ranges::lexicographical_compare(a.key, b.key, {}, rank, rank);
}

// The part of a key that begins at `begin`.
std::string_view part_at(const StateEntry& e, std::size_t begin) {
  return std::string_view(e.key).substr(begin, e.key.find('/', begin) - begin);
}

// A dictionary of entries in the order of parts_before, which agree in their keys up to `begin`.
StateDict nested(std::span<StateEntry> entries, std::size_t begin) {
  StateDict out;
  while (!entries.empty()) {
    const std::string part(part_at(entries[0], begin));
    const std::size_t end = begin + part.size();
    const auto other = std::ranges::find_if(entries, [&](const StateEntry& e) { return part_at(e, begin) != part; });
    const auto group = entries.first(static_cast<std::size_t>(other - entries.begin()));
    const bool whole = group[0].key.size() == end;
    if (whole && group.size() > 1)
      throw ValueError("to_state_dict: no key of a map may begin with another and '/'; got '" + group[0].key +
                       "' and '" + group[1].key + "'.");
    out.append(part, whole ? std::move(group[0].value) : StateValue(nested(group, end + 1)));
    entries = entries.subspan(group.size());
  }
  return out;
}

}  // namespace

void StateBuilder::leave() {
  Node node = std::move(nodes_.back());
  nodes_.pop_back();
  if (node.kind == tree::NodeKind::kOptional) return put(std::move(node.value));
  if (node.nested) {
    std::ranges::sort(node.entries, parts_before);
    return put(nested(node.entries, 0));
  }
  StateDict dict;
  for (StateEntry& e : node.entries) dict.append(std::move(e.key), std::move(e.value));
  put(std::move(dict));
}

void StateBuilder::put(StateValue value) {
  if (nodes_.empty()) {
    root_ = std::move(value);
    return;
  }
  Node& node = nodes_.back();
  if (node.kind == tree::NodeKind::kOptional) {
    node.value = std::move(value);
    return;
  }
  std::string key = node.key ? *node.key : number_str(node.next++);
  node.nested = node.nested || (node.kind == tree::NodeKind::kMap && key.find('/') != std::string::npos);
  node.entries.push_back({std::move(key), std::move(value)});
}

void StateReader::open(std::string key) {
  lengths_.push_back(path_.size());
  if (separator_ != "/")
    for (std::size_t at = 0; (at = key.find('/', at)) != std::string::npos; at += separator_.size())
      key.replace(at, 1, separator_);
  if (lengths_.size() > 1) path_ += separator_;
  path_ += key;
  nodes_.back().open = true;
}

std::string StateReader::leaf_path() {
  if (nodes_.empty() || nodes_.back().open || nodes_.back().kind != tree::NodeKind::kList) return path_;
  return path_ + (lengths_.empty() ? "" : separator_) + number_str(nodes_.back().next++);
}

const StateValue* StateReader::take(const std::string& path, const std::string& wanted) {
  StateLeaves::Leaf* leaf = leaves_.find(path);
  if (leaf != nullptr) leaf->taken = true;
  if (leaf != nullptr && !leaf->value->none()) return leaf->value;
  if (!options_.allow_missing) missing_.push_back((path.empty() ? "the root" : path) + ", " + wanted);
  return nullptr;
}

void StateReader::mismatch(const std::string& path, const StateValue& got, const std::string& wanted) {
  mismatched_.push_back((path.empty() ? "the root" : path) + ", " + got.str() + " for " + wanted);
}

namespace {

// A number of the file as an array of that dtype; nullopt when it is none, or of another kind.
std::optional<Array> number_as(const StateValue& state, DType dtype) {
  const auto fitting = [&](const auto* number, bool kind) -> std::optional<Array> {
    if (number == nullptr || !kind || !Scalar(*number).fits(dtype)) return std::nullopt;
    return Array::full({}, dtype, Scalar(*number));
  };
  if (auto a = fitting(state.get_if<bool>(), dtype == boolean)) return a;
  if (auto a = fitting(state.get_if<std::int64_t>(), dtype != boolean)) return a;
  if (auto a = fitting(state.get_if<std::uint64_t>(), dtype != boolean)) return a;
  if (auto a = fitting(state.get_if<double>(), is_inexact(dtype))) return a;
  return fitting(state.get_if<std::complex<double>>(), is_complex(dtype));
}

}  // namespace

void StateReader::array(Array& a) {
  const std::string path = leaf_path();
  if (!a.defined()) {
    StateLeaves::Leaf* leaf = leaves_.find(path);
    if (leaf != nullptr && leaf->value->none()) leaf->taken = true;
    return;
  }
  const Aval wanted = a.aval();
  const StateValue* state = take(path, wanted.str());
  if (state == nullptr) return;
  const Array* stored = state->array();
  if (stored == nullptr) {
    const auto number = wanted.ndim() == 0 ? number_as(*state, wanted.dtype()) : std::nullopt;
    if (number)
      a = *number;
    else
      mismatch(path, *state, wanted.str());
    return;
  }
  const bool same_type = stored->dtype() == wanted.dtype();
  if (!same_dims(stored->shape(), wanted.shape()) || (!same_type && options_.dtype == RestoreDType::kSame))
    mismatch(path, *state, wanted.str());
  else
    a = same_type || options_.dtype == RestoreDType::kFile ? *stored : stored->astype(wanted.dtype());
}

void StateReader::finish(std::string_view op, const std::string& source) {
  std::vector<std::string> extra;
  if (!options_.allow_extra)
    for (const StateLeaves::Leaf& leaf : leaves_.all())
      if (!leaf.taken && !leaf.value->none())
        extra.push_back((leaf.path.empty() ? "the root" : leaf.path) + ", " + leaf.value->str());
  const std::size_t count = missing_.size() + extra.size() + mismatched_.size();
  if (count == 0) return;
  std::string text = std::string(op) + ": " + source + " must have the leaves of the target; got " +
                     count_str(static_cast<std::int64_t>(count), "difference", "differences") + ":";
  const auto list = [&](const char* what, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) text += std::string("\n  ") + what + " " + line;
  };
  list("missing", missing_);
  list("extra", extra);
  list("mismatched", mismatched_);
  throw TreeError(text + ".");
}

}  // namespace weft::train::detail
