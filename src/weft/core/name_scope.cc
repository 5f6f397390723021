#include "weft/core/name_scope.h"

#include <mutex>
#include <unordered_set>

namespace weft {

NameScope::NameScope(const std::string& name) : saved_(detail::name_scope) {
  static std::mutex mutex;
  static auto* const names = new std::unordered_set<std::string>;  // pointers into a set stay valid
  const std::lock_guard lock(mutex);
  detail::name_scope = &*names->insert(saved_ ? *saved_ + "/" + name : name).first;
}

}  // namespace weft
