#include "weftc/commands.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "weft/api/autodiff.h"
#include "weft/base/error.h"
#include "weft/np/npy.h"
#include "weft/ops/lax.h"
#include "weft/stablehlo/export.h"
#include "weft/stablehlo/syntax.h"

namespace weftc {

using weft::Array;
using weft::Arrays;
namespace stablehlo = weft::stablehlo;

std::string read_text(const std::string& path) {
  if (path == "-") {
    std::ostringstream all;
    all << std::cin.rdbuf();
    return std::move(all).str();
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!(text << file.rdbuf()) && !file.eof()) throw weft::BackendError(path + ": the file must be readable.");
  return std::move(text).str();
}

void write_text(const std::string& path, const std::string& text) {
  if (path.empty() || path == "-") {
    std::cout << text;
    return;
  }
  std::ofstream file(path, std::ios::binary);
  if (!(file << text)) throw weft::BackendError(path + ": the file must be writable.");
}

namespace {

// A program that is only looked at may call functions that nobody has registered.
stablehlo::Function load(const std::string& program, const std::string& function, bool runs) {
  return stablehlo::import(read_text(program),
                           {.source = program, .function = function, .unregistered_custom_calls = !runs});
}

}  // namespace

int run(const RunOptions& options) {
  const stablehlo::Function f = load(options.program, options.function, true);
  if (options.inputs.size() != f.num_inputs())
    throw weft::ValueError(options.program + ": @" + f.name() + " takes " + std::to_string(f.num_inputs()) +
                           " inputs; got " + std::to_string(options.inputs.size()) + ".");
  if (options.outputs.size() > f.num_outputs())
    throw weft::ValueError(options.program + ": @" + f.name() + " gives " + std::to_string(f.num_outputs()) +
                           " outputs; got " + std::to_string(options.outputs.size()) + " files.");
  std::vector<Array> args;
  for (std::size_t i = 0; i < options.inputs.size(); ++i) {
    const bool bf16 = f.input(i).dtype() == weft::bf16;
    const weft::np::NpyData data = weft::np::read_npy(options.inputs[i], {.v2_is_bfloat16 = bf16});
    if (data.aval != f.input(i))
      throw weft::ShapeError(options.inputs[i] + ": input " + std::to_string(i) + " of @" + f.name() + " must be " +
                             f.input(i).str() + "; got " + data.aval.str() + ".");
    args.push_back(Array::copy(data.aval.dtype(), data.aval.shape(), data.bytes.data(),
                               static_cast<std::size_t>(data.aval.size())));
  }
  // What goes wrong is blamed on the program's line, not on this one.
  const std::vector<Array> results = f(args, weft::SourceLocation());
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i < options.outputs.size()) {
      const weft::detail::HostView view = results[i].host("weftc");
      weft::np::write_npy(options.outputs[i], view.view);
    } else {
      std::cout << results[i].aval().str() << "\n" << results[i].str() << "\n";
    }
  }
  return 0;
}

int print(const PrintOptions& options) {
  if (options.to == "jaxpr") {
    std::cout << load(options.program, options.function, false).jaxpr().str() << "\n";
    return 0;
  }
  const auto form = options.to == "generic" ? stablehlo::Form::kGeneric : stablehlo::Form::kPretty;
  const std::vector<stablehlo::Module> modules = stablehlo::parse_all(read_text(options.program), options.program);
  for (std::size_t i = 0; i < modules.size(); ++i)
    std::cout << (i ? "// -----\n" : "") << stablehlo::print(modules[i], form);
  return 0;
}

int grad(const GradOptions& options) {
  const stablehlo::Function f = load(options.program, options.function, false);
  std::vector<bool> differentiated(f.num_inputs(), false);
  for (const std::size_t i : options.wrt) {
    if (i >= f.num_inputs())
      throw weft::IndexError(options.program + ": --wrt must name inputs of @" + f.name() + ", which takes " +
                             std::to_string(f.num_inputs()) + "; got " + std::to_string(i) + ".");
    if (!weft::is_inexact(f.input(i).dtype()))
      throw weft::NotDifferentiableError(options.program + ": input " + std::to_string(i) + " of @" + f.name() +
                                         " must be float or complex; got " + f.input(i).str() + ".");
    differentiated[i] = true;
  }
  if (f.num_outputs() != 1 || f.output(0).ndim() != 0 || !weft::is_float(f.output(0).dtype()))
    throw weft::NotDifferentiableError(options.program + ": @" + f.name() +
                                       " must give one 0-d float, of which there is a gradient.");
  weft::ir::Avals inputs;
  for (std::size_t i = 0; i < f.num_inputs(); ++i) inputs.push_back(f.input(i));
  const weft::FlatFunction value = [&](std::span<const Array> args, Arrays& outs) {
    Arrays all = f.constants();
    all.append(args.begin(), args.end());
    weft::eval_jaxpr(f.jaxpr(), all, outs);
  };
  const weft::Staged staged = weft::stage(
      [&](std::span<const Array> args, Arrays& outs) {
        weft::transforms::Linearized lin =
            weft::transforms::linearize(value, args, differentiated, "grad of @" + f.name());
        const Array y = lin.outs[0];
        outs.push_back(y);
        const Arrays one{Array::full({}, y.dtype(), weft::Scalar(1))};
        const Arrays cts = weft::api::pull_back(std::move(lin), differentiated, one);
        // In the order in which they were asked for.
        for (const std::size_t i : options.wrt) outs.push_back(cts[i].defined() ? cts[i] : weft::zeros_of(f.input(i)));
      },
      inputs, "grad of @" + f.name());
  write_text(options.output, stablehlo::print(stablehlo::to_module(staged.jaxpr, staged.captured, "main"),
                                              options.generic ? stablehlo::Form::kGeneric : stablehlo::Form::kPretty));
  return 0;
}

}  // namespace weftc
