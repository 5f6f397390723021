// Forward mode: each operation computes its results and their tangents together.
#pragma once

#include "weft/core/stage.h"

namespace weft::transforms {

/// Results of `f` at `primals` and their tangents along `tangents` (none is zero, also in the results).
void jvp(const FlatFunction& f, std::span<const Array> primals, std::span<const Array> tangents,
         const std::string& name, Arrays& outs, Arrays& out_tangents);

/// A program for a jaxpr's jvp. Inputs: the jaxpr's, then the tangents marked in `nonzero`.
/// Outputs: the jaxpr's, then the tangents marked in `out_nonzero`.
struct JvpJaxpr {
  ir::Jaxpr jaxpr;
  std::vector<bool> out_nonzero;
};
std::shared_ptr<const JvpJaxpr> jvp_jaxpr(const ir::Jaxpr& jaxpr, const std::vector<bool>& nonzero);

/// "tag:0101", a memo key.
std::string mask_key(const char* tag, const std::vector<bool>& mask);

}  // namespace weft::transforms
