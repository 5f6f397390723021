// Programs with a few words or bytes changed: each must be refused with an error of the user's kind, or be a program
// like any other, which prints, parses back equal, and runs without touching memory that is not its own (under the
// sanitizers this sees every wrong address).
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <map>
#include <random>

#include "programs.h"
#include "weft/base/error.h"
#include "weft/ir/builder.h"
#include "weft/ir/call.h"
#include "weft/ir/checkpoint.h"
#include "weft/ir/checks.h"
#include "weft/ir/custom_rules.h"
#include "weft/ir/programs.h"
#include "weft/runtime/client.h"
#include "weft/runtime/reference.h"

namespace weft::ir {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  const auto word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
  };
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    if (word(text[i]))
      while (end < text.size() && word(text[end])) ++end;
    if (text[i] != ' ' && text[i] != '\n') words.push_back(text.substr(i, end - i));
    i = end;
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& w : words) text += (text.empty() ? "" : " ") + w;
  return text;
}

// The same on every machine: only the engine's bits are used, no distributions.
class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& programs) {
    for (const std::string& p : programs)
      for (std::string& w : words_of(p)) {
        if (is_number(w)) numbers_.push_back(w);
        pool_.push_back(std::move(w));
      }
    for (const char* w : {"-1",
                          "0",
                          "1",
                          "2",
                          "31",
                          "32",
                          "33",
                          "4611686018427387904",
                          "9223372036854775807",
                          "-9223372036854775808",
                          "9223372036854775808",
                          "1152921504606846976",
                          "99999999999999999999999999",
                          "1e999",
                          "-nan",
                          "()",
                          "(,)",
                          "(0, 0)",
                          "(-1,)",
                          "(7,)",
                          "(0, 1, 2)",
                          "\"",
                          "\\",
                          "j)",
                          "\x80",
                          "in",
                          "let",
                          "_",
                          "f32[0]",
                          "f32[]",
                          "int32",
                          "[[",
                          "None"})
      for (int copies = 0; copies < 40; ++copies) {
        pool_.push_back(w);
        if (is_number(w)) numbers_.push_back(w);
      }
  }

  std::string mutate(const std::string& program) {
    if (below(2) == 0) {
      // The syntax stays right, so that what sizes, axes and positions mean is put to the test.
      std::vector<std::string> words = words_of(program);
      std::vector<std::size_t> places;
      for (std::size_t i = 0; i < words.size(); ++i)
        if (is_number(words[i])) places.push_back(i);
      for (std::uint64_t n = 1 + below(2); n > 0 && !places.empty(); --n)
        words[places[below(places.size())]] = numbers_[below(numbers_.size())];
      return joined(words);
    }
    if (below(4) == 0) {
      std::string text = program;
      for (std::uint64_t n = 1 + below(2); n > 0; --n) change_byte(text);
      return text;
    }
    std::vector<std::string> words = words_of(program);
    for (std::uint64_t n = 1 + below(3); n > 0 && !words.empty(); --n) change_word(words);
    return joined(words);
  }

 private:
  static bool is_number(const std::string& w) {
    return std::isdigit(static_cast<unsigned char>(w.back())) &&
           (w.size() == 1 || w.find_first_not_of("0123456789", 1) == w.npos) &&
           (std::isdigit(static_cast<unsigned char>(w[0])) || w[0] == '-');
  }
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }

  void change_word(std::vector<std::string>& words) {
    const std::size_t i = below(words.size()), j = below(words.size());
    switch (below(7)) {
      case 0: words.erase(words.begin() + static_cast<std::ptrdiff_t>(i)); break;
      case 1: words.insert(words.begin() + static_cast<std::ptrdiff_t>(i), words[i]); break;
      case 2: words.insert(words.begin() + static_cast<std::ptrdiff_t>(i), words[j]); break;
      case 3: words[i] = words[j]; break;
      case 4: std::swap(words[i], words[j]); break;
      default: words[i] = pool_[below(pool_.size())]; break;
    }
  }
  void change_byte(std::string& text) {
    const std::size_t i = below(text.size());
    switch (below(5)) {
      case 0: text.erase(i, 1); break;
      case 1: text.insert(i, 1, text[i]); break;
      case 2: text[i] = static_cast<char>(below(256)); break;
      case 3: text[i] = static_cast<char>(text[i] ^ (1 << below(8))); break;
      default: text.resize(i + 1); break;
    }
  }

  std::mt19937_64 engine_{20240229};
  std::vector<std::string> pool_, numbers_;
};

// Where a result's declared type is not the inferred one, declares that: most mutants of parameters would otherwise be
// refused for their result types and never run. False when the error says something else.
bool repair(std::string& text, const ParseError& e) {
  int line = 0, column = 0;
  char type[256];
  if (std::sscanf(e.message().c_str(), "%d:%d: expected type %255[^;];", &line, &column, type) != 3) return false;
  std::size_t at = 0;
  for (; line > 1; --line) at = text.find('\n', at) + 1;
  at = text.find(':', at + static_cast<std::size_t>(column) - 1) + 1;
  text.replace(at, text.find(']', at) + 1 - at, type);
  return true;
}

/// Parses, repairing result types as often as a program has results.
Jaxpr parse_repaired(std::string& text) {
  for (int tries = 0;; ++tries) {
    try {
      return parse(text);
    } catch (const ParseError& e) {
      if (tries == 8 || !repair(text, e)) throw;
    }
  }
}

// Also what transformations make of it: the padded array and its windows.
bool product_below(const Window& window, std::int64_t most) {
  std::int64_t n = 1;
  for (std::size_t i = 0; i < window.dimensions.size(); ++i) {
    for (const std::int64_t v : {window.dimensions[i], window.base_dilations[i], 1 + std::abs(window.padding_low[i]),
                                 1 + std::abs(window.padding_high[i])})
      if (v > most) return false;
    n *= window.dimensions[i];
    if (n > most) return false;
  }
  return true;
}

bool small(Aval a) { return a.size() <= 4096; }
bool small(const Jaxpr& program);

// Whether an operation with programs ends soon, and does nothing but compute: a loop need not end, and who receives may
// wait in vain.
bool tame(const Eqn& e) {
  switch (e.op) {
    case OpCode::kCall: return small(params_as<CallParams>(e.params).jaxpr);
    case OpCode::kComposite: return small(params_as<CompositeParams>(e.params).decomposition);
    case OpCode::kCheckpoint: return small(params_as<CheckpointParams>(e.params).jaxpr);
    case OpCode::kCase: {
      const auto& branches = params_as<CaseParams>(e.params).branches;
      return std::all_of(branches.begin(), branches.end(), [](const Jaxpr& b) { return small(b); });
    }
    case OpCode::kCustomJvpCall:
    case OpCode::kCustomVjpCall:
    case OpCode::kCustomVmapCall:
    case OpCode::kCustomLinearSolve: return small(*custom_program(e.op, e.params.get()));
    case OpCode::kCustomVjpTangent: {
      const Rule& jvp = params_as<CustomVjpTangentParams>(e.params).jvp;
      return jvp.is_program() && small(jvp.program());
    }
    case OpCode::kWhile:
    case OpCode::kCustomCall: return false;
    case OpCode::kGenericReduceWindow: return product_below(params_as<GenericReduceWindowParams>(e.params).window, 64);
    case OpCode::kGenericSelectAndScatter:
      return product_below(params_as<GenericSelectAndScatterParams>(e.params).window, 64);
    default: return !has_effects(e.op, e.params.get());
  }
}

bool small(const Jaxpr& program) {
  for (Var v = 0; v < program.num_vars(); ++v)
    if (!small(program.aval(v))) return false;
  for (const Eqn& e : program.eqns()) {
    if (!tame(e)) return false;
    // A product over many elements with few results takes long without being wrong.
    std::int64_t work = 1;
    for (const Atom a : program.operands(e)) {
      if (!small(program.aval(a))) return false;
      work *= std::max<std::int64_t>(1, program.aval(a).size());
      if (work > 1'000'000) return false;
    }
  }
  return true;
}

// Elements of all sizes and signs: indices hit, miss and overflow.
Array some_elements(Aval a, std::mt19937_64& engine) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(a.bytes()));
  const std::uint64_t kind = engine() % 3;
  for (std::byte& b : bytes) b = static_cast<std::byte>(kind == 0 ? 0 : engine());
  const auto size = static_cast<std::size_t>(byte_size(a.dtype()));
  for (std::size_t i = 0; i < bytes.size(); i += size) {
    if (a.dtype() == boolean) bytes[i] &= std::byte{1};
    if (kind == 2 && is_integer(a.dtype())) {  // small ones
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(i), size, std::byte{0});
      bytes[i] = static_cast<std::byte>(engine() % 5);
    }
  }
  return Array::copy(a.dtype(), a.shape(), bytes.data(), static_cast<std::size_t>(a.size()));
}

void run(const Jaxpr& program, std::mt19937_64& engine) {
  Arrays args, outs;
  for (const Aval a : program.input_avals()) args.push_back(some_elements(a, engine));
  eval_jaxpr(program, args, outs);
  for (std::size_t i = 0; i < outs.size(); ++i) EXPECT_EQ(outs[i].aval(), program.output_avals()[i]);
  Arrays compiled;
  executable(program)->run(args, compiled);
  EXPECT_EQ(compiled.size(), outs.size());
  // The same through reference evaluation, op by op.
  std::vector<Array> values(args.begin(), args.end());
  values.resize(program.num_vars());
  for (const Eqn& e : program.eqns()) {
    Arrays operands, results;
    for (const Atom a : program.operands(e))
      operands.push_back(a.is_literal() ? literal_array(program.literal(a)) : values[a.index()]);
    if (e.op == OpCode::kCall)
      eval_jaxpr(params_as<CallParams>(e.params).jaxpr, operands, results);
    else
      reference_evaluate(default_client(), Call{e.op, e.params, operands}, results);
    for (std::size_t i = 0; i < results.size(); ++i) values[e.out_begin + i] = results[i];
  }
}

// Batched and differentiated: whatever a rule does with strange parameters, it does to a program that inference took.
void transform(const Jaxpr& program, std::mt19937_64& engine) {
  const FlatFunction f = [&](std::span<const Array> args, Arrays& outs) { eval_jaxpr(program, args, outs); };
  Arrays args, pairs;
  std::vector<int> by, bdims;
  for (const Aval a : program.input_avals()) {
    const int bdim = static_cast<int>(engine() % (static_cast<std::uint64_t>(a.ndim()) + 1));
    Dims shape(a.shape());
    shape.insert(shape.begin() + bdim, 2);
    if (is_inexact(a.dtype())) by.push_back(static_cast<int>(args.size()));
    bdims.push_back(bdim);
    args.push_back(some_elements(a, engine));
    pairs.push_back(some_elements(a.with_shape(shape), engine));
  }
  const bool room = std::none_of(program.eqns().begin(), program.eqns().end(), [&](const Eqn& e) {
    for (Var v = e.out_begin; v < e.out_end; ++v)
      if (program.aval(v).ndim() > 24) return true;  // batching adds axes
    return false;
  });
  if (!room) return;
  if (!args.empty()) testing::call(testing::vmapped(f, bdims, 2), pairs);
  if (by.empty()) return;
  try {
    Arrays operands(args);
    for (const Array& y : testing::inexact(testing::call(f, args))) operands.push_back(y);
    testing::call(testing::pullback(f, args.size(), by), operands);
  } catch (const NotDifferentiableError&) {
  }
}

TEST(mutation, every_mutant_is_refused_or_is_a_program) {
  std::vector<std::string> programs = testing::programs_by_hand();
  for (const testing::Sample& s : testing::all_samples()) {
    const Jaxpr p = testing::program_of(s);
    if (p.str().size() < 4000) programs.push_back(p.str());
  }
  Mutator mutator(programs);
  std::mt19937_64 engine(7);
  std::map<std::string, int> refused;
  int accepted = 0, ran = 0, failures = 0;
  constexpr std::size_t kMutants = 100'000;
  for (std::size_t i = 0; i < kMutants && failures < 10; ++i) {
    std::string text = mutator.mutate(programs[i % programs.size()]);
    try {
      const Jaxpr program = parse_repaired(text);
      ++accepted;
      check(program);
      const std::string printed = program.str();
      const Jaxpr again = parse(printed);
      if (!(again == program) || again.str() != printed || again.hash() != program.hash()) {
        ADD_FAILURE() << "not the same after printing and parsing:\n" << text << "\nprinted as\n" << printed;
        ++failures;
      }
      EXPECT_TRUE(dce(program).eqns().size() <= program.eqns().size());
      // What names an axis runs only inside of the vmap that maps it.
      if (small(program) && named_axes(program).empty()) {
        SCOPED_TRACE(text);
        try {
          run(program, engine);
          if (accepted % 4 == 0) transform(program, engine);
        } catch (const Error& e) {
          // Checks find what they look for in elements drawn at random.
          if (program == without_checks(program) || (e.kind() != "NonFiniteError" && e.kind() != "IndexError")) throw;
        }
        ++ran;
      }
    } catch (const ParseError& e) {
      ++refused[std::string(e.kind())];
    } catch (const std::exception& e) {
      ADD_FAILURE() << e.what() << "\nfor\n" << text;
      ++failures;
    }
  }
  // The test is worth something only while mutants of all kinds occur.
  EXPECT_GT(accepted, static_cast<int>(kMutants / 50));
  EXPECT_GT(ran, static_cast<int>(kMutants / 100));
  EXPECT_GT(refused["ParseError"], static_cast<int>(kMutants / 4));
  std::printf("%zu programs; of %zu mutants %d refused, %d accepted, %d run\n", programs.size(), kMutants,
              refused["ParseError"], accepted, ran);
}

}  // namespace
}  // namespace weft::ir
