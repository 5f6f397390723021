#include "error_text.h"
#include "weft/np/npy.h"

namespace weft::errors {
namespace {

TEST(backend_error, a_file_that_is_not_there) {
  expect_error<BackendError>([&] { np::read_npy(std::filesystem::path("no_such_file.npy")); },
                             "read_npy: must be able to open 'no_such_file.npy'; got No such file or directory.\n"
                             "  at here");
}

TEST(backend_error, an_array_file_that_is_not_there) {
  expect_error<BackendError>([&] { np::load("no_such_file.npy"); },
                             "load: must be able to open 'no_such_file.npy'; got No such file or directory.\n"
                             "  at here");
}

TEST(backend_error, a_folder_that_is_not_there) {
  expect_error<BackendError>([&] { np::save("no/such/folder/x.npy", np::ones({2})); },
                             "save: must be able to create 'no/such/folder/x.npy'; got No such file or directory.\n"
                             "  at here");
}

}  // namespace
}  // namespace weft::errors
