// The registry of custom calls, and what calls say when something is missing.
#include "weft/core/custom_call.h"
#include "harness/errors.h"

#include <gtest/gtest.h>

#include "harness/functions.h"
#include "weft/base/error.h"
#include "weft/control/programs.h"
#include "weft/ir/builder.h"
#include "weft/ops/lax.h"

namespace weft {
namespace {

using testing::error_of;

// Registered for the life of a test.
struct Registered {
  std::string name;
  Registered(std::string n, CustomCallFunction f) : name(std::move(n)) { register_custom_call(name, std::move(f)); }
  ~Registered() { unregister_custom_call(name); }
};

CustomCallParams params(const std::string& name, bool effect = false) {
  return {name, effect, "{scale = 3}", 4, {Aval(f32, {})}};
}

TEST(custom_call, the_function_gets_the_parameters_and_the_elements) {
  const Registered f("test.first", {.eval = [](const CustomCallParams& p, std::span<const TensorView> in,
                                               std::span<const MutableTensorView> out) {
                       EXPECT_EQ(p.backend_config, "{scale = 3}");
                       EXPECT_EQ(p.api_version, 4);
                       EXPECT_EQ(in[0].aval, Aval(f32, Dims{2}));
                       *out[0].as<float>() = 3 * in[0].as<float>()[1];
                     }});
  const Array x(std::vector<float>{1, 2});
  EXPECT_EQ(lax::custom_call(Arrays{x}, params("test.first"))[0].item<float>(), 6);
  const FlatFunction g = [](std::span<const Array> a, Arrays& outs) {
    outs = lax::custom_call(a, params("test.first"));
  };
  EXPECT_EQ(testing::call(testing::jitted(g), Arrays{x})[0].item<float>(), 6);
  EXPECT_EQ(error_of([&] { testing::call(testing::pushforward(g, 1, {0}), Arrays{x, x}); }),
            "NotDifferentiableError: custom_call: the target must have a derivative; got \"test.first\", which was "
            "registered without one.");
}

TEST(custom_call, unknown_targets_are_named_with_those_that_are_known) {
  const Registered f("test.known", {.eval = [](const CustomCallParams&, std::span<const TensorView>,
                                               std::span<const MutableTensorView>) {}});
  const std::string error = error_of([] { lax::custom_call({}, params("test.unknown")); });
  EXPECT_EQ(
      error.find("BackendError: custom_call: the target must be registered; got \"test.unknown\" (registered are "), 0u)
      << error;
  EXPECT_NE(error.find("test.known"), std::string::npos);
}

TEST(custom_call, a_name_is_registered_once) {
  const auto nothing = [](const CustomCallParams&, std::span<const TensorView>, std::span<const MutableTensorView>) {};
  const Registered f("test.once", {.eval = nothing});
  EXPECT_EQ(error_of([&] { register_custom_call("test.once", {.eval = nothing}); }),
            "ValueError: register_custom_call: a name must be registered once; got test.once again.");
  EXPECT_EQ(error_of([&] { register_custom_call("", {.eval = nothing}); }),
            "ValueError: register_custom_call: there must be a name; got an empty one.");
  EXPECT_EQ(error_of([&] { register_custom_call("test.empty", {}); }),
            "ValueError: register_custom_call: there must be an eval function; got none for test.empty.");
  EXPECT_EQ(error_of([&] { unregister_custom_call("test.none"); }),
            "ValueError: unregister_custom_call: the name must be registered; got test.none.");
}

TEST(custom_call, effects_keep_a_call_whose_results_nobody_needs) {
  int runs = 0;
  const Registered f("test.effect", {.eval = [&](const CustomCallParams&, std::span<const TensorView>,
                                                 std::span<const MutableTensorView> out) {
                       ++runs;
                       *out[0].as<float>() = 1;
                     }});
  for (const bool effect : {false, true}) {
    runs = 0;
    const FlatFunction g = [&](std::span<const Array> a, Arrays& outs) {
      lax::custom_call({}, params("test.effect", effect));
      outs.push_back(a[0]);
    };
    testing::call(testing::jitted(testing::jitted(g)), Arrays{Array(1.0f)});
    EXPECT_EQ(runs, effect ? 1 : 0);
  }
}

TEST(custom_call, a_derivative_of_the_wrong_form_is_an_error) {
  const Registered f("test.wrong", {.eval = [](const CustomCallParams&, std::span<const TensorView>,
                                               std::span<const MutableTensorView> out) { *out[0].as<float>() = 1; },
                                    .jvp = [](const Call& call, std::span<const Array>, Arrays& outs,
                                              Arrays&) { bind(call.op, call.params, call.args, outs); }});
  const FlatFunction g = [](std::span<const Array> a, Arrays& outs) {
    outs = lax::custom_call(a, params("test.wrong"));
  };
  const Array x(1.0f);
  EXPECT_EQ(
      error_of([&] { testing::call(testing::pushforward(g, 1, {0}), Arrays{x, x}); }),
      "ValueError: custom_call: the jvp of \"test.wrong\" must give 1 results and as many tangents; got 1 and 0.");
}

}  // namespace
}  // namespace weft
