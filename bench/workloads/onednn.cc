// The peer oneDNN, called as its own users would: operands lie ready in the layouts that it likes (for "any" in a
// name), results go into memory that is there already, and it has its own threads.
#ifdef WEFT_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "case.h"

extern "C" void omp_set_num_threads(int);

namespace workloads {

namespace {

using dnnl::algorithm, dnnl::prop_kind;
using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;
using Dims = memory::dims;
constexpr Type kF32 = Type::f32;

const dnnl::engine& engine() {
  static const dnnl::engine* const e = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *e;
}

memory filled(const memory::desc& d) {
  memory m(d, engine());
  const std::size_t bytes = d.get_size();
  if (d.data_type() == Type::bf16) {
    auto* p = static_cast<std::uint16_t*>(m.get_data_handle());
    for (std::size_t i = 0; i < bytes / 2; ++i) p[i] = 0x3f80;  // one
  } else {
    auto* p = static_cast<float*>(m.get_data_handle());
    for (std::size_t i = 0; i < bytes / 4; ++i) p[i] = static_cast<float>(i * 7 % 13) * .1f - .6f;
  }
  return m;
}

Runnable runnable(const dnnl::primitive& p, std::unordered_map<int, memory> args, int threads) {
  return {[=, args = std::move(args)] {
    static dnnl::stream stream(engine());
    omp_set_num_threads(threads);
    p.execute(stream, args);
    stream.wait();
    omp_set_num_threads(1);  // Weft, in the same process, calls the library from threads of its own
  }};
}

void add(Cases& cases, const std::string& workload, const std::string& params, Amount amount,
         std::function<Runnable(int threads)> prepare) {
  cases.push_back({"onednn", workload, params, amount, [prepare = std::move(prepare)](int threads) {
                     omp_set_num_threads(threads);  // which implementation is chosen goes by it
                     return prepare(threads);
                   }});
}

void add_product(Cases& cases, const std::string& workload, const std::string& params, const Dims& a, const Dims& b,
                 Type type) {
  const bool batched = a.size() == 3;
  const auto n = [](const Dims& d, std::size_t from_end) { return static_cast<double>(d[d.size() - from_end]); };
  const double flops = 2 * n(a, 2) * n(a, 1) * n(b, 1) * (batched ? static_cast<double>(a[0]) : 1);
  for (const bool any : {false, true}) {
    if (any && batched) continue;
    const std::string name = workload + (any ? "_any" : "");
    add(cases, name, params, {.flops = flops}, [=](int threads) {
      const Tag plain = batched ? Tag::abc : Tag::ab;
      Dims c = a;
      c.back() = b.back();
      const dnnl::matmul::primitive_desc pd(
          dnnl::matmul::desc({a, type, plain}, {b, type, any ? Tag::any : plain}, {c, type, plain}), engine());
      return runnable(dnnl::matmul(pd),
                      {{DNNL_ARG_SRC, filled(pd.src_desc())},
                       {DNNL_ARG_WEIGHTS, filled(pd.weights_desc())},
                       {DNNL_ARG_DST, filled(pd.dst_desc())}},
                      threads);
    });
  }
}

void add_convolution(Cases& cases, std::int64_t in, std::int64_t size, std::int64_t out) {
  const std::string side = std::to_string(size);
  const std::string params = "32x" + side + "x" + side + "x" + std::to_string(in) + "->" + std::to_string(out);
  const double flops = 2.0 * 32 * 9 * static_cast<double>(size * size * in * out);
  const std::pair<const char*, Tag> layouts[] = {{"conv3x3_nhwc", Tag::nhwc}, {"conv3x3_any", Tag::any}};
  for (const auto& [name, tag] : layouts)
    add(cases, name, params, {.flops = flops}, [=](int threads) {
      const memory::desc s({32, in, size, size}, kF32, tag), w({out, in, 3, 3}, kF32, Tag::any),
          d({32, out, size, size}, kF32, tag);
      const Dims one{1, 1};
      const dnnl::convolution_forward::primitive_desc pd(
          dnnl::convolution_forward::desc(prop_kind::forward_training, algorithm::convolution_auto, s, w, d, one, one,
                                          one),
          engine());
      return runnable(dnnl::convolution_forward(pd),
                      {{DNNL_ARG_SRC, filled(pd.src_desc())},
                       {DNNL_ARG_WEIGHTS, filled(pd.weights_desc())},
                       {DNNL_ARG_DST, filled(pd.dst_desc())}},
                      threads);
    });
}

void add_pooling(Cases& cases, const char* workload, algorithm way) {
  add(cases, workload, "32x56x56x64", {.bytes = 5.0 * 32 * 56 * 56 * 64}, [=](int threads) {
    const memory::desc s({32, 64, 56, 56}, kF32, Tag::nhwc), d({32, 64, 28, 28}, kF32, Tag::nhwc);
    const dnnl::pooling_forward::primitive_desc pd(
        dnnl::pooling_forward::desc(prop_kind::forward_inference, way, s, d, {2, 2}, {2, 2}, {0, 0}, {0, 0}), engine());
    return runnable(dnnl::pooling_forward(pd), {{DNNL_ARG_SRC, filled(s)}, {DNNL_ARG_DST, filled(d)}}, threads);
  });
}

void add_elementwise(Cases& cases, const char* workload, algorithm way) {
  add(cases, workload, "10M", {.bytes = 8e7}, [=](int threads) {
    const memory::desc d({10'000'000}, kF32, Tag::a);
    const dnnl::eltwise_forward::primitive_desc pd(
        dnnl::eltwise_forward::desc(prop_kind::forward_inference, way, d, 0, 0), engine());
    return runnable(dnnl::eltwise_forward(pd), {{DNNL_ARG_SRC, filled(d)}, {DNNL_ARG_DST, filled(d)}}, threads);
  });
}

void add_rows_of_library(Cases& cases) {
  add(cases, "softmax", "4096x1024", {.bytes = 8.0 * 4096 * 1024}, [](int threads) {
    const memory::desc d({4096, 1024}, kF32, Tag::ab);
    const dnnl::softmax_forward::primitive_desc pd(dnnl::softmax_forward::desc(prop_kind::forward_inference, d, 1),
                                                   engine());
    return runnable(dnnl::softmax_forward(pd), {{DNNL_ARG_SRC, filled(d)}, {DNNL_ARG_DST, filled(d)}}, threads);
  });
  add(cases, "layernorm", "8192x768", {.bytes = 8.0 * 8192 * 768}, [](int threads) {
    const memory::desc d({8192, 768}, kF32, Tag::ab), row({768}, kF32, Tag::a);
    using dnnl::normalization_flags;
    const dnnl::layer_normalization_forward::primitive_desc pd(
        dnnl::layer_normalization_forward::desc(prop_kind::forward_inference, d, 1e-5f,
                                                normalization_flags::use_scale | normalization_flags::use_shift),
        engine());
    return runnable(dnnl::layer_normalization_forward(pd),
                    {{DNNL_ARG_SRC, filled(d)},
                     {DNNL_ARG_DST, filled(d)},
                     {DNNL_ARG_SCALE, filled(row)},
                     {DNNL_ARG_SHIFT, filled(row)}},
                    threads);
  });
}

// The library's own recurrent layer, the same as lstm.cc's.
void add_recurrent(Cases& cases) {
  constexpr std::int64_t kWidth = 256, kSteps = 64, kBatch = 32;
  add(cases, "infer_lstm", "h256 s64 b32", {.flops = 2.0 * kSteps * kBatch * 4 * kWidth * 2 * kWidth}, [](int threads) {
    const memory::desc x({kSteps, kBatch, kWidth}, kF32, Tag::tnc), weights({1, 1, kWidth, 4, kWidth}, kF32, Tag::any),
        bias({1, 1, 4, kWidth}, kF32, Tag::ldgo);
    const dnnl::lstm_forward::primitive_desc pd(
        dnnl::lstm_forward::desc(prop_kind::forward_inference, dnnl::rnn_direction::unidirectional_left2right, x, {},
                                 {}, weights, weights, bias, x, {}, {}),
        engine());
    return runnable(dnnl::lstm_forward(pd),
                    {{DNNL_ARG_SRC_LAYER, filled(x)},
                     {DNNL_ARG_WEIGHTS_LAYER, filled(pd.weights_layer_desc())},
                     {DNNL_ARG_WEIGHTS_ITER, filled(pd.weights_iter_desc())},
                     {DNNL_ARG_BIAS, filled(bias)},
                     {DNNL_ARG_DST_LAYER, filled(x)}},
                    threads);
  });
}

}  // namespace

void add_onednn(Cases& cases) {
  const auto square = [&](const char* workload, std::int64_t n, Type type) {
    add_product(cases, workload, std::to_string(n), {n, n}, {n, n}, type);
  };
  add_product(cases, "gemm_f32", "128x512x784", {128, 784}, {784, 512}, kF32);
  add_product(cases, "gemm_f32", "1024x1024x256", {1024, 256}, {256, 1024}, kF32);
  for (const std::int64_t n : {512, 1024, 2048, 5000}) square("gemm_f32", n, kF32);
  for (const std::int64_t n : {1024, 2048}) square("gemm_bf16", n, Type::bf16);
  add_product(cases, "bgemm_f32", "64x128^3", {64, 128, 128}, {64, 128, 128}, kF32);
  add_product(cases, "gemv_f32", "1024", {1024, 1024}, {1024, 1}, kF32);
  add_elementwise(cases, "unary_exp", algorithm::eltwise_exp);
  add_elementwise(cases, "unary_tanh", algorithm::eltwise_tanh);
  add_rows_of_library(cases);
  add_convolution(cases, 64, 56, 64);
  add_convolution(cases, 1, 28, 32);
  add_pooling(cases, "maxpool2x2", algorithm::pooling_max);
  add_pooling(cases, "avgpool2x2", algorithm::pooling_avg);
  add_recurrent(cases);
}

}  // namespace workloads
#endif
