#include "train/metrics.h"

#include "weft/base/error.h"
#include "weft/base/text.h"

namespace weft::train::metrics {

namespace {

// Sums of small floats lose what they sum; all others keep their dtype.
Array total_of(const Array& x) {
  const bool small = is_float(x.dtype()) && byte_size(x.dtype()) < 4;
  return np::sum(small ? x.astype(f32) : x);
}

struct Counted {
  Array values;  // 0 where they do not count
  Array count;   // i32[]
};

Counted counted(const char* op, Array values, Array mask) {
  if (values.ndim() == 0) values = np::reshape(values, {1});
  if (!mask.defined()) return {values, np::full({}, static_cast<std::int32_t>(values.size()))};
  if (mask.ndim() == 0 || mask.ndim() > values.ndim() || mask.shape(0) != values.shape(0))
    throw ShapeError(std::string(op) + ": the mask must have the first size of the values, and no more axes; got " +
                     mask.aval().str() + " for " + values.aval().str() + ".");
  Dims shape(mask.shape().begin(), mask.shape().end());
  while (shape.size() < values.shape().size()) shape.push_back(1);
  mask = np::broadcast_to(np::reshape(mask.astype(boolean), shape), values.shape());
  return {np::where(mask, values, np::zeros_like(values)), np::sum(mask.astype(i32))};
}

void check_merge(const char* op, const Array& a, const Array& b) {
  if (!(a.shape() == b.shape()))
    throw ShapeError(std::string(op) + ": merged metrics must have equal shapes; got " + a.aval().str() + " and " +
                         b.aval().str() + ".",
                     a.ndim() != b.ndim() ? "metrics of several devices are reduced first." : "");
}

void check_reduced(const char* op, const Array& total) {
  if (total.ndim() != 0)
    throw ShapeError(std::string(op) + ": a metric that is computed must be 0-d; got " + total.aval().str() + ".",
                     "metrics of several devices are reduced first.");
}

const Array& optional_mask(const ModelOutput& outputs) {
  static const Array none;
  const auto it = outputs.find("mask");
  return it == outputs.end() ? none : it->second;
}

}  // namespace

const Array& output(std::string_view op, const ModelOutput& outputs, const std::string& name) {
  const auto it = outputs.find(name);
  if (it != outputs.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& [key, value] : outputs) names.push_back(key);
  throw IndexError(std::string(op) + ": the model's outputs must have '" + name + "'; got " +
                   (names.empty() ? "none" : join(names, ", ")) + ".");
}

namespace detail {

namespace {

void drop_mask_unless_it_fits(ModelOutput& outputs, const Array& values) {
  const auto mask = outputs.find("mask");
  const auto first = [](const Array& a) { return a.ndim() == 0 ? -1 : a.shape(0); };
  if (mask != outputs.end() && mask->second.defined() && first(mask->second) != first(values)) outputs.erase(mask);
}

}  // namespace

ModelOutput with_values(const ModelOutput& outputs, const Array& values) {
  ModelOutput out = outputs;
  out.insert_or_assign("values", values);
  drop_mask_unless_it_fits(out, values);
  return out;
}

ModelOutput with_mask(const ModelOutput& outputs, ModelOutput made) {
  if (const Array& mask = optional_mask(outputs); mask.defined()) made.emplace("mask", mask);
  const auto first = std::ranges::find_if(made, [](const auto& m) { return m.first != "mask" && m.second.defined(); });
  if (first != made.end()) drop_mask_unless_it_fits(made, first->second);
  return made;
}

void throw_traced() {
  throw ConcretizationError("Collecting: collected outputs must be known when they are merged; got traced ones.",
                            "return the metrics of each batch from the jitted function, and merge them outside.");
}

void throw_no_stack(std::string_view got) {
  throw ShapeError("reduce: metrics must be stacked along a first axis, of at least 1; got " + std::string(got) + ".");
}

Array joined_devices(const Array& a) {
  if (a.ndim() < 2 || a.shape(0) == 0) throw_no_stack(a.aval().str());
  Dims shape{a.shape(0) * a.shape(1)};
  for (const std::int64_t n : a.shape().subspan(2)) shape.push_back(n);
  return np::reshape(a, shape);
}

}  // namespace detail

// ---- Average ----

Average Average::empty() { return {Array(0.0f), Array(std::int32_t{0})}; }

Average Average::of(const Array& values, const Array& mask) {
  const Counted c = counted("Average", values, mask);
  return {total_of(c.values), c.count};
}

Average Average::from_model_output(const ModelOutput& outputs) {
  return of(output("Average", outputs, "values"), optional_mask(outputs));
}

Average Average::merge(const Average& other) const {
  check_merge("Average", total, other.total);
  return {total + other.total, count + other.count};
}

Array Average::compute() const {
  check_reduced("Average", total);
  return total / count;
}

// ---- Std ----

Std Std::empty() { return {Array(0.0f), Array(0.0f), Array(std::int32_t{0})}; }

Std Std::of(const Array& values, const Array& mask) {
  const Counted c = counted("Std", values, mask);
  // Squares of integers would leave their types, as sums of small floats do.
  const DType t = c.values.dtype();
  const Array x = !is_inexact(t) || byte_size(t) < 4 ? c.values.astype(f32) : c.values;
  return {np::sum(x), np::sum(x * x), c.count};
}

Std Std::from_model_output(const ModelOutput& outputs) {
  return of(output("Std", outputs, "values"), optional_mask(outputs));
}

Std Std::merge(const Std& other) const {
  check_merge("Std", total, other.total);
  return {total + other.total, sum_of_squares + other.sum_of_squares, count + other.count};
}

Array Std::compute() const {
  check_reduced("Std", total);
  const Array mean = total / count;
  // Rounding can make it negative.
  return np::sqrt(np::maximum(sum_of_squares / count - mean * mean, 0.0));
}

// ---- LastValue ----

LastValue LastValue::empty() { return {Array(0.0f), Array(std::int32_t{0})}; }

LastValue LastValue::of(const Array& values, const Array& mask) {
  const Counted c = counted("LastValue", values, mask);
  return {total_of(c.values), c.count};
}

LastValue LastValue::from_model_output(const ModelOutput& outputs) {
  return of(output("LastValue", outputs, "values"), optional_mask(outputs));
}

LastValue LastValue::merge(const LastValue& other) const {
  check_merge("LastValue", total, other.total);
  // A batch of nothing but padding is none.
  const Array counts = other.count > 0;
  return {np::where(counts, other.total, total), np::where(counts, other.count, count)};
}

LastValue LastValue::reduce_merge(const LastValue& other) const {
  check_merge("LastValue", total, other.total);
  return {total + other.total, count + other.count};
}

Array LastValue::compute() const {
  check_reduced("LastValue", total);
  return total / count;
}

// ---- Accuracy ----

Accuracy Accuracy::from_model_output(const ModelOutput& outputs) {
  const Array &logits = output("Accuracy", outputs, "logits"), &labels = output("Accuracy", outputs, "labels");
  if (logits.ndim() != labels.ndim() + 1)
    throw ShapeError("Accuracy: logits must have one axis more than labels; got " + logits.aval().str() + " for " +
                     labels.aval().str() + ".");
  if (!is_integer(labels.dtype()))
    throw DTypeError("Accuracy: labels must be integers; got " + labels.aval().str() + ".");
  const Array hits = (np::argmax(logits, -1) == labels).astype(f32);
  return {Average::of(hits, optional_mask(outputs))};
}

}  // namespace weft::train::metrics
