// Arguments that a call of a compiled function takes for good, so that its results can be made in their memory.
#pragma once

#include <algorithm>
#include <memory>
#include <tuple>

#include "weft/core/donation.h"
#include "weft/core/tree.h"
#include "weft/runtime/client.h"

namespace weft::api {

/// What is donated of the arguments of one signature.
struct Donation {
  std::vector<std::uint32_t> inputs;  // of the program, ascending
  std::vector<Ref<Storage>> notes;    // by these: "args[0].w of jit(step) at train.cc:18"
};

/// `donate` as positions from 0 on, ascending, each once. IndexError for one that `num_arguments` arguments do not
/// have.
std::vector<std::size_t> donated_arguments(std::string_view op, std::span<const int> donate, std::size_t num_arguments);

/// Collects the arrays of donated arguments.
class DonatedLeaves : public tree::PathVisitor {
 public:
  DonatedLeaves(Donation& donation, const std::string& function, std::size_t argument, bool donated, std::size_t& leaf)
      : PathVisitor("args[" + std::to_string(argument) + "]"),
        donation_(donation),
        function_(function),
        donated_(donated),
        leaf_(leaf) {}
  void array(const Array& a) {
    if (!a.defined()) return;
    if (donated_) {
      donation_.inputs.push_back(static_cast<std::uint32_t>(leaf_));
      donation_.notes.push_back(detail::donation_note(path() + " of " + function_));
    }
    ++leaf_;
  }

 private:
  Donation& donation_;
  const std::string& function_;
  bool donated_;
  std::size_t& leaf_;
};

/// The donation of the arguments `donate` of `function` ("jit(step) at train.cc:18"), whose program has `num_captured`
/// inputs before the arguments'. Null when no array is donated.
template <class Pack>
std::shared_ptr<const Donation> donation_of(std::string_view op, const Pack& pack, std::span<const int> donate,
                                            std::size_t num_captured, const std::string& function) {
  if (donate.empty()) return nullptr;
  const std::vector<std::size_t> chosen = donated_arguments(op, donate, std::tuple_size_v<Pack>);
  auto donation = std::make_shared<Donation>();
  std::size_t leaf = num_captured;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    const auto one = [&](std::size_t argument, const auto& tree) {
      const bool donated = std::find(chosen.begin(), chosen.end(), argument) != chosen.end();
      DonatedLeaves leaves(*donation, function, argument, donated, leaf);
      tree::visit(tree, leaves);
    };
    (one(I, std::get<I>(pack)), ...);
  }(std::make_index_sequence<std::tuple_size_v<Pack>>());
  if (donation->inputs.empty()) return nullptr;
  return donation;
}

/// Runs a program on buffers, and takes what is donated, if anything is. ValueError when a donated array is there
/// twice. The error is that of `op`, at `loc`.
void run_program(const char* op, const SourceLocation& loc, const Executable& program, const Donation* donation,
                 Arrays args, Arrays& outs);

/// DonatedError when one of the arrays was donated before.
void refuse_donated(std::string_view op, std::span<const Array> captured, std::span<const Array> arguments);

}  // namespace weft::api
