// The floors of the large workloads. Of the MLP: its eight matrix products by the faster library, then Adam's
// 28 bytes a parameter at the speed of a STREAM triad. Of adam, softmax and the like: the bytes that must be
// moved, at the speed of the triad. `triad` is the triad itself.
#include <cblas.h>

#ifdef XGRAD_WITH_ONEDNN
#include <dnnl.h>
#endif

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <vector>

#include "openblas.hpp"
#include "workload.hpp"

extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace {

using Step = std::function<void()>;

// ---- memory

/// STREAM's triad a = b + s c, moving `bytes` a run, counted as STREAM does: two reads and a write of 4 bytes
/// each. The arrays hold what one run moves, up to 40 MB each, so that they lie where the workload's own data
/// would.
class Triad {
 public:
  Triad(long bytes, int threads) : elements_(bytes / 12), threads_(threads) {}

  void run() {
    const long size = static_cast<long>(a_.size());
    for (long left = elements_; left > 0; left -= size) sweep(std::min(left, size));
  }

 private:
  void sweep(long count) {
    float* a = a_.data();
    const float* b = b_.data();
    const float* c = c_.data();
#ifdef _OPENMP
#pragma omp parallel for schedule(static) num_threads(threads_)
#endif
    for (long i = 0; i < count; ++i) a[i] = b[i] + 3.0F * c[i];
  }

  static constexpr long largest = 10'000'000;
  long elements_;
  [[maybe_unused]] int threads_;
  std::vector<float> a_ = std::vector<float>(static_cast<std::size_t>(std::min(elements_, largest)), 1.0F);
  std::vector<float> b_ = a_, c_ = a_;
};

std::function<Step(int)> moving(long bytes) {
  return [bytes](int threads) -> Step {
    return [triad = std::make_shared<Triad>(bytes, threads)] { triad->run(); };
  };
}

// ---- matrix products

/// c = op(a) op(b), row-major, by oneDNN or by CBLAS, whichever is quicker for this shape.
class Product {
 public:
  Product(char transpose_a, char transpose_b, int m, int n, int k, int threads)
      : ta_(transpose_a), tb_(transpose_b), m_(m), n_(n), k_(k), threads_(threads) {
    const double blas = time(&Product::by_cblas);
#ifdef XGRAD_WITH_ONEDNN
    if (time(&Product::by_onednn) < blas) run_ = &Product::by_onednn;
#else
    (void)blas;
#endif
  }

  void run() { (this->*run_)(); }

 private:
  using Method = void (Product::*)();

  int lda() const { return ta_ == 'N' ? k_ : m_; }
  int ldb() const { return tb_ == 'N' ? n_ : k_; }

  void by_cblas() {
    if (openblas_set_num_threads != nullptr) openblas_set_num_threads(threads_);
    cblas_sgemm(CblasRowMajor, ta_ == 'N' ? CblasNoTrans : CblasTrans, tb_ == 'N' ? CblasNoTrans : CblasTrans,
                m_, n_, k_, 1.0F, a_.data(), lda(), b_.data(), ldb(), 0.0F, c_.data(), n_);
  }
#ifdef XGRAD_WITH_ONEDNN
  void by_onednn() {
    dnnl_sgemm(ta_, tb_, m_, n_, k_, 1.0F, a_.data(), lda(), b_.data(), ldb(), 0.0F, c_.data(), n_);
  }
#endif

  /// The best of some runs.
  double time(Method method) {
    double best = INFINITY;
    (this->*method)();
    for (int i = 0; i < 20; ++i) {
      const auto start = std::chrono::steady_clock::now();
      (this->*method)();
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
      best = std::min(best, elapsed.count());
    }
    return best;
  }

  char ta_, tb_;
  int m_, n_, k_, threads_;
  std::vector<float> a_ =
      std::vector<float>(static_cast<std::size_t>(m_) * static_cast<std::size_t>(k_), 0.5F);
  std::vector<float> b_ =
      std::vector<float>(static_cast<std::size_t>(k_) * static_cast<std::size_t>(n_), 0.5F);
  std::vector<float> c_ = std::vector<float>(static_cast<std::size_t>(m_) * static_cast<std::size_t>(n_));
  Method run_ = &Product::by_cblas;
};

constexpr int mlp_sizes[] = {784, 512, 512, 10};

/// x W^T for each layer; with `training` also dy^T x and, behind the first layer, dy W.
std::vector<Product> mlp_products(int batch, bool training, int threads) {
  std::vector<Product> products;
  for (int layer = 0; layer < 3; ++layer) {
    const int in = mlp_sizes[layer], out = mlp_sizes[layer + 1];
    products.emplace_back('N', 'T', batch, out, in, threads);
    if (!training) continue;
    products.emplace_back('T', 'N', out, in, batch, threads);
    if (layer > 0) products.emplace_back('N', 'N', batch, in, out, threads);
  }
  return products;
}

long mlp_parameters() {
  long count = 0;
  for (int layer = 0; layer < 3; ++layer) count += (mlp_sizes[layer] + 1L) * mlp_sizes[layer + 1];
  return count;
}

std::function<Step(int)> products(int batch, bool training, long bytes) {
  return [=](int threads) -> Step {
    bench::wake_openblas();
    auto list = std::make_shared<std::vector<Product>>(mlp_products(batch, training, threads));
    auto triad = bytes > 0 ? std::make_shared<Triad>(bytes, threads) : nullptr;
    return [=] {
      for (Product& product : *list) product.run();
      if (triad) triad->run();
    };
  };
}

constexpr long square_bytes = 1024L * 1024 * 4;
const long adam_bytes = 28 * mlp_parameters();

// Passes over memory, in arrays of the workload's size: softmax reads and writes; with its gradient it reads
// y and dy and writes dx besides. GELU at the very least reads x and writes dx.
const bench::Register floors{{"mlp_b32", "floor", products(32, true, adam_bytes)},
                             {"mlp_b128", "floor", products(128, true, adam_bytes)},
                             {"mlp_b512", "floor", products(512, true, adam_bytes)},
                             {"inference", "floor", products(1, false, 0)},
                             {"adam", "floor", moving(28L * 10'000'000)},
                             {"gelu", "floor", moving(8L * 1'000'000)},
                             {"gelu_10m", "floor", moving(8L * 10'000'000)},
                             {"softmax", "floor", moving(2 * square_bytes)},
                             {"softmax_grad", "floor", moving(5 * square_bytes)},
                             {"log_softmax", "floor", moving(2 * square_bytes)},
                             {"log_softmax_grad", "floor", moving(5 * square_bytes)},
                             {"layer_norm", "floor", moving(2 * square_bytes)},
                             {"layer_norm_grad", "floor", moving(5 * square_bytes)},
                             {"triad", "floor", moving(120L * 1'000'000)}};

}  // namespace
