// Programs as object files: made for some machine, linked into one program of C and run there, under an emulator where
// that machine is another one. The program of C (object_driver.c) checks what an object promises beside its results:
// it writes its outputs and its workspace only, whatever was in them, and needs no more alignment than it says.
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "harness/random_program.h"
#include "weft/runtime/client.h"

namespace weft::testing {

/// A machine that objects are made for.
struct ObjectTarget {
  std::string name;
  std::string triple, cpu;  // as in ObjectOptions
  std::string compiler;     // of C, for that machine
  std::string emulator;     // that starts its programs; "": this machine does
  std::string missing;      // why its programs cannot run here; "": they can
};

/// x86-64-v2, -v3, -v4 on such machines, and AArch64.
const std::vector<ObjectTarget>& object_targets();

/// A test's name for it is the machine's.
inline std::ostream& operator<<(std::ostream& out, const ObjectTarget& target) { return out << target.name; }

/// Whether all of it is code, so that there are objects.
bool has_object(const RandomProgram& program);

/// A program's object for a machine; BackendError where it has none.
ObjectFile make_object(const RandomProgram& program, const ObjectTarget& target, const std::string& name);

/// The results of each program, which consists of operations with code. std::runtime_error with what was printed when
/// one cannot be linked, crashes, reports a failure or breaks a promise.
std::vector<std::vector<Array>> run_objects(std::span<const RandomProgram> programs, const ObjectTarget& target);

}  // namespace weft::testing
