#include "weft/stablehlo/export.h"

#include <algorithm>

#include "weft/base/error.h"
#include "weft/stablehlo/exporter.h"

namespace weft::stablehlo {

// ---- operations of the tree ----

Exporter::Values Exporter::emit(std::string name, Values operands, std::span<const TypeRef> results,
                                std::vector<NamedAttribute> attributes, std::vector<Region> regions) {
  Op op;
  op.name = std::move(name);
  op.operands = std::move(operands);
  op.attributes = std::move(attributes);
  op.regions = std::move(regions);
  if (!results.empty()) {
    const std::string base = std::to_string(next_name_++);
    for (std::size_t i = 0; i < results.size(); ++i) {
      op.results.push_back(static_cast<ValueId>(m_.values.size()));
      m_.values.push_back({base, static_cast<std::uint32_t>(i), results[i]});
    }
  }
  Values out = op.results;
  block_->push_back(std::move(op));
  return out;
}

Exporter::Values Exporter::emit(std::string name, Values operands, std::span<const Aval> results,
                                std::vector<NamedAttribute> attributes, std::vector<Region> regions) {
  std::vector<TypeRef> types;
  for (const Aval a : results) types.push_back(type_of(a));
  return emit(std::move(name), std::move(operands), std::span<const TypeRef>(types), std::move(attributes),
              std::move(regions));
}

ValueId Exporter::argument(Aval type) {
  m_.values.push_back({"arg" + std::to_string(next_argument_++), 0, type_of(type)});
  return static_cast<ValueId>(m_.values.size() - 1);
}

ValueId Exporter::constant(const Array& array) {
  return emit1("stablehlo.constant", {}, array.aval(), {{"value", dense_attribute(array)}});
}

ValueId Exporter::literal(const ir::Literal& l) {
  const auto key = std::pair(l.aval.id(), l.value);
  if (const auto it = literals_.find(key); it != literals_.end()) return it->second;
  const ValueId v = constant(literal_array(l));
  literals_.emplace(key, v);
  literal_order_.push_back(key);
  return v;
}

void Exporter::end_block(const char* name, const Values& returned) { emit(name, returned, std::span<const TypeRef>()); }

// ---- programs ----

ValueId Exporter::value(const ir::Jaxpr& jaxpr, ir::Atom a) {
  return a.is_literal() ? literal(jaxpr.literal(a)) : vars_[a.index()];
}

Exporter::Values Exporter::operands(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  Values out;
  for (const ir::Atom a : jaxpr.operands(e)) out.push_back(value(jaxpr, a));
  return out;
}

ir::Avals Exporter::operand_types(const ir::Jaxpr& jaxpr, const ir::Eqn& e) const {
  ir::Avals out;
  for (const ir::Atom a : jaxpr.operands(e)) out.push_back(jaxpr.aval(a));
  return out;
}

ir::Avals Exporter::result_types(const ir::Jaxpr& jaxpr, const ir::Eqn& e) const {
  ir::Avals out;
  for (ir::Var v = e.out_begin; v < e.out_end; ++v) out.push_back(jaxpr.aval(v));
  return out;
}

void Exporter::define(const ir::Eqn& e, const Values& results) {
  internal_check(results.size() == e.out_end - e.out_begin,
                 "stablehlo print: an operation has another number of results");
  std::copy(results.begin(), results.end(), vars_.begin() + e.out_begin);
}

Exporter::Values Exporter::inline_program(const ir::Jaxpr& jaxpr, Values inputs) {
  std::vector<ValueId> outer(jaxpr.num_vars());
  outer.swap(vars_);
  std::copy(inputs.begin(), inputs.end(), vars_.begin());
  for (const ir::Eqn& e : jaxpr.eqns()) equation(jaxpr, e);
  Values outputs;
  for (const ir::Atom a : jaxpr.outputs()) outputs.push_back(value(jaxpr, a));
  vars_.swap(outer);
  return outputs;
}

void Exporter::equation(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  if (const Handler h = handler(e.op)) return (this->*h)(jaxpr, e);
  row(jaxpr, e);
}

void Exporter::row(const ir::Jaxpr& jaxpr, const ir::Eqn& e) {
  const Operation* operation = operation_of(e.op);
  internal_check(operation != nullptr, "stablehlo print: an operation has no text");
  const ir::Avals in = operand_types(jaxpr, e), out = result_types(jaxpr, e);
  AttributeWriter to(in, out);
  if (operation->write) operation->write(e.params.get(), to);
  define(e,
         emit(std::string(operation->name), operands(jaxpr, e), std::span<const Aval>(out), std::move(to.attributes)));
}

// ---- regions ----

Region Exporter::region_of(std::span<const Aval> arguments, const std::function<Values(const Values&)>& body) {
  Region r;
  Block& block = r.blocks.emplace_back();
  std::vector<Op> ops;
  std::vector<Op>* const outer = std::exchange(block_, &ops);
  // Values of a region are not seen outside it.
  const std::size_t outer_literals = literal_order_.size();
  const auto outer_token = token_;
  // The number here will be that of the operation, which no value of its regions may have.
  const int outer_name = next_name_++, outer_argument = next_argument_;
  for (const Aval a : arguments) block.arguments.push_back(argument(a));
  end_block("stablehlo.return", body(block.arguments));
  for (; literal_order_.size() > outer_literals; literal_order_.pop_back()) literals_.erase(literal_order_.back());
  token_ = outer_token;
  next_name_ = outer_name;
  next_argument_ = outer_argument;
  block_ = outer;
  block.ops = std::move(ops);
  return r;
}

Region Exporter::region(const ir::Jaxpr& jaxpr, std::span<const ValueId> captured) {
  ir::Avals types;
  for (std::size_t i = captured.size(); i < jaxpr.num_inputs(); ++i)
    types.push_back(jaxpr.aval(static_cast<ir::Var>(i)));
  return region_of(types, [&](const Values& arguments) {
    Values inputs(captured.begin(), captured.end());
    inputs.insert(inputs.end(), arguments.begin(), arguments.end());
    return inline_program(jaxpr, std::move(inputs));
  });
}

// ---- functions ----

std::string Exporter::unused_symbol(const std::string& name) {
  // Of a path into nested modules ("a::@f") the function's own name: here all functions are in one module.
  const std::size_t path = name.rfind("::@");
  const std::string own = path == std::string::npos ? name : name.substr(path + 3);
  const std::string base = own.empty() ? "f" : own;
  std::string symbol = base;
  for (int& next = next_suffix_[base]; !symbols_.insert(symbol).second; ++next)
    symbol = base + "_" + std::to_string(next);
  return symbol;
}

std::string Exporter::symbol_for(const ir::Jaxpr& jaxpr, const std::string& name) {
  std::vector<std::size_t>& alike = pending_by_hash_[jaxpr.hash()];
  for (const std::size_t i : alike)
    if (pending_[i].jaxpr == jaxpr) return pending_[i].symbol;
  alike.push_back(pending_.size());
  pending_.push_back({jaxpr, unused_symbol(name)});
  return pending_.back().symbol;
}

Op Exporter::function(const ir::Jaxpr& jaxpr, const std::string& symbol, bool is_public,
                      std::span<const Array> constants) {
  next_name_ = next_argument_ = 0;
  literals_.clear();
  literal_order_.clear();
  token_.reset();
  Op f;
  f.name = "func.func";
  std::vector<TypeRef> inputs, results;
  Block& block = f.regions.emplace_back().blocks.emplace_back();
  for (std::size_t i = constants.size(); i < jaxpr.num_inputs(); ++i) {
    const Aval a = jaxpr.aval(static_cast<ir::Var>(i));
    inputs.push_back(type_of(a));
    block.arguments.push_back(argument(a));
  }
  for (const Aval a : jaxpr.output_avals()) results.push_back(type_of(a));
  f.attributes = {{"sym_visibility", Attribute::string(is_public ? "public" : "private")},
                  {"sym_name", Attribute::string(symbol)},
                  {"function_type", Attribute::of_type(function_type(inputs, results))}};
  std::vector<Op> ops;
  block_ = &ops;
  Values all;
  for (const Array& a : constants) all.push_back(constant(a));
  all.insert(all.end(), block.arguments.begin(), block.arguments.end());
  end_block("func.return", inline_program(jaxpr, std::move(all)));
  block.ops = std::move(ops);
  return f;
}

Module Exporter::module(const ir::Jaxpr& jaxpr, std::span<const Array> constants, const std::string& name) {
  m_.top.name = "builtin.module";
  m_.top.regions.emplace_back().blocks.emplace_back();
  std::vector<Op> functions;
  functions.push_back(function(jaxpr, unused_symbol(name), true, constants));
  // Programs that are called are written after their callers, in the order of their first call.
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const Pending p = pending_[i];
    functions.push_back(function(p.jaxpr, p.symbol, false, {}));
  }
  m_.top.regions[0].blocks[0].ops = std::move(functions);
  return std::move(m_);
}

Module to_module(const ir::Jaxpr& jaxpr, std::span<const Array> constants, const std::string& name) {
  const ir::AxisNames& axes = ir::named_axes(jaxpr);
  if (!axes.empty())
    throw UnboundAxisError(
        "stablehlo: there are no mapped axes in StableHLO; got a program that names axis '" + axes[0] + "'.",
        "print the function that vmap returns: there the axis is one of an array.");
  return Exporter().module(jaxpr, constants, name);
}

std::string print(const ir::Jaxpr& jaxpr, Form form) { return print(to_module(jaxpr), form); }

std::string print(const Function& function, Form form) {
  return print(to_module(function.jaxpr(), function.constants(), function.name()), form);
}

std::string print(const Staged& staged, Form form) { return print(to_module(staged.jaxpr, staged.captured), form); }

bool has_text(OpCode op) { return Exporter::handler(op) != nullptr || operation_of(op) != nullptr; }

// ---- what regions are written with ----

NamedAttribute direction(std::string_view name) {
  return {"comparison_direction", Attribute::other("#stablehlo<comparison_direction " + std::string(name) + ">")};
}

NamedAttribute comparison(DType t, bool total) {
  return {"compare_type",
          Attribute::other("#stablehlo<comparison_type " + std::string(comparison_type(t, total)) + ">")};
}

}  // namespace weft::stablehlo
