// The coverage matrix: what each operation of ir/ops.def must have, and the few holes that are meant.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <set>
#include <string_view>

#include "harness/files.h"
#include "samples/sample.h"
#include "weft/core/rules.h"

namespace weft::testing {
namespace {

enum Column { kInfer, kEval, kParse, kJvp, kTranspose, kBatch, kFactors, kSamples, kSmooth, kDocs, kNumColumns };
constexpr const char* kTitles[] = {"infer", "eval",    "parse",   "jvp",    "transpose",
                                   "batch", "factors", "samples", "smooth", "docs"};

// Every hole that is meant, with its reason.
const std::map<std::pair<OpCode, Column>, const char*> kNone = {
    {{OpCode::kCall, kDocs}, "users make calls with jit"},
    {{OpCode::kHostCallback, kSamples},
     "its function has no text; tests/api_control/callback_test.cc and debug_test.cc have all"},
    {{OpCode::kHostCallback, kParse}, "seen through samples"},
    {{OpCode::kHostCallback, kSmooth}, "what prints is constant to derivatives, and the others have none"},
    {{OpCode::kCheck, kSamples},
     "programs with one are compiled only by way of checkify; tests/api_control/checkify_test.cc"},
    {{OpCode::kCheck, kParse}, "seen through samples"},
    {{OpCode::kRng, kSmooth}, "no two calls draw the same; tests/ops/rng_test.cc has its derivatives"},
    {{OpCode::kSend, kSmooth}, "derivatives do not go through channels"},
    {{OpCode::kRecv, kSamples}, "it waits for a sender; tests/ops/collectives_test.cc has one"},
    {{OpCode::kRecv, kParse}, "seen through samples"},
    {{OpCode::kInfeed, kSamples}, "it waits for a host that feeds; tests/ops/collectives_test.cc has one"},
    {{OpCode::kInfeed, kParse}, "seen through samples"},
    {{OpCode::kCheckFinite, kDocs}, "debug::CheckScope puts it into programs"},
    {{OpCode::kCheckIndex, kDocs}, "debug::CheckScope puts it into programs"},
    {{OpCode::kAxisIndex, kSamples}, "vmap replaces it; tests/api_control/collectives_test.cc has it"},
    {{OpCode::kAxisIndex, kParse}, "seen through samples"},
    {{OpCode::kAxisIndex, kDocs}, "declared with what else speaks of mapped axes, in api/collectives.h"},
};

// What stands in one cell: empty for a hole.
std::string_view cell(OpCode op, Column column, const std::vector<const Sample*>& samples, const std::string& lax) {
  const ir::OpInfo& info = ir::op_info(op);
  const OpRules& rules = op_rules(op);
  const auto yes = [](bool has) -> std::string_view { return has ? "yes" : ""; };
  bool params = false, smooth = false;
  for (const Sample* s : samples) {
    params |= static_cast<bool>(s->params);
    smooth |= !s->smooth_in.empty();
  }
  switch (column) {
    case kInfer: return yes(info.infer);
    case kEval: return yes(info.eval);
    case kParse:
      if (params != (info.parse != nullptr)) return "";
      return params ? "yes" : "no params";
    case kJvp: return rules.jvp == rules::zero_tangent ? "zero" : rules.linearize ? "linearize" : yes(rules.jvp);
    case kTranspose: return rules.transpose == rules::not_linear ? "not linear" : yes(rules.transpose);
    case kBatch: return yes(rules.batch);
    case kFactors: return yes(rules.factors);
    case kSamples: return yes(!samples.empty());
    // Derivatives are tested exactly where there are some.
    case kSmooth:
      if ((rules.jvp == rules::zero_tangent) == smooth) return "";
      return smooth ? "yes" : "constant";
    default: {
      for (const char* begin : {"Array ", "Arrays ", "Array> ", "void "})
        for (const char* end : {"(", "_("}) {
          std::string declaration = begin;
          declaration.append(ir::op_name(op)).append(end);
          if (lax.find(declaration) != std::string::npos) return "yes";
        }
      return "";
    }
  }
}

TEST(coverage, every_operation_has_every_rule_samples_and_documentation) {
  std::string lax;
  for (const char* header : {"ops/lax.h", "ops/collectives.h", "control/programs.h", "control/custom.h"}) {
    const std::string text = read_file(WEFT_TEST_FOLDER "/../src/weft/" + std::string(header));
    ASSERT_FALSE(text.empty()) << header;
    lax += text;
  }
  std::map<OpCode, std::vector<const Sample*>> samples;
  for (const Sample& s : all_samples()) samples[s.op].push_back(&s);

  std::printf("%-24s", "");
  for (const char* title : kTitles) std::printf("%-11s", title);
  std::printf("\n");
  std::set<std::pair<OpCode, Column>> unused;
  for (const auto& [place, reason] : kNone) unused.insert(place);
  for (int i = 0; i < kNumOps; ++i) {
    const auto op = static_cast<OpCode>(i);
    const std::string name(ir::op_name(op));
    std::printf("%-24s", name.c_str());
    for (int c = 0; c < kNumColumns; ++c) {
      const auto column = static_cast<Column>(c);
      std::string_view text = cell(op, column, samples[op], lax);
      const auto none = kNone.find({op, column});
      if (text.empty() && none != kNone.end()) {
        text = "none";
        unused.erase({op, column});
      }
      if (text.empty()) ADD_FAILURE() << name << ": no " << kTitles[c] << ", and no reason for that is listed";
      if (text.empty()) text = "HOLE";
      std::printf("%-11s", c == kSamples ? std::to_string(samples[op].size()).c_str() : std::string(text).c_str());
    }
    std::printf("\n");
  }
  for (const auto& [op, column] : unused)
    ADD_FAILURE() << ir::op_name(op) << " is listed to have no " << kTitles[column] << ", but has it";
  for (const auto& [place, reason] : kNone)
    std::printf("no %s of %s: %s\n", kTitles[place.second], std::string(ir::op_name(place.first)).c_str(), reason);
}

}  // namespace
}  // namespace weft::testing
