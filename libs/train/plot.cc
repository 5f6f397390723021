#include "train/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "weft/base/error.h"

namespace weft::train {

namespace {

// Okabe and Ito's colours, told apart by colour-blind people.
constexpr Color kPalette[] = {{0, 114, 178},   {213, 94, 0},  {0, 158, 115},
                              {204, 121, 167}, {230, 159, 0}, {86, 180, 233}};
constexpr Color kGrid{230, 232, 236}, kAxis{150, 155, 164};

constexpr int kMargin = 20, kGap = 12, kTick = 5;
constexpr int kSmallestSide = 60;  // of a panel's inside

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double v) { low = std::min(low, v), high = std::max(high, v); }
};

// A range that has some length and air at both ends.
Range with_air(Range r, double air) {
  if (!(r.low <= r.high)) return {0, 1};
  double length = r.high - r.low;
  // Values that differ by rounding only are one value.
  if (length <= 1e-12 * std::max(std::fabs(r.low), std::fabs(r.high))) {
    length = r.low == 0 ? 1 : std::fabs(r.low);
    air = 0.5;
  }
  return {r.low - air * length, r.high + air * length};
}

// The same without air beyond what the values can be.
Range within(Range r, Range values, const Panel& panel) {
  Range cut = r;
  if (panel.y_min) cut.low = std::max(r.low, std::min(*panel.y_min, values.low));
  if (panel.y_max) cut.high = std::min(r.high, std::max(*panel.y_max, values.high));
  return cut.low < cut.high ? cut : r;
}

struct PanelBox {
  int left, top, width, height;  // everything that belongs to the panel
};

struct Axes {
  Range x, y;
  int left, top, width, height;  // the inside
  double px(double v) const { return left + (v - x.low) / (x.high - x.low) * width; }
  double py(double v) const { return top + height - (v - y.low) / (y.high - y.low) * height; }
};

Color color_of(const Panel& panel, std::size_t i) {
  return panel.series[i].color.value_or(kPalette[i % std::size(kPalette)]);
}

// Legend entries left to right above the axes, in as many lines as they need; returns the height. Draws when
// `canvas` is given.
int legend(Canvas* canvas, const Panel& panel, int left, int top, int width) {
  constexpr int kSample = 24, kLine = 24;
  int x = left, y = top;
  bool any = false;
  for (std::size_t i = 0; i < panel.series.size(); ++i) {
    const Series& series = panel.series[i];
    if (series.name.empty()) continue;
    const int entry = kSample + 8 + text_width(series.name) + 24;
    if (any && x + entry - 24 > left + width) x = left, y += kLine;
    if (canvas != nullptr) {
      const double middle = y + text_height() / 2.0;
      canvas->line(x, middle, x + kSample, middle, color_of(panel, i), 3);
      if (series.markers) canvas->line(x + kSample / 2.0, middle, x + kSample / 2.0, middle, color_of(panel, i), 9);
      canvas->text(x + kSample + 8, y, series.name, kInk);
    }
    x += entry;
    any = true;
  }
  return any ? y + kLine - top : 0;
}

// Ticks that lie inside, fewer until their labels do not touch.
std::vector<double> fitting_ticks(Range range, int pixels, bool across, bool whole) {
  for (int count = across ? 10 : 7; count > 1; --count) {
    std::vector<double> ticks = nice_ticks(range.low, range.high, count, whole);
    int room = 0;
    for (const std::string& label : tick_labels(ticks))
      room += across ? text_width(label) + 2 * kGap : text_height() + 2 * kGap;
    if (room <= pixels) return ticks;
  }
  return nice_ticks(range.low, range.high, 1, whole);
}

void draw_panel(Canvas& canvas, const Panel& panel, const std::string& x_label, PanelBox box) {
  Range xs, ys;
  bool whole = true;
  for (const Series& series : panel.series) {
    if (series.x.size() != series.y.size())
      throw ShapeError("line_plot: a series must have equally many x and y; got " + std::to_string(series.x.size()) +
                       " and " + std::to_string(series.y.size()) + " for \"" + series.name + "\".");
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!std::isfinite(series.x[i]) || !std::isfinite(series.y[i])) continue;
      xs.add(series.x[i]), ys.add(series.y[i]);
      whole = whole && series.x[i] == std::floor(series.x[i]);
    }
  }
  Axes axes{with_air(xs, 0.02), within(with_air(ys, 0.06), ys, panel), 0, 0, 0, 0};

  // The height first: it decides the y ticks, whose labels decide the width.
  const int below = kTick + 6 + text_height() + kGap + text_height(), y_label_width = text_height() + 4 + kGap;
  const int legend_width = box.width - y_label_width - 60;
  const int head = legend(nullptr, panel, 0, 0, legend_width);
  axes.top = box.top + head;
  axes.height = box.height - head - below;
  const std::vector<double> y_ticks = fitting_ticks(axes.y, std::max(axes.height, 1), false, false);
  const std::vector<std::string> y_labels = tick_labels(y_ticks);
  int widest = 0;
  for (const std::string& label : y_labels) widest = std::max(widest, text_width(label));
  const int before = y_label_width + widest + 6 + kTick;
  axes.left = box.left + before;
  axes.width = box.width - before;
  if (axes.width < kSmallestSide || axes.height < kSmallestSide)
    throw ValueError("line_plot: the panels must fit the picture; got " + std::to_string(canvas.width()) + "x" +
                     std::to_string(canvas.height()) + " pixels.");
  const std::vector<double> x_ticks = fitting_ticks(axes.x, axes.width, true, whole);
  const std::vector<std::string> x_labels = tick_labels(x_ticks);

  const int bottom = axes.top + axes.height;
  for (std::size_t i = 0; i < y_ticks.size(); ++i) {
    const int y = static_cast<int>(std::lround(axes.py(y_ticks[i])));
    canvas.fill(axes.left, y, axes.width, 1, kGrid);
    canvas.fill(axes.left - kTick, y, kTick, 1, kAxis);
    canvas.text(axes.left - kTick - 6, y - text_height() / 2, y_labels[i], kFaint, 2, Align::kRight);
  }
  for (std::size_t i = 0; i < x_ticks.size(); ++i) {
    const int x = static_cast<int>(std::lround(axes.px(x_ticks[i])));
    canvas.fill(x, axes.top, 1, axes.height, kGrid);
    canvas.fill(x, bottom, 1, kTick, kAxis);
    canvas.text(x, bottom + kTick + 6, x_labels[i], kFaint, 2, Align::kCenter);
  }
  canvas.fill(axes.left, axes.top, 1, axes.height + 1, kAxis);
  canvas.fill(axes.left, bottom, axes.width, 1, kAxis);
  canvas.text_up(box.left, axes.top + axes.height / 2, panel.y_label, kInk, 2, Align::kCenter);
  canvas.text(axes.left + axes.width / 2, bottom + kTick + 6 + text_height() + kGap, x_label, kInk, 2, Align::kCenter);
  // With the width that it was measured for, however wide the y labels turned out.
  legend(&canvas, panel, std::min(axes.left, box.left + box.width - legend_width), box.top, legend_width);

  for (std::size_t i = 0; i < panel.series.size(); ++i) {
    const Series& series = panel.series[i];
    std::vector<double> px, py;
    for (const double v : series.x) px.push_back(axes.px(v));
    for (const double v : series.y) py.push_back(axes.py(v));
    // Many points make a noisy curve, which a thick line would turn into a band.
    const bool dense = static_cast<int>(series.x.size()) > axes.width;
    canvas.path(px, py, color_of(panel, i), dense ? 1.2 : 2.5);
    if (!series.markers) continue;
    for (std::size_t k = 0; k < px.size(); ++k) canvas.line(px[k], py[k], px[k], py[k], color_of(panel, i), 8);
  }
}

}  // namespace

std::vector<double> nice_ticks(double low, double high, int count, bool whole) {
  if (!(low < high) || !std::isfinite(high - low)) return std::isfinite(low) ? std::vector{low} : std::vector<double>{};
  const double raw = (high - low) / std::max(count, 1);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= raw * (1 - 1e-9)) step = factor * power;
  if (whole) step = std::max(step, 1.0);
  std::vector<double> out;
  const double first = std::ceil(low / step - 1e-9);
  // Ends that no multiple reaches, and ranges beyond a double's precision, stop the loop too.
  for (double k = first; k * step <= high + 1e-9 * step && out.size() < 1000; k += 1) out.push_back(k * step + 0.0);
  return out;
}

std::vector<std::string> tick_labels(const std::vector<double>& ticks) {
  std::vector<std::string> out;
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 0;
  double largest = 0;
  for (const double t : ticks) largest = std::max(largest, std::fabs(t));
  const bool plain = step == 0 || (largest < 1e6 && step >= 1e-5);
  int decimals = 0;
  while (step > 0 && decimals < 5 &&
         std::fabs(step * std::pow(10, decimals) - std::round(step * std::pow(10, decimals))) > 1e-6)
    ++decimals;
  for (const double t : ticks) {
    char text[48];
    // A tick that rounding left beside zero is zero.
    const double v = std::fabs(t) < 1e-9 * step ? 0 : t;
    if (plain && step > 0)
      std::snprintf(text, sizeof text, "%.*f", decimals, v);
    else
      std::snprintf(text, sizeof text, "%.6g", v);
    out.emplace_back(text);
  }
  return out;
}

Canvas draw_plot(const Plot& plot, SourceLocation loc) {
  const LocationScope scope(loc, "draw_plot");
  if (plot.panels.empty()) throw ValueError("line_plot: a plot must have a panel; got none.");
  Canvas canvas(plot.width, plot.height);
  int top = kMargin;
  if (!plot.title.empty()) {
    canvas.text(plot.width / 2, top, plot.title, kInk, 3, Align::kCenter);
    top += text_height(3) + 3 * kGap / 2;
  }
  const int count = static_cast<int>(plot.panels.size()), between = 3 * kGap;
  // The last tick's label hangs over a panel's right end by half its width, hence the margin twice.
  const int width = (plot.width - 3 * kMargin - (count - 1) * between) / count;
  for (int i = 0; i < count; ++i)
    draw_panel(canvas, plot.panels[static_cast<std::size_t>(i)], plot.x_label,
               {kMargin + i * (width + between), top, width, plot.height - top - kMargin});
  return canvas;
}

void line_plot(const std::string& path, const Plot& plot, SourceLocation loc) {
  const LocationScope scope(loc, "line_plot");
  draw_plot(plot).write(path);
}

void line_plot(const std::string& path, const std::string& title, const std::string& x_label,
               const std::string& y_label, std::vector<Series> series, SourceLocation loc) {
  line_plot(path, Plot{.title = title, .x_label = x_label, .panels = {{y_label, std::move(series)}}, .width = 800},
            loc);
}

}  // namespace weft::train
