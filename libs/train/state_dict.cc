#include "train/state_dict.h"

#include <algorithm>

#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train {

StateDict::StateDict() = default;
StateDict::StateDict(const StateDict&) = default;
StateDict::StateDict(StateDict&&) noexcept = default;
StateDict& StateDict::operator=(const StateDict&) = default;
StateDict& StateDict::operator=(StateDict&&) noexcept = default;
StateDict::~StateDict() = default;

const StateValue* StateDict::find(std::string_view key) const {
  const auto it = std::ranges::find(entries_, key, &StateEntry::key);
  return it == entries_.end() ? nullptr : &it->value;
}

StateValue* StateDict::find(std::string_view key) {
  const auto it = std::ranges::find(entries_, key, &StateEntry::key);
  return it == entries_.end() ? nullptr : &it->value;
}

const StateValue& StateDict::at(std::string_view key, SourceLocation loc) const {
  const StateValue* found = find(key);
  if (found != nullptr) return *found;
  const LocationScope scope(loc, "at");
  std::vector<std::string> keys;
  for (const StateEntry& e : entries_) keys.push_back("'" + e.key + "'");
  throw IndexError("at: the dictionary must have the key '" + std::string(key) + "'; got " +
                   (keys.empty() ? "no keys" : join(keys, ", ")) + ".");
}

void StateDict::set(std::string key, StateValue value) {
  if (StateValue* found = find(key))
    *found = std::move(value);
  else
    append(std::move(key), std::move(value));
}

void StateDict::append(std::string key, StateValue value) { entries_.push_back({std::move(key), std::move(value)}); }

void StateDict::sort() { std::ranges::sort(entries_, {}, &StateEntry::key); }

const Array* StateValue::array() const {
  if (const auto* scalar = get_if<NumpyScalar>()) return &scalar->value;
  return get_if<Array>();
}

std::string StateValue::str() const {
  const auto named = [](const auto& v) -> std::string {
    using T = std::remove_cvref_t<decltype(v)>;
    if constexpr (std::is_same_v<T, std::monostate>)
      return "none";
    else if constexpr (std::is_same_v<T, Array>)
      return v.defined() ? v.aval().str() : "none";
    else if constexpr (std::is_same_v<T, NumpyScalar>)
      return v.value.aval().str();
    else if constexpr (std::is_same_v<T, std::complex<double>>)
      return "a complex number";
    else if constexpr (std::is_same_v<T, bool>)
      return v ? "true" : "false";
    else if constexpr (std::is_integral_v<T>)
      return "the integer " + number_str(v);
    else if constexpr (std::is_same_v<T, double>)
      return "the number " + number_str(v);
    else if constexpr (std::is_same_v<T, std::string>)
      return "a text";
    else if constexpr (std::is_same_v<T, StateList>)
      return "a list of " + number_str(v.size());
    else if constexpr (std::is_same_v<T, StateDict>)
      return "a dictionary of " + number_str(v.size());
    else
      return "bytes";
  };
  return std::visit(named, value);
}

StateValue sorted(StateValue value) {
  if (auto* list = value.get_if<StateList>()) {
    for (StateValue& v : *list) v = sorted(std::move(v));
  } else if (const auto* dict = value.get_if<StateDict>()) {
    StateDict out;
    for (const StateEntry& e : *dict) out.append(e.key, sorted(e.value));
    out.sort();
    return out;
  }
  return value;
}

namespace {

void collect_leaves(const StateValue& value, const std::string& path, bool root, std::vector<StateLeaves::Leaf>& out) {
  const auto below = [&](const std::string& key) { return root ? key : path + "/" + key; };
  if (const auto* dict = value.get_if<StateDict>()) {
    for (const StateEntry& e : *dict) collect_leaves(e.value, below(e.key), false, out);
  } else if (const auto* list = value.get_if<StateList>()) {
    for (std::size_t i = 0; i < list->size(); ++i) collect_leaves((*list)[i], below(number_str(i)), false, out);
  } else {
    out.push_back({path, &value});
  }
}

}  // namespace

StateLeaves::StateLeaves(const StateValue& value, const std::string& source) {
  collect_leaves(value, "", true, leaves_);
  std::ranges::sort(leaves_, {}, &Leaf::path);
  const auto twice = std::ranges::adjacent_find(leaves_, {}, &Leaf::path);
  if (twice != leaves_.end())
    throw ParseError("from_state_dict: " + source + " must have every path once; got " + twice->path + " twice.");
}

StateLeaves::Leaf* StateLeaves::find(std::string_view path) {
  const auto at = std::ranges::lower_bound(leaves_, path, {}, &Leaf::path);
  return at != leaves_.end() && at->path == path ? &*at : nullptr;
}

}  // namespace weft::train
