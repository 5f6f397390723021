// What the tests of simplify share: a program and what becomes of it, as text, both also run on numbers that hide
// nothing: zeros of both signs, NaN, infinities, integers at the ends of their range.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "weft/compiler/simplify.h"
#include "weft/ir/builder.h"
#include "weft/ir/elements.h"
#include "weft/ir/interpret.h"
#include "weft/ir/parse.h"

namespace weft::compiler::testing {

using ir::Jaxpr;

inline Jaxpr simplified(const Jaxpr& program) {
  const Jaxpr r = simplify(program, [](OpCode op, const ir::ParamsBase* params, std::span<const TensorView> in,
                                       std::span<const MutableTensorView> out) { ir::evaluate(op, params, in, out); });
  ir::check(r);
  return r;
}

// ---- programs on data ----

struct Buffer {
  Aval aval;
  std::vector<std::uint64_t> memory;  // aligned for all elements
  explicit Buffer(Aval a) : aval(a), memory(static_cast<std::size_t>(a.bytes()) / 8 + 1) {}
  char* data() { return reinterpret_cast<char*>(memory.data()); }
};

inline Buffer random_values(Aval type, std::mt19937& random) {
  static constexpr double kFloats[] = {0.0,   -0.0, 1.0,  -1.0, 0.5,      3.25,     -1e30,
                                       1e-30, 7.0,  -0.1, NAN,  INFINITY, -INFINITY};
  Buffer b(type);
  const std::int64_t size = byte_size(type.dtype());
  for (std::int64_t i = 0; i < type.size(); ++i) {
    char* const at = b.data() + i * size;
    if (is_inexact(type.dtype())) {
      const DType part = is_storage(type.dtype()) ? type.dtype() : real_dtype(type.dtype());
      for (std::int64_t k = 0; k < size; k += byte_size(part)) {
        const double other = static_cast<double>(random()) / 1e9 - 2;
        const std::size_t n = random() % (2 * std::size(kFloats));
        convert_elements(f64, n < std::size(kFloats) ? &kFloats[n] : &other, part, at + k, 1);
      }
    } else {
      // All bits, small numbers, or none or all of them.
      const std::uint64_t bits[] = {random() | std::uint64_t{random()} << 32, random() % 5, 0, ~std::uint64_t{0}};
      const std::uint64_t v = type.dtype() == boolean ? random() % 2 : bits[random() % 4];
      std::memcpy(at, &v, static_cast<std::size_t>(size));
      copy_canonical(type.dtype(), at, at, 1);
    }
  }
  return b;
}

template <class T>
bool same_number(const char* a, const char* b) {
  T x, y;
  std::memcpy(&x, a, sizeof x);
  std::memcpy(&y, b, sizeof y);
  return (x != x && y != y) || std::memcmp(a, b, sizeof x) == 0;
}

inline bool same_element(DType t, const char* a, const char* b) {
  switch (t) {
    case DType::kF16: return same_number<float16>(a, b);
    case DType::kBF16: return same_number<bfloat16>(a, b);
    case DType::kF32: return same_number<float>(a, b);
    case DType::kF64: return same_number<double>(a, b);
    case DType::kC64: return same_number<float>(a, b) && same_number<float>(a + 4, b + 4);
    case DType::kC128: return same_number<double>(a, b) && same_number<double>(a + 8, b + 8);
    default: return std::memcmp(a, b, static_cast<std::size_t>(byte_size(t))) == 0;
  }
}

inline std::vector<Buffer> run(const Jaxpr& program, std::vector<Buffer>& inputs) {
  std::vector<Buffer> outputs;
  std::vector<TensorView> in;
  std::vector<MutableTensorView> out;
  for (const Aval a : program.output_avals()) outputs.emplace_back(a);
  for (Buffer& b : inputs) in.push_back({b.aval, b.data()});
  for (Buffer& b : outputs) out.push_back({b.aval, b.data()});
  ir::interpret(program, in, out);
  return outputs;
}

inline void expect_same_results(const Jaxpr& before, const Jaxpr& after, unsigned seed = 1) {
  ASSERT_EQ(before.input_avals(), after.input_avals());
  ASSERT_EQ(before.num_consts(), after.num_consts());
  ASSERT_EQ(before.output_avals(), after.output_avals());
  std::mt19937 random(seed);
  for (int trial = 0; trial < 5; ++trial) {
    std::vector<Buffer> inputs;
    for (const Aval a : before.input_avals()) inputs.push_back(random_values(a, random));
    std::vector<Buffer> want = run(before, inputs), got = run(after, inputs);
    for (std::size_t k = 0; k < want.size(); ++k) {
      const std::int64_t size = byte_size(want[k].aval.dtype());
      for (std::int64_t i = 0; i < want[k].aval.size(); ++i)
        ASSERT_TRUE(same_element(want[k].aval.dtype(), want[k].data() + i * size, got[k].data() + i * size))
            << "output " << k << ", element " << i << " of\n"
            << before.str() << "\nand\n"
            << after.str();
    }
  }
}

// ---- what becomes of a program ----

// `in` are its inputs, `let` its equations, `out` its outputs, as text.
inline std::string program(const std::string& in, const std::string& let, const std::string& out) {
  return "{ lambda ; " + in + ". let " + let + " in (" + out + ",) }";
}

inline void expect_becomes(const std::string& before, const std::string& after) {
  SCOPED_TRACE(before);
  const Jaxpr from = ir::parse(before), to = simplified(from);
  EXPECT_EQ(to.str(), ir::parse(after).str());
  expect_same_results(from, to);
  EXPECT_EQ(simplified(to).id(), to.id()) << "what came out changes again";
}

inline void expect_stays(const std::string& text) {
  SCOPED_TRACE(text);
  const Jaxpr from = ir::parse(text), to = simplified(from);
  EXPECT_EQ(to.id(), from.id()) << to.str();
}

// `x` is the first input, `y` the second: what `let`, which gives r, is equal to.
inline void expect_value(const std::string& in, const std::string& let, const std::string& value) {
  expect_becomes(program(in, let, "r"), program(in, "", value));
}
inline void expect_equations(const std::string& in, const std::string& let, const std::string& other) {
  expect_becomes(program(in, let, "r"), program(in, other, "r"));
}

}  // namespace weft::compiler::testing
