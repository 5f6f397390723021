#include "error_text.h"

namespace weft::errors {
namespace {

TEST(unbound_axis_error, nothing_is_mapped) {
  expect_error<UnboundAxisError>([&] { lax::psum(np::ones({2}), "i"); },
                                 "psum: the name must be that of a mapped axis; got 'i', and none is named here.\n"
                                 "  at here\n"
                                 "hint: map the function that calls it with vmap(f, {.axis_name = \"i\"}).");
}

TEST(unbound_axis_error, another_axis_is_mapped) {
  expect_error<UnboundAxisError>(
      [&] { vmap([](Array) { return lax::axis_index("j"); }, {.axis_name = "i"})(np::ones({2})); },
      "axis_index: the name must be that of a mapped axis; got 'j'; those here are 'i'.\n"
      "  at here\n"
      "  while tracing vmap(f) at here\n"
      "hint: map the function that calls it with vmap(f, {.axis_name = \"j\"}).");
}

TEST(unbound_axis_error, a_program_that_names_an_axis_runs_alone) {
  Jaxpr program;
  vmap(
      [&](Array x) {
        program = make_jaxpr([](Array v) { return lax::psum(v, "i"); })(x);
        return x;
      },
      {.axis_name = "i"})(np::ones({2}));
  Arrays outs;
  EXPECT_THROW(eval_jaxpr(program, Arrays{np::ones({})}, outs), UnboundAxisError);
  EXPECT_EQ(ir::parse(program.str()), program);
}

}  // namespace
}  // namespace weft::errors
