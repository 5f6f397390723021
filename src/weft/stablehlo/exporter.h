// From programs to the syntax tree. Private to stablehlo/: users call print (export.h).
//
// export.cc has functions, blocks and operations that are a row of operations.h; export_*.cc the operations with
// regions or tokens, by family; decompose.cc the ones that StableHLO does not have, as programs of those it has.
#pragma once

#include <array>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "weft/core/stage.h"
#include "weft/ir/call.h"
#include "weft/ir/programs.h"
#include "weft/stablehlo/export.h"
#include "weft/stablehlo/operations.h"

namespace weft::stablehlo {

class Exporter {
 public:
  Module module(const ir::Jaxpr& jaxpr, std::span<const Array> constants, const std::string& name);

  using Handler = void (Exporter::*)(const ir::Jaxpr&, const ir::Eqn&);
  /// Null for operations that are rows of operations.h.
  static Handler handler(OpCode op);

 private:
  using Values = std::vector<ValueId>;

  // ---- export.cc ----
  /// Emits a program's equations where the exporter is; `inputs` are its constants and inputs. Returns its outputs.
  Values inline_program(const ir::Jaxpr& jaxpr, Values inputs);
  void equation(const ir::Jaxpr& jaxpr, const ir::Eqn& e);
  /// By its row of operations.h.
  void row(const ir::Jaxpr& jaxpr, const ir::Eqn& e);
  Values operands(const ir::Jaxpr& jaxpr, const ir::Eqn& e);
  ir::Avals operand_types(const ir::Jaxpr& jaxpr, const ir::Eqn& e) const;
  ir::Avals result_types(const ir::Jaxpr& jaxpr, const ir::Eqn& e) const;
  void define(const ir::Eqn& e, const Values& results);
  ValueId value(const ir::Jaxpr& jaxpr, ir::Atom a);
  ValueId literal(const ir::Literal& l);
  ValueId constant(const Array& array);
  ValueId argument(Aval type);
  Values emit(std::string name, Values operands, std::span<const TypeRef> results,
              std::vector<NamedAttribute> attributes = {}, std::vector<Region> regions = {});
  Values emit(std::string name, Values operands, std::span<const Aval> results,
              std::vector<NamedAttribute> attributes = {}, std::vector<Region> regions = {});
  ValueId emit1(std::string name, Values operands, Aval result, std::vector<NamedAttribute> attributes = {}) {
    return emit(std::move(name), std::move(operands), std::span<const Aval>(&result, 1), std::move(attributes))[0];
  }
  /// The symbol of a function for the program, which will be written after the current one.
  std::string symbol_for(const ir::Jaxpr& jaxpr, const std::string& name);
  std::string unused_symbol(const std::string& name);
  Op function(const ir::Jaxpr& jaxpr, const std::string& symbol, bool is_public, std::span<const Array> constants);
  /// A region that computes the program; its constants are `captured`, its other inputs arguments.
  Region region(const ir::Jaxpr& jaxpr, std::span<const ValueId> captured);
  /// A region over arguments of these types whose operations `body` emits; it returns what is to be returned.
  Region region_of(std::span<const Aval> arguments, const std::function<Values(const Values&)>& body);
  void end_block(const char* name, const Values& returned);

  // ---- export_handlers.cc ----
  void decomposed(const ir::Jaxpr&, const ir::Eqn&);
  void identity(const ir::Jaxpr&, const ir::Eqn&);
  void weft_call(const ir::Jaxpr&, const ir::Eqn&);
  void rng(const ir::Jaxpr&, const ir::Eqn&);
  void rng_bit_generator(const ir::Jaxpr&, const ir::Eqn&);

  // ---- export_control.cc ----
  void call(const ir::Jaxpr&, const ir::Eqn&);
  void composite(const ir::Jaxpr&, const ir::Eqn&);
  void checkpoint(const ir::Jaxpr&, const ir::Eqn&);
  // Throw ValueError: what they do is no part of a program that others run.
  void host_callback(const ir::Jaxpr&, const ir::Eqn&);
  void check(const ir::Jaxpr&, const ir::Eqn&);
  void custom_call(const ir::Jaxpr&, const ir::Eqn&);
  void custom_function(const ir::Jaxpr&, const ir::Eqn&);
  void custom_vjp_tangent(const ir::Jaxpr&, const ir::Eqn&);
  void case_op(const ir::Jaxpr&, const ir::Eqn&);
  void while_op(const ir::Jaxpr&, const ir::Eqn&);
  void transfer(const ir::Jaxpr&, const ir::Eqn&);
  ValueId token();

  // ---- export_reductions.cc ----
  void reduce(const ir::Jaxpr&, const ir::Eqn&);
  void arg_reduce(const ir::Jaxpr&, const ir::Eqn&);
  void cumsum(const ir::Jaxpr&, const ir::Eqn&);
  void reduce_window(const ir::Jaxpr&, const ir::Eqn&);
  void select_and_scatter(const ir::Jaxpr&, const ir::Eqn&);
  void select_and_gather_add(const ir::Jaxpr&, const ir::Eqn&);
  void generic_reduce(const ir::Jaxpr&, const ir::Eqn&);
  void generic_reduce_window(const ir::Jaxpr&, const ir::Eqn&);
  void generic_select_and_scatter(const ir::Jaxpr&, const ir::Eqn&);
  void all_reduce(const ir::Jaxpr&, const ir::Eqn&);
  void reduce_scatter(const ir::Jaxpr&, const ir::Eqn&);
  Region reduction(ReduceKind kind, DType t);
  Region reduction_or(const std::optional<ir::Jaxpr>& computation, ReduceKind kind, DType t, Values& operands);
  ValueId neutral(ReduceKind kind, DType t);

  // ---- export_indexing.cc ----
  void gather(const ir::Jaxpr&, const ir::Eqn&);
  void scatter(const ir::Jaxpr&, const ir::Eqn&);
  void generic_scatter(const ir::Jaxpr&, const ir::Eqn&);
  void sort(const ir::Jaxpr&, const ir::Eqn&);
  void generic_sort(const ir::Jaxpr&, const ir::Eqn&);

  Module m_;
  std::vector<Op>* block_ = nullptr;
  std::vector<ValueId> vars_;  // of the program being written
  // A literal's type and bytes.
  using LiteralKey = std::pair<const void*, std::array<std::byte, 16>>;
  struct LiteralHash {
    std::size_t operator()(const LiteralKey& key) const {
      const std::string_view bytes(reinterpret_cast<const char*>(key.second.data()), key.second.size());
      return std::hash<std::string_view>()(bytes) * 31 + std::hash<const void*>()(key.first);
    }
  };
  std::unordered_map<LiteralKey, ValueId, LiteralHash> literals_;
  std::vector<LiteralKey> literal_order_;  // as they came, so that a region can take back its own
  std::optional<ValueId> token_;
  int next_name_ = 0, next_argument_ = 0;
  struct Pending {
    ir::Jaxpr jaxpr;
    std::string symbol;
  };
  std::vector<Pending> pending_;
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> pending_by_hash_;
  std::unordered_set<std::string> symbols_;
  std::unordered_map<std::string, int> next_suffix_;
};

// ---- what regions are written with ----

inline Aval scalar(DType t) { return Aval(t, {}); }
/// Attributes of a comparison: "LT", ..., and how elements of `t` compare.
NamedAttribute direction(std::string_view name);
NamedAttribute comparison(DType t, bool total = false);
/// The operands of an operation with programs whose first `begin` values programs capture: those are in scope where the
/// programs stand.
inline std::vector<ValueId> past_captures(std::span<const ValueId> values, std::size_t begin) {
  return {values.begin() + static_cast<std::ptrdiff_t>(begin), values.end()};
}

/// The operation as a program of operations that have text, with the constants that it captures.
Staged decomposition(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in);

}  // namespace weft::stablehlo
