#include "weft/api/profile.h"

#include <chrono>

namespace weft::api {

Profile profile_program(const Staged& staged, std::span<const Array> leaves, const ProfileOptions& options,
                        Arrays& outs) {
  if (options.runs < 1)
    throw ValueError("profile: there must be one run at least; got " + std::to_string(options.runs) + ".");
  refuse_donated("profile", staged.captured, leaves);
  Arrays args(staged.captured);
  args.append(leaves.begin(), leaves.end());
  if (!evaluating() || !all_buffers(args))
    throw ValueError("profile: arguments and captured arrays must have values; got values of a transformation.",
                     "call profile outside of transformations.");
  ExecutableOptions timed;
  timed.timed = true;
  const std::shared_ptr<const Executable> program = executable(staged.jaxpr, timed);
  std::vector<ProgramStatement> statements = program->statements();
  program->run(args, outs);
  StatementTimer timer(statements.size());
  double seconds = 0;
  for (int i = 0; i < options.runs; ++i) {
    outs.clear();
    const auto start = std::chrono::steady_clock::now();
    program->run_timed(args, outs, timer);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return Profile(std::move(statements), timer, options.runs, seconds);
}

}  // namespace weft::api
