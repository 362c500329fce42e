#pragma once
#include <xgrad/nn/parameter.hpp>
#include <xgrad/ops/activation.hpp>

/// Activation functions as modules: x of any shape → the same shape. Formulas are with the functions of the
/// same name in <xgrad/ops/activation.hpp>.
namespace xgrad::inline v0::nn {

struct ReLU {
  Tensor operator()(Tensor x) const;
};
struct SELU {
  Tensor operator()(const Tensor& x) const;
};
struct SiLU {
  Tensor operator()(const Tensor& x) const;
};
struct Mish {
  Tensor operator()(const Tensor& x) const;
};
struct Softsign {
  Tensor operator()(const Tensor& x) const;
};
struct Hardsigmoid {
  Tensor operator()(const Tensor& x) const;
};
struct Hardswish {
  Tensor operator()(const Tensor& x) const;
};
struct Sigmoid {
  Tensor operator()(Tensor x) const;
};
struct LogSigmoid {
  Tensor operator()(const Tensor& x) const;
};
struct Tanh {
  Tensor operator()(Tensor x) const;
};

struct LeakyReLU {
  static constexpr std::size_t fields = 1;
  explicit LeakyReLU(double slope = 0.01) : negative_slope(slope) {}
  Tensor operator()(const Tensor& x) const;

  double negative_slope;
};
struct ELU {
  static constexpr std::size_t fields = 1;
  explicit ELU(double a = 1.0) : alpha(a) {}
  Tensor operator()(const Tensor& x) const;

  double alpha;
};
struct CELU {
  static constexpr std::size_t fields = 1;
  explicit CELU(double a = 1.0) : alpha(a) {}
  Tensor operator()(const Tensor& x) const;

  double alpha;
};
struct Softplus {
  static constexpr std::size_t fields = 1;
  explicit Softplus(double b = 1.0) : beta(b) {}
  Tensor operator()(const Tensor& x) const;

  double beta;
};
struct Hardtanh {
  static constexpr std::size_t fields = 2;
  explicit Hardtanh(double lowest = -1.0, double highest = 1.0) : low(lowest), high(highest) {}
  Tensor operator()(const Tensor& x) const;

  double low, high;
};
struct GELU {
  static constexpr std::size_t fields = 1;
  explicit GELU(GeluForm f = GeluForm::erf) : form(f) {}
  Tensor operator()(const Tensor& x) const;

  GeluForm form;
};
struct Softmax {
  static constexpr std::size_t fields = 1;
  explicit Softmax(std::int64_t along = -1) : axis(along) {}
  Tensor operator()(const Tensor& x) const;

  std::int64_t axis;
};
struct LogSoftmax {
  static constexpr std::size_t fields = 1;
  explicit LogSoftmax(std::int64_t along = -1) : axis(along) {}
  Tensor operator()(const Tensor& x) const;

  std::int64_t axis;
};

}  // namespace xgrad::inline v0::nn
