#include "harness/random_values.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace weft::testing {

namespace {

double special_float(RandomSource& random) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  static constexpr double kSpecial[] = {0.0,
                                        -0.0,
                                        -0.0,
                                        std::numeric_limits<double>::quiet_NaN(),
                                        kInf,
                                        -kInf,
                                        1.0,
                                        -1.0,
                                        0.5,
                                        -0.5,
                                        1.5,
                                        -2.5,
                                        0x1p-149,
                                        -0x1p-140,
                                        0x1p-24,
                                        0x1p-126,
                                        0x1p-1074,
                                        65504.0,
                                        0x1.fffffep127,
                                        -0x1.fffffep127,
                                        2147483648.0,
                                        -2147483649.0,
                                        4294967296.0,
                                        0x1p63,
                                        -0x1p63,
                                        8388607.5,
                                        1e10,
                                        88.8,
                                        -104.0};
  return random.of(kSpecial);
}

std::uint64_t special_integer(DType t, RandomSource& random) {
  const int width = bit_width(t);
  const std::uint64_t lowest = std::uint64_t{1} << (width - 1);
  switch (random.below(8)) {
    case 0: return lowest;                             // INT_MIN
    case 1: return lowest - 1;                         // INT_MAX
    case 2: return ~std::uint64_t{0};                  // -1, UINT_MAX
    case 3: return static_cast<std::uint64_t>(width);  // a shift by everything
    case 4: return static_cast<std::uint64_t>(width) - 1;
    case 5: return std::uint64_t{1} << random.below(width);
    case 6: return 1;
    default: return 0;
  }
}

// The low bytes of `bits` as an element.
void write_bits(DType t, std::uint64_t bits, void* out) {
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(out, &bits, static_cast<std::size_t>(byte_size(t)));
}

void random_real(DType t, Fill fill, RandomSource& random, void* out) {
  double v = 0;
  switch (fill) {
    case Fill::kSmall: v = static_cast<double>(random.between(-4, 9)); break;
    case Fill::kAnything: return write_bits(t, random.bits(), out);
    case Fill::kMixed:
      v = random.chance(0.15) ? special_float(random) : random.normal() * (random.chance(0.1) ? 100 : 1);
      break;
    default: v = random.normal(); break;
  }
  Scalar(v).write(t, out);
}

void random_integer(DType t, Fill fill, RandomSource& random, void* out) {
  std::int64_t v = 0;
  switch (fill) {
    case Fill::kAnything: return write_bits(t, random.bits(), out);
    case Fill::kMixed:
      if (random.chance(0.3)) return write_bits(t, special_integer(t, random), out);
      v = random.between(-100, 100);
      break;
    case Fill::kNormal: v = random.between(-20, 20); break;
    default: v = random.between(-4, 9); break;
  }
  write_bits(t, static_cast<std::uint64_t>(is_unsigned(t) ? std::abs(v) : v), out);
}

constexpr Fill kKinds[] = {Fill::kNormal, Fill::kNormal, Fill::kNormal,   Fill::kSmall,
                           Fill::kSmall,  Fill::kMixed,  Fill::kAnything, Fill::kConstant};

}  // namespace

DType random_dtype(RandomSource& random) {
  static constexpr double kWeights[] = {9, 3, 3, 16, 4, 3, 2, 4, 2, 4, 4, 34, 12, 3, 2};
  static_assert(std::size(kWeights) == kNumComputeDTypes);
  return static_cast<DType>(random.weighted(kWeights));
}

std::int64_t random_size(RandomSource& random, std::int64_t most) {
  static constexpr std::int64_t kSmallSizes[] = {1, 1, 1, 2, 2, 3, 3, 4, 5, 6};
  static constexpr std::int64_t kVectorSizes[] = {7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 130};
  if (random.chance(0.015)) return 0;
  const std::int64_t n = random.chance(0.6) ? random.of(kSmallSizes) : random.of(kVectorSizes);
  return std::min(n, most);
}

Dims random_shape(RandomSource& random, std::int64_t most) {
  static constexpr double kRanks[] = {8, 30, 36, 18, 8};
  Dims shape(random.weighted(kRanks));
  for (std::int64_t& size : shape) {
    size = random_size(random, std::max<std::int64_t>(most, 1));
    most /= std::max<std::int64_t>(size, 1);
  }
  for (std::size_t i = shape.size(); i > 1; --i)
    std::swap(shape[i - 1], shape[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
  return shape;
}

void random_element(DType t, Fill fill, RandomSource& random, void* out) {
  if (fill == Fill::kAnyKind) fill = random.of(kKinds);
  if (fill == Fill::kConstant) fill = random.of({Fill::kSmall, Fill::kNormal});
  if (t == boolean) return write_bits(t, random.bits() & 1, out);
  if (is_complex(t)) {
    const DType part = real_dtype(t);
    random_real(part, fill, random, out);
    return random_real(part, fill, random, static_cast<std::byte*>(out) + byte_size(part));
  }
  return is_float(t) ? random_real(t, fill, random, out) : random_integer(t, fill, random, out);
}

Array random_array(Aval type, Fill fill, RandomSource& random) {
  if (fill == Fill::kAnyKind) fill = random.of(kKinds);
  std::uint32_t repeated = fill == Fill::kConstant && random.chance(0.5) ? BufferValue::all_axes(type.ndim()) : 0;
  if (type.ndim() > 0 && random.chance(0.05)) repeated |= 1u << random.below(type.ndim());
  if (type.size() == 0) repeated = 0;
  Dims stored(type.shape());
  for (std::size_t i = 0; i < stored.size(); ++i)
    if (repeated >> i & 1u) stored[i] = 1;
  const std::int64_t n = product(stored), size = byte_size(type.dtype());
  std::vector<std::byte> bytes(static_cast<std::size_t>(n * size));
  for (std::int64_t i = 0; i < n; ++i) {
    std::byte* const to = bytes.data() + i * size;
    if (fill == Fill::kConstant && i > 0)
      std::memcpy(to, bytes.data(), static_cast<std::size_t>(size));
    else
      random_element(type.dtype(), fill, random, to);
  }
  const Array array = Array::copy(type.dtype(), stored, bytes.data(), static_cast<std::size_t>(n));
  if (repeated == 0) return array;
  const Ref<const BufferValue> dense = detail::materialize(*array.buffer());
  return Array(Ref<const Value>(make_ref<BufferValue>(type, dense->storage(), repeated)));
}

ir::Literal literal_of(Aval type, double value) {
  ir::Literal literal{type};
  Scalar(value).write(type.dtype(), literal.value.data());
  return literal;
}

ir::Literal random_literal(Aval type, RandomSource& random) {
  if (random.chance(0.5))
    return literal_of(type, random.of({0.0, 1.0, 1.0, 2.0, 3.0, is_unsigned(type.dtype()) ? 5.0 : -1.0}));
  ir::Literal literal{type};
  random_element(type.dtype(), random.of({Fill::kNormal, Fill::kSmall, Fill::kMixed}), random, literal.value.data());
  return literal;
}

std::vector<Array> random_inputs(const ir::Jaxpr& jaxpr, std::uint64_t seed) {
  RandomSource random(seed);
  std::vector<Array> inputs;
  for (const Aval type : jaxpr.input_avals()) inputs.push_back(random_array(type, Fill::kAnyKind, random));
  return inputs;
}

}  // namespace weft::testing
