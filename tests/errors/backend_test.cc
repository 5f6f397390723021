#include "error_text.h"
#include "weft/np/npy.h"

namespace weft::errors {
namespace {

TEST(backend_error, a_file_that_is_not_there) {
  expect_error<BackendError>([&] { np::read_npy(std::filesystem::path("no_such_file.npy")); },
                             "read_npy: must be able to open 'no_such_file.npy'; got No such file or directory.");
}

}  // namespace
}  // namespace weft::errors
