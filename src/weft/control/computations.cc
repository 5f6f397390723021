#include "weft/control/computations.h"

#include "weft/control/lanes.h"
#include "weft/control/programs.h"
#include "weft/ops/common.h"
#include "weft/transforms/vmap.h"

namespace weft::control {

std::string window_key(const Window& w) {
  std::string key;
  for (const Dims* list :
       {&w.dimensions, &w.strides, &w.base_dilations, &w.window_dilations, &w.padding_low, &w.padding_high})
    key += shape_str(*list);
  return key;
}

ir::Jaxpr for_each_of(const ir::Jaxpr& computation, std::int64_t n) {
  const std::size_t captures = computation.num_consts();
  Avals types = computation.input_avals();
  Bdims bdims(captures, kUnmapped);
  for (std::size_t i = captures; i < types.size(); ++i) {
    bdims.push_back(0);
    types[i] = types[i].with_shape(Dims{n});
  }
  const auto batched = transforms::batch_jaxpr(computation, bdims, MappedAxis{n});
  return derive(computation, "for_each_of:" + std::to_string(n), types, captures,
                [&](std::span<const Array> args, Arrays& outs) {
                  eval_jaxpr(batched->jaxpr, args, outs);
                  for (std::size_t i = 0; i < outs.size(); ++i)
                    outs[i] = ops::bdim_to(outs[i], batched->out_bdims[i], 0, n);
                });
}

namespace {

// Updates at positions outside are dropped. They are computed from what the first one inside is computed from, so
// that nothing in them is NaN that is not in that one.
void update_at_once(const ir::Jaxpr& computation, std::span<const Array> captures, std::span<const Array> xs,
                    const Array& positions, std::span<const Array> updates, Arrays& outs) {
  const std::int64_t n = positions.shape(0);
  const Array indices = lax::reshape(positions, Dims{n, 1});
  const Lanes inside(lax::and_(lax::ge(positions, 0), lax::lt(positions, xs[0].shape(0))));
  Arrays args, results;
  for (const Array& c : captures) args.push_back(inside.shared(c));
  for (const Array& x : xs)
    args.push_back(inside(lax::gather(x, indices, {{}, {0}, {}, {}, {0}}, Dims{1}, IndexMode::kClip)));
  for (const Array& u : updates) args.push_back(inside(u));
  eval_jaxpr(for_each_of(computation, n), args, results);
  for (std::size_t k = 0; k < xs.size(); ++k)
    outs.push_back(lax::scatter(xs[k], indices, results[k], {{}, {0}, {}, {}, {0}}, ScatterKind::kSet,
                                IndexMode::kFillOrDrop, true));
}

}  // namespace

Arrays update_in_order(const ir::Jaxpr& computation, std::span<const Array> captures, Arrays xs, const Array& positions,
                       std::span<const Array> updates, bool at_once) {
  const std::int64_t n = positions.shape(0);
  const std::size_t num_captures = captures.size(), count = xs.size();
  if (n == 0 || xs[0].shape(0) == 0) return xs;
  Arrays outs;
  if (at_once || n == 1) {
    update_at_once(computation, captures, xs, positions, updates, outs);
    return outs;
  }
  Arrays scanned{positions};
  scanned.append(updates.begin(), updates.end());
  Avals types;
  for (const std::span<const Array> part : {captures, std::span<const Array>(xs)})
    for (const Array& a : part) types.push_back(a.aval());
  for (const Array& a : scanned) types.push_back(a.aval().with_shape({}));
  const ir::Jaxpr step = derive(computation, type_key("update_in_order", types), types, num_captures,
                                [&](std::span<const Array> in, Arrays& to) {
                                  Arrays one;
                                  for (const Array& a : in.subspan(num_captures + count))
                                    one.push_back(lax::reshape(a, Dims{1}));
                                  update_at_once(computation, in.first(num_captures), in.subspan(num_captures, count),
                                                 one[0], std::span<const Array>(one).subspan(1), to);
                                });
  return lax::scan_(step, captures, xs, scanned, n);
}

}  // namespace weft::control
