// vmap: a function over examples becomes a function over batches.
#pragma once

#include "weft/api/callable.h"
#include "weft/transforms/vmap.h"

namespace weft {

/// Which axis of an argument or result is mapped: an axis number (negative from the end), `none`
/// for not mapped, or a list with one entry per element or member of a tuple, list or struct.
class Axes {
 public:
  Axes(int axis) : axis_(axis) {}  // implicit by design
  Axes(std::nullopt_t) {}
  Axes(std::initializer_list<Axes> children) : children_(children), is_list_(true) {}
  bool is_list() const { return is_list_; }
  const std::optional<int>& axis() const { return axis_; }
  const std::vector<Axes>& children() const { return children_; }

 private:
  std::optional<int> axis_;
  std::vector<Axes> children_;
  bool is_list_ = false;
};
/// The axis of what is not mapped: `vmap(f, {0, unmapped})`.
inline constexpr std::nullopt_t unmapped = std::nullopt;

namespace api {

/// The entry of `axes` for each array of a tree (none included), matched node by node.
/// TreeError, naming the path, when a list has not the length of its node.
class AxesVisitor : public tree::PathVisitor {
 public:
  AxesVisitor(const char* what, const Axes& axes, std::string root)
      : PathVisitor(std::move(root)), what_(what), stack_{{&axes, 0}} {}
  void array(const Array& a);
  void enter(tree::NodeKind kind, std::size_t n);
  void child(std::string_view name);
  void child(std::size_t i);
  void child_key(const std::string& key);
  void leave_child();

  struct Leaf {
    Array array;
    std::optional<int> axis;
    std::string path;
  };
  std::vector<Leaf> take() { return std::move(leaves_); }

 private:
  struct Node {
    const Axes* axes;
    std::size_t next;
  };
  void push();
  const char* what_;
  std::vector<Node> stack_;
  std::vector<Leaf> leaves_;
};

template <class T>
std::vector<AxesVisitor::Leaf> match_axes(const char* what, const Axes& axes, const T& t, std::string root) {
  AxesVisitor v(what, axes, std::move(root));
  tree::visit(t, v);
  return v.take();
}

/// The mapped axes counted from the front (kUnmapped for none). `size` is their common size; it may be given before,
/// and must where nothing is mapped. ShapeError, naming the arguments, when sizes differ; ValueError when there is
/// none.
Bdims mapped_axes(const std::vector<AxesVisitor::Leaf>& leaves, std::optional<std::int64_t>& size);

/// Results with their mapped axes where `leaves` ask for them.
Arrays place_axes(const std::vector<AxesVisitor::Leaf>& leaves, std::span<const Array> outs, std::span<const int> bdims,
                  std::int64_t size);

}  // namespace api

namespace api {
/// First in options whose members are given by name alone, so that a list of values is never one.
struct ByName {};
}  // namespace api

/// How vmap maps: vmap(f, {.in_axes = 1, .axis_name = "i"}).
struct VmapOptions {
  api::ByName by_name = {};
  Axes in_axes = 0;
  Axes out_axes = 0;
  /// What collectives inside f call the axis: lax::psum(x, "i").
  std::string axis_name = {};
  /// The size of the axis, where no argument says it.
  std::optional<std::int64_t> axis_size = {};
};

/// A function with f's arguments, each with one more axis, that applies f to every position along
/// it and stacks the results: out[i] = f(x[i], y[i], ...), computed in one go.
///
/// `in_axes` is one axis for all arguments, or a list with one entry per argument; an entry may be
/// `unmapped`, or a list that follows the argument's tree. `out_axes` is the same for the result.
///   vmap(f)(xs, ys);   vmap(f, {0, unmapped})(xs, y);   vmap(f, {{0, 1}}, 1)(pair)
///   vmap(f, {.axis_name = "i"})(xs), where f computes with lax::psum(x, "i")
/// Errors: ShapeError when mapped sizes differ, IndexError for an axis out of range, TreeError
/// when a list does not fit its tree, ValueError when nothing is mapped and axis_size not given.
template <class F>
auto vmap(F&& f, VmapOptions options, SourceLocation loc = std::source_location::current()) {
  return [f = std::decay_t<F>(std::forward<F>(f)), options = std::move(options), loc](auto&&... args) {
    auto pack = api::prepare<decltype(f)>(std::forward<decltype(args)>(args)...);
    const std::string name = api::transform_name("vmap(f)", loc);
    std::optional<std::int64_t> size = options.axis_size;
    const Bdims bdims = api::with_note(
        name, [&] { return api::mapped_axes(api::match_axes("vmap: in_axes", options.in_axes, pack, "args"), size); });
    const MappedAxis axis{*size, options.axis_name};
    api::Callable<std::remove_reference_t<decltype((f))>, decltype(pack)> call(f, pack);
    Arrays outs;
    Bdims out_bdims;
    api::with_note(name,
                   [&] { transforms::vmap(call.flat(), tree::leaves(pack), bdims, axis, name, outs, out_bdims); });
    return api::with_note(name, [&] {
      auto leaves = api::match_axes("vmap: out_axes", options.out_axes, call.prototype(), "result");
      return call.result(api::place_axes(leaves, outs, out_bdims, axis.size));
    });
  };
}
template <class F>
auto vmap(F&& f, Axes in_axes = 0, Axes out_axes = 0, SourceLocation loc = std::source_location::current()) {
  return vmap(std::forward<F>(f), VmapOptions{.in_axes = std::move(in_axes), .out_axes = std::move(out_axes)}, loc);
}

}  // namespace weft
