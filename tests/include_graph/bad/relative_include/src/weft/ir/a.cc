#include "aval.h"
