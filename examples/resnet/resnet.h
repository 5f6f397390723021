// Residual networks for images (He et al., "Deep residual learning for image recognition", 2016), with the stride in a
// bottleneck's 3x3 convolution and the last scale of each block beginning at zero, so that blocks begin as identities
// (Goyal et al., "Accurate, large minibatch SGD", 2017). Names of parameters are those of Flax's example.
#pragma once

#include <string>
#include <vector>

#include "nn/nn.h"
#include "weft/weft.h"

namespace resnet {

// What all layers of a network share: the dtype that they compute in, while parameters are f32, and whether batch
// normalisation uses the batch, and averages it, or uses these averages.
struct Mode {
  weft::DType dtype = weft::f32;
  bool train = false;

  weft::nn::Conv conv(int features, int size, int stride = 1, std::string name = {}) const {
    return {.features = features,
            .kernel_size = {size, size},
            .strides = stride,
            .use_bias = false,
            .dtype = dtype,
            .name = std::move(name)};
  }
  weft::nn::BatchNorm norm(std::string name = {}) const {
    return {.use_running_average = !train, .momentum = 0.9, .dtype = dtype, .name = std::move(name)};
  }
  weft::nn::BatchNorm last_norm() const {
    return {
        .use_running_average = !train, .momentum = 0.9, .dtype = dtype, .scale_init = weft::nn::initializers::zeros()};
  }
};

// x + two 3x3 convolutions, for networks of up to 34 layers.
struct ResNetBlock : weft::nn::Module<ResNetBlock> {
  int filters = 0;
  int stride = 1;
  Mode mode = {};
  weft::Array call(const weft::Array& x) const;
};

// x + 1x1, 3x3 and 1x1 convolutions, of which the last has four times the filters.
struct BottleneckResNetBlock : weft::nn::Module<BottleneckResNetBlock> {
  int filters = 0;
  int stride = 1;
  Mode mode = {};
  weft::Array call(const weft::Array& x) const;
};

// Logits f32[n, classes] of images [n, height, width, channels]. The stem of large images, of 224 x 224, makes a
// quarter of their sides; that of small ones keeps them. Each stage has twice the filters of the one before, of half
// the sides.
template <class Block>
struct ResNet : weft::nn::Module<ResNet<Block>> {
  std::vector<int> stage_sizes = {};  // blocks
  int filters = 64;
  int classes = 0;
  bool large_images = false;
  weft::DType dtype = weft::f32;

  weft::Array call(weft::Array x, bool train) const {
    namespace nn = weft::nn;
    const Mode mode{dtype, train};
    nn::Conv stem = large_images ? mode.conv(filters, 7, 2, "conv_init") : mode.conv(filters, 3, 1, "conv_init");
    if (large_images) stem.padding = 3;
    x = nn::relu(mode.norm("bn_init")(stem(x)));
    if (large_images) x = nn::max_pool(x, {3, 3}, {.strides = 2, .padding = nn::Padding::kSame});
    for (std::size_t stage = 0; stage < stage_sizes.size(); ++stage)
      for (int i = 0; i < stage_sizes[stage]; ++i)
        x = Block{.filters = filters << stage, .stride = stage > 0 && i == 0 ? 2 : 1, .mode = mode}(x);
    x = weft::np::mean(x, {1, 2});
    return nn::Dense{.features = classes, .dtype = dtype}(x).astype(weft::f32);
  }
};

// For 224 x 224 images of 1000 classes: 25.6 million parameters.
inline ResNet<BottleneckResNetBlock> resnet50() {
  return {.stage_sizes = {3, 4, 6, 3}, .filters = 64, .classes = 1000, .large_images = true};
}

}  // namespace resnet
