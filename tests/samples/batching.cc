// vmap against loops.
#include "harness/functions.h"
#include "harness/values.h"
#include "samples/checks.h"

namespace weft::testing {

namespace {

std::string list(const std::vector<int>& bdims) {
  std::string s;
  for (const int b : bdims) s += (s.empty() ? "" : ", ") + (b == kUnmapped ? std::string("-") : std::to_string(b));
  return "(" + s + ")";
}

// Operands of one example: other elements where mapped, the first example's where not.
Arrays example(const std::vector<Arrays>& examples, const std::vector<int>& bdims, std::size_t e) {
  Arrays r(examples[0]);
  for (std::size_t i = 0; i < r.size(); ++i)
    if (bdims[i] != kUnmapped) r[i] = examples[e][i];
  return r;
}

void compare_with_loop(const Sample& sample, const std::vector<int>& bdims, std::int64_t size, Findings& findings) {
  const FlatFunction f = operation(sample);
  std::vector<Arrays> examples;
  for (int e = 0; e < std::max<int>(1, static_cast<int>(size)); ++e) examples.push_back(make_operands(sample, e));
  Arrays batched(examples[0]);
  for (std::size_t i = 0; i < batched.size(); ++i) {
    if (bdims[i] == kUnmapped) continue;
    Arrays column;
    for (const Arrays& e : examples) column.push_back(e[i]);
    batched[i] = stacked(column, bdims[i]);
    if (size == 0) batched[i] = part(batched[i], bdims[i], 1, 1, 0, 0);
  }
  const std::string what = "vmap over axes " + list(bdims) + " of size " + std::to_string(size);
  const Arrays got = call(vmapped(f, bdims, size), batched);
  std::vector<Arrays> results;
  for (std::size_t e = 0; e < examples.size(); ++e) results.push_back(call(f, example(examples, bdims, e)));
  Arrays want = stacked_results(results);
  if (size == 0)
    for (Array& w : want) w = part(w, 0, 1, 1, 0, 0);
  findings.add(what + " against a loop", difference(got, want, tolerance_of(want)));
}

}  // namespace

void checks::vmap(const Sample& sample, Findings& findings) {
  const Arrays args = make_operands(sample);
  const std::size_t n = args.size();
  if (n == 0) return;
  const std::vector<int> none(n, kUnmapped), front(n, 0);
  for (const std::int64_t size : {0, 1, 3}) compare_with_loop(sample, front, size, findings);
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<int> bdims = none;
    for (bdims[i] = 0; bdims[i] <= args[i].ndim(); ++bdims[i]) compare_with_loop(sample, bdims, 3, findings);
    bdims[i] = 0;
    if (n > 1)
      for (const std::int64_t size : {0, 1}) compare_with_loop(sample, bdims, size, findings);
  }
  std::vector<int> back, mixed;
  for (std::size_t i = 0; i < n; ++i) {
    back.push_back(args[i].ndim());
    mixed.push_back(i % 2 ? 0 : args[i].ndim());
  }
  if (back != front) compare_with_loop(sample, back, 3, findings);
  if (n > 1 && mixed != back) compare_with_loop(sample, mixed, 3, findings);
}

void checks::vmap_of_vmap(const Sample& sample, Findings& findings) {
  const FlatFunction f = operation(sample);
  constexpr int kOuter = 2, kInner = 3;
  const std::size_t n = sample.operands.size();
  if (n == 0) return;
  const std::vector<int> front(n, 0);
  Arrays batched;
  std::vector<Arrays> outer_results, outer_operands;
  for (int i = 0; i < kOuter; ++i) {
    std::vector<Arrays> results, operands;
    for (int j = 0; j < kInner; ++j) {
      operands.push_back(make_operands(sample, i * kInner + j));
      results.push_back(call(f, operands.back()));
    }
    outer_results.push_back(stacked_results(results));
    outer_operands.push_back(stacked_results(operands));
  }
  const Arrays want = stacked_results(outer_results);
  findings.add("vmap of vmap against two loops",
               difference(call(vmapped(vmapped(f, front, kInner), front, kOuter), stacked_results(outer_operands)),
                          want, tolerance_of(want)));

  // Operands mapped by one level only: the first by the inner, the others by the outer.
  if (n == 1) return;
  std::vector<int> inner(n, kUnmapped), outer(n, 0);
  inner[0] = 0;
  outer[0] = kUnmapped;
  std::vector<Arrays> by_example;
  for (int e = 0; e < kInner; ++e) by_example.push_back(make_operands(sample, e));
  Arrays first, operands;
  for (const Arrays& e : by_example) first.push_back(e[0]);
  operands.push_back(stacked(first, 0));
  for (std::size_t k = 1; k < n; ++k) {
    Arrays column;
    for (int i = 0; i < kOuter; ++i) column.push_back(by_example[static_cast<std::size_t>(i)][k]);
    operands.push_back(stacked(column, 0));
  }
  outer_results.clear();
  for (std::size_t i = 0; i < kOuter; ++i) {
    std::vector<Arrays> results;
    for (std::size_t j = 0; j < kInner; ++j) {
      Arrays args(by_example[i]);
      args[0] = by_example[j][0];
      results.push_back(call(f, args));
    }
    outer_results.push_back(stacked_results(results));
  }
  const Arrays apart = stacked_results(outer_results);
  findings.add(
      "vmap of vmap, each over its own operands",
      difference(call(vmapped(vmapped(f, inner, kInner), outer, kOuter), operands), apart, tolerance_of(apart)));
}

}  // namespace weft::testing
