// What is reached without a network.
#pragma once

#include "data.h"

namespace resnet {

/// The share of test images that ridge regression on one-hot labels gets right, a linear classifier, with one penalty
/// of `ridge` per training image: weights = (X^T X + ridge n I)^-1 X^T Y.
double linear_accuracy(const DataSet& data, double ridge = 0.01);

}  // namespace resnet
