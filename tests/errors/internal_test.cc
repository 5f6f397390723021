#include "error_text.h"

namespace weft::errors {
namespace {

TEST(internal_error, says_whose_fault_it_is) {
  expect_error<InternalError>([&] { internal_check(false, "plan: a step has no inputs"); },
                              "plan: a step has no inputs\n"
                              "  this is a bug in Weft; please report it");
}

}  // namespace
}  // namespace weft::errors
