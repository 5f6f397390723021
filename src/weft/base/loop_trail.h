// Which iterations of which loops are running on this thread: what errors of check modes tell.
#pragma once

#include <string>

#include "weft/base/location.h"

namespace weft {

/// One running loop, on the stack of whoever runs it.
class LoopFrame {
 public:
  /// `kind` is static text: "scan". The loop's line is the current location.
  explicit LoopFrame(const char* kind) : kind_(kind), location_(current_location()), outer_(innermost_) {
    innermost_ = this;
  }
  ~LoopFrame() { innermost_ = outer_; }
  LoopFrame(const LoopFrame&) = delete;
  LoopFrame& operator=(const LoopFrame&) = delete;

  /// -1: it is not spoken of.
  void at(std::int64_t iteration) { iteration_ = iteration; }

  /// "in iteration 3 of scan at train.cc:12, in iteration 0 of while at ...", innermost first; "" outside of loops.
  static std::string trail();

 private:
  static inline constinit thread_local const LoopFrame* innermost_ = nullptr;
  const char* kind_;
  SourceLocation location_;
  std::int64_t iteration_ = 0;
  const LoopFrame* outer_;
};

}  // namespace weft
