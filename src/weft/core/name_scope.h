// Name scopes: "encoder/layer_0", recorded in equations. Programs show them when asked:
// ir::print(jaxpr, {.name_scopes = true}).
#pragma once

#include <string>

namespace weft {

namespace detail {
inline constinit thread_local const std::string* name_scope = nullptr;
}

/// The scope of the operations being staged now; null at top level. Interned for ever.
inline const std::string* current_name_scope() { return detail::name_scope; }

/// Operations staged while it lives are named "outer/name".
class NameScope {
 public:
  explicit NameScope(const std::string& name);
  ~NameScope() { detail::name_scope = saved_; }
  NameScope(const NameScope&) = delete;
  NameScope& operator=(const NameScope&) = delete;

 private:
  const std::string* saved_;
};

/// Restores the scope of an equation that is being run again.
class NameScopeOf {
 public:
  explicit NameScopeOf(const std::string* scope) : saved_(detail::name_scope) {
    if (scope) detail::name_scope = scope;
  }
  ~NameScopeOf() { detail::name_scope = saved_; }
  NameScopeOf(const NameScopeOf&) = delete;
  NameScopeOf& operator=(const NameScopeOf&) = delete;

 private:
  const std::string* saved_;
};

}  // namespace weft
