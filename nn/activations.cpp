#include <xgrad/nn/activations.hpp>
#include <xgrad/nn/observe.hpp>
#include <xgrad/ops/elementwise.hpp>
#include <xgrad/ops/reduce.hpp>

namespace xgrad::inline v0::nn {

using detail::observed;

Tensor ReLU::operator()(Tensor x) const { return observed(*this, relu(std::move(x))); }
Tensor SELU::operator()(const Tensor& x) const { return observed(*this, selu(x)); }
Tensor SiLU::operator()(const Tensor& x) const { return observed(*this, silu(x)); }
Tensor Mish::operator()(const Tensor& x) const { return observed(*this, mish(x)); }
Tensor Softsign::operator()(const Tensor& x) const { return observed(*this, softsign(x)); }
Tensor Hardsigmoid::operator()(const Tensor& x) const { return observed(*this, hardsigmoid(x)); }
Tensor Hardswish::operator()(const Tensor& x) const { return observed(*this, hardswish(x)); }
Tensor Sigmoid::operator()(Tensor x) const { return observed(*this, sigmoid(std::move(x))); }
Tensor LogSigmoid::operator()(const Tensor& x) const { return observed(*this, log_sigmoid(x)); }
Tensor Tanh::operator()(Tensor x) const { return observed(*this, tanh(std::move(x))); }
Tensor LeakyReLU::operator()(const Tensor& x) const { return observed(*this, leaky_relu(x, negative_slope)); }
Tensor ELU::operator()(const Tensor& x) const { return observed(*this, elu(x, alpha)); }
Tensor CELU::operator()(const Tensor& x) const { return observed(*this, celu(x, alpha)); }
Tensor Softplus::operator()(const Tensor& x) const { return observed(*this, softplus(x, beta)); }
Tensor Hardtanh::operator()(const Tensor& x) const { return observed(*this, hardtanh(x, low, high)); }
Tensor GELU::operator()(const Tensor& x) const { return observed(*this, gelu(x, form)); }
Tensor Softmax::operator()(const Tensor& x) const { return observed(*this, softmax(x, axis)); }
Tensor LogSoftmax::operator()(const Tensor& x) const { return observed(*this, log_softmax(x, axis)); }

}  // namespace xgrad::inline v0::nn
