// StableHLO text as functions: an imported function is an ordinary one, which can be called, compiled, differentiated,
// batched, and printed as a jaxpr.
//
//   auto f = stablehlo::import(text);
//   Array y = f(x, w)[0];
//   Array g = grad([&](Array x) { return f(x, w)[0]; })(x);
//
// The tree of syntax.h becomes a program here. Tokens vanish (effects keep program order), tuples become their parts,
// functions become `call` equations, literals of more than one value captured constants.
#pragma once

#include "weft/api/jit.h"
#include "weft/core/arg.h"
#include "weft/stablehlo/syntax.h"

namespace weft::stablehlo {

struct Module;  // syntax.h

/// A program with the arrays it captures. Copies share both.
class Function {
 public:
  /// The program under a name; its first inputs are `constants`, in order.
  Function(std::string name, ir::Jaxpr jaxpr, Arrays constants);

  /// The symbol in the text, without '@'.
  const std::string& name() const { return call_.name; }
  /// The program; its constants() are the inputs before the `;`.
  const ir::Jaxpr& jaxpr() const { return call_.jaxpr; }
  const Arrays& constants() const { return constants_; }
  /// How many arrays a call takes and gives.
  std::size_t num_inputs() const { return call_.jaxpr.num_inputs() - constants_.size(); }
  std::size_t num_outputs() const { return call_.jaxpr.outputs().size(); }
  /// The types of an argument and of a result, counted from 0 and without the constants; i must be below their number.
  Aval input(std::size_t i) const { return call_.jaxpr.aval(static_cast<ir::Var>(constants_.size() + i)); }
  Aval output(std::size_t i) const { return call_.jaxpr.aval(call_.jaxpr.outputs()[i]); }

  /// All results. Compiled when evaluating, one equation when traced. ValueError, DTypeError or ShapeError when the
  /// arguments are not as many as the inputs, or have not their types.
  std::vector<Array> operator()(std::span<const Array> args,
                                SourceLocation loc = std::source_location::current()) const;
  std::vector<Array> operator()(const std::vector<Array>& args,
                                SourceLocation loc = std::source_location::current()) const {
    return (*this)(std::span<const Array>(args), loc);
  }
  std::vector<Array> operator()(std::initializer_list<Array> args,
                                SourceLocation loc = std::source_location::current()) const {
    return (*this)(std::span<const Array>(args.begin(), args.size()), loc);
  }
  /// Errors name the line of the call, which the first argument brings.
  template <class... A>
    requires(std::is_convertible_v<const A&, Array> && ...)
  std::vector<Array> operator()(Arg first, const A&... others) const {
    return (*this)(std::vector<Array>{first.array(), Array(others)...}, first.location());
  }
  std::vector<Array> operator()(SourceLocation loc = std::source_location::current()) const {
    return (*this)(std::span<const Array>(), loc);
  }

 private:
  // ValueError, DTypeError or ShapeError unless they fit.
  void check_arguments(std::span<const Array> args) const;

  CallParams call_;
  Arrays constants_;
};

struct ImportOptions {
  /// The file's name, for errors and for the places in programs.
  std::string_view source = {};
  /// The function's symbol; by default @main, or the only public function.
  std::string_view function = {};
  /// Whether custom calls of functions that nobody has registered (core/custom_call.h) are accepted: such a program can
  /// be printed and batched, but to run it needs the function.
  bool unregistered_custom_calls = false;
};

/// Throws ParseError for text that is no program, and, all of them in one message, for every use of what Weft does not
/// run: sizes that only the run knows, unknown element types, operations and attributes, custom calls that nobody
/// registered, data that is not in the text. Errors of operations (ShapeError and so on) come as ParseErrors that name
/// the place in the text.
Function import(std::string_view text, ImportOptions options = {});
/// The module knows its own source.
Function import(const Module& module, ImportOptions options = {});

}  // namespace weft::stablehlo
