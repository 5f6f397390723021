// Convolutions and their gradients through oneDNN, one thread at a time: our pool splits the work, in a way that
// depends on the shapes alone. This folder alone sees the library; without it every function declines.
#pragma once

#include <memory>

#include "weft/cpu/kernels/convolution.h"
#include "weft/cpu/kernels/epilogue.h"

namespace weft::cpu {

/// One convolution of f32 arrays, made ready: code generated, layouts and split chosen.
class LibraryConvolution {
 public:
  virtual ~LibraryConvolution() = default;
  /// The elements of src, weights and dst; the one that the form computes is written, but for elements that its
  /// strides do not reach. Whether `epilogue`, if any, was called. May run on several threads at once.
  virtual bool run(float* src, float* weights, float* dst, const Epilogue* epilogue = nullptr) const = 0;
};

/// The convolution of that form, from a small cache of the process or made; null when the library refuses it.
std::shared_ptr<const LibraryConvolution> library_convolution(const ConvolutionForm& form);

}  // namespace weft::cpu
