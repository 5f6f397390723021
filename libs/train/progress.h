// Progress of a loop of known length: a bar that is redrawn in place on a terminal, plain lines elsewhere.
// Knows nothing about training; the metrics are names and numbers. Invariant: on a terminal a drawing never fills
// the last column, so it never wraps, and after finish() or the destructor the cursor is at the start of a line.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "weft/base/location.h"

namespace weft::train {

struct ProgressOptions {
  std::ostream* out = nullptr;  ///< nothing is written when null
  bool is_terminal = false;
  std::function<double()> clock;  ///< seconds from any start, never backwards; the system's when empty
  std::function<int()> columns;   ///< the terminal's width now, asked at every drawing; 80 when empty
  double redraw_seconds = 0.1;    ///< shortest time between two drawings on a terminal
  double line_seconds = 10;       ///< time between two lines elsewhere
};

/// For standard error, asking the system whether it is a terminal and how wide.
ProgressOptions standard_progress();

class Progress {
 public:
  using Metrics = std::vector<std::pair<std::string, double>>;

  /// `label` comes first in each line ("epoch 1/5"); `unit` names what is counted ("images").
  /// ValueError when `total` is negative.
  Progress(std::string label, std::int64_t total, std::string unit, ProgressOptions options = standard_progress(),
           SourceLocation loc = std::source_location::current());
  /// Ends the line if finish() was not reached, so that an error's text starts on a line of its own.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Adds `count` to what is done; `metrics` replace those shown before. Cheap when nothing is due to be drawn.
  void advance(std::int64_t count, const Metrics& metrics = {});
  /// Leaves one final line with the time taken and the mean rate, and these metrics if any are given.
  void finish(const Metrics& metrics = {});

  std::int64_t done() const { return done_; }
  /// Seconds since the start.
  double elapsed() const;
  /// Mean count per second; 0 before the first.
  double rate() const;

 private:
  std::string line(int room, bool last) const;
  void draw(bool last);

  std::string label_, unit_;
  std::int64_t total_, done_ = 0;
  ProgressOptions options_;
  Metrics metrics_;
  double start_, last_;
  bool drawn_ = false, finished_ = false;
};

/// "0:07", "12:34", "1:02:03"; "--:--" when not finite or negative.
std::string duration_text(double seconds);

}  // namespace weft::train
