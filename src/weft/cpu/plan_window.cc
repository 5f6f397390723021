#include "weft/cpu/plan_window.h"

#include "weft/cpu/kernels/convolution.h"
#include "weft/cpu/kernels/elementwise.h"
#include "weft/cpu/kernels/scratch.h"
#include "weft/cpu/kernels/window.h"
#include "weft/cpu/kernels/winograd.h"
#include "weft/cpu/library/convolution.h"

namespace weft::cpu {

namespace {

// Convolutions of fewer products run by patches: as fast there, and the library generates code for every new one.
constexpr std::int64_t kFormProducts = 1 << 20;

// The library has reference code alone for groups of one input feature and several others, which the gradients of
// kernels for each example are: patches take a thirtieth of its time.
bool better_by_patches(const ConvolutionForm& f) {
  const bool one_to_many = f.groups > 1 && f.in_features == 1 && f.out_features > 1;
  return f.products() < kFormProducts || (one_to_many && f.computes == ConvolutionForm::Computes::kDst);
}

// A 16-bit operand as f32.
class Widened {
 public:
  Widened(Aval a, const void* data) : data_(a.size() * 4) {
    run_flat(*find_convert(a.dtype(), f32), a.size(), &data, 0, data_.data());
  }
  float* data() const { return reinterpret_cast<float*>(data_.data()); }

 private:
  Scratch data_;
};

// As WindowPlan::run.
using FormRun = std::function<bool(float* src, float* weights, float* dst, const Epilogue* epilogue)>;

// What computes an f32 convolution of that form; null when nothing does but patches.
FormRun plan_form(const ConvolutionForm& form) {
  if (can_winograd(form))
    return [form](float* src, float* weights, float* dst, const Epilogue* epilogue) {
      return winograd(form, src, weights, dst, epilogue);
    };
  if (auto c = library_convolution(form))
    return [c](float* src, float* weights, float* dst, const Epilogue* epilogue) {
      return c->run(src, weights, dst, epilogue);
    };
  return nullptr;
}

bool run_form(const FormRun& run, const ConvolutionRoles& roles, float* lhs, float* rhs, float* out,
              const Epilogue* epilogue) {
  float *first = roles.exchanged ? rhs : lhs, *second = roles.exchanged ? lhs : rhs;
  switch (roles.form.computes) {
    case ConvolutionForm::Computes::kDst: return run(first, second, out, epilogue);
    case ConvolutionForm::Computes::kSrc: return run(out, first, second, epilogue);
    case ConvolutionForm::Computes::kWeights: return run(first, out, second, epilogue);
  }
  throw InternalError("convolution: unknown role");
}

WindowPlan plan_convolution(const ir::Params& kept, std::span<const Aval> in, Aval out) {
  const auto& p = ir::params_as<ConvolutionParams>(kept.get());
  const DType t = in[0].dtype(), result = out.dtype();
  if (!can_convolve(t, result)) return {};
  const Aval lhs = in[0], rhs = in[1];
  const bool small_float = t == f16 || t == bf16;
  if ((t == f32 || small_float) && lhs.size() > 0 && rhs.size() > 0 && out.size() > 0) {
    const auto roles = convolution_roles(p, lhs.shape(), rhs.shape(), out.shape());
    if (roles && !better_by_patches(roles->form)) {
      if (FormRun run = plan_form(roles->form)) {
        if (!small_float)
          return {[run, roles = *roles](const void* const* x, void* const* y, const Epilogue* epilogue) {
                    return run_form(run, roles, static_cast<float*>(const_cast<void*>(x[0])),
                                    static_cast<float*>(const_cast<void*>(x[1])), static_cast<float*>(y[0]), epilogue);
                  },
                  true};
        const bool direct = result == f32;
        auto widened = [run, roles = *roles, lhs, rhs, out](const void* const* x, void* const* y,
                                                            const Epilogue* epilogue) {
          const Widened a(lhs, x[0]), b(rhs, x[1]);
          if (out.dtype() == f32) return run_form(run, roles, a.data(), b.data(), static_cast<float*>(y[0]), epilogue);
          const Scratch sums(out.size() * 4);
          run_form(run, roles, a.data(), b.data(), reinterpret_cast<float*>(sums.data()), nullptr);
          const void* from = sums.data();
          run_flat(*find_convert(f32, out.dtype()), out.size(), &from, 0, y[0]);
          return false;
        };
        return {std::move(widened), direct};
      }
    }
  }
  return {[kept, lhs, rhs, out](const void* const* x, void* const* y, const Epilogue*) {
    convolve_patches(ir::params_as<ConvolutionParams>(kept.get()), lhs.dtype(), out.dtype(), lhs.shape(), rhs.shape(),
                     out.shape(), x[0], x[1], y[0]);
    return false;
  }};
}

WindowPlan plan_reduce_window(const ReduceWindowParams& p, Aval in) {
  if (!can_reduce_window(p.kind, in.dtype())) return {};
  auto window = SlidingWindow::make(p.window, in.shape());
  if (!window) return {};
  return {[window = std::move(*window), op = window_op(p.kind, in.dtype()), t = in.dtype()](
              const void* const* x, void* const* y, const Epilogue* epilogue) {
            return window.reduce(op, t, x[0], y[0], epilogue);
          },
          true};
}

WindowPlan plan_select(const WindowSelectParams& p, Aval in, bool scatter) {
  if (!can_select_window(in.dtype())) return {};
  auto window = SlidingWindow::make(p.window, in.shape());
  if (!window) return {};
  return {[window = std::move(*window), select = p.select, t = in.dtype(), scatter](const void* const* x,
                                                                                    void* const* y, const Epilogue*) {
    if (scatter)
      window.select_and_scatter(select, t, x[0], x[1], y[0]);
    else
      window.select_and_gather(select, t, x[0], x[1], y[0]);
    return false;
  }};
}

}  // namespace

WindowPlan plan_window(OpCode op, const ir::ParamsBase* params, std::span<const Aval> in, std::span<const Aval> out) {
  switch (op) {
    case OpCode::kConvolution: return plan_convolution(ir::Params::share(params), in, out[0]);
    case OpCode::kReduceWindow: return plan_reduce_window(ir::params_as<ReduceWindowParams>(params), in[0]);
    case OpCode::kSelectAndScatter: return plan_select(ir::params_as<WindowSelectParams>(params), in[0], true);
    case OpCode::kSelectAndGatherAdd: return plan_select(ir::params_as<WindowSelectParams>(params), in[0], false);
    default: throw InternalError("plan_window: not an operation of windows");
  }
}

}  // namespace weft::cpu
