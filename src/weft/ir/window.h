// The parameters of operations that slide a window over an array: convolution, reduce_window and the
// two that route gradients of pooling. Here, not in ops/, because compilers read them too.
#pragma once

#include "weft/ir/contraction.h"

namespace weft {

/// A window over every axis of an array, StableHLO's terms: the array is dilated by `base_dilations` (size
/// n becomes (n - 1) d + 1), padded (negative removes), and read by a window of `dimensions` elements that are
/// `window_dilations` apart, at every `strides`-th place where it fits. All lists have the array's rank.
struct Window {
  Dims dimensions = {};
  Dims strides = {};
  Dims base_dilations = {};
  Dims window_dilations = {};
  Dims padding_low = {};
  Dims padding_high = {};
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("window_dimensions", &Window::dimensions), ir::field("window_strides", &Window::strides),
                 ir::field("base_dilations", &Window::base_dilations),
                 ir::field("window_dilations", &Window::window_dilations),
                 ir::field("padding_low", &Window::padding_low), ir::field("padding_high", &Window::padding_high));
  }
};

/// Which axes of the operands and result of a convolution are what. Spatial axes correspond in order.
struct ConvDimensionNumbers {
  std::int64_t input_batch = 0, input_feature = 1;
  Dims input_spatial = {};
  std::int64_t kernel_output_feature = 0, kernel_input_feature = 1;
  Dims kernel_spatial = {};
  std::int64_t output_batch = 0, output_feature = 1;
  Dims output_spatial = {};
  static constexpr auto fields(auto&& visit) {
    using C = ConvDimensionNumbers;
    return visit(ir::field("input_batch", &C::input_batch), ir::field("input_feature", &C::input_feature),
                 ir::field("input_spatial", &C::input_spatial),
                 ir::field("kernel_output_feature", &C::kernel_output_feature),
                 ir::field("kernel_input_feature", &C::kernel_input_feature),
                 ir::field("kernel_spatial", &C::kernel_spatial), ir::field("output_batch", &C::output_batch),
                 ir::field("output_feature", &C::output_feature), ir::field("output_spatial", &C::output_spatial));
  }
};

/// Lists have one entry per spatial axis.
struct ConvolutionParams {
  ConvDimensionNumbers dimension_numbers = {};
  Dims window_strides = {};
  Dims padding_low = {};
  Dims padding_high = {};
  Dims lhs_dilation = {};
  Dims rhs_dilation = {};
  /// The spatial axes (numbers into the lists above) along which the kernel is read backwards. Ascending.
  Dims reversed = {};
  std::int64_t feature_group_count = 1;
  std::int64_t batch_group_count = 1;
  DType preferred_element_type = f32;
  static constexpr auto fields(auto&& visit) {
    using C = ConvolutionParams;
    return visit(ir::field("dimension_numbers", &C::dimension_numbers), ir::field("window_strides", &C::window_strides),
                 ir::field("padding_low", &C::padding_low), ir::field("padding_high", &C::padding_high),
                 ir::field("lhs_dilation", &C::lhs_dilation), ir::field("rhs_dilation", &C::rhs_dilation),
                 ir::field("reversed", &C::reversed), ir::field("feature_group_count", &C::feature_group_count),
                 ir::field("batch_group_count", &C::batch_group_count),
                 ir::field("preferred_element_type", &C::preferred_element_type));
  }
};

/// reduce_window: printed as reduce_window_sum, reduce_window_max, ... The initial value is the kind's neutral element.
struct ReduceWindowParams {
  ReduceKind kind{};
  Window window;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("kind", &ReduceWindowParams::kind), ir::field("window", &ReduceWindowParams::window));
  }
};

/// When the element chosen so far stays beside a later one: the first or the last of the largest or smallest are
/// chosen.
enum class WindowSelect : std::uint8_t { kGe, kLe, kGt, kLt };
inline constexpr std::string_view kWindowSelectNames[] = {"ge", "le", "gt", "lt"};
constexpr std::span<const std::string_view> enum_names(WindowSelect) { return kWindowSelectNames; }

/// select_and_scatter (adds the source at the selected element of each window) and select_and_gather_add (the element
/// of the second operand where that of the first is selected).
struct WindowSelectParams {
  WindowSelect select{};
  Window window;
  static constexpr auto fields(auto&& visit) {
    return visit(ir::field("select", &WindowSelectParams::select), ir::field("window", &WindowSelectParams::window));
  }
};

}  // namespace weft
