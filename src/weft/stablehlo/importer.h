// From the syntax tree to programs. Private to stablehlo/: users call import (import.h).
//
// The importer runs a function's operations one by one through `bind`, so that staging, and folding of shapes that
// the text computes, are the same code. import.cc has functions, regions and the dispatch, import_*.cc the operations
// that are more than a row of operations.h, by family.
//
// Invariant: `values_` holds what is in scope; a block's values are dropped when it ends, so no tracer outlives its
// trace.
#pragma once

#include <unordered_map>

#include "weft/base/error.h"
#include "weft/core/stage.h"
#include "weft/ir/call.h"
#include "weft/ir/programs.h"
#include "weft/ops/lax.h"
#include "weft/stablehlo/operations.h"
#include "weft/stablehlo/refusal.h"

namespace weft::stablehlo {

class Importer {
 public:
  /// What one operation is applied to: the arrays of each operand (none of a token, several of a tuple).
  using Operands = std::span<const Arrays>;
  using Results = std::vector<Arrays>;
  /// Sees every operation first and says whether it has dealt with it: how the checking dialects come in.
  using Extension = std::function<bool(Importer&, const Op&, Operands, Results&)>;

  /// `scope` is the module operation in which symbols are looked up.
  Importer(const Module& module, const Op& scope, Extension extension = {});

  const Module& module() const { return module_; }
  /// The function of that symbol, staged; memoised. Throws ParseError at `use` when there is none.
  const Staged& function(std::string_view symbol, const Op& use);
  const Staged& function(const Op& function, const Op& use);
  /// `function` first, then all that it calls, directly or not, each once.
  std::vector<const Op*> called_from(const Op& function);
  /// Of what was refused while the text was read, that which stands in these functions, or before all that there is.
  Refusals reached(const std::vector<const Op*>& functions, const Refusals& refusals) const;
  /// Throws one error that names everything in `function`, and what it calls, that cannot be run, and what was refused
  /// before: Unsupported, or ParseError when something is invalid.
  void check_supported(const Op& function, Refusals refusals = {});
  /// Whether custom calls of functions that are not registered are accepted, which then fail when they are run.
  void allow_unregistered(bool allow) { allow_unregistered_ = allow; }
  const Op* find_function(std::string_view symbol) const;
  /// The function of that symbol; without one @main, or else the first public function. ParseError, after what else was
  /// refused, when there is none.
  const Op& chosen_function(std::string_view symbol, Refusals refusals = {}) const;
  /// Runs a function's body on `args` in the current trace.
  Arrays run_function(const Op& function, std::span<const Array> args);
  /// Calls, loops and branches run in C++ when evaluating, so that an extension sees each turn.
  void set_eager(bool eager) { eager_ = eager; }

  /// Gives `flat` to the results, as many arrays each as its type has.
  void give(const Op& op, std::span<const Array> flat, Results& results);

  /// The types of the arrays that stand for a value of this type.
  void flatten(const TypeRef& type, ir::Avals& out) const;
  ir::Avals avals(std::span<const ValueId> values) const;

 private:
  using Handler = void (Importer::*)(const Op&, Operands, Results&);
  /// Null for operations that have no function of their own.
  static Handler handler(std::string_view op);

  // ---- import_supported.cc ----
  void check_op(const Op& op, Refusals& refusals);
  void check_comparison(const Op& op, Refusals& refusals) const;
  bool custom_call_is_known(const Op& op) const;

  // ---- import.cc ----
  const Type& function_type_of(const Op& function) const;
  /// Puts the function on `staging_`, unless it is there or too many are.
  void enter(const Op& function, const Op& use);
  void run_op(const Op& op);
  void apply(const Op& op, Operands operands, Results& results);
  void apply_row(const Op& op, const Operation& row, Operands operands, Results& results);
  void check_results(const Op& op, const Results& results);
  /// The values that a region returns for these arguments, one list of arrays per argument.
  Results run_region(const Region& region, std::span<const Arrays> args);
  Staged stage_region(const Op& op, const Region& region);
  void region_arguments(const Op& op, const Region& region, std::size_t expected) const;
  /// The types of the arguments of a computation: `expected` tensors.
  ir::Avals computation_arguments(const Op& op, const Region& region, std::size_t expected) const;
  void give(const Op& op, const Array& one, Results& results) { give(op, std::span<const Array>(&one, 1), results); }
  /// The value if the text determines it.
  std::optional<Array> known(ValueId v);
  std::optional<Array> known(ValueId v, int depth, std::unordered_map<ValueId, std::optional<Array>>& found);
  std::optional<Array> find_known(ValueId v, int depth, std::unordered_map<ValueId, std::optional<Array>>& found);
  std::vector<std::int64_t> known_integers(const Op& op, std::size_t operand);
  Array single(const Op& op, Operands operands, std::size_t i) const;
  Arrays flat(Operands operands) const;
  /// The same where every operand must be one array.
  Arrays tensors(const Op& op, Operands operands) const;
  /// The declared type of the first result, which must be a tensor.
  Aval result(const Op& op) const;
  AttributeReader reader(const Op& op) const;
  [[noreturn]] void fail(const Op& op, const std::string& message) const;
  /// The same for what is Weft's lack, not the program's fault.
  [[noreturn]] void refuse(const Op& op, const std::string& message) const;
  void need_regions(const Op& op, std::size_t n) const;
  void need_operands(const Op& op, std::size_t n) const;
  Arrays bind_all(OpCode code, const ir::Params& params, std::span<const Array> args);
  Array bind_one(OpCode code, const ir::Params& params, std::span<const Array> args) {
    return bind_all(code, params, args)[0];
  }
  /// Whether `code` accepts operands of these types.
  bool fits(OpCode code, const ir::Params& params, std::span<const Array> args) const;

  // ---- import_control.cc: constants, functions, control flow, tuples, tokens ----
  void constant(const Op&, Operands, Results&);
  void constant_like(const Op&, Operands, Results&);
  void call(const Op&, Operands, Results&);
  /// Runs the function here and now instead of staging it.
  void call_now(const Op&, const std::string& callee, Operands, Results&);
  void composite(const Op&, Operands, Results&);
  void if_op(const Op&, Operands, Results&);
  void case_op(const Op&, Operands, Results&);
  void branches(const Op&, const Array& index, std::vector<const Region*> regions, Results&);
  void while_op(const Op&, Operands, Results&);
  std::vector<std::optional<std::int64_t>> integers_among(const Op&, std::span<const Array> args);
  void inline_body(const Op&, Operands, Results&);
  void pass_through(const Op&, Operands, Results&);
  void get_tuple_element(const Op&, Operands, Results&);
  void no_values(const Op&, Operands, Results&);
  void optimization_barrier(const Op&, Operands, Results&);
  void send(const Op&, Operands, Results&);
  void recv(const Op&, Operands, Results&);
  void infeed(const Op&, Operands, Results&);
  void outfeed(const Op&, Operands, Results&);

  // ---- import_regions.cc: operations that carry a computation ----
  void reduce(const Op&, Operands, Results&);
  void reduce_window(const Op&, Operands, Results&);
  void select_and_scatter(const Op&, Operands, Results&);
  void gather(const Op&, Operands, Results&);
  void scatter(const Op&, Operands, Results&);
  void sort(const Op&, Operands, Results&);
  void map(const Op&, Operands, Results&);
  void all_reduce(const Op&, Operands, Results&);
  void reduce_scatter(const Op&, Operands, Results&);
  void each_operand(const Op&, Operands, Results&);
  void collective_broadcast(const Op&, Operands, Results&);
  /// The operands of a reduction as its body takes them, and what a body of one operand computes, if that has a name.
  struct Reduction {
    Arrays xs, inits;
    std::optional<ReduceKind> kind;
    bool neutral = false;        // the initial value changes nothing
    bool negative_zero = false;  // or at most the sign of zero, in a sum
  };
  Reduction read_reduction(const Op&, Operands);
  std::optional<Arrays> scatter_each(const Op&, const ScatterDimensionNumbers& dims, bool unique,
                                     std::span<const Array> xs, const Array& indices, std::span<const Array> updates);
  Array index_vectors_last(const Op&, Array indices, std::int64_t index_vector_dim, Dims* batching);
  bool is_neutral(ReduceKind kind, const Array& init) const;

  // ---- import_custom.cc: custom calls, and what front ends write as such ----
  void custom_call(const Op&, Operands, Results&);
  void sharding_hint(const Op&, std::string_view target, Operands, Results&);
  void shape_assertion(const Op&, Results&);
  void weft_operation(const Op&, OpCode code, Operands, Results&);
  /// Whether a call of the target is read as what it stands for, and needs no function that is registered.
  static bool is_read_as_other(std::string_view target);
  /// The operation of CHLO or MHLO that a custom call stands for, if it does.
  static std::optional<Op> encoded_operation(const Op& call);

  // ---- import_library_calls.cc ----
  void library_call(const Op&, Operands, Results&);
  void partial_sort(const Op&, Operands, std::int64_t dimension, Results&);
  void potrf(const Op&, Operands, Results&);
  void trsm(const Op&, Operands, Results&);
  void threefry(const Op&, Operands, Results&);

  // ---- import_factorizations.cc ----
  void getrf(const Op&, Operands, Results&);
  void lu_decomposition(const Op&, Operands, Results&);
  void lu_pivots(const Op&, Operands, Results&);
  void geqrf(const Op&, Operands, Results&);
  void orgqr(const Op&, Operands, Results&);
  Array matrices(const Op&, Operands, std::size_t i) const;
  void give_with_work(const Op&, Arrays values, Results&);

  // ---- import_products.cc ----
  void dot(const Op&, Operands, Results&);
  void einsum(const Op&, Operands, Results&);
  void ragged_dot(const Op&, Operands, Results&);

  // ---- import_chlo.cc: operations of CHLO and MHLO that are more than one of Weft's ----
  void chlo_broadcast(const Op&, Operands, Results&);
  void chlo_cosh(const Op&, Operands, Results&);
  void chlo_asin_acos_kernel(const Op&, Operands, Results&);
  void top_k(const Op&, Operands, Results&);
  void scan(const Op&, Operands, Results&);
  /// chlo.scan slice by slice, for an extension that looks at each.
  Arrays scan_now(const Op&, std::span<const Array> xs, Arrays carry, std::int64_t length, bool reverse);

  // ---- import_elementwise.cc: as what they mean in Weft ----
  void compare(const Op&, Operands, Results&);
  void exp2(const Op&, Operands, Results&);
  void log2(const Op&, Operands, Results&);
  void product_of_two_types(const Op&, Operands, Results&);

  // ---- import_dynamic.cc: shapes as operands or results ----
  void rng(const Op&, Operands, Results&);
  void get_dimension_size(const Op&, Operands, Results&);
  void set_dimension_size(const Op&, Operands, Results&);
  void dynamic_reshape(const Op&, Operands, Results&);
  void dynamic_broadcast_in_dim(const Op&, Operands, Results&);
  void dynamic_iota(const Op&, Operands, Results&);
  void dynamic_pad(const Op&, Operands, Results&);
  void dynamic_gather(const Op&, Operands, Results&);
  void dynamic_conv(const Op&, Operands, Results&);
  void real_dynamic_slice(const Op&, Operands, Results&);
  void minimum_broadcast_shapes(const Op&, Operands, Results&);

  // ---- import_older.cc, import_batch_norm.cc: as what the specification says they mean ----
  void broadcast(const Op&, Operands, Results&);
  void torch_index_select(const Op&, Operands, Results&);
  void batch_norm_inference(const Op&, Operands, Results&);
  void batch_norm_training(const Op&, Operands, Results&);
  void batch_norm_grad(const Op&, Operands, Results&);

  // ---- import_quantized.cc ----
  bool quantized(const Op& op) const;
  static bool may_be_quantized(std::string_view op);
  void apply_quantized(const Op&, Operands, Results&);
  Array dequantize(const Op&, const TypeRef& type, const Array& stored) const;
  Array quantize(const Op&, const TypeRef& type, const Array& value) const;

  const Module& module_;
  Extension extension_;
  bool eager_ = false;
  bool allow_unregistered_ = false;
  /// Looks symbols up in the module of a function while its body is read.
  class ScopeOf {
   public:
    ScopeOf(Importer& importer, const Op& function) : importer_(importer), saved_(importer.scope_) {
      if (const auto it = importer.scope_of_.find(&function); it != importer.scope_of_.end())
        importer.scope_ = it->second;
    }
    ~ScopeOf() { importer_.scope_ = saved_; }
    ScopeOf(const ScopeOf&) = delete;
    ScopeOf& operator=(const ScopeOf&) = delete;

   private:
    Importer& importer_;
    const Op* saved_;
  };
  using Symbols = std::unordered_map<std::string_view, const Op*>;
  void collect_functions(const Op& scope);

  std::unordered_map<const Op*, Symbols> symbols_;     // by module
  std::unordered_map<const Op*, const Op*> scope_of_;  // the module of each function
  const Op* scope_ = nullptr;                          // where symbols are looked up now
  std::unordered_map<const Op*, Staged> staged_;
  std::vector<const Op*> staging_;  // being staged or run by call_now, to refuse recursion
  std::vector<Arrays> values_;
  std::vector<const Op*> definitions_;
  const char* file_ = "";
};

/// The attributes of its own that an operation may have; names with a dialect's prefix may stand with any.
struct KnownAttributes {
  std::vector<std::string_view> read, unread;
};
/// nullopt for operations without attributes that say what they compute: those are not looked at.
std::optional<KnownAttributes> known_attributes(std::string_view op);

/// Calls of libraries that other systems have and that are operations here (import_library_calls.cc); a function that
/// is registered under such a name comes first.
bool is_library_call(std::string_view target);
/// Why a library's call that is none of these is refused, by name; "" for other targets.
std::string library_refusal(std::string_view target);
/// Calls back into the process that exported the program (jax.debug.print, jax.pure_callback, ...): without results
/// they are dropped, since only that process could see them. A function that is registered comes first.
bool is_python_callback(std::string_view target);
/// Whether the library call is of a comparator, called_computations.
bool calls_computations(const Op& call);

/// The array whose total order is the weak one of `x` (import_elementwise.cc).
Array in_weak_order(const Array& x);

/// Factors of a product that have different types get one that holds both and the result, in which it is computed
/// (import_elementwise.cc).
void widen_if_mixed(Arrays& factors, DType result);

/// `f` for each of the `size` slices of its arguments along their first axes; results are stacked along theirs
/// (import_regions.cc).
FlatFunction mapped_over_first(FlatFunction f, std::int64_t size, std::string name);

/// The reduction that a two-argument body computes, or nullopt.
std::optional<ReduceKind> reduction_of(const Region& region);

}  // namespace weft::stablehlo
