#include "weft/stablehlo/import.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "weft/core/hints.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

namespace {

// File names in places of equations must live as long as the process.
const char* interned(const std::string& s) {
  static std::mutex mutex;
  static auto* const names = new std::unordered_set<std::string>;
  const std::lock_guard lock(mutex);
  return names->insert(s).first->c_str();
}

}  // namespace

void Importer::collect_functions(const Op& scope) {
  Symbols& own = symbols_[&scope];
  for (const Region& r : scope.regions)
    for (const Block& b : r.blocks)
      for (const Op& op : b.ops) {
        const std::string_view symbol = op.symbol();
        if ((op.name == "func.func" || op.name == "builtin.module") && !symbol.empty() &&
            !own.emplace(symbol, &op).second)
          fail_at(module_, op.place,
                  op.name + ": a symbol must be defined once; got another @" + std::string(symbol) + ".");
        if (op.name == "func.func") scope_of_[&op] = &scope;
        if (op.name == "builtin.module") collect_functions(op);
      }
}

Importer::Importer(const Module& module, const Op& scope, Extension extension)
    : module_(module),
      extension_(std::move(extension)),
      values_(module.values.size()),
      definitions_(module.values.size()),
      file_(interned(module.source)) {
  collect_functions(scope);
  scope_ = &scope;
}

void Importer::fail(const Op& op, const std::string& message) const {
  fail_at(module_, op.place, op.name + ": " + message);
}

void Importer::refuse(const Op& op, const std::string& message) const {
  throw Unsupported(place_text(module_, op.place) + ": " + op.name + ": " + message);
}

// "f" in the module of the caller, or "a::f" from there.
const Op* Importer::find_function(std::string_view symbol) const {
  const Op* scope = scope_;
  for (;;) {
    const std::size_t end = symbol.find("::");
    const auto table = symbols_.find(scope);
    if (table == symbols_.end()) return nullptr;
    const auto it = table->second.find(symbol.substr(0, end));
    if (it == table->second.end()) return nullptr;
    if (end == std::string_view::npos) return it->second->name == "func.func" ? it->second : nullptr;
    scope = it->second;
    symbol.remove_prefix(end + 2);
    if (symbol.starts_with('@')) symbol.remove_prefix(1);
  }
}

// ---- types ----

void Importer::flatten(const TypeRef& type, ir::Avals& out) const {
  if (type->kind == Type::Kind::kToken) return;
  if (type->kind == Type::Kind::kTuple || type->kind == Type::Kind::kFuture) {
    for (const TypeRef& part : type->parts) flatten(part, out);
    return;
  }
  std::optional<DType> t = element_dtype(type->element);
  if (const std::optional<Quantization> q = quantization(type->element)) t = q->storage;
  if (!t || !type->is_static()) throw InternalError("import: a type was not checked: " + type->text);
  out.push_back(Aval(*t, type->shape));
}

ir::Avals Importer::avals(std::span<const ValueId> values) const {
  ir::Avals out;
  for (const ValueId v : values) flatten(module_.type(v), out);
  return out;
}

// ---- functions ----

Arrays Importer::run_function(const Op& function, std::span<const Array> args) {
  const ScopeOf scope(*this, function);
  const Type& type = function_type_of(function);
  const Block& body = function.regions[0].body();
  std::vector<Arrays> lists;
  std::size_t next = 0;
  for (const ValueId v : body.arguments) {
    ir::Avals types;
    flatten(module_.type(v), types);
    if (next + types.size() > args.size()) fail(function, "there must be one argument per input.");
    lists.emplace_back(args.subspan(next, types.size()));
    next += types.size();
  }
  const Results results = run_region(function.regions[0], lists);
  const std::size_t declared = type.parts.size() - type.num_inputs;
  const Op& returned = body.ops.back();
  if (results.size() != declared)
    fail(returned, "there must be one value per result of @" + std::string(function.symbol()) + "; got " +
                       count_str(static_cast<std::int64_t>(results.size()), "value", "values") + " for " +
                       count_str(static_cast<std::int64_t>(declared), "result", "results") + ".");
  Arrays out;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const TypeRef& expected = type.parts[type.num_inputs + i];
    const TypeRef& got = module_.type(returned.operands[i]);
    // Encodings and spellings of one element type do not count.
    ir::Avals expected_arrays, got_arrays;
    flatten(expected, expected_arrays);
    flatten(got, got_arrays);
    if (!std::ranges::equal(expected_arrays, got_arrays))
      fail(returned, "values must have the result types of @" + std::string(function.symbol()) + "; got " + got->text +
                         " for " + expected->text + ", result " + std::to_string(i) + ".");
    out.append(results[i].begin(), results[i].end());
  }
  return out;
}

// Checks what the rest relies on: a body whose arguments are the inputs of the type.
const Type& Importer::function_type_of(const Op& function) const {
  const Attribute* type = function.find("function_type");
  if (!type || type->kind != Attribute::Kind::kType || type->type->kind != Type::Kind::kFunction)
    fail(function, "there must be a function type.");
  if (function.regions.size() != 1 || function.regions[0].blocks.empty())
    refuse(function, "a function that is called must have a body; got a declaration.");
  const Type& t = *type->type;
  const std::vector<ValueId>& arguments = function.regions[0].body().arguments;
  if (arguments.size() != t.num_inputs)
    fail_at(module_, type->place,
            function.name + ": the body must have one argument per input of the type; got " +
                count_str(static_cast<std::int64_t>(arguments.size()), "argument", "arguments") + " for " +
                count_str(static_cast<std::int64_t>(t.num_inputs), "input", "inputs") + ".");
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (!same_type(module_.type(arguments[i]), t.parts[i]))
      fail_at(module_, type->place,
              function.name + ": arguments of the body must have the types of the inputs; got " +
                  module_.type(arguments[i])->text + " for " + t.parts[i]->text + ", input " + std::to_string(i) + ".");
  if (function.regions[0].body().ops.empty() || !function.regions[0].body().ops.back().name.ends_with(".return"))
    fail(function, "the body must end in a return.");
  return t;
}

void Importer::enter(const Op& function, const Op& use) {
  if (std::ranges::find(staging_, &function) != staging_.end())
    refuse(use, "a function may not call itself; got @" + std::string(function.symbol()) + ".");
  // Each call is a few frames of the stack.
  constexpr std::size_t kDeepest = 128;
  if (staging_.size() >= kDeepest) refuse(use, "calls may be at most " + std::to_string(kDeepest) + " deep.");
  staging_.push_back(&function);
}

const Staged& Importer::function(std::string_view symbol, const Op& use) {
  const Op* f = find_function(symbol);
  if (!f) fail(use, "there must be a function @" + std::string(symbol) + ".");
  return function(*f, use);
}

const Staged& Importer::function(const Op& function, const Op& use) {
  const Op* f = &function;
  const std::string name(f->symbol());
  if (const auto it = staged_.find(f); it != staged_.end()) return it->second;
  enter(*f, use);
  function_type_of(*f);
  const ir::Avals inputs = avals(f->regions[0].body().arguments);
  const CurrentTrace outside(nullptr);
  Staged made = stage(
      [&](std::span<const Array> args, Arrays& outs) {
        for (const Array& a : run_function(*f, args)) outs.push_back(a);
      },
      inputs, "import of @" + name);
  staging_.pop_back();
  return staged_.emplace(f, std::move(made)).first->second;
}

// ---- operations ----

Importer::Results Importer::run_region(const Region& region, std::span<const Arrays> args) {
  if (region.blocks.empty()) return {};
  const Block& b = region.body();
  for (std::size_t i = 0; i < args.size(); ++i) values_[b.arguments[i]] = args[i];
  Results returned;
  for (const Op& op : b.ops) {
    if (op.name.ends_with(".return")) {
      for (const ValueId v : op.operands) returned.push_back(values_[v]);
      break;
    }
    run_op(op);
  }
  for (const ValueId v : b.arguments) values_[v] = Arrays();
  for (const Op& op : b.ops)
    for (const ValueId v : op.results) values_[v] = Arrays();
  return returned;
}

void Importer::run_op(const Op& op) {
  SmallVector<Arrays, 4> operands;
  for (const ValueId v : op.operands) operands.push_back(values_[v]);
  Results results;
  const ForcedLocation place(
      SourceLocation(file_, static_cast<std::uint32_t>(op.place.line), static_cast<std::uint32_t>(op.place.column)));
  apply(op, operands, results);
  for (std::size_t i = 0; i < op.results.size(); ++i) {
    values_[op.results[i]] = std::move(results[i]);
    definitions_[op.results[i]] = &op;
  }
}

void Importer::apply(const Op& op, Operands operands, Results& results) {
  try {
    if (!extension_ || !extension_(*this, op, operands, results)) {
      if (quantized(op)) {
        apply_quantized(op, operands, results);
      } else if (const Handler own = handler(op.name)) {
        (this->*own)(op, operands, results);
      } else if (const Operation* row = operation_named(op.name)) {
        apply_row(op, *row, operands, results);
      } else {
        refuse(op, std::string(reason_of_unknown(op.name)) + ".");
      }
    }
    check_results(op, results);
  } catch (const ParseError&) {
    throw;
  } catch (const InternalError&) {
    throw;
  } catch (const Error& e) {
    // Its hint is for who calls the operation from C++.
    fail_at(module_, op.place, e.message());
  }
}

void Importer::check_results(const Op& op, const Results& results) {
  if (results.size() != op.results.size())
    fail(op, "there must be " + count_str(static_cast<std::int64_t>(results.size()), "result", "results") + "; got " +
                 std::to_string(op.results.size()) + ".");
  for (std::size_t i = 0; i < results.size(); ++i) {
    ir::Avals declared;
    flatten(module_.type(op.results[i]), declared);
    bool same = declared.size() == results[i].size();
    for (std::size_t j = 0; same && j < declared.size(); ++j) same = results[i][j].aval() == declared[j];
    if (same) continue;
    std::string got;
    for (const Array& a : results[i]) got += (got.empty() ? "" : ", ") + a.aval().str();
    fail(op, "the result must have the type that the text declares, " + module_.type(op.results[i])->text + "; got " +
                 (got.empty() ? "no array" : got) + ".");
  }
}

void Importer::apply_row(const Op& op, const Operation& row, Operands operands, Results& results) {
  need_regions(op, 0);
  const ir::Avals in = avals(op.operands), out = avals(op.results);
  const AttributeReader typed(module_, op, in, out);
  const Arrays args = flat(operands);
  give(op, bind_all(row.op, row.read ? row.read(typed) : ir::Params(), args), results);
}

Arrays Importer::bind_all(OpCode code, const ir::Params& params, std::span<const Array> args) {
  Arrays outs;
  bind(code, params, args, outs);
  return outs;
}

bool Importer::fits(OpCode code, const ir::Params& params, std::span<const Array> args) const {
  ir::Avals out;
  try {
    ir::infer(code, params.get(), avals_of(args), out);
    return true;
  } catch (const InternalError&) {
    throw;
  } catch (const Error&) {
    return false;
  }
}

void Importer::give(const Op& op, std::span<const Array> flat, Results& results) {
  std::size_t next = 0;
  const std::size_t declared = avals(op.results).size();
  if (declared != flat.size())
    fail(op, "there must be " + count_str(static_cast<std::int64_t>(flat.size()), "result", "results") + "; got " +
                 std::to_string(declared) + ".");
  for (const ValueId v : op.results) {
    ir::Avals types;
    flatten(module_.type(v), types);
    results.emplace_back(flat.subspan(next, types.size()));
    next += types.size();
  }
}

Array Importer::single(const Op& op, Operands operands, std::size_t i) const {
  if (i >= operands.size() || operands[i].size() != 1)
    fail(op,
         i >= operands.size()
             ? "there must be an operand " + std::to_string(i) + "; got " +
                   count_str(static_cast<std::int64_t>(operands.size()), "operand", "operands") + "."
             : "operand " + std::to_string(i) + " must be a tensor; got " + module_.type(op.operands[i])->text + ".");
  return operands[i][0];
}

Arrays Importer::flat(Operands operands) const {
  Arrays out;
  for (const Arrays& list : operands) out.append(list.begin(), list.end());
  return out;
}

Arrays Importer::tensors(const Op& op, Operands operands) const {
  Arrays out;
  for (std::size_t i = 0; i < operands.size(); ++i) out.push_back(single(op, operands, i));
  return out;
}

void Importer::need_regions(const Op& op, std::size_t n) const {
  if (op.regions.size() != n)
    fail(op, "there must be " + count_str(static_cast<std::int64_t>(n), "region", "regions") + "; got " +
                 std::to_string(op.regions.size()) + ".");
}

void Importer::need_operands(const Op& op, std::size_t n) const {
  if (op.operands.size() != n)
    fail(op, "there must be " + count_str(static_cast<std::int64_t>(n), "operand", "operands") + "; got " +
                 std::to_string(op.operands.size()) + ".");
}

Aval Importer::result(const Op& op) const {
  if (op.results.empty()) fail(op, "there must be a result; got none.");
  const ir::Avals arrays = avals(std::span(op.results).first(1));
  if (arrays.size() != 1) fail(op, "the result must be a tensor; got " + module_.type(op.results[0])->text + ".");
  return arrays[0];
}

AttributeReader Importer::reader(const Op& op) const { return AttributeReader(module_, op, {}, {}); }

// ---- regions as programs ----

void Importer::region_arguments(const Op& op, const Region& region, std::size_t expected) const {
  if (region.blocks.empty()) fail(op, "a region must have operations; got an empty one.");
  if (region.body().arguments.size() != expected)
    fail(op, "a region must have " + count_str(static_cast<std::int64_t>(expected), "argument", "arguments") +
                 "; got " + std::to_string(region.body().arguments.size()) + ".");
}

ir::Avals Importer::computation_arguments(const Op& op, const Region& region, std::size_t expected) const {
  region_arguments(op, region, expected);
  for (const ValueId v : region.body().arguments)
    if (module_.type(v)->kind != Type::Kind::kTensor)
      fail(op, "the arguments of a computation must be tensors; got " + module_.type(v)->text + ".");
  return avals(region.body().arguments);
}

Staged Importer::stage_region(const Op& op, const Region& region) {
  if (region.blocks.empty()) fail(op, "a region must have operations; got an empty one.");
  const Block& b = region.body();
  return stage(
      [&](std::span<const Array> args, Arrays& outs) {
        std::vector<Arrays> lists;
        std::size_t next = 0;
        for (const ValueId v : b.arguments) {
          ir::Avals types;
          flatten(module_.type(v), types);
          lists.emplace_back(args.subspan(next, types.size()));
          next += types.size();
        }
        for (const Arrays& list : run_region(region, lists)) outs.append(list.begin(), list.end());
      },
      avals(b.arguments), op.name);
}

// ---- values that the text determines ----

std::optional<Array> Importer::known(ValueId v) {
  std::unordered_map<ValueId, std::optional<Array>> found;
  return known(v, 0, found);
}

std::optional<Array> Importer::known(ValueId v, int depth, std::unordered_map<ValueId, std::optional<Array>>& found) {
  // Each value once: chains that use a value twice would double with every link.
  if (const auto it = found.find(v); it != found.end()) return it->second;
  const std::optional<Array> a = find_known(v, depth, found);
  found.emplace(v, a);
  return a;
}

std::optional<Array> Importer::find_known(ValueId v, int depth,
                                          std::unordered_map<ValueId, std::optional<Array>>& found) {
  constexpr int kDeepest = 64;
  constexpr std::int64_t kLargest = 4096;  // elements of shapes and initial values; no array is computed here
  const Arrays& now = values_[v];
  if (now.size() != 1) return std::nullopt;
  if (now[0].buffer()) return now[0];
  if (now[0].size() > kLargest) return std::nullopt;
  const Op* op = definitions_[v];
  if (!op || !op->regions.empty() || depth == kDeepest || op->results.size() != 1 ||
      !(operation_named(op->name) || op->name == "stablehlo.get_dimension_size"))
    return std::nullopt;
  std::vector<Arrays> operands;
  for (const ValueId o : op->operands) {
    const std::optional<Array> a = known(o, depth + 1, found);
    if (!a) return std::nullopt;
    operands.push_back({*a});
  }
  const CurrentTrace evaluate(nullptr);
  Results results;
  apply(*op, operands, results);
  return results[0].size() == 1 ? std::optional<Array>(results[0][0]) : std::nullopt;
}

std::vector<std::int64_t> Importer::known_integers(const Op& op, std::size_t operand) {
  if (operand >= op.operands.size())
    fail(op, "there must be an operand " + std::to_string(operand) + "; got " +
                 count_str(static_cast<std::int64_t>(op.operands.size()), "operand", "operands") + ".");
  const std::optional<Array> a = known(op.operands[operand]);
  if (!a) refuse(op, "operand " + std::to_string(operand) + " must be constant; got values that only the run knows.");
  if (!is_integer(a->dtype()) || a->size() > static_cast<std::int64_t>(2 * kMaxRank))
    fail(op, "operand " + std::to_string(operand) + " must be one integer per axis; got " + a->aval().str() + ".");
  const CurrentTrace evaluate(nullptr);
  return lax::convert(*a, i64).to_vector<std::int64_t>();
}

// ---- public functions ----

Function::Function(std::string name, ir::Jaxpr jaxpr, Arrays constants)
    : call_{std::move(name), std::move(jaxpr)}, constants_(std::move(constants)) {}

void Function::check_arguments(std::span<const Array> args) const {
  const std::string who = "@" + call_.name;
  if (args.size() != num_inputs())
    throw ValueError(who + ": there must be one argument per input, of which there are " +
                     std::to_string(num_inputs()) + "; got " + std::to_string(args.size()) + ".");
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Aval expected = input(i);
    if (!args[i].defined()) throw ValueError(who + ": argument " + std::to_string(i) + " must be an array; got none.");
    const Aval got = args[i].aval();
    if (got == expected) continue;
    const std::string message =
        who + ": argument " + std::to_string(i) + " must be " + expected.str() + "; got " + got.str() + ".";
    if (got.dtype() != expected.dtype()) throw DTypeError(message, kOneDTypeHint);
    throw ShapeError(message);
  }
}

std::vector<Array> Function::operator()(std::span<const Array> args, SourceLocation loc) const {
  const LocationScope scope(loc, "call");
  check_arguments(args);
  Arrays all = constants_, outs;
  all.append(args.begin(), args.end());
  bool traced = !evaluating();
  for (const Array& a : all) traced |= a.is_tracer();
  if (traced) {
    bind(OpCode::kCall, ir::make_params(call_), all, outs);
  } else {
    executable(call_.jaxpr)->run(all, outs);
  }
  return std::vector<Array>(outs.begin(), outs.end());
}

const Op& Importer::chosen_function(std::string_view symbol, Refusals refusals) const {
  const Op* chosen = find_function(symbol.empty() ? "main" : symbol);
  if (chosen) return *chosen;
  SmallVector<const Op*, 2> open;
  std::string names;
  for (const Op& op : module_.ops()) {
    const Attribute* visibility = op.find("sym_visibility");
    if (op.name != "func.func" || (visibility && visibility->text != "public")) continue;
    names += (open.empty() ? "@" : ", @") + std::string(op.symbol());
    open.push_back(&op);
  }
  if (symbol.empty() && open.size() == 1) return *open[0];
  throw_refusals(module_.source, std::move(refusals));
  if (symbol.empty() && open.size() > 1)
    fail_at(module_, open[1]->place,
            "there must be @main or one public function, or the name of one; got " + names + ".",
            "name the function (weftc: -f, in C++ ImportOptions::function).");
  std::string there;
  for (const Op& op : module_.ops())
    if (op.name == "func.func") there += (there.empty() ? "; got @" : ", @") + std::string(op.symbol());
  const std::string others = there.empty() || !symbol.empty() ? there : there + ", which are private";
  fail_at(module_, module_.top.place,
          symbol.empty()
              ? (there.empty() ? "there must be a function in the program."
                               : "there must be @main, another public function, or the name of one" + others + ".")
              : "there must be a function @" + std::string(symbol) + others + ".",
          symbol.empty() && !there.empty() ? "a private function is taken when it is named (weftc: -f)." : "");
}

namespace {

Function import(const Module& module, const ImportOptions& options, Refusals refusals) {
  Importer importer(module, module.top);
  const Op& chosen = importer.chosen_function(options.function, refusals);
  importer.allow_unregistered(options.unregistered_custom_calls);
  importer.check_supported(chosen, importer.reached(importer.called_from(chosen), refusals));
  const Staged& staged = importer.function(chosen, chosen);
  return Function(std::string(chosen.symbol()), staged.jaxpr, staged.captured);
}

}  // namespace

Function import(const Module& module, ImportOptions options) { return import(module, options, {}); }

Function import(std::string_view text, ImportOptions options) {
  Refusals refusals;
  const Module module = parse_refusing(text, options.source, refusals);
  return import(module, options, std::move(refusals));
}

}  // namespace weft::stablehlo
