// Axes that have a name while a function is mapped: what lax::psum(x, "i") and its like speak of.
#pragma once

#include <string>
#include <string_view>

#include "weft/ir/mapped_axis.h"

namespace weft {

namespace detail {
struct NamedAxisInScope {
  const MappedAxis* axis;
  const NamedAxisInScope* outer;
};
inline constinit thread_local const NamedAxisInScope* named_axes = nullptr;
}  // namespace detail

/// While it lives, operations on this thread may name `axis`, which must outlive it. An outer axis of the same name is
/// hidden. Nothing happens when the axis has no name.
class NamedAxisScope {
 public:
  explicit NamedAxisScope(const MappedAxis& axis) : here_{&axis, detail::named_axes} {
    if (axis) detail::named_axes = &here_;
  }
  ~NamedAxisScope() { detail::named_axes = here_.outer; }
  NamedAxisScope(const NamedAxisScope&) = delete;
  NamedAxisScope& operator=(const NamedAxisScope&) = delete;

 private:
  detail::NamedAxisInScope here_;
};

/// While it lives, no axis may be named on this thread: for what runs inside of other things by chance.
class NoNamedAxes {
 public:
  NoNamedAxes() : saved_(detail::named_axes) { detail::named_axes = nullptr; }
  ~NoNamedAxes() { detail::named_axes = saved_; }
  NoNamedAxes(const NoNamedAxes&) = delete;
  NoNamedAxes& operator=(const NoNamedAxes&) = delete;

 private:
  const detail::NamedAxisInScope* saved_;
};

/// The innermost axis of that name. UnboundAxisError, listing those in scope, when there is none; `who` asks.
const MappedAxis& named_axis(std::string_view who, std::string_view name);

/// All axes in scope, outer to inner: a program that was traced under some must not serve under others.
std::string named_axes_key();

}  // namespace weft
