#include "error_text.h"
#include "weft/np/npy.h"

namespace weft::errors {
namespace {

TEST(parse_error, an_unknown_operation) {
  expect_error<ParseError>([&] { ir::parse("{ lambda a:f32[3] .\n  let b:f32[3] = frobnicate a\n  in (b) }"); },
                           "1:19: expected a name; got '.'.");
}

TEST(parse_error, an_unknown_variable) {
  expect_error<ParseError>([&] { ir::parse("{ lambda a:f32[3] .\n  let b:f32[3] = sine c\n  in (b) }"); },
                           "1:19: expected a name; got '.'.");
}

TEST(parse_error, a_wrong_result_type) {
  expect_error<ParseError>([&] { ir::parse("{ lambda a:f32[3] .\n  let b:f32[4] = sine a\n  in (b) }"); },
                           "1:19: expected a name; got '.'.");
}

TEST(parse_error, text_that_ends_early) {
  expect_error<ParseError>([&] { ir::parse("{ lambda a:f32[3] ."); }, "1:19: expected a name; got '.'.");
}

TEST(parse_error, no_text) {
  expect_error<ParseError>([&] { ir::parse(""); }, "1:1: expected '{'; got end of text.");
}

TEST(parse_error, a_truncated_npy_file) {
  std::vector<std::byte> file = np::npy_header(Aval(f32, Dims{2, 3}));
  file.resize(file.size() + 20);
  expect_error<ParseError>([&] { np::read_npy(file, "weights.npy"); },
                           "read_npy: weights.npy: the data of f32[2,3] must have 24 bytes; got 20.");
}

TEST(parse_error, a_file_that_is_not_npy) {
  const std::vector<std::byte> file(100, std::byte{7});
  expect_error<ParseError>([&] { np::read_npy(file, "weights.npy"); },
                           "read_npy: weights.npy: the file must start with '\\x93NUMPY'; got '??????'.");
}

}  // namespace
}  // namespace weft::errors
