// Derivatives against central differences, and forward against reverse mode.
#include <algorithm>
#include <cmath>

#include "harness/functions.h"
#include "harness/values.h"
#include "samples/checks.h"

namespace weft::testing {

namespace {

std::string list(std::span<const int> by) {
  std::string s;
  for (const int i : by) s += (s.empty() ? "" : ", ") + std::to_string(i);
  return s;
}

// Each smooth operand alone, then all together.
std::vector<std::vector<int>> choices(const Sample& sample) {
  std::vector<std::vector<int>> r;
  for (const int i : sample.smooth_in) r.push_back({i});
  if (r.size() > 1) r.push_back(sample.smooth_in);
  return r;
}

Arrays directions(std::span<const Array> args, std::span<const int> by, int salt) {
  Arrays ts;
  for (const int i : by) ts.push_back(draw(args[static_cast<std::size_t>(i)].aval(), salt + 10 * i));
  return ts;
}

double worst_precision(std::span<const Array> xs, double (*f)(DType)) {
  double r = 0;
  for (const Array& x : xs)
    if (is_inexact(x.dtype())) r = std::max(r, f(x.dtype()));
  return r;
}

}  // namespace

void checks::jvp(const Sample& sample, Findings& findings) {
  const Arrays args = make_operands(sample);
  const FlatFunction f = operation(sample);
  for (const std::vector<int>& by : choices(sample)) {
    const Arrays ts = directions(args, by, 1);
    const Arrays got = call(pushforward(f, args.size(), by), joined(args, ts));
    findings.add(
        "jvp by operands " + list(by) + " against central differences",
        difference(got, difference_quotient(f, args, by, ts),
                   std::max(worst_precision(got, quotient_precision), worst_precision(ts, quotient_precision))));
  }
}

void checks::vjp(const Sample& sample, Findings& findings) {
  const Arrays args = make_operands(sample);
  const FlatFunction f = operation(sample);
  for (const std::vector<int>& by : choices(sample)) {
    const Arrays ts = directions(args, by, 2);
    const Arrays jt = call(pushforward(f, args.size(), by), joined(args, ts));
    Arrays cts;
    for (std::size_t i = 0; i < jt.size(); ++i) cts.push_back(draw(jt[i].aval(), 100 + static_cast<int>(i)));
    const Arrays jct = call(pullback(f, args.size(), by), joined(args, cts));
    double forward = 0, backward = 0, scale = 1;
    for (std::size_t i = 0; i < jt.size(); ++i) {
      forward += pairing(cts[i], jt[i]);
      for (const Complex e : elements(jt[i])) scale += std::abs(e);
    }
    for (std::size_t i = 0; i < by.size(); ++i) {
      if (jct[i].aval() != ts[i].aval()) {
        findings.add("vjp by operands " + list(by),
                     "a cotangent must have type " + ts[i].aval().str() + "; got " + jct[i].aval().str() + ".");
        return;
      }
      backward += pairing(jct[i], ts[i]);
      for (const Complex e : elements(jct[i])) scale += std::abs(e);
    }
    const double tolerance = scale * std::max(worst_precision(jt, precision), worst_precision(ts, precision));
    if (!(std::abs(forward - backward) <= tolerance))
      findings.add("vjp by operands " + list(by), "<ct, J t> must equal <J^T ct, t>; got " + std::to_string(forward) +
                                                      " and " + std::to_string(backward) + ".");
  }
}

void checks::second_order(const Sample& sample, Findings& findings) {
  const Arrays args = make_operands(sample);
  const FlatFunction f = operation(sample);
  std::vector<int> by;
  for (const int i : sample.smooth_in)
    if (std::ranges::count(sample.smooth_once_in, i) == 0) by.push_back(i);
  const std::size_t n = args.size();
  if (by.empty()) return;
  const Arrays results = inexact(call(f, args)), ts = directions(args, by, 3);
  for (const Array& x : joined(results, ts))
    if (!is_double(x.dtype())) return;

  Arrays cts;
  for (std::size_t i = 0; i < results.size(); ++i) cts.push_back(draw(results[i].aval(), 200 + static_cast<int>(i)));
  // The cotangents and tangents are fixed; differences move the operands only.
  const auto fixed = [&](FlatFunction g, Arrays last) -> FlatFunction {
    return [g = std::move(g), last = std::move(last)](std::span<const Array> a, Arrays& outs) {
      g(joined(a, last), outs);
    };
  };
  const FlatFunction gradient = fixed(pullback(f, n, by), cts),
                     tangent = fixed(pushforward(f, n, by), directions(args, by, 4));
  findings.add("forward over reverse against central differences",
               difference(call(pushforward(gradient, n, by), joined(args, ts)),
                          difference_quotient(gradient, args, by, ts), quotient_precision(f64)));
  const Arrays second = call(pushforward(tangent, n, by), joined(args, ts));
  findings.add("forward over forward against central differences",
               difference(second, difference_quotient(tangent, args, by, ts), quotient_precision(f64)));

  // Reverse over forward and reverse over reverse, by the dot-product identity.
  double forward = 0, backward = 0, scale = 1;
  for (std::size_t i = 0; i < second.size(); ++i) forward += pairing(cts[i], second[i]);
  const Arrays pulled = call(pullback(tangent, n, by), joined(args, cts));
  for (std::size_t i = 0; i < by.size(); ++i) {
    backward += pairing(pulled[i], ts[i]);
    for (const Complex e : elements(pulled[i])) scale += std::abs(e);
  }
  if (!(std::abs(forward - backward) <= 1e-10 * scale))
    findings.add("reverse over forward", "<ct, H t> must equal <H^T ct, t>; got " + std::to_string(forward) + " and " +
                                             std::to_string(backward) + ".");
  const Arrays along = call(pushforward(gradient, n, by), joined(args, ts));
  Arrays weights;
  for (std::size_t i = 0; i < along.size(); ++i) weights.push_back(draw(along[i].aval(), 300 + static_cast<int>(i)));
  const Arrays twice = call(pullback(gradient, n, by), joined(args, weights));
  forward = backward = 0;
  scale = 1;
  for (std::size_t i = 0; i < by.size(); ++i) {
    forward += pairing(weights[i], along[i]);
    backward += pairing(twice[i], ts[i]);
    for (const Complex e : elements(twice[i])) scale += std::abs(e);
  }
  if (!(std::abs(forward - backward) <= 1e-10 * scale))
    findings.add("reverse over reverse", "<w, H t> must equal <H^T w, t>; got " + std::to_string(forward) + " and " +
                                             std::to_string(backward) + ".");
}

}  // namespace weft::testing
