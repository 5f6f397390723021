// profile: where the time of a compiled function goes.
#pragma once

#include "weft/api/compile.h"
#include "weft/runtime/profile.h"

namespace weft {

struct ProfileOptions {
  /// How often the function runs while it is timed, after one run that is not.
  int runs = 10;
};

namespace api {

/// Compiles the program so that it tells the times of its statements, and runs it. Appends the last run's results.
Profile profile_program(const Staged& staged, std::span<const Array> leaves, const ProfileOptions& options,
                        Arrays& outs);

}  // namespace api

/// A profile, and what the last run returned.
template <class Result>
struct Profiled : Profile {
  Result result;
};

/// Compiles f for these arguments and runs it some times, with the time of each statement taken. The program is that of
/// jit, without donation: arguments stay as they are. A timed statement costs some 50 ns more; those of loops count for
/// each step. In builds without a compiler the statements are the program's equations, and loops are one of them.
/// ValueError when f captured values of a transformation around it, or inside of one; DonatedError.
///   const auto p = profile(train_step, params, images, labels);
///   std::cout << p;
///   p.save_trace("step.json");
template <class G, class... A>
auto profile(const ProfileOptions& options, const G& f, A&&... args) {
  using F = std::decay_t<G>;
  auto pack = api::prepare<F>(std::forward<A>(args)...);
  const Arrays leaves = tree::leaves(pack);
  const ir::Avals inputs = avals_of(leaves);
  const F& function = f;  // keeps the pointer that a plain function becomes
  api::Callable<const F, decltype(pack)> call(function, pack);
  const Staged staged = api::with_note("profile(f)", [&] { return stage(call.flat(), inputs, "profile(f)"); });
  Arrays outs;
  Profile profile = api::profile_program(staged, leaves, options, outs);
  return Profiled<typename decltype(call)::Result>{std::move(profile), call.result(outs)};
}
template <class G, class... A>
auto profile(const G& f, A&&... args) {
  return profile(ProfileOptions{}, f, std::forward<A>(args)...);
}

}  // namespace weft
