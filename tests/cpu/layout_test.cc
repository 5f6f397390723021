#include "weft/cpu/kernels/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "cpu/kernel_testing.h"

namespace weft::cpu {
namespace {

class Layout : public KernelTest {};

// Elements of any size that tell where they came from.
struct Elements {
  std::int64_t element;
  std::vector<unsigned char> bytes;
  Elements(std::int64_t e, std::int64_t n, unsigned salt = 0) : element(e), bytes(static_cast<std::size_t>(e * n)) {
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t b = 0; b < e; ++b)
        bytes[static_cast<std::size_t>(i * e + b)] = static_cast<unsigned char>(
            (static_cast<std::uint64_t>(i + 1) * 0x9E3779B97F4A7C15u + salt * 77u) >> (8 * (b % 7)));
  }
  bool same(std::int64_t i, const Elements& o, std::int64_t j) const {
    return std::memcmp(bytes.data() + i * element, o.bytes.data() + j * element, static_cast<std::size_t>(element)) ==
           0;
  }
};
const std::int64_t kSizes[] = {1, 2, 4, 8, 16};

// Calls f(flat position, index of each dimension).
template <class F>
void for_index(DimSpan shape, F&& f) {
  Dims index(shape.size());
  const std::int64_t n = product(shape);
  for (std::int64_t i = 0; i < n; ++i) {
    f(i, index);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}
std::int64_t flat(DimSpan index, DimSpan shape) {
  std::int64_t r = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) r = r * shape[d] + index[d];
  return r;
}

TEST_F(Layout, transposes_of_every_permutation) {
  for (const Dims& shape : {Dims{}, Dims{5}, Dims{3, 4}, Dims{1, 7}, Dims{33, 65}, Dims{2, 3, 4}, Dims{5, 1, 9},
                            Dims{17, 20, 18}, Dims{2, 3, 2, 5}, Dims{3, 2, 4, 2, 3}, Dims{6, 0, 2}}) {
    for (const std::int64_t e : kSizes) {
      const Elements x(e, product(shape));
      Dims permutation(shape.size());
      std::iota(permutation.begin(), permutation.end(), 0);
      do {
        Dims out_shape;
        for (const std::int64_t p : permutation) out_shape.push_back(shape[static_cast<std::size_t>(p)]);
        Elements out(e, product(shape), 1);
        transpose(e, shape, permutation, x.bytes.data(), out.bytes.data());
        for_index(out_shape, [&](std::int64_t i, const Dims& index) {
          Dims source(shape.size());
          for (std::size_t d = 0; d < shape.size(); ++d) source[static_cast<std::size_t>(permutation[d])] = index[d];
          ASSERT_TRUE(out.same(i, x, flat(source, shape))) << e << " bytes, rank " << shape.size();
        });
      } while (std::next_permutation(permutation.begin(), permutation.end()));
    }
  }
}

TEST_F(Layout, large_transposes_on_two_threads) {
  for (const auto& [rows, columns] : {std::pair{1000, 1031}, std::pair{4099, 130}, std::pair{64, 20000}}) {
    for (const std::int64_t e : kSizes) {
      const Elements x(e, rows * columns);
      for (const int threads : {1, 2}) {
        set_num_threads(threads);
        Elements out(e, rows * columns, 1);
        transpose(e, Dims{rows, columns}, Dims{1, 0}, x.bytes.data(), out.bytes.data());
        for (std::int64_t i = 0; i < rows * columns; i += 3)
          ASSERT_TRUE(out.same(i, x, i % rows * columns + i / rows)) << e;
      }
    }
  }
}

TEST_F(Layout, transposes_that_go_past_the_caches) {
  const std::int64_t e = 4, rows = 2111, columns = 2050;
  const Elements x(e, rows * columns);
  Elements out(e, rows * columns, 1);
  transpose(e, Dims{rows, columns}, Dims{1, 0}, x.bytes.data(), out.bytes.data());
  for (std::int64_t i = 0; i < rows * columns; i += 101)
    ASSERT_TRUE(out.same(i, x, i % rows * columns + i / rows)) << i;
}

TEST_F(Layout, slices_with_strides) {
  const Dims shape{7, 9, 6};
  const Dims limits[] = {{7, 9, 6}, {5, 4, 6}, {2, 9, 3}, {4, 4, 4}};
  for (const std::int64_t e : kSizes) {
    const Elements x(e, product(shape));
    for (const Dims& limit : limits)
      for (const Dims& starts : {Dims{0, 0, 0}, Dims{1, 2, 3}, Dims{2, 4, 0}})
        for (const Dims& strides : {Dims{1, 1, 1}, Dims{2, 1, 3}, Dims{1, 3, 2}}) {
          Dims out_shape(3);
          for (std::size_t d = 0; d < 3; ++d)
            out_shape[d] = std::max<std::int64_t>(0, (limit[d] - starts[d] + strides[d] - 1) / strides[d]);
          Elements out(e, product(out_shape), 1);
          slice(e, shape, starts, limit, strides, x.bytes.data(), out.bytes.data());
          for_index(out_shape, [&](std::int64_t i, const Dims& index) {
            Dims source(3);
            for (std::size_t d = 0; d < 3; ++d) source[d] = starts[d] + index[d] * strides[d];
            ASSERT_TRUE(out.same(i, x, flat(source, shape)));
          });
        }
  }
}

TEST_F(Layout, updates_of_slices) {
  const Dims shape{6, 8}, part{3, 2}, starts{2, 5};
  for (const std::int64_t e : kSizes) {
    const Elements before(e, 48), update(e, 6, 5);
    Elements out = before;
    update_slice(e, shape, starts, part, update.bytes.data(), out.bytes.data());
    for_index(shape, [&](std::int64_t i, const Dims& index) {
      const bool inside = index[0] >= 2 && index[0] < 5 && index[1] >= 5 && index[1] < 7;
      ASSERT_TRUE(inside ? out.same(i, update, (index[0] - 2) * 2 + index[1] - 5) : out.same(i, before, i));
    });
  }
}

TEST_F(Layout, padding_outside_inside_and_negative) {
  for (const std::int64_t e : kSizes) {
    for (const std::int64_t n : {0, 1, 2, 5}) {
      const Elements x(e, n * 4), value(e, 1, 9);
      for (const std::int64_t low : {-6, -3, -1, 0, 2})
        for (const std::int64_t high : {-5, -2, 0, 1, 3})
          for (const std::int64_t inside : {0, 1, 2}) {
            const std::int64_t size = low + high + n + std::max<std::int64_t>(n - 1, 0) * inside;
            if (size < 0) continue;
            // The second dimension is padded too.
            const Dims out_shape{size, 5};
            Elements out(e, product(out_shape), 3);
            pad(e, Dims{n, 4}, Dims{low, 1}, Dims{high, 0}, Dims{inside, 0}, x.bytes.data(), value.bytes.data(),
                out.bytes.data());
            for_index(out_shape, [&](std::int64_t i, const Dims& index) {
              const std::int64_t at = index[0] - low, step = inside + 1;
              const bool element = at >= 0 && at % step == 0 && at / step < n && index[1] >= 1;
              ASSERT_TRUE(element ? out.same(i, x, at / step * 4 + index[1] - 1) : out.same(i, value, 0))
                  << n << " " << low << " " << high << " " << inside << " at " << index[0] << "," << index[1];
            });
          }
    }
  }
}

TEST_F(Layout, concatenation_along_each_dimension) {
  for (const std::int64_t e : kSizes) {
    for (std::int64_t d = 0; d < 3; ++d) {
      const std::int64_t sizes[3] = {2, 0, 5};
      Dims shape{3, 4, 2};
      std::vector<Elements> parts;
      std::vector<ConcatenateInput> inputs;
      for (const std::int64_t s : sizes) {
        shape[static_cast<std::size_t>(d)] = s;
        parts.emplace_back(e, product(shape), static_cast<unsigned>(s));
      }
      for (std::size_t p = 0; p < 3; ++p) inputs.push_back({parts[p].bytes.data(), sizes[p]});
      shape[static_cast<std::size_t>(d)] = 7;
      Elements out(e, product(shape), 40);
      concatenate(e, shape, d, inputs, out.bytes.data());
      for_index(shape, [&](std::int64_t i, const Dims& index) {
        Dims source = index, part = shape;
        const bool first = index[static_cast<std::size_t>(d)] < 2;
        part[static_cast<std::size_t>(d)] = first ? 2 : 5;
        source[static_cast<std::size_t>(d)] -= first ? 0 : 2;
        ASSERT_TRUE(out.same(i, parts[first ? 0 : 2], flat(source, part)));
      });
    }
  }
}

TEST_F(Layout, reversal_along_any_dimensions) {
  const Dims shape{4, 5, 3};
  for (const std::int64_t e : kSizes) {
    const Elements x(e, 60);
    for (unsigned mask = 0; mask < 8; ++mask) {
      Dims dimensions;
      for (unsigned d = 0; d < 3; ++d)
        if (mask >> d & 1u) dimensions.push_back(d);
      Elements out(e, 60, 1);
      reverse(e, shape, dimensions, x.bytes.data(), out.bytes.data());
      for_index(shape, [&](std::int64_t i, const Dims& index) {
        Dims source = index;
        for (const std::int64_t d : dimensions)
          source[static_cast<std::size_t>(d)] =
              shape[static_cast<std::size_t>(d)] - 1 - index[static_cast<std::size_t>(d)];
        ASSERT_TRUE(out.same(i, x, flat(source, shape)));
      });
    }
  }
}

TEST_F(Layout, broadcasts_of_every_pattern) {
  for (const Dims& shape : {Dims{}, Dims{5}, Dims{3, 4, 2}, Dims{1, 6}, Dims{40, 300}, Dims{0, 2}})
    for (const std::int64_t e : kSizes)
      for (std::uint32_t repeated = 0; repeated < 1u << shape.size(); ++repeated) {
        const Elements x(e, product(shape) + 1);
        Elements out(e, product(shape), 1);
        broadcast(e, shape, {x.bytes.data(), repeated}, out.bytes.data());
        for_index(shape, [&](std::int64_t i, const Dims& index) {
          std::int64_t source = 0;
          for (std::size_t d = 0; d < shape.size(); ++d)
            if (!(repeated >> d & 1u)) source = source * shape[d] + index[d];
          ASSERT_TRUE(out.same(i, x, source));
        });
      }
}

TEST_F(Layout, fill_and_iota) {
  for (const std::int64_t e : kSizes) {
    const Elements value(e, 1, 4);
    Elements out(e, 1000, 1);
    fill(e, 999, value.bytes.data(), out.bytes.data());
    for (std::int64_t i = 0; i < 999; ++i) ASSERT_TRUE(out.same(i, value, 0));
    ASSERT_FALSE(out.same(999, value, 0));
  }
  const Dims shape{3, 5, 4};
  for (const DType t : {i8, i32, i64, u16, f16, bf16, f32, f64, c64})
    for (std::int64_t d = 0; d < 3; ++d) {
      Buffer out(t, 60);
      iota(t, shape, d, out.data());
      visit_dtype(t, [&](auto tag) {
        using T = typename decltype(tag)::type;
        for_index(shape, [&](std::int64_t i, const Dims& index) {
          ASSERT_TRUE(out.at<T>(i) == convert_element<T>(index[static_cast<std::size_t>(d)]));
        });
      });
    }
}

}  // namespace
}  // namespace weft::cpu
