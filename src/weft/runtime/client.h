// A device as the layers above see it: memory, single operations, and compiled programs.
#pragma once

#include <memory>

#include "weft/core/evaluator.h"
#include "weft/ir/jaxpr.h"

namespace weft {

/// A program made ready to run. Immutable: any number of threads may run it at once.
class Executable {
 public:
  virtual ~Executable() = default;
  /// `args` are buffers of the program's input types (constants first). Appends the outputs.
  virtual void run(std::span<const Array> args, Arrays& outs) const = 0;
};

class Client : public Evaluator {
 public:
  /// Compiles anew; `executable` below remembers.
  virtual std::shared_ptr<const Executable> compile(const ir::Jaxpr& jaxpr) = 0;
};

/// The client of this build; also its default_evaluator().
Client& default_client();

/// The compiled form of a program, memoised inside it.
std::shared_ptr<const Executable> executable(const ir::Jaxpr& jaxpr);

}  // namespace weft
