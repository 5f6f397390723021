// What samples do not show of dot_general: the programs of its transformations, and the texts of errors.
#include <gtest/gtest.h>

#include "harness/errors.h"
#include "weft/core/stage.h"
#include "weft/ops/lax.h"
#include "weft/transforms/linearize.h"
#include "weft/transforms/transpose.h"
#include "weft/transforms/vmap.h"

namespace weft {
namespace {

using testing::error_of;

Array zeros(Dims shape, DType t = f32) { return Array::full(shape, t, 0.0); }

// The gradient by operand `by`, as a program of the other operand and the cotangent.
std::string pulled_back(Dims x, Dims y, const DotDimensionNumbers& d, std::size_t by) {
  const FlatFunction f = [&](std::span<const Array> a, Arrays& outs) {
    outs.push_back(lax::dot_general(a[0], a[1], d));
  };
  const Aval ax(f32, x), ay(f32, y);
  const ir::Avals in{ax, ay};
  const auto linear = transforms::linearize_jaxpr(stage(f, in, "f").jaxpr, {by == 0, by == 1});
  return transforms::transpose_jaxpr(linear->tangent, {false, true}, {true})->jaxpr.str();
}

std::string error_of_dot(Dims x, Dims y, const DotDimensionNumbers& d, std::string* hint = nullptr) {
  return error_of([&] { lax::dot_general(zeros(x), zeros(y), d); }, hint);
}

TEST(dot_general, gradients_of_a_product_of_matrices_are_one_product_and_one_transpose_at_most) {
  EXPECT_EQ(pulled_back({2, 3}, {3, 4}, {{1}, {0}, {}, {}}, 0),
            "{ lambda ; a:f32[3,4] b:f32[2,4]. let\n"
            "    c:f32[2,3] = dot_general[\n"
            "      dimension_numbers=(([1], [1]), ([], []))\n"
            "      preferred_element_type=float32\n"
            "    ] b a\n"
            "  in (c,) }");
  EXPECT_EQ(pulled_back({2, 3}, {3, 4}, {{1}, {0}, {}, {}}, 1),
            "{ lambda ; a:f32[2,3] b:f32[2,4]. let\n"
            "    c:f32[3,4] = dot_general[\n"
            "      dimension_numbers=(([0], [0]), ([], []))\n"
            "      preferred_element_type=float32\n"
            "    ] a b\n"
            "  in (c,) }");
  // An operand stored the other way round: its gradient is brought into its order.
  EXPECT_EQ(pulled_back({3, 2}, {3, 4}, {{0}, {0}, {}, {}}, 0),
            "{ lambda ; a:f32[3,4] b:f32[2,4]. let\n"
            "    c:f32[2,3] = dot_general[\n"
            "      dimension_numbers=(([1], [1]), ([], []))\n"
            "      preferred_element_type=float32\n"
            "    ] b a\n"
            "    d:f32[3,2] = transpose[permutation=(1, 0)] c\n"
            "  in (d,) }");
}

TEST(dot_general, gradients_of_a_batched_product_keep_the_batch_axes) {
  EXPECT_EQ(pulled_back({5, 2, 3}, {5, 3, 4}, {{2}, {1}, {0}, {0}}, 1),
            "{ lambda ; a:f32[5,2,3] b:f32[5,2,4]. let\n"
            "    c:f32[5,3,4] = dot_general[\n"
            "      dimension_numbers=(([1], [1]), ([0], [0]))\n"
            "      preferred_element_type=float32\n"
            "    ] a b\n"
            "  in (c,) }");
}

TEST(dot_general, vmap_of_one_operand_adds_a_free_axis_and_no_transpose) {
  const auto batched = [](Dims x, Dims y, std::vector<int> bdims) {
    Bdims out;
    const Aval ax(f32, x), ay(f32, y);
    const Staged s = stage(
        [&](std::span<const Array> a, Arrays& outs) {
          transforms::vmap([](std::span<const Array> e,
                              Arrays& o) { o.push_back(lax::dot_general(e[0], e[1], {{1}, {0}, {}, {}})); },
                           a, bdims, MappedAxis{7}, "vmap", outs, out);
        },
        ir::Avals{ax, ay}, "f");
    EXPECT_EQ(s.jaxpr.eqns().size(), 1u) << s.jaxpr.str();
    return std::pair{ir::params_as<DotGeneralParams>(s.jaxpr.eqns()[0].params).dimension_numbers, out[0]};
  };
  EXPECT_EQ(batched({7, 2, 3}, {3, 4}, {0, -1}), (std::pair{DotDimensionNumbers{{2}, {0}, {}, {}}, 0}));
  EXPECT_EQ(batched({2, 7, 3}, {3, 4}, {1, -1}), (std::pair{DotDimensionNumbers{{2}, {0}, {}, {}}, 1}));
  EXPECT_EQ(batched({2, 3}, {7, 3, 4}, {-1, 0}), (std::pair{DotDimensionNumbers{{1}, {1}, {}, {}}, 1}));
  EXPECT_EQ(batched({2, 3}, {3, 4, 7}, {-1, 2}), (std::pair{DotDimensionNumbers{{1}, {0}, {}, {}}, 2}));
  EXPECT_EQ(batched({7, 2, 3}, {3, 4, 7}, {0, 2}), (std::pair{DotDimensionNumbers{{2}, {0}, {0}, {2}}, 0}));
}

TEST(dot_general, half_floats_accumulate_in_more_than_half_precision) {
  const Array ones = Array::full(Dims{1, 4096}, f16, 1.0), tiny = Array::full(Dims{4096, 1}, f16, 0.25);
  // 2048 + 0.25 is 2048 in f16: summed there, the sum would stop growing at 512.
  EXPECT_EQ(static_cast<float>(lax::dot_general(ones, tiny, {{1}, {0}, {}, {}}).item<float16>()), 1024.0f);
}

TEST(dot_general, every_mistake_has_its_own_text) {
  std::string hint;
  EXPECT_EQ(error_of_dot({2, 3}, {4, 3}, {{1}, {0}, {}, {}}, &hint),
            "ShapeError: dot_general: contracting sizes must match; lhs axis 1 has 3, rhs axis 0 has 4 (lhs f32[2,3], "
            "rhs f32[4,3]).");
  EXPECT_EQ(hint, "rhs looks transposed; contracting rhs axis 1 would give sizes 3 and 3.");
  EXPECT_EQ(error_of_dot({2, 3}, {4, 5}, {{1}, {0}, {}, {}}, &hint),
            "ShapeError: dot_general: contracting sizes must match; lhs axis 1 has 3, rhs axis 0 has 4 (lhs f32[2,3], "
            "rhs f32[4,5]).");
  EXPECT_EQ(hint, "");
  EXPECT_EQ(error_of_dot({2, 3}, {4, 3}, {{1}, {1}, {0}, {0}}),
            "ShapeError: dot_general: batch sizes must match; lhs axis 0 has 2, rhs axis 0 has 4 (lhs f32[2,3], rhs "
            "f32[4,3]).");
  EXPECT_EQ(
      error_of_dot({2, 3}, {3, 4}, {{1}, {}, {}, {}}),
      "ShapeError: dot_general: lhs and rhs must have equally many contracting axes; got 1 and 0 (lhs f32[2,3], rhs "
      "f32[3,4]).");
  EXPECT_EQ(error_of_dot({2, 3}, {3, 4}, {{}, {}, {0}, {}}),
            "ShapeError: dot_general: lhs and rhs must have equally many batch axes; got 1 and 0 (lhs f32[2,3], rhs "
            "f32[3,4]).");
  EXPECT_EQ(error_of_dot({2, 3}, {3, 4}, {{2}, {0}, {}, {}}),
            "IndexError: dot_general: axes of lhs must be in [0, 2); got 2 for f32[2,3].");
  EXPECT_EQ(error_of_dot({2, 3}, {3, 4}, {{1}, {-1}, {}, {}}),
            "IndexError: dot_general: axes of rhs must be in [0, 2); got -1 for f32[3,4].");
  EXPECT_EQ(error_of_dot({3, 3}, {3, 3}, {{1}, {0}, {1}, {1}}),
            "ShapeError: dot_general: an axis of lhs must be contracted or batch only once; got [1] contracted and [1] "
            "batch for f32[3,3].");
  EXPECT_EQ(error_of([] { lax::dot_general(zeros({2, 3}), zeros({3, 4}, f64), {{1}, {0}, {}, {}}); }, &hint),
            "DTypeError: dot_general: operands must have equal dtypes; got f32[2,3] and f64[3,4].");
  EXPECT_EQ(hint, "convert one of them with astype, or use np::matmul, which promotes.");
  EXPECT_EQ(
      error_of([] { lax::dot_general(zeros({2, 3}), zeros({3, 4}), {{1}, {0}, {}, {}}, i32); }),
      "DTypeError: dot_general: the preferred dtype must hold the operands' kind of numbers; got i32 for f32[2,3].");
}

}  // namespace
}  // namespace weft
