// Module: a layer or model as an aggregate of hyperparameters, with Flax Linen's semantics. What it learns is not in
// it: init makes the variables, and apply is a pure function of them.
//
//   struct Mlp : nn::Module<Mlp> {
//     int hidden = 128;
//     Array call(Array x) const {
//       x = nn::relu(nn::Dense{.features = hidden}(x));   // Dense_0: named in the order of first calls
//       return nn::Dense{.features = 10}(x);              // Dense_1
//     }
//   };
//   const Mlp model;
//   const nn::Variables variables = model.init(random::key(0), np::ones({1, 784}));
//   const Array logits = model.apply(variables, images);
//
// A module defines `call`; whoever has one calls the module itself, which is how it gets a name, a place among the
// variables and its own random keys. Modules may be made where they are used, as above, or be members, and then bear
// the names of these. One that is called again uses the same variables, and so does a copy of it, unless that was given
// another name. A member std::string `name`, where it is not empty, is the module's name.
//
// A module that is handed to another as a member keeps its place if it has one when the other runs; else it belongs to
// the other one, under the name of the member:
//
//   const nn::Embed embed{...};
//   x = embed(x);                             // Embed_0
//   return Decoder{.embed = embed}(x);        // Embed_0 again. Without the line before: Decoder_0/embed
//
// C++ does not say which operand of + or which argument of a function comes first, and so not which submodule is
// called, and named, first: give those names, or call them one statement after the other.
#pragma once

#include <memory>
#include <tuple>
#include <utility>
#include <variant>

#include "nn/initializers.h"
#include "nn/scope.h"
#include "weft/api/jit.h"
#include "weft/core/tree.h"
#include "weft/np/shape_param.h"

namespace weft::nn {

template <class D>
class Module;

/// How a model is applied.
struct ApplyOptions {
  /// The keys of random streams: {{"dropout", key}}. A stream that is not there takes keys from "params".
  Rngs rngs = {};
  /// The collections that may change: names, true for all, or Filter::deny(...).
  Filter mutable_collections = false;
  /// Hears of every call of a module when it is over.
  Listener listener = {};
};

/// How a model is initialised, beside its keys.
struct InitOptions {
  Rngs rngs = {};
  /// The collections that are made.
  Filter mutable_collections = Filter::deny({"intermediates"});
  Listener listener = {};
};

template <class D>
class Bound;

namespace detail {

template <class... A>
inline constexpr bool kBeginsWithOptions = false;
template <class First, class... A>
inline constexpr bool kBeginsWithOptions<First, A...> = std::is_same_v<std::remove_cvref_t<First>, ApplyOptions>;

template <class T>
concept IsModule = std::is_base_of_v<Module<T>, T>;

// "ns::Type<A>" of the compiler's spelling: "... [with D = ns::Type<A>; ...]" or "... [D = ns::Type<A>]".
template <class D>
constexpr std::string_view spelled_type() {
  std::string_view s = __PRETTY_FUNCTION__;
  s.remove_prefix(s.find("D = ") + 4);
  return s;
}
// "Type" of "ns::Type<A>; ...", whatever it is nested in: "Outer<A>::Type", "f()::<lambda()>::Type".
constexpr std::string_view unqualified_name(std::string_view s) {
  std::size_t begin = 0, end = std::string_view::npos;
  int depth = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const char c = s[i];
    if (depth == 0 && (c == ';' || c == ']')) {
      if (end == std::string_view::npos) end = i;
      break;
    }
    if (c == '<' && depth == 0) end = i;
    if (c == '<' || c == '(' || c == '{' || c == '[') ++depth;
    if (c == '>' || c == ')' || c == '}' || c == ']') --depth;
    if (depth == 0 && s.substr(i, 2) == "::") begin = i + 2, end = std::string_view::npos;
  }
  return s.substr(begin, end - begin);
}
// "Dense" of weft::nn::Dense; "Outer" of Outer<Inner>. A type with class_name() says it itself.
template <class D>
std::string_view class_name() {
  if constexpr (requires { D::class_name(); }) {
    static const std::string name = D::class_name();
    return name;
  } else {
    return unqualified_name(spelled_type<D>());
  }
}
// Whether the type is of this library: not of who writes in an unnamed namespace, {anonymous} or (anonymous), of it.
template <class D>
constexpr bool is_ours() {
  constexpr std::string_view ns = "weft::nn::", s = spelled_type<D>();
  return s.starts_with(ns) && s[ns.size()] != '{' && s[ns.size()] != '(';
}

template <class T>
void visit_member(std::string_view name, const T& member, MemberVisitor& visitor);

template <class D>
std::string_view given_name(const void* module) {
  const D& d = static_cast<const D&>(*static_cast<const Module<D>*>(module));
  if constexpr (requires { std::string_view(d.name); })
    return d.name;
  else
    return {};
}
template <class D>
void visit_members(const void* module, MemberVisitor& visitor) {
  static_assert(std::is_aggregate_v<D>,
                "a module must be an aggregate, so that its members are known: its hyperparameters are public members, "
                "and it has no constructors and no virtual functions");
  if constexpr (std::is_aggregate_v<D>) {
    const D& d = static_cast<const D&>(*static_cast<const Module<D>*>(module));
    const auto fields = tree::detail::fields(d);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (visit_member(tree::detail::field_name<D, I>(), std::get<I>(fields), visitor), ...);
    }(std::make_index_sequence<std::tuple_size_v<decltype(fields)>>());
  }
}
template <class D>
const ModuleType& module_type() {
  constexpr bool kWraps = requires { D::kWrapsModule; };
  static const ModuleType type{class_name<D>(), is_ours<D>(), kWraps, given_name<D>, visit_members<D>};
  return type;
}

// Modules, and those in vectors, arrays, tuples, pairs and maps: layers_0, layers_1, ...; heads_left; and, by the name
// alone, what an optional, a variant or a smart pointer holds. A class that holds modules of types that it does not
// tell has visit_modules(name, visitor).
template <class T>
void visit_member(std::string_view name, const T& member, MemberVisitor& visitor) {
  if constexpr (IsModule<T>) {
    visitor.member(std::string(name), static_cast<const Module<T>*>(&member), module_type<T>());
  } else if constexpr (requires { member.visit_modules(std::string(name), visitor); }) {
    member.visit_modules(std::string(name), visitor);
  } else if constexpr (tree::detail::is_a<T, std::vector> || tree::detail::is_std_array<T>) {
    if constexpr (std::is_class_v<typename T::value_type>) {
      std::size_t i = 0;
      for (const auto& e : member) visit_member(std::string(name) + "_" + std::to_string(i++), e, visitor);
    }
  } else if constexpr (tree::detail::is_a<T, std::map>) {
    for (const auto& [key, e] : member) visit_member(std::string(name) + "_" + tree::detail::key_text(key), e, visitor);
  } else if constexpr (tree::detail::is_a<T, std::tuple> || tree::detail::is_a<T, std::pair>) {
    std::apply(
        [&](const auto&... e) {
          std::size_t i = 0;
          (visit_member(std::string(name) + "_" + std::to_string(i++), e, visitor), ...);
        },
        member);
  } else if constexpr (tree::detail::is_a<T, std::optional> || tree::detail::is_a<T, std::shared_ptr> ||
                       tree::detail::is_a<T, std::unique_ptr>) {
    if (member) visit_member(name, *member, visitor);
  } else if constexpr (tree::detail::is_a<T, std::variant>) {
    if (!member.valueless_by_exception()) std::visit([&](const auto& e) { visit_member(name, e, visitor); }, member);
  }
}

// The types of arrays in arguments and results, as far as they lie in what is made of arrays alone.
template <class T>
void append_avals(const T& x, std::vector<Aval>& to) {
  using tree::detail::is_a;
  if constexpr (std::is_same_v<T, Array>) {
    if (x.defined()) to.push_back(x.aval());
  } else if constexpr (is_a<T, std::pair> || is_a<T, std::tuple>) {
    std::apply([&](const auto&... e) { (append_avals(e, to), ...); }, x);
  } else if constexpr (is_a<T, std::vector> || tree::detail::is_std_array<T>) {
    for (const auto& e : x) append_avals(e, to);
  } else if constexpr (is_a<T, std::optional>) {
    if (x) append_avals(*x, to);
  }
}

// Runs `body` as what the module does in the frame. Errors blame the line of the call, `loc`, or the last one that is
// known, for what layers of this library do, but what a module of the user's does they blame on its own lines.
template <class Body, class... A>
auto run_in(Running& running, const SourceLocation& loc, Body&& body, const A&... args) {
  Frame& frame = running.frame();
  frame.line = loc;
  for (const Frame* f = frame.outer; !frame.line && f; f = f->outer) frame.line = f->line;
  std::optional<LocationScope> line;
  std::optional<ForcedLocation> own_lines;
  if (!frame.type.ours)
    own_lines.emplace(SourceLocation());
  else if (frame.line)
    line.emplace(frame.line);
  try {
    if (!frame.store.listener) return body();
    ModuleCall call{frame.path, frame.type.name, *current_name_scope(), frame.number, {}, {}};
    (append_avals(args, call.inputs), ...);  // before they may be moved from
    auto result = body();
    append_avals(result, call.outputs);
    frame.store.listener(call);
    return result;
  } catch (Error& e) {
    e.add_note("in module " + path_str(frame.path) + " (" + std::string(frame.type.name) + ")");
    throw;
  }
}

/// Of a parameter or variable: what there is, or what `make` makes of it where it may be made.
Array param(const Place& place, const std::string& name, const Dims& shape, FunctionRef<Array(const Array& key)> make);
Array param(const Place& place, const std::string& name, FunctionRef<Array(const Array& key)> make);
Variable variable(const Place& place, const std::string& collection, const std::string& name,
                  FunctionRef<Array()> make);
Array get_variable(const Place& place, const std::string& collection, const std::string& name);
bool sow(const Place& place, const std::string& collection, const std::string& name, const Array& value);
bool sow(const Place& place, const std::string& collection, const std::string& name, const Array& value,
         FunctionRef<Array()> initial, FunctionRef<Array(const Array&, const Array&)> reduce);
Array perturb(const Place& place, const std::string& name, const Array& value, const std::string& collection);

}  // namespace detail

template <class D>
class Module {
 public:
  // An empty base, so that members can be told. What is made while another module runs is remembered, by address.
  // Public, as whoever makes an aggregate makes its base. NOLINTBEGIN(bugprone-crtp-constructor-accessibility)
  Module() noexcept {
    if (detail::current_frame) detail::born(this, type());
  }
  Module(const Module& from) noexcept {
    if (detail::current_frame) detail::copied(this, &from, type());
  }
  Module& operator=(const Module& from) noexcept {
    if (detail::current_frame && this != &from) detail::copied(this, &from, type());
    return *this;
  }
  // NOLINTEND(bugprone-crtp-constructor-accessibility)
  ~Module() {
    if (detail::current_frame) detail::died(this, type());
  }

  /// Runs `call` with the arguments, as a submodule of the module that runs. UnboundModuleError if none does.
  auto operator()(SourceLocation loc = std::source_location::current()) const { return call_at(loc); }
  // One for each number of arguments: the place of the call can follow them only where their number is known.
  template <class A>
  auto operator()(A&& a, SourceLocation loc = std::source_location::current()) const {
    return call_at(loc, std::forward<A>(a));
  }
  template <class A, class B>
  auto operator()(A&& a, B&& b, SourceLocation loc = std::source_location::current()) const {
    return call_at(loc, std::forward<A>(a), std::forward<B>(b));
  }
  template <class A, class B, class C>
  auto operator()(A&& a, B&& b, C&& c, SourceLocation loc = std::source_location::current()) const {
    return call_at(loc, std::forward<A>(a), std::forward<B>(b), std::forward<C>(c));
  }
  template <class A, class B, class C, class E>
  auto operator()(A&& a, B&& b, C&& c, E&& e, SourceLocation loc = std::source_location::current()) const {
    return call_at(loc, std::forward<A>(a), std::forward<B>(b), std::forward<C>(c), std::forward<E>(e));
  }
  template <class A, class B, class C, class E, class... More>
    requires(sizeof...(More) > 0)
  auto operator()(A&& a, B&& b, C&& c, E&& e, More&&... more) const {
    return call_at(SourceLocation(), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c), std::forward<E>(e),
                   std::forward<More>(more)...);
  }
  /// The same on behalf of a caller at `loc`, as far as errors go.
  template <class... A>
  auto call_at(const SourceLocation& loc, A&&... args) const {
    detail::Running running(this, type());
    return run(running, loc, Call(), std::forward<A>(args)...);
  }
  /// The same with another method, or function of the module: encoder.invoke(&Encoder::embed, x). A method that makes
  /// submodules has to be called so, from outside of its module.
  template <class F, class... A>
  auto invoke(F&& f, A&&... args) const {
    detail::Running running(this, type());
    return run(running, SourceLocation(), std::forward<F>(f), std::forward<A>(args)...);
  }

  /// The variables of the model when it has been called once with the arguments, of which types alone matter to most:
  /// init may be traced by jit and eval_shape. All collections but "intermediates" are made.
  template <class... A>
  Variables init(const Rngs& rngs, A&&... args) const {
    return init_with_output(rngs, std::forward<A>(args)...).second;
  }
  /// With the result of that call.
  template <class... A>
  auto init_with_output(const Rngs& rngs, A&&... args) const {
    return init_method(Call(), {.rngs = rngs}, std::forward<A>(args)...);
  }
  /// By another method, or a function of the module and the arguments: the result and the variables.
  template <class F, class... A>
  auto init_method(F&& f, const InitOptions& options, A&&... args) const {
    const Variables none;
    detail::check_keys(options.rngs, options.rngs.location);
    detail::Store store{.given = &none,
                        .rngs = options.rngs,
                        .may_change = options.mutable_collections,
                        .initializing = true,
                        .listener = options.listener};
    detail::Running running(store, this, type());
    auto result = run(running, options.rngs.location, std::forward<F>(f), std::forward<A>(args)...);
    return std::pair(std::move(result), store.mutable_variables());
  }

  /// The model's result. A pure function of all that is given.
  template <class... A>
    requires(!detail::kBeginsWithOptions<A...>)
  auto apply(const VariablesArg& variables, A&&... args) const {
    return apply_method(Call(), variables, ApplyOptions(), std::forward<A>(args)...);
  }
  template <class... A>
  auto apply(const VariablesArg& variables, const ApplyOptions& options, A&&... args) const {
    return apply_method(Call(), variables, options, std::forward<A>(args)...);
  }
  /// With the collections that may change, as they are afterwards.
  template <class... A>
  auto apply_mutable(const VariablesArg& variables, const ApplyOptions& options, A&&... args) const {
    return apply_mutable_method(Call(), variables, options, std::forward<A>(args)...);
  }
  /// By another method, or a function of the module and the arguments: apply_method(&Vae::decode, variables, {}, z);
  /// apply_mutable_method gives the collections that may change, too.
  template <class F, class... A>
  auto apply_method(F&& f, const VariablesArg& variables, const ApplyOptions& options, A&&... args) const {
    return apply_mutable_method(std::forward<F>(f), variables, options, std::forward<A>(args)...).first;
  }
  template <class F, class... A>
  auto apply_mutable_method(F&& f, const VariablesArg& variables, const ApplyOptions& options, A&&... args) const {
    const SourceLocation& loc = variables.location();
    detail::check_keys(options.rngs, loc);
    detail::Store store{.given = &variables.variables(),
                        .rngs = options.rngs,
                        .may_change = options.mutable_collections,
                        .listener = options.listener};
    detail::Running running(store, this, type());
    auto result = run(running, loc, std::forward<F>(f), std::forward<A>(args)...);
    return std::pair(std::move(result), store.mutable_variables());
  }

  /// The model together with variables: it, its members and methods may then be called as they are.
  ///   const auto bound = vae.bind(variables);
  ///   bound->decoder(z);
  Bound<D> bind(const Variables& variables, const ApplyOptions& options = {},
                SourceLocation loc = std::source_location::current()) const {
    return Bound<D>(self(), variables, options, loc);
  }

  // ---- inside of methods ----

  /// The parameter `name`, of collection "params": there, or made by init(key, shape, dtype) while the model is
  /// initialised. ParamNotFoundError, ParamShapeError.
  Array param(const std::string& name, const Initializer& init, const np::Shape& shape, DType dtype = f32) const {
    const Dims& dims = shape.dims();
    return detail::param(place("param"), name, dims, [&](const Array& key) { return init(key, dims, dtype); });
  }
  /// The same, made by any function of a key.
  template <class F>
  Array param(const std::string& name, F&& init) const {
    return detail::param(place("param"), name, [&](const Array& key) -> Array { return init(key); });
  }
  /// The variable `name` of a collection: there, or made by init() where the collection may change.
  /// VariableNotFoundError.
  template <class F>
  Variable variable(const std::string& collection, const std::string& name, F&& init) const {
    return detail::variable(place("variable"), collection, name, [&]() -> Array { return init(); });
  }
  /// A variable that is there already, made here or in another method: a name is not taken. VariableNotFoundError.
  Array get_variable(const std::string& collection, const std::string& name) const {
    return detail::get_variable(place("get_variable"), collection, name);
  }
  /// The same, or `otherwise` where it is not there.
  Array get_variable(const std::string& collection, const std::string& name, const Array& otherwise) const {
    return has_variable(collection, name) ? get_variable(collection, name) : otherwise;
  }
  /// Sets a variable, whether it is there or not. ModifyVariableError, TransformError, InvalidNameError.
  void put_variable(const std::string& collection, const std::string& name, const Array& value) const {
    const detail::Place p = place("put_variable");
    detail::check_name(p, name);
    p.store->set(collection, detail::joined(p.path, name), value);
  }
  /// Whether there is a variable of that name, given or made.
  bool has_variable(const std::string& collection, const std::string& name) const {
    const detail::Place p = place("has_variable");
    return p.store->find(collection, detail::joined(p.path, name)) != nullptr;
  }
  /// Whether variables of the collection may be made and changed.
  bool is_mutable_collection(const std::string& collection) const {
    return place("is_mutable_collection").store->may_change(collection);
  }
  /// Whether this is init.
  bool is_initializing() const { return place("is_initializing").store->initializing; }

  /// A new key of the stream: another each time, and in each module. A stream that was not given takes keys from
  /// "params". InvalidRngError if that was not given either.
  Array make_rng(const std::string& stream = "params") const {
    const detail::Place p = place("make_rng");
    return detail::next_key(*p.store, p.path, stream);
  }
  /// Whether there is a key of that stream itself.
  bool has_rng(const std::string& stream) const { return place("has_rng").store->rngs.contains(stream); }

  /// Keeps a value for whoever asks for the collection, behind those that were sown before under this name: "name/0",
  /// "name/1", ..., which sown_values puts in order. Whether it did: not unless the collection is mutable. SowError
  /// where the name holds one value; InvalidNameError.
  bool sow(const std::string& collection, const std::string& name, const Array& value) const {
    return detail::sow(place("sow"), collection, name, value);
  }
  /// The same with one value instead of many: reduce(old, value), at first reduce(initial(), value). SowError where the
  /// name holds many.
  template <class I, class R>
  bool sow(const std::string& collection, const std::string& name, const Array& value, I&& initial, R&& reduce) const {
    return detail::sow(
        place("sow"), collection, name, value, [&]() -> Array { return initial(); },
        [&](const Array& a, const Array& b) -> Array { return reduce(a, b); });
  }
  /// value + what the collection has under this name: zeros from init on, whose gradients are those of the value. The
  /// value alone where the collection was not given; VariableNotFoundError where it was, without this.
  Array perturb(const std::string& name, const Array& value, const std::string& collection = "perturbations") const {
    return detail::perturb(place("perturb"), name, value, collection);
  }
  /// "Encoder_0/Dense_1"; empty in the outermost module.
  std::string path() const { return place("path").path; }

  /// Runs `call`.
  struct Call {
    template <class... A>
    auto operator()(const D& d, A&&... args) const {
      constexpr bool kCalls = requires { d.call(std::forward<A>(args)...); };
      static_assert(kCalls,
                    "a module has a method `call`, const, which takes these arguments; an error inside it, if one is "
                    "reported too, comes first");
      if constexpr (kCalls) return d.call(std::forward<A>(args)...);
    }
  };

 private:
  friend class Bound<D>;
  static const detail::ModuleType& type() { return detail::module_type<D>(); }
  const D& self() const { return static_cast<const D&>(*this); }
  detail::Place place(const char* what) const { return detail::place_of(what, this, type()); }
  template <class F, class... A>
  auto run(detail::Running& running, const SourceLocation& loc, F&& f, A&&... args) const {
    // Arguments are looked at before they may be moved from.
    return detail::run_in(
        running, loc, [&] { return std::invoke(std::forward<F>(f), self(), std::forward<A>(args)...); }, args...);
  }
};

/// A model with variables. Not thread-safe.
template <class D>
class Bound {
 public:
  Bound(const D& module, Variables variables, const ApplyOptions& options, const SourceLocation& loc)
      : held_((detail::check_keys(options.rngs, loc), std::make_unique<Held>(module, std::move(variables), options))),
        loc_(loc) {}

  template <class... A>
  auto operator()(A&&... args) const {
    return operator->().module->call_at(loc_, std::forward<A>(args)...);
  }
  /// The module, which runs until the end of the expression.
  class Arrow {
   public:
    explicit Arrow(detail::Store& store, const D& m) : module(&m), running_(store, base(m), Module<D>::type()) {}
    const D* operator->() const { return module; }
    const D* module;

   private:
    static const Module<D>* base(const D& m) { return &m; }
    detail::Running running_;
  };
  Arrow operator->() const { return Arrow(held_->store, held_->module); }
  /// All variables, as they are now.
  Variables variables() const {
    Variables r = held_->variables;
    for (const auto& [name, collection] : held_->store.changed)
      for (const auto& [path, value] : collection) r[name].insert_or_assign(path, value);
    return r;
  }

 private:
  struct Held {
    Held(const D& m, Variables v, const ApplyOptions& o)
        : module(m),
          variables(std::move(v)),
          store{.given = &variables, .rngs = o.rngs, .may_change = o.mutable_collections, .listener = o.listener} {}
    D module;
    Variables variables;
    detail::Store store;
  };
  std::unique_ptr<Held> held_;
  SourceLocation loc_;  // of bind
};

}  // namespace weft::nn
