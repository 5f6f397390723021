// Parameters that no program should have, as text may bring them: wrong lengths, axes that are not there or named
// twice, sizes whose sums and products leave 64 bits. Each is refused with the reason, for every operation whose
// parameters are more than an enumerator; and the extremes that are allowed are evaluated.
#include <gtest/gtest.h>

#include "weft/ir/builder.h"
#include "weft/ir/parse.h"
#include "weft/weft.h"

namespace weft {
namespace {

/// Why `let <equation>` is refused, over inputs x:f32[2,3] v:f32[4] s:f32[] i:i32[] ids:i32[5,1] u:f32[5,3] e:f32[0,3].
std::string refusal(const std::string& equation) {
  try {
    ir::parse("{ lambda ; x:f32[2,3] v:f32[4] s:f32[] i:i32[] ids:i32[5,1] u:f32[5,3] e:f32[0,3]. let y:" + equation +
              " in (y,) }");
  } catch (const ParseError& e) {
    const std::string& m = e.message();
    const std::string before = "expected operands and parameters that fit; got ";
    const std::size_t at = m.find(before);
    return at == std::string::npos ? m : m.substr(at + before.size());
  }
  return "accepted";
}

constexpr const char* kMax = "9223372036854775807";
constexpr const char* kMin = "-9223372036854775808";

std::string with(std::string text, const std::string& number) {
  for (std::size_t at; (at = text.find('@')) != std::string::npos;) text.replace(at, 1, number);
  return text;
}

TEST(limits, of_iota) {
  EXPECT_EQ(refusal("i32[2,3] = iota[dimension=1 dtype=int32 shape=(2, 3)]"), "accepted");
  EXPECT_EQ(refusal("i32[2] = iota[dimension=1 dtype=int32 shape=(2,)]"),
            "iota: the dimension must be in [0, 1); got 1 for shape [2].");
  EXPECT_EQ(refusal("i32[] = iota[dimension=0 dtype=int32 shape=()]"),
            "iota: the dimension must be in [0, 0); got 0 for shape [].");
  EXPECT_EQ(refusal("i32[2] = iota[dimension=-1 dtype=int32 shape=(2,)]"),
            "iota: the dimension must be in [0, 1); got -1 for shape [2].");
  EXPECT_EQ(refusal("i32[2] = iota[dimension=0 dtype=int32 shape=(-2,)]"),
            "array: sizes must not be negative; got shape [-2].");
  EXPECT_EQ(refusal(with("i32[2] = iota[dimension=0 dtype=int32 shape=(@, @)]", kMax)),
            with("array: the elements must need fewer than 2^62 bytes; got shape [@,@].", kMax));
  EXPECT_EQ(refusal("bool[2] = iota[dimension=0 dtype=bool shape=(2,)]"),
            "iota: the dtype must be integer, float or complex; got bool.");
}

TEST(limits, of_reshape) {
  EXPECT_EQ(refusal("f32[3,2] = reshape[new_sizes=(3, 2)] x"), "accepted");
  EXPECT_EQ(refusal("f32[4] = reshape[new_sizes=(4,)] x"),
            "reshape: the number of elements must stay the same; got f32[2,3] (6 elements) to [4] (4).");
  EXPECT_EQ(refusal("f32[6] = reshape[new_sizes=(-1, 6)] x"), "array: sizes must not be negative; got shape [-1,6].");
  EXPECT_EQ(refusal(with("f32[6] = reshape[new_sizes=(0, @, @)] e", kMax)),
            with("array: the elements must need fewer than 2^62 bytes; got shape [0,@,@].", kMax));
}

TEST(limits, of_broadcast_in_dim) {
  EXPECT_EQ(refusal("f32[4,5] = broadcast_in_dim[broadcast_dimensions=(0,) shape=(4, 5)] v"), "accepted");
  EXPECT_EQ(refusal("f32[4,5] = broadcast_in_dim[broadcast_dimensions=() shape=(4, 5)] v"),
            "broadcast_in_dim: there must be one dimension per axis of the operand; got 0 dimensions for f32[4].");
  EXPECT_EQ(refusal("f32[4,5] = broadcast_in_dim[broadcast_dimensions=(2,) shape=(4, 5)] v"),
            "broadcast_in_dim: axes must be in [0, 2); got [2].");
  EXPECT_EQ(refusal("f32[3,3] = broadcast_in_dim[broadcast_dimensions=(1, 1) shape=(3, 3)] x"),
            "broadcast_in_dim: axes must be distinct; got [1,1].");
  EXPECT_EQ(refusal(with("f32[4] = broadcast_in_dim[broadcast_dimensions=(0,) shape=(4, @)] v", kMax)),
            with("array: the elements must need fewer than 2^62 bytes; got shape [4,@].", kMax));
  EXPECT_EQ(refusal(with("f32[4] = broadcast_in_dim[broadcast_dimensions=(@,) shape=(4,)] v", kMin)),
            with("broadcast_in_dim: axes must be in [0, 1); got [@].", kMin));
}

TEST(limits, of_transpose_and_reverse) {
  EXPECT_EQ(refusal("f32[3,2] = transpose[permutation=(1, 0)] x"), "accepted");
  EXPECT_EQ(refusal("f32[3] = transpose[permutation=(1,)] x"),
            "transpose: the permutation must have one entry per axis; got [1] for f32[2,3].");
  EXPECT_EQ(refusal("f32[3,2] = transpose[permutation=(1, 1)] x"), "transpose: axes must be distinct; got [1,1].");
  EXPECT_EQ(refusal("f32[3,2] = transpose[permutation=(1, -1)] x"), "transpose: axes must be in [0, 2); got [1,-1].");
  EXPECT_EQ(refusal("f32[2,3] = rev[dimensions=(1, 0)] x"), "accepted");
  EXPECT_EQ(refusal("f32[2,3] = rev[dimensions=(2,)] x"), "rev: axes must be in [0, 2); got [2].");
  EXPECT_EQ(refusal("f32[2,3] = rev[dimensions=(0, 0)] x"), "rev: axes must be distinct; got [0,0].");
}

TEST(limits, of_slice) {
  EXPECT_EQ(refusal("f32[2] = slice[limit_indices=(4,) start_indices=(1,) strides=(2,)] v"), "accepted");
  EXPECT_EQ(refusal("f32[2] = slice[limit_indices=(4,) start_indices=(1,) strides=()] v"),
            "slice: there must be one start, limit and stride per axis; got [1], [4] and [] for f32[4].");
  EXPECT_EQ(refusal("f32[5] = slice[limit_indices=(5,) start_indices=(0,) strides=(1,)] v"),
            "slice: bounds must satisfy 0 <= start <= limit <= size; got start 0, limit 5 for axis 0 of f32[4].");
  EXPECT_EQ(
      refusal(with("f32[5] = slice[limit_indices=(4,) start_indices=(@,) strides=(1,)] v", kMin)),
      with("slice: bounds must satisfy 0 <= start <= limit <= size; got start @, limit 4 for axis 0 of f32[4].", kMin));
  EXPECT_EQ(refusal("f32[4] = slice[limit_indices=(4,) start_indices=(0,) strides=(0,)] v"),
            "slice: strides must be at least 1; got 0 for axis 0.");
  EXPECT_EQ(refusal(with("f32[1] = slice[limit_indices=(4,) start_indices=(1,) strides=(@,)] v", kMax)), "accepted");
}

TEST(limits, of_dynamic_slice_and_update) {
  EXPECT_EQ(refusal("f32[2,2] = dynamic_slice[slice_sizes=(2, 2)] x i i"), "accepted");
  EXPECT_EQ(refusal("f32[2] = dynamic_slice[slice_sizes=(2,)] x i i"),
            "dynamic_slice: the window must fit in the operand; got window [2] for f32[2,3].");
  EXPECT_EQ(refusal("f32[2,2] = dynamic_slice[slice_sizes=(2, -2)] x i i"),
            "dynamic_slice: the window must fit in the operand; got window [2,-2] for f32[2,3].");
  EXPECT_EQ(refusal("f32[2,2] = dynamic_slice[slice_sizes=(2, 2)] x i"),
            "dynamic_slice: there must be one start index per axis; got 1 for f32[2,3].");
  EXPECT_EQ(refusal("f32[2,2] = dynamic_slice[slice_sizes=(2, 2)] x i s"),
            "dynamic_slice: start indices must be 0-d integers; got f32[].");
  EXPECT_EQ(refusal("f32[2,3] = dynamic_update_slice x v i i"),
            "dynamic_update_slice: the window must fit in the operand; got window [4] for f32[2,3].");
}

TEST(limits, of_concatenate) {
  EXPECT_EQ(refusal("f32[4,3] = concatenate[dimension=0] x x"), "accepted");
  EXPECT_EQ(refusal("f32[4,3] = concatenate[dimension=2] x x"), "concatenate: axes must be in [0, 2); got [2].");
  EXPECT_EQ(refusal("f32[2] = concatenate[dimension=0] s s"), "concatenate: axes must be in [0, 0); got [0].");
  EXPECT_THROW(ir::parse("{ lambda ; a:u8[4611686018427387904]. let b:u8[1] = concatenate[dimension=0] a a a in () }"),
               ParseError);
  EXPECT_THROW(ir::parse("{ lambda ; a:u8[4611686018427387904]. let b:u8[1] = concatenate[dimension=0] a a in () }"),
               ParseError);
}

TEST(limits, of_split) {
  EXPECT_EQ(refusal("f32[1,3] w:f32[1,3] = split[axis=0 sizes=(1, 1)] x"), "accepted");
  EXPECT_EQ(refusal("f32[1,3] = split[axis=0 sizes=(1,)] x"),
            "split: the sizes must add up to the axis; got [1] for axis 0 of f32[2,3].");
  EXPECT_EQ(refusal("f32[1,3] = split[axis=2 sizes=(1,)] x"), "split: axes must be in [0, 2); got [2].");
  const std::string huge = "9223372036854775807, 9223372036854775807, 4";
  EXPECT_EQ(refusal("f32[1,3] = split[axis=0 sizes=(" + huge + ")] x"),
            "split: the sizes must add up to the axis; got [9223372036854775807,9223372036854775807,4] for axis 0 of "
            "f32[2,3].");
  EXPECT_EQ(refusal("f32[1,3] = split[axis=0 sizes=(-1, 3)] x"),
            "split: the sizes must add up to the axis; got [-1,3] for axis 0 of f32[2,3].");
}

TEST(limits, shortcuts_check_like_the_operations) {
  const Array x = np::ones({2, 3});
  EXPECT_THROW(lax::concatenate({x}, 2), IndexError);
  EXPECT_THROW(lax::concatenate({Array()}, 0), ValueError);
  EXPECT_THROW(lax::pad(x, x, Dims{0, 0}, Dims{0, 0}), ShapeError);
}

TEST(limits, of_pad) {
  EXPECT_EQ(refusal("f32[9] = pad[low=(1,) high=(1,) interior=(1,)] v s"), "accepted");
  EXPECT_EQ(refusal("f32[9] = pad[low=(1,) high=() interior=(1,)] v s"),
            "pad: there must be one low, high and interior padding per axis; got [1], [] and [1] for f32[4].");
  EXPECT_EQ(refusal("f32[9] = pad[low=(1,) high=(1,) interior=(-1,)] v s"),
            "pad: interior padding must not be negative; got -1.");
  EXPECT_EQ(refusal("f32[9] = pad[low=(-3,) high=(-2,) interior=(0,)] v s"),
            "pad: negative padding must not remove more than there is; got low -3, high -2 for axis 0 of f32[4].");
  const std::string reason = "pad: padding must be at most 2^60 either way; got low ";
  EXPECT_EQ(refusal(with("f32[9] = pad[low=(@,) high=(0,) interior=(0,)] v s", kMax)),
            reason + kMax + ", high 0 and interior 0.");
  EXPECT_EQ(refusal(with("f32[9] = pad[low=(0,) high=(@,) interior=(0,)] v s", kMin)),
            reason + "0, high " + kMin + " and interior 0.");
  EXPECT_EQ(refusal(with("f32[9] = pad[low=(0,) high=(0,) interior=(@,)] v s", kMax)),
            reason + "0, high 0 and interior " + kMax + ".");
  EXPECT_EQ(refusal("f32[9] = pad[low=(0,) high=(0,) interior=(1152921504606846976,)] v s"),
            "pad: interior padding must add at most 2^60 elements; got 1152921504606846976 between the 4 of axis 0 of "
            "f32[4].");
  EXPECT_EQ(refusal("f32[1] = pad[low=(1152921504606846976,) high=(0,) interior=(0,)] v s"),
            "array: the elements must need fewer than 2^62 bytes; got shape [1152921504606846980].");
}

TEST(limits, of_dot_general) {
  const auto dot = [](const std::string& numbers) {
    return refusal("f32[3,3] = dot_general[dimension_numbers=" + numbers + " preferred_element_type=float32] x x");
  };
  EXPECT_EQ(dot("(([0], [0]), ([], []))"), "accepted");
  EXPECT_EQ(dot("(([2], [0]), ([], []))"), "dot_general: axes of lhs must be in [0, 2); got 2 for f32[2,3].");
  EXPECT_EQ(dot("(([0], [-1]), ([], []))"), "dot_general: axes of rhs must be in [0, 2); got -1 for f32[2,3].");
  EXPECT_EQ(dot("(([0, 0], [0, 0]), ([], []))"),
            "dot_general: an axis of lhs must be contracted or batch only once; got [0,0] contracted and [] batch for "
            "f32[2,3].");
  EXPECT_EQ(dot("(([0], [0]), ([0], [0]))"),
            "dot_general: an axis of lhs must be contracted or batch only once; got [0] contracted and [0] batch for "
            "f32[2,3].");
  EXPECT_EQ(
      dot("(([0], []), ([], []))"),
      "dot_general: lhs and rhs must have equally many contracting axes; got 1 and 0 (lhs f32[2,3], rhs f32[2,3]).");
}

TEST(limits, of_reductions) {
  EXPECT_EQ(refusal("f32[2] = reduce_sum[axes=(1,)] x"), "accepted");
  EXPECT_EQ(refusal("f32[2] = reduce_sum[axes=(2,)] x"), "reduce_sum: axes must be in [0, 2); got [2].");
  EXPECT_EQ(refusal("f32[2] = reduce_sum[axes=(1, 1)] x"), "reduce_sum: axes must be distinct; got [1,1].");
  EXPECT_EQ(refusal(with("f32[2] = reduce_sum[axes=(@,)] x", kMax)),
            with("reduce_sum: axes must be in [0, 2); got [@].", kMax));
  EXPECT_EQ(refusal("i32[3] = argmax[axis=0 index_dtype=int32] x"), "accepted");
  EXPECT_EQ(refusal("i32[3] = argmax[axis=0 index_dtype=int32] e"),
            "argmax: the axis must not be empty; got axis 0 of f32[0,3].");
  EXPECT_EQ(refusal("i32[3] = argmin[axis=-1 index_dtype=int32] x"), "argmin: axes must be in [0, 2); got [-1].");
  EXPECT_EQ(refusal("f32[2,3] = cumsum[axis=2 reverse=False] x"), "cumsum: axes must be in [0, 2); got [2].");
}

TEST(limits, of_sort) {
  EXPECT_EQ(refusal("f32[2,3] = sort[dimension=1 num_keys=1] x"), "accepted");
  EXPECT_EQ(refusal("f32[2,3] = sort[dimension=2 num_keys=1] x"), "sort: axes must be in [0, 2); got [2].");
  EXPECT_EQ(refusal("f32[2,3] = sort[dimension=1 num_keys=2] x"), "sort: num_keys must be in [1, 1]; got 2.");
  EXPECT_EQ(refusal("f32[2,3] = sort[dimension=1 num_keys=0] x"), "sort: num_keys must be in [1, 1]; got 0.");
}

/// gather of rows: x[ids], with one list replaced.
std::string gather(const std::string& list = "", const std::string& value = "", const std::string& sizes = "(1, 3)",
                   const std::string& operands = "x ids") {
  std::string text =
      "f32[5,3] = gather[dimension_numbers=(offset_dims=(1,), collapsed_slice_dims=(0,), operand_batching_dims=(), "
      "start_indices_batching_dims=(), start_index_map=(0,)) mode=clip slice_sizes=" +
      sizes + "] " + operands;
  if (!list.empty()) {
    const std::size_t at = text.find(list + "=(") + list.size() + 1;
    text.replace(at, text.find(')', at) + 1 - at, value);
  }
  return refusal(text);
}

TEST(limits, of_gather) {
  const std::string operands = " (operand f32[2,3], indices i32[5,1]).";
  EXPECT_EQ(gather(), "accepted");
  EXPECT_EQ(gather("offset_dims", "(2,)"), "gather: axes must be in [0, 2); got [2].");
  EXPECT_EQ(gather("offset_dims", "()"),
            "gather: there must be one offset dim per window axis; got [] for 1 axes" + operands);
  EXPECT_EQ(gather("collapsed_slice_dims", "(5,)"), "gather: axes must be in [0, 2); got [5].");
  EXPECT_EQ(gather("collapsed_slice_dims", "(0, 0)"), "gather: axes must be distinct; got [0,0].");
  EXPECT_EQ(gather("operand_batching_dims", "(0,)"), "gather: axes must be distinct; got [0,0].");
  EXPECT_EQ(gather("start_indices_batching_dims", "(0,)"),
            "gather: operand and indices must have as many batching dims; got [] and [0]" + operands);
  EXPECT_EQ(gather("start_index_map", "(0, 1)"),
            "gather: index vectors must have one component per entry of start_index_map; got [0,1]" + operands);
  EXPECT_EQ(gather("start_index_map", "(-1,)"), "gather: axes must be in [0, 2); got [-1].");
  EXPECT_EQ(gather("", "", "(1,)"), "gather: there must be one slice size per operand axis; got [1]" + operands);
  EXPECT_EQ(gather("", "", "(1, 4)"), "gather: slice sizes must be in [0, size]; got 4 for axis 1" + operands);
  EXPECT_EQ(gather("", "", "(1, -1)"), "gather: slice sizes must be in [0, size]; got -1 for axis 1" + operands);
  EXPECT_EQ(gather("", "", "(2, 3)"),
            "gather: slice sizes must be at most 1 on collapsed and batching axes; got 2 for axis 0" + operands);
  EXPECT_EQ(gather("", "", "(1, 3)", "x u"), "gather: indices must be integers; got f32[5,3].");
  // An axis cannot both follow the indices' axis and start where an index says.
  const std::string both =
      "f32[5] = gather[dimension_numbers=(offset_dims=(), collapsed_slice_dims=(1,), operand_batching_dims=(0,), "
      "start_indices_batching_dims=(0,), start_index_map=(0,)) mode=clip slice_sizes=(1, 1)] u ids";
  EXPECT_EQ(refusal(both), "gather: axes must be distinct; got [0,0].");
}

TEST(limits, of_scatter) {
  const auto scatter = [](const std::string& list = "", const std::string& value = "",
                          const std::string& operands = "x ids u") {
    std::string text =
        "f32[2,3] = scatter_add[dimension_numbers=(update_window_dims=(1,), inserted_window_dims=(0,), "
        "input_batching_dims=(), scatter_indices_batching_dims=(), scatter_dims_to_operand_dims=(0,)) mode=clip "
        "unique_indices=False] " +
        operands;
    if (!list.empty()) {
      const std::size_t at = text.find(list + "=(") + list.size() + 1;
      text.replace(at, text.find(')', at) + 1 - at, value);
    }
    return refusal(text);
  };
  EXPECT_EQ(scatter(), "accepted");
  EXPECT_EQ(scatter("update_window_dims", "(2,)"), "scatter_add: axes must be in [0, 2); got [2].");
  EXPECT_EQ(scatter("inserted_window_dims", "(2,)"), "scatter_add: axes must be in [0, 2); got [2].");
  EXPECT_EQ(scatter("input_batching_dims", "(0,)"), "scatter_add: axes must be distinct; got [0,0].");
  EXPECT_EQ(scatter("scatter_dims_to_operand_dims", "(2,)"), "scatter_add: axes must be in [0, 2); got [2].");
  EXPECT_NE(scatter("scatter_dims_to_operand_dims", "()"), "accepted");
  EXPECT_NE(scatter("scatter_indices_batching_dims", "(0,)"), "accepted");
  EXPECT_NE(scatter("inserted_window_dims", "()"), "accepted");
  EXPECT_NE(scatter("", "", "x ids x"), "accepted");
  const std::string both =
      "f32[5,3] = scatter_add[dimension_numbers=(update_window_dims=(), inserted_window_dims=(1,), "
      "input_batching_dims=(0,), scatter_indices_batching_dims=(0,), scatter_dims_to_operand_dims=(0,)) mode=clip "
      "unique_indices=False] u ids v";
  EXPECT_EQ(refusal(both), "scatter_add: axes must be distinct; got [0,0].");
}

TEST(limits, of_windows) {
  const auto window = [](const std::string& list, const std::string& value, const std::string& result = "f32[2]") {
    std::string text = result +
                       " = reduce_window_sum[window=(window_dimensions=(2,), window_strides=(2,), base_dilations=(1,), "
                       "window_dilations=(1,), padding_low=(0,), padding_high=(0,))] v";
    const std::size_t at = text.find(list + "=(") + list.size() + 1;
    text.replace(at, text.find(')', at) + 1 - at, value);
    return refusal(text);
  };
  EXPECT_EQ(window("window_dimensions", "(2,)"), "accepted");
  EXPECT_EQ(window("padding_low", "()"),
            "reduce_window_sum: padding_low must have one entry per axis; got [] for f32[4].");
  EXPECT_EQ(window("window_strides", "(0,)"), "reduce_window_sum: window strides must be positive; got 0 for axis 0.");
  for (const char* list :
       {"window_dimensions", "window_strides", "base_dilations", "window_dilations", "padding_low", "padding_high"}) {
    EXPECT_NE(window(list, with("(@,)", kMin)), "accepted") << list;
    EXPECT_NE(window(list, with("(@,)", kMax)), "accepted") << list;
    EXPECT_NE(window(list, "(1, 1)"), "accepted") << list;
  }
  EXPECT_EQ(window("window_dimensions", "(1000000000000,)", "f32[0]"), "accepted");
  EXPECT_EQ(window("padding_high", "(-5,)", "f32[0]"), "accepted");
}

TEST(limits, of_convolution) {
  const auto convolution = [](const std::string& field, const std::string& value) {
    std::string text =
        "f32[2,5] = conv_general_dilated[dimension_numbers=(input_batch=0, input_feature=1, input_spatial=(), "
        "kernel_output_feature=0, kernel_input_feature=1, kernel_spatial=(), output_batch=0, output_feature=1, "
        "output_spatial=()) window_strides=() padding_low=() padding_high=() lhs_dilation=() rhs_dilation=() "
        "reversed=() feature_group_count=1 batch_group_count=1 preferred_element_type=float32] x u";
    const std::size_t at = text.find(field + "=") + field.size() + 1;
    text.replace(at, text.find_first_of(text[at] == '(' ? ")" : ",) ", at) + (text[at] == '(') - at, value);
    return refusal(text);
  };
  EXPECT_EQ(convolution("input_batch", "0"), "accepted");
  for (const char* axis : {"input_batch", "input_feature", "kernel_output_feature", "kernel_input_feature",
                           "output_batch", "output_feature"})
    for (const char* value : {"2", "-1", kMax, kMin}) EXPECT_NE(convolution(axis, value), "accepted") << axis << value;
  for (const char* list : {"input_spatial", "kernel_spatial", "output_spatial", "window_strides", "padding_low",
                           "padding_high", "lhs_dilation", "rhs_dilation", "reversed"})
    EXPECT_NE(convolution(list, "(1,)"), "accepted") << list;
  for (const char* count : {"feature_group_count", "batch_group_count"})
    for (const char* value : {"0", "-1", "7", kMax, kMin})
      EXPECT_NE(convolution(count, value), "accepted") << count << value;
}

TEST(limits, of_fft_and_top_k) {
  for (const char* lengths : {"()", "(4,)", "(3, 3, 3)", "(1, 2, 2, 3)", "(-3,)", "(9223372036854775807,)"})
    EXPECT_NE(refusal("c64[2,2] = fft[fft_type=RFFT fft_length=" + std::string(lengths) + "] x"), "accepted")
        << lengths;
  EXPECT_EQ(refusal("c64[2,2] = fft[fft_type=RFFT fft_length=(3,)] x"), "accepted");
  for (const char* k : {"4", "-1", kMax, kMin})
    EXPECT_EQ(refusal(with("f32[2,3] z:i32[2,3] = top_k[k=@] x", k)),
              with("top_k: k must be in [0, 3], the size of the last axis; got @ for f32[2,3].", k));
}

TEST(limits, of_random_numbers) {
  EXPECT_EQ(refusal("f32[2] = rng[rng_distribution=UNIFORM shape=(2,)] s s"), "accepted");
  EXPECT_EQ(refusal("f32[2] = rng[rng_distribution=UNIFORM shape=(-2,)] s s"),
            "array: sizes must not be negative; got shape [-2].");
  EXPECT_EQ(refusal(with("f32[2] = rng[rng_distribution=NORMAL shape=(@, 2)] s s", kMax)),
            with("array: the elements must need fewer than 2^62 bytes; got shape [@,2].", kMax));
  EXPECT_NE(refusal("f32[4] z:u32[2] = rng_bit_generator[rng_algorithm=PHILOX dtype=uint32 shape=(2,)] v"), "accepted");
}

// ---- allowed, at the edge ----

TEST(limits, a_stride_beyond_the_size_takes_the_first_element) {
  const Array x = np::reshape(np::arange(12.0f), {3, 4});
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  for (const bool compiled : {false, true}) {
    const auto f = [&](Array y) { return lax::slice(y, Dims{1, 0}, Dims{3, 4}, Dims{huge, 3}); };
    const Array y = compiled ? jit(f)(x) : f(x);
    EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{4, 7}));
    const Array g = grad([&](Array z) { return np::sum(f(z) * f(z)); })(x);
    EXPECT_EQ(g.to_vector<float>(), (std::vector<float>{0, 0, 0, 0, 8, 0, 0, 14, 0, 0, 0, 0}));
    EXPECT_EQ(vmap(f)(np::stack({x, x + 1.0f})).to_vector<float>(), (std::vector<float>{4, 7, 5, 8}));
  }
}

TEST(limits, padding_may_crop_everything) {
  const Array x = np::array({1.0f, 2.0f, 3.0f});
  const std::int64_t far = std::int64_t{1} << 60;
  EXPECT_EQ(lax::pad(x, 9.0f, Dims{-far}, Dims{far}, Dims{0}).to_vector<float>(), (std::vector<float>{9, 9, 9}));
  EXPECT_EQ(lax::pad(x, 9.0f, Dims{far}, Dims{-far}, Dims{0}).to_vector<float>(), (std::vector<float>{9, 9, 9}));
  EXPECT_EQ(lax::pad(x, 9.0f, Dims{-1}, Dims{-far + 4}, Dims{far / 2 - 1}).to_vector<float>(),
            (std::vector<float>{9, 9, 9, 9}));
  EXPECT_EQ(lax::pad(np::zeros({0}), 9.0f, Dims{1}, Dims{1}, Dims{far}).to_vector<float>(), (std::vector<float>{9, 9}));
}

TEST(limits, gather_from_an_empty_axis_reads_the_fill_in_every_mode) {
  const Array empty = np::zeros({0, 3}), ids = np::array({{0}, {5}});
  const lax::GatherDimensionNumbers dims{{1}, {0}, {}, {}, {0}};
  for (const lax::IndexMode mode : {lax::IndexMode::kClip, lax::IndexMode::kFillOrDrop, lax::IndexMode::kPromise}) {
    const Array y = lax::gather(empty, ids, dims, Dims{0, 3}, mode);
    EXPECT_EQ(y.aval().str(), "f32[2,3]");
    for (const float v : y.to_vector<float>()) EXPECT_TRUE(std::isnan(v));
  }
}

TEST(limits, scatter_into_an_empty_axis_writes_nothing_in_every_mode) {
  const Array empty = np::zeros({0, 3}), ids = np::array({{0}, {5}}), updates = np::ones({2, 3});
  const lax::ScatterDimensionNumbers dims{{1}, {0}, {}, {}, {0}};
  for (const lax::IndexMode mode : {lax::IndexMode::kClip, lax::IndexMode::kFillOrDrop, lax::IndexMode::kPromise})
    EXPECT_EQ(lax::scatter(empty, ids, updates, dims, lax::ScatterKind::kAdd, mode).aval().str(), "f32[0,3]");
}

}  // namespace
}  // namespace weft
