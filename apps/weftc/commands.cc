#include "weftc/commands.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <set>
#include <sstream>
#include <system_error>

#include "weft/api/autodiff.h"
#include "weft/api/compile.h"
#include "weft/base/error.h"
#include "weft/base/whole_file.h"
#include "weft/core/process_grid.h"
#include "weft/np/npy.h"
#include "weft/ops/lax.h"
#include "weft/stablehlo/check.h"
#include "weft/stablehlo/export.h"
#include "weft/stablehlo/syntax.h"

namespace weftc {

using weft::Array;
using weft::Arrays;
namespace fs = std::filesystem;
namespace stablehlo = weft::stablehlo;

namespace {

[[noreturn]] void file_refused(const std::string& path, const char* must, int error) {
  throw weft::BackendError(path + ": the file must be " + must +
                           (error != 0 ? "; got: " + std::generic_category().message(error) + "." : "."));
}

}  // namespace

std::string read_program(const std::string& path) {
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
  } else {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) file_refused(path, "readable", errno);
    // A stream of nothing fails to give anything, as one of a folder does.
    if (!(text << file.rdbuf()) && !file.eof() && fs::is_directory(path)) file_refused(path, "readable", EISDIR);
  }
  std::string all = std::move(text).str();
  if (all.find_first_not_of(" \t\r\n") == std::string::npos)
    throw weft::ParseError(path + ":1:1: there must be a program; got an empty file.");
  return all;
}

void write_text(const std::string& path, const std::string& text) {
  if (path.empty() || path == "-") {
    std::cout << text << std::flush;
    return;
  }
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(text))};
  if (const auto failed = weft::write_whole_file(path, parts)) file_refused(path, "writable", failed->error.value());
}

namespace {

// A program that is only looked at may call functions that nobody has registered.
stablehlo::Function load_text(const std::string& text, const std::string& source, const std::string& function) {
  return stablehlo::import(text, {.source = source, .function = function, .unregistered_custom_calls = true});
}
stablehlo::Function load(const std::string& program, const std::string& function) {
  return load_text(read_program(program), program, function);
}

// Erases the operations that print; says whether there were any.
bool erase_prints(stablehlo::Op& op) {
  bool any = false;
  for (stablehlo::Region& r : op.regions)
    for (stablehlo::Block& b : r.blocks) {
      any |= std::erase_if(b.ops, [](const stablehlo::Op& inner) { return inner.name == "interpreter.print"; }) > 0;
      for (stablehlo::Op& inner : b.ops) any |= erase_prints(inner);
    }
  return any;
}

// A program and how to run it: at once, or operation by operation when it prints.
struct Runnable {
  stablehlo::Function function;
  std::function<std::vector<Array>(std::span<const Array>)> run;
};
Runnable load_to_run(const std::string& program, const std::string& function) {
  const std::string text = read_program(program);
  const stablehlo::ImportOptions options{.source = program, .function = function};
  if (text.find("interpreter.print") != std::string::npos) {
    const auto whole = std::make_shared<const stablehlo::Module>(stablehlo::parse(text, program));
    stablehlo::Module silent = *whole;
    if (erase_prints(silent.top))
      return {stablehlo::import(silent, options), [whole, function](std::span<const Array> args) {
                return stablehlo::interpret(*whole, function, args, [](std::string_view s) { std::cout << s; });
              }};
  }
  const stablehlo::Function f = stablehlo::import(text, options);
  // What goes wrong is blamed on the program's line, not on this one.
  return {f, [f](std::span<const Array> args) { return f(args, weft::SourceLocation()); }};
}

// The type that a value has in a .npy file: its own, or, where .npy has no name for it, the one that holds all its
// numbers.
weft::Aval file_type(weft::Aval a) { return a.with_dtype(weft::compute_dtype(a.dtype())); }

Array read_input(const std::string& path, const stablehlo::Function& f, std::size_t i) {
  const weft::Aval type = f.input(i);
  const weft::np::NpyData data = weft::np::read_npy(path, {.v2_is_bfloat16 = true});
  const std::string must = path + ": input " + std::to_string(i) + " of @" + f.name() + " must be " + type.str();
  if (data.aval != file_type(type)) {
    const std::string as = file_type(type) == type ? "" : ", kept as " + file_type(type).str();
    const std::string text = must + as + "; got " + data.aval.str() + ".";
    if (data.aval.dtype() != file_type(type).dtype()) throw weft::DTypeError(text);
    throw weft::ShapeError(text);
  }
  Array x =
      Array::copy(data.aval.dtype(), data.aval.shape(), data.bytes.data(), static_cast<std::size_t>(data.aval.size()));
  if (data.aval == type) return x;
  const Array stored = weft::lax::convert(x, type.dtype());
  const std::string difference = stablehlo::differ_exactly(weft::lax::convert(stored, x.dtype()), x);
  if (!difference.empty()) throw weft::ValueError(must + ", whose numbers are few; " + difference + ".");
  return stored;
}

void write_output(const std::string& path, const Array& result) {
  const Array x = weft::lax::convert(result, weft::compute_dtype(result.dtype()));
  const weft::detail::HostView view = x.host("weftc");
  weft::np::write_npy(path, view.view);
}

}  // namespace

int run(const RunOptions& options) {
  const auto counted = [](std::size_t n, const char* one, const char* more) {
    return weft::count_str(static_cast<std::int64_t>(n), one, more);
  };
  const Runnable program = load_to_run(options.program, options.function);
  const stablehlo::Function& f = program.function;
  if (options.inputs.size() != f.num_inputs())
    throw weft::ValueError(options.program + ": @" + f.name() + " takes " + counted(f.num_inputs(), "input", "inputs") +
                           "; got " + std::to_string(options.inputs.size()) + ".");
  if (options.outputs.size() > f.num_outputs())
    throw weft::ValueError(options.program + ": @" + f.name() + " gives " +
                           counted(f.num_outputs(), "output", "outputs") + "; got " +
                           counted(options.outputs.size(), "file", "files") + ".");
  // A file is replaced by renaming, which is not for devices. Looked at before anything is computed or written.
  for (const std::string& path : options.outputs)
    if (const fs::path folder = fs::path(path).parent_path(); !folder.empty() && !fs::is_directory(folder))
      throw weft::BackendError(path + ": the folder of an output must exist; got none.");
  for (const std::string& path : options.outputs)
    if (fs::exists(path) && !fs::is_regular_file(path))
      throw weft::BackendError(path + ": an output must be a file; got something else of that name.");
  std::set<fs::path> written;
  for (const std::string& path : options.outputs)
    if (!written.insert(fs::weakly_canonical(path)).second)
      throw weft::ValueError(path + ": an output must be a file of its own; got it for two.");
  std::vector<Array> args, results;
  for (std::size_t i = 0; i < options.inputs.size(); ++i) args.push_back(read_input(options.inputs[i], f, i));
  // The program is the only process there is, and nobody feeds it: what it waits for never comes.
  weft::ProcessGrid alone(1, 1);
  alone.host().close();
  try {
    alone.run([&](weft::ProcessId) { results = program.run(args); });
  } catch (const weft::Error& e) {
    std::fprintf(stderr, "%s\n", stablehlo::error_text(e, options.program).c_str());
    return kProgramFailed;
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i < options.outputs.size())
      write_output(options.outputs[i], results[i]);
    else
      std::cout << results[i].aval().str() << "\n" << results[i].str() << "\n";
  }
  return kSuccess;
}

int print(const PrintOptions& options) {
  if (options.to == "jaxpr") {
    write_text(options.output, load(options.program, options.function).jaxpr().str() + "\n");
    return kSuccess;
  }
  if (!options.function.empty())
    throw weft::ValueError("weftc print: --function must stand with --to=jaxpr; got --to=" + options.to + ".");
  const auto form = options.to == "generic" ? stablehlo::Form::kGeneric : stablehlo::Form::kPretty;
  std::string text;
  for (const stablehlo::Module& m : stablehlo::parse_all(read_program(options.program), options.program))
    text += (text.empty() ? "" : "// -----\n") + stablehlo::print(m, form);
  write_text(options.output, text);
  return kSuccess;
}

namespace {

// Where the function is, for errors about what it takes and gives.
std::string place_of(const std::string& text, const std::string& source, const std::string& function) {
  for (const stablehlo::ProgramText& p : stablehlo::parse_each(text, source))
    for (const stablehlo::Op& op : p.module.ops())
      if (op.symbol() == function) return stablehlo::place_text(p.module, op.place);
  return source;
}

// "f32[3], f32[]", or "nothing".
std::string outputs_text(const stablehlo::Function& f) {
  std::string text;
  for (std::size_t i = 0; i < f.num_outputs(); ++i) text += (text.empty() ? "" : ", ") + f.output(i).str();
  return text.empty() ? "nothing" : text;
}

// "@weft.igamma": the calls of what neither StableHLO nor CHLO has.
void collect_weft_calls(const stablehlo::Op& op, std::set<std::string>& found) {
  if (const stablehlo::Attribute* target = op.find("call_target_name"); target && target->text.starts_with("weft."))
    found.insert("@" + target->text);
  for (const stablehlo::Region& r : op.regions)
    for (const stablehlo::Block& b : r.blocks)
      for (const stablehlo::Op& inner : b.ops) collect_weft_calls(inner, found);
}

}  // namespace

int grad(const GradOptions& options) {
  const std::string text = read_program(options.program);
  const stablehlo::Function f = load_text(text, options.program, options.function);
  std::vector<bool> differentiated(f.num_inputs(), false);
  std::vector<std::size_t> wrt;
  for (const std::int64_t number : options.wrt) {
    if (number < 0 || static_cast<std::size_t>(number) >= f.num_inputs())
      throw weft::IndexError(options.program + ": --wrt must name inputs of @" + f.name() + ", which takes " +
                             std::to_string(f.num_inputs()) + "; got " + std::to_string(number) + ".");
    const auto i = static_cast<std::size_t>(number);
    if (differentiated[i])
      throw weft::IndexError(options.program + ": --wrt must name an input once; got " + std::to_string(i) + " again.");
    if (!weft::is_inexact(f.input(i).dtype()))
      throw weft::NotDifferentiableError(options.program + ": input " + std::to_string(i) + " of @" + f.name() +
                                         " must be float or complex; got " + f.input(i).str() + ".");
    differentiated[i] = true;
    wrt.push_back(i);
  }
  const bool chosen = options.of >= 0;
  if (chosen && static_cast<std::size_t>(options.of) >= f.num_outputs())
    throw weft::IndexError(options.program + ": --of must name an output of @" + f.name() + ", which gives " +
                           outputs_text(f) + "; got " + std::to_string(options.of) + ".");
  const std::size_t of = chosen ? static_cast<std::size_t>(options.of) : 0;
  if ((f.num_outputs() != 1 && !chosen) || f.output(of).ndim() != 0 || !weft::is_float(f.output(of).dtype()))
    throw weft::NotDifferentiableError(
        place_of(text, options.program, f.name()) + ": @" + f.name() +
        (chosen ? " must give a 0-d float as output " + std::to_string(of) + ", of which there is a gradient; got "
                : " must give one 0-d float, of which there is a gradient; got ") +
        outputs_text(f) + "." + (chosen || f.num_outputs() < 2 ? "" : " --of says which of several outputs it is."));
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
        outs = lin.outs;
        Arrays ones(outs.size());
        ones[of] = Array::full({}, outs[of].dtype(), weft::Scalar(1));
        const Arrays cts = weft::api::pull_back(std::move(lin), differentiated, ones);
        // In the order in which they were asked for.
        for (const std::size_t i : wrt) outs.push_back(cts[i].defined() ? cts[i] : weft::zeros_of(f.input(i)));
      },
      inputs, "grad of @" + f.name());
  const stablehlo::Module module = stablehlo::to_module(staged.jaxpr, staged.captured, "main");
  if (options.generic) {
    std::set<std::string> own;
    collect_weft_calls(module.top, own);
    if (!own.empty())
      throw weft::BackendError(options.program + ": --generic must have operations that other compilers know; got " +
                               weft::join(own, ", ") + ", which only Weft does.");
  }
  write_text(options.output,
             stablehlo::print(module, options.generic ? stablehlo::Form::kGeneric : stablehlo::Form::kPretty));
  return kSuccess;
}

int aot(const AotOptions& options) {
  const std::filesystem::path object(options.output);
  if (object.extension() != ".o")
    throw weft::ValueError("weftc aot: the output must be an object file, ending in .o; got " + options.output + ".");
  const stablehlo::Function f = load(options.program, options.function);
  weft::ObjectOptions o;
  o.name = options.name.empty() ? object.stem().string() : options.name;
  o.triple = options.triple, o.cpu = options.cpu, o.features = options.features;
  const weft::CompiledProgram compiled(weft::Staged{f.jaxpr(), f.constants()},
                                       {.fp = options.strict ? weft::Fp::kStrict : weft::Fp::kFast});
  compiled.save_object(object.string(), std::filesystem::path(object).replace_extension(".h").string(), o);
  return kSuccess;
}

}  // namespace weftc
