// Mistakes with a Trainer that must not compile, and the message that each must give: see model.cpp.
//
// CASE 1: deleted (function|constructor)
// CASE 2: deleted (function|constructor)
// CASE 3: deleted (function|copy constructor)
// CASE 4: (deleted function|deleted copy assignment operator)
// CASE 5: the second argument of a Trainer is an optimizer
// CASE 6: the third argument of a Trainer is a loss that is called \(prediction, target\)
// CASE 7: a Trainer calls the model with one tensor
#include <xgrad/xgrad.hpp>

using namespace xgrad;

struct TwoInputs {
  nn::Linear a{2, 1};
  Tensor operator()(const Tensor& x, const Tensor& y) const { return a(x + y); }
};

void use(nn::Linear& model) {
  optim::SGD sgd(nn::parameters(model), {.lr = 0.1});
#if CASE == 1  // the model is gone when the line ends
  Trainer trainer(nn::Linear(2, 1), sgd, loss::mse);
#elif CASE == 2
  Trainer trainer(nn::Linear(2, 1), sgd, loss::mse, {metric::mae()});
#else
  Trainer trainer(model, sgd, loss::mse);
#endif
#if CASE == 3  // whose optimizer would the copy's be?
  const Trainer copy = trainer;
#elif CASE == 4
  Trainer other(model, sgd, loss::mse);
  other = trainer;
#elif CASE == 5
  Trainer wrong(model, loss::mse, loss::mse);
#elif CASE == 6
  Trainer wrong(model, sgd, [](const Tensor& p) { return p.sum(); });
#elif CASE == 7
  TwoInputs two;
  Trainer wrong(two, sgd, loss::mse);
#endif
}
