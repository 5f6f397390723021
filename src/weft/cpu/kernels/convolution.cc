#include "weft/cpu/kernels/convolution.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/layout.h"
#include "weft/cpu/kernels/matmul.h"
#include "weft/cpu/kernels/patches.h"
#include "weft/cpu/kernels/scratch.h"
#include "weft/cpu/kernels/sized_element.h"

namespace weft::cpu {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// Multiplications that are worth another thread.
constexpr std::int64_t kRangeProducts = 1 << 20;
// Up to so many products are rounded one by one, as reference evaluation does it: the terms of a few may cancel, and
// then no other result is right.
constexpr std::int64_t kRoundedProducts = 1 << 15;
// Elements of a block of patches, which the second-level cache holds.
constexpr std::int64_t kPatchElements = 1 << 16;

std::vector<PatchAxis> axes_of(const ConvolutionParams& p, DimSpan lhs, DimSpan rhs, DimSpan out) {
  const ConvDimensionNumbers& d = p.dimension_numbers;
  const Dims xs = row_major_strides(lhs);
  std::vector<PatchAxis> axes;
  for (std::size_t i = 0; i < d.input_spatial.size(); ++i) {
    const bool reversed = std::count(p.reversed.begin(), p.reversed.end(), static_cast<std::int64_t>(i)) > 0;
    axes.push_back({lhs[at(d.input_spatial[i])], rhs[at(d.kernel_spatial[i])], out[at(d.output_spatial[i])],
                    p.window_strides[i], p.lhs_dilation[i], p.rhs_dilation[i], p.padding_low[i], reversed,
                    xs[at(d.input_spatial[i])]});
  }
  return axes;
}

// ---- roles ----

// One array of the relation: strides of its three leading axes (a group axis may be missing) and of the spatial ones.
Dims strides_of(std::int64_t first, std::int64_t second, std::int64_t third, const Dims& spatial, const Dims& strides) {
  Dims r{first, second, third};
  for (const std::int64_t a : spatial) r.push_back(strides[at(a)]);
  return r;
}

// Reads the spatial axes of the weights backwards where `backwards` says so.
void flip_weights(ConvolutionForm& f, const std::vector<bool>& backwards) {
  for (std::size_t i = 0; i < f.kernel.size(); ++i)
    if (backwards[i]) {
      f.weights_begin += f.weights_strides[3 + i] * (f.kernel[i] - 1);
      f.weights_strides[3 + i] *= -1;
    }
}

// Takes from `size` elements `apart` places from each other those that negative padding removes; what then remains of
// the padding is not negative.
std::int64_t crop_low(std::int64_t& low, std::int64_t& size, std::int64_t apart) {
  if (low >= 0) return 0;
  const std::int64_t drop = std::min(size, (-low + apart - 1) / apart);
  low += drop * apart;
  size -= drop;
  return drop;
}

// How many elements of the source's axis i lie past the last one that a place reads.
std::int64_t left_over(const ConvolutionForm& f, std::size_t i) {
  return f.src[i] - 1 - ((f.dst[i] - 1) * f.stride[i] + (f.kernel[i] - 1) * f.dilation[i] - f.low[i]);
}

}  // namespace

std::optional<ConvolutionRoles> convolution_roles(const ConvolutionParams& p, DimSpan lhs, DimSpan rhs, DimSpan out) {
  using Computes = ConvolutionForm::Computes;
  const ConvDimensionNumbers& d = p.dimension_numbers;
  const std::vector<PatchAxis> axes = axes_of(p, lhs, rhs, out);
  const Dims xs = row_major_strides(lhs), ks = row_major_strides(rhs), ys = row_major_strides(out);
  bool plain = true, unit_stride = true, unit_dilation = true, all_reversed = !axes.empty(), any_reversed = false;
  std::int64_t window = 1, places = 1;
  for (const PatchAxis& a : axes) {
    plain &= a.base == 1;
    unit_stride &= a.stride == 1;
    unit_dilation &= a.dilation == 1;
    all_reversed &= a.reversed || a.window == 1;
    any_reversed |= a.reversed;
    window *= a.window;
    places *= a.places;
  }
  const bool batch_groups = p.batch_group_count > 1, feature_groups = p.feature_group_count > 1;
  const std::int64_t groups = p.feature_group_count * p.batch_group_count;
  const std::int64_t lhs_batch = lhs[at(d.input_batch)], lhs_features = lhs[at(d.input_feature)],
                     out_features = rhs[at(d.kernel_output_feature)] / groups;

  ConvolutionRoles r;
  ConvolutionForm& f = r.form;
  f.groups = groups;
  const bool weights = !feature_groups && !any_reversed && (batch_groups || window > places);
  if (plain && !weights) {
    // lhs is the source; unless the kernel is read backwards at stride 1, as the gradient of a convolution is.
    if (batch_groups) return std::nullopt;
    f.computes = unit_stride && all_reversed && window > 1 ? Computes::kSrc : Computes::kDst;
  } else if (!weights && unit_stride && !batch_groups) {
    f.computes = Computes::kSrc;
  } else if (weights && (plain || unit_dilation)) {
    f.computes = Computes::kWeights;
  } else {
    return std::nullopt;
  }

  if (f.computes == Computes::kSrc)
    for (const PatchAxis& a : axes)
      if ((a.window - 1) * a.dilation < a.low) {
        if (!plain) return std::nullopt;
        f.computes = Computes::kDst;
        break;
      }
  std::vector<bool> backwards(axes.size());
  if (f.computes == Computes::kDst || f.computes == Computes::kSrc) {
    const bool forward = f.computes == Computes::kDst;
    // Of the kernel, its input features are those of lhs, its output features those of the result.
    const std::int64_t in = lhs_features / groups;
    const Dims lhs_strides =
        strides_of(xs[at(d.input_batch)], in * xs[at(d.input_feature)], xs[at(d.input_feature)], d.input_spatial, xs);
    const Dims out_strides = strides_of(ys[at(d.output_batch)], out_features * ys[at(d.output_feature)],
                                        ys[at(d.output_feature)], d.output_spatial, ys);
    const std::int64_t ko = ks[at(d.kernel_output_feature)], ki = ks[at(d.kernel_input_feature)];
    f.batch = lhs_batch;
    f.in_features = forward ? in : out_features;
    f.out_features = forward ? out_features : in;
    f.src_strides = forward ? lhs_strides : out_strides;
    f.dst_strides = forward ? out_strides : lhs_strides;
    f.weights_strides = strides_of(out_features * ko, forward ? ko : ki, forward ? ki : ko, d.kernel_spatial, ks);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const PatchAxis& a = axes[i];
      std::int64_t size = a.size, low = a.low;
      const std::int64_t begin = crop_low(low, size, a.base) * a.x_stride;
      (forward ? f.src_begin : f.dst_begin) += begin;
      f.src.push_back(forward ? size : a.places);
      f.dst.push_back(forward ? a.places : size);
      f.kernel.push_back(a.window);
      f.dilation.push_back(a.dilation);
      f.stride.push_back(forward ? a.stride : a.base);
      f.low.push_back(forward ? low : (a.window - 1) * a.dilation - low);
      backwards[i] = forward == a.reversed;
      if (!forward) {
        // Elements that no place reads.
        const std::int64_t last = (a.places - 1 + (a.window - 1) * a.dilation - low) / a.base;
        f.dst.back() = std::min(f.dst.back(), last + 1);
      }
    }
    flip_weights(f, backwards);
    r.exchanged = !forward;
  } else {
    // lhs's features are the batch. At base dilation 1, lhs is the source and rhs the result; otherwise lhs is what
    // a strided convolution gave of rhs, and its weights come out backwards.
    const std::int64_t examples = lhs_batch / groups;
    const Dims lhs_strides = strides_of(xs[at(d.input_feature)], examples * xs[at(d.input_batch)],
                                        xs[at(d.input_batch)], d.input_spatial, xs);
    const std::int64_t ko = ks[at(d.kernel_output_feature)];
    const Dims rhs_strides = strides_of(ks[at(d.kernel_input_feature)], out_features * ko, ko, d.kernel_spatial, ks);
    const std::int64_t yo = ys[at(d.output_feature)], yb = ys[at(d.output_batch)];
    f.batch = lhs_features;
    f.in_features = plain ? examples : out_features;
    f.out_features = plain ? out_features : examples;
    f.src_strides = plain ? lhs_strides : rhs_strides;
    f.dst_strides = plain ? rhs_strides : lhs_strides;
    f.weights_strides = strides_of(out_features * yo, plain ? yo : yb, plain ? yb : yo, d.output_spatial, ys);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const PatchAxis& a = axes[i];
      std::int64_t size = a.size, low = a.low;
      const std::int64_t begin = crop_low(low, size, a.base) * a.x_stride;
      (plain ? f.src_begin : f.dst_begin) += begin;
      f.src.push_back(plain ? size : a.window);
      f.dst.push_back(plain ? a.window : size);
      f.kernel.push_back(a.places);
      f.dilation.push_back(a.stride);
      f.stride.push_back(plain ? a.dilation : a.base);
      f.low.push_back(plain ? low : (a.places - 1) * a.stride - low);
      backwards[i] = !plain;
      if (f.low.back() < 0) return std::nullopt;
      if (!plain) {
        const std::int64_t last = (a.window - 1 + f.low.back()) / a.base;
        f.dst.back() = std::min(f.dst.back(), last + 1);
      }
    }
    flip_weights(f, backwards);
    r.exchanged = !plain;
  }
  // A stride and more of them would make another place.
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (const std::int64_t more = left_over(f, i); more >= f.stride[i]) {
      if (f.computes == Computes::kSrc) return std::nullopt;
      f.src[i] -= more;
    }
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (f.src[i] < 1 || f.dst[i] < 1) return std::nullopt;
  return r;
}

// ---- patches ----

bool can_convolve(DType dtype, DType result) { return dtype != boolean && can_matmul(dtype, result); }

namespace {

// c = a b by rows, every product and sum rounded, in order.
template <class T>
void multiply_rounding(const MatmulProblem& p, const void* a, const void* b, void* c) {
  constexpr std::int64_t kWidth = 8;
  for (std::int64_t i = 0; i < p.m; ++i) {
    const T* row = static_cast<const T*>(a) + i * p.a_row;
    T* to = static_cast<T*>(c) + i * p.c_row;
    for (std::int64_t j = 0; j < p.n; j += kWidth) {
      const T* column = static_cast<const T*>(b) + j;
      const std::int64_t width = std::min(kWidth, p.n - j);
      T sums[kWidth] = {};
      for (std::int64_t q = 0; q < p.k; ++q, column += p.b_row) {
        if (width == kWidth)
          for (std::int64_t w = 0; w < kWidth; ++w) sums[w] += row[q * p.a_col] * column[w];
        else
          for (std::int64_t w = 0; w < width; ++w) sums[w] += row[q * p.a_col] * column[w];
      }
      std::copy(sums, sums + width, to + j);
    }
  }
}

// How the patches of a block of rows lie: by places, or by taps.
struct PatchLayout {
  bool by_taps;
  std::int64_t block;  // rows
};
// Whichever copies longer runs; very short ones take more time than they save.
PatchLayout choose_layout(const Taps& taps, const Places& places, std::int64_t depth) {
  constexpr std::int64_t kShortRun = 8;
  std::int64_t along_taps = 1;
  if (taps.feature_stride == 1 || taps.features == 1) {
    along_taps = taps.features;
    if (!taps.axes.empty()) {
      const PatchAxis& last = taps.axes.back();
      if (last.base == 1 && last.dilation * last.x_stride == taps.features) along_taps *= last.window;
    }
  }
  const std::int64_t block = std::min(places.rows(), std::clamp<std::int64_t>(kPatchElements / depth, 16, 1024));
  const std::int64_t along_places = std::min(block, places.size(places.inner()));
  const bool by_taps = reads_runs(taps, places.inner()) && along_places >= kShortRun && along_places > along_taps;
  // Whole runs, where that makes blocks little smaller: each block reads the kernel again.
  return {by_taps, by_taps && block >= 4 * along_places ? block - block % along_places : block};
}

}  // namespace

void convolve_patches(const ConvolutionParams& p, DType t, DType result, DimSpan lhs_shape, DimSpan rhs_shape,
                      DimSpan out_shape, const void* lhs, const void* rhs, void* out) {
  const ConvDimensionNumbers& d = p.dimension_numbers;
  const std::int64_t element = byte_size(t), out_element = byte_size(result);
  const std::int64_t total = product(out_shape);
  if (total == 0) return;
  if (product(rhs_shape) == 0) {
    std::memset(out, 0, at(total * out_element));
    return;
  }
  const Dims xs = row_major_strides(lhs_shape), ks = row_major_strides(rhs_shape), ys = row_major_strides(out_shape);
  const std::vector<PatchAxis> axes = axes_of(p, lhs_shape, rhs_shape, out_shape);
  const std::int64_t groups = p.feature_group_count * p.batch_group_count;
  const std::int64_t features = rhs_shape[at(d.kernel_input_feature)],
                     out_features = rhs_shape[at(d.kernel_output_feature)] / groups,
                     batch = out_shape[at(d.output_batch)];
  const std::int64_t x_group =
      p.feature_group_count > 1 ? features * xs[at(d.input_feature)] : batch * xs[at(d.input_batch)];

  // The kernel as [group][tap][feature][output feature].
  Dims k_shape{groups}, k_strides{out_features * ks[at(d.kernel_output_feature)]};
  std::int64_t k_begin = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t s = ks[at(d.kernel_spatial[i])];
    k_shape.push_back(axes[i].window);
    k_strides.push_back(axes[i].reversed ? -s : s);
    if (axes[i].reversed) k_begin += s * (axes[i].window - 1);
  }
  k_shape.push_back(features);
  k_strides.push_back(ks[at(d.kernel_input_feature)]);
  k_shape.push_back(out_features);
  k_strides.push_back(ks[at(d.kernel_output_feature)]);
  const Dims dense = row_major_strides(k_shape);
  bool in_place = true;
  for (std::size_t i = 0; i < k_shape.size(); ++i) in_place &= k_shape[i] == 1 || k_strides[i] == dense[i];
  std::optional<Scratch> arranged;
  const char* kernel = static_cast<const char*>(rhs);
  if (!in_place) {
    arranged.emplace(product(k_shape) * element);
    copy_strided(element, k_shape, kernel + k_begin * element, k_strides, arranged->data(), dense);
    kernel = arranged->data();
  }

  Dims place_sizes{batch}, place_strides{ys[at(d.output_batch)]};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    place_sizes.push_back(axes[i].places);
    place_strides.push_back(ys[at(d.output_spatial[i])]);
  }
  const Places places(std::move(place_sizes), std::move(place_strides));
  const Taps taps{axes, features, xs[at(d.input_feature)], xs[at(d.input_batch)]};
  const std::int64_t rows = places.rows(), depth = product(k_shape) / groups / out_features;
  const bool direct = places.step() && (*places.step() == 0 || *places.step() >= out_features) &&
                      (ys[at(d.output_feature)] == 1 || out_features == 1);
  const std::int64_t row_stride = direct && *places.step() > 0 ? *places.step() : out_features;

  const auto [by_taps, block] = choose_layout(taps, places, depth);
  const std::int64_t blocks = (rows - 1) / block + 1;
  const std::size_t inner = places.inner();
  const bool rounded = (t == f32 || t == f64) && t == result && total * depth <= kRoundedProducts;
  const std::int64_t grain = std::max<std::int64_t>(1, kRangeProducts / (block * depth * out_features));
  // Row r of the patches of a block begins at r * patch_row, its elements patch_col apart.
  const std::int64_t patch_row = by_taps ? 1 : depth, patch_col = by_taps ? block : 1;
  const auto read_patches = [&](const void* lhs_group, std::int64_t row, std::int64_t m, void* patches) {
    with_element(element, [&]<class T>(T) {
      const T* x = static_cast<const T*>(lhs_group);
      T* to = static_cast<T*>(patches);
      if (by_taps) {
        RunReader<T> reader(taps, inner);
        places.runs(row, m, [&](std::int64_t r, std::int64_t run, const std::int64_t* place) {
          reader.read(x, place, run, to + r, block);
        });
        return;
      }
      const PatchReader<T> reader(taps);
      Dims place(axes.size() + 1);
      places.place_of(row, place.data());
      for (std::int64_t r = 0; r < m; ++r, places.next(place.data())) reader.read(x, place.data(), to + r * depth);
    });
  };
  parallel_for(groups * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
    const Scratch patches(block * depth * element), sums(direct ? 1 : block * out_features * out_element);
    for (std::int64_t q = begin; q < end; ++q) {
      const std::int64_t g = q / blocks, row = q % blocks * block, m = std::min(block, rows - row);
      read_patches(static_cast<const char*>(lhs) + g * x_group * element, row, m, patches.data());
      char* y = static_cast<char*>(out) + g * out_features * ys[at(d.output_feature)] * out_element;
      MatmulProblem problem{.m = m, .n = out_features, .k = depth, .a_row = patch_row, .a_col = patch_col};
      problem.b_row = out_features;
      problem.b_col = 1;
      problem.c_row = row_stride;
      problem.dtype = t;
      problem.result = result;
      const char* k = kernel + g * depth * out_features * element;
      char* to_block = direct ? y + row * row_stride * out_element : sums.data();
      if (rounded && t == f32)
        multiply_rounding<float>(problem, patches.data(), k, to_block);
      else if (rounded)
        multiply_rounding<double>(problem, patches.data(), k, to_block);
      else
        matmul(problem, patches.data(), k, to_block);
      if (direct) continue;
      const std::int64_t from[2] = {out_features, 1};
      places.runs(row, m, [&](std::int64_t r, std::int64_t run, const std::int64_t* place) {
        std::int64_t begins = 0;
        for (std::size_t i = 0; i <= axes.size(); ++i) begins += place[i] * places.stride(i);
        const std::int64_t shape[2] = {run, out_features}, to[2] = {places.stride(inner), ys[at(d.output_feature)]};
        copy_strided(out_element, shape, sums.data() + r * out_features * out_element, from, y + begins * out_element,
                     to);
      });
    }
  });
}

}  // namespace weft::cpu
