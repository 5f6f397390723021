// Which build of the compiler this is: code that another one made may be other code.
#pragma once

namespace weft::cpu {

/// A hash of the sources that decide what code is made, and of the math library's bitcode. The build computes it.
extern const char* const kCompilerBuildId;

}  // namespace weft::cpu
