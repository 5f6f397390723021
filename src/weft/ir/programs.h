// The parameters of operations that carry programs (beside `call`, in call.h).
//
// What a program captures from around it are its leading constants (Jaxpr::num_consts), and the operation's leading
// operands: first the captures of each program in the order of the fields, then the operation's own operands.
#pragma once

#include <optional>

#include "weft/ir/indexing.h"
#include "weft/ir/jaxpr.h"
#include "weft/ir/window.h"

namespace weft {

/// case: operands are the index (i32[], or bool[] with false, true) and what every branch takes. An index out of range
/// chooses the last branch. Branches have no constants of their own.
struct CaseParams {
  std::vector<ir::Jaxpr> branches;
  static constexpr auto fields(auto&& visit) { return visit(ir::field("branches", &CaseParams::branches)); }
};

/// How errors number the iterations of a loop: as it counts its steps; by its first carried value, an integer, less
/// one, where it is a part of another loop or goes backwards; or not at all.
enum class IterationNumber : std::uint8_t { kCounted, kCarried, kUntold };
inline constexpr std::string_view kIterationNumberNames[] = {"counted", "carried", "untold"};
constexpr std::span<const std::string_view> enum_names(IterationNumber) { return kIterationNumberNames; }

/// while: operands are the captures of cond, those of body, and the carried values.
// NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): the analyzer loses what an initialiser of a member gives
struct WhileParams {
  ir::Jaxpr cond_jaxpr;  // carry -> bool[]
  ir::Jaxpr body_jaxpr;  // carry -> carry
  /// The most steps it may take. A loop that would go on raises ValueError when it runs.
  std::optional<std::int64_t> max_steps = {};
  IterationNumber number = IterationNumber::kCounted;
  static constexpr auto fields(auto&& visit) {
    using W = WhileParams;
    return visit(ir::field("cond_jaxpr", &W::cond_jaxpr), ir::field("body_jaxpr", &W::body_jaxpr),
                 ir::field("max_steps", &W::max_steps), ir::optional_field("number", &W::number));
  }
};

/// The number of iteration `step` for errors, where the first carried value is `first` (null: there is none); -1 for
/// none.
std::int64_t iteration_number(const WhileParams& p, std::int64_t step, const TensorView* first);

/// The error of a loop whose condition still holds after its max_steps. Loops that derivatives are made of have bounds
/// of their own, so it tells no number.
[[noreturn]] inline void throw_too_many_steps() {
  throw ValueError("while_loop: the condition must become false within max_steps; got one that still holds after them.",
                   "allow more steps, or end the loop earlier.");
}

/// scan: operands are the captures of the body, the carried values, and what is scanned over, along the first axis.
struct ScanParams {
  ir::Jaxpr jaxpr;  // captures, carry, slices -> carry, slices of results
  std::int64_t length = 0;
  std::int64_t num_carry = 0;
  bool reverse = false;  // from the last slice to the first
  static constexpr auto fields(auto&& visit) {
    using S = ScanParams;
    return visit(ir::field("jaxpr", &S::jaxpr), ir::field("length", &S::length), ir::field("num_carry", &S::num_carry),
                 ir::field("reverse", &S::reverse));
  }
};

/// composite: a named operation and what it means, StableHLO's `composite`.
struct CompositeParams {
  std::string name;
  std::int64_t version = 0;
  /// The attributes in MLIR's text form ("{n = 2 : i64}"), or empty.
  std::string attributes;
  ir::Jaxpr decomposition;
  static constexpr auto fields(auto&& visit) {
    using C = CompositeParams;
    return visit(ir::field("name", &C::name), ir::field("version", &C::version),
                 ir::field("attributes", &C::attributes), ir::field("decomposition", &C::decomposition));
  }
};

/// custom_call: a function that was registered under a name (core/custom_call.h).
struct CustomCallParams {
  std::string call_target_name;
  bool has_side_effect = false;
  /// Handed to the function: a string, or a dictionary in MLIR's text form.
  std::string backend_config;
  std::int64_t api_version = 1;
  std::vector<Aval> result_types;
  static constexpr auto fields(auto&& visit) {
    using C = CustomCallParams;
    return visit(ir::field("call_target_name", &C::call_target_name), ir::field("has_side_effect", &C::has_side_effect),
                 ir::field("backend_config", &C::backend_config), ir::field("api_version", &C::api_version),
                 ir::field("result_types", &C::result_types));
  }
};

/// generic_reduce: operands captures, xs, initial values; the computation takes n scalars of the accumulator, then n
/// elements, and gives n scalars.
struct GenericReduceParams {
  Dims axes;
  ir::Jaxpr computation;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("axes", &GenericReduceParams::axes),
                 ir::field("computation", &GenericReduceParams::computation));
  }
};

/// generic_reduce_window: operands and computation as for generic_reduce.
struct GenericReduceWindowParams {
  Window window;
  ir::Jaxpr computation;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("window", &GenericReduceWindowParams::window),
                 ir::field("computation", &GenericReduceWindowParams::computation));
  }
};

/// generic_sort: operands captures, xs; the comparator takes (x0 left, x0 right, x1 left, x1 right, ...) and gives
/// bool[].
struct GenericSortParams {
  std::int64_t dimension = 0;
  bool is_stable = false;
  ir::Jaxpr comparator;
  static constexpr auto fields(auto&& visit) {
    using G = GenericSortParams;
    return visit(ir::field("dimension", &G::dimension), ir::field("is_stable", &G::is_stable),
                 ir::field("comparator", &G::comparator));
  }
};

/// generic_scatter: operands captures, xs, indices, updates; the computation takes n current values, then n updates.
struct GenericScatterParams {
  ScatterDimensionNumbers dimension_numbers;
  bool unique_indices = false;
  ir::Jaxpr computation;
  static constexpr auto fields(auto&& visit) {
    using G = GenericScatterParams;
    return visit(ir::field("dimension_numbers", &G::dimension_numbers), ir::field("unique_indices", &G::unique_indices),
                 ir::field("computation", &G::computation));
  }
};

/// generic_select_and_scatter: operands captures of select, captures of scatter, operand, source, initial value.
struct GenericSelectAndScatterParams {
  Window window;
  ir::Jaxpr select;   // (current, candidate) -> bool[]: true keeps the current one
  ir::Jaxpr scatter;  // (current, source) -> new
  static constexpr auto fields(auto&& visit) {
    using G = GenericSelectAndScatterParams;
    return visit(ir::field("window", &G::window), ir::field("select", &G::select), ir::field("scatter", &G::scatter));
  }
};

}  // namespace weft
