#include "weft/compiler/index_map.h"

#include <algorithm>

#include "weft/base/hash.h"
#include "weft/ir/shape.h"

namespace weft::compiler {

void Affine::add(const Affine& other, std::int64_t scale) {
  offset += scale * other.offset;
  if (coeff.size() < other.coeff.size()) coeff.resize(other.coeff.size());
  for (std::size_t l = 0; l < other.coeff.size(); ++l) coeff[l] += scale * other.coeff[l];
  for (const Dynamic& d : other.dynamic) {
    const auto same =
        std::find_if(dynamic.begin(), dynamic.end(), [&](const Dynamic& m) { return m.index == d.index; });
    if (same != dynamic.end())
      same->scale += scale * d.scale;
    else
      dynamic.push_back({d.index, scale * d.scale});
  }
}

std::uint64_t hash(const Affine& a) {
  std::uint64_t h = static_cast<std::uint64_t>(a.offset);
  for (const std::int64_t c : a.coeff) h = hash_mix(h, static_cast<std::uint64_t>(c));
  for (const Affine::Dynamic& d : a.dynamic) h = hash_mix(h, hash_mix(d.index, static_cast<std::uint64_t>(d.scale)));
  return h;
}

std::uint64_t hash(const IndexMap& map) {
  std::uint64_t h = map.size();
  for (const Affine& a : map) h = hash_mix(h, hash(a));
  return h;
}

IndexMap identity_map(DimSpan extents) {
  IndexMap map;
  for (std::size_t l = 0; l < extents.size(); ++l)
    map.push_back(extents[l] == 1 ? Affine(extents.size(), 0) : Affine::loop(extents.size(), l));
  return map;
}

Affine flatten(const IndexMap& map, DimSpan shape, std::size_t loops) {
  Affine at(loops, 0);
  std::int64_t stride = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    at.add(map[d], stride);
    stride *= shape[d];
  }
  return at;
}

namespace {

// Splits one index over dimensions of the sizes `sizes`, whose product is its range: possible when each term lies
// within the digits of one dimension and no digit overflows.
bool split_index(const Affine& index, DimSpan sizes, DimSpan extents, IndexMap& out) {
  if (!index.dynamic.empty()) return false;
  std::int64_t stride = product(sizes), rest = index.offset;
  if (rest < 0) return false;
  Dims left = index.coeff;
  for (const std::int64_t size : sizes) {
    stride /= size;
    Affine digit(left.size(), rest / stride);
    rest %= stride;
    std::int64_t most = digit.offset;
    for (std::size_t l = 0; l < left.size(); ++l) {
      if (left[l] < 0) return false;
      if (left[l] < stride || left[l] == 0) continue;
      if (left[l] % stride != 0) return false;
      digit.coeff[l] = left[l] / stride;
      most += digit.coeff[l] * (extents[l] - 1);
      left[l] = 0;
    }
    if (most >= size) return false;
    out.push_back(std::move(digit));
  }
  return true;
}

}  // namespace

std::optional<IndexMap> reshape_map(const IndexMap& map, DimSpan result, DimSpan operand, DimSpan extents) {
  IndexMap out;
  const std::size_t loops = extents.size();
  if (product(result) == 0) return IndexMap(operand.size(), Affine(loops, 0));
  // Groups of dimensions with the same product on both sides.
  for (std::size_t r = 0, o = 0; r < result.size() || o < operand.size();) {
    const std::size_t first_r = r, first_o = o;
    std::int64_t in_r = r < result.size() ? result[r++] : 1, in_o = o < operand.size() ? operand[o++] : 1;
    while (in_r != in_o) {
      if (in_r < in_o)
        in_r *= result[r++];
      else
        in_o *= operand[o++];
    }
    const DimSpan from = result.subspan(first_r, r - first_r), to = operand.subspan(first_o, o - first_o);
    if (from.size() == 1 && to.size() == 1) {
      out.push_back(map[first_r]);
      continue;
    }
    IndexMap part;
    for (std::size_t d = first_r; d < r; ++d) part.push_back(map[d]);
    const Affine index = flatten(part, from, loops);
    if (to.size() == 1)
      out.push_back(index);
    else if (!split_index(index, to, extents, out))
      return std::nullopt;
  }
  return out;
}

std::optional<IndexMap> operand_map(OpCode op, const ir::ParamsBase* params, const IndexMap& map, Aval operand,
                                    Aval result, DimSpan extents, std::size_t part) {
  const std::size_t rank = static_cast<std::size_t>(operand.ndim());
  switch (op) {
    case OpCode::kBroadcastInDim: {
      const Dims& dims = ir::params_as<BroadcastInDimParams>(params).broadcast_dimensions;
      IndexMap out;
      for (std::size_t d = 0; d < rank; ++d)
        out.push_back(operand.shape(d) == 1 ? Affine(extents.size(), 0) : map[static_cast<std::size_t>(dims[d])]);
      return out;
    }
    case OpCode::kTranspose: {
      const Dims& permutation = ir::params_as<TransposeParams>(params).permutation;
      IndexMap out(rank);
      for (std::size_t d = 0; d < rank; ++d) out[static_cast<std::size_t>(permutation[d])] = map[d];
      return out;
    }
    case OpCode::kReverse: {
      IndexMap out = map;
      for (const std::int64_t d : ir::params_as<ReverseParams>(params).dimensions) {
        const auto i = static_cast<std::size_t>(d);
        Affine mirrored(extents.size(), operand.shape(i) - 1);
        mirrored.add(map[i], -1);
        out[i] = std::move(mirrored);
      }
      return out;
    }
    case OpCode::kSlice: {
      const auto& p = ir::params_as<SliceParams>(params);
      IndexMap out;
      for (std::size_t d = 0; d < rank; ++d) {
        Affine index(extents.size(), p.start_indices[d]);
        index.add(map[d], p.strides[d]);
        out.push_back(std::move(index));
      }
      return out;
    }
    case OpCode::kSplit: {
      const auto& p = ir::params_as<SplitParams>(params);
      IndexMap out = map;
      std::int64_t start = 0;
      for (std::size_t i = 0; i < part; ++i) start += p.sizes[i];
      out[static_cast<std::size_t>(p.axis)].offset += start;
      return out;
    }
    case OpCode::kReshape: return reshape_map(map, result.shape(), operand.shape(), extents);
    default: throw InternalError("operand_map: the operation moves no elements");
  }
}

}  // namespace weft::compiler
