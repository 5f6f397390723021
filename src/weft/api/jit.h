// jit: a function traced once per signature and compiled. make_jaxpr and eval_shape: its program
// and its result types without running it.
#pragma once

#include <bit>

#include "weft/api/callable.h"
#include "weft/api/compiles.h"
#include "weft/api/donation.h"
#include "weft/core/checks.h"
#include "weft/core/named_axes.h"
#include "weft/ir/call.h"
#include "weft/runtime/client.h"

namespace weft {

using Jaxpr = ir::Jaxpr;

namespace api {

template <class T>
inline constexpr char type_tag = 0;

/// A call's signature: argument types, structure, static values and the avals of the arrays.
/// Collects the arrays on the way.
struct Signature : tree::NullVisitor {
  SmallVector<std::uint64_t, 24> words;
  std::vector<StaticValue> statics;  // those of which the words have only the hash
  Arrays leaves;

  void array(const Array& a) {
    words.push_back(a.defined() ? reinterpret_cast<std::uintptr_t>(a.aval().id()) : 0);
    if (a.defined()) leaves.push_back(a);
  }
  template <class U>
  void value(const U& v) {
    static_assert(!std::is_floating_point_v<U> && !tree::detail::is_a<U, std::complex>,
                  "jit: a floating-point argument would recompile for every new value: declare it Array, and a plain "
                  "number may be passed for it; static_arg(x) says that recompiling is meant");
    if constexpr (std::is_same_v<U, std::string>)
      text(v);
    else if constexpr (tree::detail::is_a<U, StaticArg>) {
      using T = std::remove_cvref_t<decltype(v.value)>;
      if constexpr (std::is_same_v<T, std::string>) {
        text(v.value);
      } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
        words.push_back(static_cast<std::uint64_t>(v.value));
      } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
        words.push_back(std::bit_cast<std::uint64_t>(static_cast<double>(v.value)));
      } else {
        words.push_back(std::hash<T>()(v.value));
        statics.emplace_back(v.value);
      }
    } else
      words.push_back(static_cast<std::uint64_t>(v));
  }
  void enter(tree::NodeKind kind, std::size_t n) {
    if (kind != tree::NodeKind::kStruct && kind != tree::NodeKind::kTuple) words.push_back(n);
  }
  void child_key(const std::string& key) { text(key); }
  std::uint64_t hash() const;
  void text(const std::string& s);
};

/// One traced and compiled signature.
struct JitEntry {
  SmallVector<std::uint64_t, 24> key;
  std::vector<StaticValue> statics;
  Staged staged;
  std::shared_ptr<const Executable> executable;  // null until first evaluated
  std::shared_ptr<const Donation> donation;      // null: none
  ir::Params call_params;
  std::shared_ptr<const void> prototype;  // the result's structure
  std::shared_ptr<const SignatureOutline> outline;
};

/// The entries of one jitted function, and its counts. Copies share them, and so does what was moved from. Safe to use
/// from several threads.
class JitCache {
 public:
  /// `function`: "jit(step) at train.cc:18".
  JitCache(std::string function, CompilePolicy policy, Fp fp, std::optional<Effort> effort);
  JitCache(const JitCache&) = default;
  JitCache& operator=(const JitCache&) = default;
  /// Null when there is none.
  std::shared_ptr<JitEntry> find(std::uint64_t hash, const Signature& signature) const;
  std::size_t size() const;
  JitStats stats() const;
  const std::string& function() const;

 private:
  friend class NewProgram;
  friend void call_entry(const JitCache&, JitEntry&, std::span<const Array>, const SourceLocation&, Arrays&);
  struct Entries;
  /// The executable of an entry that was only traced before.
  std::shared_ptr<const Executable> compile(JitEntry& entry) const;
  std::shared_ptr<Entries> entries_;
};

/// The making of a program for a call that has none, watched over: may it be made, why, and how long does it take.
class NewProgram {
 public:
  /// ValueError, which explains, when the policy in force forbids it.
  NewProgram(const JitCache& cache, std::shared_ptr<const SignatureOutline> outline);
  /// The function has been traced: keeps the entry, or takes the one that another thread kept meanwhile; compiles it
  /// when the call is evaluated, counts and explains.
  void traced(std::uint64_t hash, std::shared_ptr<JitEntry>& entry, std::span<const Array> leaves);

 private:
  const JitCache& cache_;
  std::shared_ptr<const SignatureOutline> outline_;
  CompileExplanation explanation_;  // complete when `explain_`
  bool explain_;
  double start_;
};

/// Whether one of them is a value of a transformation, which has no elements yet.
bool any_traced(std::span<const Array> arrays);
/// Whether all of them have elements now.
bool all_buffers(std::span<const Array> arrays);

/// Runs an entry on the leaves: compiled when evaluating, as one `jit` equation when traced.
void call_entry(const JitCache& cache, JitEntry& entry, std::span<const Array> leaves, const SourceLocation& loc,
                Arrays& outs);

}  // namespace api

struct JitOptions {
  /// Shown in programs and error messages.
  std::string name = "f";
  /// Whether calls that have no program yet may make one. A CompilePolicyScope goes before it.
  CompilePolicy policy = CompilePolicy::kAlways;
  /// On which machines a program gives the same bits. Calls that other programs contain are compiled as parts of those.
  Fp fp = Fp::kFast;
  /// How much is done before a program runs; none given: default_effort(). Calls that other programs contain are
  /// compiled as parts of those.
  std::optional<Effort> effort = {};
  /// Arguments, by position (from the end when negative), whose arrays each call takes for good: results of the same
  /// size are made in their memory where that is safe, and it is free afterwards otherwise. Whoever has such an array
  /// then gets a DonatedError when reading it, also when the call fails while it runs; np::copy before keeps it. Arrays
  /// that only share its memory (a reshape of it) are not affected. Inside of transformations, where the outermost call
  /// is what runs, and under DisableJit, nothing is taken. IndexError for positions that a call does not have,
  /// ValueError when a donated array is passed twice. No other thread may use a donated array during the call.
  ///   params = jit(step, {.donate = {0}})(params, batch);
  std::vector<int> donate = {};
};

/// A function that is traced once per signature (argument structure, dtypes, shapes and static
/// values) and then runs compiled. Copies share their cache. While a DisableJit lives it is the function itself. Safe
/// to call from several threads; those that come with a new signature at the same time may each trace it, so that the
/// function runs more than once, and the first program to be ready is kept and run by all.
template <class F>
class Jit {
 public:
  Jit(F f, JitOptions options, SourceLocation loc)
      : f_(std::move(f)),
        options_(std::move(options)),
        loc_(loc),
        cache_(api::transform_name("jit(" + options_.name + ")", loc), options_.policy, options_.fp, options_.effort) {}

  template <class... A>
  auto operator()(A&&... args) const {
    auto pack = api::prepare<F>(std::forward<A>(args)...);
    using Pack = decltype(pack);
    using Result = typename api::Callable<const F, Pack>::Result;
    if (jit_disabled()) [[unlikely]]
      return api::Callable<const F, Pack>::run(f_, std::move(pack));
    api::Signature signature;
    signature.words.push_back(reinterpret_cast<std::uintptr_t>(&api::type_tag<Pack>));
    tree::visit(std::as_const(pack), signature);
    if (detail::named_axes) signature.text(named_axes_key());
    if (const std::uint8_t mode = detail::check_mode()) signature.words.push_back(mode);
    const std::uint64_t hash = signature.hash();
    std::shared_ptr<api::JitEntry> entry = cache_.find(hash, signature);
    if (!entry) [[unlikely]] {
      auto outline = std::make_shared<api::SignatureOutline>();
      tree::visit(std::as_const(pack), *outline);
      outline->add_surroundings();
      api::NewProgram program(cache_, std::move(outline));
      entry = trace(pack, signature);
      program.traced(hash, entry, signature.leaves);
    }
    Arrays outs;
    api::call_entry(cache_, *entry, signature.leaves, loc_, outs);
    return tree::with_leaves(*static_cast<const Result*>(entry->prototype.get()), outs);
  }

  /// The program for these arguments.
  template <class... A>
  Jaxpr jaxpr(A&&... args) const {
    auto pack = api::prepare<F>(std::forward<A>(args)...);
    api::Signature signature;
    tree::visit(std::as_const(pack), signature);
    return trace(pack, signature)->staged.jaxpr;
  }

  /// How many signatures have been traced and kept.
  std::size_t cache_size() const { return cache_.size(); }
  /// How often it was traced and compiled, how many calls had nothing to wait for, and the time it took.
  JitStats stats() const { return cache_.stats(); }

 private:
  template <class Pack>
  std::shared_ptr<api::JitEntry> trace(const Pack& pack, const api::Signature& signature) const {
    auto entry = std::make_shared<api::JitEntry>();
    const std::string& name = cache_.function();
    api::Callable<const F, Pack> call(f_, pack);
    ir::Avals inputs = avals_of(signature.leaves);
    entry->staged = api::with_note(name, [&] { return stage(call.flat(), inputs, name); });
    entry->donation = api::donation_of("jit", pack, options_.donate, entry->staged.captured.size(), name);
    entry->key = signature.words;
    entry->statics = signature.statics;
    entry->call_params = ir::make_params(CallParams{options_.name, entry->staged.jaxpr});
    entry->prototype = std::make_shared<const typename decltype(call)::Result>(call.prototype());
    return entry;
  }

  F f_;
  JitOptions options_;
  SourceLocation loc_;
  api::JitCache cache_;
};

/// Compiles `f`. Arrays are traced; int, bool, std::string and enum arguments are static. Arrays
/// that f captures become inputs of the program, with the values they had when it was traced.
///   auto step = jit(train_step, {.name = "train_step"});
template <class F>
Jit<std::decay_t<F>> jit(F&& f, JitOptions options = {}, SourceLocation loc = std::source_location::current()) {
  return Jit<std::decay_t<F>>(std::forward<F>(f), std::move(options), loc);
}

/// A function with f's arguments that returns its program. Captured arrays are inputs before the `;`.
template <class F>
auto make_jaxpr(F&& f, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)), loc](auto&&... args) -> Jaxpr {
    auto pack = api::prepare<decltype(f)>(std::forward<decltype(args)>(args)...);
    const std::string name = api::transform_name("make_jaxpr(f)", loc);
    api::Callable<std::remove_reference_t<decltype((f))>, decltype(pack)> call(f, pack);
    ir::Avals inputs = avals_of(tree::leaves(pack));
    return api::with_note(name, [&] { return stage(call.flat(), inputs, name); }).jaxpr;
  };
}

/// An array with a type but no value, for eval_shape and make_jaxpr. ShapeError for a negative size.
Array abstract(DType dtype, const Shape& shape, SourceLocation loc = std::source_location::current());

/// The result of f(args...) with the types but not the values of its arrays; nothing is computed.
template <class F, class... A>
auto eval_shape(F&& f, A&&... args) {
  auto pack = api::prepare<F>(std::forward<A>(args)...);
  api::Callable<std::remove_reference_t<F>, decltype(pack)> call(f, pack);
  ir::Avals inputs = avals_of(tree::leaves(pack));
  const Staged staged = api::with_note("eval_shape(f)", [&] { return stage(call.flat(), inputs, "eval_shape(f)"); });
  Arrays outs;
  for (const Aval a : staged.jaxpr.output_avals()) outs.push_back(abstract(a.dtype(), a.shape()));
  return call.result(outs);
}

}  // namespace weft
