// Labelled images of 32 x 32 pixels: drawn ones, and those of CIFAR-10.
#pragma once

#include <string>
#include <vector>

#include "weft/weft.h"

namespace resnet {

struct Images {
  weft::Array pixels;  // u8[n, 32, 32, 3]
  weft::Array labels;  // i32[n]
  std::int64_t size() const { return labels.shape(0); }
};

struct DataSet {
  Images train, test;
  std::vector<std::string> classes;
};

/// Ten shapes at random places, of random sizes, angles and colours, somewhat brighter than their backgrounds, among
/// spots and lines, under noise. Where a pixel is says next to nothing of the class, so a linear classifier fails.
DataSet make_shapes(std::int64_t num_train, std::int64_t num_test, int seed);

/// The files data_batch_1.bin, ..., test_batch.bin of CIFAR-10's binary version (Krizhevsky, 2009). BackendError where
/// one is missing, ParseError where one has another size.
DataSet load_cifar10(const std::string& folder);

}  // namespace resnet
