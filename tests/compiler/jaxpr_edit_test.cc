#include "weft/compiler/jaxpr_edit.h"

#include <gtest/gtest.h>

#include "weft/ir/parse.h"
#include "weft/ir/programs.h"

namespace weft::compiler {
namespace {

constexpr char kProgram[] =
    "{ lambda a:f32[2]; b:f32[2,3]. let\n"
    "    c:f32[2,3] = broadcast_in_dim[broadcast_dimensions=(0,) shape=(2, 3)] a\n"
    "    d:f32[2,3] = add b c\n"
    "    e:f32[2,3] = mul d 2.0:f32[2,3]\n"
    "  in (e, d) }";

// The program with each equation kept but those that `change` replaces: it says so by true.
template <class Change>
ir::Jaxpr edited(const ir::Jaxpr& from, Change change) {
  JaxprEdit edit(from);
  for (const ir::Eqn& e : from.eqns()) {
    edit.at(e);
    if (!change(edit, e)) edit.keep();
  }
  return edit.finish();
}

TEST(jaxpr_edit, what_is_kept_is_the_same_program) {
  const ir::Jaxpr from = ir::parse(kProgram);
  EXPECT_EQ(edited(from, [](JaxprEdit&, const ir::Eqn&) { return false; }), from);
}

TEST(jaxpr_edit, users_of_a_replaced_result_read_what_took_its_place) {
  const ir::Jaxpr from = ir::parse(kProgram);
  const ir::Jaxpr made = edited(from, [&](JaxprEdit& edit, const ir::Eqn& e) {
    if (e.op != OpCode::kAdd) return false;
    const ir::Atom b = edit.now(from.operands(e)[0]), c = edit.now(from.operands(e)[1]);
    edit.replace(edit.make(OpCode::kSubtract, nullptr, {b, edit.make(OpCode::kNegate, nullptr, {c})}));
    return true;
  });
  EXPECT_EQ(made, ir::parse("{ lambda a:f32[2]; b:f32[2,3]. let\n"
                            "    c:f32[2,3] = broadcast_in_dim[broadcast_dimensions=(0,) shape=(2, 3)] a\n"
                            "    n:f32[2,3] = neg c\n"
                            "    d:f32[2,3] = sub b n\n"
                            "    e:f32[2,3] = mul d 2.0:f32[2,3]\n"
                            "  in (e, d) }"));
}

TEST(jaxpr_edit, what_would_change_nothing_makes_no_equation) {
  const ir::Jaxpr from = ir::parse(kProgram);
  const ir::Jaxpr made = edited(from, [&](JaxprEdit& edit, const ir::Eqn& e) {
    if (e.op != OpCode::kAdd) return false;
    const ir::Atom b = edit.now(from.operands(e)[0]);
    EXPECT_EQ(edit.reshape(b, {2, 3}), b);
    EXPECT_EQ(edit.transpose(b, {0, 1}), b);
    EXPECT_EQ(edit.convert(b, f32), b);
    EXPECT_EQ(edit.concatenate(std::vector{b}, 1), b);
    EXPECT_EQ(edit.slice(b, 1, 0, 3), b);
    return false;
  });
  EXPECT_EQ(made, from);
}

TEST(jaxpr_edit, parts_and_other_forms_of_a_value) {
  const ir::Jaxpr from = ir::parse("{ lambda ; a:f32[4,6]. let b:f32[4,6] = neg a in (b,) }");
  const ir::Jaxpr made = edited(from, [&](JaxprEdit& edit, const ir::Eqn& e) {
    const ir::Atom a = edit.now(from.operands(e)[0]);
    const ir::Atom parts[] = {edit.slice(a, 1, 0, 6, 2), edit.slice(a, 1, 1, 6, 2)};
    const ir::Atom all = edit.transpose(edit.concatenate(parts, 1), {1, 0});
    edit.replace(edit.convert(edit.convert(edit.reshape(all, {4, 6}), f64), f32));
    return true;
  });
  EXPECT_EQ(made, ir::parse("{ lambda ; a:f32[4,6]. let\n"
                            "    b:f32[4,3] = slice[limit_indices=(4, 6) start_indices=(0, 0) strides=(1, 2)] a\n"
                            "    c:f32[4,3] = slice[limit_indices=(4, 6) start_indices=(0, 1) strides=(1, 2)] a\n"
                            "    d:f32[4,6] = concatenate[dimension=1] b c\n"
                            "    e:f32[6,4] = transpose[permutation=(1, 0)] d\n"
                            "    f:f32[4,6] = reshape[new_sizes=(4, 6)] e\n"
                            "    g:f64[4,6] = convert_element_type[new_dtype=float64] f\n"
                            "    h:f32[4,6] = convert_element_type[new_dtype=float32] g\n"
                            "  in (h,) }"));
}

TEST(jaxpr_edit, loops_have_new_programs_inside) {
  const ir::Jaxpr from = ir::parse("{ lambda ; a:f32[5]. let b:f32[5] = neg a in (b,) }");
  const ir::Jaxpr made = edited(from, [&](JaxprEdit& edit, const ir::Eqn& e) {
    NewJaxpr body(edit);
    const ir::Atom sum = body.input(Aval(f32, {})), x = body.input(Aval(f32, {}));
    const ir::Atom next[] = {body.make(OpCode::kAdd, nullptr, {sum, x}), x};
    const ir::Atom operands[] = {edit.literal(ir::Literal{Aval(f32, {})}), edit.now(from.operands(e)[0])};
    const ir::Var all =
        edit.make_all(OpCode::kScan, ir::make_params(ScanParams{body.finish(next), 5, 1, false}), operands);
    edit.replace(edit.broadcast(ir::Atom::var(all), {}, {5}));
    return true;
  });
  EXPECT_EQ(made, ir::parse("{ lambda ; a:f32[5]. let\n"
                            "    c:f32[] d:f32[5] = scan[\n"
                            "      jaxpr={ lambda ; s:f32[] x:f32[]. let n:f32[] = add s x in (n, x) }\n"
                            "      length=5 num_carry=1 reverse=False] 0.0:f32[] a\n"
                            "    b:f32[5] = broadcast_in_dim[broadcast_dimensions=() shape=(5,)] c\n"
                            "  in (b,) }"));
}

TEST(jaxpr_edit, programs_are_appended_to_what_is_written) {
  const ir::Jaxpr from = ir::parse(kProgram);
  NewJaxpr made;
  const ir::Atom x = made.input(Aval(f32, Dims{2, 3})), a = made.constant(Aval(f32, Dims{2}));
  const ir::Atom inputs[] = {a, made.make(OpCode::kNegate, nullptr, {x})};
  const std::vector<ir::Atom> all = made.append(from, inputs);
  ASSERT_EQ(all.size(), 2u);
  const ir::Atom out[] = {made.make(OpCode::kAdd, nullptr, {all[0], all[1]})};
  EXPECT_EQ(made.finish(out), ir::parse("{ lambda a:f32[2]; x:f32[2,3]. let\n"
                                        "    b:f32[2,3] = neg x\n"
                                        "    c:f32[2,3] = broadcast_in_dim[broadcast_dimensions=(0,) shape=(2, 3)] a\n"
                                        "    d:f32[2,3] = add b c\n"
                                        "    e:f32[2,3] = mul d 2.0:f32[2,3]\n"
                                        "    f:f32[2,3] = add e d\n"
                                        "  in (f,) }"));
}

TEST(jaxpr_edit, a_value_of_another_type_takes_no_results_place) {
  const ir::Jaxpr from = ir::parse(kProgram);
  JaxprEdit edit(from);
  edit.at(from.eqns()[0]);
  EXPECT_THROW(edit.replace(edit.now(ir::Atom::var(0))), InternalError);
}

}  // namespace
}  // namespace weft::compiler
