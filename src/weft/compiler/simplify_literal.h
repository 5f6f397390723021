// Literals, looked at and made. A literal is one element, repeated; here it is told which number that is.
#pragma once

#include "weft/ir/jaxpr.h"

namespace weft::compiler::simplifying {

/// `value` rounded to the type, as convert does.
ir::Literal number(Aval type, double value);
/// Whether the element has the bits of `value`, rounded to its type: +0 is not -0.
bool is_number(const ir::Literal& l, double value);

/// An integer with all bits set; true.
ir::Literal all_ones(Aval type);
bool is_all_ones(const ir::Literal& l);

/// Infinite or, of an integer, its type's largest and lowest.
ir::Literal highest(Aval type);
ir::Literal lowest(Aval type);

/// The same element over another shape.
ir::Literal reshaped(const ir::Literal& l, Aval type);
/// Whether both repeat the same element.
bool same_element(const ir::Literal& a, const ir::Literal& b);

}  // namespace weft::compiler::simplifying
