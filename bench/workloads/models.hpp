// The models of the benchmarks and their bare training step, written as a user writes them.
#pragma once

#include <xgrad/xgrad.hpp>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace bench {

using Step = std::function<void()>;

/// The peers': see peers/libtorch.cpp.
inline constexpr double learning_rate = 1e-6;

struct Xor {
  xgrad::nn::Linear hidden{2, 10}, out{10, 1};
  xgrad::Tensor operator()(const xgrad::Tensor& x) const { return sigmoid(out(relu(hidden(x)))); }
};

struct Classifier {
  xgrad::nn::Linear first{8, 10}, second{10, 8}, out{8, 1};
  xgrad::Tensor operator()(const xgrad::Tensor& x) const {
    return sigmoid(out(relu(second(relu(first(x))))));
  }
};

struct Mlp {
  xgrad::nn::Linear first{784, 512}, second{512, 512}, out{512, 10};
  xgrad::Tensor operator()(const xgrad::Tensor& x) const { return out(relu(second(relu(first(x))))); }
};

/// One training step on a batch after the other.
template <class Model, class Loss>
Step training(std::vector<xgrad::Tensor> xs, std::vector<xgrad::Tensor> ys, Loss loss) {
  struct State {
    Model model;
    xgrad::optim::Adam adam{xgrad::nn::parameters(model), {.lr = learning_rate}};
    std::vector<xgrad::Tensor> xs, ys;
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

}  // namespace bench
