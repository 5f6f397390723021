// Learning curves as pictures: panels side by side, each with axes, ticks, a grid and a legend.
// Knows nothing about training; every number comes from the caller.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train/canvas.h"

namespace weft::train {

/// One curve. Points that are not finite leave gaps.
struct Series {
  std::string name = {};
  std::vector<double> x = {};
  std::vector<double> y = {};
  std::optional<Color> color = {};  ///< by default the next one of a palette that colour-blind people can tell apart
  bool markers = false;             ///< a dot on each point
};

struct Panel {
  std::string y_label = {};
  std::vector<Series> series = {};
  /// The y axis never reaches beyond these, whatever air it has: 0 and 100 for percentages. Points outside widen it.
  std::optional<double> y_min = {}, y_max = {};
};

struct Plot {
  std::string title = {};
  std::string x_label = {};
  std::vector<Panel> panels = {};
  int width = 1120;
  int height = 480;
};

/// The picture. ShapeError when a series' x and y differ in size, ValueError when there is no panel or the panels
/// do not fit the width and height.
Canvas draw_plot(const Plot& plot, SourceLocation loc = std::source_location::current());

/// Draws the plot into a PNG file; BackendError when the system refuses.
void line_plot(const std::string& path, const Plot& plot, SourceLocation loc = std::source_location::current());

/// One panel.
void line_plot(const std::string& path, const std::string& title, const std::string& x_label,
               const std::string& y_label, std::vector<Series> series,
               SourceLocation loc = std::source_location::current());

/// Round numbers (1, 2 or 5 times a power of ten apart) that lie in [low, high], about `count` of them; with
/// `whole`, whole numbers only.
std::vector<double> nice_ticks(double low, double high, int count, bool whole = false);

/// The ticks' texts, all with as many decimals as their distance needs.
std::vector<std::string> tick_labels(const std::vector<double>& ticks);

}  // namespace weft::train
