#include "weft/cpu/kernels/winograd.h"

#include <algorithm>
#include <numeric>

#include "weft/base/error.h"
#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/isa.h"
#include "weft/cpu/kernels/scratch.h"

namespace weft::cpu {

namespace {

using Computes = ConvolutionForm::Computes;

constexpr std::int64_t kTile = 4;
// Of fewer the weights, which are transformed first, would cost more than is gained.
constexpr std::int64_t kLeastTiles = 64;
// Features go through registers of so many.
constexpr std::int64_t kFeatures = 16;
// Weights that this cache holds beside the tiles are read again for every few tiles.
constexpr std::int64_t kNearBytes = 1 << 20, kFarBytes = 8 << 20;
constexpr std::int64_t kLeastSteps = 4;

std::int64_t tiles_along(std::int64_t n) { return (n + kTile - 1) / kTile; }

// One image of results: what is read, what is written, and how far the first reads before its own place. The gradient
// of the source is a convolution of the result's cotangent with the weights read backwards, their features exchanged.
WinogradArgs args_of(const ConvolutionForm& f, float* src, const float* weights, float* dst) {
  const bool forward = f.computes == Computes::kDst;
  const Dims &in_sizes = forward ? f.src : f.dst, &out_sizes = forward ? f.dst : f.src;
  const Dims &in_strides = forward ? f.src_strides : f.dst_strides,
             &out_strides = forward ? f.dst_strides : f.src_strides;
  const Dims& w = f.weights_strides;
  WinogradArgs a{};
  a.batch = f.batch;
  a.in_features = forward ? f.in_features : f.out_features;
  a.out_features = forward ? f.out_features : f.in_features;
  a.in = forward ? src + f.src_begin : dst + f.dst_begin;
  a.out = forward ? dst + f.dst_begin : src + f.src_begin;
  a.weights = weights + f.weights_begin;
  a.in_batch = in_strides[0];
  a.out_batch = out_strides[0];
  a.weights_in = w[forward ? 2 : 1];
  a.weights_out = w[forward ? 1 : 2];
  for (std::size_t i = 0; i < 2; ++i) {
    a.in_size[i] = in_sizes[i];
    a.in_step[i] = in_strides[3 + i];
    a.out_size[i] = out_sizes[i];
    a.out_step[i] = out_strides[3 + i];
    a.tiles[i] = tiles_along(out_sizes[i]);
    a.low[i] = forward ? f.low[i] : 2 - f.low[i];
    a.weights_step[i] = forward ? w[3 + i] : -w[3 + i];
    if (!forward) a.weights += 2 * w[3 + i];
  }
  return a;
}

// How many tiles are computed at a time. Few leave what lies between the transforms in the caches, and something to do
// for every thread; many read the weights less often. Whole rows of tiles where these are not too long, so that what a
// step writes is of one piece.
std::int64_t step_of(std::int64_t tiles, std::int64_t row, std::int64_t weight_bytes) {
  const std::int64_t most = weight_bytes <= kNearBytes ? 32 : weight_bytes <= kFarBytes ? 96 : 192;
  const std::int64_t wanted = std::min(most, (tiles - 1) / kLeastSteps + 1);
  return row > 2 * wanted ? wanted : std::max<std::int64_t>(1, wanted / row) * row;
}

// Elements of the result before row `row` of tiles of all images, for dense results.
std::int64_t elements_before(const WinogradArgs& a, std::int64_t row) {
  const std::int64_t line = a.out_size[1] * a.out_features;
  return (row / a.tiles[0] * a.out_size[0] + row % a.tiles[0] * kTile) * line;
}
// Whether the result is dense and rows of its tiles are multiples of the granule.
bool fits(const WinogradArgs& a, std::int64_t granule) {
  const std::int64_t line = a.out_size[1] * a.out_features;
  const bool dense =
      a.out_step[1] == a.out_features && a.out_step[0] == line && (a.batch == 1 || a.out_batch == a.out_size[0] * line);
  return dense && line * std::gcd(kTile, a.out_size[0]) % granule == 0;
}

}  // namespace

bool can_winograd(const ConvolutionForm& f) {
  if (f.computes == Computes::kWeights || f.src.size() != 2 || f.groups != 1) return false;
  if (f.in_features % kFeatures || f.out_features % kFeatures) return false;
  const bool forward = f.computes == Computes::kDst;
  const Dims& out = forward ? f.dst : f.src;
  for (std::size_t i = 0; i < 2; ++i)
    if (f.kernel[i] != 3 || f.stride[i] != 1 || f.dilation[i] != 1 || f.low[i] > 2 || out[i] < 6) return false;
  if (f.src_strides[2] != 1 || f.dst_strides[2] != 1) return false;
  return f.batch * tiles_along(out[0]) * tiles_along(out[1]) >= kLeastTiles;
}

bool winograd(const ConvolutionForm& f, float* src, const float* weights, float* dst, const Epilogue* epilogue) {
  internal_check(can_winograd(f), "winograd: another kind of convolution");
  const WinogradKernel& kernel = isa_kernels().winograd();
  WinogradArgs args = args_of(f, src, weights, dst);
  const std::int64_t weight_bytes = kernel.weight_bytes(args.in_features, args.out_features);
  const Scratch transformed(weight_bytes);
  args.transformed = reinterpret_cast<float*>(transformed.data());
  constexpr std::int64_t kWeightRange = 8192;  // of pairs of features, worth another thread
  parallel_for(args.in_features, std::max<std::int64_t>(1, kWeightRange / args.out_features),
               [&](std::int64_t begin, std::int64_t end) { kernel.transform_weights(args, begin, end); });
  const std::int64_t tiles = args.batch * args.tiles[0] * args.tiles[1];
  const std::int64_t step = step_of(tiles, args.tiles[1], weight_bytes), steps = (tiles - 1) / step + 1;
  const std::int64_t row = args.tiles[1];
  const bool followed = epilogue && step % row == 0 && fits(args, epilogue->granule);
  parallel_for(steps, 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch workspace(kernel.workspace_bytes(args.in_features, args.out_features, step));
    for (std::int64_t s = begin; s < end; ++s) {
      const std::int64_t first = s * step, last = std::min(first + step, tiles);
      kernel.run(args, first, last - first, workspace.data());
      if (followed) epilogue->run(elements_before(args, first / row), elements_before(args, last / row));
    }
  });
  return followed;
}

}  // namespace weft::cpu
