#include <weft/cpu/kernels.h>
