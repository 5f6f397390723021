// A kernel while it is made: values are added one after the other, each with all that it is computed from, or not at
// all when the kernel cannot have it.
#pragma once

#include <optional>
#include <unordered_map>

#include "weft/base/function_ref.h"
#include "weft/compiler/kernel.h"

namespace weft::compiler {

inline constexpr std::int64_t kBeforeAll = -1;

/// What fusion knows of a program's variables.
struct VariableFacts {
  static constexpr std::uint32_t kInput = ~std::uint32_t{0};
  std::uint32_t eqn = kInput;          ///< that defines it
  std::uint32_t uses = 0;              ///< equations and outputs that read it
  std::int64_t elements_read = 0;      ///< by all of them together
  std::int64_t copies = 0;             ///< of its expression, were it computed wherever it is used
  bool stays_in_place = true;          ///< all equations that read it are elementwise
  std::uint16_t weight = 0;            ///< instructions of its inlined expression
  float cost = 0;                      ///< of computing it where it is used, in nanoseconds
  bool inlined = false;                ///< may be computed where it is used
  bool too_long = false;               ///< but is not: with what it is computed from it would be a long expression
  bool in_memory = false;              ///< decided so far
  std::int64_t position = kBeforeAll;  ///< of the statement after which it is in memory
  ir::Atom memory = ir::Atom::var(0);  ///< whose memory it is
};

class FusedKernel {
 public:
  /// Why a value could not be added.
  struct Refusal {
    /// Put this variable into memory first, and try again; none: not in this kernel.
    std::optional<ir::Var> needs;
  };
  /// Where a value is stored: at start + stride * index of `destination`, along every dimension.
  struct Placement {
    ir::Var destination;
    Dims start, stride;                     // empty: 0 and 1
    SmallVector<ir::Atom, 4> dynamic = {};  // starts that are only known when it runs, clamped
  };

  FusedKernel(const ir::Jaxpr& jaxpr, std::vector<VariableFacts>& facts, std::int64_t position, Dims loops,
              std::size_t outer, bool reduces, bool columns);

  /// Adds an equation's reduction, of adjacent axes (axes of one element apart).
  bool add_reduction(const ir::Eqn& eqn, std::optional<Refusal>& refusal);
  /// Adds `value`, which is stored as `placement` says.
  bool add(ir::Atom value, const Placement& placement, std::optional<Refusal>& refusal);
  /// Adds a scalar, which is stored in every element of `destination`.
  bool add_everywhere(ir::Atom scalar, ir::Var destination, std::optional<Refusal>& refusal);

  std::int64_t position() const { return position_; }
  /// Whether more may be added.
  bool open() const {
    return kernel_.body.size() + 30 * transcendentals_ < kMostInstructions && kernel_.buffers.size() < kMostBuffers;
  }
  bool reads(ir::Var memory) const { return buffers_.contains(memory); }
  std::int64_t size() const { return product(kernel_.loops); }
  Kernel& kernel() { return kernel_; }

  // Code generators take more than linear time in long kernels.
  static constexpr std::size_t kMostInstructions = 1024, kMostBuffers = 32;
  // Each has sums of a tile in the frame of the kernel.
  static constexpr std::size_t kMostColumnReductions = 6;

 private:
  struct Root {
    Value value;
    Affine at;
  };
  struct MemoEntry {
    ir::Var var;
    IndexMap map;
    Value value;
  };
  struct Mark {
    std::size_t body, stores, buffers, dynamic, log;
  };

  Mark mark() const;
  void go_back(const Mark& m);
  std::optional<IndexMap> reduction_map(const IndexMap& kept, DimSpan shape, const Dims& axes) const;
  std::optional<Value> reduced_value(ir::Atom x, const IndexMap& kept, DimSpan shape, const Dims& axes, bool columns);
  bool changes_after_columns(Value v, const Affine& stored_at) const;
  std::optional<IndexMap> map_of(DimSpan shape, std::int64_t size) const;
  std::uint32_t buffer(ir::Var var, bool written);
  Value push(Instr instr);
  Value constant(const ir::Literal& literal);
  Value convert(Value v, DType to);
  std::optional<Value> value_of(ir::Atom atom, const IndexMap& map);
  std::optional<Value> computed(ir::Var var, const IndexMap& map) const;
  void remember(ir::Var var, const IndexMap& map, Value value);
  std::optional<Value> load(ir::Atom memory, Aval aval, const IndexMap& map);
  std::optional<Value> expression(ir::Var var, const IndexMap& map);
  std::optional<Value> element(ir::Atom atom, const Affine& at);
  std::optional<Value> element_of_result(ir::Var var, const Affine& at);
  std::optional<Value> element_of_broadcast(const ir::Eqn& eqn, const Affine& at);
  std::optional<Value> apply(const ir::Eqn& eqn, std::uint8_t part, Aval result,
                             FunctionRef<std::optional<Value>(ir::Atom)> operand_value);
  std::optional<std::uint32_t> dynamic_index(ir::Atom start, std::int64_t most);
  bool computed_too_often(ir::Var var, const IndexMap& map) const;
  std::optional<Value> refuse(std::optional<ir::Var> needs = {}) {
    refusal_ = Refusal{needs};
    return std::nullopt;
  }

  const ir::Jaxpr& jaxpr_;
  std::vector<VariableFacts>& facts_;
  std::int64_t position_;
  Kernel kernel_;
  std::unordered_map<ir::Var, std::uint32_t> buffers_;  // by variable whose memory it is
  std::unordered_map<ir::Var, Root> roots_;
  std::unordered_multimap<std::uint64_t, MemoEntry> memo_;
  std::vector<std::uint64_t> log_;  // keys of memo_ in order
  std::optional<Refusal> refusal_;
  std::size_t transcendentals_ = 0;  // instructions that are thirty or so of a machine
  std::size_t num_reductions_ = 0;
  // Of a kernel of columns: the shape and the map of what is reduced first.
  Dims reduced_shape_;
  IndexMap reduced_map_;
};

}  // namespace weft::compiler
