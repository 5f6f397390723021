// dot_general, convolution, and the operations of linear algebra and random bits.
#include "weft/base/error.h"
#include "weft/ir/linalg.h"
#include "weft/ir/random.h"
#include "weft/stablehlo/lexer.h"
#include "weft/stablehlo/operations.h"

namespace weft::stablehlo {

namespace {

ir::Params read_dot_general(const AttributeReader& from) {
  const AttributeFields f = from.fields("dot_dimension_numbers", "dot",
                                        {"lhs_batching_dimensions", "rhs_batching_dimensions",
                                         "lhs_contracting_dimensions", "rhs_contracting_dimensions"});
  DotGeneralParams p;
  p.dimension_numbers = {f.dims("lhs_contracting_dimensions"), f.dims("rhs_contracting_dimensions"),
                         f.dims("lhs_batching_dimensions"), f.dims("rhs_batching_dimensions")};
  p.preferred_element_type = from.result().dtype();
  return ir::make_params(std::move(p));
}
void write_dot_general(const ir::ParamsBase* params, AttributeWriter& to) {
  const auto& d = ir::params_as<DotGeneralParams>(params).dimension_numbers;
  to.add("dot_dimension_numbers", AttributeWriter::Struct("dot")
                                      .dims("lhs_batching_dimensions", d.lhs_batch)
                                      .dims("rhs_batching_dimensions", d.rhs_batch)
                                      .dims("lhs_contracting_dimensions", d.lhs_contracting)
                                      .dims("rhs_contracting_dimensions", d.rhs_contracting)
                                      .done());
}

// ---- convolution: #stablehlo.conv<[b, 0, f]x[0, i, o]->[b, 0, f]>, or <raw input_batch_dimension = 0, ...> ----

// One bracket: the axes of the two letters and of the numbers in order. "?" stands for an axis that is none of them.
void read_axes(Lexer& in, std::string_view first, std::int64_t& first_axis, std::string_view second,
               std::int64_t& second_axis, Dims& spatial) {
  std::int64_t axis = 0;
  first_axis = second_axis = -1;
  std::vector<std::pair<std::int64_t, std::int64_t>> numbered;
  in.expect("[");
  while (!in.accept("]")) {
    if (in.accept_word(first))
      first_axis = axis;
    else if (in.accept_word(second))
      second_axis = axis;
    else
      numbered.emplace_back(in.integer("an axis"), axis);
    ++axis;
    if (!in.accept(",") && !in.looking_at("]")) in.fail("',' or ']'");
  }
  if (first_axis < 0 || second_axis < 0) in.fail("both '" + std::string(first) + "' and '" + std::string(second) + "'");
  spatial.assign(numbered.size(), -1);
  for (const auto& [number, at] : numbered) {
    if (number < 0 || number >= static_cast<std::int64_t>(numbered.size()) ||
        spatial[static_cast<std::size_t>(number)] >= 0)
      in.fail("spatial axes 0, 1, ..., each once");
    spatial[static_cast<std::size_t>(number)] = at;
  }
}

ConvDimensionNumbers read_conv_dimensions(const AttributeReader& from) {
  const Attribute* a = &from.required("dimension_numbers");
  constexpr std::string_view prefix = "#stablehlo.conv<";
  if (a->kind != Attribute::Kind::kOther || !a->text.starts_with(prefix))
    from.mistyped(*a, "dimension_numbers", "#stablehlo.conv<[...]x[...]->[...]>");
  ConvDimensionNumbers d;
  const std::string_view text = std::string_view(a->text).substr(prefix.size());
  if (text.starts_with("raw ")) {
    const AttributeFields f(from.module, a, "conv",
                            {"input_spatial_dimensions", "kernel_spatial_dimensions", "output_spatial_dimensions"},
                            {"input_batch_dimension", "input_feature_dimension", "kernel_input_feature_dimension",
                             "kernel_output_feature_dimension", "output_batch_dimension", "output_feature_dimension"});
    d.input_batch = f.integer("input_batch_dimension", -1);
    d.input_feature = f.integer("input_feature_dimension", -1);
    d.input_spatial = f.dims("input_spatial_dimensions");
    d.kernel_input_feature = f.integer("kernel_input_feature_dimension", -1);
    d.kernel_output_feature = f.integer("kernel_output_feature_dimension", -1);
    d.kernel_spatial = f.dims("kernel_spatial_dimensions");
    d.output_batch = f.integer("output_batch_dimension", -1);
    d.output_feature = f.integer("output_feature_dimension", -1);
    d.output_spatial = f.dims("output_spatial_dimensions");
    return d;
  }
  try {
    Lexer in(text, 0, text.size(), {}, nullptr);
    read_axes(in, "b", d.input_batch, "f", d.input_feature, d.input_spatial);
    in.expect("x");
    read_axes(in, "i", d.kernel_input_feature, "o", d.kernel_output_feature, d.kernel_spatial);
    in.expect("->");
    read_axes(in, "b", d.output_batch, "f", d.output_feature, d.output_spatial);
    in.expect(">");
  } catch (const ParseError& e) {
    fail_at(from.module, a->place, "#stablehlo.conv<...>: " + e.message());
  }
  return d;
}

std::string axes_text(char first, std::int64_t first_axis, char second, std::int64_t second_axis, DimSpan spatial) {
  std::vector<std::string> names(spatial.size() + 2, "?");
  const auto put = [&](std::int64_t axis, std::string name) {
    if (axis >= 0 && axis < static_cast<std::int64_t>(names.size()))
      names[static_cast<std::size_t>(axis)] = std::move(name);
  };
  for (std::size_t i = 0; i < spatial.size(); ++i) put(spatial[i], std::to_string(i));
  put(first_axis, std::string(1, first));
  put(second_axis, std::string(1, second));
  return "[" + join(names, ", ") + "]";
}

ir::Params read_convolution(const AttributeReader& from) {
  ConvolutionParams p;
  p.dimension_numbers = read_conv_dimensions(from);
  const std::size_t n = p.dimension_numbers.input_spatial.size();
  p.window_strides = from.dims("window_strides", Dims(n, 1));
  p.lhs_dilation = from.dims("lhs_dilation", Dims(n, 1));
  p.rhs_dilation = from.dims("rhs_dilation", Dims(n, 1));
  p.padding_low = p.padding_high = Dims(n, 0);
  if (from.has("padding")) {
    const std::vector<Dims> rows = from.matrix("padding");
    if (rows.size() != n)
      from.fail("padding must have one row per spatial axis; got " + std::to_string(rows.size()) + ".");
    for (std::size_t i = 0; i < n; ++i) {
      if (rows[i].size() != 2) from.fail("padding must have two columns; got " + std::to_string(rows[i].size()) + ".");
      p.padding_low[i] = rows[i][0];
      p.padding_high[i] = rows[i][1];
    }
  }
  const Dims reversal = from.dims("window_reversal", {});
  for (std::size_t i = 0; i < reversal.size(); ++i)
    if (reversal[i]) p.reversed.push_back(static_cast<std::int64_t>(i));
  p.feature_group_count = from.integer("feature_group_count", 1);
  p.batch_group_count = from.integer("batch_group_count", 1);
  p.preferred_element_type = from.result().dtype();
  return ir::make_params(std::move(p));
}

void write_convolution(const ir::ParamsBase* params, AttributeWriter& to) {
  const auto& p = ir::params_as<ConvolutionParams>(params);
  const ConvDimensionNumbers& d = p.dimension_numbers;
  to.add("dimension_numbers",
         Attribute::other("#stablehlo.conv<" + axes_text('b', d.input_batch, 'f', d.input_feature, d.input_spatial) +
                          "x" + axes_text('i', d.kernel_input_feature, 'o', d.kernel_output_feature, d.kernel_spatial) +
                          "->" + axes_text('b', d.output_batch, 'f', d.output_feature, d.output_spatial) + ">"));
  to.dims("window_strides", p.window_strides);
  std::vector<Dims> padding;
  padding.reserve(p.padding_low.size());
  for (std::size_t i = 0; i < p.padding_low.size(); ++i) padding.push_back({p.padding_low[i], p.padding_high[i]});
  to.add("padding", dense_matrix(padding, 2));
  to.dims("lhs_dilation", p.lhs_dilation);
  to.dims("rhs_dilation", p.rhs_dilation);
  if (!p.reversed.empty()) {
    Dims flags(p.window_strides.size(), 0);
    for (const std::int64_t i : p.reversed) flags[static_cast<std::size_t>(i)] = 1;
    to.add("window_reversal", Attribute::dims(flags, "i1"));
  }
  to.integer("batch_group_count", p.batch_group_count);
  to.integer("feature_group_count", p.feature_group_count);
}

// ---- linear algebra and random bits ----

ir::Params read_fft(const AttributeReader& from) {
  return ir::make_params(FftParams{from.enumerator_of<FftType>("fft_type", "fft_type"), from.dims("fft_length")});
}
void write_fft(const ir::ParamsBase* params, AttributeWriter& to) {
  const auto& p = ir::params_as<FftParams>(params);
  to.enumerator("fft_type", "fft_type", kFftTypeNames[static_cast<int>(p.fft_type)]);
  to.dims("fft_length", p.fft_length);
}

ir::Params read_cholesky(const AttributeReader& from) {
  return ir::make_params(CholeskyParams{from.boolean("lower", false)});
}
void write_cholesky(const ir::ParamsBase* params, AttributeWriter& to) {
  to.add("lower", Attribute::boolean(ir::params_as<CholeskyParams>(params).lower));
}

ir::Params read_triangular_solve(const AttributeReader& from) {
  TriangularSolveParams p;
  p.left_side = from.boolean("left_side");
  p.lower = from.boolean("lower");
  p.unit_diagonal = from.boolean("unit_diagonal");
  p.transpose_a = from.enumerator_of<TransposeA>("transpose_a", "transpose");
  return ir::make_params(p);
}
void write_triangular_solve(const ir::ParamsBase* params, AttributeWriter& to) {
  const auto& p = ir::params_as<TriangularSolveParams>(params);
  to.add("left_side", Attribute::boolean(p.left_side));
  to.add("lower", Attribute::boolean(p.lower));
  to.add("unit_diagonal", Attribute::boolean(p.unit_diagonal));
  to.enumerator("transpose_a", "transpose", kTransposeANames[static_cast<int>(p.transpose_a)]);
}

ir::Params read_rng_bit_generator(const AttributeReader& from) {
  if (from.out.size() != 2) from.fail("there must be 2 results; got " + std::to_string(from.out.size()) + ".");
  return ir::make_params(RngBitGeneratorParams{from.enumerator_of<RngAlgorithm>("rng_algorithm", "rng_algorithm"),
                                               from.out[1].dtype(), Dims(from.out[1].shape())});
}
void write_rng_bit_generator(const ir::ParamsBase* params, AttributeWriter& to) {
  const auto& p = ir::params_as<RngBitGeneratorParams>(params);
  to.enumerator("rng_algorithm", "rng_algorithm", kRngAlgorithmNames[static_cast<int>(p.rng_algorithm)]);
}

constexpr Operation kRows[] = {
    {OpCode::kDotGeneral, "stablehlo.dot_general", read_dot_general, write_dot_general},
    {OpCode::kConvolution, "stablehlo.convolution", read_convolution, write_convolution},
    {OpCode::kFft, "stablehlo.fft", read_fft, write_fft},
    {OpCode::kCholesky, "stablehlo.cholesky", read_cholesky, write_cholesky},
    {OpCode::kTriangularSolve, "stablehlo.triangular_solve", read_triangular_solve, write_triangular_solve},
    {OpCode::kRngBitGenerator, "stablehlo.rng_bit_generator", read_rng_bit_generator, write_rng_bit_generator},
};

}  // namespace

std::span<const Operation> contraction_operations() { return kRows; }

// ---- shared with operations that have regions ----

Window read_window(const AttributeReader& from, int rank) {
  const auto n = static_cast<std::size_t>(rank);
  Window w;
  w.dimensions = from.dims("window_dimensions", Dims(n, 1));
  w.strides = from.dims("window_strides", Dims(n, 1));
  w.base_dilations = from.dims("base_dilations", Dims(n, 1));
  w.window_dilations = from.dims("window_dilations", Dims(n, 1));
  w.padding_low = w.padding_high = Dims(n, 0);
  if (from.has("padding")) {
    const std::vector<Dims> rows = from.matrix("padding");
    if (rows.size() != n) from.fail("padding must have one row per axis; got " + std::to_string(rows.size()) + ".");
    for (std::size_t i = 0; i < n; ++i) {
      if (rows[i].size() != 2) from.fail("padding must have two columns; got " + std::to_string(rows[i].size()) + ".");
      w.padding_low[i] = rows[i][0];
      w.padding_high[i] = rows[i][1];
    }
  }
  return w;
}

void write_window(const Window& w, AttributeWriter& to) {
  const auto list = [&](const char* name, const Dims& v) {
    for (const std::int64_t x : v)
      if (x != 1) return to.dims(name, v);
  };
  to.dims("window_dimensions", w.dimensions);
  list("window_strides", w.strides);
  list("base_dilations", w.base_dilations);
  list("window_dilations", w.window_dilations);
  std::vector<Dims> padding;
  bool any = false;
  for (std::size_t i = 0; i < w.padding_low.size(); ++i) {
    padding.push_back({w.padding_low[i], w.padding_high[i]});
    any |= w.padding_low[i] != 0 || w.padding_high[i] != 0;
  }
  if (any) to.add("padding", dense_matrix(padding, 2));
}

}  // namespace weft::stablehlo
