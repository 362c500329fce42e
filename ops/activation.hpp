#pragma once
#include <xgrad/core/tensor.hpp>

/// Activation functions, elementwise and floating, with PyTorch's definitions and defaults; σ is the sigmoid,
/// Φ the standard normal distribution, φ its density. relu and sigmoid, and tanh, take their input by value:
/// of `relu(linear(x, w, b))`, whose product nobody else holds, they make one operation.
namespace xgrad::inline v0 {

/// 1 / (1 + e⁻ˣ).   ∂ = σ (1 - σ)
Tensor sigmoid(Tensor x);
/// ln σ(x), accurate for large |x|.   ∂ = σ(-x)
Tensor log_sigmoid(const Tensor& x);
/// max(x, 0); NaN stays NaN.   ∂ = 1 for x > 0, else 0, so 0 at 0
Tensor relu(Tensor x);
/// x for x > 0, else slope · x.   ∂ = 1 for x > 0, else slope. Throws ValueError unless slope is finite.
Tensor leaky_relu(const Tensor& x, double negative_slope = 0.01);
/// x for x > 0, else α (eˣ - 1).   ∂ = 1 for x > 0, else α eˣ. Throws ValueError unless α is finite.
Tensor elu(const Tensor& x, double alpha = 1.0);
/// λ elu(x, α) with λ = 1.0507…, α = 1.6732… (Klambauer et al. 2017).   ∂ = λ for x > 0, else λ α eˣ
Tensor selu(const Tensor& x);
/// x for x > 0, else α (e^(x/α) - 1) (Barron 2017).   ∂ = 1 for x > 0, else e^(x/α)
/// Throws ValueError unless α is finite and not 0.
Tensor celu(const Tensor& x, double alpha = 1.0);
/// x σ(x), 0 at -inf (Elfwing et al. 2017; also called swish).   ∂ = σ (1 + x (1 - σ))
Tensor silu(const Tensor& x);
/// x tanh(softplus(x)), 0 at -inf (Misra 2019).   ∂ = t + x (1 - t²) σ, t = tanh(softplus(x))
Tensor mish(const Tensor& x);
/// ln(1 + e^(βx)) / β, accurate for large |x|.   ∂ = σ(βx)
/// Throws ValueError unless β is finite and not 0.
Tensor softplus(const Tensor& x, double beta = 1.0);
/// x / (1 + |x|), ±1 at infinity.   ∂ = 1 / (1 + |x|)²
Tensor softsign(const Tensor& x);
/// x limited to [low, high].   ∂ = 1 strictly inside, else 0. Throws ValueError unless low ≤ high.
Tensor hardtanh(const Tensor& x, double low = -1.0, double high = 1.0);
/// (x + 3) / 6 limited to [0, 1].   ∂ = 1/6 for -3 < x < 3, else 0
Tensor hardsigmoid(const Tensor& x);
/// x · hardsigmoid(x) (Howard et al. 2019).   ∂ = 0 below -3, (2x + 3) / 6 between, 1 above 3
Tensor hardswish(const Tensor& x);

enum class GeluForm { erf, tanh };
/// x Φ(x), 0 at -inf (Hendrycks & Gimpel 2016), exactly, or by the approximation
/// x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))).   ∂ = Φ(x) + x φ(x) for the exact form,
/// (1 + t + x (1 - t²) √(2/π) (1 + 3 · 0.044715 x²)) / 2 for the other, t the tanh
Tensor gelu(const Tensor& x, GeluForm form = GeluForm::erf);

}  // namespace xgrad::inline v0
