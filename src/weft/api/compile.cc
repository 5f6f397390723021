#include "weft/api/compile.h"

#include <algorithm>
#include <cstring>

#include "weft/base/whole_file.h"
#include "weft/ir/flops.h"
#include "weft/ir/nested.h"
#include "weft/ir/programs.h"

namespace weft {

CompiledProgram::CompiledProgram(Staged staged, const CompileOptions& options,
                                 std::shared_ptr<const api::Donation> donation)
    : staged_(std::move(staged)), donation_(std::move(donation)) {
  api::refuse_donated("compile", staged_.captured, {});
  if (api::any_traced(staged_.captured))
    throw ValueError("compile: the function must not capture values of a transformation around it; got some.",
                     "pass them as arguments, or compile outside of it.");
  const ir::Avals in = staged_.jaxpr.input_avals(), out = staged_.jaxpr.output_avals();
  inputs_.assign(in.begin() + static_cast<std::ptrdiff_t>(staged_.captured.size()), in.end());
  outputs_.assign(out.begin(), out.end());
  ExecutableOptions how{.effort = options.effort};
  if (donation_) how.donated = donation_->inputs;
  executable_ = executable(with_fp(staged_.jaxpr, options.fp), how);
  direct_ = executable_->direct();
  call_params_ = ir::make_params(CallParams{"f", staged_.jaxpr});
  for (Array& a : staged_.captured) {
    // Arrays of our own: who donates the captured ones elsewhere takes nothing from us.
    const BufferValue& b = *a.buffer();
    a = b.dense() ? detail::same_memory(b) : Array(Ref<const Value>(detail::materialize(b)));
    captured_.push_back(a.buffer()->data());
  }
}

void CompiledProgram::run(std::span<const Array> leaves, Arrays& outs) const {
  Arrays args(staged_.captured);
  args.append(leaves.begin(), leaves.end());
  if (evaluating() && api::all_buffers(args))
    return api::run_program("compile", SourceLocation(), *executable_, donation_.get(), std::move(args), outs);
  api::refuse_donated("compile", staged_.captured, leaves);
  bind(OpCode::kCall, call_params_, args, outs);
}

void CompiledProgram::call_into(std::span<void* const> outputs, std::span<const void* const> inputs, void* workspace,
                                SourceLocation loc) const {
  const auto refuse = [&](const std::string& what) {
    const LocationScope scope(loc, "call_into");
    throw ValueError("call_into: " + what);
  };
  if (outputs.size() != outputs_.size() || inputs.size() != inputs_.size())
    refuse("there must be one address per array; got " + std::to_string(outputs.size()) + " outputs for " +
           std::to_string(outputs_.size()) + ", and " + std::to_string(inputs.size()) + " inputs for " +
           std::to_string(inputs_.size()) + ".");
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (!outputs[i] && outputs_[i].size() > 0)
      refuse("output " + std::to_string(i) + " must have an address; got null.");
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i] && inputs_[i].size() > 0) refuse("input " + std::to_string(i) + " must have an address; got null.");
  if (!workspace && direct_.workspace_bytes > 0)
    refuse("the workspace must have workspace_bytes() = " + std::to_string(direct_.workspace_bytes) +
           " bytes; got null.");
  if (!direct_.on_memory) return run_on_copies(outputs, inputs);
  if (captured_.empty()) return executable_->run_direct(inputs.data(), outputs.data(), workspace);
  SmallVector<const void*, 32> all;
  all.append(captured_.begin(), captured_.end());
  all.append(inputs.begin(), inputs.end());
  executable_->run_direct(all.data(), outputs.data(), workspace);
}

// In builds without a compiler.
void CompiledProgram::run_on_copies(std::span<void* const> outputs, std::span<const void* const> inputs) const {
  Arrays args, results;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    args.push_back(Array::copy(inputs_[i].dtype(), Shape(inputs_[i].shape()), inputs[i],
                               static_cast<std::size_t>(inputs_[i].size())));
  run(args, results);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto host = results[i].host("call_into");
    if (outputs_[i].size() > 0) std::memcpy(outputs[i], host.view.data, static_cast<std::size_t>(outputs_[i].bytes()));
  }
}

CompiledProgram::RawFunction CompiledProgram::raw(SourceLocation loc) const {
  const LocationScope scope(loc, "raw");
  if (!direct_.on_memory) throw_no_compiler("raw");
  if (!captured_.empty())
    throw ValueError(
        "raw: the function must not capture arrays; got " + std::to_string(captured_.size()) + " captured arrays.",
        "pass them as arguments.");
  if (!direct_.raw)
    throw ValueError("raw: the program must be code alone; got one that " + direct_.why_not_raw + ".",
                     "call_into runs it.");
  return direct_.raw;
}

std::vector<int> CompiledProgram::replaces() const {
  std::vector<int> inputs = direct_.replaces;
  inputs.resize(outputs_.size(), -1);
  for (int& i : inputs) i = std::max(-1, i - static_cast<int>(captured_.size()));
  return inputs;
}

std::string CompiledProgram::text(ProgramStage stage, SourceLocation loc) const {
  const LocationScope scope(loc, "text");
  return executable_->text(stage);
}

namespace {

bool is_function_name(std::string_view name) {
  constexpr std::string_view kTaken[] = {"alignas",      "alignof",
                                         "and",          "and_eq",
                                         "asm",          "auto",
                                         "bitand",       "bitor",
                                         "bool",         "break",
                                         "case",         "catch",
                                         "char",         "char16_t",
                                         "char32_t",     "char8_t",
                                         "class",        "co_await",
                                         "co_return",    "co_yield",
                                         "compl",        "concept",
                                         "const",        "consteval",
                                         "constexpr",    "constinit",
                                         "continue",     "decltype",
                                         "default",      "delete",
                                         "do",           "double",
                                         "else",         "enum",
                                         "explicit",     "export",
                                         "extern",       "false",
                                         "float",        "for",
                                         "friend",       "goto",
                                         "if",           "inline",
                                         "int",          "long",
                                         "main",         "mutable",
                                         "namespace",    "new",
                                         "noexcept",     "not",
                                         "not_eq",       "nullptr",
                                         "operator",     "or",
                                         "or_eq",        "private",
                                         "protected",    "public",
                                         "register",     "requires",
                                         "restrict",     "return",
                                         "short",        "signed",
                                         "sizeof",       "static",
                                         "struct",       "switch",
                                         "template",     "this",
                                         "throw",        "true",
                                         "try",          "typedef",
                                         "typeid",       "typename",
                                         "typeof",       "union",
                                         "unsigned",     "using",
                                         "virtual",      "void",
                                         "volatile",     "wchar_t",
                                         "while",        "xor",
                                         "xor_eq",       "static_assert",
                                         "static_cast",  "const_cast",
                                         "dynamic_cast", "reinterpret_cast",
                                         "thread_local"};
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || !is_letter(name[0]) || std::find(std::begin(kTaken), std::end(kTaken), name) != std::end(kTaken))
    return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

void CompiledProgram::save_object(const std::string& object_path, const std::string& header_path,
                                  const ObjectOptions& options, SourceLocation loc) const {
  const LocationScope scope(loc, "save_object");
  if (!is_function_name(options.name))
    throw ValueError("save_object: the name must be one that a function of C and C++ can have; got \"" + options.name +
                     "\".");
  const ObjectFile file = executable_->object(options, staged_.captured);
  const auto write = [](const std::string& path, const std::string& text) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
    if (const auto failure = write_whole_file(path, {{bytes}}))
      throw BackendError("save_object: the file must be writable; got " + path + ": cannot " + failure->step +
                         " it: " + failure->error.message() + ".");
  };
  write(header_path, file.header);
  write(object_path, file.object);
}

namespace {

bool is_transcendental(OpCode op) {
  switch (op) {
    case OpCode::kAcos:
    case OpCode::kAcosh:
    case OpCode::kAsin:
    case OpCode::kAsinh:
    case OpCode::kAtan:
    case OpCode::kAtan2:
    case OpCode::kAtanh:
    case OpCode::kCbrt:
    case OpCode::kCosh:
    case OpCode::kCosine:
    case OpCode::kErf:
    case OpCode::kErfInv:
    case OpCode::kErfc:
    case OpCode::kExponential:
    case OpCode::kExponentialMinusOne:
    case OpCode::kLog:
    case OpCode::kLogPlusOne:
    case OpCode::kLogistic:
    case OpCode::kPower:
    case OpCode::kRsqrt:
    case OpCode::kSine:
    case OpCode::kSinh:
    case OpCode::kSqrt:
    case OpCode::kTan:
    case OpCode::kTanh: return true;
    default: return false;
  }
}

// Adds the cost of running the program `times` times. Of branches the dearest counts, of a while loop one step.
void add_cost(const ir::Jaxpr& jaxpr, double times, ProgramCost& cost) {
  for (const ir::Eqn& e : jaxpr.eqns()) {
    const auto operands = jaxpr.operands(e);
    if (e.op == OpCode::kCase) {
      ProgramCost dearest;
      for (const ir::Jaxpr& b : ir::params_as<CaseParams>(e.params.get()).branches) {
        ProgramCost c;
        add_cost(b, times, c);
        if (c.flops + c.elementwise > dearest.flops + dearest.elementwise) dearest = c;
      }
      cost.flops += dearest.flops;
      cost.elementwise += dearest.elementwise;
      cost.transcendentals += dearest.transcendentals;
      continue;
    }
    bool nested = false;
    const double steps =
        e.op == OpCode::kScan ? static_cast<double>(ir::params_as<ScanParams>(e.params.get()).length) : 1;
    if (e.params)
      ir::for_each_program(*e.params, ir::Programs::kRun, [&](const ir::Jaxpr& p) {
        nested = true;
        add_cost(p, times * steps, cost);
      });
    if (nested || e.out_begin == e.out_end) continue;
    const auto out = static_cast<double>(jaxpr.aval(e.out_begin).size()) * times;
    if (e.op == OpCode::kDotGeneral || e.op == OpCode::kConvolution) {
      cost.flops += times * ir::flops(jaxpr, e);
    } else {
      const bool reads = e.op == OpCode::kReduce;
      const double n = reads ? static_cast<double>(jaxpr.aval(operands[0]).size()) * times : out;
      cost.elementwise += n;
      if (is_transcendental(e.op)) cost.transcendentals += n;
    }
  }
}

}  // namespace

ProgramCost CompiledProgram::cost() const {
  ProgramCost cost;
  add_cost(staged_.jaxpr, 1, cost);
  for (const Aval a : inputs_) cost.input_bytes += a.bytes();
  for (const Aval a : outputs_) cost.output_bytes += a.bytes();
  return cost;
}

ProgramMemory CompiledProgram::memory() const {
  ProgramMemory m = executable_->memory();
  for (const Array& a : staged_.captured) m.captured += a.aval().bytes();
  m.arguments -= m.captured;
  return m;
}

namespace api {

void throw_compiled_for_others(const SignatureOutline& before, const SignatureOutline& now) {
  const std::vector<CompileDifference> all = differences(before, now);
  std::string text = "compile: arguments must be as those that the function was compiled for";
  if (!all.empty()) text += "; " + all.front().str();
  throw ValueError(text + ".", "jit compiles for each kind of argument on its own.");
}

}  // namespace api

}  // namespace weft
