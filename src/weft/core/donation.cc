#include "weft/core/donation.h"

#include <algorithm>
#include <mutex>

#include "weft/base/error.h"

namespace weft::detail {

namespace {

class DonationNote final : public Storage {
 public:
  explicit DonationNote(std::string to)
      : Storage(
            nullptr, 0, [](Storage* s) { delete static_cast<DonationNote*>(s); }, /*writable=*/false),
        to_(std::move(to)) {}
  const std::string& to() const { return to_; }

 private:
  std::string to_;
};

// Held while arrays change, so that two calls cannot take the same one, and while a note is read.
std::mutex& donating() {
  static std::mutex* const mutex = new std::mutex;
  return *mutex;
}

const BufferValue& value_of(const Array& a) { return static_cast<const BufferValue&>(*a.id()); }
const DonationNote& note_of(const Array& a) { return static_cast<const DonationNote&>(*value_of(a).storage()); }

[[noreturn]] void throw_used(std::string_view op, std::string_view what, const Array& a, const std::string& to) {
  throw DonatedError(std::string(op) + ": " + std::string(what) + " must hold values; got " + a.aval().str() +
                         ", which was donated as " + to + ".",
                     "that call has its memory now: use what it returned, or pass it a copy, np::copy(x).");
}

}  // namespace

Ref<Storage> donation_note(std::string to) { return Ref<Storage>::adopt(new DonationNote(std::move(to))); }

void take_donated(std::string_view op, Arrays& args, std::span<const std::uint32_t> inputs,
                  std::span<const Ref<Storage>> notes) {
  const std::unique_lock lock(donating());
  Arrays taken;  // what the caller has
  const auto refuse = [&](const Array& a) {
    const bool twice = std::any_of(taken.begin(), taken.end(), [&](const Array& t) { return t.identical(a); });
    const std::string to = note_of(a).to();
    for (std::size_t i = 0; i < taken.size(); ++i) value_of(taken[i]).give_back(args[inputs[i]].buffer()->storage());
    if (!twice) throw_used(op, "arguments", a, to);  // another thread was faster
    throw ValueError(std::string(op) + ": an array that is donated must be passed once; got " + a.aval().str() +
                         ", donated as " + to + ", in two places.",
                     "give one of them a copy: np::copy(x).");
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Array& a = args[inputs[i]];
    if (a.is_donated()) refuse(a);
    const BufferValue& b = value_of(a);
    const std::uint32_t repeated = b.repeated();
    Array moved(Ref<const Value>::adopt(new BufferValue(b.aval(), b.take(notes[i]), repeated)));
    taken.push_back(std::exchange(a, std::move(moved)));
  }
  for (const Array& a : args)
    if (a.is_donated()) refuse(a);
}

bool may_be_overwritten(const Array& a) {
  const BufferValue* b = a.buffer();
  return b && b->dense() && b->unique() && b->storage()->unique() && b->storage()->writable();
}

void throw_donated(std::string_view op, std::string_view what, const Array& a) {
  std::string to;
  {
    const std::unique_lock lock(donating());
    if (a.is_donated()) to = note_of(a).to();
  }
  throw_used(op, what, a, to);
}

}  // namespace weft::detail
