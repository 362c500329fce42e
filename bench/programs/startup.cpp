// A program that trains the MLP: builds it and takes as many steps as its argument says, none for the
// workload `startup` and one for `first_step`.
#include <xgrad/xgrad.hpp>

#include <cstdlib>

using namespace xgrad;

struct Mlp {
  nn::Linear first{784, 512}, second{512, 512}, out{512, 10};
  Tensor operator()(const Tensor& x) const { return out(relu(second(relu(first(x))))); }
};

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 0;
  Mlp model;
  optim::Adam adam(nn::parameters(model), {.lr = 1e-3});
  for (int i = 0; i < steps; ++i) {
    loss::cross_entropy(model(rand({32, 784})), randint(0, 10, {32})).backward();
    adam.step({.zero_grad = true});
  }
}
