#include "testing/variants.h"

namespace weft::testing {

void detail::throw_variant_unused(std::string_view name, const SourceLocation& loc) {
  const LocationScope scope(loc, "for_each_variant");
  throw ValueError("for_each_variant: the body must make its function with variant(f); got none in the variant " +
                   std::string(name) + ".");
}

}  // namespace weft::testing
