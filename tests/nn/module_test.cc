// What modules are: names, places among the variables, sharing, collections, and what is refused.
#include "nn/module.h"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <thread>

#include "nn/activation.h"
#include "nn/combinators.h"
#include "nn/linear.h"
#include "weft/weft.h"

namespace weft::nn {
namespace {

const Array kKey = random::key(0);

std::vector<std::string> paths_of(const Variables& v, const std::string& collection = "params") {
  std::vector<std::string> r;
  if (v.contains(collection))
    for (const auto& [path, value] : v.at(collection)) r.push_back(path);
  return r;
}
using Paths = std::vector<std::string>;

// The whole text, with the place alone where it is this file.
std::string message(const auto& f) {
  try {
    f();
  } catch (const Error& e) {
    std::string text = e.what();
    const std::string place = e.location().str();
    if (place.starts_with("module_test.cc:")) text.replace(text.find(place), place.size(), "here");
    return std::string(e.kind()) + ": " + text;
  }
  return "no error";
}

bool same(const Array& a, const Array& b) { return np::array_equal(a, b).item<bool>(); }

// One parameter, so that paths are short.
struct Scale : Module<Scale> {
  std::string name = {};
  Array call(const Array& x) const { return x * param("s", initializers::normal(1), x.shape()); }
};

// ---- names ----

struct Compact : Module<Compact> {
  Array call(Array x) const {
    x = Scale{}(x);
    x = Scale{.name = "given"}(x);
    const Scale again;
    x = again(x);
    x = again(x);
    return Scale{}(x);
  }
};
TEST(module, submodules_are_named_in_the_order_of_their_first_calls) {
  EXPECT_EQ(paths_of(Compact{}.init(kKey, np::ones({2}))), (Paths{"Scale_0/s", "Scale_1/s", "Scale_2/s", "given/s"}));
}

struct Members : Module<Members> {
  Scale first;
  std::vector<Scale> list{Scale{}, Scale{}};
  std::map<std::string, Scale> heads{{"left", {}}, {"right", {}}};
  std::optional<Scale> maybe = Scale{};
  Scale renamed{.name = "other"};
  Array call(Array x) const {
    x = renamed((*maybe)(x));
    for (const Scale& s : list) x = s(x);
    for (const auto& [key, s] : heads) x = s(x);
    return first(x);
  }
};
TEST(module, members_bear_the_names_of_members) {
  EXPECT_EQ(paths_of(Members{}.init(kKey, np::ones({2}))),
            (Paths{"first/s", "heads_left/s", "heads_right/s", "list_0/s", "list_1/s", "maybe/s", "other/s"}));
}

struct Nested : Module<Nested> {
  Members inner;
  Array call(const Array& x) const { return Compact{}(inner.first(inner(x))); }
};
TEST(module, members_of_members_are_below_them) {
  const Paths paths = paths_of(Nested{}.init(kKey, np::ones({2})));
  EXPECT_EQ(paths.size(), 4u + 7u);
  EXPECT_EQ(paths.front(), "Compact_0/Scale_0/s");
  EXPECT_EQ(paths.back(), "inner/other/s");
}

template <class T>
struct Wrapper : Module<Wrapper<T>> {
  T inner;
  Array call(const Array& x) const { return inner(x); }
};
struct InTemplate : Module<InTemplate> {
  Array call(const Array& x) const { return Wrapper<Scale>{}(x); }
};
TEST(module, types_with_arguments_are_named_without_them) {
  EXPECT_EQ(paths_of(InTemplate{}.init(kKey, np::ones({2}))), (Paths{"Wrapper_0/inner/s"}));
}

struct Loop : Module<Loop> {
  Array call(Array x) const {
    // Each lies where the one before lay.
    for (int i = 0; i < 3; ++i) x = Scale{}(x);
    return x;
  }
};
struct Outer {
  template <class T>
  struct Inner : Module<Inner<T>> {
    Array call(const Array& x) const { return Scale{}(x); }
  };
};
template <class T>
struct Holds {
  struct Held : Module<Held> {
    Array call(const Array& x) const { return Scale{}(x); }
  };
};
struct NestsTypes : Module<NestsTypes> {
  Array call(Array x) const {
    struct Local : Module<Local> {
      Array call(const Array& x) const { return Scale{}(x); }
    };
    x = Outer::Inner<std::pair<int, Outer>>{}(Holds<std::vector<int>>::Held{}(x));
    return [](const Array& a) {
      struct InLambda : Module<InLambda> {
        Array call(const Array& x) const { return Scale{}(x); }
      };
      return InLambda{}(a);
    }(Local{}(x));
  }
};
TEST(module, nested_types_are_named_by_the_last_name) {
  EXPECT_EQ(paths_of(NestsTypes{}.init(kKey, np::ones({2}))),
            (Paths{"Held_0/Scale_0/s", "InLambda_0/Scale_0/s", "Inner_0/Scale_0/s", "Local_0/Scale_0/s"}));
}

struct Shelf : Module<Shelf> {
  std::tuple<Scale, Scale> heads;
  std::pair<Scale, int> side;
  std::variant<int, Scale> either = Scale{};
  std::shared_ptr<Scale> shared = std::make_shared<Scale>();
  std::shared_ptr<Scale> none;
  Array call(const Array& x) const {
    return (*shared)(std::get<Scale>(either)(side.first(std::get<1>(heads)(std::get<0>(heads)(x)))));
  }
};
TEST(module, members_are_told_in_whatever_holds_them) {
  EXPECT_EQ(paths_of(Shelf{}.init(kKey, np::ones({2}))),
            (Paths{"either/s", "heads_0/s", "heads_1/s", "shared/s", "side_0/s"}));
}

TEST(module, modules_of_a_loop_are_different_ones) {
  EXPECT_EQ(paths_of(Loop{}.init(kKey, np::ones({2}))), (Paths{"Scale_0/s", "Scale_1/s", "Scale_2/s"}));
}

struct InVector : Module<InVector> {
  Array call(Array x) const {
    std::vector<Scale> layers;
    for (int i = 0; i < 3; ++i) layers.push_back(Scale{});
    for (const Scale& s : layers) x = s(x);
    for (const Scale& s : layers) x = s(x);
    return x;
  }
};
TEST(module, a_module_is_itself_wherever_it_is_moved) {
  EXPECT_EQ(paths_of(InVector{}.init(kKey, np::ones({2}))), (Paths{"Scale_0/s", "Scale_1/s", "Scale_2/s"}));
}

// ---- sharing ----

struct Holder : Module<Holder> {
  Scale scale;
  std::vector<Scale> own{Scale{}};
  Array call(const Array& x) const { return own[0](scale(x)); }
};
struct Shares : Module<Shares> {
  Array call(Array x) const {
    const Scale one;
    x = Holder{.scale = one}(x);
    x = Holder{.scale = one}(x);
    return one(x);
  }
};
TEST(module, one_that_is_handed_to_several_is_shared_by_them) {
  EXPECT_EQ(paths_of(Shares{}.init(kKey, np::ones({2}))),
            (Paths{"Holder_0/own_0/s", "Holder_0/scale/s", "Holder_1/own_0/s"}));
}
struct CallsFirst : Module<CallsFirst> {
  Scale mine;
  Array call(Array x) const {
    const Scale one;
    x = one(x);
    x = Holder{.scale = one}(x);
    return Holder{.scale = mine}(x);
  }
};
TEST(module, one_that_has_a_place_keeps_it) {
  EXPECT_EQ(paths_of(CallsFirst{}.init(kKey, np::ones({2}))),
            (Paths{"Holder_0/own_0/s", "Holder_1/own_0/s", "Scale_0/s", "mine/s"}));
}
struct OfOthers : Module<OfOthers> {
  Holder inner;
  Array call(const Array& x) const {
    const Holder outer{.scale = inner.scale};  // which has not run
    return outer(inner(x));
  }
};
TEST(module, members_of_members_are_shared_too) {
  EXPECT_EQ(paths_of(OfOthers{}.init(kKey, np::ones({2}))),
            (Paths{"Holder_0/own_0/s", "inner/own_0/s", "inner/scale/s"}));
}
struct Chain : Module<Chain> {
  std::vector<Scale> layers = std::vector<Scale>(3, Scale{});
  Array call(Array x) const {
    for (const Scale& layer : layers) x = layer(x);
    return x;
  }
};
struct HasChain : Module<HasChain> {
  Array call(const Array& x) const { return Chain{}(x); }
};
struct Deep : Module<Deep> {
  std::vector<Holder> holders = std::vector<Holder>(2, Holder{});
  std::vector<Sequential> chains = std::vector<Sequential>(2, Sequential{.layers = {Scale{}}});
  Array call(Array x) const {
    for (const Holder& holder : holders) x = holder(x);
    for (const Sequential& chain : chains) x = chain(x);
    return x;
  }
};
struct HasDeep : Module<HasDeep> {
  Deep outside;
  Array call(const Array& x) const { return Deep{}(outside(x)); }
};
TEST(module, members_of_one_module_are_different_ones_wherever_it_is_made) {
  EXPECT_EQ(paths_of(Chain{}.init(kKey, np::ones({2}))), (Paths{"layers_0/s", "layers_1/s", "layers_2/s"}));
  EXPECT_EQ(paths_of(HasChain{}.init(kKey, np::ones({2}))),
            (Paths{"Chain_0/layers_0/s", "Chain_0/layers_1/s", "Chain_0/layers_2/s"}));
  const Variables v = HasDeep{}.init(kKey, np::ones({2}));
  const Paths deep{"chains_0/layers_0/s", "chains_1/layers_0/s", "holders_0/own_0/s",
                   "holders_0/scale/s",   "holders_1/own_0/s",   "holders_1/scale/s"};
  EXPECT_EQ(paths_of(below(v, "outside")), deep);
  EXPECT_EQ(paths_of(below(v, "Deep_0")), deep);
}

Sequential two_scales(const Scale& last) { return {.layers = {Scale{}, last}}; }
struct FromFunction : Module<FromFunction> {
  bool at_once = false;
  Array call(const Array& x) const {
    if (at_once) return two_scales(Scale{})(x);
    const auto both = two_scales(Scale{});
    return both(x);
  }
};
TEST(module, where_one_is_does_not_depend_on_how_long_others_live) {
  const Paths want{"Sequential_0/layers_0/s", "Sequential_0/layers_1/s"};
  EXPECT_EQ(paths_of(FromFunction{.at_once = true}.init(kKey, np::ones({2}))), want);
  EXPECT_EQ(paths_of(FromFunction{.at_once = false}.init(kKey, np::ones({2}))), want);
}

// Modules that are called while what will hold them is not there yet.
struct CallsEarly : Module<CallsEarly> {
  int how = 0;
  Array call(const Array& x) const {
    struct Block : Module<Block> {
      Array bias;
      std::vector<Scale> layers;
      Array call(Array y) const {
        for (const Scale& layer : layers) y = layer(y) + bias;
        return y;
      }
    };
    if (how == 0)
      return Sequential{.layers = {Scale{}, [s = Scale{.name = "inner"}(x)](const Array& y) { return y * s; }}}(x);
    return Block{.bias = Scale{.name = "inner"}(x), .layers = {Scale{}, Scale{}}}(x);
  }
};
TEST(module, calls_among_the_members_of_another_come_before_it) {
  EXPECT_EQ(paths_of(CallsEarly{.how = 0}.init(kKey, np::ones({2}))), (Paths{"Sequential_0/layers_0/s", "inner/s"}));
  EXPECT_EQ(paths_of(CallsEarly{.how = 1}.init(kKey, np::ones({2}))),
            (Paths{"Block_0/layers_0/s", "Block_0/layers_1/s", "inner/s"}));
}
struct DiesElsewhere : Module<DiesElsewhere> {
  Array call(const Array& x) const {
    auto one = std::make_unique<Scale>();
    const Array y = (*one)(x);
    std::thread([&] { one.reset(); }).join();
    std::vector<Scale> others(100);
    Array z = y;
    for (const Scale& s : others) z = s(z);
    return z;
  }
};
TEST(module, one_that_dies_in_another_thread_leaves_no_name_behind) {
  EXPECT_EQ(paths_of(DiesElsewhere{}.init(kKey, np::ones({2}))).size(), 101u);
}
struct Assigns : Module<Assigns> {
  Array call(Array x) const {
    Scale one;
    x = one(x);
    one = Scale{};
    return one(x);
  }
};
TEST(module, one_that_is_assigned_is_the_new_one) {
  EXPECT_EQ(paths_of(Assigns{}.init(kKey, np::ones({2}))), (Paths{"Scale_0/s", "Scale_1/s"}));
}
struct Renames : Module<Renames> {
  Scale proto;
  Array call(Array x) const {
    Scale other = proto;
    other.name = "other";
    x = other(x);
    Scale third = other;
    third.name = "third";
    return Holder{.scale = third}(other(proto(x)));
  }
};
TEST(module, a_copy_with_another_name_is_another_module) {
  EXPECT_EQ(paths_of(Renames{}.init(kKey, np::ones({2}))),
            (Paths{"Holder_0/own_0/s", "Holder_0/third/s", "other/s", "proto/s"}));
}
struct InitsInside : Module<InitsInside> {
  Array call(const Array& x) const {
    const Holder holder;
    const Array y = holder(x);
    // Another model, although it is the same module.
    const Variables own = holder.init(make_rng(), x);
    EXPECT_EQ(paths_of(own), (Paths{"own_0/s", "scale/s"}));
    return y + holder.apply(own, x);
  }
};
TEST(module, an_init_inside_of_a_module_is_another_model) {
  EXPECT_EQ(paths_of(InitsInside{}.init(kKey, np::ones({2}))), (Paths{"Holder_0/own_0/s", "Holder_0/scale/s"}));
}
struct Copies : Module<Copies> {
  Array call(Array x) const {
    const Holder own{.scale = Scale{}};
    const Holder copy = own;
    return copy(own(x));
  }
};
TEST(module, a_copy_is_what_it_was_copied_from) {
  EXPECT_EQ(paths_of(Copies{}.init(kKey, np::ones({2}))), (Paths{"Holder_0/own_0/s", "Holder_0/scale/s"}));
}

// ---- variables in and out ----

TEST(module, apply_is_a_function_of_the_variables) {
  const Dense model{.features = 3};
  const Array x = random::normal(random::key(1), {4, 2});
  const auto [y, v] = model.init_with_output(kKey, x);
  EXPECT_TRUE(same(model.apply(v, x), y));
  // Compiled, a small product may add up in another order.
  const Array compiled = weft::jit([&](const Variables& w, const Array& a) { return model.apply(w, a); })(v, x);
  EXPECT_TRUE(np::allclose(compiled, y, 1e-6, 1e-6).item<bool>());
  Variables twice = tree::map([](const Array& a) { return a * 2; }, v);
  EXPECT_TRUE(np::allclose(model.apply(twice, x), 2 * y).item<bool>());
  const Variables g = grad([&](const Variables& w) { return np::sum(model.apply(w, x)); })(v);
  EXPECT_TRUE(
      np::allclose(g.at("params").at("kernel"), np::sum(x, 0)(slice(), newaxis) * np::ones({2, 3})).item<bool>());
  EXPECT_TRUE(np::allclose(g.at("params").at("bias"), np::full({3}, 4.0f)).item<bool>());
}

TEST(module, init_is_the_same_from_equal_keys_and_traced_or_not) {
  const Compact model;
  const Variables a = model.init(kKey, np::ones({2})), b = model.init(kKey, np::ones({2}));
  const Variables c = weft::jit([&](const Array& key) { return model.init(key, np::ones({2})); })(kKey);
  for (const auto& [path, value] : a.at("params")) {
    EXPECT_TRUE(same(value, b.at("params").at(path)));
    EXPECT_TRUE(same(value, c.at("params").at(path)));
  }
  const Variables shapes = eval_shape([&](const Array& key) { return model.init(key, np::ones({2})); }, kKey);
  EXPECT_EQ(paths_of(shapes), paths_of(a));
}

TEST(module, many_models_are_initialised_at_once) {
  const Array keys = random::split(kKey, 5);
  const Variables all = vmap([](const Array& k) { return Scale{}.init(k, np::ones({2})); })(keys);
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(same(all.at("params").at("s")(i), Scale{}.init(keys(i), np::ones({2})).at("params").at("s")));
}

struct Mean : Module<Mean> {
  Array call(const Array& x) const {
    const Variable mean = variable("stats", "mean", [&] { return np::zeros_like(x); });
    if (!is_initializing() && is_mutable_collection("stats")) mean.set(0.5 * mean.value() + 0.5 * x);
    return x - mean.value();
  }
};
TEST(module, collections_that_may_change_come_back) {
  const Array x = np::array({2.0f, 4.0f});
  const Variables v = Mean{}.init(kKey, x);
  EXPECT_TRUE(same(v.at("stats").at("mean"), np::zeros({2})));
  EXPECT_TRUE(same(Mean{}.apply(v, x), x));
  const auto [y, now] = Mean{}.apply_mutable(v, {.mutable_collections = "stats"}, x);
  EXPECT_TRUE(same(now.at("stats").at("mean"), np::array({1.0f, 2.0f})));
  EXPECT_TRUE(same(y, np::array({1.0f, 2.0f})));
  EXPECT_TRUE(same(v.at("stats").at("mean"), np::zeros({2}))) << "what was given has changed";
}

TEST(module, filters_say_which_collections) {
  EXPECT_TRUE(Filter(true)("a"));
  EXPECT_FALSE(Filter(false)("a"));
  EXPECT_TRUE(Filter("a")("a"));
  EXPECT_FALSE(Filter("a")("b"));
  EXPECT_TRUE((Filter{"a", "b"})("b"));
  EXPECT_FALSE(Filter::deny({"a"})("a"));
  EXPECT_TRUE((Filter::deny({"a"}) & Filter{"b", "a"})("b"));
  EXPECT_FALSE((Filter::deny({"a"}) & Filter{"b", "a"})("a"));
}

TEST(module, parts_of_variables_are_variables_of_parts) {
  const Variables v = Nested{}.init(kKey, np::ones({2}));
  const Variables inner = below(v, "inner");
  EXPECT_EQ(paths_of(inner), paths_of(Members{}.init(kKey, np::ones({2}))));
  EXPECT_EQ(at_path(inner, "inner").at("params").size(), 7u);
  EXPECT_EQ(num_elements(v.at("params")), 22);
  EXPECT_EQ(num_bytes(v.at("params")), 88);
}

// ---- sow, perturb ----

struct Sows : Module<Sows> {
  Array call(const Array& x) const {
    sow("intermediates", "h", x);
    sow("intermediates", "h", x * 2);
    sow(
        "intermediates", "sum", x, [&] { return np::zeros_like(x); },
        [](const Array& a, const Array& b) { return a + b; });
    return x;
  }
};
struct SowsTwice : Module<SowsTwice> {
  Array call(const Array& x) const {
    const Sows s;
    s(x);
    return s(x);
  }
};
TEST(module, what_is_sown_is_there_for_who_asks) {
  const Array x = np::array({1.0f, 2.0f});
  EXPECT_TRUE(SowsTwice{}.init(kKey, x).empty());
  const auto [y, now] = SowsTwice{}.apply_mutable({}, {.mutable_collections = "intermediates"}, x);
  EXPECT_EQ(paths_of(now, "intermediates"),
            (Paths{"Sows_0/h/0", "Sows_0/h/1", "Sows_0/h/2", "Sows_0/h/3", "Sows_0/sum"}));
  EXPECT_TRUE(same(now.at("intermediates").at("Sows_0/h/3"), x * 2));
  EXPECT_TRUE(same(now.at("intermediates").at("Sows_0/sum"), x * 2));
  EXPECT_TRUE(same(SowsTwice{}.apply({}, x), x));
  const Arrays sown = sown_values(now, "intermediates", "Sows_0/h");
  ASSERT_EQ(sown.size(), 4u);
  EXPECT_TRUE(same(sown[3], x * 2));
  EXPECT_EQ(sown_values(now, "intermediates", "Sows_0/sum").size(), 1u);
  EXPECT_TRUE(sown_values(now, "intermediates", "Sows_0/other").empty());
  EXPECT_TRUE(sown_values(now, "other", "Sows_0/h").empty());
}

struct SowsMany : Module<SowsMany> {
  Array call(const Array& x) const {
    for (int i = 0; i < 12; ++i) sow("intermediates", "h", x + i);
    return x;
  }
};
TEST(module, what_is_sown_keeps_its_order) {
  const auto now = SowsMany{}.apply_mutable({}, {.mutable_collections = "intermediates"}, Array(0)).second;
  const Arrays sown = sown_values(now, "intermediates", "h");
  ASSERT_EQ(sown.size(), 12u);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(sown[static_cast<std::size_t>(i)].item<int>(), i);
}

struct SowsBoth : Module<SowsBoth> {
  bool list_first = false;
  Array call(const Array& x) const {
    const auto last = [](const Array&, const Array& now) { return now; };
    if (list_first) sow("intermediates", "h", x);
    sow("intermediates", "h", x, [&] { return x; }, last);
    if (!list_first) sow("intermediates", "h", x);
    return x;
  }
};
TEST(module, a_list_and_one_value_are_not_sown_under_one_name) {
  for (const bool list_first : {false, true})
    EXPECT_EQ(message([&] {
                SowsBoth{.list_first = list_first}.apply_mutable({}, {.mutable_collections = "intermediates"},
                                                                 np::ones({2}));
              }),
              std::string("nn::SowError: sow: a name that holds ") +
                  (list_first ? "a list cannot hold one value" : "one value cannot hold a list") +
                  "; got \"h\" of \"intermediates\" in the outermost module.\n"
                  "  in module the outermost module (SowsBoth)");
}

struct Perturbed : Module<Perturbed> {
  Array call(const Array& x) const {
    const Array h = perturb("h", np::sin(x));
    return np::sum(h * h);
  }
};
TEST(module, gradients_of_perturbations_are_those_of_values_inside) {
  const Array x = np::array({1.0f, 2.0f});
  const Variables v = Perturbed{}.init(kKey, x);
  const Variables g = grad([&](const Variables& w) { return Perturbed{}.apply(w, x); })(v);
  EXPECT_TRUE(np::allclose(g.at("perturbations").at("h"), 2 * np::sin(x)).item<bool>());
  EXPECT_TRUE(np::allclose(Perturbed{}.apply({}, x), np::sum(np::sin(x) * np::sin(x))).item<bool>());
  // A collection that was given must have it.
  EXPECT_EQ(message([&] { Perturbed{}.apply({{"perturbations", {{"other", x}}}}, x); }),
            "nn::VariableNotFoundError: perturb: the variables must have every variable; got no \"h\" of "
            "\"perturbations\" in the outermost module, which has other.\n"
            "  in module the outermost module (Perturbed)\n"
            "hint: give the collection \"perturbations\" that init made, or name it in mutable_collections");
}

struct Reads : Module<Reads> {
  Array call(const Array& x) const {
    EXPECT_FALSE(has_variable("stats", "n"));
    EXPECT_EQ(get_variable("stats", "n", Array(7)).item<int>(), 7);
    if (is_mutable_collection("stats")) put_variable("stats", "n", Array(1));
    EXPECT_EQ(has_variable("stats", "n"), is_mutable_collection("stats"));
    EXPECT_EQ(has_rng("noise"), is_initializing());
    EXPECT_FALSE(has_rng("other"));
    return x * get_variable("stats", "n").astype(f32);
  }
};
TEST(module, variables_are_read_and_put_without_taking_their_names) {
  const Array x = np::ones({2});
  const auto [y, v] = Reads{}.init_with_output({{"noise", kKey}}, x);
  EXPECT_EQ(v.at("stats").at("n").item<int>(), 1);
  EXPECT_TRUE(same(y, x));
  EXPECT_EQ(
      message([&] { Reads{}.apply({}, x); }).substr(0, 100),
      std::string("nn::VariableNotFoundError: get_variable: the variables must have every variable; got no \"n\" of "
                  "\"stats\"")
          .substr(0, 100));
}

// ---- methods ----

struct Autoencoder : Module<Autoencoder> {
  Dense encoder{.features = 2}, decoder{.features = 3};
  Array encode(const Array& x) const { return encoder(x); }
  Array decode(const Array& z) const { return decoder(z); }
  Array call(const Array& x) const { return decode(encode(x)); }
};
TEST(module, other_methods_are_applied_and_bound) {
  const Autoencoder model;
  const Array x = random::normal(random::key(1), {4, 3});
  const Variables v = model.init(kKey, x);
  EXPECT_EQ(paths_of(v), (Paths{"decoder/bias", "decoder/kernel", "encoder/bias", "encoder/kernel"}));
  const Array z = model.apply_method(&Autoencoder::encode, v, {}, x);
  EXPECT_TRUE(same(model.apply_method(&Autoencoder::decode, v, {}, z), model.apply(v, x)));
  EXPECT_TRUE(same(model.apply_method([](const Autoencoder& m, const Array& a) { return m.encoder(a); }, v, {}, x), z));
  const auto bound = model.bind(v);
  EXPECT_TRUE(same(bound->encode(x), z));
  EXPECT_TRUE(same(bound->decoder(z), model.apply(v, x)));
  EXPECT_TRUE(same(bound(x), model.apply(v, x)));
  const auto [out, only] = model.init_method(&Autoencoder::encode, {.rngs = kKey}, x);
  EXPECT_EQ(paths_of(only), (Paths{"encoder/bias", "encoder/kernel"}));
}

TEST(module, what_is_bound_may_change) {
  const Array x = np::array({2.0f, 4.0f});
  const auto bound = Mean{}.bind(Mean{}.init(kKey, x), {.mutable_collections = "stats"});
  bound(x);
  bound(x);
  EXPECT_TRUE(same(bound.variables().at("stats").at("mean"), np::array({1.5f, 3.0f})));
}

TEST(module, listeners_hear_of_every_call) {
  std::vector<std::string> heard;
  const ApplyOptions options{.listener = [&](const ModuleCall& c) {
    heard.push_back(c.path + ":" + std::string(c.module) + " " + c.inputs.at(0).str() + " " + c.outputs.at(0).str());
  }};
  const Autoencoder model;
  const Array x = np::ones({4, 3});
  model.apply(model.init(kKey, x), options, x);
  EXPECT_EQ(heard, (Paths{"encoder:Dense f32[4,3] f32[4,2]", "decoder:Dense f32[4,2] f32[4,3]",
                          ":Autoencoder f32[4,3] f32[4,3]"}));
}

struct TakesByValue : Module<TakesByValue> {
  Array call(Array x) const { return x * 2; }
};
struct HandsOver : Module<HandsOver> {
  Array call(Array x) const { return TakesByValue{}(x + 1); }
};
TEST(module, listeners_hear_of_arguments_that_are_moved) {
  std::vector<std::string> heard;
  const ApplyOptions options{.listener = [&](const ModuleCall& c) { heard.push_back(c.inputs.at(0).str()); }};
  HandsOver{}.apply({}, options, np::ones({4, 3}));
  EXPECT_EQ(heard, (Paths{"f32[4,3]", "f32[4,3]"}));
}

TEST(module, equations_bear_the_names_of_modules) {
  const Autoencoder model;
  const Array x = np::ones({4, 3});
  const Variables v = model.init(kKey, x);
  const Jaxpr program = make_jaxpr([&](const Variables& w, const Array& a) { return model.apply(w, a); })(v, x);
  const std::string text = ir::print(program, {.name_scopes = true});
  EXPECT_NE(text.find("Autoencoder/encoder"), std::string::npos) << text;
}

// ---- what is refused ----

TEST(module, runs_inside_of_init_and_apply_alone) {
  EXPECT_EQ(message([] { Scale{}(np::ones({2})); }),
            "nn::UnboundModuleError: call: a module must run inside of init, apply or bind; got Scale outside.\n"
            "hint: variables = model.init(key, x); y = model.apply(variables, x)");
  EXPECT_THROW(Scale{}.make_rng(), UnboundModuleError);
}

TEST(module, wants_the_parameters_that_init_made) {
  const Array x = np::ones({2, 3});
  Variables v = Autoencoder{}.init(kKey, x);
  EXPECT_EQ(message([&] { Autoencoder{}.apply(v, np::ones({2, 5})); }),
            "nn::ParamShapeError: param: a parameter must have the shape that the module asks for; got [3,2] for "
            "\"kernel\" in encoder, which asks for [5,2].\n"
            "  at here\n"
            "  in module encoder (Dense)\n"
            "  in module the outermost module (Autoencoder)\n"
            "hint: the model, or the shape of its input, is another than at init");
  v["params"].erase("decoder/bias");
  EXPECT_EQ(
      message([&] { Autoencoder{}.apply(v, x); }),
      "nn::ParamNotFoundError: param: the variables must have every parameter; got no \"bias\" in decoder, which has "
      "kernel.\n"
      "  at here\n"
      "  in module decoder (Dense)\n"
      "  in module the outermost module (Autoencoder)\n"
      "hint: initialise the same model with arguments of the same shapes, or give all that init gave");
}

TEST(module, changes_mutable_collections_alone) {
  struct Sets : Module<Sets> {
    Array call(const Array& x) const {
      variable("stats", "mean", [&] { return x; }).set(x);
      return x;
    }
  };
  const Array x = np::ones({2});
  EXPECT_EQ(message([&] { Sets{}.apply({{"stats", {{"mean", x}}}}, x); }),
            "nn::ModifyVariableError: variables: only those of mutable collections may be made or changed; got mean of "
            "\"stats\".\n"
            "  in module the outermost module (Sets)\n"
            "hint: name the collection: model.apply_mutable(variables, {.mutable_collections = \"stats\"}, ...)");
  EXPECT_EQ(message([&] { Sets{}.apply({}, x); }),
            "nn::VariableNotFoundError: variable: the variables must have every variable; got no \"mean\" of \"stats\" "
            "in the outermost module, which has none.\n"
            "  in module the outermost module (Sets)\n"
            "hint: give the collection \"stats\" that init made, or name it in mutable_collections");
}

struct Clash : Module<Clash> {
  int how = 0;
  Array call(const Array& x) const {
    if (how == 0) return Scale{.name = "a"}(Scale{.name = "a"}(x));
    if (how == 1) return param("a", initializers::ones(), {}) * Scale{.name = "a"}(x);
    if (how == 2) return param("a", initializers::ones(), {}) * param("a", initializers::ones(), {});
    if (how == 3) return Scale{.name = "a/b"}(x);
    variable("stats", "a", [] { return Array(0); });
    return param("a", initializers::ones(), {}) * x;  // of another collection
  }
};
struct NamesPaths : Module<NamesPaths> {
  bool sows = false;
  Array call(const Array& x) const {
    if (sows)
      sow("stats", "a/b", x);
    else
      put_variable("stats", "a/b", x);
    return x;
  }
};
TEST(module, names_of_variables_are_no_paths) {
  for (const bool sows : {false, true})
    EXPECT_EQ(
        message([&] { NamesPaths{.sows = sows}.apply_mutable({}, {.mutable_collections = "stats"}, np::ones({2})); }),
        "nn::InvalidNameError: module: a name must not be empty and have no '/'; got \"a/b\" in the outermost "
        "module.\n  in module the outermost module (NamesPaths)");
}

std::optional<Variable> kept_variable;
struct LetsGo : Module<LetsGo> {
  Array call(const Array& x) const {
    kept_variable = variable("stats", "mean", [] { return Array(0); });
    return x;
  }
};
TEST(module, variables_are_read_while_their_model_runs) {
  LetsGo{}.init(kKey, np::ones({2}));
  const std::string error =
      "nn::UnboundModuleError: variable: it must be read and set while its model runs; got mean of \"stats\" after "
      "that.\nhint: read its value inside of the module, or from the variables that init or apply_mutable gives";
  EXPECT_EQ(message([] { kept_variable->value(); }), error);
  EXPECT_EQ(message([] { kept_variable->set(Array(1)); }), error);
  kept_variable.reset();
}

TEST(module, names_in_a_module_differ) {
  const Array x = np::ones({2});
  for (const int how : {0, 1, 2}) EXPECT_THROW(Clash{.how = how}.init(kKey, x), NameInUseError) << how;
  EXPECT_EQ(message([&] { Clash{.how = 0}.init(kKey, x); }),
            "nn::NameInUseError: module: names in a module must differ; got \"a\" twice in the outermost module.\n"
            "  in module the outermost module (Clash)\n"
            "hint: leave the name out, and one is made from the type");
  EXPECT_THROW(Clash{.how = 3}.init(kKey, x), InvalidNameError);
  EXPECT_EQ(Clash{.how = 4}.init(kKey, x).size(), 2u);
}

struct ClashWithMember : Module<ClashWithMember> {
  Scale head;
  int how = 0;
  Array call(const Array& x) const {
    if (how == 0) return Scale{.name = "head"}(head(x));
    return x * param("head", initializers::ones(), {});
  }
};
struct EqualMembers : Module<EqualMembers> {
  Scale a{.name = "x"}, b{.name = "x"};
  Array call(const Array& x) const { return a(x); }
};
struct ListAndMember : Module<ListAndMember> {
  std::vector<Scale> head{Scale{}};
  Scale head_0;
  Array call(const Array& x) const { return head_0(x); }
};
struct AutomaticMember : Module<AutomaticMember> {
  Scale Scale_0;
  Array call(const Array& x) const { return Scale_0(Scale{}(x)); }
};
TEST(module, names_of_members_are_taken) {
  const Array x = np::ones({2});
  for (const int how : {0, 1}) EXPECT_THROW(ClashWithMember{.how = how}.init(kKey, x), NameInUseError) << how;
  EXPECT_THROW(EqualMembers{}.init(kKey, x), NameInUseError);
  EXPECT_THROW(ListAndMember{}.init(kKey, x), NameInUseError);
  EXPECT_EQ(paths_of(AutomaticMember{}.init(kKey, x)), (Paths{"Scale_0/s", "Scale_1/s"}));
}

TEST(module, keys_are_taken_from_streams_that_are_given) {
  struct Draws : Module<Draws> {
    Array call() const { return random::normal(make_rng("dropout"), {2}); }
  };
  EXPECT_EQ(message([] { Draws{}.apply({}, {.rngs = {{"noise", random::key(1)}}}); }),
            "nn::InvalidRngError: make_rng: there must be a key for the stream \"dropout\"; got keys for noise.\n"
            "  in module the outermost module (Draws)\n"
            "hint: pass one: model.apply(variables, {.rngs = {{\"dropout\", key}}}, ...)");
}

TEST(module, what_is_given_for_a_stream_is_a_key) {
  const Array x = np::ones({2});
  EXPECT_EQ(
      message([&] { Scale{}.init(np::ones({2}), x); }),
      "nn::InvalidRngError: make_rng: what is given for the stream \"params\" must be a key, u32[2]; got f32[2].\n"
      "  at here\n"
      "hint: make one with random::key(seed)");
  EXPECT_THROW(Scale{}.init({{"params", random::split(kKey)}}, x), InvalidRngError);
  const Variables v = Scale{}.init(kKey, x);
  EXPECT_THROW(Scale{}.apply(v, {.rngs = {{"dropout", Array()}}}, x), InvalidRngError);
  EXPECT_THROW(Scale{}.bind(v, {.rngs = {{"dropout", Array()}}}), InvalidRngError);
}

// ---- where errors are ----

template <class F>
std::string place_of_error(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.location().str();
  }
  return "no error";
}
std::string line(int n) { return "module_test.cc:" + std::to_string(n); }

constexpr int kCallLine = __LINE__ + 2, kOwnLine = __LINE__ + 3;
struct Wrong : Module<Wrong> {
  Array call_layer(const Array& x) const { return Dense{.features = 2}(x); }
  Array add(const Array& x) const { return x + np::ones({7}); }
  int how = 0;
  Array call(const Array& x) const {
    if (how == 2) return Dense{.features = 2}.invoke(&Dense::call, x);
    return how == 0 ? call_layer(x) : add(x);
  }
};
TEST(module, errors_blame_the_line_that_called_a_layer) {
  const Array scalar = Array(1.0f), x = np::ones({3, 2});
  EXPECT_EQ(place_of_error([&] { Wrong{.how = 0}.init(kKey, scalar); }), line(kCallLine));
  // What goes wrong inside of a layer has a line there, which is not the user's either.
  const Dense dense{.features = 2, .kernel_init = [](const Array&, const Dims&, DType) { return np::ones({5, 2}); }};
  EXPECT_EQ(place_of_error([&] { dense.init(kKey, x); }), line(__LINE__));
  EXPECT_EQ(place_of_error([&] { dense.apply({}, x); }), line(__LINE__));
  EXPECT_EQ(place_of_error([&] { Sequential{.layers = {dense}}.init(kKey, x); }), line(__LINE__));
  EXPECT_EQ(place_of_error([&] { BatchApply{[](const Array& a) { return a; }, 5}(x); }), line(__LINE__));
}
TEST(module, errors_blame_the_lines_of_the_users_own_modules) {
  const Array x = np::ones({3, 2});
  EXPECT_EQ(place_of_error([&] { Wrong{.how = 1}.init(kKey, x); }), line(kOwnLine));
  // Where no line is known, that of the call around is.
  EXPECT_EQ(place_of_error([&] { Wrong{.how = 2}.init(kKey, Array(1.0f)); }), line(__LINE__));
  struct Inside : Module<Inside> {
    Array call(const Array& a) const { return Sequential{.layers = {Wrong{.how = 1}}}(a); }
  };
  EXPECT_EQ(place_of_error([&] { Inside{}.init(kKey, x); }), line(kOwnLine));
}

// ---- growth ----

// Of this thread alone, whatever else the machine does.
double seconds(const std::function<void()>& f) {
  const auto now = [] {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double start = now();
    f();
    best = std::min(best, now() - start);
  }
  return best;
}
struct Nothing : Module<Nothing> {
  Array call(const Array& x) const { return x; }
};
struct Many : Module<Many> {
  int n = 0, how = 0;
  Array call(const Array& x) const {
    if (how == 0) {  // all at once
      const std::vector<Nothing> layers(static_cast<std::size_t>(n));
      for (const Nothing& layer : layers) layer(x);
    } else if (how == 1) {  // one after the other
      for (int i = 0; i < n; ++i) Nothing{}(x);
    } else {
      for (int i = 0; i < n; ++i) sow("intermediates", "x", x);
    }
    return x;
  }
};
TEST(module, work_is_in_proportion_to_modules_and_values_that_are_sown) {
  const Array x = np::ones({2});
  for (const int how : {0, 1, 2}) {
    const auto run = [&](int n) {
      return seconds([&] { Many{.n = n, .how = how}.apply_mutable({}, {.mutable_collections = true}, x); });
    };
    const double few = run(500), many = run(8000);  // 16 times as much, 256 if it were quadratic
    EXPECT_LT(many, 80 * few) << how;
  }
}

TEST(module, variables_stay_as_they_are_inside_of_transformations_that_know_nothing_of_them) {
  struct Inside : Module<Inside> {
    Array call(const Array& x) const {
      return vmap([&](const Array& a) { return Dense{.features = 2}(a); })(x);
    }
  };
  const Array x = np::ones({3, 2});
  EXPECT_THROW(Inside{}.init(kKey, x), TransformError);
  // Reading is well.
  const Variables v{{"params", {{"Dense_0/kernel", np::ones({2, 2})}, {"Dense_0/bias", np::zeros({2})}}}};
  EXPECT_TRUE(same(Inside{}.apply(v, x), np::full({3, 2}, 2.0f)));
}

}  // namespace
}  // namespace weft::nn
