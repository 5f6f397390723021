#include "weft/ir/interpret.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>

#include "weft/ir/builder.h"
#include "weft/ir/callback.h"

namespace weft::ir {

namespace {

constexpr std::size_t kAlign = 64;

// Gives every value a place in one block; places of values that are dead are used again.
class Places {
 public:
  struct Place {
    std::size_t offset = 0, bytes = 0;
  };

  Place take(Aval aval) {
    const std::size_t bytes = (static_cast<std::size_t>(aval.bytes()) / kAlign + 1) * kAlign;
    // The tightest free place; one that is more than half empty is left for larger values.
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it)
      if (it->bytes >= bytes && it->bytes / 2 <= bytes && (best == free_.end() || it->bytes < best->bytes)) best = it;
    if (best != free_.end()) {
      const Place place = *best;
      free_.erase(best);
      return place;
    }
    const Place place{end_, bytes};
    if (__builtin_add_overflow(end_, bytes, &end_)) throw std::bad_alloc();
    return place;
  }
  void give(Place place) {
    constexpr std::size_t kRemembered = 64;  // keeps `take` cheap
    if (free_.size() < kRemembered) free_.push_back(place);
  }
  std::size_t end() const { return end_; }

 private:
  std::vector<Place> free_;
  std::size_t end_ = 0;
};

void fill(const Literal& literal, std::byte* to) {
  const auto size = static_cast<std::size_t>(byte_size(literal.aval.dtype()));
  for (std::int64_t i = 0; i < literal.aval.size(); ++i, to += size) std::memcpy(to, literal.value.data(), size);
}

[[noreturn]] void throw_memory(std::size_t bytes) {
  throw BackendError("interpret: out of memory; got a program that needs " + std::to_string(bytes) + " bytes.");
}

}  // namespace

Interpreter::Interpreter(const Jaxpr& jaxpr) : jaxpr_(inline_calls(jaxpr)) {
  // Places first, as offsets; pointers when the block is there.
  Places places;
  std::vector<Places::Place> of_var(jaxpr_.num_vars());
  std::vector<std::pair<const Literal*, std::size_t>> literals;
  std::vector<std::vector<std::uint32_t>> uses(jaxpr_.num_inputs());
  std::vector<std::size_t> operand_at, result_at, output_at;
  const auto add_operand = [&](Atom a) {
    const auto index = static_cast<std::uint32_t>(operands_.size());
    operands_.push_back({jaxpr_.aval(a), nullptr});
    operand_at.push_back(0);
    if (a.is_literal()) {
      operand_at[index] = places.take(jaxpr_.aval(a)).offset;
      literals.emplace_back(&jaxpr_.literal(a), operand_at[index]);
    } else if (a.index() < jaxpr_.num_inputs()) {
      uses[a.index()].push_back(index);
    }
    return index;
  };
  try {
    // Literals first, also those that are outputs: their places must not be ones that are used again.
    std::vector<std::uint32_t> copied;
    for (const Atom a : jaxpr_.outputs())
      if (a.is_literal() || a.index() < jaxpr_.num_inputs()) copied.push_back(add_operand(a));
    for (const Eqn& e : jaxpr_.eqns()) {
      if (e.op == OpCode::kCheck) refuse_check(e);
      const auto begin = static_cast<std::uint32_t>(operands_.size());
      for (const Atom a : jaxpr_.operands(e)) add_operand(a);
      const OpInfo& info = op_info(e.op);
      internal_check(info.eval != nullptr, "interpret: an operation has no reference evaluation");
      bool stored = false;
      for (const Atom a : jaxpr_.operands(e)) stored |= is_storage(jaxpr_.aval(a).dtype());
      for (Var v = e.out_begin; v < e.out_end; ++v) stored |= is_storage(jaxpr_.aval(v).dtype());
      steps_.push_back({info.eval, info.storage_types || !stored, e.params.get(), &e.location, begin,
                        static_cast<std::uint32_t>(operands_.size()), 0, 0});
    }
    const Jaxpr::LastUses& last = jaxpr_.last_uses();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const Eqn& e = jaxpr_.eqns()[i];
      steps_[i].out_begin = static_cast<std::uint32_t>(results_.size());
      for (Var v = e.out_begin; v < e.out_end; ++v) {
        of_var[v] = places.take(jaxpr_.aval(v));
        results_.push_back({jaxpr_.aval(v), nullptr});
        result_at.push_back(of_var[v].offset);
      }
      steps_[i].out_end = static_cast<std::uint32_t>(results_.size());
      std::uint32_t operand = steps_[i].in_begin;
      for (const Atom a : jaxpr_.operands(e)) {
        if (!a.is_literal() && a.index() >= jaxpr_.num_inputs()) operand_at[operand] = of_var[a.index()].offset;
        ++operand;
      }
      for (std::uint32_t u = last.begin[i]; u < last.begin[i + 1]; ++u)
        if (last.vars[u] >= jaxpr_.num_inputs()) places.give(of_var[last.vars[u]]);
    }
    for (std::size_t i = 0, next = 0; i < jaxpr_.outputs().size(); ++i) {
      const Atom a = jaxpr_.outputs()[i];
      if (a.is_literal() || a.index() < jaxpr_.num_inputs()) {
        output_at.push_back(places.take(jaxpr_.aval(a)).offset);
        copies_.push_back({copied[next++], i, nullptr, static_cast<std::size_t>(jaxpr_.aval(a).bytes())});
      } else {
        output_at.push_back(of_var[a.index()].offset);
      }
    }
    bytes_ = places.end();
    if (bytes_ > SIZE_MAX - kAlign) throw std::bad_alloc();
    memory_.reset(new std::byte[bytes_ + kAlign]);
  } catch (const std::bad_alloc&) {
    throw_memory(places.end());
  }
  std::byte* const base = memory_.get() + (kAlign - reinterpret_cast<std::uintptr_t>(memory_.get()) % kAlign) % kAlign;
  for (std::size_t i = 0; i < operands_.size(); ++i) operands_[i].data = base + operand_at[i];
  for (std::size_t i = 0; i < results_.size(); ++i) results_[i].data = base + result_at[i];
  for (const std::size_t at : output_at) outputs_.push_back(base + at);
  for (Copy& c : copies_) c.to = base + output_at[c.output];
  for (const auto& [literal, at] : literals) fill(*literal, base + at);
  for (const auto& list : uses) {
    input_uses_.push_back(static_cast<std::uint32_t>(places_.size()));
    places_.insert(places_.end(), list.begin(), list.end());
    for (const std::uint32_t operand : list) operands_[operand].data = nullptr;
  }
  input_uses_.push_back(static_cast<std::uint32_t>(places_.size()));
}

void Interpreter::run() {
  const std::span<const TensorView> in(operands_);
  const std::span<const MutableTensorView> out(results_);
  for (const Step& step : steps_) {
    const ForcedLocation location(*step.location);
    const auto operands = in.subspan(step.in_begin, step.in_end - step.in_begin);
    const auto results = out.subspan(step.out_begin, step.out_end - step.out_begin);
    if (step.direct) [[likely]]
      step.eval(step.params, operands, results);
    else
      evaluate_computed(step.eval, step.params, operands, results);
  }
  for (const Copy& c : copies_)
    if (c.bytes > 0) std::memcpy(c.to, operands_[c.operand].data, c.bytes);
}

// Holds interpreters that nobody uses now. They know nothing of the program whose memo this is, only of its inlined
// copy, so nothing holds itself.
struct BorrowedInterpreter::Pool {
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Interpreter>> idle;
};

BorrowedInterpreter::BorrowedInterpreter(const Jaxpr& jaxpr)
    : pool_(jaxpr.memo<Pool>("interpreters", [] { return std::make_shared<const Pool>(); })) {
  {
    const std::lock_guard lock(pool_->mutex);
    if (!pool_->idle.empty()) {
      interpreter_ = std::move(pool_->idle.back());
      pool_->idle.pop_back();
    }
  }
  if (!interpreter_) interpreter_ = std::make_unique<Interpreter>(jaxpr);
}

BorrowedInterpreter::~BorrowedInterpreter() {
  constexpr std::size_t kKeptBytes = 1 << 20, kKept = 16;
  if (interpreter_->bytes() > kKeptBytes) return;
  const std::lock_guard lock(pool_->mutex);
  if (pool_->idle.size() < kKept) pool_->idle.push_back(std::move(interpreter_));
}

void interpret(const Jaxpr& jaxpr, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  internal_check(in.size() == jaxpr.num_inputs() && out.size() == jaxpr.outputs().size(),
                 "interpret: wrong number of operands or results");
  const BorrowedInterpreter program(jaxpr);
  for (std::size_t i = 0; i < in.size(); ++i) program->set_input(i, in[i].data);
  program->run();
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i].size() > 0) std::memcpy(out[i].data, program->output(i), static_cast<std::size_t>(out[i].aval.bytes()));
}

}  // namespace weft::ir
