// What layers share: the type that they compute in, flags that a member or the caller gives, functions as members.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "weft/core/array.h"

namespace weft::nn {

/// A function of one array, as a member of a layer: nn::relu, or a lambda.
using Activation = std::function<Array(const Array&)>;

/// The type that a layer computes in: `dtype` if given, else what the arrays promote to, or f32 where that is no float.
/// Arrays that are not defined do not count. DTypeError for a `dtype` that is neither float nor complex.
DType computation_dtype(std::optional<DType> dtype, std::initializer_list<Array> arrays);
/// The arrays in that type, those that are not defined as they are.
Arrays promoted(std::optional<DType> dtype, std::initializer_list<Array> arrays);

/// A flag that is either a member of the layer `op` or an argument of its call: the one that was given. ValueError when
/// both are, or neither.
bool given_once(std::string_view op, std::string_view flag, std::optional<bool> member, std::optional<bool> argument);

}  // namespace weft::nn
