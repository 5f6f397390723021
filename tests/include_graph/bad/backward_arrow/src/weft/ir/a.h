#pragma once
#include "weft/base/hash.h"
#include "weft/core/array.h"
