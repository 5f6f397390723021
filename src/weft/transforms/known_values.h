// Values that are known while a program is looked at: captured arrays, literals, and whatever is computed from them
// alone. A value is computed when somebody asks for it (an index, a mask), and once.
#pragma once

#include "weft/core/trace.h"

namespace weft::transforms {

class KnownValues {
 public:
  using Id = std::int32_t;
  static constexpr Id kUnknown = -1;

  Id add(Array value);
  /// The first of the results, which are numbered in a row, of an operation on known operands. It must have no effects.
  Id add(OpCode op, const ir::Params& params, std::span<const Id> operands, std::size_t num_results);

  /// Null when it cannot be computed: an operation that the program may never get to failed.
  const Array* get(Id id);

 private:
  struct Operation {
    OpCode op;
    ir::Params params;
    SmallVector<Id, 4> operands;
    Id results;
    bool done = false;
  };
  struct Value {
    Array array;  // none: not computed, or impossible
    std::int32_t operation = -1;
  };
  static std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }
  void run(Operation& o);

  std::vector<Value> values_;
  std::vector<Operation> operations_;
};

}  // namespace weft::transforms
