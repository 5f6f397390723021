// checkpoint (JAX's remat): a function whose derivative keeps little and computes the rest again, what may be kept, and
// a list of what a derivative keeps.
#pragma once

#include <iosfwd>

#include "weft/api/callable.h"
#include "weft/ir/checkpoint.h"

namespace weft {

/// Which values of a checkpointed function may be kept. A policy is a value; save_from_both_policies joins two.
namespace checkpoint_policies {

/// Only the arguments: what `checkpoint` does when nothing is said.
inline const CheckpointPolicy nothing_saveable{SaveRuleKind::kNothingSaveable};
/// Everything, as without checkpoint.
inline const CheckpointPolicy everything_saveable{SaveRuleKind::kEverythingSaveable};
/// Results of matrix products, which take long to compute again.
inline const CheckpointPolicy dots_saveable{SaveRuleKind::kDotsSaveable};
/// Results of matrix products without batch dimensions: x w, but not the scores of attention.
inline const CheckpointPolicy dots_with_no_batch_dims_saveable{SaveRuleKind::kDotsWithNoBatchDimsSaveable};

/// Values that checkpoint_name gave one of these names.
template <class... Names>
CheckpointPolicy save_only_these_names(const Names&... names) {
  return {SaveRuleKind::kSaveOnlyTheseNames, {std::string(names)...}};
}
/// Values that checkpoint_name gave any other name.
template <class... Names>
CheckpointPolicy save_any_names_but_these(const Names&... names) {
  return {SaveRuleKind::kSaveAnyNamesButThese, {std::string(names)...}};
}
/// All values, named or not, but those of these names.
template <class... Names>
CheckpointPolicy save_anything_except_these_names(const Names&... names) {
  return {SaveRuleKind::kSaveAnythingExceptTheseNames, {std::string(names)...}};
}
/// What either policy keeps.
inline CheckpointPolicy save_from_both_policies(const CheckpointPolicy& a, const CheckpointPolicy& b) { return a | b; }

}  // namespace checkpoint_policies

namespace api {

/// Binds one `checkpoint` of the program and its captures.
Arrays bind_checkpoint(const Staged& staged, const CheckpointPolicy& policy, std::span<const Array> args,
                       const SourceLocation& loc);

}  // namespace api

/// A function with f's arguments that gives what f gives. Its derivatives in reverse mode keep the arguments, what f
/// captures and the values that `policy` allows, and compute the others again: less memory, more time.
///   auto layer = checkpoint([](Array w, Array x) { return np::tanh(np::matmul(x, w)); });
/// f is staged on every call, also outside of transformations: what it computes has no values inside, unless a
/// DisableJit lives, which runs f as it is.
template <class F>
auto checkpoint(F&& f, CheckpointPolicy policy = {}, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)), policy = std::move(policy), loc](auto&&... args) {
    auto pack = api::prepare<decltype(f)>(std::forward<decltype(args)>(args)...);
    api::Callable<std::remove_reference_t<decltype((f))>, decltype(pack)> call(f, pack);
    if (jit_disabled()) return call.run(f, std::move(pack));
    const std::string name = api::transform_name("checkpoint(f)", loc);
    const Arrays leaves = tree::leaves(pack);
    ir::Avals inputs = avals_of(leaves);
    const Staged staged = api::with_note(name, [&] { return stage(call.flat(), inputs, name); });
    return call.result(api::bind_checkpoint(staged, policy, leaves, loc));
  };
}

/// x, an array or a tree of arrays, under a name for the policies that keep values by name. Derivatives are x's.
template <class T>
T checkpoint_name(const T& x, const std::string& name, SourceLocation loc = std::source_location::current());

/// One value that a derivative keeps.
struct SavedResidual {
  Aval type;
  /// "from the argument args[0].w", "output of sin", "named 'hidden'", "from a constant".
  std::string origin;
  /// The line that computed it; unknown for arguments and constants.
  SourceLocation location;
  std::string str() const;
};

/// Prints one value per line.
struct SavedResiduals : std::vector<SavedResidual> {
  /// Bytes of all.
  std::int64_t bytes() const;
};
std::ostream& operator<<(std::ostream& out, const SavedResiduals& residuals);

namespace api {

Array name_leaf(const Array& x, const std::string& name, const SourceLocation& loc);
SavedResiduals saved_residuals(const FlatFunction& f, std::span<const Array> leaves,
                               const std::function<std::string(std::size_t)>& path_of, const std::string& name);

}  // namespace api

/// What reverse mode keeps of a run of f with these arguments: what f captures, arguments, then values in the order in
/// which they are computed. Nothing is computed, so arguments may be `abstract`. Derivatives are by all float and
/// complex leaves.
template <class F, class... A>
SavedResiduals saved_residuals(F&& f, A&&... args) {
  auto pack = api::prepare<F>(std::forward<A>(args)...);
  api::Callable<std::remove_reference_t<F>, decltype(pack)> call(f, pack);
  return api::saved_residuals(
      call.flat(), tree::leaves(pack), [&](std::size_t i) { return api::leaf_path(pack, i); }, "saved_residuals(f)");
}

template <class T>
T checkpoint_name(const T& x, const std::string& name, SourceLocation loc) {
  T r = x;
  tree::for_each(r, [&](Array& a) { a = api::name_leaf(a, name, loc); });
  return r;
}

}  // namespace weft
