#pragma once
#include <xgrad/core/tensor.hpp>
#include <xgrad/ops/kernels/random.hpp>

/// Random numbers. They are counter-based (Philox4x32-10): a number is a function of a seed, a stream and a
/// position, so the same seed gives the same integers, uniforms and normals on any machine and any number of
/// threads.
namespace xgrad::inline v0 {

/// A place in a sequence of random numbers, from which they can be drawn again: what an op saves that draws
/// the same mask in its backward pass. Pass it to kernels::fill_uniform and its like.
struct RandomDraw {
  kernels::RandomKey key;
  std::uint64_t offset = 0;  ///< in blocks of four 32-bit words
};

/// A position in the sequence that `seed` and `stream` name; a value: a copy draws the same numbers again.
/// Different streams of a seed are independent. Not for use by several threads at once.
class Generator {
 public:
  constexpr explicit Generator(std::uint64_t seed = 0, std::uint64_t stream = 0, std::uint64_t offset = 0)
      : next_{{seed, stream}, offset} {}

  std::uint64_t seed() const { return next_.key.seed; }
  std::uint64_t stream() const { return next_.key.stream; }
  /// Blocks drawn so far: `Generator(g.seed(), g.stream(), g.offset())` goes on where g stands.
  std::uint64_t offset() const { return next_.offset; }

  /// Sets the next `words` 32-bit words aside and returns where they start. A float takes one word, a double
  /// two (`words_for`). Throws ValueError for a negative number.
  RandomDraw reserve(std::int64_t words) {
    if (words < 0) throw_negative(words);
    const RandomDraw draw = next_;
    next_.offset += (static_cast<std::uint64_t>(words) + 3) / 4;
    return draw;
  }

 private:
  [[noreturn]] static void throw_negative(std::int64_t words);

  RandomDraw next_;
};

/// Words that `n` random values of dtype `t` take.
constexpr std::int64_t words_for(std::int64_t n, DType t) { return t == DType::float32 ? n : 2 * n; }

/// The calling thread's generator, which everything uses that is not given another. Its seed is the one of
/// `manual_seed`, its stream the number of the thread: 0 for the first that asks, usually the main thread.
/// A thread whose number is left to chance can assign its own: `default_generator() = Generator(seed, 7);`
Generator& default_generator();

/// Every thread's default generator starts again, from `seed`; streams stay. The seed is 0 until then.
void manual_seed(std::uint64_t seed);

/// Uniform on [0, 1), in multiples of 2^-24 (float32) or 2^-53 (float64). Like the other functions here it
/// draws from `generator`, or from the thread's default one. Throws DTypeError unless the dtype is floating,
/// ShapeError for a negative size.
Tensor rand(const Shape& shape, const TensorOptions& options = {}, Generator* generator = nullptr);
/// Normal with mean 0 and variance 1. Throws as `rand` does.
Tensor randn(const Shape& shape, const TensorOptions& options = {}, Generator* generator = nullptr);
/// Integers from `low` up to and without `high`, each as likely as the others to (high - low) / 2^64; int64
/// unless given. Throws ValueError unless low < high and both fit the dtype.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, const TensorOptions& options = {},
               Generator* generator = nullptr);
/// The numbers 0 … n - 1 in random order (Fisher and Yates); int64 unless given.
Tensor randperm(std::int64_t n, const TensorOptions& options = {}, Generator* generator = nullptr);
/// 1 with probability `p`, to 2^-24, else 0; the default dtype unless given. Throws ValueError unless p is in
/// [0, 1].
Tensor bernoulli(double p, const Shape& shape, const TensorOptions& options = {},
                 Generator* generator = nullptr);

}  // namespace xgrad::inline v0
