// A program ready for code: its schedule, where in memory each value is, and the procedures of the programs inside it.
//
// A procedure is called with the addresses of its inputs, outputs and workspace. Memory is one arena: values whose
// lives do not meet share it, and a value takes the memory of one that dies in the same statement where that is safe.
#pragma once

#include <map>
#include <memory>

#include "weft/compiler/schedule.h"
#include "weft/compiler/simplify.h"

namespace weft::compiler {

struct Place {
  enum class Kind : std::uint8_t { kNone, kInput, kOutput, kWorkspace };
  Kind kind = Kind::kNone;
  std::int64_t at = 0;  // number of the input or output, or offset in bytes
  friend bool operator==(const Place&, const Place&) = default;
};

struct Procedure {
  /// Where output i is when the statements have run.
  struct Output {
    enum class Kind : std::uint8_t {
      kMade,      ///< in its own memory
      kInput,     ///< input `index`, unchanged
      kReplaced,  ///< in the memory of input `index`, which it takes the place of
      kOutput,    ///< output `index`, an earlier one
      kLiteral,   ///< the literal `index` of the jaxpr
    };
    Kind kind = Kind::kMade;
    std::uint32_t index = 0;
  };
  /// What an equation with programs inside needs beside its operands and results.
  struct Nested {
    SmallVector<std::uint32_t, 2> procedures;  // in Program; while: condition, then body
    std::int64_t workspace = 0;                // of the procedures, an offset
    std::int64_t flag = 0;                     // of a condition's result, an offset
    SmallVector<std::int64_t, 4> spare;        // second memory by carried value, an offset; -1: none
  };

  ir::Jaxpr jaxpr;
  SourceLocation location;  // of the equation that it is inside of, for equations without one
  Schedule schedule;
  std::vector<Place> places;  // by variable; what `schedule.memory` names has one
  std::vector<Output> outputs;
  /// By statement: of a kernel that may run while the operation before it is still at work, on parts that are complete,
  /// the elements of its result that one step of the kernel's outermost loop takes; 0 of all others.
  std::vector<std::int64_t> epilogues;
  std::vector<bool> overwrites;            // by input: whether something is written there
  std::map<std::uint32_t, Nested> nested;  // by equation
  std::int64_t workspace = 0;              // bytes
  std::int64_t most_live = 0;              // bytes of it that are in use at once, at least
  const SourceLocation& location_of(const ir::Eqn& e) const { return e.location ? e.location : location; }
  /// Whether a statement here or inside is an operation without code of its own, which may fail.
  bool has_steps = false;
};

struct Program {
  std::vector<std::unique_ptr<Procedure>> procedures;  // callees before callers; the last is the program
  /// Text for people: the statements of each procedure, with the memory of what they read and write.
  std::string str() const;
};

/// The bytes of the literals that statements read from memory.
std::int64_t literal_bytes(const Program& program);

/// `evaluate` folds constants (simplify.h). `donated`: inputs whose memory outputs may take.
Program make_program(const ir::Jaxpr& jaxpr, const Target& target, EvaluateOp evaluate,
                     std::span<const std::uint32_t> donated = {});

}  // namespace weft::compiler
