#include "weft/ops/lax.h"
#include "weft/ops/dot_general.h"
