// weft::np in one include.
#pragma once

#include "weft/np/creation.h"    // IWYU pragma: export
#include "weft/np/dtypes.h"      // IWYU pragma: export
#include "weft/np/files.h"       // IWYU pragma: export
#include "weft/np/indexing.h"    // IWYU pragma: export
#include "weft/np/print.h"       // IWYU pragma: export
#include "weft/np/products.h"    // IWYU pragma: export
#include "weft/np/promotion.h"   // IWYU pragma: export
#include "weft/np/reductions.h"  // IWYU pragma: export
#include "weft/np/shape.h"       // IWYU pragma: export
#include "weft/np/sorting.h"     // IWYU pragma: export
#include "weft/np/ufuncs.h"      // IWYU pragma: export
#include "weft/np/vectorize.h"   // IWYU pragma: export
