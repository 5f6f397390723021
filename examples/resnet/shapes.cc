// The drawn images: each is a function of a key and a label, of signed distances to what is in it. Drawing many is
// vmap.
#include <numbers>

#include "data.h"

namespace resnet {

using weft::Array;
namespace np = weft::np;
namespace rnd = weft::random;

namespace {

constexpr int kSide = 32;

// ---- signed distances of points (x, y) to shapes of radius 1, negative inside ----

// The angle to the nearest of n directions around, one of which is that of x, and the distance from the middle.
struct Polar {
  Array angle, radius;
};
Polar folded(const Array& x, const Array& y, int n) {
  const double sector = 2 * std::numbers::pi / n;
  return {np::abs(np::mod(np::arctan2(y, x) + sector / 2, sector) - sector / 2), np::hypot(x, y)};
}
Array box(const Array& x, const Array& y, double width, double height) {
  return np::maximum(np::abs(x) - width, np::abs(y) - height);
}

Array disk(const Array& x, const Array& y) { return np::hypot(x, y) - 0.9; }
Array ring(const Array& x, const Array& y) { return np::abs(np::hypot(x, y) - 0.75) - 0.2; }
Array square(const Array& x, const Array& y) { return box(x, y, 0.72, 0.72); }
Array frame(const Array& x, const Array& y) { return np::abs(box(x, y, 0.6, 0.6)) - 0.17; }
Array triangle(const Array& x, const Array& y) {
  const Polar p = folded(x, y, 3);
  return p.radius * np::cos(p.angle) - 0.5;
}
Array cross(const Array& x, const Array& y) { return np::minimum(box(x, y, 0.95, 0.27), box(x, y, 0.27, 0.95)); }
Array star(const Array& x, const Array& y) {
  // Five tips at radius 1, and notches at radius 0.4 between them: beyond the straight line from a tip to a notch.
  const Polar p = folded(x, y, 5);
  const double notch_x = 0.4 * std::cos(std::numbers::pi / 5), notch_y = 0.4 * std::sin(std::numbers::pi / 5);
  const double length = std::hypot(notch_x - 1, notch_y);
  return (p.radius * np::cos(p.angle) - 1) * (notch_y / length) +
         p.radius * np::sin(p.angle) * ((1 - notch_x) / length);
}
Array crescent(const Array& x, const Array& y) {
  return np::maximum(np::hypot(x, y) - 1, 0.75 - np::hypot(x - 0.5, y));
}
Array half_disk(const Array& x, const Array& y) { return np::maximum(np::hypot(x, y - 0.4) - 1, 0.4 - y); }
Array bars(const Array& x, const Array& y) { return box(x, np::abs(y) - 0.55, 0.9, 0.25); }

struct Shape {
  const char* name;
  Array (*distance)(const Array& x, const Array& y);
};
constexpr Shape kShapes[] = {{"disk", disk},           {"ring", ring},   {"square", square}, {"frame", frame},
                             {"triangle", triangle},   {"cross", cross}, {"star", star},     {"crescent", crescent},
                             {"half disk", half_disk}, {"bars", bars}};

// ---- pictures ----

// The picture with a colour where the distance, in pixels, is negative; edges are smooth.
Array painted(const Array& picture, const Array& distance, const Array& color) {
  const Array cover = np::clip(0.5 - distance, 0, 1)(weft::ellipsis, weft::newaxis);
  return picture + cover * (color - picture);
}

// u8[32, 32, 3]
Array draw(const Array& key, const Array& label) {
  const Array keys = rnd::split(key, 6);
  const Array y = np::indices({kSide, kSide}, weft::f32)(0) + 0.5, x = np::indices({kSide, kSide}, weft::f32)(1) + 0.5;

  // The shape is brighter than the background, which becomes lighter towards one side.
  const Array background = rnd::uniform(keys(0), {3}, weft::f32, 0.0, 0.6);
  const Array color = background + rnd::uniform(keys(1), {3}, weft::f32, 0.2, 0.5);
  const Array u = rnd::uniform(keys(2), {5});
  const Array towards = 2 * np::pi * u(0),
              light = np::cos(towards) * (x / kSide - 0.5) + np::sin(towards) * (y / kSide - 0.5);
  Array picture = background + 0.3 * light(weft::ellipsis, weft::newaxis);

  const Array radius = 6 + 6 * u(1), angle = 2 * np::pi * u(2);
  const Array dx = x - (radius + u(3) * (kSide - 2 * radius)), dy = y - (radius + u(4) * (kSide - 2 * radius));
  const Array across = (np::cos(angle) * dx + np::sin(angle) * dy) / radius;
  const Array along = (np::cos(angle) * dy - np::sin(angle) * dx) / radius;
  Array distance = np::full({kSide, kSide}, 1.0f);
  for (int k = 0; k < static_cast<int>(std::size(kShapes)); ++k)
    distance = np::where(label == k, kShapes[k].distance(across, along), distance);
  picture = painted(picture, distance * radius, color);

  // Lines through the picture and spots, which may lie upon the shape.
  constexpr int kLines = 2, kSpots = 3;
  const Array colors = rnd::uniform(keys(3), {kLines + kSpots, 3}), where = rnd::uniform(keys(4), {kLines + kSpots, 3});
  for (int i = 0; i < kLines + kSpots; ++i) {
    const Array ox = x - kSide * where(i, 0), oy = y - kSide * where(i, 1);
    const Array turn = np::pi * where(i, 2);
    picture = painted(picture,
                      i < kLines ? np::abs(np::cos(turn) * ox + np::sin(turn) * oy) - 0.6
                                 : np::hypot(ox, oy) - (1 + 1.5 * where(i, 2)),
                      colors(i));
  }
  picture = picture + 0.08 * rnd::normal(keys(5), {kSide, kSide, 3});
  return np::clip(255.5 * picture, 0, 255).astype(weft::u8);
}

Images draw_many(const Array& key, std::int64_t n) {
  const auto draw_some =
      weft::jit([](const Array& keys, const Array& labels) { return weft::vmap(draw)(keys, labels); });
  const Array keys = rnd::split(key, n);
  const Array labels = np::mod(np::arange(n), static_cast<std::int64_t>(std::size(kShapes))).astype(weft::i32);
  std::vector<Array> parts;
  constexpr std::int64_t kTogether = 500;
  for (std::int64_t i = 0; i < n; i += kTogether) {
    const weft::Index part = weft::slice(i, std::min(i + kTogether, n));
    parts.push_back(draw_some(keys(part), labels(part)));
  }
  return {np::concatenate(parts), labels};
}

}  // namespace

DataSet make_shapes(std::int64_t num_train, std::int64_t num_test, int seed) {
  const Array keys = rnd::split(rnd::key(seed));
  DataSet data{draw_many(keys(0), num_train), draw_many(keys(1), num_test), {}};
  for (const Shape& shape : kShapes) data.classes.emplace_back(shape.name);
  return data;
}

}  // namespace resnet
