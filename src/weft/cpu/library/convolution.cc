#include "weft/cpu/library/convolution.h"

#ifdef WEFT_HAVE_ONEDNN
#include <dnnl.h>
#endif

#if defined(WEFT_HAVE_ONEDNN) && DNNL_VERSION_MAJOR == 2
#include <algorithm>
#include <dnnl.hpp>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "weft/base/thread_pool.h"
#include "weft/cpu/kernels/elementwise.h"
#include "weft/cpu/kernels/layout.h"
#include "weft/cpu/kernels/scratch.h"
#include "weft/cpu/library/one_thread.h"

namespace weft::cpu {
namespace {

using Computes = ConvolutionForm::Computes;
using Descriptor = dnnl::memory::desc;

// Never destroyed, like the library's own caches.
const dnnl::engine& engine() {
  static const dnnl::engine* const e = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *e;
}

dnnl::memory wrap(const Descriptor& d, const void* data) { return dnnl::memory(d, engine(), const_cast<void*>(data)); }

enum Place : std::size_t { kSrc, kWeights, kDst };
constexpr int kForwardArgs[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
constexpr int kSrcArgs[] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST};
constexpr int kWeightsArgs[] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST};

constexpr Place computed(Computes c) { return c == Computes::kDst ? kDst : c == Computes::kSrc ? kSrc : kWeights; }

// ---- how an array is described ----

// (n, g c, spatial) or, of weights, (o, c, spatial), with g in front when there are groups.
Descriptor describe(const ConvolutionForm& f, Place place, std::int64_t batch, bool any) {
  dnnl::memory::dims sizes, strides;
  const auto add = [&](std::int64_t size, std::int64_t stride) {
    sizes.push_back(size);
    strides.push_back(stride);
  };
  const Dims& spatial = place == kSrc ? f.src : place == kDst ? f.dst : f.kernel;
  const Dims& s = place == kSrc ? f.src_strides : place == kDst ? f.dst_strides : f.weights_strides;
  if (place == kWeights) {
    if (f.groups > 1) add(f.groups, s[0]);
    add(f.out_features, s[1]);
    add(f.in_features, s[2]);
  } else {
    add(batch, s[0]);
    add(f.groups * (place == kSrc ? f.in_features : f.out_features), s[2]);
  }
  for (std::size_t i = 0; i < spatial.size(); ++i) add(spatial[i], s[3 + i]);
  if (any) return Descriptor(sizes, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
  return Descriptor(sizes, dnnl::memory::data_type::f32, strides);
}

// Whether features are innermost and all else is dense around them: layouts that the library computes in as they are.
bool features_last(const ConvolutionForm& f, Place place) {
  const Dims& spatial = place == kSrc ? f.src : f.dst;
  const Dims& s = place == kSrc ? f.src_strides : f.dst_strides;
  std::int64_t step = f.groups * (place == kSrc ? f.in_features : f.out_features);
  if (s[2] != 1 && step != 1) return false;
  for (std::size_t i = spatial.size(); i-- > 0;) {
    if (spatial[i] != 1 && s[3 + i] != step) return false;
    step *= spatial[i];
  }
  return f.batch == 1 || s[0] == step;
}

dnnl::memory::dims list(const Dims& d, std::int64_t less = 0) {
  dnnl::memory::dims r;
  for (const std::int64_t v : d) r.push_back(v - less);
  return r;
}

// ---- one primitive ----

// The stream and the memory objects that a primitive is executed with.
struct Call {
  dnnl::stream stream{engine()};
  std::unordered_map<int, dnnl::memory> arguments;
};
// Calls that are over serve again: making one takes a percent of a small convolution.
class IdleCalls {
 public:
  /// Null when there is none.
  std::unique_ptr<Call> take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return nullptr;
    std::unique_ptr<Call> call = std::move(idle_.back());
    idle_.pop_back();
    return call;
  }
  void give_back(std::unique_ptr<Call> call) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(call));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Call>> idle_;
};

// The primitive for some examples and the layouts that it wants, with what brings each array into that layout.
struct Part {
  Descriptor user[3], own[3];
  dnnl::primitive primitive;
  dnnl::reorder reorder[3];  // to the own layout; of the computed array, from it
  Descriptor scratchpad;
  Place output;
  const int* names;
  std::unique_ptr<IdleCalls> idle = std::make_unique<IdleCalls>();

  bool reordered(Place p) const { return user[p] != own[p]; }

  void enter(Place p, const void* from, void* to) const { copy(p, wrap(user[p], from), wrap(own[p], to)); }
  void leave(Place p, const void* from, void* to) const { copy(p, wrap(own[p], from), wrap(user[p], to)); }
  // On arrays in the own layouts.
  void execute(void* const* arrays, void* scratch) const {
    std::unique_ptr<Call> call = idle->take();
    if (!call) {
      call = std::make_unique<Call>();
      for (const Place p : {kSrc, kWeights, kDst}) call->arguments.emplace(names[p], wrap(own[p], nullptr));
      call->arguments.emplace(DNNL_ARG_SCRATCHPAD, wrap(scratchpad, nullptr));
    }
    for (const Place p : {kSrc, kWeights, kDst}) call->arguments.at(names[p]).set_data_handle(arrays[p]);
    call->arguments.at(DNNL_ARG_SCRATCHPAD).set_data_handle(scratch);
    primitive.execute(call->stream, call->arguments);
    call->stream.wait();
    idle->give_back(std::move(call));
  }

 private:
  void copy(Place p, dnnl::memory from, dnnl::memory to) const {
    dnnl::stream stream(engine());
    reorder[p].execute(stream, from, to);
    stream.wait();
  }
};

template <class Description>
void finish(Part& part, const Description& pd, const Descriptor& src, const Descriptor& weights,
            const Descriptor& dst) {
  part.own[kSrc] = src;
  part.own[kWeights] = weights;
  part.own[kDst] = dst;
  part.scratchpad = pd.scratchpad_desc();
  for (const Place p : {kSrc, kWeights, kDst})
    // Sums of weights are made elsewhere than where they go.
    if (part.reordered(p) || (p == kWeights && p == part.output)) {
      const Descriptor &a = p == part.output ? part.own[p] : part.user[p],
                       &b = p == part.output ? part.user[p] : part.own[p];
      part.reorder[p] = dnnl::reorder(dnnl::reorder::primitive_desc(engine(), a, engine(), b));
    }
}

Part make_part(const ConvolutionForm& f, std::int64_t batch, dnnl::algorithm algorithm, bool any) {
  Part part;
  part.output = computed(f.computes);
  for (const Place p : {kSrc, kWeights, kDst}) part.user[p] = describe(f, p, batch, false);
  const Descriptor s = describe(f, kSrc, batch, any || !features_last(f, kSrc)), w = describe(f, kWeights, batch, true),
                   d = describe(f, kDst, batch, any || !features_last(f, kDst));
  dnnl::memory::dims high;
  for (std::size_t i = 0; i < f.src.size(); ++i)
    high.push_back(std::max<std::int64_t>(
        0, (f.dst[i] - 1) * f.stride[i] + (f.kernel[i] - 1) * f.dilation[i] - f.low[i] + 1 - f.src[i]));
  const auto stride = list(f.stride), dilation = list(f.dilation, 1), low = list(f.low);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  using Forward = dnnl::convolution_forward;
  const Forward::primitive_desc forward(
      Forward::desc(dnnl::prop_kind::forward_training, algorithm, s, w, d, stride, dilation, low, high), attributes,
      engine());
  switch (f.computes) {
    case Computes::kDst:
      part.names = kForwardArgs;
      finish(part, forward, forward.src_desc(), forward.weights_desc(), forward.dst_desc());
      part.primitive = Forward(forward);
      break;
    case Computes::kSrc: {
      using Backward = dnnl::convolution_backward_data;
      const Backward::primitive_desc pd(Backward::desc(algorithm, s, w, d, stride, dilation, low, high), attributes,
                                        engine(), forward);
      part.names = kSrcArgs;
      finish(part, pd, pd.diff_src_desc(), pd.weights_desc(), pd.diff_dst_desc());
      part.primitive = Backward(pd);
      break;
    }
    case Computes::kWeights: {
      using Backward = dnnl::convolution_backward_weights;
      const Backward::primitive_desc pd(Backward::desc(algorithm, s, w, d, stride, dilation, low, high), attributes,
                                        engine(), forward);
      part.names = kWeightsArgs;
      finish(part, pd, pd.src_desc(), pd.diff_weights_desc(), pd.diff_dst_desc());
      part.primitive = Backward(pd);
      break;
    }
  }
  return part;
}

// ---- how work is split ----

// For gradients of weights, and layouts that kernels/winograd.h does not serve: 3x3 at stride 1 by Winograd's way
// (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015): a quarter of the products, at the price
// of some bits.
bool winograd(const ConvolutionForm& f) {
  if (f.src.size() != 2 || f.groups != 1 || f.in_features % 16 || f.out_features % 16) return false;
  for (std::size_t i = 0; i < 2; ++i)
    if (f.kernel[i] != 3 || f.stride[i] != 1 || f.dilation[i] != 1 || f.low[i] > 1 || f.dst[i] < 6) return false;
  return true;
}
// 4x4 tiles of one call of it, about: enough that the weights pay, few enough for the caches.
constexpr std::int64_t kTiles = 400;
std::int64_t tiles_of(const ConvolutionForm& f) { return ((f.dst[0] + 3) / 4) * ((f.dst[1] + 3) / 4); }

constexpr std::int64_t kCallProducts = 1 << 22;   // of one call of the library, about, where examples are smaller
constexpr std::int64_t kRangeProducts = 1 << 21;  // worth another thread
constexpr std::int64_t kSums = 16;                // partial sums of weights
constexpr std::int64_t kSumElements = 1 << 24;    // of all of them together

// At most `most` of n at a time, in calls that differ least.
std::int64_t evenly(std::int64_t n, std::int64_t most) {
  const std::int64_t calls = (n - 1) / std::min(n, most) + 1;
  return (n - 1) / calls + 1;
}

class Convolution final : public LibraryConvolution {
 public:
  explicit Convolution(const ConvolutionForm& f) : form_(f) {
    const OneThread one;
    flip_ = false;
    for (const std::int64_t s : f.weights_strides) flip_ |= s < 0;
    if (flip_) make_weights_dense();
    split_features();
    dnnl::algorithm algorithm = dnnl::algorithm::convolution_direct;
    const std::int64_t work = piece_.products() / piece_.batch;
    step_ = evenly(piece_.batch, std::max<std::int64_t>(1, kCallProducts / std::max<std::int64_t>(1, work)));
    bool made = false;
    if (winograd(piece_) && piece_.batch * tiles_of(piece_) >= 64) {
      const std::int64_t examples = evenly(piece_.batch, std::max<std::int64_t>(1, kTiles / tiles_of(piece_)));
      try {
        main_ = make_part(piece_, examples, dnnl::algorithm::convolution_winograd, true);
        algorithm = dnnl::algorithm::convolution_winograd;
        step_ = examples;
        made = true;
      } catch (const dnnl::error&) {
        made = false;  // the direct way, below
      }
    }
    if (!made) main_ = make_part(piece_, step_, algorithm, false);
    if (piece_.batch % step_) {
      try {
        rest_ = make_part(piece_, piece_.batch % step_, algorithm, made);
      } catch (const dnnl::error&) {
        rest_ = make_part(piece_, piece_.batch % step_, dnnl::algorithm::convolution_direct, made);
      }
    }
    steps_ = (piece_.batch - 1) / step_ + 1;
  }

  bool run(float* src, float* weights, float* dst, const Epilogue* epilogue) const override {
    src += form_.src_begin;
    dst += form_.dst_begin;
    std::optional<Scratch> dense;
    if (flip_) dense.emplace(dense_weights() * 4);
    if (form_.computes == Computes::kWeights) {
      sum_weights(src, flip_ ? floats(*dense) : weights + form_.weights_begin, dst);
      if (flip_)
        copy_strided(4, weights_shape_, dense->data(), dense_strides_, weights + form_.weights_begin, user_strides_);
      return false;
    }
    if (flip_) {
      copy_strided(4, weights_shape_, weights + form_.weights_begin, user_strides_, dense->data(), dense_strides_);
      weights = floats(*dense);
    } else {
      weights += form_.weights_begin;
    }
    if (epilogue && !fits(epilogue->granule)) epilogue = nullptr;
    run_images(src, weights, dst, epilogue);
    return epilogue != nullptr;
  }

 private:
  static float* floats(const Scratch& s) { return reinterpret_cast<float*>(s.data()); }
  static std::int64_t bytes(const Descriptor& d) { return static_cast<std::int64_t>(d.get_size()); }

  // ---- weights that are read backwards go through a dense copy ----
  void make_weights_dense() {
    weights_shape_ = {form_.groups, form_.out_features, form_.in_features};
    for (const std::int64_t k : form_.kernel) weights_shape_.push_back(k);
    user_strides_ = form_.weights_strides;
    // Spatial axes, input features, output features: the order in which weights usually come.
    dense_strides_ = Dims(weights_shape_.size());
    std::int64_t step = 1;
    for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
      dense_strides_[i] = step;
      step *= weights_shape_[i];
    }
    for (std::size_t i = weights_shape_.size(); i-- > 3;) {
      dense_strides_[i] = step;
      step *= weights_shape_[i];
    }
    dense_strides_[0] = step;
    piece_ = form_;
    piece_.weights_strides = dense_strides_;
  }
  std::int64_t dense_weights() const { return product(weights_shape_); }

  // Few large examples: output features are split as well, evenly.
  void split_features() {
    if (!flip_) piece_ = form_;
    pieces_ = 1;
    if (piece_.groups > 1) return;
    std::int64_t& features = piece_.computes == Computes::kSrc ? piece_.in_features : piece_.out_features;
    while (pieces_ * piece_.batch < 8 && features % 32 == 0 && features >= 64 &&
           piece_.products() >= 2 * kCallProducts) {
      features /= 2;
      pieces_ *= 2;
    }
    piece_features_ = features;
  }

  const Part& part_of(std::int64_t step) const { return (step + 1) * step_ > piece_.batch ? rest_ : main_; }

  // Where piece q of the features of an array begins.
  std::int64_t piece_begin(Place p, std::int64_t q) const {
    if (pieces_ == 1) return 0;
    const bool of_src = form_.computes == Computes::kSrc;
    const std::int64_t first = q * piece_features_;
    if (p == kWeights) return first * piece_.weights_strides[of_src ? 2 : 1];
    if (p == kSrc) return of_src ? first * piece_.src_strides[2] : 0;
    return of_src ? 0 : first * piece_.dst_strides[2];
  }

  // Whether the result is dense, its examples one behind the other, and each call computes multiples of the granule.
  bool fits(std::int64_t granule) const {
    const bool in_place = form_.src_begin == 0 && form_.dst_begin == 0;
    if (pieces_ > 1 || !in_place || !features_last(form_, computed(form_.computes))) return false;
    return form_.batch > 1 && example_step() * step_ % granule == 0;
  }
  // From one example of the result to the next.
  std::int64_t example_step() const {
    return (form_.computes == Computes::kSrc ? form_.src_strides : form_.dst_strides)[0];
  }

  // dst or src, example by example; weights are brought into the library's layout once.
  void run_images(float* src, const float* weights, float* dst, const Epilogue* epilogue) const {
    const bool has_rest = piece_.batch % step_ != 0;
    const Part* kinds[2] = {&main_, has_rest ? &rest_ : nullptr};
    std::optional<Scratch> arranged[2];
    for (int i = 0; i < 2; ++i) {
      if (!kinds[i] || !kinds[i]->reordered(kWeights)) continue;
      if (i == 1 && main_.reordered(kWeights) && main_.own[kWeights] == rest_.own[kWeights]) continue;
      const std::int64_t each = bytes(kinds[i]->own[kWeights]);
      arranged[i].emplace(each * pieces_);
      const OneThread one;
      for (std::int64_t q = 0; q < pieces_; ++q)
        kinds[i]->enter(kWeights, weights + piece_begin(kWeights, q), arranged[i]->data() + q * each);
    }
    const std::int64_t work = piece_.products() / piece_.batch * step_;
    parallel_for(pieces_ * steps_, std::max<std::int64_t>(1, kRangeProducts / std::max<std::int64_t>(1, work)),
                 [&](std::int64_t begin, std::int64_t end) {
                   const OneThread one;
                   for (std::int64_t t = begin; t < end; ++t) {
                     const std::int64_t q = t % pieces_, step = t / pieces_;
                     const Part& part = part_of(step);
                     const float* w = weights + piece_begin(kWeights, q);
                     if (part.reordered(kWeights)) {
                       const Scratch& copy = *(&part == &rest_ && arranged[1] ? arranged[1] : arranged[0]);
                       w = floats(copy) + q * (bytes(part.own[kWeights]) / 4);
                     }
                     run_step(part, src + piece_begin(kSrc, q) + step * step_ * piece_.src_strides[0],
                              const_cast<float*>(w), dst + piece_begin(kDst, q) + step * step_ * piece_.dst_strides[0]);
                     if (!epilogue) continue;
                     epilogue->run(step * step_ * example_step(),
                                   std::min((step + 1) * step_, form_.batch) * example_step());
                   }
                 });
  }

  // One call; src and dst in the user's layout, weights in the library's.
  void run_step(const Part& part, float* src, float* weights, float* dst) const {
    void* arrays[3] = {src, weights, dst};
    std::optional<Scratch> own[3];
    for (const Place p : {kSrc, kDst})
      if (part.reordered(p)) {
        own[p].emplace(bytes(part.own[p]));
        if (p != part.output) part.enter(p, arrays[p], own[p]->data());
        arrays[p] = own[p]->data();
      }
    const Scratch scratch(std::max<std::int64_t>(64, bytes(part.scratchpad)));
    part.execute(arrays, scratch.data());
    if (part.output != kWeights && own[part.output])
      part.leave(part.output, own[part.output]->data(), part.output == kSrc ? src : dst);
  }

  // Weights are sums over examples: a fixed number of partial ones, each over its examples in order, then over those.
  void sum_weights(float* src, float* weights, float* dst) const {
    const std::int64_t elements = bytes(main_.own[kWeights]) / 4;
    const std::int64_t sums = std::clamp<std::int64_t>(
        std::min(kSumElements / elements / pieces_, piece_.products() / kRangeProducts), 1, std::min(kSums, steps_));
    const Scratch all(sums * pieces_ * elements * 4);
    // A rest whose weights have another layout is summed apart.
    const bool apart = piece_.batch % step_ != 0 && !(rest_.own[kWeights] == main_.own[kWeights]);
    const ElementwiseKernel& add = *find_binary(OpCode::kAdd, f32);
    const auto add_to = [&](float* sum, const float* more) {
      const char* in[2] = {reinterpret_cast<const char*>(sum), reinterpret_cast<const char*>(more)};
      add.loop(in, 0, reinterpret_cast<char*>(sum), elements);
    };
    const std::int64_t steps = apart ? steps_ - 1 : steps_;
    parallel_for(sums * pieces_, 1, [&](std::int64_t begin, std::int64_t end) {
      const OneThread one;
      const Scratch term(elements * 4);
      for (std::int64_t t = begin; t < end; ++t) {
        const std::int64_t q = t % pieces_, s = t / pieces_;
        float* sum = floats(all) + t * elements;
        const std::int64_t first = steps * s / sums, last = steps * (s + 1) / sums;
        for (std::int64_t step = first; step < last; ++step) {
          float* into = step == first ? sum : floats(term);
          run_step(part_of(step), src + piece_begin(kSrc, q) + step * step_ * piece_.src_strides[0], into,
                   dst + piece_begin(kDst, q) + step * step_ * piece_.dst_strides[0]);
          if (into != sum) add_to(sum, into);
        }
        if (first == last) std::fill(sum, sum + elements, 0.0f);
      }
    });
    const OneThread one;
    for (std::int64_t q = 0; q < pieces_; ++q) {
      float* sum = floats(all) + q * elements;
      for (std::int64_t s = 1; s < sums; ++s) add_to(sum, floats(all) + (s * pieces_ + q) * elements);
      float* to = weights + piece_begin(kWeights, q);
      main_.leave(kWeights, sum, to);
    }
    if (apart) add_rest(src, weights, dst);
  }

  void add_rest(float* src, float* weights, float* dst) const {
    const Scratch term(bytes(rest_.own[kWeights])), plain(bytes(main_.own[kWeights]));
    const ElementwiseKernel& add = *find_binary(OpCode::kAdd, f32);
    // Through a dense copy in the user's order of axes.
    Dims shape{piece_.groups, piece_.out_features, piece_.in_features};
    for (const std::int64_t k : piece_.kernel) shape.push_back(k);
    const Dims dense = row_major_strides(shape);
    ConvolutionForm packed = piece_;
    packed.weights_strides = dense;
    const Descriptor packed_weights = describe(packed, kWeights, 1, false);
    const std::int64_t n = product(shape);
    const Scratch one_sum(n * 4), more(n * 4);
    for (std::int64_t q = 0; q < pieces_; ++q) {
      const std::int64_t step = steps_ - 1;
      run_step(rest_, src + piece_begin(kSrc, q) + step * step_ * piece_.src_strides[0], floats(term),
               dst + piece_begin(kDst, q) + step * step_ * piece_.dst_strides[0]);
      dnnl::stream stream(engine());
      dnnl::memory a = wrap(rest_.own[kWeights], term.data()), b = wrap(packed_weights, more.data());
      dnnl::reorder(a, b).execute(stream, a, b);
      stream.wait();
      float* to = weights + piece_begin(kWeights, q);
      copy_strided(4, shape, to, piece_.weights_strides, one_sum.data(), dense);
      const char* in[2] = {one_sum.data(), more.data()};
      add.loop(in, 0, one_sum.data(), n);
      copy_strided(4, shape, one_sum.data(), dense, to, piece_.weights_strides);
    }
  }

  ConvolutionForm form_, piece_;  // piece_: what one piece of the features is, its weights not read backwards
  bool flip_;
  Dims weights_shape_, user_strides_, dense_strides_;
  std::int64_t step_ = 1, steps_ = 1, pieces_ = 1, piece_features_ = 0;
  Part main_, rest_;  // step_ examples, and what is left over
};

// ---- the cache ----

std::vector<std::int64_t> key_of(const ConvolutionForm& f) {
  std::vector<std::int64_t> key{static_cast<std::int64_t>(f.computes),
                                f.batch,
                                f.groups,
                                f.in_features,
                                f.out_features,
                                f.src_begin,
                                f.weights_begin,
                                f.dst_begin};
  for (const Dims* d :
       {&f.src, &f.dst, &f.kernel, &f.stride, &f.dilation, &f.low, &f.src_strides, &f.weights_strides, &f.dst_strides})
    key.insert(key.end(), d->begin(), d->end());
  return key;
}

struct Cache {
  static constexpr std::size_t kEntries = 256;
  using Entry = std::pair<std::vector<std::int64_t>, std::shared_ptr<const LibraryConvolution>>;
  std::mutex mutex;
  std::list<Entry> entries;  // used last, first
};

}  // namespace

std::shared_ptr<const LibraryConvolution> library_convolution(const ConvolutionForm& form) {
  if (form.src.empty() || form.src.size() > 3) return nullptr;
  // The library counts in 32 bits here and there.
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  for (const Dims* d : {&form.src, &form.dst, &form.kernel, &form.stride, &form.dilation, &form.low})
    for (const std::int64_t v : *d)
      if (v > kMost) return nullptr;
  static Cache* const cache = new Cache;  // outlives every thread
  std::vector<std::int64_t> key = key_of(form);
  {
    const std::lock_guard lock(cache->mutex);
    for (auto i = cache->entries.begin(); i != cache->entries.end(); ++i)
      if (i->first == key) {
        cache->entries.splice(cache->entries.begin(), cache->entries, i);
        return i->second;
      }
  }
  std::shared_ptr<const LibraryConvolution> made;
  try {
    made = std::make_shared<Convolution>(form);
  } catch (const dnnl::error&) {
    made = nullptr;  // the library declines, now and later
  }
  const std::lock_guard lock(cache->mutex);
  cache->entries.emplace_front(std::move(key), made);
  if (cache->entries.size() > Cache::kEntries) cache->entries.pop_back();
  return made;
}

}  // namespace weft::cpu

#else

namespace weft::cpu {
std::shared_ptr<const LibraryConvolution> library_convolution(const ConvolutionForm&) { return nullptr; }
}  // namespace weft::cpu

#endif
