// Everything a user needs, in one include.
#pragma once

#include "weft/base/compiler.h"  // first, so that an old compiler says nothing else before it

#include "weft/api/autodiff.h"      // IWYU pragma: export
#include "weft/api/callback.h"      // IWYU pragma: export
#include "weft/api/checkify.h"      // IWYU pragma: export
#include "weft/api/checkpoint.h"    // IWYU pragma: export
#include "weft/api/collectives.h"   // IWYU pragma: export
#include "weft/api/compile.h"       // IWYU pragma: export
#include "weft/api/compiles.h"      // IWYU pragma: export
#include "weft/api/control_flow.h"  // IWYU pragma: export
#include "weft/api/custom.h"        // IWYU pragma: export
#include "weft/api/debug.h"         // IWYU pragma: export
#include "weft/api/grad.h"          // IWYU pragma: export
#include "weft/api/implicit.h"      // IWYU pragma: export
#include "weft/api/jit.h"           // IWYU pragma: export
#include "weft/api/profile.h"       // IWYU pragma: export
#include "weft/api/ravel.h"         // IWYU pragma: export
#include "weft/api/sparse.h"        // IWYU pragma: export
#include "weft/api/vmap.h"          // IWYU pragma: export
#include "weft/base/thread_pool.h"  // IWYU pragma: export
#include "weft/core/checks.h"       // IWYU pragma: export
#include "weft/core/name_scope.h"   // IWYU pragma: export
#include "weft/core/trace.h"        // IWYU pragma: export
#include "weft/core/tree.h"         // IWYU pragma: export
#include "weft/ir/parse.h"          // IWYU pragma: export
#include "weft/ir/print.h"          // IWYU pragma: export
#include "weft/np/np.h"             // IWYU pragma: export
#include "weft/ops/lax.h"           // IWYU pragma: export
#include "weft/random/random.h"     // IWYU pragma: export
#include "weft/runtime/client.h"    // IWYU pragma: export
#include "weft/stablehlo/export.h"  // IWYU pragma: export
