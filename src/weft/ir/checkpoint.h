// The parameters of `checkpoint`, a program that reverse mode runs again instead of keeping its values, and of
// `checkpoint_name`, which names a value for policies: what a policy is, as data.
#pragma once

#include <string>
#include <vector>

#include "weft/ir/jaxpr.h"

namespace weft {

enum class SaveRuleKind : std::uint8_t {
  kNothingSaveable,
  kEverythingSaveable,
  kDotsSaveable,
  kDotsWithNoBatchDimsSaveable,
  kSaveOnlyTheseNames,
  kSaveAnyNamesButThese,
  kSaveAnythingExceptTheseNames,
};
inline constexpr std::string_view kSaveRuleKindNames[] = {"nothing_saveable",
                                                          "everything_saveable",
                                                          "dots_saveable",
                                                          "dots_with_no_batch_dims_saveable",
                                                          "save_only_these_names",
                                                          "save_any_names_but_these",
                                                          "save_anything_except_these_names"};
constexpr std::span<const std::string_view> enum_names(SaveRuleKind) { return kSaveRuleKindNames; }
/// Whether the rule is about names.
constexpr bool has_names(SaveRuleKind k) { return k >= SaveRuleKind::kSaveOnlyTheseNames; }

/// One reason to keep a value.
struct SaveRule {
  SaveRuleKind kind = SaveRuleKind::kNothingSaveable;
  std::vector<std::string> names = {};
  friend bool operator==(const SaveRule&, const SaveRule&) = default;
};

/// Which values of a program may be kept for its derivative; the others are computed again. A value is kept when any
/// rule says so. Printed as "dots_saveable | save_only_these_names(a, b)".
class CheckpointPolicy {
 public:
  CheckpointPolicy(SaveRuleKind kind = SaveRuleKind::kNothingSaveable, std::vector<std::string> names = {})
      : rules_{{kind, std::move(names)}} {}
  /// What either keeps.
  friend CheckpointPolicy operator|(CheckpointPolicy a, const CheckpointPolicy& b) {
    a.rules_.insert(a.rules_.end(), b.rules_.begin(), b.rules_.end());
    return a;
  }
  std::span<const SaveRule> rules() const { return rules_; }
  friend bool operator==(const CheckpointPolicy&, const CheckpointPolicy&) = default;

 private:
  std::vector<SaveRule> rules_;
};

/// For each equation of a program, whether its results may be kept. What has effects is always kept, for it must not
/// happen twice. A value that a rule excludes by name is excluded without its name, too.
std::vector<bool> saveable_eqns(const CheckpointPolicy& policy, const ir::Jaxpr& jaxpr);

/// checkpoint: operands are the program's inputs.
struct CheckpointParams {
  ir::Jaxpr jaxpr;
  CheckpointPolicy policy;
  /// Whether it computes again what was computed before. Then its operands go through an optimization_barrier where it
  /// becomes part of a larger program: otherwise both would be found equal, and the first kept.
  bool differentiated = false;
  static constexpr auto fields(auto&& visit) {
    using C = CheckpointParams;
    return visit(ir::field("jaxpr", &C::jaxpr), ir::field("policy", &C::policy),
                 ir::field("differentiated", &C::differentiated));
  }
};

/// checkpoint_name: printed as name[name=a].
struct CheckpointNameParams {
  std::string name;
  static constexpr auto fields(auto&& visit) { return visit(ir::field("name", &CheckpointNameParams::name)); }
};

void print_param(ir::ParamWriter& w, const CheckpointPolicy& v);
void parse_param(TextCursor& in, CheckpointPolicy& v);
std::uint64_t hash_param(const CheckpointPolicy& v);

}  // namespace weft
