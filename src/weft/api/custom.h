// Functions with rules of their own: custom_jvp, custom_vjp, custom_vmap, stop_gradient.
//
//   const auto log1pexp = custom_jvp([](Array x) { return np::log(1 + np::exp(x)); },
//                                    [](Array x, Array dx) { return std::pair(..., (1 - 1 / (1 + np::exp(x))) * dx);
//                                    });
//
// The result is called like the function, and its rules hold under jit, vmap, scan, cond and each other, to any order:
// a derivative of a derivative differentiates the rule. Functions and rules may capture arrays and traced values, which
// become operands where the call is part of a program; they are constants to the rules (a derivative by them is a
// NotDifferentiableError: pass them as arguments). A rule that calls its function may capture what it likes, but must
// not make an array that this inner function captures (a LeakError in programs, at second order). C++ may look at
// values outside of transformations, and in rules under jvp and grad alone; to know the types of the function's result
// there, it is traced once for arguments of the same types.
//
// Arguments are trees, as everywhere. Below, "tangents of args" are trees like the arguments in which integer and bool
// arrays are none; numbers, strings and enums have no tangents at all, and are left out. A none tangent or cotangent
// that a rule returns is zero. What a rule returns is checked: TreeError, ShapeError and DTypeError name the leaf.
#pragma once

#include <mutex>

#include "weft/api/autodiff.h"
#include "weft/control/custom.h"

namespace weft {

struct CustomOptions {
  /// Shown in programs and error messages.
  std::string name = "f";
};

/// What a custom_vmap's rule is told: the number of examples, and for each array of the arguments, in order, whether
/// the examples have their own.
struct VmapInfo {
  std::int64_t size = 0;
  std::vector<bool> mapped;
};

namespace api {

template <class T>
inline constexpr char type_tag_of = 0;

using control::CustomInfo;

/// Whether a transformation is going on that may ask for derivatives (for vmap) of what is called now.
bool derivatives_matter();
bool vmap_matters();

Staged stage_custom(const CustomInfo& info, const FlatFunction& f, std::span<const Array> args);

/// The types of f's results for arguments of these types, with nothing computed; nullopt where f cannot be traced,
/// because it looks at values.
std::optional<ir::Avals> result_types(const FlatFunction& f, std::span<const Aval> args, const std::string& name);

/// Tells rules apart, so that one that calls its own function is not staged for ever. A function that is made anew in
/// each call has the same type each time, but another object.
struct RuleId {
  const void* object;
  const void* type;
};

/// The calls. Rules are flat (custom_rules.h says of what), without captures; these are found by staging them.
Arrays call_custom_jvp(const CustomInfo& info, const Staged& f, FlatFunction rule, RuleId id,
                       std::span<const Array> args);
struct VjpRules {
  FlatFunction fwd, bwd, jvp;  // jvp may be empty
};
Arrays call_custom_vjp(const CustomInfo& info, const Staged& f, VjpRules rules, RuleId id, std::span<const Array> args);
Arrays call_custom_vmap(const CustomInfo& info, const Staged& f, control::VmapFunction rule, RuleId id,
                        std::span<const Array> args);

/// Throws TreeError, DTypeError or ShapeError naming the leaf unless `got`, which `function` gave ("the jvp rule of
/// f"), has the structure of `expected`, whose arrays have `types`; appends its arrays. For a batch, `size` is the
/// number of examples in front of each (-1: no batch).
void append_like(const CustomInfo& info, const std::string& function, const PathLeaves& expected,
                 std::span<const Aval> types, const PathLeaves& got, std::int64_t size, Arrays& to);
/// What a rule returned as tangents (cotangents) of a tree whose arrays have `types`: those of float and complex ones.
void append_tangents(const CustomInfo& info, const char* rule, PathLeaves expected, std::span<const Aval> types,
                     const PathLeaves& got, Arrays& to);
/// The tree of tangents from those of float and complex leaves, `types` being those of all.
template <class T>
T tangent_tree(T t, std::span<const Aval> types, std::span<const Array> tangents) {
  std::size_t i = 0, next = 0;
  tree::for_each(t, [&](Array& a) { a = is_inexact(types[i++].dtype()) ? tangents[next++] : Array(); });
  return t;
}

// ---- arguments that have tangents, and those that do not ----

template <class P>
auto if_differentiable(P&& p) {
  if constexpr (tree::detail::is_static<std::decay_t<P>>)
    return std::tuple<>();
  else
    return std::tuple<std::decay_t<P>>(std::forward<P>(p));
}
/// The arguments but numbers, strings and enums.
template <class... P>
auto differentiable(const std::tuple<P...>& pack) {
  return std::apply([](const auto&... p) { return std::tuple_cat(if_differentiable(p)...); }, pack);
}
/// `pack` with the arguments that have tangents replaced.
template <std::size_t kFrom = 0, std::size_t kNext = 0, class Pack, class Tangents>
void put_differentiable(Pack& pack, const Tangents& tangents) {
  if constexpr (kFrom < std::tuple_size_v<Pack>) {
    if constexpr (tree::detail::is_static<std::tuple_element_t<kFrom, Pack>>) {
      put_differentiable<kFrom + 1, kNext>(pack, tangents);
    } else {
      std::get<kFrom>(pack) = std::get<kNext>(tangents);
      put_differentiable<kFrom + 1, kNext + 1>(pack, tangents);
    }
  }
}

/// rule(x, y, dx, dy), or rule(std::tuple(x, y), std::tuple(dx, dy)).
template <class Rule, class... P, class... D>
auto call_jvp_rule(const Rule& rule, std::tuple<P...> primals, std::tuple<D...> tangents) {
  if constexpr (std::is_invocable_v<const Rule&, P..., D...>)
    return std::apply(rule, std::tuple_cat(std::move(primals), std::move(tangents)));
  else
    return rule(std::move(primals), std::move(tangents));
}

/// What tracing f told of its result: nothing (no types) where f looks at values.
template <class Result>
struct Traced {
  std::optional<Result> prototype;  // a skeleton
  std::optional<ir::Avals> types;
};

/// What was told last. Copies of a custom function share it; safe to use from several threads.
class LastTraced {
 public:
  /// The same for the same `args` and `types`; `pack_type` is the address of a tag of the arguments' C++ type.
  std::shared_ptr<const void> find(const tree::TreeDef& args, std::span<const Aval> types, const void* pack_type) const;
  void set(tree::TreeDef args, std::span<const Aval> types, const void* pack_type, std::shared_ptr<const void> traced);

 private:
  mutable std::mutex mutex_;
  tree::TreeDef args_;
  ir::Avals types_;
  const void* pack_type_ = nullptr;
  std::shared_ptr<const void> traced_;
};

/// One call's types and trees, for rules that run later.
template <class Pack, class Result>
struct CustomCall {
  CustomInfo info;
  Pack pack;  // a skeleton, like the others
  ir::Avals types;
  std::optional<Result> result;
  ir::Avals result_types;

  CustomCall(const CustomInfo& i, const Pack& p, std::span<const Array> leaves)
      : info(i), pack(skeleton(p)), types(avals_of(leaves)) {}
  /// The function's result, as far as f could be traced.
  void set_result(const std::shared_ptr<const Traced<Result>>& traced) {
    if (!traced->types) return;
    result = *traced->prototype;
    result_types = *traced->types;
  }
  /// Takes what a rule that runs at once returned for the function's result.
  void accept_result(const char* rule, const Result& y, Arrays& outs) {
    if (result) return take_result(rule, y, outs);
    result_types.clear();
    for (const Array& a : tree::leaves(y)) {
      outs.push_back(a);
      result_types.push_back(a.aval());
    }
    result = skeleton(y);
  }
  Pack primals(std::span<const Array> leaves) const { return tree::with_leaves(pack, leaves); }
  auto tangents(std::span<const Array> inexact) const { return differentiable(tangent_tree(pack, types, inexact)); }
  template <class Got>
  void take_result(const char* rule, const Got& got, Arrays& to, std::int64_t size = -1) const {
    static_assert(std::is_same_v<Got, Result>,
                  "a custom rule must return the function's result in the function's type");
    append_like(info, "the " + std::string(rule) + " rule of " + info.name, path_leaves(*result, "result"),
                result_types, path_leaves(got, "result of the rule"), size, to);
  }
};

/// The flat form of a jvp rule.
template <class Pack, class Result, class Rule>
FlatFunction flat_jvp_rule(std::shared_ptr<const CustomCall<Pack, Result>> call, std::shared_ptr<const Rule> rule) {
  return [call = std::move(call), rule = std::move(rule)](std::span<const Array> in, Arrays& outs) {
    const std::size_t n = call->types.size();
    auto [y, dy] = call_jvp_rule(*rule, call->primals(in.first(n)), call->tangents(in.subspan(n)));
    static_assert(std::is_same_v<decltype(y), Result> && std::is_same_v<decltype(dy), Result>,
                  "a jvp rule must return a pair of the function's result and its tangent, both in the result's type");
    call->take_result("jvp", y, outs);
    append_tangents(call->info, "jvp", path_leaves(*call->result, "result"), call->result_types,
                    path_leaves(dy, "tangent"), outs);
  };
}

/// Runs a jvp rule at once, where that is possible, and puts the function's result into `to`.
template <class Pack, class Result, class Rule, class Find>
bool jvp_now(const CustomInfo& info, const Pack& pack, const Rule& rule, Find&& traced, std::optional<Result>& to) {
  const Arrays leaves = tree::leaves(pack);
  CustomCall<Pack, Result> call(info, pack, leaves);
  const auto flat = [&](std::span<const Array> primals, std::span<const Array> tangents, Arrays& outs,
                        Arrays& out_tangents) {
    call.set_result(traced(pack));
    Arrays inexact, found;
    for (const Array& t : tangents)
      if (t.defined()) inexact.push_back(t);
    auto [y, dy] = call_jvp_rule(rule, call.primals(primals), call.tangents(inexact));
    call.accept_result("jvp", y, outs);
    append_tangents(info, "jvp", path_leaves(*call.result, "result"), call.result_types, path_leaves(dy, "tangent"),
                    found);
    std::size_t next = 0;
    for (const Aval type : call.result_types)
      out_tangents.push_back(is_inexact(type.dtype()) ? found[next++] : Array());
  };
  Arrays outs;
  if (!control::differentiate_now(info, flat, leaves, outs)) return false;
  to = tree::with_leaves(std::move(*call.result), outs);
  return true;
}

/// What every custom function does when it becomes an operation: f staged for its arguments.
template <class F, class Pack>
struct StagedCall {
  using Result = typename Callable<const F, Pack>::Result;
  Arrays leaves;
  Callable<const F, Pack> callable;
  Staged staged;
  std::shared_ptr<CustomCall<Pack, Result>> call;

  StagedCall(const CustomInfo& info, const F& f, const Pack& pack)
      : leaves(tree::leaves(pack)),
        callable(f, pack),
        staged(stage_custom(info, callable.flat(), leaves)),
        call(std::make_shared<CustomCall<Pack, Result>>(info, pack, leaves)) {
    call->result = callable.prototype();
    call->result_types = staged.jaxpr.output_avals();
  }
};

/// What custom functions share: f, its rules, and how a call of it comes to use them.
template <class F, class Rules>
class CustomFunction {
 protected:
  CustomFunction(F f, Rules rules, CustomInfo info)
      : f_(std::move(f)), rules_(std::make_shared<const Rules>(std::move(rules))), info_(std::move(info)) {}

  RuleId id() const { return {rules_.get(), &type_tag_of<Rules>}; }

  /// f(args...) where no rule matters. Else what now(pack, to) puts into `to` at once, if it does; else the operation
  /// that `bind` makes of a StagedCall.
  template <class Now, class Bind, class... A>
  auto call(bool matters, Now&& now, Bind&& bind, A&&... args) const {
    auto pack = prepare<F>(std::forward<A>(args)...);
    using Call = StagedCall<F, decltype(pack)>;
    using Result = typename Call::Result;
    if (!matters) return Result(std::apply(f_, std::move(pack)));
    if (std::optional<Result> done; now(std::as_const(pack), done)) return std::move(*done);
    Call c(info_, f_, pack);
    return c.callable.result(bind(c));
  }

  /// What there is to know of f's result, for rules that run at once.
  template <class Result, class Pack>
  std::shared_ptr<const Traced<Result>> traced(const Pack& pack) const {
    tree::TreeDef structure = tree::structure(pack);
    const ir::Avals types = avals_of(tree::leaves(pack));
    const void* tag = &type_tag_of<Pack>;
    if (auto last = last_->find(structure, types, tag)) return std::static_pointer_cast<const Traced<Result>>(last);
    auto r = std::make_shared<Traced<Result>>();
    Callable<const F, Pack> callable(f_, pack);
    r->types = result_types(callable.flat(), types, info_.str());
    if (r->types) r->prototype = callable.prototype();
    last_->set(std::move(structure), types, tag, r);
    return r;
  }

  F f_;
  std::shared_ptr<const Rules> rules_;
  CustomInfo info_;
  std::shared_ptr<LastTraced> last_ = std::make_shared<LastTraced>();
};

}  // namespace api

/// What custom_jvp returns.
template <class F, class Rule>
class CustomJvp : api::CustomFunction<F, Rule> {
 public:
  CustomJvp(F f, Rule rule, api::CustomInfo info)
      : api::CustomFunction<F, Rule>(std::move(f), std::move(rule), std::move(info)) {}

  template <class... A>
  auto operator()(A&&... args) const {
    const auto now = [&]<class Pack, class Result>(const Pack& pack, std::optional<Result>& to) {
      return api::jvp_now(
          this->info_, pack, *this->rules_, [&](const Pack& p) { return this->template traced<Result>(p); }, to);
    };
    const auto bind = [&]<class Pack>(const api::StagedCall<F, Pack>& c) {
      using Result = typename api::StagedCall<F, Pack>::Result;
      return api::call_custom_jvp(this->info_, c.staged, api::flat_jvp_rule<Pack, Result, Rule>(c.call, this->rules_),
                                  this->id(), c.leaves);
    };
    return this->call(api::derivatives_matter(), now, bind, std::forward<A>(args)...);
  }
};

/// f, differentiated by `rule`, which returns the pair of f's result and its tangent: rule(x, y, dx, dy) or
/// rule(std::tuple(x, y), std::tuple(dx, dy)) for f(x, y). The tangent must be linear in dx and dy; both modes use it.
/// Source: jax.custom_jvp.
template <class F, class Rule>
auto custom_jvp(F&& f, Rule&& rule, CustomOptions options = {}, SourceLocation loc = std::source_location::current()) {
  return CustomJvp<std::decay_t<F>, std::decay_t<Rule>>(std::forward<F>(f), std::forward<Rule>(rule),
                                                        {"custom_jvp", std::move(options.name), loc});
}

/// Stands for the jvp rule of a custom_vjp that has none.
struct NoJvp {};

namespace api {
template <class Fwd, class Bwd, class Jvp>
struct VjpRulesOf {
  Fwd fwd;
  Bwd bwd;
  Jvp jvp;
};
}  // namespace api

/// What custom_vjp returns.
template <class F, class Fwd, class Bwd, class Jvp>
class CustomVjp : api::CustomFunction<F, api::VjpRulesOf<Fwd, Bwd, Jvp>> {
  using Rules = api::VjpRulesOf<Fwd, Bwd, Jvp>;
  static constexpr bool kHasJvp = !std::is_same_v<Jvp, NoJvp>;

 public:
  CustomVjp(F f, Fwd fwd, Bwd bwd, Jvp jvp, api::CustomInfo info)
      : api::CustomFunction<F, Rules>(std::move(f), Rules{std::move(fwd), std::move(bwd), std::move(jvp)},
                                      std::move(info)) {}

  template <class... A>
  auto operator()(A&&... args) const {
    const auto now = [&]<class Pack, class Result>(const Pack& pack, std::optional<Result>& to) {
      if constexpr (kHasJvp)
        return false;
      else
        return vjp_now<Pack, Result>(pack, to);
    };
    const auto bind = [&]<class Pack>(const api::StagedCall<F, Pack>& c) {
      using Result = typename api::StagedCall<F, Pack>::Result;
      api::VjpRules flat = flat_rules<Pack, Result>(c.call);
      if constexpr (kHasJvp)
        flat.jvp =
            api::flat_jvp_rule<Pack, Result, Jvp>(c.call, std::shared_ptr<const Jvp>(this->rules_, &this->rules_->jvp));
      return api::call_custom_vjp(this->info_, c.staged, std::move(flat), this->id(), c.leaves);
    };
    return this->call(api::derivatives_matter(), now, bind, std::forward<A>(args)...);
  }

 private:
  template <class Pack>
  using Forward = std::decay_t<decltype(std::apply(std::declval<const Fwd&>(), std::declval<Pack>()))>;

  // bwd at residuals, whose skeleton is given, and cotangents.
  template <class Pack, class Result, class Residuals>
  static void pull_back(const Rules& rules, const api::CustomCall<Pack, Result>& call, Residuals residuals,
                        std::span<const Array> in, Arrays& outs) {
    const std::size_t n = tree::leaves(residuals).size();
    static_assert(
        std::is_invocable_v<const Bwd&, Residuals,
                            decltype(api::tangent_tree(*call.result, call.result_types, in.subspan(n)))>,
        "custom_vjp: bwd must take two arguments by value or by const reference, the residuals of fwd and the "
        "cotangents of the result, and be callable as const");
    auto got = rules.bwd(tree::with_leaves(std::move(residuals), in.first(n)),
                         api::tangent_tree(*call.result, call.result_types, in.subspan(n)));
    Pack cotangents = call.pack;
    using Differentiable = decltype(api::differentiable(cotangents));
    if constexpr (std::is_same_v<decltype(got), Pack>) {
      cotangents = std::move(got);
    } else if constexpr (std::is_same_v<decltype(got), Differentiable>) {
      api::put_differentiable(cotangents, got);
    } else {
      static_assert(
          std::is_same_v<std::tuple<decltype(got)>, Differentiable>,
          "custom_vjp: bwd must return a std::tuple of one cotangent per argument (the cotangent itself for one "
          "argument), each in its argument's type");
      api::put_differentiable(cotangents, std::tuple<decltype(got)>(std::move(got)));
    }
    api::append_tangents(call.info, "bwd", api::path_leaves(call.pack, "args"), call.types,
                         api::path_leaves(cotangents, "cotangents"), outs);
  }

  // Runs fwd at once, where that is possible, and puts the function's result into `to`.
  template <class Pack, class Result>
  bool vjp_now(const Pack& pack, std::optional<Result>& to) const {
    static_assert(std::is_same_v<typename Forward<Pack>::first_type, Result>,
                  "custom_vjp: fwd must return the function's result in the function's type");
    using Residuals = typename Forward<Pack>::second_type;
    const Arrays leaves = tree::leaves(pack);
    const auto call = std::make_shared<api::CustomCall<Pack, Result>>(this->info_, pack, leaves);
    const auto kept = std::make_shared<std::optional<Residuals>>();
    const auto fwd = [&](std::span<const Array> args, Arrays& outs, Arrays& residuals) {
      call->set_result(this->template traced<Result>(pack));
      Forward<Pack> forward = std::apply(this->rules_->fwd, call->primals(args));
      call->accept_result("fwd", forward.first, outs);
      residuals = tree::leaves(forward.second);
      *kept = api::skeleton(std::move(forward.second));
    };
    const FlatFunction bwd = [call, kept, rules = this->rules_](std::span<const Array> in, Arrays& outs) {
      pull_back(*rules, *call, **kept, in, outs);
    };
    Arrays outs;
    if (!control::linearize_now(this->info_, fwd, bwd, leaves, outs)) return false;
    to = tree::with_leaves(*call->result, outs);
    return true;
  }

  template <class Pack, class Result>
  api::VjpRules flat_rules(std::shared_ptr<const api::CustomCall<Pack, Result>> call) const {
    static_assert(tree::detail::is_a<Forward<Pack>, std::pair>,
                  "custom_vjp: fwd must return a std::pair of the function's result and residuals for bwd");
    using Residuals = typename Forward<Pack>::second_type;
    // Of the last fwd that ran; they all have the same structure.
    struct Kept {
      std::mutex mutex;
      std::optional<Residuals> residuals;
    };
    auto kept = std::make_shared<Kept>();
    api::VjpRules flat;
    flat.fwd = [call, kept, rules = this->rules_](std::span<const Array> in, Arrays& outs) {
      Forward<Pack> forward = std::apply(rules->fwd, call->primals(in));
      call->take_result("fwd", forward.first, outs);
      for (const Array& a : tree::leaves(forward.second)) outs.push_back(a);
      const std::lock_guard lock(kept->mutex);
      kept->residuals = api::skeleton(std::move(forward.second));
    };
    flat.bwd = [call, kept, rules = this->rules_](std::span<const Array> in, Arrays& outs) {
      std::optional<Residuals> residuals;
      {
        const std::lock_guard lock(kept->mutex);
        residuals = kept->residuals;
      }
      pull_back(*rules, *call, std::move(*residuals), in, outs);
    };
    return flat;
  }
};

/// f, differentiated in reverse mode by fwd(args...), which returns the pair of f's result and residuals (any tree),
/// and bwd(residuals, cotangent of the result), which returns the tuple of cotangents of all arguments, or the
/// cotangent itself of a single one. With `jvp`, a rule as of custom_jvp, f works in forward mode too (without: a
/// NotDifferentiableError that names f). Forward mode over reverse (hessian) needs no jvp: it differentiates fwd and
/// bwd. Source: jax.custom_vjp.
template <class F, class Fwd, class Bwd>
auto custom_vjp(F&& f, Fwd&& fwd, Bwd&& bwd, CustomOptions options = {},
                SourceLocation loc = std::source_location::current()) {
  return CustomVjp<std::decay_t<F>, std::decay_t<Fwd>, std::decay_t<Bwd>, NoJvp>(
      std::forward<F>(f), std::forward<Fwd>(fwd), std::forward<Bwd>(bwd), NoJvp(),
      {"custom_vjp", std::move(options.name), loc});
}
template <class F, class Fwd, class Bwd, class Jvp>
  requires(!std::is_convertible_v<Jvp, CustomOptions>)
auto custom_vjp(F&& f, Fwd&& fwd, Bwd&& bwd, Jvp&& jvp, CustomOptions options = {},
                SourceLocation loc = std::source_location::current()) {
  return CustomVjp<std::decay_t<F>, std::decay_t<Fwd>, std::decay_t<Bwd>, std::decay_t<Jvp>>(
      std::forward<F>(f), std::forward<Fwd>(fwd), std::forward<Bwd>(bwd), std::forward<Jvp>(jvp),
      {"custom_vjp", std::move(options.name), loc});
}

/// What custom_vmap returns.
template <class F, class Rule>
class CustomVmap : api::CustomFunction<F, Rule> {
 public:
  CustomVmap(F f, Rule rule, api::CustomInfo info)
      : api::CustomFunction<F, Rule>(std::move(f), std::move(rule), std::move(info)) {}

  template <class... A>
  auto operator()(A&&... args) const {
    const auto never = [](const auto&, auto&) { return false; };
    const auto bind = [&]<class Pack>(const api::StagedCall<F, Pack>& c) {
      const auto rule = [call = c.call, rules = this->rules_](std::int64_t size, const std::vector<bool>& mapped,
                                                              std::span<const Array> in, Arrays& outs) {
        auto batch =
            std::apply([&](auto&&... p) { return (*rules)(VmapInfo{size, mapped}, std::forward<decltype(p)>(p)...); },
                       call->primals(in));
        call->take_result("vmap", batch, outs, size);
      };
      return api::call_custom_vmap(this->info_, c.staged, rule, this->id(), c.leaves);
    };
    return this->call(api::vmap_matters(), never, bind, std::forward<A>(args)...);
  }
};

/// f, of which vmap is rule(info, args...): arrays that are mapped (info.mapped) come with the examples along a new
/// first axis of info.size, others as they are; every array of the result must have the examples along its first axis.
/// grad(vmap(f)) differentiates the rule; vmap(grad(f)) is that of f itself, whose derivative has no rule.
/// Source: jax.custom_batching.custom_vmap.
template <class F, class Rule>
auto custom_vmap(F&& f, Rule&& rule, CustomOptions options = {}, SourceLocation loc = std::source_location::current()) {
  return CustomVmap<std::decay_t<F>, std::decay_t<Rule>>(std::forward<F>(f), std::forward<Rule>(rule),
                                                         {"custom_vmap", std::move(options.name), loc});
}

namespace api {
// A custom function takes what its function takes.
template <class F, class Rule>
struct parameters_of<CustomJvp<F, Rule>> : parameters_of<F> {};
template <class F, class Fwd, class Bwd, class Jvp>
struct parameters_of<CustomVjp<F, Fwd, Bwd, Jvp>> : parameters_of<F> {};
template <class F, class Rule>
struct parameters_of<CustomVmap<F, Rule>> : parameters_of<F> {};
}  // namespace api

/// The tree as a constant for differentiation: the same values, all of whose derivatives are zero.
template <class T>
T stop_gradient(T t, SourceLocation loc = std::source_location::current()) {
  const LocationScope scope(loc, "stop_gradient");
  tree::for_each(t, [](Array& a) { a = bind1(OpCode::kStopGradient, {a}); });
  return t;
}

}  // namespace weft
