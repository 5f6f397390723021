// Weft's programs as StableHLO: what other compilers and people read, and what import reads back.
//
//   std::string text = stablehlo::print(f, stablehlo::Form::kPretty, x, w);
//
// Operations of Weft that StableHLO does not have are written as what they mean in StableHLO's, or as CHLO's; special
// functions that neither has as custom calls @weft.<name>, which import knows.
#pragma once

#include "weft/stablehlo/form.h"
#include "weft/stablehlo/import.h"

namespace weft::stablehlo {

/// The program as @`name`, and a function per distinct program that it calls. `constants` are its captured arrays,
/// which become literals; without them its constants are leading arguments.
Module to_module(const ir::Jaxpr& jaxpr, std::span<const Array> constants = {}, const std::string& name = "main");

std::string print(const ir::Jaxpr& jaxpr, Form form = Form::kPretty);
std::string print(const Function& function, Form form = Form::kPretty);
/// A traced program, its captured arrays as literals.
std::string print(const Staged& staged, Form form = Form::kPretty);
/// The function traced for these arguments.
template <class F, class... A>
  requires(sizeof...(A) > 0)
std::string print(F&& f, Form form, A&&... args) {
  auto pack = api::prepare<F>(std::forward<A>(args)...);
  api::Callable<std::remove_reference_t<F>, decltype(pack)> call(f, pack);
  ir::Avals inputs = avals_of(tree::leaves(pack));
  const Staged staged =
      api::with_note("stablehlo::print(f)", [&] { return stage(call.flat(), inputs, "stablehlo::print(f)"); });
  return print(staged, form);
}

/// Whether programs with this operation have text: true of all.
bool has_text(OpCode op);

}  // namespace weft::stablehlo
