#include "weft/core/checks.h"

#include <algorithm>

#include "weft/base/environment.h"
#include "weft/ir/checks.h"
#include "weft/ir/indexing.h"
#include "weft/ir/shape.h"

namespace weft {

debug::CheckScope::CheckScope(Checks c) : saved_(detail::check_mode()) {
  detail::checks = static_cast<std::uint8_t>((c.nans ? detail::kCheckNans : 0) | (c.infs ? detail::kCheckInfs : 0) |
                                             (c.indices ? detail::kCheckIndices : 0));
}
debug::CheckScope::~CheckScope() { detail::checks = saved_; }

namespace detail {

std::uint8_t checks_of_environment() {
  static const std::uint8_t mode = [] {
    std::uint8_t bits = 0;
    std::string_view rest = environment_text("WEFT_CHECKS");
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      std::string_view word = rest.substr(0, comma);
      while (word.starts_with(' ')) word.remove_prefix(1);
      while (word.ends_with(' ')) word.remove_suffix(1);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      if (word == "nans")
        bits |= kCheckNans;
      else if (word == "infs")
        bits |= kCheckInfs;
      else if (word == "indices")
        bits |= kCheckIndices;
      else if (!word.empty()) {
        const ForcedLocation nowhere{SourceLocation()};  // no line of the program is at fault
        throw ValueError("WEFT_CHECKS: the environment variable must be a list of nans, infs, indices; got '" +
                         std::string(word) + "'.");
      }
    }
    return bits;
  }();
  return mode;
}

std::string check_mode_text() {
  std::string text;
  const auto add = [&](std::uint8_t bit, const char* name) {
    if ((check_mode() & bit) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  };
  add(kCheckNans, "nans");
  add(kCheckInfs, "infs");
  add(kCheckIndices, "indices");
  add(kInBackwardRule, "in a backward pass");
  return text;
}

namespace {

// Programs inside have checks of their own, put there when they were traced.
bool checked_inside(OpCode op) {
  switch (op) {
    case OpCode::kCall:
    case OpCode::kCase:
    case OpCode::kWhile:
    case OpCode::kScan:
    case OpCode::kComposite:
    case OpCode::kCheckpoint: return true;
    default: return false;
  }
}

// "sine", or "sqrt in hypot" when the user called a function that consists of several operations.
std::string name_of(OpCode op) {
  const std::string_view called = weft::current_operation();
  std::string name(ir::op_name(op));
  if (called.empty()) return name;
  return std::string(called == name || called == ir::op_text(op) ? "" : name + " in ") + std::string(called);
}

Array check_index(OpCode op, const Array& indices, std::int64_t component_axis, Dims axes, Dims sizes, Dims windows) {
  if (axes.empty()) return indices;
  return bind1(OpCode::kCheckIndex,
               ir::make_params(CheckIndexParams{
                   name_of(op), component_axis, std::move(axes), std::move(sizes), std::move(windows), {}}),
               {indices});
}

// How long the window of a scatter is along each axis of the array.
Dims scatter_windows(const ScatterDimensionNumbers& d, const Array& x, const Array& updates) {
  Dims windows(x.shape().size(), 1);
  std::size_t next = 0;
  for (std::size_t axis = 0; axis < windows.size(); ++axis) {
    const auto a = static_cast<std::int64_t>(axis);
    const bool absent = std::ranges::find(d.inserted_window_dims, a) != d.inserted_window_dims.end() ||
                        std::ranges::find(d.input_batching_dims, a) != d.input_batching_dims.end();
    if (!absent) windows[axis] = updates.shape(static_cast<int>(d.update_window_dims[next++]));
  }
  return windows;
}

void check_indices(const Call& call, Arrays& args) {
  const DimSpan shape = args.empty() ? DimSpan() : args[0].shape();
  const auto at = [](DimSpan list, const Dims& axes) {
    Dims r;
    for (const std::int64_t a : axes) r.push_back(list[static_cast<std::size_t>(a)]);
    return r;
  };
  switch (call.op) {
    case OpCode::kGather: {
      const auto& p = call.params_as<GatherParams>();
      const Dims& axes = p.dimension_numbers.start_index_map;
      args[1] = check_index(call.op, args[1], args[1].ndim() - 1, axes, at(shape, axes), at(p.slice_sizes, axes));
      break;
    }
    case OpCode::kScatter: {
      const auto& p = call.params_as<ScatterParams>();
      const Dims& axes = p.dimension_numbers.scatter_dims_to_operand_dims;
      args[1] = check_index(call.op, args[1], args[1].ndim() - 1, axes, at(shape, axes),
                            at(scatter_windows(p.dimension_numbers, args[0], args[2]), axes));
      break;
    }
    case OpCode::kDynamicSlice:
    case OpCode::kDynamicUpdateSlice: {
      const bool update = call.op == OpCode::kDynamicUpdateSlice;
      const DimSpan windows = update ? args[1].shape() : DimSpan(call.params_as<DynamicSliceParams>().slice_sizes);
      for (std::size_t a = 0; a < shape.size(); ++a) {
        Array& start = args[a + (update ? 2 : 1)];
        start = check_index(call.op, start, -1, {static_cast<std::int64_t>(a)}, {shape[a]}, {windows[a]});
      }
      break;
    }
    default: break;
  }
}

// The checks around one operation.
class FiniteChecks {
 public:
  FiniteChecks(std::string op, std::uint8_t mode, bool nans, bool infs) : any_(nans || infs) {
    const bool backward = (mode & kInBackwardRule) != 0;
    CheckFiniteParams p{std::move(op), backward ? CheckPass::kBackwardRule : CheckPass::kForward, nans, infs, {}};
    result_ = ir::make_params(p);
    p.pass = CheckPass::kWaiting;
    operand_ = ir::make_params(std::move(p));
  }
  // Only what is traced can be differentiated.
  Array operand(const Array& x) const { return x.is_tracer() ? check(x, operand_) : x; }
  Array result(const Array& x) const { return check(x, result_); }

 private:
  Array check(const Array& x, const ir::Params& p) const {
    return any_ && is_inexact(x.dtype()) ? bind1(OpCode::kCheckFinite, p, {x}) : x;
  }

  bool any_;
  ir::Params operand_, result_;
};

}  // namespace

void bind_checked(OpCode op, const ir::Params& params, std::span<const Array> args, Arrays& outs) {
  const std::uint8_t mode = check_mode();
  const NoChecks inside;
  if (mode == 0) return bind(op, params, args, outs);
  Arrays operands(args);
  if ((mode & kCheckIndices) != 0) {
    // What inference refuses is refused as without checks.
    ir::Avals types;
    ir::infer(op, params.get(), avals_of(args), types);
    check_indices(Call{op, params, args}, operands);
  }
  // A narrower type may have no room for what was finite.
  const bool rounds = op == OpCode::kConvert || op == OpCode::kReducePrecision;
  const bool moves = ir::only_moves(op) || op == OpCode::kCheckFinite || op == OpCode::kCheckIndex;
  const bool nans = (mode & kCheckNans) != 0 && !moves, infs = (mode & kCheckInfs) != 0 && (!moves || rounds);
  if ((!nans && !infs) || checked_inside(op)) return bind(op, params, operands, outs);
  const FiniteChecks checks(name_of(op), mode, nans, infs);
  for (Array& a : operands) a = checks.operand(a);
  Arrays results;
  bind(op, params, operands, results);
  for (const Array& r : results) outs.push_back(checks.result(r));
}

Array checked_as_one(const Array& x, const Array& y, Array (*f)(const Array&, const Array&)) {
  const std::uint8_t mode = check_mode();
  if (mode == 0) return f(x, y);
  const NoChecks inside;
  const FiniteChecks checks(std::string(weft::current_operation()), mode, (mode & kCheckNans) != 0,
                            (mode & kCheckInfs) != 0);
  return checks.result(f(checks.operand(x), checks.operand(y)));
}

}  // namespace detail

}  // namespace weft
