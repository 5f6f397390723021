#include "weft/compiler/fused_kernel.h"

#include <algorithm>

#include "weft/base/hash.h"
#include "weft/ir/elementwise.h"
#include "weft/ir/reduction_groups.h"
#include "weft/ir/shape.h"

namespace weft::compiler {

namespace {

std::uint16_t level_of(const Affine& a) {
  std::size_t level = 0;
  for (std::size_t l = 0; l < a.coeff.size(); ++l)
    if (a.coeff[l] != 0) level = l + 1;
  return static_cast<std::uint16_t>(level);
}

bool same_instr(const Instr& a, const Instr& b) {
  return a.kind == b.kind && a.dtype == b.dtype && a.buffer == b.buffer && a.at == b.at && a.constant == b.constant &&
         a.kind != Instr::Kind::kApply && a.kind != Instr::Kind::kReduce;
}

// The number of a slice's first element, when its elements stand together.
std::optional<std::int64_t> first_of_slice(const SliceParams& p, DimSpan shape) {
  std::int64_t first = 0;
  bool cut = false;  // an axis further out has more than one element
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::int64_t size = p.limit_indices[d] - p.start_indices[d];
    if (size != shape[d] && cut) return std::nullopt;
    if (p.strides[d] != 1 && size > 1) return std::nullopt;
    cut = cut || size > 1;
    first = first * shape[d] + p.start_indices[d];
  }
  return first;
}

}  // namespace

FusedKernel::FusedKernel(const ir::Jaxpr& jaxpr, std::vector<VariableFacts>& facts, std::int64_t position, Dims loops,
                         std::size_t outer, bool reduces, bool columns)
    : jaxpr_(jaxpr), facts_(facts), position_(position) {
  kernel_.loops = std::move(loops);
  kernel_.outer = outer;
  kernel_.reduces = reduces;
  kernel_.columns = columns;
}

FusedKernel::Mark FusedKernel::mark() const {
  return {kernel_.body.size(), kernel_.stores.size(), kernel_.buffers.size(), kernel_.dynamic.size(), log_.size()};
}

void FusedKernel::go_back(const Mark& m) {
  kernel_.body.resize(m.body);
  kernel_.stores.resize(m.stores);
  for (std::size_t b = m.buffers; b < kernel_.buffers.size(); ++b) buffers_.erase(kernel_.buffers[b].var);
  kernel_.buffers.resize(m.buffers);
  kernel_.dynamic.resize(m.dynamic);
  while (log_.size() > m.log) {
    const auto [first, last] = memo_.equal_range(log_.back());
    for (auto it = first; it != last; ++it)
      if (it->second.value >= m.body) {
        memo_.erase(it);
        break;
      }
    log_.pop_back();
  }
}

std::uint32_t FusedKernel::buffer(ir::Var var, bool written) {
  const auto [it, inserted] = buffers_.try_emplace(var, static_cast<std::uint32_t>(kernel_.buffers.size()));
  if (inserted) kernel_.buffers.push_back({var, jaxpr_.aval(var).dtype(), written});
  if (written) kernel_.buffers[it->second].written = true;
  return it->second;
}

Value FusedKernel::push(Instr instr) {
  for (const Value o : instr.operands) {
    const Instr& operand = kernel_.body[o];
    instr.phase = std::max(instr.phase, operand.phase);
    if (instr.kind == Instr::Kind::kApply) instr.level = std::max(instr.level, operand.level);
  }
  transcendentals_ += instr.kind == Instr::Kind::kApply && op_cost(instr.op, f32) >= 0.4;
  kernel_.body.push_back(std::move(instr));
  return static_cast<Value>(kernel_.body.size() - 1);
}

Value FusedKernel::constant(const ir::Literal& literal) {
  Instr instr;
  instr.kind = Instr::Kind::kConstant;
  instr.dtype = literal.aval.dtype();
  instr.constant = literal.value;
  for (std::size_t v = kernel_.body.size(), seen = 0; v-- > 0 && seen < 16; ++seen)
    if (same_instr(kernel_.body[v], instr)) return static_cast<Value>(v);
  return push(std::move(instr));
}

Value FusedKernel::convert(Value v, DType to) {
  if (kernel_.body[v].dtype == to) return v;
  Instr instr;
  instr.kind = Instr::Kind::kApply;
  instr.op = OpCode::kConvert;
  instr.dtype = to;
  instr.operands.push_back(v);
  return push(std::move(instr));
}

bool FusedKernel::computed_too_often(ir::Var var, const IndexMap& map) const {
  if (facts_[var].cost <= kCheapToRepeat) return false;
  std::size_t level = 0;
  for (const Affine& a : map) level = std::max<std::size_t>(level, level_of(a));
  return product(DimSpan(kernel_.loops).first(level)) > 2 * jaxpr_.aval(var).size();
}

// The element at `map` of a value of type `aval` in `memory`.
std::optional<Value> FusedKernel::load(ir::Atom memory, Aval aval, const IndexMap& map) {
  if (memory.is_literal()) return constant(jaxpr_.literal(memory));
  Affine at = flatten(map, aval.shape(), kernel_.loops.size());
  if (const auto root = roots_.find(memory.index()); root != roots_.end())
    return root->second.at == at ? std::optional(root->second.value) : refuse();
  if (facts_[memory.index()].position >= position_) return refuse();
  Instr instr;
  instr.kind = Instr::Kind::kLoad;
  instr.dtype = aval.dtype();
  instr.buffer = buffer(memory.index(), false);
  instr.level = level_of(at);
  instr.at = std::move(at);
  return push(std::move(instr));
}

std::optional<Value> FusedKernel::value_of(ir::Atom atom, const IndexMap& map) {
  if (atom.is_literal()) return constant(jaxpr_.literal(atom));
  const ir::Var var = atom.index();
  const VariableFacts& facts = facts_[var];
  if (!facts.in_memory && (!facts.inlined || computed_too_often(var, map))) return refuse(var);
  if (const auto value = computed(var, map)) return value;
  const std::optional<Value> value = facts.in_memory ? load(facts.memory, jaxpr_.aval(var), map) : expression(var, map);
  if (value) remember(var, map, *value);
  return value;
}

std::optional<Value> FusedKernel::computed(ir::Var var, const IndexMap& map) const {
  const auto [first, last] = memo_.equal_range(hash_mix(var, hash(map)));
  for (auto it = first; it != last; ++it)
    if (it->second.var == var && it->second.map == map) return it->second.value;
  return std::nullopt;
}

void FusedKernel::remember(ir::Var var, const IndexMap& map, Value value) {
  log_.push_back(hash_mix(var, hash(map)));
  memo_.emplace(log_.back(), MemoEntry{var, map, value});
}

std::optional<std::uint32_t> FusedKernel::dynamic_index(ir::Atom start, std::int64_t most) {
  const std::optional<Value> value = value_of(start, {});
  if (!value) return std::nullopt;
  if (kernel_.body[*value].phase > 0 || kernel_.body[*value].level > 0) {
    refuse();  // it is computed in this kernel, too late
    return std::nullopt;
  }
  for (std::size_t d = 0; d < kernel_.dynamic.size(); ++d)
    if (kernel_.dynamic[d].start == *value && kernel_.dynamic[d].most == most) return static_cast<std::uint32_t>(d);
  kernel_.dynamic.push_back({*value, most});
  return static_cast<std::uint32_t>(kernel_.dynamic.size() - 1);
}

std::optional<Value> FusedKernel::expression(ir::Var var, const IndexMap& map) {
  const ir::Eqn& eqn = jaxpr_.eqns()[facts_[var].eqn];
  const std::span<const ir::Atom> operands = jaxpr_.operands(eqn);
  const Aval result = jaxpr_.aval(var);
  switch (eqn.op) {
    case OpCode::kStopGradient:
    case OpCode::kCheckpointName:
    case OpCode::kOptimizationBarrier: return value_of(operands[var - eqn.out_begin], map);
    case OpCode::kIota: {
      const auto d = static_cast<std::size_t>(ir::params_as<IotaParams>(eqn.params.get()).dimension);
      Instr instr;
      instr.kind = Instr::Kind::kIndex;
      instr.dtype = result.dtype();
      instr.at = map[d];
      instr.level = level_of(map[d]);
      return push(std::move(instr));
    }
    case OpCode::kDynamicSlice: {
      const Aval x = jaxpr_.aval(operands[0]);
      IndexMap at = map;
      for (std::size_t d = 0; d < at.size(); ++d) {
        const std::int64_t most = x.shape(d) - result.shape(d);
        if (most == 0) continue;
        const auto index = dynamic_index(operands[d + 1], most);
        if (!index) return std::nullopt;
        Affine start(kernel_.loops.size(), 0);
        start.dynamic.push_back({*index, 1});
        at[d].add(start);
      }
      return value_of(operands[0], at);
    }
    case OpCode::kReshape: {
      if (operands[0].is_literal()) return constant(jaxpr_.literal(operands[0]));
      const ir::Var x = operands[0].index();
      if (const auto at = reshape_map(map, result.shape(), jaxpr_.aval(x).shape(), kernel_.loops))
        return value_of(operands[0], *at);
      return element(operands[0], flatten(map, result.shape(), kernel_.loops.size()));
    }
    case OpCode::kBroadcastInDim:
    case OpCode::kTranspose:
    case OpCode::kReverse:
    case OpCode::kSlice:
    case OpCode::kSplit: {
      const auto at = operand_map(eqn.op, eqn.params.get(), map, jaxpr_.aval(operands[0]), result, kernel_.loops,
                                  var - eqn.out_begin);
      return value_of(operands[0], *at);
    }
    default:
      return apply(eqn, static_cast<std::uint8_t>(var - eqn.out_begin), result,
                   [&](ir::Atom operand) { return value_of(operand, map); });
  }
}

// Element number `at` of a value in row-major order, whose index along each axis need not be affine: what is in memory
// has such numbers, and so have results of operations that go element by element.
std::optional<Value> FusedKernel::element(ir::Atom atom, const Affine& at) {
  if (atom.is_literal()) return constant(jaxpr_.literal(atom));
  const ir::Var var = atom.index();
  const Aval aval = jaxpr_.aval(var);
  const std::int64_t size[] = {aval.size()};
  const IndexMap number{at};
  if (const auto map = reshape_map(number, size, aval.shape(), kernel_.loops)) return value_of(atom, *map);
  const VariableFacts& facts = facts_[var];
  if (!facts.in_memory && (!facts.inlined || computed_too_often(var, number))) return refuse(var);
  if (const auto value = computed(var, number)) return value;
  const std::optional<Value> value =
      facts.in_memory ? load(facts.memory, aval.with_shape(size), number) : element_of_result(var, at);
  if (value) remember(var, number, *value);
  return value;
}

std::optional<Value> FusedKernel::element_of_result(ir::Var var, const Affine& at) {
  const ir::Eqn& eqn = jaxpr_.eqns()[facts_[var].eqn];
  const std::span<const ir::Atom> operands = jaxpr_.operands(eqn);
  switch (eqn.op) {
    case OpCode::kStopGradient:
    case OpCode::kCheckpointName:
    case OpCode::kOptimizationBarrier: return element(operands[var - eqn.out_begin], at);
    case OpCode::kReshape: return element(operands[0], at);
    case OpCode::kBroadcastInDim: return element_of_broadcast(eqn, at);
    case OpCode::kSlice: {
      const auto first = first_of_slice(ir::params_as<SliceParams>(eqn.params.get()), jaxpr_.aval(operands[0]).shape());
      if (!first) return refuse(var);
      Affine moved = at;
      moved.offset += *first;
      return element(operands[0], moved);
    }
    case OpCode::kIota:
    case OpCode::kTranspose:
    case OpCode::kReverse:
    case OpCode::kSplit:
    case OpCode::kDynamicSlice: return refuse(var);
    default:
      return apply(eqn, static_cast<std::uint8_t>(var - eqn.out_begin), jaxpr_.aval(var),
                   [&](ir::Atom operand) { return element(operand, at); });
  }
}

// The operand is repeated as a whole, or element by element, or both.
std::optional<Value> FusedKernel::element_of_broadcast(const ir::Eqn& eqn, const Affine& at) {
  const auto& p = ir::params_as<BroadcastInDimParams>(eqn.params.get());
  const ir::Atom x = jaxpr_.operands(eqn)[0];
  const DimSpan shape = jaxpr_.aval(x).shape(), result = p.shape;
  if (product(shape) == 1) return value_of(x, IndexMap(shape.size(), Affine(kernel_.loops.size(), 0)));
  const auto first = static_cast<std::size_t>(p.broadcast_dimensions[0]);
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (p.broadcast_dimensions[d] != static_cast<std::int64_t>(first + d) || shape[d] != result[first + d])
      return refuse(eqn.out_begin);
  const std::int64_t size[] = {product(result)}, parts[] = {product(result.first(first)), product(shape),
                                                            product(result.subspan(first + shape.size()))};
  const auto map = reshape_map({at}, size, parts, kernel_.loops);
  return map ? element(x, (*map)[1]) : refuse(eqn.out_begin);
}

std::optional<Value> FusedKernel::apply(const ir::Eqn& eqn, std::uint8_t part, Aval result,
                                        FunctionRef<std::optional<Value>(ir::Atom)> operand_value) {
  Instr instr;
  instr.kind = Instr::Kind::kApply;
  instr.op = eqn.op;
  instr.part = part;
  instr.params = eqn.params;
  instr.dtype = result.dtype();
  for (const ir::Atom operand : jaxpr_.operands(eqn)) {
    // A scalar beside a larger result (select's predicate, clamp's bounds) serves every element.
    const auto value = jaxpr_.aval(operand).ndim() == 0 ? value_of(operand, {}) : operand_value(operand);
    if (!value) return std::nullopt;
    instr.operands.push_back(*value);
  }
  if (eqn.op == OpCode::kConvert && kernel_.body[instr.operands[0]].dtype == result.dtype()) return instr.operands[0];
  return push(std::move(instr));
}

// The map, over this kernel's loops, of a value with `size` elements that has one for each of the nest, or for each
// row.
std::optional<IndexMap> FusedKernel::map_of(DimSpan shape, std::int64_t size) const {
  const IndexMap all = identity_map(kernel_.loops);
  if (kernel_.columns && size == product(kernel_.loops)) {
    if (!std::ranges::equal(shape, reduced_shape_)) return std::nullopt;
    return reduced_map_;
  }
  if (size == product(kernel_.loops)) return reshape_map(all, kernel_.loops, shape, kernel_.loops);
  if (!kernel_.reduces || size != kernel_.rows()) return std::nullopt;
  const IndexMap row(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kernel_.outer));
  return reshape_map(row, DimSpan(kernel_.loops).first(kernel_.outer), shape, kernel_.loops);
}

bool FusedKernel::add(ir::Atom atom, const Placement& placement, std::optional<Refusal>& refusal) {
  refusal_ = Refusal{};
  const Mark before = mark();
  const auto place = [&]() -> bool {
    const Aval aval = jaxpr_.aval(atom), whole = jaxpr_.aval(placement.destination);
    const std::optional<IndexMap> map = map_of(aval.shape(), aval.size());
    if (!map) return false;
    std::optional<Value> value;
    if (!atom.is_literal() && !facts_[atom.index()].in_memory && atom.index() == placement.destination) {
      value = computed(atom.index(), *map);
      if (!value) value = expression(atom.index(), *map);  // it is wanted in memory, so it may not refuse itself
    } else {
      value = value_of(atom, *map);
    }
    if (!value) return false;
    IndexMap to = *map;
    for (std::size_t d = 0; d < to.size(); ++d) {
      Affine at(kernel_.loops.size(), placement.start.empty() ? 0 : placement.start[d]);
      at.add(to[d], placement.stride.empty() ? 1 : placement.stride[d]);
      if (const std::int64_t most = whole.shape(d) - aval.shape(d); !placement.dynamic.empty() && most > 0) {
        const auto index = dynamic_index(placement.dynamic[d], most);
        if (!index) return false;
        Affine start(kernel_.loops.size(), 0);
        start.dynamic.push_back({*index, 1});
        at.add(start);
      }
      to[d] = std::move(at);
    }
    Affine at = flatten(to, whole.shape(), kernel_.loops.size());
    if (changes_after_columns(*value, at)) return false;
    if (!atom.is_literal() && atom.index() == placement.destination)
      roots_.insert_or_assign(atom.index(), Root{*value, at});
    kernel_.stores.push_back({*value, buffer(placement.destination, true), std::move(at), placement.destination});
    return true;
  };
  if (place()) return true;
  go_back(before);
  refusal = refusal_;
  return false;
}

bool FusedKernel::add_everywhere(ir::Atom scalar, ir::Var destination, std::optional<Refusal>& refusal) {
  refusal_ = Refusal{};
  const Mark before = mark();
  const DimSpan shape = jaxpr_.aval(destination).shape();
  const std::optional<IndexMap> map = map_of(shape, product(shape));
  const std::optional<Value> value = map ? value_of(scalar, {}) : std::nullopt;
  if (value) {
    kernel_.stores.push_back(
        {*value, buffer(destination, true), flatten(*map, shape, kernel_.loops.size()), destination});
    return true;
  }
  go_back(before);
  refusal = refusal_;
  return false;
}

// Whether a value that needs what is reduced of the columns is stored row by row: they are walked once.
bool FusedKernel::changes_after_columns(Value v, const Affine& stored_at) const {
  const std::uint16_t level = std::max(kernel_.body[v].level, level_of(stored_at));
  return kernel_.columns && level > kernel_.outer && kernel_.body[v].phase > 0;
}

// The map of a reduction's operand: its kept axes are those of the result, the others are the loops over the row.
std::optional<IndexMap> FusedKernel::reduction_map(const IndexMap& kept, DimSpan shape, const Dims& axes) const {
  Dims sizes;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end()) sizes.push_back(shape[d]);
  const IndexMap all = identity_map(kernel_.loops);
  const IndexMap in_row(all.begin() + static_cast<std::ptrdiff_t>(kernel_.outer), all.end());
  const std::optional<IndexMap> reduced =
      reshape_map(in_row, DimSpan(kernel_.loops).subspan(kernel_.outer), sizes, kernel_.loops);
  if (!reduced) return std::nullopt;
  IndexMap map;
  std::size_t next_kept = 0, next_reduced = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const bool is_reduced = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
    map.push_back(is_reduced ? (*reduced)[next_reduced++] : kept[next_kept++]);
  }
  return map;
}

// The element of `x`, of shape `shape`, that is reduced.
std::optional<Value> FusedKernel::reduced_value(ir::Atom x, const IndexMap& kept, DimSpan shape, const Dims& axes,
                                                bool columns) {
  if (const std::optional<IndexMap> map = reduction_map(kept, shape, axes)) {
    if (columns && reduced_shape_.empty()) {
      reduced_shape_ = Dims(shape);
      reduced_map_ = *map;
    }
    return value_of(x, *map);
  }
  // The reduced axes do not come from the loops one by one; but the elements have numbers.
  std::int64_t before = 1, after = 1;
  bool passed = false;
  Dims kept_shape;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end()) {
      passed = passed || shape[d] != 1;
      continue;
    }
    kept_shape.push_back(shape[d]);
    (passed ? after : before) *= shape[d];
  }
  const std::int64_t view[] = {before, kernel_.row_size(), after}, ends[] = {before, after};
  const std::optional<IndexMap> outside = reshape_map(kept, kept_shape, ends, kernel_.loops);
  if (!outside) return refuse();
  const IndexMap all = identity_map(kernel_.loops);
  const IndexMap in_row(all.begin() + static_cast<std::ptrdiff_t>(kernel_.outer), all.end());
  const Affine row = flatten(in_row, DimSpan(kernel_.loops).subspan(kernel_.outer), kernel_.loops.size());
  return element(x, flatten({(*outside)[0], row, (*outside)[1]}, view, kernel_.loops.size()));
}

bool FusedKernel::add_reduction(const ir::Eqn& eqn, std::optional<Refusal>& refusal) {
  refusal_ = Refusal{};
  const auto& p = ir::params_as<ReduceParams>(eqn.params.get());
  const ir::Atom x = jaxpr_.operands(eqn)[0];
  const Aval in = jaxpr_.aval(x), out = jaxpr_.aval(eqn.out_begin);
  const std::int64_t n = in.size() / std::max<std::int64_t>(1, out.size());
  const Mark before = mark();
  const bool reduced = kernel_.reduces;
  const std::size_t outer = kernel_.outer;
  const ir::ReductionGroups groups = ir::reduction_groups(in.shape(), p.axes);
  const bool columns = !groups.reduced.empty() && !groups.reduced.back();
  const auto place = [&]() -> bool {
    if (kernel_.columns != columns || (columns && num_reductions_ == kMostColumnReductions)) return false;
    if (!kernel_.reduces) {
      // A plain nest becomes one of rows when its last loop is the row.
      if (kernel_.loops.empty() || kernel_.loops.back() != n || product(kernel_.loops) != in.size()) return false;
      kernel_.reduces = true;
      kernel_.outer = kernel_.loops.size() - 1;
    }
    if (kernel_.row_size() != n || kernel_.rows() != out.size()) return false;
    const bool is_bool = in.dtype() == boolean;
    const bool small = in.dtype() == f16 || in.dtype() == bf16;
    const bool ordered = is_float(in.dtype()) && (p.kind == ReduceKind::kSum || p.kind == ReduceKind::kProd);
    const DType accumulator = small ? f32 : in.dtype();
    // The order of a sum is one of lanes of its type, which all that shares the loop must have.
    for (const Instr& i : kernel_.body) {
      const bool other = i.kind == Instr::Kind::kReduce && is_float(i.dtype) &&
                         (i.reduce == ReduceKind::kSum || i.reduce == ReduceKind::kProd);
      if (ordered && other && i.dtype != accumulator) return false;
    }
    const IndexMap all = identity_map(kernel_.loops);
    const std::optional<IndexMap> row =
        reshape_map(IndexMap(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kernel_.outer)),
                    DimSpan(kernel_.loops).first(kernel_.outer), out.shape(), kernel_.loops);
    if (!row) return false;
    const std::optional<Value> value = reduced_value(x, *row, in.shape(), p.axes, columns);
    if (!value || (columns && kernel_.body[*value].phase > 0)) return false;
    Instr instr;
    instr.kind = Instr::Kind::kReduce;
    instr.dtype = accumulator;
    instr.reduce = p.kind;
    if (is_bool && p.kind == ReduceKind::kSum) instr.reduce = ReduceKind::kOr;
    if (is_bool && p.kind == ReduceKind::kProd) instr.reduce = ReduceKind::kAnd;
    const Value operand = convert(*value, accumulator);
    instr.operands.push_back(operand);
    instr.level = static_cast<std::uint16_t>(kernel_.outer);
    instr.phase = static_cast<std::uint16_t>(kernel_.body[operand].phase + 1);
    const Value total = convert(push(std::move(instr)), in.dtype());
    Affine at = flatten(*row, out.shape(), kernel_.loops.size());
    roots_.insert_or_assign(eqn.out_begin, Root{total, at});
    kernel_.stores.push_back({total, buffer(eqn.out_begin, true), std::move(at), eqn.out_begin});
    ++num_reductions_;
    return true;
  };
  if (place()) return true;
  go_back(before);
  kernel_.reduces = reduced;
  kernel_.outer = outer;
  refusal = refusal_;
  return false;
}

}  // namespace weft::compiler
