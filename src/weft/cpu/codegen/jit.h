// Object files in memory, made ready to be called.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "weft/cpu/codegen/run_context.h"

namespace weft::cpu {

/// Whether code may call the C library's function of this name: nothing that is made may have it.
bool is_library_function(const std::string& name);

class LoadedCode {
 public:
  /// Loads the object files that generate_code made of one program. InternalError when they cannot be linked.
  static std::shared_ptr<const LoadedCode> load(std::span<const std::string> objects);
  virtual ~LoadedCode() = default;
  ProgramFunction program() const { return program_; }
  /// Null when the program needs a context.
  RawFunction raw() const { return raw_; }

 protected:
  ProgramFunction program_ = nullptr;
  RawFunction raw_ = nullptr;
};

}  // namespace weft::cpu
