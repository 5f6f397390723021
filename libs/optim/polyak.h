// Polyak's step size, from the loss.
#pragma once

#include "optim/transformation.h"

namespace weft::optim {

enum class PolyakVariant : std::uint8_t {
  kSps,      ///< the gap is value - f_min
  kSpsPlus,  ///< the gap is max(value - f_min, 0) (Garrigos et al., 2023)
};
/// u = min(gap / (sum |u|^2 + eps), max_learning_rate) * u, with the gap between extra.value and f_min; 0 where the
/// divisor vanishes (Loizou et al., 2021). ValueError without extra.value.
struct ScaleByPolyak {
  static constexpr const char* kName = "scale_by_polyak";
  Hyperparam f_min = 0;
  Hyperparam max_learning_rate = 1;
  Hyperparam eps = 0;
  PolyakVariant variant = PolyakVariant::kSps;
  void update(Leaves& u, const Leaves& params, const Extra<Leaves>& extra) const;
};
OnTrees<ScaleByPolyak> scale_by_polyak(ScaleByPolyak options = {},
                                       SourceLocation loc = std::source_location::current());

namespace detail {
/// The loss of the extras in `dtype`. ValueError without it, ShapeError unless 0-d.
Array loss_of(const char* what, const Array& value, DType dtype);
}  // namespace detail

}  // namespace weft::optim
