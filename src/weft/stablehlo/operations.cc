// Finds rows, and the small tables that import and print share.
#include "weft/stablehlo/operations.h"

#include <unordered_map>

namespace weft::stablehlo {

namespace {

template <class F>
void for_each_row(F&& f) {
  for (const auto rows :
       {elementwise_operations(), shape_operations(), contraction_operations(), collective_operations()})
    for (const Operation& row : rows) f(row);
}

}  // namespace

const Operation* operation_named(std::string_view name) {
  static const auto* const rows = [] {
    auto* m = new std::unordered_map<std::string_view, const Operation*>;
    for_each_row([&](const Operation& row) { m->emplace(row.name, &row); });
    return m;
  }();
  const auto it = rows->find(name);
  return it == rows->end() ? nullptr : it->second;
}

const Operation* operation_of(OpCode op) {
  static const auto* const rows = [] {
    auto* m = new std::unordered_map<int, const Operation*>;
    for_each_row([&](const Operation& row) { m->emplace(static_cast<int>(row.op), &row); });
    return m;
  }();
  const auto it = rows->find(static_cast<int>(op));
  return it == rows->end() ? nullptr : it->second;
}

std::string_view comparison_type(DType t, bool total_order) {
  // Of what is no float the total order is the only one.
  return total_order && is_float(t)       ? "TOTALORDER"
         : is_inexact(t)                  ? "FLOAT"
         : is_unsigned(t) || t == boolean ? "UNSIGNED"
                                          : "SIGNED";
}

}  // namespace weft::stablehlo
