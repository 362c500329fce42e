#pragma once
#include <xgrad/core/tensor.hpp>

namespace xgrad::inline v0 {
class Generator;
}

/// How weights begin. Weights are laid out (out, in, …), as PyTorch's: an axis beyond the second is a
/// kernel's extent, whose size multiplies both fans. Normals follow core's random numbers, from `generator`
/// or the thread's default one.
namespace xgrad::inline v0::nn::init {

/// By what a variance is divided: the number of inputs of an output, of outputs of an input, or their
/// average.
enum class Fan : std::uint8_t { none, in, out, average };

struct Fans {
  double in, out;
};
/// The fans of weights of `shape`. Throws ShapeError for fewer than two axes.
Fans fans(const Shape& shape);

/// A distribution from which weights are drawn: what the functions below return.
class Initializer {
 public:
  /// What the layer's own default is (see `pytorch` and `keras`) or one of the distributions.
  enum class Kind : std::uint8_t { pytorch, keras, constant, uniform, normal, truncated_normal };

  /// The layer's default.
  constexpr Initializer() = default;
  /// `a` and `b` are bounds or mean and standard deviation; with a fan, `a` is the gain.
  constexpr Initializer(Kind kind, double a, double b, Fan fan = Fan::none)
      : a_(a), b_(b), kind_(kind), fan_(fan) {}

  constexpr Kind kind() const { return kind_; }
  /// Values of the given shape and floating dtype. Throws ValueError for a default, which only layers know,
  /// and for parameters that are no distribution's, and ShapeError when fans are needed and the shape has
  /// none.
  // The dtype by reference: of an unset one in a register, valgrind takes GCC's test for one of an
  // uninitialised value.
  Tensor operator()(const Shape& shape, const std::optional<DType>& dtype = {},
                    Generator* generator = nullptr) const;

 private:
  double a_ = 0, b_ = 0;
  Kind kind_ = Kind::pytorch;
  Fan fan_ = Fan::none;
};

/// The layer's default in PyTorch and in Keras. Linear: U(±1/√in) for weight and bias; U(±√(6 / (in + out)))
/// and zeros. Embedding: N(0, 1); U(±0.05).
constexpr Initializer pytorch() { return {}; }
constexpr Initializer keras() { return {Initializer::Kind::keras, 0, 0}; }

constexpr Initializer constant(double value) { return {Initializer::Kind::constant, value, 0}; }
constexpr Initializer zeros() { return constant(0); }
constexpr Initializer ones() { return constant(1); }
/// Uniform on [low, high).
constexpr Initializer uniform(double low = 0, double high = 1) {
  return {Initializer::Kind::uniform, low, high};
}
constexpr Initializer normal(double mean = 0, double std = 1) {
  return {Initializer::Kind::normal, mean, std};
}
/// Normal, drawn again where it is more than two standard deviations from the mean, as Keras's.
constexpr Initializer truncated_normal(double mean = 0, double std = 1) {
  return {Initializer::Kind::truncated_normal, mean, std};
}

/// Options of initialisers whose variance is gain² / fan.
struct NormalOptions {
  double gain = 1;
  bool truncated = false;  ///< at two standard deviations, of a normal widened to have the variance stated,
                           ///< as Keras's
};
/// U(±gain √(6 / (in + out))) (Glorot & Bengio 2010; PyTorch's xavier_uniform_, Keras's default kernel).
constexpr Initializer glorot_uniform(double gain = 1) {
  return {Initializer::Kind::uniform, gain, 0, Fan::average};
}
/// N(0, gain² 2 / (in + out)).
constexpr Initializer glorot_normal(NormalOptions o = {}) {
  return {o.truncated ? Initializer::Kind::truncated_normal : Initializer::Kind::normal, o.gain, 0,
          Fan::average};
}

/// Options of He's initialisers.
struct HeOptions {
  double negative_slope = 0;  ///< of the leaky ReLU that follows: gain² = 2 / (1 + slope²)
  Fan fan = Fan::in;
  bool truncated = false;  ///< as in NormalOptions
};
/// U(±√(3 gain² / fan)) (He et al. 2015; PyTorch's kaiming_uniform_). Throws ValueError for Fan::none.
Initializer he_uniform(HeOptions options = {});
/// N(0, gain² / fan).
Initializer he_normal(HeOptions options = {});

/// U(±√(3 / in)) (LeCun et al. 1998).
constexpr Initializer lecun_uniform() { return {Initializer::Kind::uniform, 1, 0, Fan::in}; }
/// N(0, 1 / in), truncated unless told otherwise, as Keras's.
constexpr Initializer lecun_normal(NormalOptions o = {.gain = 1, .truncated = true}) {
  return {o.truncated ? Initializer::Kind::truncated_normal : Initializer::Kind::normal, o.gain, 0, Fan::in};
}

}  // namespace xgrad::inline v0::nn::init
