// Switches of the process, from its environment.
#pragma once

namespace weft {

/// Whether the variable is set, and to something else than "" and "0".
bool environment_flag(const char* name);

}  // namespace weft
