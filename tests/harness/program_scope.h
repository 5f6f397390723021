// A program that is being made at random, and what is known of it so far: its values, from which later equations choose
// their operands. Scopes nest as programs do; an inner one may capture values of an outer one.
//
// Invariant: what apply() appends is well typed, because ir::infer says so; no rule of types is written here.
#pragma once

#include <optional>
#include <vector>

#include "harness/random_values.h"
#include "weft/base/function_ref.h"
#include "weft/ir/builder.h"

namespace weft::testing {

/// An operand and its type.
struct Operand {
  ir::Atom atom;
  Aval aval;
};
using Operands = std::vector<Operand>;

/// What all scopes of one program share.
struct Generation {
  RandomSource& random;
  /// Whether to leave out operations whose results differ from one right implementation to the other.
  bool exact = false;
  /// Whether the program has no inputs.
  bool closed = false;
  /// Element operations that may still be spent.
  double work_left = 0;
  std::int64_t most_elements = 0;  // of one array
  /// Types that values have more often than others, so that they meet.
  std::vector<Dims> shapes = {};
  std::vector<DType> dtypes = {};
  std::vector<Fill> fills = {};  // of the inputs of the outermost scope
};

class Scope {
 public:
  /// The outermost, which makes inputs as it needs them.
  explicit Scope(Generation& g) : g_(g) {}
  /// A program inside of `outer` that runs up to `repeats` times each time that runs. With `captures` it may use values
  /// of `outer`, which become its constants.
  Scope(Scope& outer, double repeats, bool captures)
      : g_(outer.g_),
        outer_(&outer),
        captures_(captures),
        repeats_(outer.repeats_ * repeats),
        depth_(outer.depth_ + 1) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  Generation& generation() { return g_; }
  RandomSource& random() { return g_.random; }
  int depth() const { return depth_; }
  std::size_t num_eqns() const { return builder_.num_eqns(); }
  bool affords(double work) const { return work * repeats_ <= g_.work_left; }

  // ---- operands ----

  Operand add_input(Aval type, Fill fill = Fill::kAnyKind);
  /// The outermost scope may add some.
  bool wants_inputs() const { return !outer_ && !g_.closed && inputs_.size() < 7; }
  Operand literal(const ir::Literal& literal) { return {builder_.add_literal(literal), literal.aval}; }
  Operand literal(Aval type, double value) { return literal(literal_of(type, value)); }

  using Predicate = FunctionRef<bool(Aval)>;
  /// One of the values whose type fits, recent ones more often, and as often as said one that nothing uses yet; perhaps
  /// one that is captured for it.
  std::optional<Operand> find(Predicate fits, double unused_first = 0.5);
  std::optional<Operand> any() {
    return find([](Aval) { return true; });
  }
  /// A value of the outer scope, which must allow captures, in this one.
  Operand captured_as(const Operand& outer);
  /// A value of the type: one that is there, a literal, an input, or one made from another by new equations.
  Operand of_type(Aval type);
  /// The same, but a value that is there if one is.
  Operand recent_of_type(Aval type);

  // ---- equations ----

  /// The results, or nothing when the operation does not take this or would take too long.
  std::optional<Operands> apply(OpCode op, ir::Params params, std::span<const Operand> operands);
  std::optional<Operand> apply1(OpCode op, ir::Params params, std::initializer_list<Operand> operands) {
    const auto results = apply(op, std::move(params), std::span(operands.begin(), operands.size()));
    return results ? std::optional((*results)[0]) : std::nullopt;
  }
  template <ir::HasFields P>
  std::optional<Operand> apply1(OpCode op, P params, std::initializer_list<Operand> operands) {
    return apply1(op, ir::make_params(std::move(params)), operands);
  }
  /// One of the equations so far once more.
  bool repeat_equation();

  // ---- the end ----

  /// Some outputs: results that nothing uses, others, now and then inputs, literals and the same one twice.
  Operands some_outputs(std::size_t most);
  const Operands& captured() const { return captured_; }  // operands in the outer scope
  ir::Jaxpr finish(std::span<const Operand> outputs);

 private:
  struct Known {
    Operand operand;
    int uses = 0;
    bool result = false;
  };
  struct Made {
    OpCode op;
    ir::Params params;
    Operands operands;
  };
  std::optional<Operand> find_here(Predicate fits, double unused_first);
  std::optional<Operand> capture(Predicate fits);
  std::optional<Operand> adapted(Aval type);

  Generation& g_;
  Scope* outer_ = nullptr;
  bool captures_ = false;
  double repeats_ = 1;
  int depth_ = 0;
  ir::JaxprBuilder builder_;
  std::vector<ir::Var> consts_, inputs_;
  Operands captured_;
  std::vector<Known> known_;
  std::vector<Made> made_;
};

/// Appends equations, with programs inside of them, until there are about `count` new ones.
void fill_scope(Scope& scope, int count);

// What fill_scope chooses from. Each appends something and says whether it could.
using Maker = bool (*)(Scope&);
struct WeightedMaker {
  Maker make;
  double weight;
};
std::span<const WeightedMaker> equation_makers();  // random_equations.cc
std::span<const WeightedMaker> indexing_makers();  // random_indexing.cc
std::span<const WeightedMaker> control_makers();   // random_control.cc
std::span<const WeightedMaker> pattern_makers();   // random_patterns.cc

}  // namespace weft::testing
