// np's shape parameters are Weft's.
#pragma once

#include "weft/base/shape_param.h"

namespace weft::np {

using weft::OptionalShape;
using weft::Shape;

}  // namespace weft::np
