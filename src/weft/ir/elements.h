// Elements of every dtype, storage types included: conversion between any two, and the steps to and from the types that
// storage types are computed in. The one place that knows how their bytes look.
#pragma once

#include "weft/ir/dtype.h"

namespace weft {

/// y[i] = x[i] as convert does, from any dtype to any (see convert_element): rounded once to floats, cut off towards
/// zero and kept in range to integers, NaN becoming 0. `y` does not overlap `x`.
void convert_elements(DType from, const void* x, DType to, void* y, std::int64_t n);

/// Elements of the storage type `t` in compute_dtype(t), exactly. Only the bits that the value has are read.
void widen_elements(DType t, const void* x, void* y, std::int64_t n);
/// The way back: floats rounded to nearest even, integers wrapped to their width.
void narrow_elements(DType t, const void* x, void* y, std::int64_t n);

/// An integer element of any width; those above the largest i64 become it.
std::int64_t integer_element(DType t, const void* x);

/// Bytes as elements of `t` should have them: sub-byte values in canonical form (see dtype.h), others as they are.
/// `y` may be `x`.
void copy_canonical(DType t, const void* x, void* y, std::int64_t n);

}  // namespace weft
