// The C header of a program that was compiled to an object file.
#pragma once

#include <span>
#include <string>

#include "weft/ir/aval.h"

namespace weft::cpu {

/// `name` is the function's: an identifier of C. `replaces[j]` is the input that output j may be at, or -1.
std::string object_header(const std::string& name, std::span<const Aval> inputs, std::span<const Aval> outputs,
                          std::span<const int> replaces, std::int64_t workspace_bytes);

}  // namespace weft::cpu
