#include "weft/core/name_scope.h"

#include <gtest/gtest.h>

#include "weft/weft.h"

namespace weft {
namespace {

Array layer(const Array& x, const char* name) {
  const NameScope scope(name);
  return np::sin(x) * 2;
}

TEST(name_scope, programs_show_scopes_when_asked) {
  const auto f = [](Array x) {
    const NameScope outer("encoder");
    return layer(layer(x, "first"), "second");
  };
  const Jaxpr program = make_jaxpr(f)(1.0f);
  EXPECT_EQ(ir::print(program, {.name_scopes = true}),
            "{ lambda ; a:f32[]. let\n"
            "    b:f32[] = sin a  # encoder/first\n"
            "    c:f32[] = mul b 2.0:f32[]  # encoder/first\n"
            "    d:f32[] = sin c  # encoder/second\n"
            "    e:f32[] = mul d 2.0:f32[]  # encoder/second\n"
            "  in (e,) }");
  EXPECT_EQ(ir::print(program).find('#'), std::string::npos);
  EXPECT_EQ(ir::print(program), program.str());
}

TEST(name_scope, programs_inside_programs_show_theirs) {
  const auto inner = jit([](Array x) { return layer(x, "inner"); });
  EXPECT_EQ(ir::print(make_jaxpr(inner)(1.0f), {.name_scopes = true}),
            "{ lambda ; a:f32[]. let\n"
            "    b:f32[] = jit[\n"
            "      name=f\n"
            "      jaxpr={ lambda ; c:f32[]. let\n"
            "          d:f32[] = sin c  # inner\n"
            "          e:f32[] = mul d 2.0:f32[]  # inner\n"
            "        in (e,) }\n"
            "    ] a\n"
            "  in (b,) }");
}

TEST(name_scope, a_program_with_scopes_can_be_read) {
  const auto f = [](Array x) { return layer(layer(x, "first"), "evil\n] } \\ \x01 # \xc3\xa9"); };
  const Jaxpr program = make_jaxpr(jit(f))(1.0f);
  const std::string text = ir::print(program, {.name_scopes = true});
  EXPECT_NE(text.find("sin e  # evil\\x0a] } \\\\ \\x01 # \xc3\xa9\n"), std::string::npos) << text;
  EXPECT_EQ(ir::parse(text).str(), program.str());
}

}  // namespace
}  // namespace weft
