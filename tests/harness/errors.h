// What a call throws, as text to compare with.
#pragma once

#include <string>

#include "weft/base/error.h"

namespace weft::testing {

/// "ShapeError: <message>" of the Error that `f` throws, whose hint goes to `hint`.
template <class F>
std::string error_of(F&& f, std::string* hint = nullptr) {
  try {
    f();
  } catch (const Error& e) {
    if (hint) *hint = e.hint();
    return std::string(e.kind()) + ": " + e.message();
  } catch (const std::exception& e) {
    return std::string("another error: ") + e.what();
  }
  return "nothing was thrown";
}

/// The message of the Error of class E that `f` throws.
template <class E, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.message();
  } catch (const std::exception& e) {
    return std::string("another error: ") + e.what();
  }
  return "nothing was thrown";
}

}  // namespace weft::testing
