#include "weft/stablehlo/refusal.h"

#include <algorithm>
#include <tuple>

#include "weft/base/error.h"
#include "weft/stablehlo/formats.h"

namespace weft::stablehlo {

void throw_refusals(std::string_view source, Refusals refusals) {
  if (refusals.empty()) return;
  const auto order = [](const Refusal& r) { return std::tie(r.place.line, r.place.column, r.message); };
  std::ranges::sort(refusals, {}, order);
  // The parser and import may both know why an operation is refused.
  const auto repeated = std::ranges::unique(refusals, {}, order);
  refusals.erase(repeated.begin(), repeated.end());
  std::string all;
  for (const Refusal& r : refusals)
    all += (all.empty() ? "" : "\n") + (source.empty() ? std::string() : std::string(source) + ":") + r.place.str() +
           ": " + r.message + ".";
  const ForcedLocation nowhere{SourceLocation()};
  if (std::ranges::any_of(refusals, &Refusal::invalid)) throw ParseError(all);
  throw Unsupported(all);
}

std::string_view reason_of_unknown(std::string_view op) {
  if (op.starts_with("mhlo.async_"))
    return "calls that run beside the program are private to XLA, and mean what a func.call of called_computation does";
  if (op.starts_with("vhlo."))
    return "VHLO is the form in which StableHLO is stored, which stablehlo-translate --deserialize turns into the "
           "program itself";
  if (op == "interpreter.print") return "prints are for weftc run and weftc check, and mean nothing elsewhere";
  if (op == "interpreter.run_parallel")
    return "processes beside each other are for weftc check, and mean nothing elsewhere";
  // Of those that there are: a misspelt one is none.
  if ((op.starts_with("check.") || op.starts_with("interpreter.")) && find_format(op))
    return "checks are for weftc check (run_checks in C++), and mean nothing elsewhere";
  return "Weft has no such operation";
}

}  // namespace weft::stablehlo
