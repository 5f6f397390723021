#include "weft/ops/regions.h"

#include "weft/ir/elements.h"
#include "weft/ops/common.h"

namespace weft::ops {

namespace {

void check_types(std::string_view op, std::string_view what, const char* which, std::span<const Aval> got,
                 std::span<const Aval> want) {
  const std::string who = std::string(op) + ": " + std::string(what);
  if (got.size() != want.size())
    throw ShapeError(who + " must have " + std::to_string(want.size()) + " " + which + "s; got " +
                     std::to_string(got.size()) + ".");
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] == want[i]) continue;
    std::string s = who + " must have " + which + " " + std::to_string(i) + " of type " + want[i].str() + "; got " +
                    got[i].str() + ".";
    if (got[i].dtype() != want[i].dtype()) throw DTypeError(std::move(s));
    throw ShapeError(std::move(s));
  }
}

void check_exists(std::string_view op, std::string_view what, const ir::Jaxpr& program) {
  if (!program) throw ValueError(std::string(op) + ": " + std::string(what) + " must be a program; got none.");
}

}  // namespace

void check_inputs(std::string_view op, std::string_view what, const ir::Jaxpr& program, std::span<const Aval> in) {
  check_exists(op, what, program);
  check_types(op, what, "input", program.input_avals(), in);
}

void check_outputs(std::string_view op, std::string_view what, const ir::Jaxpr& program, std::span<const Aval> out) {
  check_types(op, what, "output", program.output_avals(), out);
}

std::size_t num_captures(std::string_view op, std::string_view what, const ir::Jaxpr& program,
                         std::span<const Aval> in) {
  check_exists(op, what, program);
  if (program.num_consts() > in.size())
    throw ShapeError(std::string(op) + ": there must be one operand per value that " + std::string(what) +
                     " captures; got " + std::to_string(in.size()) + " for " + std::to_string(program.num_consts()) +
                     ".");
  return program.num_consts();
}

bool promotes(DType from, DType to) {
  if (from == to) return true;
  return category(from) == category(to) && byte_size(from) < byte_size(to) &&
         (!is_integer(from) || is_unsigned(from) == is_unsigned(to));
}

std::vector<DType> check_computation(std::string_view op, const ir::Jaxpr& computation, std::span<const Aval> captures,
                                     std::span<const Aval> arrays) {
  const Avals outs = computation.output_avals();
  if (outs.size() != arrays.size())
    throw ShapeError(std::string(op) + ": the computation must give one scalar per array; got " +
                     std::to_string(outs.size()) + " for " + std::to_string(arrays.size()) + ".");
  Avals in(captures);
  for (int twice = 0; twice < 2; ++twice)
    for (const Aval a : outs) in.push_back(scalar_of(a.dtype()));
  check_inputs(op, "the computation", computation, in);
  std::vector<DType> dtypes;
  for (std::size_t i = 0; i < outs.size(); ++i) {
    if (outs[i].ndim() != 0)
      throw ShapeError(std::string(op) + ": the computation must give scalars; got " + outs[i].str() + ".");
    if (!promotes(arrays[i].dtype(), outs[i].dtype()))
      throw DTypeError(std::string(op) +
                       ": the computation must be on the elements of its array or a wider dtype; got " + outs[i].str() +
                       " for " + arrays[i].str() + ".");
    dtypes.push_back(outs[i].dtype());
  }
  return dtypes;
}

void check_same_shape(std::string_view op, const char* what, std::span<const Aval> arrays) {
  for (const Aval a : arrays)
    if (!same_dims(a.shape(), arrays[0].shape()))
      throw ShapeError(std::string(op) + ": " + what + " must have equal shapes; got " + arrays[0].str() + " and " +
                       a.str() + ".");
}

InDType::InDType(const TensorView& x, DType dtype)
    : data_(static_cast<const std::byte*>(x.data)), size_(byte_size(dtype)) {
  if (x.dtype() == dtype) return;
  memory_.resize(static_cast<std::size_t>(x.aval.with_dtype(dtype).bytes()));
  convert_elements(x.dtype(), x.data, dtype, memory_.data(), x.size());
  data_ = memory_.data();
}

Dims window_places(std::string_view op, const Window& window, Aval x) {
  constexpr std::int64_t kMost = std::int64_t{1} << 61;
  const std::string who = std::string(op) + ": ";
  const auto rank = static_cast<std::size_t>(x.ndim());
  const std::pair<const char*, const Dims*> lists[] = {
      {"window_dimensions", &window.dimensions},  {"window_strides", &window.strides},
      {"base_dilations", &window.base_dilations}, {"window_dilations", &window.window_dilations},
      {"padding_low", &window.padding_low},       {"padding_high", &window.padding_high}};
  for (const auto& [name, list] : lists)
    if (list->size() != rank)
      throw ShapeError(who + name + " must have one entry per axis of " + x.str() + "; got " + shape_str(*list) + ".");
  for (std::size_t k = 0; k < 4; ++k)
    for (const std::int64_t v : *lists[k].second)
      if (v < 1 || v > kMost)
        throw ValueError(who + lists[k].first + " must be positive; got " + shape_str(*lists[k].second) + ".");
  Dims places;
  for (std::size_t i = 0; i < rank; ++i) {
    // Each product of two such numbers is checked before it is used.
    std::int64_t padded = 0, extent = 0;
    bool sound = window.padding_low[i] <= kMost && window.padding_low[i] >= -kMost && window.padding_high[i] <= kMost &&
                 window.padding_high[i] >= -kMost;
    if (x.shape(i) > 0) {
      sound = sound && !__builtin_mul_overflow(x.shape(i) - 1, window.base_dilations[i], &padded) && padded < kMost;
      ++padded;
    }
    sound = sound && !__builtin_mul_overflow(window.dimensions[i] - 1, window.window_dilations[i], &extent) &&
            extent < kMost;
    ++extent;
    if (sound) padded += window.padding_low[i] + window.padding_high[i];
    if (!sound || padded > kMost)
      throw ValueError(who + "the padded array must have sizes below 2^61; got axis " + std::to_string(i) + " of " +
                       x.str() + ".");
    places.push_back(padded < extent ? 0 : (padded - extent) / window.strides[i] + 1);
  }
  return places;
}

Window window_past_front(const Window& window) {
  Window w = window;
  for (Dims* ones : {&w.dimensions, &w.strides, &w.base_dilations, &w.window_dilations}) ones->insert(ones->begin(), 1);
  for (Dims* zeros : {&w.padding_low, &w.padding_high}) zeros->insert(zeros->begin(), 0);
  return w;
}

}  // namespace weft::ops
