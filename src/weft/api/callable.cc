#include "weft/api/callable.h"

namespace weft::api {

void throw_integer_does_not_fit(std::size_t index, const std::string& lowest, const std::string& highest,
                                const std::string& got) {
  throw ValueError("call: args[" + std::to_string(index) +
                   "] must be an integer that the function's parameter holds, " + lowest + " to " + highest + "; got " +
                   got + ".");
}

}  // namespace weft::api
