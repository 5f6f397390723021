#include "testing/program_checks.h"

#include "testing/errors.h"
#include "weft/api/checkify.h"

namespace weft::testing::detail {

std::string escaped(const std::string& text) {
  std::string r;
  for (const char c : text) {
    if (c == '{' || c == '}') r += c;
    r += c;
  }
  return r;
}

namespace {

// Known values in the places of the text, with its braces as they were.
std::string filled(const std::string& text, const std::vector<Array>& values) {
  std::string r;
  std::size_t next = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    r += text.compare(i, 2, "{}") == 0 ? values[next++].str() : std::string(1, text[i]);
    if (text[i] == '{' || text[i] == '}') ++i;  // the second of two
  }
  return r;
}

}  // namespace

void check_value(std::string_view op, const std::string& must, const Array& pred, const std::string& got,
                 const std::vector<Array>& values, const SourceLocation& loc) {
  if (pred.known()) {
    if (!pred.item<bool>(loc)) fail(op, must, filled(got, values), loc);
    return;
  }
  const std::string message = std::string(op) + ": " + escaped(must) + "; got " + got + ".";
  const Arg holds(pred, loc);
  try {
    if (values.empty())
      checkify::check(holds, message);
    else if (values.size() == 1)
      checkify::check(holds, message, values[0]);
    else
      checkify::check(holds, message, values[0], values[1]);
  } catch (const ValueError& e) {  // it runs now, for the examples of a vmap
    rethrow_as_assertion(e);
  }
}

}  // namespace weft::testing::detail
