// The floors of the tiny models: what a hand-written step costs on this processor, without any framework. The
// chain is a Wengert list in a flat array, the least that a tape can do; the networks are forward, derived
// backward and Adam, loops over arrays of fixed size.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "workload.hpp"

namespace {

using Step = std::function<void()>;

// ---- the scalar chain

/// Entry i of the list: value = a op b, where a and b are earlier entries.
struct ChainEntry {
  enum Kind { leaf, add, mul } kind;
  int a, b;
  float value, gradient;
};

class Chain {
 public:
  void step() {
    size_ = 0;
    const int x = push({ChainEntry::leaf, 0, 0, 0.5F, 0});
    int y = x;
    for (int i = 0; i < 250; ++i) {
      const int a = mul(y, x);
      const int b = add(y, x);
      y = add(a, b);
      y = mul(y, x);
    }
    entries_[static_cast<std::size_t>(y)].gradient = 1;
    for (int i = size_ - 1; i > 0; --i) pull(entries_[static_cast<std::size_t>(i)]);
  }

 private:
  int push(const ChainEntry& entry) {
    entries_[static_cast<std::size_t>(size_)] = entry;
    return size_++;
  }
  ChainEntry& at(int i) { return entries_[static_cast<std::size_t>(i)]; }
  int add(int a, int b) { return push({ChainEntry::add, a, b, at(a).value + at(b).value, 0}); }
  int mul(int a, int b) { return push({ChainEntry::mul, a, b, at(a).value * at(b).value, 0}); }
  void pull(const ChainEntry& entry) {
    ChainEntry &a = at(entry.a), &b = at(entry.b);
    const bool is_add = entry.kind == ChainEntry::add;
    a.gradient += is_add ? entry.gradient : entry.gradient * b.value;
    b.gradient += is_add ? entry.gradient : entry.gradient * a.value;
  }

  std::vector<ChainEntry> entries_ = std::vector<ChainEntry>(1001);
  int size_ = 0;
};

// ---- tiny networks

/// Eight floats, one vector of AVX2; rows are padded to whole vectors, and what lies in the padding stays
/// zero.
using Vec [[gnu::vector_size(32)]] = float;
constexpr int lanes = 8;
constexpr int vectors(int size) { return (size + lanes - 1) / lanes; }

template <int width>
struct Row {
  Vec part[vectors(width)];
  void set(int i, float value) { part[i / lanes][i % lanes] = value; }
  float operator[](int i) const { return part[i / lanes][i % lanes]; }
};

/// row += factor * other
template <int width>
inline void add_scaled(Row<width>& row, float factor, const Row<width>& other) {
  for (int v = 0; v < vectors(width); ++v) row.part[v] += factor * other.part[v];
}

template <int width>
inline float dot(const Row<width>& a, const Row<width>& b) {
  Vec products = a.part[0] * b.part[0];
  for (int v = 1; v < vectors(width); ++v) products += a.part[v] * b.part[v];
  return ((products[0] + products[4]) + (products[1] + products[5])) +
         ((products[2] + products[6]) + (products[3] + products[7]));
}

/// Values, gradients and Adam's moments of one layer: a weight of (in, out) and, as its last row, the bias.
template <int in, int out>
struct Trained {
  using Rows = Row<out>[in + 1];
  Rows value{}, gradient{}, first{}, second{};

  void adam(float rate, float root_correction) {
    for (int k = 0; k <= in; ++k) {
      for (int v = 0; v < vectors(out); ++v) {
        const Vec g = gradient[k].part[v];
        Vec &m = first[k].part[v], &s = second[k].part[v];
        m = 0.9F * m + 0.1F * g;
        s = 0.999F * s + 0.001F * g * g;
        Vec root;
        for (int i = 0; i < lanes; ++i) root[i] = std::sqrt(s[i]);
        value[k].part[v] -= rate * m / (root * root_correction + 1e-8F);
      }
    }
  }
};

/// relu(x W + b)
template <int batch, int in, int out>
struct Hidden {
  Trained<in, out> parameters;
  Row<out> y[batch]{}, dy[batch]{};

  void forward(const Row<in>* x) {
    for (int b = 0; b < batch; ++b) {
      Row<out> sum = parameters.value[in];
      for (int k = 0; k < in; ++k) add_scaled(sum, x[b][k], parameters.value[k]);
      for (int v = 0; v < vectors(out); ++v) y[b].part[v] = sum.part[v] > 0 ? sum.part[v] : Vec{};
    }
  }

  void backward(const Row<in>* x) {
    Row<out> gradient[in + 1]{};
    for (int b = 0; b < batch; ++b) {
      for (int v = 0; v < vectors(out); ++v) dy[b].part[v] = y[b].part[v] > 0 ? dy[b].part[v] : Vec{};
      for (int k = 0; k < in; ++k) add_scaled(gradient[k], x[b][k], dy[b]);
      add_scaled(gradient[in], 1, dy[b]);
    }
    std::copy(std::begin(gradient), std::end(gradient), parameters.gradient);
  }

  void backward_input(Row<in>* dx) const {
    Row<in> transposed[out];
    for (int j = 0; j < out; ++j) {
      transposed[j] = {};
      for (int k = 0; k < in; ++k) transposed[j].set(k, parameters.value[k][j]);
    }
    for (int b = 0; b < batch; ++b) {
      Row<in> sum{};
      for (int j = 0; j < out; ++j) add_scaled(sum, dy[b][j], transposed[j]);
      dx[b] = sum;
    }
  }
};

/// sigmoid(x w + b) under the mean binary cross-entropy. The weight is one row, and so is the bias.
template <int batch, int in>
struct Head {
  Trained<1, in> parameters;
  float loss = 0;

  void forward_backward(const Row<in>* x, const std::array<float, batch>& target, Row<in>* dx) {
    const Row<in> weight = parameters.value[0];
    const float bias = parameters.value[1][0];
    Row<in> gradient{};
    float bias_gradient = 0;
    loss = 0;
    for (int b = 0; b < batch; ++b) {
      const float p = 1 / (1 + std::exp(-dot(x[b], weight) - bias));
      const float y = target[b];
      loss -= (y * std::log(p) + (1 - y) * std::log(1 - p)) / batch;
      const float dz = (p - y) / batch;
      add_scaled(gradient, dz, x[b]);
      bias_gradient += dz;
      for (int v = 0; v < vectors(in); ++v) dx[b].part[v] = dz * weight.part[v];
    }
    parameters.gradient[0] = gradient;
    parameters.gradient[1].set(0, bias_gradient);
  }
};

struct AdamClock {
  double first = 1, second = 1;
  float rate = 0, root_correction = 0;
  void tick() {
    first *= 0.9;
    second *= 0.999;
    rate = static_cast<float>(1e-6 / (1 - first));
    root_correction = static_cast<float>(1 / std::sqrt(1 - second));
  }
};

template <int in, int out>
void initialise(Trained<in, out>& parameters, int rows, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(-0.5F, 0.5F);
  for (int k = 0; k < rows; ++k)
    for (int j = 0; j < out; ++j) parameters.value[k].set(j, uniform(random));
}

struct Xor {
  Hidden<1, 2, 10> hidden;
  Head<1, 10> head;
  AdamClock clock;
  Row<2> x[4][1]{};
  std::array<std::array<float, 1>, 4> y{};
  std::size_t i = 0;

  Xor() {
    std::mt19937 random(1);
    initialise(hidden.parameters, 2, random);
    initialise(head.parameters, 1, random);
    for (int n = 0; n < 4; ++n) {
      x[n][0].set(0, static_cast<float>(n / 2));
      x[n][0].set(1, static_cast<float>(n % 2));
      y[static_cast<std::size_t>(n)][0] = static_cast<float>(n / 2 != n % 2);
    }
  }

  void step() {
    hidden.forward(x[i]);
    head.forward_backward(hidden.y, y[i], hidden.dy);
    hidden.backward(x[i]);
    clock.tick();
    hidden.parameters.adam(clock.rate, clock.root_correction);
    head.parameters.adam(clock.rate, clock.root_correction);
    i = (i + 1) % 4;
  }
};

struct BinaryClassifier {
  static constexpr int batch = 32;
  Hidden<batch, 8, 10> first;
  Hidden<batch, 10, 8> second;
  Head<batch, 8> head;
  AdamClock clock;
  Row<8> x[8][batch]{};
  std::array<std::array<float, batch>, 8> y{};
  std::size_t i = 0;

  BinaryClassifier() {
    std::mt19937 random(1);
    initialise(first.parameters, 8, random);
    initialise(second.parameters, 10, random);
    initialise(head.parameters, 1, random);
    std::uniform_real_distribution<float> uniform;
    for (auto& rows : x)
      for (auto& row : rows)
        for (int k = 0; k < 8; ++k) row.set(k, uniform(random));
    for (auto& targets : y)
      for (float& target : targets) target = static_cast<float>(random() % 2);
  }

  void step() {
    first.forward(x[i]);
    second.forward(first.y);
    head.forward_backward(second.y, y[i], second.dy);
    second.backward(first.y);
    second.backward_input(first.dy);
    first.backward(x[i]);
    clock.tick();
    first.parameters.adam(clock.rate, clock.root_correction);
    second.parameters.adam(clock.rate, clock.root_correction);
    head.parameters.adam(clock.rate, clock.root_correction);
    i = (i + 1) % 8;
  }
};

template <class Model>
Step stepping(int) {
  return [model = std::make_shared<Model>()] { model->step(); };
}

const bench::Register floors{{"chain", "floor", stepping<Chain>, 1000},
                             {"xor", "floor", stepping<Xor>},
                             {"8-10-8-1", "floor", stepping<BinaryClassifier>}};

}  // namespace
