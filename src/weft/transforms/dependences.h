// Which elements of an operation's results depend on which inputs of a program, from what its operands depend on.
//
// Exact where elements are moved, combined one by one or summed over windows, when indices are known; a factor that is
// known to be zero cuts a dependence. For everything else the sharding rule of the operation tells which axes are
// independent, and along the others every element depends on all: never too little. Integers and bools depend on
// nothing, for nothing has a derivative through them.
#pragma once

#include "weft/transforms/index_sets.h"
#include "weft/transforms/known_values.h"

namespace weft::transforms {

/// The set of each element, in row-major order.
using Ids = std::vector<IndexSets::Id>;
/// Null: no element depends on anything.
using Deps = std::shared_ptr<const Ids>;

/// What is found out about a value.
struct Finding {
  Deps deps;
  KnownValues::Id known = KnownValues::kUnknown;
};

/// An operation and what its operands depend on.
struct DependenceCall {
  OpCode op;
  const ir::ParamsBase* params;
  std::span<const Aval> in, out;
  std::span<const Finding> args;
};

class Dependences {
 public:
  Dependences(IndexSets& sets, KnownValues& known) : sets_(sets), known_(known) {}

  /// One for each result. For operations without programs, and as the last resort for those with.
  std::vector<Deps> of(const DependenceCall& call);
  /// Elementwise. Either may be null.
  Deps unite(const Deps& a, const Deps& b);
  /// Every element depends on what any of them depends on.
  Deps leveled(const Deps& a);

 private:
  using Views = SmallVector<detail::HostView, 4>;

  bool moved(const DependenceCall& call, std::vector<Deps>& results);
  Deps elementwise(const DependenceCall& call);
  Deps scattered(const DependenceCall& call);
  Deps accumulated(const DependenceCall& call);
  Deps contracted(const DependenceCall& call);
  Deps convolved(const DependenceCall& call);
  Deps over_windows(const DependenceCall& call);
  Deps by_factors(const DependenceCall& call, std::size_t result);

  /// Bytes that tell which elements are not zero, when the value is known and some are.
  std::optional<std::vector<char>> nonzero(const Finding& finding, Aval aval);
  /// r[t] unites ids[i] over all i with targets[i] == t; targets below zero are left out.
  Ids unite_by_target(std::int64_t size, std::span<const std::int64_t> targets, std::span<const IndexSets::Id> ids);

  IndexSets& sets_;
  KnownValues& known_;
};

}  // namespace weft::transforms
