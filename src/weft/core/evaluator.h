// The seam between arrays and the device that holds them. core/ knows only this much of a
// device; runtime/client.h extends it and cpu/ implements it.
#pragma once

#include "weft/core/trace.h"

namespace weft {

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  /// Uninitialised memory, 64-byte aligned. BackendError when there is none.
  virtual Ref<Storage> allocate(std::size_t bytes) = 0;
  /// Runs one operation on buffers. Infers the result types, so it throws for operands that do not fit.
  virtual void evaluate(const Call& call, Arrays& outs) = 0;
  /// "cpu:0".
  virtual std::string_view device_name() const = 0;
};

/// The evaluator of this build. Defined by cpu/client.cc, or by runtime/reference_client.cc in a
/// build without the CPU client.
Evaluator& default_evaluator();

}  // namespace weft
