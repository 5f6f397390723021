// Random numbers as functions of keys: the same key gives the same numbers, for ever, on every
// device, under every transformation. Bits are JAX's threefry2x32, in both of its layouts.
//
// A key is a u32[2] array. Use each key once: split it, or fold a number in.
#pragma once

#include "weft/core/arg.h"
#include "weft/np/creation.h"

namespace weft::random {

/// How counters are laid out over the elements.
enum class Layout : std::uint8_t {
  kPartitionable,  ///< each element from its own index; JAX's default since 0.5
  kOriginal,       ///< JAX's only layout before
};

namespace detail {
Array permutation(const Arg& key, np::Integer n, Layout layout);
}  // namespace detail

/// [high word, low word] of the seed. Negative seeds wrap; ValueError for unsigned ones from 2^63.
Array key(np::Integer seed);

/// `n` new keys, u32[n, 2].
Array split(const Arg& key, np::Integer n = 2, Layout layout = Layout::kPartitionable);
/// A new key from a key and an integer modulo 2^32, which may be traced; a C++ number must fit u32 (ValueError).
Array fold_in(const Arg& key, const Arg& data);

/// Uniform bits, of an unsigned dtype.
Array bits(const Arg& key, const np::Shape& shape = {}, DType dtype = u32, Layout layout = Layout::kPartitionable);
/// Uniform in [low, high). Floats.
Array uniform(const Arg& key, const np::Shape& shape = {}, DType dtype = f32, const Arg& low = 0.0,
              const Arg& high = 1.0, Layout layout = Layout::kPartitionable);
/// Uniform integers in [low, high); `low` where that is empty. Bounds are integers (DTypeError), clamped into the
/// dtype; a `high` beyond the largest integer of the dtype includes it. Of 8 and 16 bits Layout::kOriginal gives JAX's
/// numbers, which are uneven in ranges of more than 16 and 256 integers; the other layout draws 32 bits for each.
Array randint(const Arg& key, const np::Shape& shape, const Arg& low, const Arg& high, DType dtype = i32,
              Layout layout = Layout::kPartitionable);
/// Standard normal: sqrt(2) erf_inv(u). Floats; complex with variance 1/2 in each part.
Array normal(const Arg& key, const np::Shape& shape = {}, DType dtype = f32, Layout layout = Layout::kPartitionable);
/// Standard normal conditioned on (low, high).
Array truncated_normal(const Arg& key, const Arg& low, const Arg& high, const np::Shape& shape = {}, DType dtype = f32,
                       Layout layout = Layout::kPartitionable);
/// bool: true with probability p, which broadcasts to `shape`.
Array bernoulli(const Arg& key, const Arg& p = 0.5, const np::OptionalShape& shape = {},
                Layout layout = Layout::kPartitionable);
/// Exponential with rate 1.
Array exponential(const Arg& key, const np::Shape& shape = {}, DType dtype = f32,
                  Layout layout = Layout::kPartitionable);
/// Standard Gumbel, logistic, Laplace and Cauchy.
Array gumbel(const Arg& key, const np::Shape& shape = {}, DType dtype = f32, Layout layout = Layout::kPartitionable);
Array logistic(const Arg& key, const np::Shape& shape = {}, DType dtype = f32, Layout layout = Layout::kPartitionable);
Array laplace(const Arg& key, const np::Shape& shape = {}, DType dtype = f32, Layout layout = Layout::kPartitionable);
Array cauchy(const Arg& key, const np::Shape& shape = {}, DType dtype = f32, Layout layout = Layout::kPartitionable);
/// Weibull with the given scale and concentration.
Array weibull_min(const Arg& key, double scale, double concentration, const np::Shape& shape = {}, DType dtype = f32,
                  Layout layout = Layout::kPartitionable);
/// i32 positions along `axis` of logits, with probabilities softmax(logits); shape: logits without the axis,
/// or `shape`, which must end with it.
Array categorical(const Arg& key, const Arg& logits, np::Axis axis = -1, const np::OptionalShape& shape = {},
                  Layout layout = Layout::kPartitionable);
/// 0 ... n-1 in random order (i32).
template <class T>
  requires std::is_arithmetic_v<T>
Array permutation(const Arg& key, T n, Layout layout = Layout::kPartitionable) {
  return detail::permutation(key, np::Integer(n, key.location()), layout);
}
/// x's slices along `axis` in random order.
Array permutation(const Arg& key, const Array& x, np::Axis axis = 0, Layout layout = Layout::kPartitionable);

}  // namespace weft::random
