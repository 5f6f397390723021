#include "train/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "weft/base/error.h"

namespace weft::train {

namespace {

// To the line's start; clears what stands there.
constexpr std::string_view kRestart = "\r\x1b[K";
constexpr int kWidestBar = 30, kNarrowestBar = 8;

template <class... T>
std::string format(const char* pattern, T... values) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string metric_text(double v) {
  if (!std::isfinite(v)) return std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf";
  const double size = std::fabs(v);
  return format(size != 0 && (size < 1e-3 || size >= 1e5) ? "%.2e" : "%.4f", v);
}

// 950, 12.3k, 1.25M: three or four digits.
std::string rate_text(double v) {
  if (v >= 1e6) return format("%.2fM", v / 1e6);
  if (v >= 1e4) return format("%.1fk", v / 1e3);
  return format(v < 10 ? "%.1f" : "%.0f", v);
}

std::string bar_text(double share, int width) {
  const int inside = width - 2, full = static_cast<int>(share * inside);
  std::string out = "[" + std::string(static_cast<std::size_t>(full), '=');
  if (full < inside) out += '>';
  out.resize(static_cast<std::size_t>(inside) + 1, ' ');
  return out + ']';
}

}  // namespace

ProgressOptions standard_progress() {
  ProgressOptions out;
  out.out = &std::cerr;
  const char* terminal = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nothing here changes it
  out.is_terminal = isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
  out.columns = [] {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? int{size.ws_col} : 80;
  };
  return out;
}

Progress::Progress(std::string label, std::int64_t total, std::string unit, ProgressOptions options, SourceLocation loc)
    : label_(std::move(label)), unit_(std::move(unit)), total_(total), options_(std::move(options)) {
  if (total < 0) {
    const LocationScope scope(loc, "progress");
    throw ValueError("progress: total must not be negative; got " + std::to_string(total) + ".");
  }
  if (!options_.clock)
    options_.clock = [] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    };
  start_ = last_ = options_.clock();
  if (options_.is_terminal) draw(false);
}

Progress::~Progress() {
  if (finished_ || options_.out == nullptr || !options_.is_terminal || !drawn_) return;
  try {
    *options_.out << '\n' << std::flush;
  } catch (...) {  // NOLINT(bugprone-empty-catch): a stream that throws has nothing left to tidy
  }
}

double Progress::elapsed() const { return options_.clock() - start_; }

double Progress::rate() const {
  const double time = elapsed();
  return done_ > 0 && time > 0 ? static_cast<double>(done_) / time : 0;
}

void Progress::advance(std::int64_t count, const Metrics& metrics) {
  done_ += count;
  if (!metrics.empty()) metrics_ = metrics;
  if (finished_ || options_.out == nullptr) return;
  const double due = last_ + (options_.is_terminal ? options_.redraw_seconds : options_.line_seconds);
  if (options_.clock() >= due) draw(false);
}

void Progress::finish(const Metrics& metrics) {
  if (finished_) return;
  if (!metrics.empty()) metrics_ = metrics;
  draw(true);
  finished_ = true;
}

// The parts in order of worth: as many as fit in `room` characters, the bar taking what is left.
std::string Progress::line(int room, bool last) const {
  const double share = total_ > 0 ? std::clamp(static_cast<double>(done_) / static_cast<double>(total_), 0.0, 1.0) : 1;
  const double time = elapsed(), speed = rate();
  std::string out = label_;
  const auto fits = [&](std::size_t more) { return out.size() + more <= static_cast<std::size_t>(std::max(room, 0)); };
  std::vector<std::string> parts;
  // Rounded down: 100 % means all of it.
  if (!last) parts.push_back(format("%3d%%", static_cast<int>(share * 100)));
  for (const auto& [name, value] : metrics_) parts.push_back(name + " " + metric_text(value));
  if (last)
    parts.push_back(duration_text(time));
  else
    parts.push_back("ETA " + duration_text(speed > 0 ? static_cast<double>(total_ - done_) / speed : -1));
  // On a terminal too narrow for everything the rate loses its unit, so that the bar keeps some room.
  if (speed > 0) {
    std::size_t full = out.size() + 2 + rate_text(speed).size() + 1 + unit_.size() + 2;
    for (const std::string& part : parts) full += 2 + part.size();
    const bool bar_too = !last && options_.is_terminal;
    const bool roomy = full + (bar_too ? 2 + kNarrowestBar : 0) <= static_cast<std::size_t>(std::max(room, 0));
    parts.push_back(rate_text(speed) + (roomy ? " " + unit_ : "") + "/s");
  }

  std::string tail;
  std::size_t taken = 0;
  while (taken < parts.size() && fits(tail.size() + 2 + parts[taken].size())) tail += "  " + parts[taken++];
  if (!last && taken == parts.size() && options_.is_terminal && fits(tail.size() + 2 + kNarrowestBar)) {
    const int width = std::min(kWidestBar, room - static_cast<int>(out.size() + tail.size()) - 2);
    out += "  " + bar_text(share, width);
  }
  out += tail;
  if (out.size() > static_cast<std::size_t>(std::max(room, 0))) out.resize(static_cast<std::size_t>(std::max(room, 0)));
  return out;
}

void Progress::draw(bool last) {
  if (options_.out == nullptr) return;
  last_ = options_.clock();
  if (options_.is_terminal) {
    // Not the last column: writing there makes some terminals wrap.
    const int columns = options_.columns ? options_.columns() : 80;
    *options_.out << kRestart << line(columns - 1, last);
    if (last) *options_.out << '\n';
  } else {
    *options_.out << line(1000, last) << '\n';
  }
  options_.out->flush();
  drawn_ = true;
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e9) return "--:--";
  const auto s = static_cast<long long>(std::llround(seconds));
  return s < 3600 ? format("%lld:%02lld", s / 60, s % 60) : format("%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace weft::train
