// A kernel: one loop nest that computes some values element by element, written down as scalar instructions with affine
// accesses to buffers. Made by fusion (schedule.cc), turned into machine code by a code generator. Knows nothing of
// vectors, instruction sets or LLVM.
//
// The nest is `loops`; those from `outer` on form a row, over which values may be reduced. A kernel with reductions
// walks each row once per phase: phase p computes what needs the results of reductions of earlier phases. The order of
// a float sum over a row, or over a column, is that of cpu/kernels/isa/reduce.cc.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "weft/compiler/index_map.h"
#include "weft/ir/contraction.h"

namespace weft::compiler {

/// The number of an instruction, and of its result.
using Value = std::uint32_t;
inline constexpr Value kNoValue = ~Value{0};

struct Instr {
  enum class Kind : std::uint8_t {
    kConstant,  ///< `constant`
    kIndex,     ///< the number `at`, converted to `dtype` as iota does
    kLoad,      ///< element `at` of `buffer`
    kApply,     ///< result `part` of op[params](operands), elementwise
    kReduce,    ///< the operand over the row, by `reduce`
  };
  Kind kind = Kind::kConstant;
  DType dtype = f32;
  OpCode op{};
  ReduceKind reduce{};
  std::uint8_t part = 0;
  ir::Params params;
  SmallVector<Value, 3> operands;
  std::uint32_t buffer = 0;
  Affine at;
  std::array<std::byte, 16> constant{};
  /// How many of the loops, from the outermost on, it depends on. A reduction depends on `outer` of them.
  std::uint16_t level = 0;
  std::uint16_t phase = 0;
};

struct Kernel {
  struct Buffer {
    ir::Var var;
    DType dtype;
    bool written;
  };
  /// Where `value` goes. `root` is the variable that it is an element of.
  struct Store {
    Value value;
    std::uint32_t buffer;
    Affine at;
    ir::Var root;
  };
  /// The number clamp(start, 0, most) for Affine::dynamic; `start` is an integer of any type and depends on no loop.
  struct DynamicIndex {
    Value start;
    std::int64_t most;
  };

  Dims loops;
  std::size_t outer = 0;
  bool reduces = false;
  /// Whether what is reduced are columns: elements that are far from each other, while those of the last outer loop
  /// stand together. They are walked once: what is made of the reductions does not change by row.
  bool columns = false;
  std::vector<Buffer> buffers;
  std::vector<Instr> body;
  std::vector<Store> stores;
  std::vector<DynamicIndex> dynamic;

  std::size_t phases() const;
  std::int64_t rows() const { return product(DimSpan(loops).first(outer)); }
  std::int64_t row_size() const { return product(DimSpan(loops).subspan(outer)); }
  /// Nanoseconds for all of it on one thread, roughly: decides how work is split, never what is computed.
  double cost() const;
  /// Text for people and for telling equal kernels: buffers are numbered, so equal kernels on other variables are
  /// equal.
  std::string str() const;
};

/// Merges loops that every access sees as one and drops those of size 1. Afterwards a row is exactly one loop, so
/// `outer` is loops.size() - 1; but columns may have several. Requires that a kernel with other reductions has one row
/// loop.
void merge_loops(Kernel& kernel);

/// Drops instructions and buffers that no store needs.
void prune(Kernel& kernel);

/// What one application costs, in nanoseconds for an f32 in vector code.
double op_cost(OpCode op, DType dtype);
/// What an element may cost, in nanoseconds, that is computed again wherever it is used instead of kept in memory.
inline constexpr float kCheapToRepeat = 0.2f;

}  // namespace weft::compiler
