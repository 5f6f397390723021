// A device as the layers above see it: memory, single operations, and compiled programs.
#pragma once

#include <memory>

#include "weft/core/evaluator.h"
#include "weft/ir/jaxpr.h"

namespace weft {

/// Memory of arrays, in bytes.
struct MemoryStats {
  std::int64_t live_bytes = 0;  ///< held by arrays now
  std::int64_t peak_bytes = 0;  ///< the most that was held since reset_peak_memory()
};

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
  virtual MemoryStats memory_stats() const = 0;
  virtual void reset_peak_memory() = 0;
};

/// The client of this build; also its default_evaluator().
Client& default_client();

/// What the arrays of the default client take.
MemoryStats memory_stats();
/// Starts measuring the peak from what is live now.
void reset_peak_memory();

/// The compiled form of a program, memoised inside it.
std::shared_ptr<const Executable> executable(const ir::Jaxpr& jaxpr);

}  // namespace weft
