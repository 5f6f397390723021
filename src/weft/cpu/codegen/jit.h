// Object files in memory, made ready to be called.
#pragma once

#include <memory>
#include <string>

#include "weft/cpu/codegen/run_context.h"

namespace weft::cpu {

/// Whether code may call the C library's function of this name: nothing that is made may have it.
bool is_library_function(const std::string& name);

class LoadedCode {
 public:
  /// Loads the bytes of an object file that generate_code made. InternalError when they cannot be linked.
  static std::shared_ptr<const LoadedCode> load(const std::string& object);
  virtual ~LoadedCode() = default;
  ProgramFunction program() const { return program_; }
  /// Null when the program needs a context.
  RawFunction raw() const { return raw_; }

 protected:
  ProgramFunction program_ = nullptr;
  RawFunction raw_ = nullptr;
};

}  // namespace weft::cpu
