#include "testing/chexify.h"

namespace weft::testing {

void detail::check_error(const checkify::Error& error, const SourceLocation& loc) {
  try {
    checkify::check_error(error, loc);
  } catch (const ValueError& e) {
    // All that assertions of this library say begins with their names; other checks keep their class.
    if (e.message().starts_with("assert_")) rethrow_as_assertion(e);
    throw;
  }
}

}  // namespace weft::testing
