// Switches of the process, from its environment.
#pragma once

#include <string_view>

namespace weft {

/// Whether the variable is set to "1", "true", "yes" or "on". "", "0", "false", "no" and "off" say no; ValueError for
/// other texts.
bool environment_flag(const char* name);
/// The text of a variable; "" when it is not set. Ask once.
std::string_view environment_text(const char* name);

}  // namespace weft
