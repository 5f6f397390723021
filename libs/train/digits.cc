#include "train/digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "weft/base/error.h"

namespace weft::train {

namespace {

constexpr int kSide = 28;
constexpr double kPi = std::numbers::pi;

// SplitMix64 (Steele, Lea and Flood, 2014): every seed gives a good stream, so each image has its own.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  double uniform(double low, double high) { return low + (high - low) * static_cast<double>(bits() >> 11) * 0x1p-53; }
  int below(int n) { return static_cast<int>(bits() % static_cast<std::uint64_t>(n)); }
  bool chance(double p) { return uniform(0, 1) < p; }
  /// Near normal: the sum of four uniform numbers, scaled; bounded by 3.5 deviations.
  double normal(double deviation) {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += uniform(-1, 1);
    return sum * deviation * std::sqrt(0.75);
  }

 private:
  std::uint64_t state_;
};

struct Point {
  double x, y;
};
using Stroke = std::vector<Point>;

// Glyphs live in the box [0, 1] x [0, 1], y downwards. A pen collects strokes whose control points are jittered
// as they are set, and rounds them by a Catmull-Rom spline where asked.
class Pen {
 public:
  explicit Pen(Random& random) : random_(random) {}

  Point near(double x, double y, double deviation = 0.038) {
    return {x + random_.normal(deviation), y + random_.normal(deviation)};
  }
  void straight(const Stroke& points) { strokes_.push_back(points); }
  void smooth(const Stroke& points) {
    Stroke out;
    const auto at = [&](std::ptrdiff_t i) {
      return points[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(i, 0, std::ssize(points) - 1))];
    };
    for (std::ptrdiff_t i = 0; i + 1 < std::ssize(points); ++i) {
      const Point a = at(i - 1), b = at(i), c = at(i + 1), d = at(i + 2);
      const auto blend = [](double p, double q, double r, double s, double t) {
        return 0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t * t + (3 * q - p - 3 * r + s) * t * t * t);
      };
      for (int k = 0; k < 6; ++k) {
        const double t = k / 6.0;
        out.push_back({blend(a.x, b.x, c.x, d.x, t), blend(a.y, b.y, c.y, d.y, t)});
      }
    }
    out.push_back(points.back());
    strokes_.push_back(std::move(out));
  }
  /// Part of an ellipse, clockwise from angle `from` to `to` in turns; 0 points right, 0.25 down.
  Stroke arc(double x, double y, double rx, double ry, double from, double to, double deviation = 0.02) {
    rx *= 1 + random_.normal(0.08), ry *= 1 + random_.normal(0.08);
    const int n = std::max(3, static_cast<int>(std::lround(std::fabs(to - from) * 9)));
    Stroke out;
    for (int i = 0; i <= n; ++i) {
      const double angle = 2 * kPi * (from + (to - from) * i / n);
      out.push_back(near(x + rx * std::cos(angle), y + ry * std::sin(angle), deviation));
    }
    return out;
  }
  const std::vector<Stroke>& strokes() const { return strokes_; }

 private:
  Random& random_;
  std::vector<Stroke> strokes_;
};

Stroke operator+(Stroke a, const Stroke& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void draw_glyph(int digit, Pen& pen, Random& random) {
  switch (digit) {
    case 0: {
      const double start = random.uniform(0.6, 0.85), width = random.uniform(0.24, 0.4);
      pen.smooth(pen.arc(0.5, 0.5, width, 0.46, start, start + random.uniform(0.97, 1.06), 0.015));
      break;
    }
    case 1: {
      const double lean = random.normal(0.05);
      const Point top = pen.near(0.5 + lean, 0.04), foot = pen.near(0.5 - lean, 0.97);
      pen.straight({top, foot});
      if (random.chance(0.35)) pen.straight({pen.near(0.3, 0.25), top});
      if (random.chance(0.15)) pen.straight({pen.near(0.28, 0.97), pen.near(0.72, 0.97)});
      break;
    }
    case 2: {
      const Stroke head = {pen.near(0.18, 0.25), pen.near(0.32, 0.07), pen.near(0.6, 0.04),
                           pen.near(0.78, 0.22), pen.near(0.7, 0.46),  pen.near(0.45, 0.7)};
      if (random.chance(0.4)) {  // with a loop at the foot
        pen.smooth(head + Stroke{pen.near(0.25, 0.93), pen.near(0.13, 0.87), pen.near(0.24, 0.77), pen.near(0.5, 0.9),
                                 pen.near(0.9, 0.93)});
      } else {
        const Point corner = pen.near(0.16, 0.95);
        pen.smooth(head + Stroke{corner});
        pen.straight({corner, pen.near(0.85, 0.94)});
      }
      break;
    }
    case 3: {
      const Point waist = pen.near(0.45, 0.46);
      if (random.chance(0.15)) {  // flat-topped
        const Point corner = pen.near(0.76, 0.07);
        pen.straight({pen.near(0.22, 0.07), corner, waist});
      } else {
        pen.smooth({pen.near(0.2, 0.18), pen.near(0.42, 0.04), pen.near(0.7, 0.1), pen.near(0.72, 0.32), waist});
      }
      pen.smooth({waist, pen.near(0.72, 0.53), pen.near(0.82, 0.74), pen.near(0.62, 0.95), pen.near(0.34, 0.95),
                  pen.near(0.15, 0.82)});
      break;
    }
    case 4: {
      const Point bend = pen.near(0.15, 0.6), end = pen.near(0.87, 0.58);
      if (random.chance(0.4)) {  // closed
        const Point top = pen.near(0.62, 0.04);
        pen.straight({top, bend, end});
        pen.straight({top, pen.near(0.62, 0.97)});
      } else {
        pen.straight({pen.near(0.28, 0.06), bend, end});
        pen.straight({pen.near(0.7, 0.05), pen.near(0.64, 0.97)});
      }
      break;
    }
    case 5: {
      const Point corner = pen.near(0.27, 0.07), waist = pen.near(0.23, 0.42);
      pen.straight({pen.near(0.8, 0.06), corner, waist});
      pen.smooth({waist, pen.near(0.48, 0.38), pen.near(0.74, 0.5), pen.near(0.78, 0.75), pen.near(0.52, 0.95),
                  pen.near(0.17, 0.86)});
      break;
    }
    case 6: {
      pen.smooth({pen.near(random.uniform(0.5, 0.74), 0.04), pen.near(0.36, 0.26), pen.near(0.21, 0.56),
                  pen.near(0.25, 0.84), pen.near(0.48, 0.96), pen.near(0.74, 0.84), pen.near(0.75, 0.62),
                  pen.near(0.52, 0.5), pen.near(0.26, 0.68)});
      break;
    }
    case 7: {
      const Point corner = pen.near(0.82, 0.08), foot = pen.near(0.4, 0.97);
      pen.straight({pen.near(0.15, 0.1), corner});
      pen.smooth({corner, pen.near(0.6, 0.48), foot});
      if (random.chance(0.3)) pen.straight({pen.near(0.36, 0.52), pen.near(0.8, 0.5)});
      break;
    }
    case 8: {
      if (random.chance(0.5)) {  // two rings
        pen.smooth(pen.arc(0.5, 0.26, 0.25, 0.22, 0.25, 1.27));
        pen.smooth(pen.arc(0.5, 0.72, 0.31, 0.24, 0.75, 1.77));
      } else {  // one crossing stroke
        pen.smooth({pen.near(0.74, 0.15), pen.near(0.5, 0.04), pen.near(0.26, 0.18), pen.near(0.4, 0.42),
                    pen.near(0.68, 0.6), pen.near(0.76, 0.82), pen.near(0.5, 0.96), pen.near(0.24, 0.82),
                    pen.near(0.36, 0.58), pen.near(0.64, 0.38), pen.near(0.75, 0.16)});
      }
      break;
    }
    default: {
      const Point join = pen.near(0.76, 0.22);
      pen.smooth(Stroke{join} + pen.arc(0.5, 0.29, 0.26, 0.24, 0.85, -0.03));
      if (random.chance(0.5))
        pen.straight({join, pen.near(0.72, 0.97)});
      else
        pen.smooth({join, pen.near(0.74, 0.55), pen.near(0.62, 0.85), pen.near(random.uniform(0.3, 0.5), 0.97)});
      break;
    }
  }
}

double distance(double px, double py, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  const double t = length2 > 0 ? std::clamp(((px - a.x) * dx + (py - a.y) * dy) / length2, 0.0, 1.0) : 0.0;
  return std::hypot(px - a.x - t * dx, py - a.y - t * dy);
}

void draw_digit(int digit, Random& random, std::uint8_t* out) {
  Pen pen(random);
  draw_glyph(digit, pen, random);

  // MNIST's proportions: the glyph fills about 20 of 28 pixels.
  const double height = random.uniform(16.5, 21), width = height * random.uniform(0.62, 0.95);
  const double turn = random.normal(0.1), slant = random.normal(0.16) - 0.08;
  const double cx = 14 + random.normal(0.9), cy = 14 + random.normal(0.9);
  const double half = random.uniform(0.75, 1.9), soft = random.uniform(0.9, 1.5);
  const auto place = [&](Point p) {
    const double v = (p.y - 0.5) * height, u = (p.x - 0.5) * width + slant * v;
    return Point{cx + u * std::cos(turn) - v * std::sin(turn), cy + u * std::sin(turn) + v * std::cos(turn)};
  };
  std::array<double, kSide * kSide> nearest;
  nearest.fill(kSide);
  const double reach = half + soft;
  for (const Stroke& stroke : pen.strokes())
    for (std::size_t i = 0; i + 1 < stroke.size(); ++i) {
      const Point a = place(stroke[i]), b = place(stroke[i + 1]);
      const auto bound = [](double v) { return static_cast<int>(std::clamp<double>(std::floor(v), 0, kSide)); };
      const int x_end = bound(std::max(a.x, b.x) + reach + 1), y_end = bound(std::max(a.y, b.y) + reach + 1);
      for (int y = bound(std::min(a.y, b.y) - reach); y < y_end; ++y)
        for (int x = bound(std::min(a.x, b.x) - reach); x < x_end; ++x) {
          double& d = nearest[static_cast<std::size_t>(y) * kSide + static_cast<std::size_t>(x)];
          d = std::min(d, distance(x + 0.5, y + 0.5, a, b));
        }
    }
  const double ink = random.uniform(225, 255), noise = random.chance(0.3) ? random.uniform(4, 18) : 0;
  for (int i = 0; i < kSide * kSide; ++i) {
    double v = ink * std::clamp((half + soft / 2 - nearest[static_cast<std::size_t>(i)]) / soft, 0.0, 1.0);
    if (noise > 0) v += random.normal(noise);
    out[i] = static_cast<std::uint8_t>(std::clamp<double>(std::round(v), 0, 255));
  }
}

}  // namespace

DrawnDigits draw_digits(std::int64_t n, std::uint64_t seed, SourceLocation loc) {
  const LocationScope scope(loc, "draw_digits");
  if (n < 0) throw ValueError("draw_digits: n must not be negative; got " + std::to_string(n) + ".");
  DrawnDigits out;
  out.images.resize(static_cast<std::size_t>(n) * kSide * kSide);
  out.labels.resize(static_cast<std::size_t>(n));
  const std::uint64_t stream = Random(seed).bits();
  for (std::size_t i = 0; i < out.labels.size(); ++i) {
    // Mixed twice: with a plain exclusive or, image i of one seed could be image k of another.
    Random random(Random(stream + i).bits());
    out.labels[i] = static_cast<std::uint8_t>(random.below(10));
    draw_digit(out.labels[i], random, out.images.data() + i * kSide * kSide);
  }
  return out;
}

}  // namespace weft::train
