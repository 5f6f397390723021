// The program representation: closed, first-order, typed, immutable, A-normal form.
//
// Variables are numbered: first the captured constants, then the inputs, then the results of
// the equations in order. Each variable is assigned once, before it is used. A jaxpr owns no
// data except scalar literals; captured arrays are leading inputs. Derived programs (its jvp,
// transpose, executable, ...) are memoised inside it and die with it.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "weft/base/function_ref.h"
#include "weft/ir/op.h"

namespace weft::ir {

using Var = std::uint32_t;

/// An operand: a variable or a literal.
class Atom {
 public:
  static Atom var(Var v) { return Atom(v); }
  static Atom literal(std::uint32_t index) { return Atom(index | kLiteralBit); }
  bool is_literal() const { return bits_ & kLiteralBit; }
  /// The variable, or the index into `Jaxpr::literals()`.
  std::uint32_t index() const { return bits_ & ~kLiteralBit; }
  friend bool operator==(Atom, Atom) = default;

 private:
  explicit Atom(std::uint32_t bits) : bits_(bits) {}
  static constexpr std::uint32_t kLiteralBit = 0x80000000u;
  std::uint32_t bits_;
};

/// One element, repeated over the whole shape.
struct Literal {
  Aval aval;
  alignas(16) std::array<std::byte, 16> value{};
  friend bool operator==(const Literal& a, const Literal& b) { return a.aval == b.aval && a.value == b.value; }
};

/// One equation: outs = op[params] operands. The operands and results are ranges of the jaxpr.
struct Eqn {
  OpCode op;
  Params params;
  std::uint32_t in_begin, in_end;
  Var out_begin, out_end;
  SourceLocation location;
  const std::string* scope = nullptr;  // interned name scope, or null
};

class JaxprData;

class Jaxpr {
 public:
  Jaxpr() = default;
  explicit Jaxpr(Ref<const JaxprData> d) : d_(std::move(d)) {}
  explicit operator bool() const { return static_cast<bool>(d_); }

  inline std::size_t num_consts() const;
  /// Constants and inputs together.
  inline std::size_t num_inputs() const;
  inline std::size_t num_vars() const;
  inline Aval aval(Var v) const;
  inline Aval aval(Atom a) const;
  inline const std::vector<Eqn>& eqns() const;
  inline std::span<const Atom> operands(const Eqn& e) const;
  inline std::span<const Atom> outputs() const;
  inline const Literal& literal(Atom a) const;
  Avals input_avals() const;
  Avals output_avals() const;

  /// For each equation, the variables whose last use it is (including its own unused results).
  /// Outputs are never listed. Computed once.
  struct LastUses {
    std::vector<std::uint32_t> begin;  // eqns().size() + 1 offsets into vars
    std::vector<Var> vars;
  };
  const LastUses& last_uses() const;

  /// The value memoised under `key` (a tag plus whatever the derivation depends on), made by
  /// `make` when absent. Safe to call from several threads; `make` runs outside the lock.
  template <class T>
  std::shared_ptr<const T> memo(const std::string& key, FunctionRef<std::shared_ptr<const T>()> make) const {
    return std::static_pointer_cast<const T>(memo_erased(key, [&]() -> std::shared_ptr<const void> { return make(); }));
  }

  /// Structural: same types, equations, parameters and literals; locations are ignored.
  friend bool operator==(const Jaxpr& a, const Jaxpr& b);
  std::uint64_t hash() const;
  /// Identity of the shared object.
  const JaxprData* id() const { return d_.get(); }
  /// The text of print.h.
  std::string str() const;
  friend std::ostream& operator<<(std::ostream& out, const Jaxpr& jaxpr);

 private:
  std::shared_ptr<const void> memo_erased(const std::string& key,
                                          FunctionRef<std::shared_ptr<const void>()> make) const;
  Ref<const JaxprData> d_;
};

/// Whether an equation has effects, also inside nested programs. Computed once.
bool has_effects(const Jaxpr& jaxpr);

/// The mapped axes that its equations name. Computed once.
const AxisNames& named_axes(const Jaxpr& jaxpr);

/// The same program as an object of its own. What is memoised with a program must hold such a copy instead of the
/// program, which else would never end.
Jaxpr copy(const Jaxpr& jaxpr);
/// The same program, whose first `num_consts` inputs are its constants.
Jaxpr with_num_consts(const Jaxpr& jaxpr, std::size_t num_consts);
/// The same program with other outputs.
Jaxpr with_outputs(const Jaxpr& jaxpr, std::span<const Atom> outputs);

class JaxprData : public RefCounted {
 public:
  std::size_t num_consts = 0;
  std::size_t num_inputs = 0;
  std::vector<Aval> avals;  // by variable
  std::vector<Literal> literals;
  std::vector<Atom> operands;
  std::vector<Eqn> eqns;
  std::vector<Atom> outputs;

  JaxprData();
  ~JaxprData();

  /// What is derived from the program on demand and kept.
  struct Derived;
  const std::unique_ptr<Derived> derived;
};

inline std::size_t Jaxpr::num_consts() const { return d_->num_consts; }
inline std::size_t Jaxpr::num_inputs() const { return d_->num_inputs; }
inline std::size_t Jaxpr::num_vars() const { return d_->avals.size(); }
inline Aval Jaxpr::aval(Var v) const { return d_->avals[v]; }
inline Aval Jaxpr::aval(Atom a) const { return a.is_literal() ? d_->literals[a.index()].aval : d_->avals[a.index()]; }
inline const std::vector<Eqn>& Jaxpr::eqns() const { return d_->eqns; }
inline std::span<const Atom> Jaxpr::operands(const Eqn& e) const {
  return std::span(d_->operands).subspan(e.in_begin, e.in_end - e.in_begin);
}
inline std::span<const Atom> Jaxpr::outputs() const { return d_->outputs; }
inline const Literal& Jaxpr::literal(Atom a) const { return d_->literals[a.index()]; }

// A jaxpr is a field type of parameters (call, scan, ...).
void print_param(ParamWriter& w, const Jaxpr& v);
void parse_param(TextCursor& in, Jaxpr& v);
void add_param_axes(const Jaxpr& v, AxisNames& names);
inline void map_param_programs(Jaxpr& v, ProgramMap f) { v = f.map(v); }
inline std::uint64_t hash_param(const Jaxpr& v) { return v.hash(); }

}  // namespace weft::ir
