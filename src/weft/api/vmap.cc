#include "weft/api/vmap.h"

#include "weft/base/text.h"
#include "weft/ops/common.h"

namespace weft::api {

void AxesVisitor::push() {
  Node& node = stack_.back();
  // A list gives each child its own entry; a single axis holds for the whole tree below it.
  const Axes* child = node.axes->is_list() ? &node.axes->children()[node.next++] : node.axes;
  stack_.push_back({child, 0});
}

void AxesVisitor::enter(tree::NodeKind kind, std::size_t n) {
  if (kind == tree::NodeKind::kOptional) return;  // the entry is its value's
  const Axes& axes = *stack_.back().axes;
  if (axes.is_list() && axes.children().size() != n)
    throw TreeError(std::string(what_) + " must have one entry per element of " + path() + "; got " +
                    count_str(static_cast<std::int64_t>(axes.children().size()), "entry", "entries") + " for " +
                    count_str(static_cast<std::int64_t>(n), "element", "elements") + ".");
}

void AxesVisitor::child(std::string_view name) {
  PathVisitor::child(name);
  push();
}
void AxesVisitor::child(std::size_t i) {
  PathVisitor::child(i);
  push();
}
void AxesVisitor::child_key(const std::string& key) {
  PathVisitor::child_key(key);
  push();
}
void AxesVisitor::leave_child() {
  PathVisitor::leave_child();
  stack_.pop_back();
}

void AxesVisitor::array(const Array& a) {
  const Axes& axes = *stack_.back().axes;
  if (axes.is_list())
    throw TreeError(std::string(what_) + " must be one axis for an array; got a list for " + path() + ".");
  if (a.defined()) leaves_.push_back({a, axes.axis(), path()});
}

Bdims mapped_axes(const std::vector<AxesVisitor::Leaf>& leaves, std::optional<std::int64_t>& size) {
  if (size && *size < 0) throw ValueError("vmap: axis_size must not be negative; got " + std::to_string(*size) + ".");
  Bdims bdims;
  const AxesVisitor::Leaf* first = nullptr;
  for (const auto& leaf : leaves) {
    if (!leaf.axis) {
      bdims.push_back(kUnmapped);
      continue;
    }
    const int rank = leaf.array.ndim(), axis = *leaf.axis;
    if (rank == 0)
      throw IndexError("vmap: a mapped argument must have an axis; got axis " + std::to_string(axis) + " for " +
                           leaf.path + " of type " + leaf.array.aval().str() + ".",
                       "use `unmapped` for it in in_axes.");
    if (axis < -rank || axis >= rank)
      throw IndexError("vmap: the mapped axis must be in [" + std::to_string(-rank) + ", " + std::to_string(rank) +
                       "); got axis " + std::to_string(axis) + " for " + leaf.path + " of type " +
                       leaf.array.aval().str() + ".");
    bdims.push_back(axis < 0 ? axis + rank : axis);
    const std::int64_t n = leaf.array.shape(bdims.back());
    if (!first) {
      first = &leaf;
      if (size && n != *size)
        throw ShapeError("vmap: mapped axes must have the size axis_size; got " + std::to_string(*size) + " and " +
                         std::to_string(n) + " for " + leaf.path + " (" + leaf.array.aval().str() + ", axis " +
                         std::to_string(axis) + ").");
      size = n;
    } else if (n != *size) {
      throw ShapeError("vmap: mapped axes must have equal sizes; got " + std::to_string(*size) + " for " + first->path +
                       " (" + first->array.aval().str() + ", axis " + std::to_string(*first->axis) + ") and " +
                       std::to_string(n) + " for " + leaf.path + " (" + leaf.array.aval().str() + ", axis " +
                       std::to_string(axis) + ").");
    }
  }
  if (!size)
    throw ValueError("vmap: at least one argument must be mapped; got only unmapped ones.",
                     "give an axis in in_axes, or axis_size.");
  return bdims;
}

Arrays place_axes(const std::vector<AxesVisitor::Leaf>& leaves, std::span<const Array> outs, std::span<const int> bdims,
                  std::int64_t size) {
  Arrays r;
  for (std::size_t i = 0; i < outs.size(); ++i) {
    const auto& axis = leaves[i].axis;
    if (!axis) {
      if (bdims[i] != kUnmapped)
        throw ValueError("vmap: out_axes must give an axis for a result that varies; got `unmapped` for " +
                         leaves[i].path + ".");
      r.push_back(outs[i]);
      continue;
    }
    const int rank = outs[i].ndim() + (bdims[i] == kUnmapped);
    if (*axis < -rank || *axis >= rank)
      throw IndexError("vmap: the axis of a result must be in [" + std::to_string(-rank) + ", " + std::to_string(rank) +
                       "); got " + std::to_string(*axis) + " for " + leaves[i].path + ".");
    r.push_back(ops::bdim_to(outs[i], bdims[i], *axis < 0 ? *axis + rank : *axis, size));
  }
  return r;
}

}  // namespace weft::api
