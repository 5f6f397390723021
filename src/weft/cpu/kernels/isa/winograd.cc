// Winograd's F(4x4, 3x3): transforms of the input, of weights and of products, and the 36 products between them.
#include "weft/cpu/kernels/isa/gemm.h"

namespace weft::cpu::WEFT_ISA {
namespace {

using V = Vector<float>;
using S = Tile<float>;
constexpr std::int64_t kLanes = S::kLanes;
constexpr int kSide = 6, kOut = 4, kPlaces = kSide * kSide;
// Between the matrices of two places, so that these do not fall into the same sets of the caches.
constexpr std::int64_t kApart = 16;
constexpr std::int64_t kLine = 64 / sizeof(float);  // of a cache

std::int64_t padded(std::int64_t features) { return round_up(features, S::kColumns); }

// ---- one axis of each transform: the matrices B^T, G and A^T for the points 0, 1, -1, 2, -2 and infinity ----

template <class T>
WEFT_INLINE void transform_input(const T (&d)[kSide], T (&v)[kSide]) {
  v[0] = 4.0f * d[0] + (d[4] - 5.0f * d[2]);
  const T even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1];
  v[1] = even + odd;
  v[2] = even - odd;
  const T far_even = d[4] - d[2], far_odd = d[3] - d[1];
  v[3] = far_even + 2.0f * far_odd;
  v[4] = far_even - 2.0f * far_odd;
  v[5] = 4.0f * d[1] + (d[5] - 5.0f * d[3]);
}

template <class T>
WEFT_INLINE void transform_weight(const T (&g)[3], T (&u)[kSide]) {
  u[0] = 0.25f * g[0];
  const T even = (g[0] + g[2]) * (-1.0f / 6), odd = g[1] * (-1.0f / 6);
  u[1] = even + odd;
  u[2] = even - odd;
  const T far_even = (1.0f / 24) * g[0] + (1.0f / 6) * g[2], far_odd = (1.0f / 12) * g[1];
  u[3] = far_even + far_odd;
  u[4] = far_even - far_odd;
  u[5] = g[2];
}

template <class T>
WEFT_INLINE void transform_products(const T (&m)[kSide], T (&y)[kOut]) {
  const T even = m[1] + m[2], odd = m[1] - m[2], far_even = m[3] + m[4], far_odd = m[3] - m[4];
  y[0] = m[0] + even + far_even;
  y[1] = odd + 2.0f * far_odd;
  y[2] = even + 4.0f * far_even;
  y[3] = odd + 8.0f * far_odd + m[5];
}

// ---- weights: [place][panel of output features][input feature][feature of the panel] ----

std::int64_t weight_bytes(std::int64_t in_features, std::int64_t out_features) {
  return kPlaces * (in_features * padded(out_features) + kApart) * static_cast<std::int64_t>(sizeof(float));
}

void transform_weights(const WinogradArgs& a, std::int64_t begin, std::int64_t end) {
  const std::int64_t place = a.in_features * padded(a.out_features) + kApart;
  for (std::int64_t c = begin; c < end; ++c)
    for (std::int64_t k = 0; k < padded(a.out_features); k += kLanes) {
      V g[3][3] = {};
      for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 3; ++x) {
          float lanes[kLanes];
          const float* from =
              a.weights + c * a.weights_in + k * a.weights_out + y * a.weights_step[0] + x * a.weights_step[1];
          for (std::int64_t l = 0; l < kLanes; ++l) lanes[l] = k + l < a.out_features ? from[l * a.weights_out] : 0.0f;
          g[y][x] = load<V>(lanes);
        }
      V columns[kSide][3];
      for (int x = 0; x < 3; ++x) {
        const V column[3] = {g[0][x], g[1][x], g[2][x]};
        V u[kSide];
        transform_weight(column, u);
        for (int y = 0; y < kSide; ++y) columns[y][x] = u[y];
      }
      const std::int64_t panel = k / S::kColumns, at = k % S::kColumns;
      float* to = a.transformed + (panel * a.in_features + c) * S::kColumns + at;
      for (int y = 0; y < kSide; ++y) {
        V u[kSide];
        transform_weight(columns[y], u);
        for (int x = 0; x < kSide; ++x) store(to + (y * kSide + x) * place, u[x]);
      }
    }
}

// ---- tiles ----

// Where tile t of all lies.
struct Position {
  const float* in;  // its first input, perhaps outside of the image
  float* out;
  std::int64_t in_y, in_x, out_y, out_x;
};
Position position_of(const WinogradArgs& a, std::int64_t t) {
  const std::int64_t tx = t % a.tiles[1], ty = t / a.tiles[1] % a.tiles[0], image = t / a.tiles[1] / a.tiles[0];
  Position p;
  p.out_y = ty * kOut;
  p.out_x = tx * kOut;
  p.in_y = p.out_y - a.low[0];
  p.in_x = p.out_x - a.low[1];
  p.in = a.in + image * a.in_batch + p.in_y * a.in_step[0] + p.in_x * a.in_step[1];
  p.out = a.out + image * a.out_batch + p.out_y * a.out_step[0] + p.out_x * a.out_step[1];
  return p;
}

// `to`: of the first place, this tile's row.
template <bool kInside>
void input_tile(const WinogradArgs& a, const Position& p, float* to, std::int64_t place) {
  const auto is_inside = [&](int y, int x) {
    return p.in_y + y >= 0 && p.in_y + y < a.in_size[0] && p.in_x + x >= 0 && p.in_x + x < a.in_size[1];
  };
  for (std::int64_t c = 0; c < a.in_features; c += kLanes) {
    V columns[kSide][kSide];
#pragma GCC unroll 6
    for (int x = 0; x < kSide; ++x) {
      V d[kSide], v[kSide];
#pragma GCC unroll 6
      for (int y = 0; y < kSide; ++y)
        d[y] = kInside || is_inside(y, x) ? load<V>(p.in + y * a.in_step[0] + x * a.in_step[1] + c) : V{};
      transform_input(d, v);
#pragma GCC unroll 6
      for (int y = 0; y < kSide; ++y) columns[y][x] = v[y];
    }
#pragma GCC unroll 6
    for (int y = 0; y < kSide; ++y) {
      V v[kSide];
      transform_input(columns[y], v);
#pragma GCC unroll 6
      for (int x = 0; x < kSide; ++x) store(to + (y * kSide + x) * place + c, v[x]);
    }
  }
}

// `from`: of the first place, this tile's row.
void output_tile(const WinogradArgs& a, const Position& p, const float* from, std::int64_t place) {
  const auto least_of = [](std::int64_t left) { return static_cast<int>(least(kOut, left)); };
  const int rows = least_of(a.out_size[0] - p.out_y), columns = least_of(a.out_size[1] - p.out_x);
  for (std::int64_t k = 0; k < a.out_features; k += kLanes) {
    V half[kOut][kSide];
#pragma GCC unroll 6
    for (int x = 0; x < kSide; ++x) {
      V m[kSide], y[kOut];
#pragma GCC unroll 6
      for (int i = 0; i < kSide; ++i) m[i] = load<V>(from + (i * kSide + x) * place + k);
      transform_products(m, y);
#pragma GCC unroll 4
      for (int i = 0; i < kOut; ++i) half[i][x] = y[i];
    }
#pragma GCC unroll 4
    for (int i = 0; i < kOut; ++i) {
      V y[kOut];
      transform_products(half[i], y);
      if (i >= rows) continue;
      float* to = p.out + i * a.out_step[0] + k;
#pragma GCC unroll 4
      for (int x = 0; x < kOut; ++x)
        if (x < columns) store(to + x * a.out_step[1], y[x]);
    }
  }
}

// Asks for what the transforms of tiles [first, last) will move: for `written`, their results, else what they read and
// the tiles before them do not. While products are made, memory has nothing else to do, and the steps between pixels
// are no pattern that the processor would see.
template <bool kWritten>
void fetch_tiles(const WinogradArgs& a, std::int64_t first, std::int64_t last) {
  last = least(last, a.batch * a.tiles[0] * a.tiles[1]);
  for (std::int64_t t = first; t < last; ++t) {
    const Position p = position_of(a, t);
    const float* from = kWritten ? p.out : p.in + (kSide - kOut) * a.in_step[1];
    const std::int64_t *step = kWritten ? a.out_step : a.in_step, features = kWritten ? a.out_features : a.in_features;
    for (int y = 0; y < (kWritten ? kOut : kSide); ++y)
      for (int x = 0; x < kOut; ++x)
        for (std::int64_t c = 0; c < features; c += kLine)
          __builtin_prefetch(from + y * step[0] + x * step[1] + c, kWritten, 2);
  }
}

std::int64_t workspace_bytes(std::int64_t in_features, std::int64_t out_features, std::int64_t tiles) {
  return kPlaces * (tiles * (in_features + padded(out_features)) + 2 * kApart) *
         static_cast<std::int64_t>(sizeof(float));
}

void run(const WinogradArgs& a, std::int64_t first, std::int64_t count, char* workspace) {
  const std::int64_t c = a.in_features, k = padded(a.out_features);
  const std::int64_t in_place = count * c + kApart, out_place = count * k + kApart, weight_place = c * k + kApart;
  float* in = reinterpret_cast<float*>(workspace);
  float* out = in + kPlaces * in_place;
  for (std::int64_t t = 0; t < count; ++t) {
    const Position p = position_of(a, first + t);
    const bool inside = p.in_y >= 0 && p.in_y + kSide <= a.in_size[0] && p.in_x >= 0 && p.in_x + kSide <= a.in_size[1];
    if (inside)
      input_tile<true>(a, p, in + t * c, in_place);
    else
      input_tile<false>(a, p, in + t * c, in_place);
  }
  for (int q = 0; q < kPlaces; ++q) {
    const std::int64_t begin = first + count * q / kPlaces, end = first + count * (q + 1) / kPlaces;
    fetch_tiles<false>(a, begin + count, end + count);
    fetch_tiles<true>(a, begin, end);
    for (std::int64_t p0 = 0; p0 < c; p0 += S::kDepth) {
      const std::int64_t depth = least(S::kDepth, c - p0);
      for (std::int64_t j = 0; j < k; j += S::kColumns)
        for (std::int64_t i = 0; i < count; i += S::kRows) {
          float* o = out + q * out_place + i * k + j;
          tile_of<float>(count - i, StridedRows<float>{in + q * in_place + i * c + p0, c, 1},
                         a.transformed + q * weight_place + j * c + p0 * S::kColumns, S::kColumns, depth, o, k,
                         S::kColumns, p0 > 0, {o, 0});
        }
    }
  }
  for (std::int64_t t = 0; t < count; ++t) output_tile(a, position_of(a, first + t), out + t * k, out_place);
}

constexpr WinogradKernel kWinograd = {weight_bytes, transform_weights, workspace_bytes, run};

}  // namespace

const WinogradKernel& winograd() { return kWinograd; }

}  // namespace weft::cpu::WEFT_ISA
