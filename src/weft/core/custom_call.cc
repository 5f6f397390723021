#include "weft/core/custom_call.h"

#include <map>
#include <mutex>

namespace weft {

namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<const CustomCallFunction>> functions;
};

Registry& registry() {
  static Registry* const r = new Registry;  // outlives every static array
  return *r;
}

std::string list(const std::vector<std::string>& names) {
  if (names.empty()) return "nothing is registered";
  std::string s = "registered are ";
  for (std::size_t i = 0; i < names.size(); ++i) s += (i ? ", " : "") + names[i];
  return s;
}

}  // namespace

void register_custom_call(const std::string& name, CustomCallFunction function) {
  if (name.empty()) throw ValueError("register_custom_call: there must be a name; got an empty one.");
  if (!function.eval)
    throw ValueError("register_custom_call: there must be an eval function; got none for " + name + ".");
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  if (!r.functions.emplace(name, std::make_shared<const CustomCallFunction>(std::move(function))).second)
    throw ValueError("register_custom_call: a name must be registered once; got " + name + " again.");
}

void unregister_custom_call(const std::string& name) {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  if (r.functions.erase(name) == 0)
    throw ValueError("unregister_custom_call: the name must be registered; got " + name + ".");
}

std::vector<std::string> registered_custom_calls() {
  Registry& r = registry();
  const std::lock_guard lock(r.mutex);
  std::vector<std::string> names;
  names.reserve(r.functions.size());
  for (const auto& [name, function] : r.functions) names.push_back(name);
  return names;
}

std::shared_ptr<const CustomCallFunction> find_custom_call(const std::string& name) {
  {
    Registry& r = registry();
    const std::lock_guard lock(r.mutex);
    const auto it = r.functions.find(name);
    if (it != r.functions.end()) return it->second;
  }
  throw BackendError(
      "custom_call: the target must be registered; got \"" + name + "\" (" + list(registered_custom_calls()) + ").",
      "register it with register_custom_call, of weft/core/custom_call.h.");
}

}  // namespace weft
