// How far results of one operation may be off when its operands may be: the rules behind expected_results.h, which says
// what they are for. An operation without a rule here gives unknown errors from inexact operands, so a missing rule
// weakens the test, and never makes it wrong.
#pragma once

#include <memory>
#include <vector>

#include "weft/ir/jaxpr.h"

namespace weft::testing {

/// By how much right implementations of an operation may differ, applied to equal operands.
enum class Rounding : std::uint8_t {
  kNone,     ///< not at all
  kSum,      ///< by the order of a sum or product; not at all when the terms are integers that are small enough
  kFewUlps,  ///< relative to the result
  kUnknown,
};
/// For operands of dtype `t`.
Rounding rounding_of(OpCode op, DType t);
/// Whether it is left to a library in some builds, and then differs between two forms of compilation.
bool is_library_call(OpCode op);
/// Whether the operation reads the sign or the payload of a NaN of dtype `t`, which nobody knows.
bool reads_nan(const ir::Eqn& e, DType t);

using Numbers = std::vector<double>;

/// A value during evaluation, and by element the largest difference from it; nothing: none.
struct Held {
  Aval aval;
  std::shared_ptr<std::vector<std::byte>> bytes;
  Numbers error;     // of any implementation
  Numbers mismatch;  // between two forms of compilation

  explicit Held(Aval a)
      : aval(a), bytes(std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(a.bytes()))) {}
  const void* data() const { return bytes->data(); }
  std::size_t size() const { return static_cast<std::size_t>(aval.size()); }
  const Numbers& of(bool mismatches) const { return mismatches ? mismatch : error; }
  Numbers& of(bool mismatches) { return mismatches ? mismatch : error; }
};

/// Sets the errors of `out`, results of an operation without programs, from those of its operands.
void set_errors(const ir::Eqn& e, std::span<const Held> in, std::span<Held> out);

}  // namespace weft::testing
