#include "optim/contrib_sam.h"

#include "weft/weft.h"

namespace weft::optim::contrib {

OnTrees<Normalize> normalize() { return {}; }

void Normalize::update(Leaves& u, const Leaves&) const {
  const Array size = detail::norm(u);
  u = detail::scale_all(u, 1 / np::where(size > 0, size, 1));
}

}  // namespace weft::optim::contrib
