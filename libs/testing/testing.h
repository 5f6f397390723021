// weft::testing in one include: assertions about arrays and trees, gradients against differences, and test bodies that
// run compiled and mapped too. Chex in C++; README.md lists which function is in which file.
//
// An assertion that fails throws AssertionError, whose text says what must hold, what it got and where in the tree. It
// needs no test framework; in GoogleTest the error fails the test with its text.
#pragma once

#include "testing/chexify.h"        // IWYU pragma: export
#include "testing/dimensions.h"     // IWYU pragma: export
#include "testing/errors.h"         // IWYU pragma: export
#include "testing/fake.h"           // IWYU pragma: export
#include "testing/gradients.h"      // IWYU pragma: export
#include "testing/params.h"         // IWYU pragma: export
#include "testing/scalars.h"        // IWYU pragma: export
#include "testing/shape_matcher.h"  // IWYU pragma: export
#include "testing/shapes.h"         // IWYU pragma: export
#include "testing/traces.h"         // IWYU pragma: export
#include "testing/trees.h"          // IWYU pragma: export
#include "testing/types.h"          // IWYU pragma: export
#include "testing/values.h"         // IWYU pragma: export
#include "testing/variants.h"       // IWYU pragma: export
