// Chains of layers, and layers on inputs with several axes of batch.
#pragma once

#include <memory>

#include "nn/module.h"
#include "weft/core/tree.h"

namespace weft::nn {

/// A module or a function of one array, as an element of a chain: nn::Dense{...}, nn::relu, a lambda.
class Layer {
 public:
  template <class M>
    requires detail::IsModule<M>
  Layer(const M& module) : held_(std::make_unique<OfModule<M>>(module)) {}  // implicit by design, as the others
  /// Of the functions of this name, that of one array.
  Layer(Array (*function)(const Arg& x)) : held_(std::make_unique<OfFunction<Array (*)(const Arg&)>>(function)) {}
  template <class F>
    requires(!detail::IsModule<F> && !std::is_same_v<F, Layer> && std::is_invocable_r_v<Array, const F&, const Array&>)
  Layer(F function) : held_(std::make_unique<OfFunction<F>>(std::move(function))) {}
  Layer(const Layer& other) : held_(other.held_->copy()) {}
  Layer(Layer&&) = default;
  Layer& operator=(Layer other) {
    held_ = std::move(other.held_);
    return *this;
  }
  ~Layer() = default;

  Array operator()(const Array& x) const { return held_->call(x); }
  /// Tells the module, if it is one.
  void visit_modules(const std::string& name, detail::MemberVisitor& visitor) const { held_->visit(name, visitor); }

 private:
  // Modules stay where they are, and copies are other ones: they are known by their addresses.
  struct Held {
    virtual ~Held() = default;
    virtual Array call(const Array& x) const = 0;
    virtual void visit(const std::string& name, detail::MemberVisitor& visitor) const = 0;
    virtual std::unique_ptr<Held> copy() const = 0;
  };
  template <class M>
  struct OfModule final : Held {
    explicit OfModule(const M& m) : module(m) {}
    Array call(const Array& x) const override { return module.call_at(current_location(), x); }
    void visit(const std::string& name, detail::MemberVisitor& visitor) const override {
      detail::visit_member(name, module, visitor);
    }
    std::unique_ptr<Held> copy() const override { return std::make_unique<OfModule>(module); }
    M module;
  };
  template <class F>
  struct OfFunction final : Held {
    explicit OfFunction(F f) : function(std::move(f)) {}
    Array call(const Array& x) const override { return function(x); }
    void visit(const std::string&, detail::MemberVisitor&) const override {}
    std::unique_ptr<Held> copy() const override { return std::make_unique<OfFunction>(function); }
    F function;
  };
  std::unique_ptr<Held> held_;
};

/// y = layers[n - 1](... layers[1](layers[0](x))). Modules among them are called layers_0, layers_1, ..., by their
/// place in the chain, in which functions count, as those in vectors are. ValueError for an empty chain.
struct Sequential : Module<Sequential> {
  std::vector<Layer> layers;
  std::string name = {};
  Array call(const Array& x) const;
};

namespace detail {

/// x[i..., :] with its first `num_dims` axes, whose sizes are `sizes`, as one; x itself where it has fewer. Without
/// sizes these are x's. ShapeError for others.
Array with_axes_merged(const Array& x, int num_dims, std::optional<Dims>& sizes);
/// The other way round: the first axis becomes those of these sizes. ShapeError unless it has as many elements.
Array with_axis_split(const Array& x, DimSpan sizes);
/// ValueError for a number of axes that is not positive, and where no array had so many.
void check_batch_axes(int num_dims, bool found);

}  // namespace detail

/// f(args...) over several axes of batch, as of time and examples in x[time, n, ...]: the first `num_dims` axes of each
/// array in the arguments become one, and the first axis of each in the result becomes those again. Arrays of fewer
/// axes, and what is no array, are handed on as they are. f is a module or a function:
///   nn::BatchApply{nn::Conv{.features = 32, .kernel_size = {3, 3}}}(videos)
/// It is no module itself: one in it has its name and variables where it is called, as without it; one that stands
/// there by name, as encoder in nn::BatchApply{encoder}(x), is referred to, not copied. ValueError where no array has
/// so many axes, ShapeError where arrays differ in their sizes, and for a result whose first size is another than that
/// of the merged axes.
template <class F>
struct BatchApply {
  F f;
  int num_dims = 2;
  SourceLocation location = std::source_location::current();  // where it was made, which errors blame

  template <class... A>
  auto operator()(const A&... args) const {
    const LocationScope scope(location);
    std::optional<Dims> sizes;  // of the axes that are merged
    const auto merge = [&](const Array& x) { return detail::with_axes_merged(x, num_dims, sizes); };
    detail::check_batch_axes(num_dims, true);
    // In braces: the first is the leftmost.
    const std::tuple<A...> merged{tree::map(merge, args)...};
    detail::check_batch_axes(num_dims, sizes.has_value());
    const auto call = [&](const A&... a) { return f(a...); };
    return tree::map([&](const Array& y) { return detail::with_axis_split(y, *sizes); }, std::apply(call, merged));
  }
};
template <class F>
BatchApply(F&&, int = 2) -> BatchApply<F>;

}  // namespace weft::nn
