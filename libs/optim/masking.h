// Different treatment of different parameters: values for each leaf, by its path or from a tree; transformations of
// some leaves; groups of leaves with a transformation each.
//
// A path is what tree::structure says: ".layers[2].w" for members, "['w']" for entries of maps.
#pragma once

#include <map>

#include "optim/transformation.h"

namespace weft::optim {

namespace detail {

/// A place for an array in a tree, which may be none.
struct LeafPlace {
  std::string path;
  Array leaf;
};
struct LeafPlaces : tree::PathVisitor {
  std::vector<LeafPlace> places;
  void array(const Array& a) { places.push_back({path(), a}); }
};
template <class T>
std::vector<LeafPlace> leaf_places(const T& t) {
  LeafPlaces v;
  tree::visit(t, v);
  return std::move(v.places);
}

/// The values of type V that are static in a tree, with their paths; the arrays as bool, if V is.
template <class V>
struct TreeValues : tree::PathVisitor {
  std::vector<std::pair<std::string, V>> values;
  bool has_arrays = false;
  void array(const Array& a);
  template <class U>
  void value(const U& v) {
    if constexpr (std::is_same_v<U, V>)
      if (!has_arrays) values.emplace_back(path(), v);
  }
};
/// The truth of a bool[] leaf of a mask. DTypeError, ShapeError or ValueError (when it is traced) otherwise.
bool mask_leaf(const Array& a);
template <class V>
void TreeValues<V>::array(const Array& a) {
  if constexpr (std::is_same_v<V, bool>) {
    if (!std::exchange(has_arrays, true)) values.clear();
    if (a.defined()) values.emplace_back(path(), mask_leaf(a));
  }
}

/// Where what is said of a path is in a list, by path.
using PathIndex = std::map<std::string, std::size_t, std::less<>>;
/// Where it is said what holds of `path`: there, or above.
std::optional<std::size_t> covering(const PathIndex& index, std::string_view path);
/// ValueError for a function that is empty.
void refuse_empty(bool empty, const SourceLocation& loc);
[[noreturn]] void throw_not_covered(const char* what, const std::string& path);
[[noreturn]] void throw_covers_nothing(const char* what, const std::string& path);

}  // namespace detail

/// A value for each leaf: one for all; a function of the path, or of path and array (shapes and dtypes are known even
/// where values are traced); or a tree with a value for each leaf or for whole subtrees.
template <class V>
class PerLeaf {
 public:
  PerLeaf(V all) : function_([all = std::move(all)](const std::string&, const Array&) { return all; }) {}
  template <class F>
    requires(!std::is_same_v<F, Array> && (std::is_invocable_r_v<V, const F&, const std::string&, const Array&> ||
                                           std::is_invocable_r_v<V, const F&, const std::string&>))
  PerLeaf(F f, SourceLocation loc = std::source_location::current()) {  // implicit by design
    if constexpr (std::is_invocable_r_v<V, const F&, const std::string&, const Array&>) {
      function_ = std::move(f);
      detail::refuse_empty(!function_, loc);
    } else {
      std::function<V(const std::string&)> of_path = std::move(f);
      detail::refuse_empty(!of_path, loc);
      function_ = [of_path = std::move(of_path)](const std::string& path, const Array&) { return of_path(path); };
    }
  }
  /// A tree of V; for bool also a tree of bool[] arrays, such as one like the parameters.
  template <class T>
    requires((std::is_class_v<T> || std::is_same_v<T, Array>) && !std::is_convertible_v<const T&, V> &&
             !std::is_same_v<T, PerLeaf> && !std::is_invocable_v<const T&, const std::string&> &&
             !std::is_invocable_v<const T&, const std::string&, const Array&>)
  PerLeaf(const T& tree) {  // implicit by design
    detail::TreeValues<V> v;
    tree::visit(tree, v);
    values_ = std::move(v.values);
  }

  /// f(value) for each.
  template <class W, class F>
  PerLeaf<W> mapped(F f) const {
    if (function_)
      return [g = function_, f](const std::string& path, const Array& leaf) -> W { return f(g(path, leaf)); };
    PerLeaf<W> r{W()};
    r.function_ = nullptr;
    for (const auto& [path, value] : values_) r.values_.emplace_back(path, f(value));
    return r;
  }

  /// The values for the leaves of a tree that are not none, in order. TreeError, naming the path, when a tree of values
  /// has none for a leaf, or one for what is not there.
  template <class T>
  std::vector<V> of(const char* what, const T& t) const {
    const std::vector<detail::LeafPlace> places = detail::leaf_places(t);
    std::vector<V> r;
    detail::PathIndex index;
    for (std::size_t i = 0; i < values_.size(); ++i) index.emplace(values_[i].first, i);
    std::vector<bool> used(values_.size());
    for (const auto& [path, leaf] : places) {
      std::optional<V> value;
      if (function_) {
        if (leaf.defined()) value = function_(path, leaf);
      } else {
        const std::optional<std::size_t> i = detail::covering(index, path);
        if (!i) detail::throw_not_covered(what, path);
        value = values_[*i].second;
        used[*i] = true;
      }
      if (leaf.defined()) r.push_back(*std::move(value));
    }
    for (std::size_t i = 0; i < values_.size(); ++i)
      if (!used[i]) detail::throw_covers_nothing(what, values_[i].first);
    return r;
  }

 private:
  template <class W>
  friend class PerLeaf;
  std::function<V(const std::string&, const Array&)> function_;  // empty: values_ hold
  std::vector<std::pair<std::string, V>> values_;
};

/// Which leaves a transformation is for.
using Mask = PerLeaf<bool>;
/// What group each leaf belongs to.
using Labels = PerLeaf<std::string>;

namespace detail {

/// The tree with those leaves made none that are not to be kept.
template <class P>
P keep_leaves(P t, const std::vector<bool>& keep) {
  std::size_t i = 0;
  tree::for_each(t, [&](Array& a) {
    if (!keep[i++]) a = Array();
  });
  return t;
}
/// TreeError unless there is a leaf for each that was kept.
void check_kept(std::size_t leaves, const std::vector<bool>& keep);
/// The tree with the leaves that were kept replaced by those of `kept`.
template <class P>
P put_leaves(P t, const P& kept, const std::vector<bool>& keep) {
  const Arrays leaves = tree::leaves(kept);
  check_kept(leaves.size(), keep);
  std::size_t i = 0, next = 0;
  tree::for_each(t, [&](Array& a) {
    if (keep[i++]) a = leaves[next++];
  });
  return t;
}
/// The extras of an update of the kept leaves: the loss is a function of these alone, with the others as they are.
/// TreeError unless gradients have the structure of the parameters.
template <class P>
Extra<P> keep_extra(const Extra<P>& extra, const P& params, const std::vector<bool>& keep) {
  Extra<P> r{.value = extra.value};
  if (extra.grad) {
    tree::check_same_structure("update: parameters and extra.grad", params, *extra.grad);
    r.grad = keep_leaves(*extra.grad, keep);
  }
  if (extra.value_fn) r.value_fn = [&](const P& p) { return extra.value_fn(put_leaves(params, p, keep)); };
  if (extra.grad_fn)
    r.grad_fn = [&](const P& p, const Array& i) {
      P grad = extra.grad_fn(put_leaves(params, p, keep), i);
      tree::check_same_structure("update: parameters and what extra.grad_fn gives", params, grad);
      return keep_leaves(std::move(grad), keep);
    };
  return r;
}

template <class T, class P, class S>
std::pair<P, S> run_on(const std::vector<bool>& keep, const T& t, P updates, S state, const P& params,
                       const Extra<P>& extra) {
  auto [u, s] =
      run(t, keep_leaves(updates, keep), std::move(state), keep_leaves(params, keep), keep_extra(extra, params, keep));
  return {put_leaves(std::move(updates), u, keep), std::move(s)};
}

}  // namespace detail

template <class S>
struct MaskedState {
  S inner_state;  ///< of the leaves of the mask alone
};
/// The inner transformation on some leaves, which sees no others (they are none to it); those stay as they are.
template <class T>
struct Masked {
  static_assert(detail::check_transformation<T>());
  T inner;
  Mask mask = true;

  template <class P>
  MaskedState<StateOf<T, P>> init(const P& params, SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "masked");
    return {inner.init(detail::keep_leaves(params, mask.of("masked", params)))};
  }
  template <class P, class S>
  std::pair<P, MaskedState<S>> update(P updates, MaskedState<S> state, const P& params, const Extra<P>& extra = {},
                                      SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "masked");
    tree::check_same_structure("masked", updates, params);
    auto [u, s] = detail::run_on(mask.of("masked", params), inner, std::move(updates), std::move(state.inner_state),
                                 params, extra);
    return {std::move(u), {std::move(s)}};
  }
};
///   masked(add_decayed_weights(1e-4), [](const std::string&, const Array& p) { return p.ndim() > 1; })
template <class T>
Masked<T> masked(T inner, Mask mask) {
  return {std::move(inner), std::move(mask)};
}

/// Zeros for the updates of the leaves that the mask names, which so keep their values.
inline Masked<SetToZero> freeze(Mask mask) { return {SetToZero(), std::move(mask)}; }

/// A transformation and the label of the leaves that it is for.
template <class T>
struct Group {
  static_assert(detail::check_transformation<T>());
  std::string label;
  T transformation;
};
template <class T>
Group<T> group(std::string label, T transformation) {
  return {std::move(label), std::move(transformation)};
}

template <class... S>
struct PartitionState {
  std::tuple<MaskedState<S>...> inner_states;  ///< in the order of the groups
};
namespace detail {
/// ValueError unless the labels of groups differ.
void check_groups(const std::vector<std::string>& groups);
/// ValueError naming the path unless every label is a group's.
void check_labels(const std::vector<std::string>& labels, const std::vector<std::string>& groups, PathOf path);
/// Which leaves have the label.
std::vector<bool> labelled(const std::vector<std::string>& labels, const std::string& label);
}  // namespace detail

/// Each leaf by the transformation whose label it has.
template <class... T>
struct Partition {
  Labels labels;
  std::tuple<Group<T>...> groups;

  template <class P>
  PartitionState<StateOf<T, P>...> init(const P& params, SourceLocation loc = std::source_location::current()) const {
    const LocationScope scope(loc, "partition");
    const std::vector<std::string> own = labels_of(params);
    return std::apply(
        [&](const Group<T>&... g) {
          return PartitionState<StateOf<T, P>...>{std::tuple<MaskedState<StateOf<T, P>>...>(MaskedState<StateOf<T, P>>{
              g.transformation.init(detail::keep_leaves(params, detail::labelled(own, g.label)))}...)};
        },
        groups);
  }
  template <class P, class... S>
  std::pair<P, PartitionState<S...>> update(P updates, PartitionState<S...> state, const P& params,
                                            const Extra<P>& extra = {},
                                            SourceLocation loc = std::source_location::current()) const {
    static_assert(sizeof...(S) == sizeof...(T), "partition: the state must come from this partition's init");
    const LocationScope scope(loc, "partition");
    tree::check_same_structure("partition", updates, params);
    const std::vector<std::string> own = labels_of(params);
    const auto advance = [&]<class G, class R>(const G& g, R& part) {
      auto [u, s] = detail::run_on(detail::labelled(own, g.label), g.transformation, std::move(updates),
                                   std::move(part.inner_state), params, extra);
      updates = std::move(u);
      part.inner_state = std::move(s);
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (advance(std::get<I>(groups), std::get<I>(state.inner_states)), ...);
    }(std::index_sequence_for<T...>());
    return {std::move(updates), std::move(state)};
  }

 private:
  template <class P>
  std::vector<std::string> labels_of(const P& params) const {
    std::vector<std::string> own = labels.of("partition", params);
    detail::check_labels(own, std::apply([](const auto&... g) { return std::vector<std::string>{g.label...}; }, groups),
                         [&](std::size_t i) { return detail::leaf_path(params, i); });
    return own;
  }
};
///   partition([](const std::string& path) -> std::string { return path.ends_with(".b") ? "bias" : "weight"; },
///             group("bias", sgd(0.1)), group("weight", adam(1e-3)))
/// ValueError when two groups have one label; when it runs, ValueError for a leaf whose label is no group's.
template <class... T>
Partition<T...> partition(Labels labels, Group<T>... groups) {
  detail::check_groups({groups.label...});
  return {std::move(labels), std::tuple<Group<T>...>(std::move(groups)...)};
}
/// Its older name.
template <class... T>
Partition<T...> multi_transform(Labels labels, Group<T>... groups) {
  return partition(std::move(labels), std::move(groups)...);
}

/// The optimiser for the leaves that the mask does not name; the others stay: partition and freeze.
template <class T>
Partition<T, SetToZero> selective_transform(T optimizer, Mask freeze_mask) {
  const auto label = [](bool frozen) { return std::string(frozen ? "freeze" : "train"); };
  return partition(freeze_mask.mapped<std::string>(label), group("train", std::move(optimizer)),
                   group("freeze", set_to_zero()));
}

}  // namespace weft::optim
