// weft::nn in one include.
#pragma once

#include "nn/activation.h"            // IWYU pragma: export
#include "nn/attention.h"             // IWYU pragma: export
#include "nn/combinators.h"           // IWYU pragma: export
#include "nn/convolution.h"           // IWYU pragma: export
#include "nn/errors.h"                // IWYU pragma: export
#include "nn/initializers.h"          // IWYU pragma: export
#include "nn/lift.h"                  // IWYU pragma: export
#include "nn/linear.h"                // IWYU pragma: export
#include "nn/module.h"                // IWYU pragma: export
#include "nn/normalization.h"         // IWYU pragma: export
#include "nn/pooling.h"               // IWYU pragma: export
#include "nn/recurrent.h"             // IWYU pragma: export
#include "nn/rnn.h"                   // IWYU pragma: export
#include "nn/stochastic.h"            // IWYU pragma: export
#include "nn/tabulate.h"              // IWYU pragma: export
#include "nn/variables.h"             // IWYU pragma: export
#include "nn/weight_normalization.h"  // IWYU pragma: export
