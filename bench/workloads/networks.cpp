// xgrad's side of the networks.
#include "models.hpp"
#include "workload.hpp"

namespace {

using namespace xgrad;
using bench::learning_rate;
using bench::Step;

constexpr int batches = 8;

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

Step exclusive_or(int) {
  manual_seed(1);
  std::vector<Tensor> xs, ys;
  for (int i = 0; i < 4; ++i) {
    xs.push_back(tensor({{double(i / 2), double(i % 2)}}));
    ys.push_back(tensor({{double(i / 2 != i % 2)}}));
  }
  return bench::training<bench::Xor>(xs, ys, loss::binary_cross_entropy);
}

Step binary_classifier(int) {
  manual_seed(1);
  std::vector<Tensor> xs, ys;
  for (int i = 0; i < batches; ++i) {
    xs.push_back(rand({32, 8}));
    ys.push_back(randint(0, 2, {32, 1}).astype(float32));
  }
  return bench::training<bench::Classifier>(xs, ys, loss::binary_cross_entropy);
}

template <std::int64_t batch>
Step mlp(int) {
  manual_seed(1);
  std::vector<Tensor> xs, ys;
  for (int i = 0; i < batches; ++i) {
    xs.push_back(rand({batch, 784}));
    ys.push_back(randint(0, 10, {batch}));
  }
  return bench::training<bench::Mlp>(xs, ys, loss::cross_entropy);
}

Step inference(int) {
  manual_seed(1);
  const bench::Mlp model;
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
