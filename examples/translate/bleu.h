// BLEU of a corpus (Papineni, Roukos, Ward and Zhu, "BLEU: a method for automatic evaluation of machine translation",
// 2002): as sacrebleu's default, with one reference for each sentence, upper and lower case told apart, tokens of 13a,
// n-grams up to 4, and "exp" in the place of counts of 0.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace translate {

/// The tokens of mteval-v13a.pl, the script of NIST and WMT: words and marks.
std::vector<std::string> tokenize_13a(std::string_view text);

struct Bleu {
  double score;                     ///< 0 to 100: brevity_penalty times the geometric mean of the precisions
  std::array<double, 4> precision;  ///< 0 to 100: of the n-grams of the translations, how many are in the reference
  double brevity_penalty;           ///< exp(1 - reference_length / length) where that is below 1
  std::int64_t length, reference_length;
};
/// ShapeError unless each translation has a reference.
Bleu corpus_bleu(std::span<const std::string> translations, std::span<const std::string> references);

}  // namespace translate
