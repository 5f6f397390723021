// Groups of processes that axes of a mesh name, and broadcasts from a root.
#include <gtest/gtest.h>

#include "stablehlo/checked.h"

namespace weft::stablehlo {
namespace {

using testing::error_of, testing::passes;

// An all_reduce over eight processes that have 1, 2, 4, ..., with these groups.
std::vector<std::int64_t> sums(const std::string& groups, const std::string& before = "") {
  std::string values, types, programs;
  for (int i = 0; i < 8; ++i) {
    values += (i ? ", %p" : "%p") + std::to_string(i);
    types += i ? ", tensor<i64>" : "tensor<i64>";
    programs += i ? ", [@f]" : "[@f]";
  }
  std::string text = before +
                     "func.func @f(%x: tensor<i64>) -> tensor<i64> {\n"
                     "  %0 = \"stablehlo.all_reduce\"(%x) ({\n  ^bb0(%a: tensor<i64>, %b: tensor<i64>):\n"
                     "    %1 = stablehlo.add %a, %b : tensor<i64>\n    stablehlo.return %1 : tensor<i64>\n"
                     "  }) {replica_groups = " +
                     groups + "} : (tensor<i64>) -> tensor<i64>\n  return %0 : tensor<i64>\n}\nfunc.func @main() {\n";
  for (int i = 0; i < 8; ++i)
    text += "  %p" + std::to_string(i) + " = stablehlo.constant dense<" + std::to_string(1 << i) + "> : tensor<i64>\n";
  text += "  %r:8 = \"interpreter.run_parallel\"(" + values + ") {programs = [" + programs + "]} : (" + types +
          ") -> (" + types + ")\n";
  std::vector<std::int64_t> found;
  // What differs from a number that none is, is said.
  for (int i = 0; i < 8; ++i) {
    const std::string check = "  check.expect_eq_const %r#" + std::to_string(i) + ", dense<-1> : tensor<i64>\n";
    const CheckReport r = run_checks(parse(text + check + "  return\n}\n", "a.mlir")).back();
    const std::size_t got = r.reason.find("got ");
    if (got == std::string::npos || r.checks != 1) {
      ADD_FAILURE() << r.reason;
      return found;
    }
    found.push_back(std::stoll(r.reason.substr(got + 4)));
  }
  return found;
}

TEST(groups, run_along_axes_of_a_mesh) {
  using V = std::vector<std::int64_t>;
  const std::string mesh =
      "#stablehlo.mesh<axes = [#stablehlo.mesh_axis<name = \"x\", size = 2>, #stablehlo.mesh_axis<name = \"y\", size = "
      "4>]>";
  const auto along = [](const std::string& m, const std::string& axes) {
    return "#stablehlo.replica_group_mesh_axes<mesh = " + m + ", axes = [" + axes + "]>";
  };
  const V of_x{17, 34, 68, 136, 17, 34, 68, 136}, outer{5, 10, 5, 10, 80, 160, 80, 160},
      inner{3, 3, 12, 12, 48, 48, 192, 192};
  EXPECT_EQ(sums(along(mesh, "#stablehlo.axis_ref<name = \"x\">")), of_x);
  EXPECT_EQ(sums(along(mesh, "#stablehlo.axis_ref<name = \"y\", sub_axis_info = (1)2>")), outer);
  EXPECT_EQ(sums(along(mesh, "#stablehlo.axis_ref<name = \"y\", sub_axis_info = (2)2>")), inner);
  EXPECT_EQ(sums(along(mesh, "#stablehlo.axis_ref<name = \"y\">, #stablehlo.axis_ref<name = \"x\">")), V(8, 255));
  EXPECT_EQ(sums(along("@m", "#sdy<axis_ref\"y\":(1)2>"), "sdy.mesh @m = <[\"x\"=2, \"y\"=4]>\n"), outer);
  EXPECT_EQ(sums(along("#m", "#stablehlo.axis_ref<name = \"y\", sub_axis_info = (2)2>"), "#m = " + mesh + "\n"), inner);
  // Devices in an order of their own.
  EXPECT_EQ(sums(along("@m", "#stablehlo.axis_ref<name = \"x\">"),
                 "sdy.mesh @m = <[\"x\"=2, \"y\"=4], device_ids=[0, 2, 4, 6, 1, 3, 5, 7]>\n"),
            (V{3, 3, 12, 12, 48, 48, 192, 192}));
}

TEST(groups, of_a_mesh_are_checked) {
  const auto error = [](const std::string& groups) {
    return error_of(
        "  %0 = \"stablehlo.all_reduce\"(%x) ({\n  ^bb0(%a: tensor<f32>, %b: tensor<f32>):\n    %1 = "
        "stablehlo.add %a, %b : tensor<f32>\n    stablehlo.return %1 : tensor<f32>\n  }) {replica_groups = "
        "#stablehlo.replica_group_mesh_axes<" +
            groups + ">} : (tensor<f32>) -> tensor<f32>\n",
        "%x: tensor<f32>");
  };
  const auto mesh = [](const std::string& size) {
    return "mesh = #stablehlo.mesh<axes = [#stablehlo.mesh_axis<name = \"x\", size = " + size + ">]>, axes = ";
  };
  const std::string place = "a.mlir:6:24: stablehlo.all_reduce: replica_groups: ",
                    x = "#stablehlo.axis_ref<name = \"x\"";
  EXPECT_EQ(error(mesh("4") + "[" + x + ">]"), "no error");
  EXPECT_EQ(error("mesh = @m, axes = [" + x + ">]"), place + "there must be a mesh @m.");
  EXPECT_EQ(error(mesh("4") + "[#stablehlo.axis_ref<name = \"y\">]"),
            place + "the mesh must have the axis; got \"y\".");
  EXPECT_EQ(error(mesh("4") + "[" + x + ">, " + x + ">]"),
            place + "groups must run along an axis once; got \"x\" again.");
  EXPECT_EQ(error(mesh("4") + "[" + x + ", sub_axis_info = (3)2>]"),
            place + "a part of an axis must divide it; got (3)2 of \"x\", of size 4.");
  EXPECT_EQ(error(mesh("12") + "[" + x + ", sub_axis_info = (1)4>, " + x + ", sub_axis_info = (6)2>]"),
            place + "parts of an axis must follow one another; got others of \"x\".");
  EXPECT_EQ(error(mesh("9223372036854775807") + "[" + x + ">]"),
            place + "a mesh must have from 1 to 1048576 devices; got axis \"x\" of size 9223372036854775807.");
  EXPECT_EQ(error(mesh("4") + "[" + x + ", sub_axis_info = 2>]"), place + "expected '('; got '2'.");
  EXPECT_EQ(error("axes = [" + x + ">]"), place + "expected 'mesh'; got 'axes'.");
}

TEST(collective_broadcast, takes_several_operands_and_a_root) {
  passes(R"(
module @several {
  func.func @f(%a: tensor<1xi64>, %b: tensor<2xi64>) -> (tensor<1xi64>, tensor<2xi64>) {
    %r:2 = "stablehlo.collective_broadcast"(%a, %b) {replica_groups = dense<[[1, 0]]> : tensor<1x2xi64>} : (tensor<1xi64>, tensor<2xi64>) -> (tensor<1xi64>, tensor<2xi64>)
    func.return %r#0, %r#1 : tensor<1xi64>, tensor<2xi64>
  }
  func.func @main() {
    %a = stablehlo.constant dense<[1]> : tensor<1xi64>
    %b = stablehlo.constant dense<[3, 4]> : tensor<2xi64>
    %c = stablehlo.constant dense<[5]> : tensor<1xi64>
    %d = stablehlo.constant dense<[6, 7]> : tensor<2xi64>
    %r:4 = "interpreter.run_parallel"(%a, %b, %c, %d) {programs = [[@f], [@f]]} : (tensor<1xi64>, tensor<2xi64>, tensor<1xi64>, tensor<2xi64>) -> (tensor<1xi64>, tensor<2xi64>, tensor<1xi64>, tensor<2xi64>)
    check.expect_eq_const %r#0, dense<[5]> : tensor<1xi64>
    check.expect_eq_const %r#1, dense<[6, 7]> : tensor<2xi64>
    return
  }
}
// -----
module @roots {
  func.func @f(%a: tensor<2xi64>, %b: tensor<i64>, %root: tensor<2xi32>) -> (tensor<2xi64>, tensor<i64>) {
    %r:2 = "stablehlo.collective_broadcast"(%a, %b, %root) {replica_groups = dense<[[0, 2], [1, -1]]> : tensor<2x2xi64>, has_dynamic_root} : (tensor<2xi64>, tensor<i64>, tensor<2xi32>) -> (tensor<2xi64>, tensor<i64>)
    func.return %r#0, %r#1 : tensor<2xi64>, tensor<i64>
  }
  func.func @main() {
    %a0 = stablehlo.constant dense<[1, 2]> : tensor<2xi64>
    %a1 = stablehlo.constant dense<[3, 4]> : tensor<2xi64>
    %a2 = stablehlo.constant dense<[5, 6]> : tensor<2xi64>
    %b = stablehlo.constant dense<7> : tensor<i64>
    %c = stablehlo.constant dense<8> : tensor<i64>
    %root = stablehlo.constant dense<[1, 0]> : tensor<2xi32>
    %none = stablehlo.constant dense<[0, 0]> : tensor<2xi32>
    %r:6 = "interpreter.run_parallel"(%a0, %b, %root, %a1, %b, %none, %a2, %c, %root) {programs = [[@f], [@f], [@f]]} : (tensor<2xi64>, tensor<i64>, tensor<2xi32>, tensor<2xi64>, tensor<i64>, tensor<2xi32>, tensor<2xi64>, tensor<i64>, tensor<2xi32>) -> (tensor<2xi64>, tensor<i64>, tensor<2xi64>, tensor<i64>, tensor<2xi64>, tensor<i64>)
    check.expect_eq_const %r#0, dense<[5, 6]> : tensor<2xi64>
    check.expect_eq_const %r#1, dense<7> : tensor<i64>
    check.expect_eq_const %r#2, dense<[3, 4]> : tensor<2xi64>
    check.expect_eq_const %r#4, dense<[5, 6]> : tensor<2xi64>
    check.expect_eq_const %r#5, dense<7> : tensor<i64>
    return
  }
}
)",
         2 + 5);
  EXPECT_EQ(error_of("  %0 = \"stablehlo.collective_broadcast\"(%x, %r) {replica_groups = dense<[[0, 1]]> : "
                     "tensor<1x2xi64>, has_dynamic_root} : (tensor<f32>, tensor<2xi32>) -> tensor<f32>\n",
                     "%x: tensor<f32>, %r: tensor<2xi32>"),
            "a.mlir:2:8: stablehlo.collective_broadcast: the roots must be one integer per operand; got i32[2] for 1 "
            "operand.");
  EXPECT_EQ(
      error_of("  %0 = \"stablehlo.collective_broadcast\"(%x) {replica_groups = dense<[[0, 1]]> : tensor<1x2xi64>, "
               "has_dynamic_root} : (tensor<1xi32>) -> tensor<1xi32>\n",
               "%x: tensor<1xi32>"),
      "a.mlir:2:8: stablehlo.collective_broadcast: there must be an operand to give away, and roots; got 1 "
      "operand.");
}

}  // namespace
}  // namespace weft::stablehlo
