// xgrad's side of the networks, written as a user writes them. The learning rate is the peers'.
#include <xgrad/xgrad.hpp>

#include <memory>

#include "workload.hpp"

namespace {

using namespace xgrad;
using Step = std::function<void()>;

constexpr double learning_rate = 1e-6;
constexpr int batches = 8;

/// One training step on a batch after the other.
template <class Model, class Loss>
Step training(std::vector<Tensor> xs, std::vector<Tensor> ys, Loss loss) {
  struct State {
    Model model;
    optim::Adam adam{nn::parameters(model), {.lr = learning_rate}};
    std::vector<Tensor> xs, ys;
    std::size_t at = 0;
  };
  auto state = std::make_shared<State>();
  state->xs = std::move(xs);
  state->ys = std::move(ys);
  return [state, loss] {
    const std::size_t i = state->at++ % state->xs.size();
    loss(state->model(state->xs[i]), state->ys[i]).backward();
    state->adam.step({.zero_grad = true});
  };
}

Step chain(int) {
  const Tensor x = tensor(0.5, {.requires_grad = true});
  return [x] {
    x.set_grad({});
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

struct Xor {
  nn::Linear hidden{2, 10}, out{10, 1};
  Tensor operator()(const Tensor& x) const { return sigmoid(out(relu(hidden(x)))); }
};

Step exclusive_or(int) {
  manual_seed(1);
  std::vector<Tensor> xs, ys;
  for (int i = 0; i < 4; ++i) {
    xs.push_back(tensor({{double(i / 2), double(i % 2)}}));
    ys.push_back(tensor({{double(i / 2 != i % 2)}}));
  }
  return training<Xor>(xs, ys, loss::binary_cross_entropy);
}

struct Classifier {
  nn::Linear first{8, 10}, second{10, 8}, out{8, 1};
  Tensor operator()(const Tensor& x) const { return sigmoid(out(relu(second(relu(first(x)))))); }
};

Step binary_classifier(int) {
  manual_seed(1);
  std::vector<Tensor> xs, ys;
  for (int i = 0; i < batches; ++i) {
    xs.push_back(rand({32, 8}));
    ys.push_back(randint(0, 2, {32, 1}).astype(float32));
  }
  return training<Classifier>(xs, ys, loss::binary_cross_entropy);
}

struct Mlp {
  nn::Linear first{784, 512}, second{512, 512}, out{512, 10};
  Tensor operator()(const Tensor& x) const { return out(relu(second(relu(first(x))))); }
};

template <std::int64_t batch>
Step mlp(int) {
  manual_seed(1);
  std::vector<Tensor> xs, ys;
  for (int i = 0; i < batches; ++i) {
    xs.push_back(rand({batch, 784}));
    ys.push_back(randint(0, 10, {batch}));
  }
  return training<Mlp>(xs, ys, loss::cross_entropy);
}

Step inference(int) {
  manual_seed(1);
  const Mlp model;
  const Tensor x = rand({1, 784});
  return [=] {
    const NoGrad guard;
    model(x);
  };
}

/// One pass of Adam over 10M parameters in ten tensors.
Step adam(int) {
  std::vector<Tensor> parameters;
  for (int i = 0; i < 10; ++i) {
    parameters.push_back(full({1000, 1000}, 0.5, {.requires_grad = true}));
    parameters.back().set_grad(full({1000, 1000}, 0.01));
  }
  auto optimizer = std::make_shared<optim::Adam>(parameters, optim::AdamOptions{.lr = learning_rate});
  return [optimizer] { optimizer->step(); };
}

const bench::Register networks{{"chain", "xgrad", chain, 1000},          {"xor", "xgrad", exclusive_or},
                               {"8-10-8-1", "xgrad", binary_classifier}, {"mlp_b32", "xgrad", mlp<32>},
                               {"mlp_b128", "xgrad", mlp<128>},          {"mlp_b512", "xgrad", mlp<512>},
                               {"inference", "xgrad", inference},        {"adam", "xgrad", adam}};

}  // namespace
