#include "weft/transforms/known_values.h"

namespace weft::transforms {

KnownValues::Id KnownValues::add(Array value) {
  values_.push_back({std::move(value), -1});
  return static_cast<Id>(values_.size() - 1);
}

KnownValues::Id KnownValues::add(OpCode op, const ir::Params& params, std::span<const Id> operands,
                                 std::size_t num_results) {
  const auto first = static_cast<Id>(values_.size());
  for (std::size_t i = 0; i < num_results; ++i)
    values_.push_back({Array(), static_cast<std::int32_t>(operations_.size())});
  operations_.push_back({op, params, SmallVector<Id, 4>(operands), first});
  return first;
}

const Array* KnownValues::get(Id id) {
  if (id == kUnknown) return nullptr;
  // What is needed first, by a list of work: a chain of operations may be long.
  std::vector<std::int32_t> work;
  if (values_[at(id)].operation >= 0) work.push_back(values_[at(id)].operation);
  while (!work.empty()) {
    Operation& o = operations_[at(work.back())];
    bool ready = true;
    for (const Id operand : o.operands) {
      const std::int32_t from = values_[at(operand)].operation;
      if (o.done || from < 0 || operations_[at(from)].done) continue;
      work.push_back(from);
      ready = false;
    }
    if (!ready) continue;
    work.pop_back();
    if (!o.done) run(o);
  }
  const Array& r = values_[at(id)].array;
  return r.defined() ? &r : nullptr;
}

void KnownValues::run(Operation& o) {
  o.done = true;
  Arrays operands, results;
  for (const Id i : o.operands) {
    if (!values_[at(i)].array.defined()) return;
    operands.push_back(values_[at(i)].array);
  }
  try {
    const CurrentTrace evaluation(nullptr);
    bind(o.op, o.params, operands, results);
  } catch (const Error&) {
    return;  // A branch that is never taken may fail; if the program gets there, it will say so itself.
  }
  for (std::size_t i = 0; i < results.size(); ++i) values_[at(o.results) + i].array = std::move(results[i]);
}

}  // namespace weft::transforms
