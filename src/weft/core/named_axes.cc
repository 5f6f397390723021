#include "weft/core/named_axes.h"

#include "weft/base/error.h"

namespace weft {

const MappedAxis& named_axis(std::string_view who, std::string_view name) {
  std::string known;
  for (const auto* a = detail::named_axes; a; a = a->outer) {
    if (a->axis->name == name) return *a->axis;
    known += (known.empty() ? "'" : ", '") + a->axis->name + "'";
  }
  throw UnboundAxisError(std::string(who) + ": the name must be that of a mapped axis; got '" + std::string(name) +
                             "'" + (known.empty() ? ", and none is named here." : "; those here are " + known + "."),
                         "map the function that calls it with vmap(f, {.axis_name = \"" + std::string(name) + "\"}).");
}

std::string named_axes_key() {
  std::string key;
  for (const auto* a = detail::named_axes; a; a = a->outer) key = a->axis->key() + ";" + key;
  return key;
}

}  // namespace weft
