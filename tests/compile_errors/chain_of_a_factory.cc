#include "optim/optimizers.h"

auto optimizer() { return weft::optim::chain(weft::optim::clip_by_global_norm(1.0), weft::optim::adam); }
