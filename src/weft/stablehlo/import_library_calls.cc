// Custom calls of libraries that other systems link, where Weft has the operation: XLA's top-k, random bits, and those
// of LAPACK and BLAS as jaxlib calls them, with its names of parameters (openxla/xla, jax-ml/jax). The factorizations
// are in import_factorizations.cc.
#include <algorithm>
#include <numeric>

#include "weft/core/custom_call.h"
#include "weft/ir/linalg.h"
#include "weft/stablehlo/importer.h"

namespace weft::stablehlo {

namespace {

bool is_registered(std::string_view target) { return std::ranges::binary_search(registered_custom_calls(), target); }

// Those of GPUs and TPUs that are not called by the routine's name. `lu` also gives the permutation.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"Eigh", "syevd"},
    {"LuDecomposition", "lu"},
    {"ProductOfElementaryHouseholderReflectors", "orgqr"},
    {"Qr", "geqrf"},
};

std::string_view without_suffix(std::string_view s, std::string_view suffix) {
  return s.ends_with(suffix) ? s.substr(0, s.size() - suffix.size()) : s;
}

// "potrf" of "lapack_dpotrf_ffi", or "": the routine of any dtype. The solvers of GPUs take and give the same arrays.
std::string_view routine(std::string_view target) {
  if (const auto* it = std::ranges::find(kOtherNames, target, &std::pair<std::string_view, std::string_view>::first);
      it != std::end(kOtherNames))
    return it->second;
  for (const std::string_view platform : {"cu_", "cuda_", "hip_"})
    if (target.starts_with(platform)) return without_suffix(target.substr(platform.size()), "_ffi");
  for (const std::string_view batched : {"cublas_", "hipblas_"})
    if (target.starts_with(batched))
      return without_suffix(without_suffix(target.substr(batched.size()), "_ffi"), "_batched");
  for (const std::string_view solver : {"cusolver_", "hipsolver_"})
    if (target.starts_with(solver) && target.ends_with("_ffi"))
      return target.substr(solver.size(), target.size() - solver.size() - 4);
  for (const std::string_view library : {"lapack_", "blas_"}) {
    if (!target.starts_with(library)) continue;
    target.remove_prefix(library.size());
    if (target.empty() || std::string_view("sdcz").find(target[0]) == std::string_view::npos) return {};
    target.remove_prefix(1);
    return target.ends_with("_ffi") ? target.substr(0, target.size() - 4) : target;
  }
  return {};
}

// The routines that are read, each with its function.
constexpr std::string_view kRoutines[] = {"geqrf", "getrf", "lu",   "lu_pivots_to_permutation",
                                          "orgqr", "potrf", "trsm", "ungqr"};

// What Weft does not have, by the routines that do it.
constexpr std::pair<std::string_view, std::string_view> kMissing[] = {
    {"cholesky_update", "update of a Cholesky factor"},
    {"geev", "eigensolver"},
    {"gees", "Schur decomposition"},
    {"gehrd", "reduction to Hessenberg form"},
    {"gesdd", "singular value decomposition"},
    {"gesvd", "singular value decomposition"},
    {"gesvdj", "singular value decomposition"},
    {"gtsv", "tridiagonal solver"},
    {"heevd", "eigensolver"},
    {"hetrd", "reduction to tridiagonal form"},
    {"syevd", "eigensolver"},
    {"sytrd", "reduction to tridiagonal form"},
};

bool is_threefry(std::string_view target) {
  for (const std::string_view platform : {"cu_", "cuda_", "hip_", "rocm_"})
    if (target.starts_with(platform))
      return target.substr(platform.size()) == "threefry2x32" || target.substr(platform.size()) == "threefry2x32_ffi";
  return false;
}

bool is_top_k(std::string_view target) { return target == "TopK" || target == "ApproxTopK"; }

std::string_view target_of(const Op& call) {
  const Attribute* target = call.find("call_target_name");
  return target && target->kind == Attribute::Kind::kString ? std::string_view(target->text) : std::string_view();
}

// A parameter of the call: an entry of its dictionary, of either dialect.
const Attribute* parameter(const AttributeReader& from, std::string_view name) {
  for (const char* dictionary : {"mhlo.backend_config", "backend_config"}) {
    const Attribute* a = from.find(dictionary);
    if (!a || a->kind != Attribute::Kind::kDictionary) continue;
    const auto it = std::ranges::find(a->items, name, &NamedAttribute::name);
    if (it != a->items.end()) return &it->value;
  }
  return nullptr;
}

// One of LAPACK's letters, as its number: 'L' is 76 : ui8.
char letter(const AttributeReader& from, std::string_view name, std::string_view letters) {
  const Attribute* a = parameter(from, name);
  const std::optional<std::int64_t> v =
      a && a->kind == Attribute::Kind::kNumber ? parse_integer<std::int64_t>(a->text) : std::nullopt;
  if (!v || *v < 0 || *v > 127 || letters.find(static_cast<char>(*v)) == std::string_view::npos)
    from.fail("the parameter " + std::string(name) + " must be the number of one of the letters " +
              std::string(letters) + "; got " + (a ? attribute_text(*a) : "none") + ".");
  return static_cast<char>(*v);
}

}  // namespace

bool is_library_call(std::string_view target) {
  const bool known =
      is_top_k(target) || is_threefry(target) || std::ranges::find(kRoutines, routine(target)) != std::end(kRoutines);
  return known && !is_registered(target);
}

std::string library_refusal(std::string_view target) {
  const auto it = std::ranges::find(kMissing, routine(target), &std::pair<std::string_view, std::string_view>::first);
  return it == std::end(kMissing) ? "" : "Weft has no " + std::string(it->second) + " yet";
}

bool is_python_callback(std::string_view target) {
  return target.starts_with("xla_") && target.find("python_") != std::string_view::npos &&
         target.ends_with("_callback") && !is_registered(target);
}

bool calls_computations(const Op& call) {
  const Attribute* computations = call.find("called_computations");
  return is_top_k(target_of(call)) && !is_registered(target_of(call)) && computations &&
         computations->kind == Attribute::Kind::kArray;
}

void Importer::library_call(const Op& op, Operands operands, Results& results) {
  const AttributeReader from = reader(op);
  const std::string_view target = target_of(op);
  if (target == "ApproxTopK") {
    const Attribute* axis = parameter(from, "reduction_dim");
    const std::optional<std::int64_t> v =
        axis && axis->kind == Attribute::Kind::kNumber ? parse_integer<std::int64_t>(axis->text) : std::nullopt;
    if (!v) from.fail("@ApproxTopK must have a parameter reduction_dim.");
    if (operands.size() % 2 != 0) from.fail("@ApproxTopK must have one initial value per array.");
    return partial_sort(op, operands.first(operands.size() / 2), *v, results);
  }
  if (target == "TopK") {
    // What is sorted besides are positions.
    const Array x = single(op, operands, 0);
    if (operands.size() != 1 || x.ndim() == 0) from.fail("@TopK must have one operand with an axis.");
    const Arrays both[] = {{x}, {lax::iota(i32, x.shape(), x.ndim() - 1)}};
    return partial_sort(op, both, x.ndim() - 1, results);
  }
  if (is_threefry(target)) return threefry(op, operands, results);
  const std::string_view name = routine(target);
  if (name == "potrf") return potrf(op, operands, results);
  if (name == "trsm") return trsm(op, operands, results);
  if (name == "getrf") return getrf(op, operands, results);
  if (name == "geqrf") return geqrf(op, operands, results);
  if (name == "lu") return lu_decomposition(op, operands, results);
  if (name == "lu_pivots_to_permutation") return lu_pivots(op, operands, results);
  orgqr(op, operands, results);
}

// Two halves of keys and two of counters, all of one shape. Where sizes may be dynamic, they are operands too.
void Importer::threefry(const Op& op, Operands operands, Results& results) {
  if (operands.size() < 4)
    fail(op, "there must be two halves of keys and two of counters; got " +
                 count_str(static_cast<std::int64_t>(operands.size()), "operand", "operands") + ".");
  const Arrays halves = tensors(op, operands.first(4));
  give(op, bind_all(OpCode::kThreefry2x32, {}, halves), results);
}

// Arrays sorted together by the comparator that is called, of which the results keep the first along the axis: as many
// as their types say. An approximation may be exact.
void Importer::partial_sort(const Op& op, Operands operands, std::int64_t dimension, Results& results) {
  const Attribute* called = reader(op).find("called_computations");
  if (!called || called->kind != Attribute::Kind::kArray || called->items.size() != 1 ||
      called->items[0].value.kind != Attribute::Kind::kSymbol)
    fail(op, "called_computations must be one function, a comparator.");
  const Staged& comparator = function(called->items[0].value.text, op);
  Arrays args = comparator.captured;
  const Arrays xs = tensors(op, operands);
  if (xs.empty() || dimension < 0 || dimension >= xs[0].ndim())
    fail(op, "there must be arrays with an axis " + std::to_string(dimension) + ".");
  args.append(xs.begin(), xs.end());
  const Arrays sorted =
      bind_all(OpCode::kGenericSort, ir::make_params(GenericSortParams{dimension, true, comparator.jaxpr}), args);
  const ir::Avals out = avals(op.results);
  Arrays outs;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    Dims kept(sorted[i].shape());
    std::int64_t& size = kept[static_cast<std::size_t>(dimension)];
    const bool fits = i < out.size() && out[i].ndim() == sorted[i].ndim();
    const std::int64_t wanted = fits ? out[i].shape(static_cast<std::size_t>(dimension)) : -1;
    if (wanted < 0 || wanted > size)
      fail(op, "results must keep a part of the operands along axis " + std::to_string(dimension) + ".");
    size = wanted;
    outs.push_back(lax::slice(sorted[i], Dims(kept.size(), 0), kept));
  }
  give(op, outs, results);
}

// (factor, info) of a: the factor in the triangle that is read, a in the other one; info is 1 where a is not positive
// definite (LAPACK says which minor is not), and the factor NaN.
void Importer::potrf(const Op& op, Operands operands, Results& results) {
  const bool ffi = operands.size() == 1;
  if (!ffi) need_operands(op, 4);  // lower, batch size, order, a
  const bool lower =
      ffi ? letter(reader(op), "uplo", "LU") == 'L' : known_integers(op, 0) == std::vector<std::int64_t>{1};
  const Array a = single(op, operands, operands.size() - 1);
  if (a.ndim() < 2) fail(op, "the operand must be matrices; got " + a.aval().str() + ".");
  const Array factor = bind_one(OpCode::kCholesky, ir::make_params(CholeskyParams{lower}), Arrays{a});
  const Array row = lax::iota(i32, a.shape(), a.ndim() - 2), column = lax::iota(i32, a.shape(), a.ndim() - 1);
  const Array inside = lower ? lax::ge(row, column) : lax::le(row, column);
  const Array bad = lax::reduce_or(lax::ne(factor, factor), Dims{a.ndim() - 2, a.ndim() - 1});
  give(op, Arrays{lax::select(inside, factor, a), lax::convert(bad, i32)}, results);
}

// x with op(a) x = alpha b, or x op(a) = alpha b.
void Importer::trsm(const Op& op, Operands operands, Results& results) {
  TriangularSolveParams p;
  std::size_t a = 0, b = 1, alpha = 2;
  if (operands.size() <= 3) {
    const AttributeReader from = reader(op);
    p.left_side = letter(from, "side", "LR") == 'L';
    p.lower = letter(from, "uplo", "LU") == 'L';
    p.unit_diagonal = letter(from, "diag", "NU") == 'U';
    const char transpose = letter(from, "trans_x", "NTC");
    p.transpose_a = transpose == 'N'   ? TransposeA::kNoTranspose
                    : transpose == 'T' ? TransposeA::kTranspose
                                       : TransposeA::kAdjoint;
  } else {
    need_operands(op, 10);  // side, lower, transpose, unit diagonal, m, n, batch size, alpha, a, b
    const auto parameter = [&](std::size_t i) {
      const std::vector<std::int64_t> v = known_integers(op, i);
      if (v.size() != 1 || v[0] < 0 || v[0] > 2) fail(op, "operand " + std::to_string(i) + " must be 0, 1 or 2.");
      return v[0];
    };
    p.left_side = parameter(0) != 0;
    p.lower = parameter(1) != 0;
    p.transpose_a = static_cast<TransposeA>(parameter(2));
    p.unit_diagonal = parameter(3) != 0;
    alpha = 7;
    a = 8;
    b = 9;
  }
  Array right = single(op, operands, b);
  if (alpha < operands.size()) {
    const Array factor = single(op, operands, alpha);
    if (factor.ndim() != 0) fail(op, "alpha must be a scalar; got " + factor.aval().str() + ".");
    right = lax::multiply(right, lax::broadcast_in_dim(factor, right.shape(), {}));
  }
  give(op, lax::triangular_solve(single(op, operands, a), right, p), results);
}

}  // namespace weft::stablehlo
