// The workloads of bench/README.md in libtorch's C++ interface. `libtorch THREADS` serves them over stdin and
// stdout (bench/serve.hpp).
#include <torch/torch.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "../serve.hpp"
#include "../workload.hpp"

namespace {

using bench::Workload;
using torch::Tensor;
using Step = std::function<void()>;

// So small that the weights stay where they are: at 1e-3 a fast system would do 100,000 steps in a run and be
// timed on saturated units and denormal moments, a slow one would not. A step costs the same at any rate.
constexpr double learning_rate = 1e-6;
constexpr int batches = 8;

void add(const std::string& name, std::function<Step()> make, double units = 1) {
  bench::workloads().push_back({name, "libtorch", [make](int) { return make(); }, units});
}

/// 250 times { a = y x, b = y + x, y = a + b, y = y x }: 1000 operations on 0-d tensors, forward and
/// backward.
Step chain() {
  Tensor x = torch::full({}, 0.5F, torch::requires_grad());
  return [x]() mutable {
    x.mutable_grad().reset();
    Tensor y = x;
    for (int i = 0; i < 250; ++i) {
      const Tensor a = y * x;
      const Tensor b = y + x;
      y = a + b;
      y = y * x;
    }
    y.backward();
  };
}

/// A training step: zero gradients, forward, loss, backward, Adam, over batches that take turns.
template <class Loss>
Step training(torch::nn::Sequential model, std::vector<Tensor> xs, std::vector<Tensor> ys, Loss loss) {
  auto adam =
      std::make_shared<torch::optim::Adam>(model->parameters(), torch::optim::AdamOptions(learning_rate));
  return [=, i = std::size_t{0}]() mutable {
    adam->zero_grad();
    loss(model->forward(xs[i]), ys[i]).backward();
    adam->step();
    i = (i + 1) % xs.size();
  };
}

Tensor bce(const Tensor& prediction, const Tensor& target) {
  return torch::binary_cross_entropy(prediction, target);
}
Tensor cross_entropy(const Tensor& logits, const Tensor& target) {
  return torch::cross_entropy_loss(logits, target);
}

Step exclusive_or() {
  torch::manual_seed(1);
  namespace nn = torch::nn;
  nn::Sequential model(nn::Linear(2, 10), nn::ReLU(), nn::Linear(10, 1), nn::Sigmoid());
  std::vector<Tensor> xs, ys;
  for (int i = 0; i < 4; ++i) {
    xs.push_back(torch::tensor({{float(i / 2), float(i % 2)}}));
    ys.push_back(torch::tensor({{float(i / 2 != i % 2)}}));
  }
  return training(model, xs, ys, bce);
}

Step binary_classifier() {
  torch::manual_seed(1);
  namespace nn = torch::nn;
  nn::Sequential model(nn::Linear(8, 10), nn::ReLU(), nn::Linear(10, 8), nn::ReLU(), nn::Linear(8, 1),
                       nn::Sigmoid());
  std::vector<Tensor> xs, ys;
  for (int i = 0; i < batches; ++i) {
    xs.push_back(torch::rand({32, 8}));
    ys.push_back(torch::randint(2, {32, 1}).to(torch::kFloat32));
  }
  return training(model, xs, ys, bce);
}

torch::nn::Sequential mlp_model() {
  namespace nn = torch::nn;
  return nn::Sequential(nn::Linear(784, 512), nn::ReLU(), nn::Linear(512, 512), nn::ReLU(),
                        nn::Linear(512, 10));
}

Step mlp(int batch) {
  torch::manual_seed(1);
  std::vector<Tensor> xs, ys;
  for (int i = 0; i < batches; ++i) {
    xs.push_back(torch::rand({batch, 784}));
    ys.push_back(torch::randint(10, {batch}));
  }
  return training(mlp_model(), xs, ys, cross_entropy);
}

Step inference() {
  torch::manual_seed(1);
  torch::nn::Sequential model = mlp_model();
  const Tensor x = torch::rand({1, 784});
  return [=]() mutable {
    const torch::NoGradGuard guard;
    model->forward(x);
  };
}

/// One pass of the fused Adam over 10M parameters in ten tensors.
Step adam() {
  const auto ten = [](double value) {
    std::vector<Tensor> list;
    for (int i = 0; i < 10; ++i) list.push_back(torch::full({1000, 1000}, value, torch::kFloat32));
    return list;
  };
  std::vector<Tensor> steps;
  for (int i = 0; i < 10; ++i) steps.push_back(torch::full({}, 1.0F));
  return [p = ten(0.5), g = ten(0.01), m = ten(0), v = ten(0), steps]() mutable {
    for (Tensor& step : steps) step += 1;
    at::_fused_adam_(p, g, m, v, {}, steps, learning_rate, 0.9, 0.999, 0.0, 1e-8, false, false);
  };
}

Tensor gelu_written_out(const Tensor& x) {
  return 0.5 * x * (1 + torch::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}

/// y = f(x), then the gradient of x and of further leaves for a given cotangent.
Step forward_backward(std::vector<Tensor> leaves, std::function<Tensor(const std::vector<Tensor>&)> f) {
  for (Tensor& leaf : leaves) leaf.requires_grad_();
  const Tensor cotangent = torch::rand_like(leaves[0]);
  return [=]() mutable {
    for (Tensor& leaf : leaves) leaf.mutable_grad().reset();
    f(leaves).backward(cotangent);
  };
}

/// The gradient of Σ f(x).
Step gradient_of_sum(Tensor x, Tensor (*f)(const Tensor&)) {
  x.requires_grad_();
  return [=]() mutable {
    x.mutable_grad().reset();
    f(x).sum().backward();
  };
}

Step forward_only(std::vector<Tensor> inputs, std::function<Tensor(const std::vector<Tensor>&)> f) {
  return [=] {
    const torch::NoGradGuard guard;
    f(inputs);
  };
}

void add_networks() {
  add("chain", chain, 1000);
  add("xor", exclusive_or);
  add("8-10-8-1", binary_classifier);
  for (const int batch : {32, 128, 512}) add("mlp_b" + std::to_string(batch), [batch] { return mlp(batch); });
  add("inference", inference);
  add("adam", adam);
}

void add_rows() {
  using Inputs = const std::vector<Tensor>&;
  const auto square = [] { return torch::randn({1024, 1024}); };
  add("gelu", [=] { return gradient_of_sum(torch::randn({1'000'000}), gelu_written_out); });
  add("gelu_10m", [=] { return gradient_of_sum(torch::randn({10'000'000}), gelu_written_out); });
  const auto both = [square](const std::string& name, std::function<std::vector<Tensor>()> inputs,
                             std::function<Tensor(Inputs)> f) {
    add(name, [=] { return forward_only(inputs(), f); });
    add(name + "_grad", [=] { return forward_backward(inputs(), f); });
  };
  both(
      "softmax", [=] { return std::vector{square()}; }, [](Inputs in) { return torch::softmax(in[0], -1); });
  both(
      "log_softmax", [=] { return std::vector{square()}; },
      [](Inputs in) { return torch::log_softmax(in[0], -1); });
  both(
      "layer_norm",
      [=] {
        return std::vector{square(), torch::ones(1024), torch::zeros(1024)};
      },
      [](Inputs in) { return torch::layer_norm(in[0], {1024}, in[1], in[2]); });
}

/// Inputs of the op_ workloads: a and b uniform in (low, high), c in (0, 1), a random mask.
struct Operands {
  Operands(double low, double high)
      : a(torch::empty({1024, 1024}).uniform_(low, high)),
        b(torch::empty({1024, 1024}).uniform_(low, high)),
        c(torch::rand({1024, 1024})),
        mask(torch::rand({1024, 1024}) > 0.5),
        other_mask(torch::rand({1024, 1024}) > 0.5) {}
  Tensor a, b, c, mask, other_mask;
};

using OpFunction = std::function<Tensor(const Operands&)>;

void add_op(const std::string& name, double low, double high, OpFunction f) {
  add("op_" + name, [=]() -> Step {
    torch::manual_seed(1);
    const Operands operands(low, high);
    return [=] {
      const torch::NoGradGuard guard;
      f(operands);
    };
  });
}

using T = const Tensor&;

void add_unary_ops() {
  struct Unary {
    const char* name;
    double low, high;
    Tensor (*f)(T);
  };
  const Unary table[] = {
      {"neg", -1, 1, [](T x) { return -x; }},
      {"abs", -1, 1, [](T x) { return x.abs(); }},
      {"sign", -1, 1, [](T x) { return x.sign(); }},
      {"exp", -1, 1, [](T x) { return x.exp(); }},
      {"expm1", -1, 1, [](T x) { return x.expm1(); }},
      {"log", 0.1, 4, [](T x) { return x.log(); }},
      {"log1p", -0.9, 4, [](T x) { return x.log1p(); }},
      {"log2", 0.1, 4, [](T x) { return x.log2(); }},
      {"log10", 0.1, 4, [](T x) { return x.log10(); }},
      {"sqrt", 0.1, 4, [](T x) { return x.sqrt(); }},
      {"rsqrt", 0.1, 4, [](T x) { return x.rsqrt(); }},
      {"square", -1, 1, [](T x) { return x.square(); }},
      {"reciprocal", 0.1, 4, [](T x) { return x.reciprocal(); }},
      {"sin", -3, 3, [](T x) { return x.sin(); }},
      {"cos", -3, 3, [](T x) { return x.cos(); }},
      {"tan", -1, 1, [](T x) { return x.tan(); }},
      {"asin", -0.9, 0.9, [](T x) { return x.asin(); }},
      {"acos", -0.9, 0.9, [](T x) { return x.acos(); }},
      {"atan", -3, 3, [](T x) { return x.atan(); }},
      {"sinh", -3, 3, [](T x) { return x.sinh(); }},
      {"cosh", -3, 3, [](T x) { return x.cosh(); }},
      {"tanh", -3, 3, [](T x) { return x.tanh(); }},
      {"asinh", -3, 3, [](T x) { return x.asinh(); }},
      {"acosh", 1.1, 4, [](T x) { return x.acosh(); }},
      {"atanh", -0.9, 0.9, [](T x) { return x.atanh(); }},
      {"sigmoid", -3, 3, [](T x) { return x.sigmoid(); }},
      {"log_sigmoid", -3, 3, [](T x) { return at::log_sigmoid(x); }},
      {"relu", -1, 1, [](T x) { return x.relu(); }},
      {"leaky_relu", -1, 1, [](T x) { return at::leaky_relu(x); }},
      {"elu", -1, 1, [](T x) { return at::elu(x); }},
      {"selu", -1, 1, [](T x) { return at::selu(x); }},
      {"celu", -1, 1, [](T x) { return at::celu(x); }},
      {"silu", -3, 3, [](T x) { return at::silu(x); }},
      {"mish", -3, 3, [](T x) { return at::mish(x); }},
      {"softplus", -3, 3, [](T x) { return at::softplus(x); }},
      {"softsign", -3, 3, [](T x) { return x / (1 + x.abs()); }},
      {"hardtanh", -3, 3, [](T x) { return at::hardtanh(x); }},
      {"hardsigmoid", -4, 4, [](T x) { return at::hardsigmoid(x); }},
      {"hardswish", -4, 4, [](T x) { return at::hardswish(x); }},
      {"gelu", -3, 3, [](T x) { return at::gelu(x); }},
      {"gelu_tanh", -3, 3, [](T x) { return at::gelu(x, "tanh"); }},
      {"erf", -3, 3, [](T x) { return x.erf(); }},
      {"erfc", -3, 3, [](T x) { return x.erfc(); }},
      {"clip", -1, 1, [](T x) { return x.clamp(-0.5, 0.5); }},
      {"floor", -9, 9, [](T x) { return x.floor(); }},
      {"ceil", -9, 9, [](T x) { return x.ceil(); }},
      {"round", -9, 9, [](T x) { return x.round(); }},
      {"isnan", -1, 1, [](T x) { return x.isnan(); }},
      {"isinf", -1, 1, [](T x) { return x.isinf(); }},
      {"isfinite", -1, 1, [](T x) { return x.isfinite(); }},
  };
  for (const Unary& op : table)
    add_op(op.name, op.low, op.high, [f = op.f](const Operands& in) { return f(in.a); });
}

void add_binary_ops() {
  struct Binary {
    const char* name;
    Tensor (*f)(const Operands&);
  };
  const Binary table[] = {
      {"add", [](const Operands& in) { return in.a + in.b; }},
      {"sub", [](const Operands& in) { return in.a - in.b; }},
      {"mul", [](const Operands& in) { return in.a * in.b; }},
      {"div", [](const Operands& in) { return in.a / in.b; }},
      {"pow", [](const Operands& in) { return in.a.pow(in.b); }},
      {"atan2", [](const Operands& in) { return in.a.atan2(in.b); }},
      {"maximum", [](const Operands& in) { return at::maximum(in.a, in.b); }},
      {"minimum", [](const Operands& in) { return at::minimum(in.a, in.b); }},
      {"fmod", [](const Operands& in) { return in.a.fmod(in.b); }},
      {"where", [](const Operands& in) { return at::where(in.mask, in.a, in.b); }},
      {"lerp", [](const Operands& in) { return in.a.lerp(in.b, in.c); }},
      {"equal", [](const Operands& in) { return in.a == in.b; }},
      {"not_equal", [](const Operands& in) { return in.a != in.b; }},
      {"less", [](const Operands& in) { return in.a < in.b; }},
      {"less_equal", [](const Operands& in) { return in.a <= in.b; }},
      {"greater", [](const Operands& in) { return in.a > in.b; }},
      {"greater_equal", [](const Operands& in) { return in.a >= in.b; }},
      {"logical_and", [](const Operands& in) { return in.mask.logical_and(in.other_mask); }},
      {"logical_or", [](const Operands& in) { return in.mask.logical_or(in.other_mask); }},
      {"logical_xor", [](const Operands& in) { return in.mask.logical_xor(in.other_mask); }},
      {"logical_not", [](const Operands& in) { return in.mask.logical_not(); }},
  };
  for (const Binary& op : table) add_op(op.name, 0.5, 2, op.f);
}

/// Each reduction over everything, over rows (the last axis) and over columns (axis 0).
void add_reductions() {
  using Axes = std::vector<std::int64_t>;
  struct Reduction {
    const char* name;
    Tensor (*over)(const Operands&, const Axes&);
  };
  const Reduction table[] = {
      {"sum", [](const Operands& in, const Axes& axes) { return in.a.sum(axes); }},
      {"mean", [](const Operands& in, const Axes& axes) { return in.a.mean(axes); }},
      {"max", [](const Operands& in, const Axes& axes) { return in.a.amax(axes); }},
      {"min", [](const Operands& in, const Axes& axes) { return in.a.amin(axes); }},
      {"var", [](const Operands& in, const Axes& axes) { return in.a.var(axes, false); }},
      {"std", [](const Operands& in, const Axes& axes) { return in.a.std(axes, false); }},
      {"norm", [](const Operands& in, const Axes& axes) { return at::linalg_vector_norm(in.a, 2, axes); }},
      {"logsumexp", [](const Operands& in, const Axes& axes) { return in.a.logsumexp(axes); }},
      {"any", [](const Operands& in, const Axes& axes) { return in.mask.any(axes); }},
      {"all", [](const Operands& in, const Axes& axes) { return in.mask.all(axes); }},
      {"count_nonzero", [](const Operands& in, const Axes& axes) { return in.mask.count_nonzero(axes); }},
      {"prod", [](const Operands& in,
                  const Axes& axes) { return axes.size() == 2 ? in.a.prod() : in.a.prod(axes[0]); }},
      {"argmax", [](const Operands& in,
                    const Axes& axes) { return axes.size() == 2 ? in.a.argmax() : in.a.argmax(axes[0]); }},
      {"argmin", [](const Operands& in,
                    const Axes& axes) { return axes.size() == 2 ? in.a.argmin() : in.a.argmin(axes[0]); }},
  };
  for (const Reduction& op : table) {
    const std::string name = op.name;
    const auto over = [f = op.over](Axes axes) { return [=](const Operands& in) { return f(in, axes); }; };
    add_op(name, 0.99, 1.01, over({0, 1}));
    add_op(name + "_rows", 0.99, 1.01, over({1}));
    add_op(name + "_columns", 0.99, 1.01, over({0}));
  }
  for (const std::int64_t axis : {1, 0}) {
    const std::string suffix = axis == 1 ? "_rows" : "_columns";
    add_op("cumsum" + suffix, 0.99, 1.01, [axis](const Operands& in) { return in.a.cumsum(axis); });
    add_op("cumprod" + suffix, 0.99, 1.01, [axis](const Operands& in) { return in.a.cumprod(axis); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  torch::set_num_threads(threads);
  add_networks();
  add_rows();
  add_unary_ops();
  add_binary_ops();
  add_reductions();
  return bench::serve("libtorch", threads);
}
