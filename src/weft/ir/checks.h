// The parameters of check_finite and check_index: identities that throw when a value is not what it should be. They are
// put into programs that are traced under debug::CheckScope (core/checks.h).
#pragma once

#include <string>
#include <vector>

#include "weft/ir/jaxpr.h"

namespace weft {

/// When a check looks.
enum class CheckPass : std::uint8_t {
  kForward,
  kTangent,       // at a tangent, in forward mode
  kBackward,      // at a cotangent
  kWaiting,       // never; its transpose looks at the cotangent
  kBackwardRule,  // at a result, in a rule of the user for the backward pass
};
inline constexpr std::string_view kCheckPassNames[] = {"forward", "tangent", "backward", "waiting", "backward_rule"};
constexpr std::span<const std::string_view> enum_names(CheckPass) { return kCheckPassNames; }

/// An axis of a checked value over which vmap mapped, with the name that it had.
struct CheckedAxis {
  std::int64_t axis = 0;
  std::string name = {};
  friend bool operator==(const CheckedAxis&, const CheckedAxis&) = default;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("axis", &CheckedAxis::axis), ir::field("name", &CheckedAxis::name));
  }
};

struct CheckFiniteParams {
  /// The operation that gave the value (or, in the backward pass, took it).
  std::string op;
  CheckPass pass = CheckPass::kForward;
  bool nans = true;
  bool infs = true;
  /// Inner to outer.
  std::vector<CheckedAxis> examples = {};
  static constexpr auto fields(auto&& visit) {
    using C = CheckFiniteParams;
    return visit(ir::field("op", &C::op), ir::field("pass", &C::pass), ir::field("nans", &C::nans),
                 ir::field("infs", &C::infs), ir::field("examples", &C::examples));
  }
};

/// The checked value holds index vectors along `component_axis`, or one component each when that is -1. Component i is
/// a position along axis `axes[i]`, of `sizes[i]` positions, of something `windows[i]` long.
struct CheckIndexParams {
  std::string op;
  std::int64_t component_axis = -1;
  Dims axes;
  Dims sizes;
  Dims windows;
  std::vector<CheckedAxis> examples = {};
  static constexpr auto fields(auto&& visit) {
    using C = CheckIndexParams;
    return visit(ir::field("op", &C::op), ir::field("component_axis", &C::component_axis), ir::field("axes", &C::axes),
                 ir::field("sizes", &C::sizes), ir::field("windows", &C::windows), ir::field("examples", &C::examples));
  }
};

namespace ir {

/// Whether what the operation gives are elements of its operands, perhaps rounded or with another sign, or parts of
/// them: what is wrong with those came up before.
bool only_moves(OpCode op);

/// What a program checks, or those that parameters hold, with the programs inside of them.
struct ChecksInside {
  bool any = false;
  bool nans = false;
  bool infs = false;
};
ChecksInside checks_inside(const Jaxpr& jaxpr);
ChecksInside checks_inside(const ParamsBase& params);

/// The program, and the programs inside it, without checks. The same object when there are none.
Jaxpr without_checks(const Jaxpr& jaxpr);

}  // namespace ir

}  // namespace weft
