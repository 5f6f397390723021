// compile: a function traced and compiled before it is called, for arguments of given types. What is left of a call
// then is the program: with memory that the caller provides, nothing is allocated.
#pragma once

#include "weft/api/jit.h"

namespace weft {

/// What a program computes at least: multiplications and additions of products and convolutions, other elementwise
/// operations, and the bytes of inputs and outputs.
struct ProgramCost {
  double flops = 0;            ///< of products and convolutions, two per multiplication
  double elementwise = 0;      ///< elements computed by all other operations
  double transcendentals = 0;  ///< of these, those by exp, log, sin, ...
  std::int64_t input_bytes = 0, output_bytes = 0;
};

struct CompileOptions {
  /// On which machines the program gives the same bits.
  Fp fp = Fp::kFast;
  /// How much is done before the program runs; none given: default_effort(). With Effort::kNone there is no code:
  /// call_into copies, and raw, text and save_object are not there.
  std::optional<Effort> effort = {};
  /// Arguments whose arrays each call takes for good, as JitOptions::donate. In call_into, raw and object files, such
  /// an array and the output that is made in its memory (CompiledProgram::replaces) may have the same address; where
  /// they have not, the array is copied first and stays as it was.
  std::vector<int> donate = {};
};

/// The compiled program of a function. Immutable and cheap to copy; any number of threads may call it at once.
class CompiledProgram {
 public:
  /// Compiles. ValueError when the program captured values of a transformation around it; BackendError for operations
  /// that options.fp refuses. `donation` is what options.donate means for the program.
  explicit CompiledProgram(Staged staged, const CompileOptions& options = {},
                           std::shared_ptr<const api::Donation> donation = nullptr);

  /// The program as it was traced. Its leading inputs are the arrays that the function captured.
  const Jaxpr& jaxpr() const { return staged_.jaxpr; }
  /// The types of the arrays among the arguments, and of the results, in the order of their trees' leaves.
  std::span<const Aval> inputs() const { return inputs_; }
  std::span<const Aval> outputs() const { return outputs_; }
  /// What call_into needs beside its operands, aligned to 64 bytes; those are aligned to their elements.
  std::size_t workspace_bytes() const { return direct_.workspace_bytes; }

  /// By output the donated input in whose memory it is made, or -1: these two may have the same address in calls on
  /// memory. No other may, whatever was donated.
  std::vector<int> replaces() const;

  /// Runs on memory of the caller's: dense row-major elements of `inputs()` and `outputs()`, which must not overlap,
  /// but for what `replaces` allows.
  /// Allocates nothing, but for what operations without code of their own (sort, gather, ...) and programs that
  /// are split over threads do inside; a build without a compiler copies. ValueError when there are more or fewer
  /// addresses, or a null one.
  void call_into(std::span<void* const> outputs, std::span<const void* const> inputs, void* workspace,
                 SourceLocation loc = std::source_location::current()) const;
  void call_into(std::initializer_list<void*> outputs, std::initializer_list<const void*> inputs, void* workspace,
                 SourceLocation loc = std::source_location::current()) const {
    call_into(std::span<void* const>(outputs.begin(), outputs.size()),
              std::span<const void* const>(inputs.begin(), inputs.size()), workspace, loc);
  }

  /// The program as a plain function: int(inputs, outputs, workspace), 0 when it ran. Valid as long as this object, or
  /// a copy, lives. ValueError when the program captured arrays (pass them as arguments), or when it calls operations
  /// without code of their own or is split over threads; BackendError when the build has no compiler.
  using RawFunction = std::int32_t (*)(const void* const* inputs, void* const* outputs, void* workspace);
  RawFunction raw(SourceLocation loc = std::source_location::current()) const;

  /// The program at a later stage, for people: kernels and memory, LLVM's text, assembly. BackendError when the build
  /// has no compiler.
  std::string text(ProgramStage stage, SourceLocation loc = std::source_location::current()) const;
  ProgramCost cost() const;
  /// What memory a call takes.
  ProgramMemory memory() const;

  /// Writes the program as an object file and a C header, each whole or not at all: libc and libm are all it needs,
  /// captured arrays are part of it. ValueError when `options.name` is no name for a function; BackendError when a file
  /// cannot be written, when an operation has no code of its own (sort, gather, ...), or when the build has no
  /// compiler.
  void save_object(const std::string& object_path, const std::string& header_path, const ObjectOptions& options = {},
                   SourceLocation loc = std::source_location::current()) const;

 protected:
  void run(std::span<const Array> leaves, Arrays& outs) const;

 private:
  void run_on_copies(std::span<void* const> outputs, std::span<const void* const> inputs) const;

  Staged staged_;
  std::vector<Aval> inputs_, outputs_;
  std::shared_ptr<const Executable> executable_;
  ir::Params call_params_;
  DirectCall direct_;
  std::shared_ptr<const api::Donation> donation_;
  std::vector<const void*> captured_;  // addresses
};

namespace api {
/// ValueError that tells how the arguments differ from those that the function was compiled for.
[[noreturn]] void throw_compiled_for_others(const SignatureOutline& before, const SignatureOutline& now);
}  // namespace api

/// A compiled function: called as the function itself, with arguments of the same types, shapes and static values.
/// Under a transformation it is traced as what `jit` returns is.
template <class F, class Pack>
class Compiled : public CompiledProgram {
 public:
  using Result = typename api::Callable<const F, Pack>::Result;

  /// ValueError when an argument is not as those that it was compiled for, naming it.
  template <class... A>
  Result operator()(A&&... args) const {
    auto pack = api::prepare<F>(std::forward<A>(args)...);
    static_assert(std::is_same_v<decltype(pack), Pack>,
                  "a compiled function takes arguments of the C++ types that it was compiled for");
    api::Signature signature;
    tree::visit(std::as_const(pack), signature);
    if (signature.words != key_->words || signature.statics != key_->statics) [[unlikely]] {
      api::SignatureOutline now;
      tree::visit(std::as_const(pack), now);
      api::throw_compiled_for_others(key_->outline, now);
    }
    Arrays outs;
    run(signature.leaves, outs);
    return tree::with_leaves(*prototype_, outs);
  }

 private:
  struct Key {
    SmallVector<std::uint64_t, 24> words;
    std::vector<StaticValue> statics;
    api::SignatureOutline outline;
  };
  Compiled(Staged staged, const CompileOptions& options, std::shared_ptr<const api::Donation> donation,
           std::shared_ptr<const Key> key, std::shared_ptr<const Result> prototype)
      : CompiledProgram(std::move(staged), options, std::move(donation)),
        key_(std::move(key)),
        prototype_(std::move(prototype)) {}
  template <class G, class... A>
  friend auto compile(const CompileOptions& options, const G& f, A&&... args);

  std::shared_ptr<const Key> key_;
  std::shared_ptr<const Result> prototype_;
};

/// Traces f for these arguments and compiles it. Of arrays only the types count: abstract(f32, {3}) will do.
///   auto step = compile(train_step, params, images, labels);
///   params = step(params, images, labels);
///   const auto in_place = compile({.donate = {0}}, train_step, params, images, labels);
template <class G, class... A>
auto compile(const CompileOptions& options, const G& f, A&&... args) {
  using F = std::decay_t<G>;
  auto pack = api::prepare<F>(std::forward<A>(args)...);
  using Pack = decltype(pack);
  using Result = typename Compiled<F, Pack>::Result;
  auto key = std::make_shared<typename Compiled<F, Pack>::Key>();
  api::Signature signature;
  tree::visit(std::as_const(pack), signature);
  tree::visit(std::as_const(pack), key->outline);
  const ir::Avals inputs = avals_of(signature.leaves);
  key->words = std::move(signature.words);
  key->statics = std::move(signature.statics);
  const F& function = f;  // a plain function becomes a pointer, which must live as long as `call`
  api::Callable<const F, Pack> call(function, pack);
  Staged staged = api::with_note("compile(f)", [&] { return stage(call.flat(), inputs, "compile(f)"); });
  auto prototype = std::make_shared<const Result>(call.prototype());
  auto donation = api::donation_of("compile", pack, options.donate, staged.captured.size(), "compile(f)");
  return Compiled<F, Pack>(std::move(staged), options, std::move(donation), std::move(key), std::move(prototype));
}
template <class G, class... A>
  requires(!std::is_same_v<G, CompileOptions>)
auto compile(const G& f, A&&... args) {
  return compile(CompileOptions{}, f, std::forward<A>(args)...);
}

}  // namespace weft
