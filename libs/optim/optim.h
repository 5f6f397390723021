// weft::optim in one include: Optax for Weft. The README has the table of headers.
#pragma once

#include "optim/accumulation.h"               // IWYU pragma: export
#include "optim/adam.h"                       // IWYU pragma: export
#include "optim/adaptive.h"                   // IWYU pragma: export
#include "optim/adding.h"                     // IWYU pragma: export
#include "optim/any_transformation.h"         // IWYU pragma: export
#include "optim/clipping.h"                   // IWYU pragma: export
#include "optim/constraining.h"               // IWYU pragma: export
#include "optim/contrib_momo.h"               // IWYU pragma: export
#include "optim/contrib_muon.h"               // IWYU pragma: export
#include "optim/contrib_privacy.h"            // IWYU pragma: export
#include "optim/contrib_prodigy.h"            // IWYU pragma: export
#include "optim/contrib_reduce_on_plateau.h"  // IWYU pragma: export
#include "optim/contrib_sam.h"                // IWYU pragma: export
#include "optim/contrib_schedule_free.h"      // IWYU pragma: export
#include "optim/hyperparam.h"                 // IWYU pragma: export
#include "optim/inject.h"                     // IWYU pragma: export
#include "optim/lbfgs.h"                      // IWYU pragma: export
#include "optim/least_squares.h"              // IWYU pragma: export
#include "optim/linesearch.h"                 // IWYU pragma: export
#include "optim/losses.h"                     // IWYU pragma: export
#include "optim/masking.h"                    // IWYU pragma: export
#include "optim/microbatch.h"                 // IWYU pragma: export
#include "optim/momentum.h"                   // IWYU pragma: export
#include "optim/monitoring.h"                 // IWYU pragma: export
#include "optim/optimizers.h"                 // IWYU pragma: export
#include "optim/polyak.h"                     // IWYU pragma: export
#include "optim/projections.h"                // IWYU pragma: export
#include "optim/scaling.h"                    // IWYU pragma: export
#include "optim/schedule.h"                   // IWYU pragma: export
#include "optim/transformation.h"             // IWYU pragma: export
#include "optim/wrappers.h"                   // IWYU pragma: export
