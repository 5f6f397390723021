// Expectations are the output of NumPy 1.24: str(a), and np.array2string inside JAX's "Array(..., dtype=...)".
#include "weft/np/print.h"

#include <gtest/gtest.h>

#include <complex>
#include <limits>
#include <memory>
#include <vector>

namespace weft::np {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

template <class T>
struct Tensor {
  Tensor(Dims shape, std::vector<T> values) : aval(dtype_of<T>(), shape), size(values.size()), data(new T[size + 1]) {
    std::copy(values.begin(), values.end(), data.get());
    if (static_cast<std::int64_t>(size) != aval.size()) throw InternalError("a test gives a shape too few elements");
  }
  operator TensorView() const { return {aval, data.get()}; }
  Aval aval;
  std::size_t size;
  std::unique_ptr<T[]> data;
};

template <class T>
Tensor<T> iota(Dims shape, double step) {
  std::vector<T> values(static_cast<std::size_t>(product(shape)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(static_cast<double>(i) * step);
  return {shape, values};
}

void expect(TensorView array, const char* str, const char* repr, const PrintOptions& options = {}) {
  EXPECT_EQ(array_str(array, options), str);
  EXPECT_EQ(array_repr(array, options), repr);
}

TEST(print, floats_show_the_fewest_digits_of_their_own_type) {
  expect(Tensor<float>({3}, {1.0f, 2.0f, 3.0f}), "[1. 2. 3.]", "Array([1., 2., 3.], dtype=float32)");
  expect(Tensor<float>({3}, {0.1f, 0.25f, 0.33333334f}), "[0.1        0.25       0.33333334]",
         "Array([0.1       , 0.25      , 0.33333334], dtype=float32)");
  expect(Tensor<double>({3}, {0.1, 0.25, 0.3333333333333333}), "[0.1        0.25       0.33333333]",
         "Array([0.1       , 0.25      , 0.33333333], dtype=float64)");
  expect(Tensor<weft::float16>({3}, {0.1, 0.25, 0.3333}), "[0.1    0.25   0.3333]",
         "Array([0.1   , 0.25  , 0.3333], dtype=float16)");
  expect(Tensor<float>({2}, {16777216.0f, 67108864.0f}), "[16777216. 67108864.]",
         "Array([16777216., 67108864.], dtype=float32)");
  expect(Tensor<weft::float16>({2}, {12190.0, 0.5}), "[1.219e+04 5.000e-01]",
         "Array([1.219e+04, 5.000e-01], dtype=float16)");
  expect(Tensor<float>({2, 2}, {-1.5f, 2.0f, 100.0f, -0.0f}),
         "[[ -1.5   2. ]\n"
         " [100.   -0. ]]",
         "Array([[ -1.5,   2. ],\n"
         "       [100. ,  -0. ]], dtype=float32)");
  expect(Tensor<double>({2}, {3.141592653589793, 2.718281828459045}), "[3.14159265 2.71828183]",
         "Array([3.14159265, 2.71828183], dtype=float64)");
}

TEST(print, precision_limits_digits_and_rounds_the_exact_value) {
  expect(Tensor<double>({3}, {0.5, 1.5, 2.675}), "[0. 2. 3.]", "Array([0., 2., 3.], dtype=float64)", {.precision = 0});
  expect(Tensor<double>({3}, {2.675, 0.125, 0.375}), "[2.67 0.12 0.38]", "Array([2.67, 0.12, 0.38], dtype=float64)",
         {.precision = 2});
  expect(Tensor<double>({2}, {0.3333333333333333, 0.6666666666666666}), "[0.3333 0.6667]",
         "Array([0.3333, 0.6667], dtype=float64)", {.precision = 4});
  expect(Tensor<float>({2}, {123.456f, 0.0012f}), "[1.235e+02 1.200e-03]",
         "Array([1.235e+02, 1.200e-03], dtype=float32)", {.precision = 3});
}

TEST(print, wide_ranges_use_scientific_notation) {
  expect(Tensor<float>({2}, {100000000.0f, 1.0f}), "[1.e+08 1.e+00]", "Array([1.e+08, 1.e+00], dtype=float32)");
  expect(Tensor<float>({2}, {99999990.0f, 1000000.0f}), "[99999992.  1000000.]",
         "Array([99999992.,  1000000.], dtype=float32)");
  expect(Tensor<double>({2}, {0.0001, 0.01}), "[0.0001 0.01  ]", "Array([0.0001, 0.01  ], dtype=float64)");
  expect(Tensor<double>({2}, {9e-05, 0.01}), "[9.e-05 1.e-02]", "Array([9.e-05, 1.e-02], dtype=float64)");
  expect(Tensor<float>({2}, {1000.0f, 1.0f}), "[1000.    1.]", "Array([1000.,    1.], dtype=float32)");
  expect(Tensor<float>({2}, {1001.0f, 1.0f}), "[1.001e+03 1.000e+00]", "Array([1.001e+03, 1.000e+00], dtype=float32)");
  expect(Tensor<float>({1}, {1e-04f}), "[1.e-04]", "Array([1.e-04], dtype=float32)");
  expect(Tensor<double>({3}, {1e+100, -2.5e-100, 0.0}), "[ 1.0e+100 -2.5e-100  0.0e+000]",
         "Array([ 1.0e+100, -2.5e-100,  0.0e+000], dtype=float64)");
  expect(Tensor<double>({2}, {1.7976931348623157e+308, 5e-324}), "[1.79769313e+308 4.94065646e-324]",
         "Array([1.79769313e+308, 4.94065646e-324], dtype=float64)");
  expect(Tensor<float>({2}, {0.1f, 12345678000.0f}), "[1.0000000e-01 1.2345678e+10]",
         "Array([1.0000000e-01, 1.2345678e+10], dtype=float32)");
  expect(Tensor<weft::float16>({3}, {65500.0, 6e-08, 0.1}), "[6.55e+04 5.96e-08 1.00e-01]",
         "Array([6.55e+04, 5.96e-08, 1.00e-01], dtype=float16)");
}

TEST(print, suppress_keeps_small_numbers_positional) {
  expect(Tensor<double>({3}, {1e-10, 1.0, 2.0}), "[0. 1. 2.]", "Array([0., 1., 2.], dtype=float64)",
         {.suppress = true});
  expect(Tensor<double>({2}, {0.001, 12345.5}), "[    0.001 12345.5  ]", "Array([    0.001, 12345.5  ], dtype=float64)",
         {.suppress = true});
  expect(Tensor<double>({2}, {0.001, 100000000.0}), "[1.e-03 1.e+08]", "Array([1.e-03, 1.e+08], dtype=float64)",
         {.suppress = true});
}

TEST(print, nan_and_infinity_align_with_numbers) {
  expect(Tensor<float>({3}, {kNan, 1.0f, 2.5f}), "[nan 1.  2.5]", "Array([nan, 1. , 2.5], dtype=float32)");
  expect(Tensor<float>({3}, {kInf, -kInf, 100.25f}), "[   inf   -inf 100.25]",
         "Array([   inf,   -inf, 100.25], dtype=float32)");
  expect(Tensor<float>({2}, {kNan, kNan}), "[nan nan]", "Array([nan, nan], dtype=float32)");
  expect(Tensor<double>({3}, {kNan, 10000000000.0, -kInf}), "[   nan 1.e+10   -inf]",
         "Array([   nan, 1.e+10,   -inf], dtype=float64)");
  expect(Tensor<float>({2}, {-kInf, 0.0f}), "[-inf   0.]", "Array([-inf,   0.], dtype=float32)");
  expect(Tensor<weft::float16>({2}, {kInf, -1.0}), "[inf -1.]", "Array([inf, -1.], dtype=float16)");
}

TEST(print, sign_and_floatmode_follow_numpy) {
  expect(Tensor<double>({3}, {1.0, -2.5, 0.0}), "[+1.  -2.5 +0. ]", "Array([+1. , -2.5, +0. ], dtype=float64)",
         {.sign = Sign::kPlus});
  expect(Tensor<double>({2}, {1.0, 2.5}), "[ 1.   2.5]", "Array([ 1. ,  2.5], dtype=float64)", {.sign = Sign::kSpace});
  expect(Tensor<double>({2}, {1.0, kNan}), "[ +1. +nan]", "Array([ +1., +nan], dtype=float64)", {.sign = Sign::kPlus});
  expect(Tensor<double>({2}, {1.0, 2.5}), "[1.000 2.500]", "Array([1.000, 2.500], dtype=float64)",
         {.precision = 3, .floatmode = FloatMode::kFixed});
  expect(Tensor<double>({2}, {1.0, 2.25}), "[1.00 2.25]", "Array([1.00, 2.25], dtype=float64)",
         {.floatmode = FloatMode::kMaxPrecEqual});
  expect(Tensor<double>({2}, {0.3333333333333333, 1.0}), "[0.3333333333333333 1.                ]",
         "Array([0.3333333333333333, 1.                ], dtype=float64)",
         {.precision = 2, .floatmode = FloatMode::kUnique});
  expect(Tensor<double>({2}, {10000000000.0, 1.0}), "[1.00e+10 1.00e+00]", "Array([1.00e+10, 1.00e+00], dtype=float64)",
         {.precision = 2, .floatmode = FloatMode::kFixed});
}

TEST(print, integers_align_right) {
  expect(Tensor<std::int32_t>({3}, {1, -20, 300}), "[  1 -20 300]", "Array([  1, -20, 300], dtype=int32)");
  expect(Tensor<std::int8_t>({2}, {-128, 127}), "[-128  127]", "Array([-128,  127], dtype=int8)");
  expect(Tensor<std::uint8_t>({2, 2}, {0, 255, 7, 10}),
         "[[  0 255]\n"
         " [  7  10]]",
         "Array([[  0, 255],\n"
         "       [  7,  10]], dtype=uint8)");
  expect(Tensor<std::int64_t>({2}, {INT64_MIN, 9223372036854775807}), "[-9223372036854775808  9223372036854775807]",
         "Array([-9223372036854775808,  9223372036854775807], dtype=int64)");
  expect(Tensor<std::uint64_t>({2}, {18446744073709551615u, 0u}), "[18446744073709551615                    0]",
         "Array([18446744073709551615,                    0], dtype=uint64)");
  expect(Tensor<std::int16_t>({1}, {-5}), "[-5]", "Array([-5], dtype=int16)");
}

TEST(print, booleans_align_right) {
  expect(Tensor<bool>({2}, {true, false}), "[ True False]", "Array([ True, False], dtype=bool)");
  expect(Tensor<bool>({2}, {true, true}), "[ True  True]", "Array([ True,  True], dtype=bool)");
  expect(Tensor<bool>({2, 1}, {false, true}),
         "[[False]\n"
         " [ True]]",
         "Array([[False],\n"
         "       [ True]], dtype=bool)");
}

TEST(print, complex_numbers_align_both_parts) {
  expect(Tensor<std::complex<float>>({2}, {{1.0f, 2.0f}, {-0.5f, -10.0f}}), "[ 1.  +2.j -0.5-10.j]",
         "Array([ 1.  +2.j, -0.5-10.j], dtype=complex64)");
  expect(Tensor<std::complex<double>>({2}, {{10000000000.0, 1.0}, {0.0, 0.5}}), "[1.e+10+1.j  0.e+00+0.5j]",
         "Array([1.e+10+1.j , 0.e+00+0.5j], dtype=complex128)");
  expect(Tensor<std::complex<float>>({2}, {{kNan, 1.0f}, {1.0f, -kInf}}), "[nan +1.j  1.-infj]",
         "Array([nan +1.j,  1.-infj], dtype=complex64)");
  expect(Tensor<std::complex<float>>({2}, {{0.0f, -0.0f}, {1.0f, kNan}}), "[0. -0.j 1.+nanj]",
         "Array([0. -0.j, 1.+nanj], dtype=complex64)");
}

TEST(print, scalars_print_alone) {
  expect(Tensor<float>({}, {1.0f}), "1.0", "Array(1., dtype=float32)");
  expect(Tensor<float>({}, {0.1f}), "0.1", "Array(0.1, dtype=float32)");
  expect(Tensor<float>({}, {1e-04f}), "1e-04", "Array(1.e-04, dtype=float32)");
  expect(Tensor<float>({}, {1e+16f}), "1e+16", "Array(1.e+16, dtype=float32)");
  expect(Tensor<double>({}, {0.0001}), "0.0001", "Array(0.0001, dtype=float64)");
  expect(Tensor<double>({}, {-0.0}), "-0.0", "Array(-0., dtype=float64)");
  expect(Tensor<double>({}, {kNan}), "nan", "Array(nan, dtype=float64)");
  expect(Tensor<weft::float16>({}, {0.1}), "0.1", "Array(0.1, dtype=float16)");
  expect(Tensor<std::int32_t>({}, {-7}), "-7", "Array(-7, dtype=int32)");
  expect(Tensor<bool>({}, {true}), "True", "Array(True, dtype=bool)");
  expect(Tensor<bool>({}, {false}), "False", "Array(False, dtype=bool)");
  expect(Tensor<std::complex<float>>({}, {{1.0f, 2.0f}}), "(1+2j)", "Array(1.+2.j, dtype=complex64)");
  expect(Tensor<std::complex<float>>({}, {{0.0f, 2.0f}}), "2j", "Array(0.+2.j, dtype=complex64)");
  expect(Tensor<std::complex<double>>({}, {{-0.0, -1.5}}), "(-0-1.5j)", "Array(-0.-1.5j, dtype=complex128)");
  expect(Tensor<std::complex<float>>({}, {{1.0f, kInf}}), "(1+infj)", "Array(1.+infj, dtype=complex64)");
}

TEST(print, empty_arrays_name_their_shape) {
  expect(Tensor<float>({0}, {}), "[]", "Array([], shape=(0,), dtype=float32)");
  expect(Tensor<float>({0, 3}, {}), "[]", "Array([], shape=(0, 3), dtype=float32)");
  expect(Tensor<std::int32_t>({2, 0, 4}, {}), "[]", "Array([], shape=(2, 0, 4), dtype=int32)");
}

TEST(print, matrices_are_separated_by_blank_lines) {
  expect(iota<std::int32_t>({2, 2, 2}, 1),
         "[[[0 1]\n"
         "  [2 3]]\n"
         "\n"
         " [[4 5]\n"
         "  [6 7]]]",
         "Array([[[0, 1],\n"
         "        [2, 3]],\n"
         "\n"
         "       [[4, 5],\n"
         "        [6, 7]]], dtype=int32)");
  expect(iota<std::int32_t>({2, 1, 2, 1}, 1),
         "[[[[0]\n"
         "   [1]]]\n"
         "\n"
         "\n"
         " [[[2]\n"
         "   [3]]]]",
         "Array([[[[0],\n"
         "         [1]]],\n"
         "\n"
         "\n"
         "       [[[2],\n"
         "         [3]]]], dtype=int32)");
  expect(Tensor<float>({1, 2, 2}, {1.0f, 2.0f, 3.0f, 4.5f}),
         "[[[1.  2. ]\n"
         "  [3.  4.5]]]",
         "Array([[[1. , 2. ],\n"
         "        [3. , 4.5]]], dtype=float32)");
}

TEST(print, lines_wrap_under_the_first_element) {
  expect(iota<std::int32_t>({30}, 1),
         "[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n"
         " 24 25 26 27 28 29]",
         "Array([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16,\n"
         "       17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29], dtype=int32)");
  expect(iota<float>({2, 12}, 0.5),
         "[[ 0.   0.5  1.   1.5  2.   2.5  3.   3.5  4.   4.5  5.   5.5]\n"
         " [ 6.   6.5  7.   7.5  8.   8.5  9.   9.5 10.  10.5 11.  11.5]]",
         "Array([[ 0. ,  0.5,  1. ,  1.5,  2. ,  2.5,  3. ,  3.5,  4. ,  4.5,  5. ,\n"
         "         5.5],\n"
         "       [ 6. ,  6.5,  7. ,  7.5,  8. ,  8.5,  9. ,  9.5, 10. , 10.5, 11. ,\n"
         "        11.5]], dtype=float32)");
  expect(iota<std::int32_t>({12}, 100),
         "[   0  100  200\n"
         "  300  400  500\n"
         "  600  700  800\n"
         "  900 1000 1100]",
         "Array([   0,  100,\n"
         "        200,  300,\n"
         "        400,  500,\n"
         "        600,  700,\n"
         "        800,  900,\n"
         "       1000, 1100],      dtype=int32)",
         {.linewidth = 20});
  expect(iota<std::int32_t>({3}, 10000),
         "[    0\n"
         " 10000\n"
         " 20000]",
         "Array([    0,\n"
         "       10000,\n"
         "       20000],      dtype=int32)",
         {.linewidth = 5});
  expect(iota<float>({2, 2, 9}, 1.25),
         "[[[ 0.    1.25  2.5   3.75  5.\n"
         "    6.25  7.5   8.75 10.  ]\n"
         "  [11.25 12.5  13.75 15.   16.25\n"
         "   17.5  18.75 20.   21.25]]\n"
         "\n"
         " [[22.5  23.75 25.   26.25 27.5\n"
         "   28.75 30.   31.25 32.5 ]\n"
         "  [33.75 35.   36.25 37.5  38.75\n"
         "   40.   41.25 42.5  43.75]]]",
         "Array([[[ 0.  ,  1.25,  2.5 ,  3.75,\n"
         "          5.  ,  6.25,  7.5 ,  8.75,\n"
         "         10.  ],\n"
         "        [11.25, 12.5 , 13.75, 15.  ,\n"
         "         16.25, 17.5 , 18.75, 20.  ,\n"
         "         21.25]],\n"
         "\n"
         "       [[22.5 , 23.75, 25.  , 26.25,\n"
         "         27.5 , 28.75, 30.  , 31.25,\n"
         "         32.5 ],\n"
         "        [33.75, 35.  , 36.25, 37.5 ,\n"
         "         38.75, 40.  , 41.25, 42.5 ,\n"
         "         43.75]]], dtype=float32)",
         {.linewidth = 40});
  expect(iota<std::int32_t>({19}, 1), "[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18]",
         "Array([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16,\n"
         "       17, 18], dtype=int32)");
}

TEST(print, large_arrays_are_summarised_in_every_dimension) {
  expect(iota<std::int32_t>({1001}, 1), "[   0    1    2 ...  998  999 1000]",
         "Array([   0,    1,    2, ...,  998,  999, 1000], dtype=int32)");
  expect(iota<std::int32_t>({1000, 2}, 1),
         "[[   0    1]\n"
         " [   2    3]\n"
         " [   4    5]\n"
         " ...\n"
         " [1994 1995]\n"
         " [1996 1997]\n"
         " [1998 1999]]",
         "Array([[   0,    1],\n"
         "       [   2,    3],\n"
         "       [   4,    5],\n"
         "       ...,\n"
         "       [1994, 1995],\n"
         "       [1996, 1997],\n"
         "       [1998, 1999]], dtype=int32)");
  expect(iota<std::int32_t>({7, 200}, 1),
         "[[   0    1    2 ...  197  198  199]\n"
         " [ 200  201  202 ...  397  398  399]\n"
         " [ 400  401  402 ...  597  598  599]\n"
         " ...\n"
         " [ 800  801  802 ...  997  998  999]\n"
         " [1000 1001 1002 ... 1197 1198 1199]\n"
         " [1200 1201 1202 ... 1397 1398 1399]]",
         "Array([[   0,    1,    2, ...,  197,  198,  199],\n"
         "       [ 200,  201,  202, ...,  397,  398,  399],\n"
         "       [ 400,  401,  402, ...,  597,  598,  599],\n"
         "       ...,\n"
         "       [ 800,  801,  802, ...,  997,  998,  999],\n"
         "       [1000, 1001, 1002, ..., 1197, 1198, 1199],\n"
         "       [1200, 1201, 1202, ..., 1397, 1398, 1399]], dtype=int32)");
  expect(iota<float>({10, 10, 11}, 1),
         "[[[0.000e+00 1.000e+00 2.000e+00 ... 8.000e+00 9.000e+00 1.000e+01]\n"
         "  [1.100e+01 1.200e+01 1.300e+01 ... 1.900e+01 2.000e+01 2.100e+01]\n"
         "  [2.200e+01 2.300e+01 2.400e+01 ... 3.000e+01 3.100e+01 3.200e+01]\n"
         "  ...\n"
         "  [7.700e+01 7.800e+01 7.900e+01 ... 8.500e+01 8.600e+01 8.700e+01]\n"
         "  [8.800e+01 8.900e+01 9.000e+01 ... 9.600e+01 9.700e+01 9.800e+01]\n"
         "  [9.900e+01 1.000e+02 1.010e+02 ... 1.070e+02 1.080e+02 1.090e+02]]\n"
         "\n"
         " [[1.100e+02 1.110e+02 1.120e+02 ... 1.180e+02 1.190e+02 1.200e+02]\n"
         "  [1.210e+02 1.220e+02 1.230e+02 ... 1.290e+02 1.300e+02 1.310e+02]\n"
         "  [1.320e+02 1.330e+02 1.340e+02 ... 1.400e+02 1.410e+02 1.420e+02]\n"
         "  ...\n"
         "  [1.870e+02 1.880e+02 1.890e+02 ... 1.950e+02 1.960e+02 1.970e+02]\n"
         "  [1.980e+02 1.990e+02 2.000e+02 ... 2.060e+02 2.070e+02 2.080e+02]\n"
         "  [2.090e+02 2.100e+02 2.110e+02 ... 2.170e+02 2.180e+02 2.190e+02]]\n"
         "\n"
         " [[2.200e+02 2.210e+02 2.220e+02 ... 2.280e+02 2.290e+02 2.300e+02]\n"
         "  [2.310e+02 2.320e+02 2.330e+02 ... 2.390e+02 2.400e+02 2.410e+02]\n"
         "  [2.420e+02 2.430e+02 2.440e+02 ... 2.500e+02 2.510e+02 2.520e+02]\n"
         "  ...\n"
         "  [2.970e+02 2.980e+02 2.990e+02 ... 3.050e+02 3.060e+02 3.070e+02]\n"
         "  [3.080e+02 3.090e+02 3.100e+02 ... 3.160e+02 3.170e+02 3.180e+02]\n"
         "  [3.190e+02 3.200e+02 3.210e+02 ... 3.270e+02 3.280e+02 3.290e+02]]\n"
         "\n"
         " ...\n"
         "\n"
         " [[7.700e+02 7.710e+02 7.720e+02 ... 7.780e+02 7.790e+02 7.800e+02]\n"
         "  [7.810e+02 7.820e+02 7.830e+02 ... 7.890e+02 7.900e+02 7.910e+02]\n"
         "  [7.920e+02 7.930e+02 7.940e+02 ... 8.000e+02 8.010e+02 8.020e+02]\n"
         "  ...\n"
         "  [8.470e+02 8.480e+02 8.490e+02 ... 8.550e+02 8.560e+02 8.570e+02]\n"
         "  [8.580e+02 8.590e+02 8.600e+02 ... 8.660e+02 8.670e+02 8.680e+02]\n"
         "  [8.690e+02 8.700e+02 8.710e+02 ... 8.770e+02 8.780e+02 8.790e+02]]\n"
         "\n"
         " [[8.800e+02 8.810e+02 8.820e+02 ... 8.880e+02 8.890e+02 8.900e+02]\n"
         "  [8.910e+02 8.920e+02 8.930e+02 ... 8.990e+02 9.000e+02 9.010e+02]\n"
         "  [9.020e+02 9.030e+02 9.040e+02 ... 9.100e+02 9.110e+02 9.120e+02]\n"
         "  ...\n"
         "  [9.570e+02 9.580e+02 9.590e+02 ... 9.650e+02 9.660e+02 9.670e+02]\n"
         "  [9.680e+02 9.690e+02 9.700e+02 ... 9.760e+02 9.770e+02 9.780e+02]\n"
         "  [9.790e+02 9.800e+02 9.810e+02 ... 9.870e+02 9.880e+02 9.890e+02]]\n"
         "\n"
         " [[9.900e+02 9.910e+02 9.920e+02 ... 9.980e+02 9.990e+02 1.000e+03]\n"
         "  [1.001e+03 1.002e+03 1.003e+03 ... 1.009e+03 1.010e+03 1.011e+03]\n"
         "  [1.012e+03 1.013e+03 1.014e+03 ... 1.020e+03 1.021e+03 1.022e+03]\n"
         "  ...\n"
         "  [1.067e+03 1.068e+03 1.069e+03 ... 1.075e+03 1.076e+03 1.077e+03]\n"
         "  [1.078e+03 1.079e+03 1.080e+03 ... 1.086e+03 1.087e+03 1.088e+03]\n"
         "  [1.089e+03 1.090e+03 1.091e+03 ... 1.097e+03 1.098e+03 1.099e+03]]]",
         "Array([[[0.000e+00, 1.000e+00, 2.000e+00, ..., 8.000e+00, 9.000e+00,\n"
         "         1.000e+01],\n"
         "        [1.100e+01, 1.200e+01, 1.300e+01, ..., 1.900e+01, 2.000e+01,\n"
         "         2.100e+01],\n"
         "        [2.200e+01, 2.300e+01, 2.400e+01, ..., 3.000e+01, 3.100e+01,\n"
         "         3.200e+01],\n"
         "        ...,\n"
         "        [7.700e+01, 7.800e+01, 7.900e+01, ..., 8.500e+01, 8.600e+01,\n"
         "         8.700e+01],\n"
         "        [8.800e+01, 8.900e+01, 9.000e+01, ..., 9.600e+01, 9.700e+01,\n"
         "         9.800e+01],\n"
         "        [9.900e+01, 1.000e+02, 1.010e+02, ..., 1.070e+02, 1.080e+02,\n"
         "         1.090e+02]],\n"
         "\n"
         "       [[1.100e+02, 1.110e+02, 1.120e+02, ..., 1.180e+02, 1.190e+02,\n"
         "         1.200e+02],\n"
         "        [1.210e+02, 1.220e+02, 1.230e+02, ..., 1.290e+02, 1.300e+02,\n"
         "         1.310e+02],\n"
         "        [1.320e+02, 1.330e+02, 1.340e+02, ..., 1.400e+02, 1.410e+02,\n"
         "         1.420e+02],\n"
         "        ...,\n"
         "        [1.870e+02, 1.880e+02, 1.890e+02, ..., 1.950e+02, 1.960e+02,\n"
         "         1.970e+02],\n"
         "        [1.980e+02, 1.990e+02, 2.000e+02, ..., 2.060e+02, 2.070e+02,\n"
         "         2.080e+02],\n"
         "        [2.090e+02, 2.100e+02, 2.110e+02, ..., 2.170e+02, 2.180e+02,\n"
         "         2.190e+02]],\n"
         "\n"
         "       [[2.200e+02, 2.210e+02, 2.220e+02, ..., 2.280e+02, 2.290e+02,\n"
         "         2.300e+02],\n"
         "        [2.310e+02, 2.320e+02, 2.330e+02, ..., 2.390e+02, 2.400e+02,\n"
         "         2.410e+02],\n"
         "        [2.420e+02, 2.430e+02, 2.440e+02, ..., 2.500e+02, 2.510e+02,\n"
         "         2.520e+02],\n"
         "        ...,\n"
         "        [2.970e+02, 2.980e+02, 2.990e+02, ..., 3.050e+02, 3.060e+02,\n"
         "         3.070e+02],\n"
         "        [3.080e+02, 3.090e+02, 3.100e+02, ..., 3.160e+02, 3.170e+02,\n"
         "         3.180e+02],\n"
         "        [3.190e+02, 3.200e+02, 3.210e+02, ..., 3.270e+02, 3.280e+02,\n"
         "         3.290e+02]],\n"
         "\n"
         "       ...,\n"
         "\n"
         "       [[7.700e+02, 7.710e+02, 7.720e+02, ..., 7.780e+02, 7.790e+02,\n"
         "         7.800e+02],\n"
         "        [7.810e+02, 7.820e+02, 7.830e+02, ..., 7.890e+02, 7.900e+02,\n"
         "         7.910e+02],\n"
         "        [7.920e+02, 7.930e+02, 7.940e+02, ..., 8.000e+02, 8.010e+02,\n"
         "         8.020e+02],\n"
         "        ...,\n"
         "        [8.470e+02, 8.480e+02, 8.490e+02, ..., 8.550e+02, 8.560e+02,\n"
         "         8.570e+02],\n"
         "        [8.580e+02, 8.590e+02, 8.600e+02, ..., 8.660e+02, 8.670e+02,\n"
         "         8.680e+02],\n"
         "        [8.690e+02, 8.700e+02, 8.710e+02, ..., 8.770e+02, 8.780e+02,\n"
         "         8.790e+02]],\n"
         "\n"
         "       [[8.800e+02, 8.810e+02, 8.820e+02, ..., 8.880e+02, 8.890e+02,\n"
         "         8.900e+02],\n"
         "        [8.910e+02, 8.920e+02, 8.930e+02, ..., 8.990e+02, 9.000e+02,\n"
         "         9.010e+02],\n"
         "        [9.020e+02, 9.030e+02, 9.040e+02, ..., 9.100e+02, 9.110e+02,\n"
         "         9.120e+02],\n"
         "        ...,\n"
         "        [9.570e+02, 9.580e+02, 9.590e+02, ..., 9.650e+02, 9.660e+02,\n"
         "         9.670e+02],\n"
         "        [9.680e+02, 9.690e+02, 9.700e+02, ..., 9.760e+02, 9.770e+02,\n"
         "         9.780e+02],\n"
         "        [9.790e+02, 9.800e+02, 9.810e+02, ..., 9.870e+02, 9.880e+02,\n"
         "         9.890e+02]],\n"
         "\n"
         "       [[9.900e+02, 9.910e+02, 9.920e+02, ..., 9.980e+02, 9.990e+02,\n"
         "         1.000e+03],\n"
         "        [1.001e+03, 1.002e+03, 1.003e+03, ..., 1.009e+03, 1.010e+03,\n"
         "         1.011e+03],\n"
         "        [1.012e+03, 1.013e+03, 1.014e+03, ..., 1.020e+03, 1.021e+03,\n"
         "         1.022e+03],\n"
         "        ...,\n"
         "        [1.067e+03, 1.068e+03, 1.069e+03, ..., 1.075e+03, 1.076e+03,\n"
         "         1.077e+03],\n"
         "        [1.078e+03, 1.079e+03, 1.080e+03, ..., 1.086e+03, 1.087e+03,\n"
         "         1.088e+03],\n"
         "        [1.089e+03, 1.090e+03, 1.091e+03, ..., 1.097e+03, 1.098e+03,\n"
         "         1.099e+03]]], dtype=float32)");
  expect(iota<std::int32_t>({9}, 1), "[0 1 ... 7 8]", "Array([0, 1, ..., 7, 8], dtype=int32)",
         {.threshold = 5, .edgeitems = 2});
  expect(iota<std::int32_t>({6}, 1), "[0 1 2 3 4 5]", "Array([0, 1, 2, 3, 4, 5], dtype=int32)", {.threshold = 5});
  expect(iota<std::int32_t>({4, 4, 4}, 1),
         "[[[ 0 ...  3]\n"
         "  ...\n"
         "  [12 ... 15]]\n"
         "\n"
         " ...\n"
         "\n"
         " [[48 ... 51]\n"
         "  ...\n"
         "  [60 ... 63]]]",
         "Array([[[ 0, ...,  3],\n"
         "        ...,\n"
         "        [12, ..., 15]],\n"
         "\n"
         "       ...,\n"
         "\n"
         "       [[48, ..., 51],\n"
         "        ...,\n"
         "        [60, ..., 63]]], dtype=int32)",
         {.threshold = 10, .edgeitems = 1});
  expect(iota<bool>({2, 600}, 0),
         "[[False False False ... False False False]\n"
         " [False False False ... False False False]]",
         "Array([[False, False, False, ..., False, False, False],\n"
         "       [False, False, False, ..., False, False, False]], dtype=bool)");
}

// NumPy has no bfloat16; the digits are those that identify the number among bfloat16s.
TEST(print, bfloat16_shows_the_fewest_digits_of_its_type) {
  expect(Tensor<weft::bfloat16>({3}, {0.1f, 1.0f, 2.5f}), "[0.1 1.  2.5]", "Array([0.1, 1. , 2.5], dtype=bfloat16)");
  expect(Tensor<weft::bfloat16>({2}, {3.1415927f, 1e30f}), "[3.14e+00 1.00e+30]",
         "Array([3.14e+00, 1.00e+30], dtype=bfloat16)");
  expect(Tensor<weft::bfloat16>({}, {0.3f}), "0.3", "Array(0.3, dtype=bfloat16)");
}

// Storage types print the values that they stand for.
TEST(print, storage_types_show_their_values) {
  expect(Tensor<float8_e4m3fn>({3}, {float8_e4m3fn(0.1), float8_e4m3fn(-2.0), float8_e4m3fn(448.0)}),
         "[ 1.015625e-01 -2.000000e+00  4.480000e+02]",
         "Array([ 1.015625e-01, -2.000000e+00,  4.480000e+02], dtype=float8_e4m3fn)");
  expect(Tensor<float8_e5m2>({}, {float8_e5m2(1e9)}), "inf", "Array(inf, dtype=float8_e5m2)");
  const std::int8_t n[] = {7, -8, 0};
  EXPECT_EQ(array_repr({Aval(i4, Dims{3}), n}), "Array([ 7, -8,  0], dtype=int4)");
  EXPECT_EQ(array_str({Aval(u2, Dims{}), n + 2}), "0");
}

TEST(print, impossible_options_are_refused) {
  const Tensor<float> x({1}, {1.0f});
  EXPECT_THROW(array_str(x, {.precision = -1}), ValueError);
  EXPECT_THROW(array_str(x, {.threshold = -1}), ValueError);
  EXPECT_THROW(array_repr(x, {.edgeitems = 0}), ValueError);
  EXPECT_THROW(array_repr(x, {.linewidth = -1}), ValueError);
}

}  // namespace
}  // namespace weft::np
