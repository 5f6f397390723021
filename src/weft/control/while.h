// The parts of a `while`, shared by its rules. Private to control/.
#pragma once

#include <optional>

#include "weft/core/rules.h"
#include "weft/ir/programs.h"

namespace weft::control {

/// The operands are captures of the condition, captures of the body, carried values.
struct Loop {
  const ir::Jaxpr& cond;
  const ir::Jaxpr& body;
  std::optional<std::int64_t> max_steps;
  IterationNumber number;
  std::size_t num_cond, num_body;  // captures

  explicit Loop(const WhileParams& p)
      : cond(p.cond_jaxpr),
        body(p.body_jaxpr),
        max_steps(p.max_steps),
        number(p.number),
        num_cond(cond.num_consts()),
        num_body(body.num_consts()) {}
  std::size_t num_captures() const { return num_cond + num_body; }
  std::size_t num_carried() const { return body.outputs().size(); }
  template <class T>
  std::span<T> of_cond(std::span<T> all) const {
    return all.first(num_cond);
  }
  template <class T>
  std::span<T> of_body(std::span<T> all) const {
    return all.subspan(num_cond, num_body);
  }
  template <class T>
  std::span<T> carried(std::span<T> all) const {
    return all.subspan(num_captures());
  }
};

/// The transpose of a loop with max_steps.
void transpose_bounded_while(const Loop& loop, const Call& call, std::span<const Array> cts,
                             std::span<GradAccum* const> accums);

}  // namespace weft::control
