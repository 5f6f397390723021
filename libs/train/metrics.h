// Metrics as CLU has them: values that are made from a model's outputs, merged over batches, and computed at the end.
// All are trees of arrays, so they go through jit, scan and checkpoints; only Collecting keeps to the host.
//
//   struct EvalMetrics {
//     metrics::Accuracy accuracy;
//     metrics::FromOutput<metrics::Average, "loss"> loss;
//   };
//   auto m = metrics::empty<EvalMetrics>();
//   m = metrics::merge(m, metrics::from_model_output<EvalMetrics>({{"logits", l}, {"labels", y}, {"loss", e}}));
//   metrics::compute(m).at("accuracy");
//
// A metric of one's own is a struct of arrays with the members of the concept Metric. Source: clu.metrics.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "weft/api/collectives.h"
#include "weft/api/control_flow.h"
#include "weft/core/tree.h"
#include "weft/np/np.h"

namespace weft::train::metrics {

/// What a model gave for a batch, by name: "logits", "labels", "loss", and "mask" (bool, true for examples that count).
using ModelOutput = std::map<std::string, Array>;

/// The output of that name; IndexError that lists those there are.
const Array& output(std::string_view op, const ModelOutput& outputs, const std::string& name);

/// A metric M: M::empty(), M::from_model_output(outputs), a.merge(b), a.compute(). `merge` with empty() changes
/// nothing. One that merges otherwise over devices than over steps has reduce_merge, too; one that is not reduced by
/// merging its slices has reduce().
template <class M>
concept Metric = requires(const M& m, const ModelOutput& outputs) {
  { M::empty() } -> std::same_as<M>;
  { M::from_model_output(outputs) } -> std::same_as<M>;
  { m.merge(m) } -> std::same_as<M>;
  m.compute();
};

/// The mean of all elements whose example counts: total / count, 0-d. Of `outputs["values"]`; the mask has its shape,
/// or that of its first axes.
struct Average {
  Array total, count;
  static Average empty();
  /// ShapeError when the mask has another first size, or more axes.
  static Average of(const Array& values, const Array& mask = {});
  static Average from_model_output(const ModelOutput& outputs);
  /// ShapeError unless the shapes are equal, as for all metrics here.
  Average merge(const Average& other) const;
  /// f32[]; NaN when nothing counted. ShapeError before `reduce`, as for all metrics here.
  Array compute() const;
};

/// The standard deviation of what Average takes the mean of: sqrt(max(sum x^2 / n - mean^2, 0)).
struct Std {
  Array total, sum_of_squares, count;
  static Std empty();
  static Std of(const Array& values, const Array& mask = {});
  static Std from_model_output(const ModelOutput& outputs);
  Std merge(const Std& other) const;
  Array compute() const;
};

/// The mean of the last batch in which something counts: a learning rate, the loss of now. Over devices it is the mean
/// of all.
struct LastValue {
  Array total, count;
  static LastValue empty();
  static LastValue of(const Array& values, const Array& mask = {});
  static LastValue from_model_output(const ModelOutput& outputs);
  LastValue merge(const LastValue& other) const;
  LastValue reduce_merge(const LastValue& other) const;
  Array compute() const;
};

/// The share of labels that are where the logits are largest. `labels`: integers, `logits`: one more axis, the last.
struct Accuracy {
  Average average;
  static Accuracy empty() { return {Average::empty()}; }
  /// ShapeError unless logits have one axis more, DTypeError unless labels are integers.
  static Accuracy from_model_output(const ModelOutput& outputs);
  Accuracy merge(const Accuracy& other) const { return {average.merge(other.average)}; }
  Array compute() const { return average.compute(); }
};

/// A text as a template argument.
template <std::size_t N>
struct Name {
  char text[N];
  constexpr Name(const char (&s)[N]) { std::copy_n(s, N, text); }  // implicit by design
  std::string str() const { return {text, N - 1}; }
};

namespace detail {
/// The outputs with "values" in place of the one named; without the mask unless its first size fits.
ModelOutput with_values(const ModelOutput& outputs, const Array& values);
/// Outputs that a function made: with the mask of `outputs` unless they have one, and without any unless its first size
/// is that of the first of them.
ModelOutput with_mask(const ModelOutput& outputs, ModelOutput made);
[[noreturn]] void throw_traced();
[[noreturn]] void throw_no_stack(std::string_view got);
/// [devices, n, ...] as [devices n, ...].
Array joined_devices(const Array& a);
template <class M>
M reduce_merged(const M& a, const M& b) {
  if constexpr (requires { a.reduce_merge(b); })
    return a.reduce_merge(b);
  else
    return a.merge(b);
}
/// One metric of several devices as one.
template <class M>
M reduced(const M& stacked) {
  if constexpr (requires {
                  { stacked.reduce() } -> std::same_as<M>;
                }) {
    return stacked.reduce();
  } else {
    for (const Array& a : tree::leaves(stacked))
      if (a.ndim() == 0 || a.shape(0) == 0) throw_no_stack(a.aval().str());
    const M first = tree::map([](const Array& a) { return a(0); }, stacked);
    const M rest = tree::map([](const Array& a) { return a(slice(1, std::nullopt)); }, stacked);
    return scan([](M sum, M next) { return std::pair(reduce_merged(sum, next), std::tuple<>()); }, first, rest).first;
  }
}
}  // namespace detail

/// The metric M of another output than "values": FromOutput<Average, "loss">. A mask of another first size than that
/// output's does not apply to it.
template <class M, Name kName>
struct FromOutput {
  M metric;
  static FromOutput empty() { return {M::empty()}; }
  static FromOutput from_model_output(const ModelOutput& outputs) {
    return {M::from_model_output(detail::with_values(outputs, output("FromOutput", outputs, kName.str())))};
  }
  FromOutput merge(const FromOutput& other) const { return {metric.merge(other.metric)}; }
  FromOutput reduce() const { return {detail::reduced(metric)}; }
  auto compute() const { return metric.compute(); }
};

/// The metric M of what a function makes of the outputs: FromFun<Average, [](const ModelOutput& o) { ... }>. It returns
/// an array, which M gets as "values", or M's outputs. M gets the mask, too: the one that the function returns, else
/// that of the outputs, if it has the first size of the array, or of the first by name of several.
template <class M, auto kFunction>
struct FromFun {
  M metric;
  static FromFun empty() { return {M::empty()}; }
  static FromFun from_model_output(const ModelOutput& outputs) {
    auto result = kFunction(outputs);
    if constexpr (std::is_same_v<decltype(result), ModelOutput>)
      return {M::from_model_output(detail::with_mask(outputs, std::move(result)))};
    else
      return {M::from_model_output(detail::with_values(outputs, result))};
  }
  FromFun merge(const FromFun& other) const { return {metric.merge(other.metric)}; }
  FromFun reduce() const { return {detail::reduced(metric)}; }
  auto compute() const { return metric.compute(); }
};

/// Keeps whole outputs, for what no sum can compute: Collecting<"logits", "labels">. Not merged inside of jit, which is
/// a ConcretizationError. The mask is not applied; collect it, too. Merging into one that is given away,
/// merge(std::move(sum), next), does not copy the list of all batches before.
template <Name... kNames>
struct Collecting {
  std::map<std::string, std::vector<Array>> values;
  static Collecting empty() { return {}; }
  static Collecting from_model_output(const ModelOutput& outputs) {
    Collecting out;
    const auto keep = [&](const std::string& name) {
      const Array& a = output("Collecting", outputs, name);
      out.values[name].push_back(a.ndim() == 0 ? np::reshape(a, {1}) : a);
    };
    (keep(kNames.str()), ...);
    return out;
  }
  Collecting merge(const Collecting& other) const& { return Collecting(*this).merge(other); }
  Collecting merge(const Collecting& other) && {
    for (const auto& [name, arrays] : other.values) {
      std::vector<Array>& all = values[name];
      if (!all.empty() && all.back().is_tracer()) detail::throw_traced();
      for (std::size_t i = 0, n = arrays.size(); i < n; ++i) {
        if (arrays[i].is_tracer()) detail::throw_traced();
        all.push_back(arrays[i]);
      }
    }
    return std::move(*this);
  }
  /// The batches of all devices, one after the other. ShapeError unless they are stacked along a first axis.
  Collecting reduce() const {
    Collecting out = *this;
    for (auto& [name, arrays] : out.values)
      for (Array& a : arrays) a = detail::joined_devices(a);
    return out;
  }
  /// By name, all batches along the first axis.
  std::map<std::string, Array> compute() const {
    std::map<std::string, Array> out;
    for (const auto& [name, arrays] : values) out.emplace(name, np::concatenate(arrays));
    return out;
  }
};

// ---- one metric or a collection: a struct of metrics ----

namespace detail {

/// A struct made of f(field of args...) for each field.
template <class C, class F, class... A>
C map_fields(F&& f, A&... args) {
  using Fields = decltype(tree::detail::fields(std::declval<C&>()));
  const auto field = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
    using M = std::remove_cvref_t<std::tuple_element_t<I, Fields>>;
    return f(std::type_identity<M>(), std::get<I>(tree::detail::fields(args))...);
  };
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return C{field(std::integral_constant<std::size_t, I>())...};
  }(std::make_index_sequence<std::tuple_size_v<Fields>>());
}

template <class C>
void compute_into(std::map<std::string, Array>& out, const std::string& name, const C& c) {
  const auto key = [&](const std::string& part) { return name.empty() ? part : name + "/" + part; };
  if constexpr (Metric<C>) {
    if constexpr (std::is_convertible_v<decltype(c.compute()), Array>)
      out.emplace(name, c.compute());
    else
      for (const auto& [part, value] : c.compute()) out.emplace(key(part), value);
  } else {
    const auto fields = tree::detail::fields(c);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (compute_into(out, key(std::string(tree::detail::field_name<C, I>())), std::get<I>(fields)), ...);
    }(std::make_index_sequence<std::tuple_size_v<decltype(fields)>>());
  }
}

}  // namespace detail

/// The metrics of nothing: merging with it changes nothing.
template <class C>
C empty() {
  if constexpr (Metric<C>)
    return C::empty();
  else
    return detail::map_fields<C>([]<class M>(std::type_identity<M>) { return empty<M>(); });
}

/// The metrics of one batch. IndexError when an output is missing.
template <class C>
C from_model_output(const ModelOutput& outputs, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "from_model_output");
  if constexpr (Metric<C>)
    return C::from_model_output(outputs);
  else
    return detail::map_fields<C>([&]<class M>(std::type_identity<M>) { return from_model_output<M>(outputs); });
}

/// The metrics of both.
template <class C>
C merge(C a, const C& b, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "merge");
  if constexpr (Metric<C>)
    return std::move(a).merge(b);
  else
    return detail::map_fields<C>([](auto, auto& x, const auto& y) { return merge(std::move(x), y); }, a, b);
}

/// The values by the names of the fields; a struct in a struct gives "field/field". Of a single metric, by "".
template <class C>
std::map<std::string, Array> compute(const C& c, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "compute");
  std::map<std::string, Array> out;
  detail::compute_into(out, "", c);
  return out;
}

/// The values as numbers, for writers. ShapeError for values that are no single number, ConcretizationError when only
/// traced.
template <class C>
std::map<std::string, double> scalars(const C& c, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "scalars");
  std::map<std::string, double> out;
  for (const auto& [name, value] : compute(c)) out.emplace(name, value.template item<double>());
  return out;
}

/// Metrics of several devices, stacked along a first axis of all arrays, as those of one. ShapeError unless there is at
/// least one.
template <class C>
C reduce(const C& stacked, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "reduce");
  if constexpr (Metric<C>)
    return detail::reduced(stacked);
  else
    return detail::map_fields<C>([](auto, const auto& m) { return reduce(m); }, stacked);
}

/// Inside of a vmap over `axis_name`: the metrics of the batches of all examples along it, which every one gets.
template <class C>
C gather_from_model_output(const ModelOutput& outputs, const std::string& axis_name = "batch",
                           SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "gather_from_model_output");
  return reduce(lax::all_gather(from_model_output<C>(outputs), axis_name));
}

}  // namespace weft::train::metrics
