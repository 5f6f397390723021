// The table between Weft's operations and StableHLO's where one operation stands for one: name, and how attributes
// become parameters and back. Import and print both go through it, so neither can know an attribute that the other
// does not. Operations with regions, tokens or captured values have functions of their own (import_*.cc, export_*.cc).
#pragma once

#include "weft/ir/collectives.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/indexing.h"
#include "weft/ir/window.h"
#include "weft/stablehlo/attributes.h"

namespace weft::stablehlo {

struct Operation {
  OpCode op;
  std::string_view name;
  /// Null for an operation without parameters.
  ir::Params (*read)(const AttributeReader& from) = nullptr;
  void (*write)(const ir::ParamsBase* params, AttributeWriter& to) = nullptr;
};

/// Null when there is no row.
const Operation* operation_named(std::string_view name);
const Operation* operation_of(OpCode op);

/// The rows of operations_*.cc.
std::span<const Operation> elementwise_operations();
std::span<const Operation> shape_operations();
std::span<const Operation> contraction_operations();
std::span<const Operation> collective_operations();

/// For parameters that the result's type implies.
inline void write_nothing(const ir::ParamsBase*, AttributeWriter&) {}

// ---- what is more than a row, but known to import and print alike ----

/// Whether print may write the operation as a call of @weft.<name>, which only Weft knows: because there is no
/// other way, or none for some of its forms.
bool has_weft_call(OpCode op);

/// The comparison_type of a comparison of numbers of this type.
std::string_view comparison_type(DType t, bool total_order);

// ---- shared by rows and by operations with regions ----

/// What the region of a known reduction applies, in the order of ReduceKind.
inline constexpr std::string_view kReduceOps[] = {"stablehlo.add",     "stablehlo.multiply", "stablehlo.maximum",
                                                  "stablehlo.minimum", "stablehlo.and",      "stablehlo.or",
                                                  "stablehlo.xor"};

/// What a comparison's attributes say; the direction is one of the first six.
struct Comparison {
  ComparisonDirection direction = ComparisonDirection::kEq;
  bool total_order = false;
  /// The order of numbers with every NaN after them, equal to one another.
  bool weak_order = false;
};
Comparison read_comparison(const AttributeReader& from);

Window read_window(const AttributeReader& from, int rank);
void write_window(const Window& w, AttributeWriter& to);
/// Listed, or, in replica_groups.cc, of processes along axes of a mesh.
ProcessGroups read_groups(const AttributeReader& from);
void write_groups(const ProcessGroups& g, AttributeWriter& to, bool device_ids);
/// How many processes make `more` of `less` along an axis, when the groups do not list as many; otherwise 0.
std::int64_t implied_group_size(const ProcessGroups& g, std::span<const Aval> less, std::span<const Aval> more,
                                std::int64_t axis);
std::pair<std::int64_t, std::int64_t> read_channel(const AttributeReader& from);
void write_channel(std::int64_t handle, std::int64_t type, AttributeWriter& to);

/// Whether no window of a scatter reaches along an axis that index vectors name: then each is wholly inside or wholly
/// outside, and dropping windows is dropping elements.
bool scatters_single_elements(const ScatterDimensionNumbers& d, const Aval& updates);

}  // namespace weft::stablehlo
