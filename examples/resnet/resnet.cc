#include "resnet.h"

namespace resnet {

using weft::Array;
namespace nn = weft::nn;

namespace {

// x itself, or where its shape is another one than the block's a projection to that.
Array shortcut(const Mode& mode, const Array& x, const Array& y, int stride) {
  if (x.shape() == y.shape()) return x;
  const int features = static_cast<int>(y.shape(-1));
  return mode.norm("norm_proj")(mode.conv(features, 1, stride, "conv_proj")(x));
}

}  // namespace

Array ResNetBlock::call(const Array& x) const {
  Array y = nn::relu(mode.norm()(mode.conv(filters, 3, stride)(x)));
  y = mode.last_norm()(mode.conv(filters, 3)(y));
  return nn::relu(shortcut(mode, x, y, stride) + y);
}

Array BottleneckResNetBlock::call(const Array& x) const {
  Array y = nn::relu(mode.norm()(mode.conv(filters, 1)(x)));
  y = nn::relu(mode.norm()(mode.conv(filters, 3, stride)(y)));
  y = mode.last_norm()(mode.conv(4 * filters, 1)(y));
  return nn::relu(shortcut(mode, x, y, stride) + y);
}

}  // namespace resnet
