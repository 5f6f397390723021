#include "weft/base/loop_trail.h"

namespace weft {

std::string LoopFrame::trail() {
  std::string text;
  for (const LoopFrame* f = innermost_; f; f = f->outer_) {
    if (f->iteration_ < 0) continue;
    text += (text.empty() ? "in iteration " : ", in iteration ") + std::to_string(f->iteration_) + " of " + f->kind_;
    if (f->location_) text += " at " + f->location_.str();
  }
  return text;
}

}  // namespace weft
