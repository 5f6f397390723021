// StableHLO's random numbers: rng, which draws from a stream of the process, and rng_bit_generator, which is a
// function of its state. The latter's bits are those of XLA's CPU client, which expands it into these ciphers.
#include <atomic>
#include <cmath>
#include <numbers>

#include "weft/ops/counter_hash.h"
#include "weft/ops/wide.h"

namespace weft {

using namespace ops;

namespace {

// The axes of `examples`, then `shape`.
Dims joined_shape(DimSpan examples, DimSpan shape) {
  Dims r(examples);
  r.append(shape.begin(), shape.end());
  return r;
}

// ---- rng: out[e..., i...] is drawn for a[e...], b[e...] ----

void infer_rng(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<RngParams>(params);
  if (in[0].dtype() != in[1].dtype())
    throw DTypeError("rng: operands must have equal dtypes; got " + operand_text(in) + ".");
  if (!same_dims(in[0].shape(), in[1].shape()))
    throw ShapeError("rng: operands must have equal shapes; got " + operand_text(in) + ".");
  const bool normal = p.rng_distribution == RngDistribution::kNormal;
  if (normal ? !is_float(in[0].dtype()) : is_complex(in[0].dtype()))
    throw_dtype(normal ? "rng of NORMAL" : "rng of UNIFORM", normal ? "float" : "bool, integer or float", in);
  out.push_back(Aval(in[0].dtype(), joined_shape(in[0].shape(), p.shape), in[0].vary() | in[1].vary()));
}

// Two words of 64 random bits: block `i` of the stream, which is Philox with a key of no meaning.
std::array<std::uint64_t, 2> stream_block(std::uint64_t i) {
  const auto [low, high] = halves(i);
  const auto x = philox4x32_block({0x57656674u, 0x726E6721u}, {low, high, 0, 0});
  return {joined(x[0], x[1]), joined(x[2], x[3])};
}

// In [0, 1), a multiple of 2^-53.
double unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

// In [0, n): the high word of bits n, so numbers differ in probability by 2^-64 at most.
std::uint64_t below(std::uint64_t bits, std::uint64_t n) {
  const auto [b0, b1] = halves(bits);
  const auto [n0, n1] = halves(n);
  const std::uint64_t low = std::uint64_t{b0} * n0, cross = std::uint64_t{b1} * n0 + (low >> 32),
                      other = std::uint64_t{b0} * n1 + static_cast<std::uint32_t>(cross);
  return std::uint64_t{b1} * n1 + (cross >> 32) + (other >> 32);
}

template <class T>
T draw_uniform(T a, T b, std::uint64_t bits) {
  if constexpr (std::is_same_v<T, bool>) {
    return bits >> 63 ? b : a;
  } else if constexpr (std::is_integral_v<T>) {
    if (b <= a) return a;
    const auto from = static_cast<std::uint64_t>(a);
    return static_cast<T>(from + below(bits, static_cast<std::uint64_t>(b) - from));
  } else {
    const auto lo = convert_element<double>(a), hi = convert_element<double>(b);
    if (!(lo < hi)) return a;
    const double u = unit(bits), width = hi - lo;
    const T y = convert_element<T>(std::isfinite(width) ? lo + u * width : lo * (1 - u) + hi * u);
    // Rounding may reach the end, which is not in the interval.
    return convert_element<double>(y) >= hi ? a : y;
  }
}

// G. E. P. Box, M. E. Muller: A note on the generation of random normal deviates (1958).
double draw_normal(std::array<std::uint64_t, 2> bits) {
  return std::sqrt(-2 * std::log(1 - unit(bits[0]))) * std::cos(2 * std::numbers::pi * unit(bits[1]));
}

void eval_rng(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  static std::atomic<std::uint64_t> drawn{0};
  const auto& p = ir::params_as<RngParams>(params);
  const std::int64_t per_example = product(p.shape), n = out[0].size();
  const std::uint64_t first = drawn.fetch_add(static_cast<std::uint64_t>(n), std::memory_order_relaxed);
  visit_dtype(in[0].dtype(), [&]<class T>(TypeTag<T>) {
    if constexpr (!std::is_same_v<T, std::complex<float>> && !std::is_same_v<T, std::complex<double>>)
      for (std::int64_t i = 0; i < n; ++i) {
        const T a = in[0].as<T>()[i / per_example], b = in[1].as<T>()[i / per_example];
        const auto bits = stream_block(first + static_cast<std::uint64_t>(i));
        T& y = out[0].as<T>()[i];
        if (p.rng_distribution == RngDistribution::kUniform)
          y = draw_uniform(a, b, bits[0]);
        else
          y = convert_element<T>(convert_element<double>(a) + convert_element<double>(b) * draw_normal(bits));
      }
  });
}

void batch_rng(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  bind(call.op, call.params,
       Arrays{bdim_to_front(call.args[0], bdims[0], axis.size), bdim_to_front(call.args[1], bdims[1], axis.size)},
       outs);
  out_bdims.push_back(0);
}

// With the draw that gave y held fixed: a uniform y is a + u (b - a), a normal one a + z b.
void jvp_rng(const Call& call, std::span<const Array> tangents, Arrays& outs, Arrays& out_tangents) {
  const Array y = bind1(call.op, call.params, call.args);
  outs.push_back(y);
  if (!is_inexact(y.dtype()) || !(tangents[0].defined() || tangents[1].defined())) {
    out_tangents.push_back(Array());
    return;
  }
  Dims axes;
  for (int i = 0; i < call.args[0].ndim(); ++i) axes.push_back(i);
  const auto spread = [&](const Array& x) { return lax::broadcast_in_dim(x, y.shape(), axes); };
  const auto tangent = [&](std::size_t i) {
    return spread(tangents[i].defined() ? tangents[i] : zeros_of(call.args[i].aval()));
  };
  const bool uniform = call.params_as<RngParams>().rng_distribution == RngDistribution::kUniform;
  const Array a = spread(call.args[0]), b = spread(call.args[1]), da = tangent(0), db = tangent(1);
  const Array scale = uniform ? lax::subtract(b, a) : b, d_scale = uniform ? lax::subtract(db, da) : db;
  // Without width nothing tells the draw, and any will do.
  const Array none = lax::eq(scale, 0.0);
  const Array draw =
      lax::divide(lax::subtract(y, a), lax::select(none, lax::full(y.shape(), Scalar(1.0), y.dtype()), scale));
  out_tangents.push_back(lax::add(da, lax::multiply(draw, d_scale)));
}

FactorTable factors_rng(const ParamsBase*, std::span<const Aval> in, std::span<const Aval> out) {
  FactorTable table;
  FactorTable::Axes axes;
  for (const std::int64_t size : in[0].shape()) axes.push_back({table.add(size)});
  table.operands.push_back(axes);
  table.operands.push_back(axes);
  for (std::size_t i = axes.size(); i < out[0].shape().size(); ++i)
    axes.push_back({table.add(out[0].shape(i), FactorTable::Kind::kNeedReplication)});
  table.results.push_back(std::move(axes));
  return table;
}

// ---- rng_bit_generator: (state, bits) of each state[e..., :] ----

void infer_bits(const ParamsBase* params, std::span<const Aval> in, Avals& out) {
  const auto& p = ir::params_as<RngBitGeneratorParams>(params);
  const Aval state = in[0];
  const bool threefry = p.rng_algorithm == RngAlgorithm::kThreeFry;
  const std::int64_t words = state.ndim() == 0 ? 0 : state.shape().back();
  const bool fits =
      (state.dtype() == u64 && (words == 2 || (words == 3 && !threefry))) || (state.dtype() == u32 && words == 4);
  if (state.dtype() != u64 && state.dtype() != u32)
    throw DTypeError("rng_bit_generator: the state must be u64 or u32; got " + state.str() + ".");
  if (!fits)
    throw ShapeError("rng_bit_generator: the last axis of the state must be that of u64[2]" +
                     std::string(threefry ? "" : ", u64[3]") + " or u32[4]; got " + state.str() + ".");
  if (p.dtype == boolean || is_complex(p.dtype) || is_storage(p.dtype))
    throw DTypeError("rng_bit_generator: bits must be integer or float; got " + std::string(name(p.dtype)) + ".");
  out.push_back(state);
  out.push_back(Aval(p.dtype, joined_shape(state.shape().first(state.shape().size() - 1), p.shape), state.vary()));
}

// Writes `bits` as element i of width `size`; narrow elements are the low bits.
void put(void* to, std::int64_t i, std::uint64_t bits, std::int64_t size) {
  const auto write = [&](auto v) { copy_element(&v, 0, to, i, size); };
  switch (size) {
    case 1: write(static_cast<std::uint8_t>(bits)); break;
    case 2: write(static_cast<std::uint16_t>(bits)); break;
    case 4: write(static_cast<std::uint32_t>(bits)); break;
    default: write(bits);
  }
}

// 64 bits are a block of two words. Otherwise a block makes two neighbours along the first axis of even size (the
// longest when there is none, where the last word goes unused); blocks count in row-major order.
std::uint64_t threefry_bits(std::uint64_t key, std::uint64_t counter, DimSpan shape, std::int64_t size, void* to) {
  const auto block = [&](std::int64_t i) {
    return threefry2x32_block(halves(key), halves(counter + static_cast<std::uint64_t>(i)));
  };
  if (size == 8) {
    const std::int64_t n = product(shape);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto [low, high] = block(i);
      put(to, i, joined(low, high), size);
    }
    return counter + static_cast<std::uint64_t>(n);
  }
  if (shape.empty()) {
    put(to, 0, block(0)[0], size);
    return counter + 1;
  }
  if (product(shape) == 0) return counter;
  std::size_t split = 0;
  while (split < shape.size() && shape[split] % 2) ++split;
  if (split == shape.size()) {
    split = 0;
    for (std::size_t i = 1; i < shape.size(); ++i)
      if (shape[i] > shape[split]) split = i;
  }
  const std::int64_t n = shape[split], outer = product(shape.first(split)), inner = product(shape.subspan(split + 1)),
                     half = n / 2 + n % 2;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < half; ++i)
      for (std::int64_t j = 0; j < inner; ++j) {
        const auto words = block((o * half + i) * inner + j);
        for (std::int64_t k = 0; k < 2 && 2 * i + k < n; ++k)
          put(to, (o * n + 2 * i + k) * inner + j, words[static_cast<std::size_t>(k)], size);
      }
  return counter + static_cast<std::uint64_t>(outer * half * inner);
}

// Blocks of four words, used one after the other; a counter of 128 bits.
void philox_bits(std::uint64_t key, std::uint64_t& low, std::uint64_t& high, std::int64_t n, std::int64_t size,
                 void* to) {
  const std::int64_t per_block = size == 8 ? 2 : 4, blocks = n / per_block + (n % per_block != 0);
  for (std::int64_t i = 0; i < blocks; ++i) {
    const auto [a, b] = halves(low);
    const auto [c, d] = halves(high);
    const auto x = philox4x32_block(halves(key), {a, b, c, d});
    for (std::int64_t k = 0; k < per_block && i * per_block + k < n; ++k) {
      const auto w = static_cast<std::size_t>(k);
      put(to, i * per_block + k, size == 8 ? joined(x[2 * w], x[2 * w + 1]) : x[w], size);
    }
    if (++low == 0) ++high;
  }
}

void eval_bits(const ParamsBase* params, std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  const auto& p = ir::params_as<RngBitGeneratorParams>(params);
  const std::int64_t per_state = product(p.shape), size = byte_size(p.dtype), words = in[0].shape().back();
  const std::int64_t examples = in[0].size() / words;
  for (std::int64_t e = 0; e < examples; ++e) {
    std::uint64_t state[3] = {};
    if (in[0].dtype() == u32) {
      const auto* from = in[0].as<std::uint32_t>() + e * words;
      for (std::size_t i = 0; i < 2; ++i) state[i] = joined(from[2 * i], from[2 * i + 1]);
    } else {
      const auto* from = in[0].as<std::uint64_t>() + e * words;
      for (std::int64_t i = 0; i < words; ++i) state[i] = from[i];
    }
    void* to = static_cast<char*>(out[1].data) + e * per_state * size;
    if (p.rng_algorithm == RngAlgorithm::kThreeFry) {
      state[1] = threefry_bits(state[0], state[1], p.shape, size, to);
    } else if (words == 3) {
      philox_bits(state[0], state[1], state[2], per_state, size, to);
    } else {
      // The key stands in for the high word of the counter, and what is carried into it is lost.
      std::uint64_t high = state[0];
      philox_bits(state[0], state[1], high, per_state, size, to);
    }
    if (in[0].dtype() == u32) {
      auto* next = out[0].as<std::uint32_t>() + e * words;
      for (std::size_t i = 0; i < 2; ++i) {
        next[2 * i] = halves(state[i])[0];
        next[2 * i + 1] = halves(state[i])[1];
      }
    } else {
      auto* next = out[0].as<std::uint64_t>() + e * words;
      for (std::int64_t i = 0; i < words; ++i) next[i] = state[i];
    }
  }
}

void batch_bits(const Call& call, std::span<const int> bdims, const MappedAxis& axis, Arrays& outs, Bdims& out_bdims) {
  bind(call.op, call.params, Arrays{bdim_to_front(call.args[0], bdims[0], axis.size)}, outs);
  out_bdims.assign(2, 0);
}

FactorTable factors_bits(const ParamsBase*, std::span<const Aval> in, std::span<const Aval> out) {
  using Kind = FactorTable::Kind;
  FactorTable table;
  FactorTable::Axes state, bits;
  const std::size_t examples = in[0].shape().size() - 1;
  for (std::size_t i = 0; i < examples; ++i) state.push_back({table.add(in[0].shape(i))});
  bits = state;
  state.push_back({table.add(in[0].shape(examples), Kind::kNeedReplication)});
  for (std::size_t i = examples; i < out[1].shape().size(); ++i)
    bits.push_back({table.add(out[1].shape(i), Kind::kNeedReplication)});
  table.operands.push_back(state);
  table.results.push_back(std::move(state));
  table.results.push_back(std::move(bits));
  return table;
}

}  // namespace

Array lax::rng(const Arg& a, const Arg& b, RngDistribution distribution, DimSpan shape) {
  const LocationScope scope(a.location(), "rng");
  const auto [x, y] = pair_of(a, b);
  return bind1(OpCode::kRng, ir::make_params(RngParams{distribution, Dims(shape)}), {x, y});
}
std::pair<Array, Array> lax::rng_bit_generator(const Array& state, RngAlgorithm algorithm, DType dtype, DimSpan shape) {
  Arrays outs;
  bind(OpCode::kRngBitGenerator, ir::make_params(RngBitGeneratorParams{algorithm, dtype, Dims(shape)}), Arrays{state},
       outs);
  return {outs[0], outs[1]};
}

const ir::OpInfo op_infos::rng{.operands = ir::takes(2),
                               .parse = ir::parse_params<RngParams>,
                               .infer = infer_rng,
                               .eval = eval_rng,
                               // Drawing moves the stream: dropping or moving a call would change those after it.
                               .has_effects = [](const ParamsBase*) { return true; }};
const OpRules op_rule_table::rng{
    .jvp = jvp_rng, .transpose = rules::not_linear, .batch = batch_rng, .factors = factors_rng};

const ir::OpInfo op_infos::rng_bit_generator{
    .parse = ir::parse_params<RngBitGeneratorParams>, .infer = infer_bits, .eval = eval_bits};
const OpRules op_rule_table::rng_bit_generator{
    .jvp = rules::zero_tangent, .transpose = rules::not_linear, .batch = batch_bits, .factors = factors_bits};

}  // namespace weft
