// What is reached without a network.
#pragma once

#include "data.h"

/// The share of test images that the best linear classifier gets right, with least squares on one-hot labels and a
/// penalty of `ridge` per training image: weights = (X^T X + ridge n I)^-1 X^T Y.
double linear_accuracy(const DataSet& data, double ridge = 0.01);
