#include "weft/control/handed_down.h"

#include "weft/control/rules.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/programs.h"

namespace weft::control {

bool run_handed_down(const ir::Eqn& e, const Array& constant, std::span<const Array> xs, HandedDown how,
                     Arrays& results) {
  Arrays operands{constant};
  ir::Params params;
  switch (e.op) {
    case OpCode::kCall: {
      const auto& p = ir::params_as<CallParams>(e.params);
      params = ir::make_params(CallParams{p.name, how.taking(p.jaxpr)});
      break;
    }
    case OpCode::kCheckpoint: {
      CheckpointParams p = ir::params_as<CheckpointParams>(e.params);
      p.jaxpr = ir::with_num_consts(how.taking(p.jaxpr), 0);
      params = ir::make_params(std::move(p));
      break;
    }
    case OpCode::kCase: {
      std::vector<ir::Jaxpr> branches;
      for (const ir::Jaxpr& b : ir::params_as<CaseParams>(e.params).branches)
        branches.push_back(ir::with_num_consts(how.taking(b), 0));
      params = ir::make_params(CaseParams{std::move(branches)});
      operands.insert(operands.begin(), xs[0]);
      xs = xs.subspan(1);
      break;
    }
    case OpCode::kScan: {
      ScanParams p = ir::params_as<ScanParams>(e.params);
      p.jaxpr = how.taking(p.jaxpr);
      params = ir::make_params(std::move(p));
      break;
    }
    case OpCode::kWhile: {
      WhileParams p = ir::params_as<WhileParams>(e.params);
      operands = Arrays();
      const auto of_cond = take(xs, p.cond_jaxpr.num_consts());
      if (how.needs(p.cond_jaxpr)) {
        operands.push_back(constant);
        p.cond_jaxpr = how.taking(p.cond_jaxpr);
      }
      append(operands, of_cond);
      if (how.needs(p.body_jaxpr)) {
        operands.push_back(constant);
        p.body_jaxpr = how.taking(p.body_jaxpr);
      }
      params = ir::make_params(std::move(p));
      break;
    }
    default: return false;
  }
  append(operands, xs);
  bind(e.op, params, operands, results);
  return true;
}

}  // namespace weft::control
