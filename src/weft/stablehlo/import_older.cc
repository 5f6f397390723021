// Older operations as what the specification says they mean: broadcast, dot, einsum, torch_index_select.
#include <algorithm>
#include <numeric>

#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

// New axes in front.
void Importer::broadcast(const Op& op, Operands operands, Results& results) {
  const Array x = single(op, operands, 0);
  Dims shape = reader(op).dims("broadcast_sizes");
  Dims axes(x.aval().shape().size());
  std::iota(axes.begin(), axes.end(), static_cast<std::int64_t>(shape.size()));
  shape.append(x.aval().shape().begin(), x.aval().shape().end());
  give(op, lax::broadcast_in_dim(x, shape, axes), results);
}

// dot contracts the last axis of the left operand with the first of the right.
void Importer::dot(const Op& op, Operands operands, Results& results) {
  const Array x = single(op, operands, 0), y = single(op, operands, 1);
  if (x.ndim() < 1 || x.ndim() > 2 || y.ndim() < 1 || y.ndim() > 2)
    fail(op, "operands must be vectors or matrices; got " + x.aval().str() + " and " + y.aval().str() + ".");
  DotDimensionNumbers d;
  d.lhs_contracting = {x.ndim() - 1};
  d.rhs_contracting = {0};
  give(op, lax::dot_general(x, y, d, result(op).dtype()), results);
}

// "ab,bc->ac": letters of both operands and the result are batched, of both operands contracted, of one summed.
void Importer::einsum(const Op& op, Operands operands, Results& results) {
  const std::string config = reader(op).text("einsum_config");
  const std::size_t arrow = config.find("->");
  std::vector<std::string> terms;
  if (arrow != std::string::npos)
    for (std::size_t begin = 0; begin <= arrow;) {
      const std::size_t end = std::min(config.find(',', begin), arrow);
      terms.push_back(config.substr(begin, end - begin));
      begin = end + 1;
    }
  if (terms.size() != operands.size() || terms.empty() || terms.size() > 2)
    fail(op, "einsum_config must have one term per operand and a result; got \"" + config + "\".");
  const std::string result = config.substr(arrow + 2);
  terms.push_back(result);
  for (const std::string& term : terms)
    for (std::size_t i = 0; i < term.size(); ++i)
      if (!((term[i] >= 'a' && term[i] <= 'z') || (term[i] >= 'A' && term[i] <= 'Z')) ||
          term.find(term[i], i + 1) != std::string::npos)
        fail(op, "a term must be distinct letters; got \"" + term + "\".");
  const auto has = [](const std::string& s, char c) { return s.find(c) != std::string::npos; };
  Arrays xs;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    Array x = single(op, operands, i);
    if (x.ndim() != static_cast<int>(terms[i].size()))
      fail(op, "a term must have one letter per axis; got \"" + terms[i] + "\" for " + x.aval().str() + ".");
    const std::string other = operands.size() == 2 ? terms[1 - i] : std::string();
    Dims summed;
    std::string left;
    for (std::size_t a = 0; a < terms[i].size(); ++a) {
      if (has(result, terms[i][a]) || has(other, terms[i][a]))
        left += terms[i][a];
      else
        summed.push_back(static_cast<std::int64_t>(a));
    }
    if (!summed.empty()) x = lax::reduce_sum(x, summed);
    xs.push_back(x);
    terms[i] = left;
  }
  Array y = xs[0];
  std::string letters = terms[0];
  if (operands.size() == 2) {
    DotDimensionNumbers d;
    letters.clear();
    std::string lhs_rest, rhs_rest;
    for (std::size_t a = 0; a < terms[0].size(); ++a) {
      const char c = terms[0][a];
      const std::size_t b = terms[1].find(c);
      if (b == std::string::npos) {
        lhs_rest += c;
      } else if (has(result, c)) {
        d.lhs_batch.push_back(static_cast<std::int64_t>(a));
        d.rhs_batch.push_back(static_cast<std::int64_t>(b));
        letters += c;
      } else {
        d.lhs_contracting.push_back(static_cast<std::int64_t>(a));
        d.rhs_contracting.push_back(static_cast<std::int64_t>(b));
      }
    }
    for (const char c : terms[1])
      if (!has(terms[0], c)) rhs_rest += c;
    letters += lhs_rest + rhs_rest;
    y = lax::dot_general(xs[0], xs[1], d, this->result(op).dtype());
  }
  if (letters.size() != result.size())
    fail(op, "the result's letters must be among the operands'; got \"" + config + "\".");
  Dims permutation;
  for (const char c : result) {
    const std::size_t at = letters.find(c);
    if (at == std::string::npos) fail(op, "the result's letters must be among the operands'; got \"" + config + "\".");
    permutation.push_back(static_cast<std::int64_t>(at));
  }
  give(op, lax::transpose(y, permutation), results);
}

// Rows of `dim` that the indices name; the first batch_dims axes run along.
void Importer::torch_index_select(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  const Array x = single(op, operands, 0), index = single(op, operands, 1);
  const std::int64_t dim = from.integer("dim"), batch = from.integer("batch_dims");
  if (batch < 0 || batch > index.ndim() || dim < batch || dim >= x.ndim())
    fail(op, "batch_dims and dim must be axes of the operands, batch_dims first; got " + std::to_string(batch) +
                 " and " + std::to_string(dim) + " for " + x.aval().str() + " and " + index.aval().str() + ".");
  GatherParams p;
  GatherDimensionNumbers& d = p.dimension_numbers;
  for (std::int64_t a = 0; a < x.ndim(); ++a) {
    const bool batched = a < batch;
    if (batched) {
      d.operand_batching_dims.push_back(a);
      d.start_indices_batching_dims.push_back(a);
    } else if (a != dim) {
      d.offset_dims.push_back(a < dim ? a : a - 1 + index.ndim() - batch);
    }
    p.slice_sizes.push_back(batched || a == dim ? 1 : x.aval().shape(static_cast<std::size_t>(a)));
  }
  d.collapsed_slice_dims = {dim};
  d.start_index_map = {dim};
  p.mode = IndexMode::kClip;
  Dims shape(index.aval().shape());
  shape.push_back(1);
  give(op, bind_all(OpCode::kGather, ir::make_params(std::move(p)), Arrays{x, lax::reshape(index, shape)}), results);
}

}  // namespace weft::stablehlo
