#include <xgrad/ops/kernels/gemm_blas.hpp>

#include <cblas.h>
#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <string_view>

#include <xgrad/ops/kernels/openmp.hpp>

#ifdef XGRAD_WITH_ONEDNN
#include <dnnl.h>
#endif

namespace xgrad::inline v0::kernels::blas {
namespace {

// What belongs to one library is asked for by name at run time: any library with a CBLAS interface can take
// the place of OpenBLAS.
template <class Function>
Function* symbol(const char* name) noexcept {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

const char* best_openblas_core() noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return "SkylakeX";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return nullptr;
}

// OpenBLAS falls back to its oldest kernels on a CPU younger than itself. It looks again, and believes the
// environment, when it is started anew. A core the user has chosen is left alone.
void wake_openblas() noexcept {
  const auto corename = symbol<char*()>("openblas_get_corename");
  const auto quit = symbol<void()>("gotoblas_dynamic_quit");
  const auto init = symbol<void()>("gotoblas_dynamic_init");
  const char* core = best_openblas_core();
  if (!corename || !quit || !init || !core) return;
  constexpr const char* variable = "OPENBLAS_CORETYPE";
  if (std::getenv(variable) || std::string_view(corename()) != "Prescott") return;
  if (setenv(variable, core, 1) != 0) return;
  quit();
  init();
  unsetenv(variable);
}

// OpenBLAS has one number of threads for the process: the first user of it sets 1 and the last restores.
struct OpenBlas {
  int (*get_num_threads)() = symbol<int()>("openblas_get_num_threads");
  void (*set_num_threads)(int) = symbol<void(int)>("openblas_set_num_threads");
  std::mutex mutex;
  int users = 0;
  int threads_before = 1;

  OpenBlas() noexcept { wake_openblas(); }

  static OpenBlas& instance() noexcept {
    // Never destroyed: threads may still multiply while the program's statics go.
    static OpenBlas& library = *new OpenBlas;
    return library;
  }

  void enter() noexcept {
    if (!get_num_threads || !set_num_threads) return;
    const std::lock_guard lock(mutex);
    if (users++ > 0) return;
    threads_before = get_num_threads();
    if (threads_before != 1) set_num_threads(1);
  }

  void leave() noexcept {
    if (!get_num_threads || !set_num_threads) return;
    const std::lock_guard lock(mutex);
    if (--users == 0 && threads_before != 1) set_num_threads(threads_before);
  }
};

constexpr CBLAS_TRANSPOSE flag(bool transpose) { return transpose ? CblasTrans : CblasNoTrans; }
constexpr blasint narrow(std::int64_t size) { return static_cast<blasint>(size); }

#ifdef XGRAD_WITH_ONEDNN
// oneDNN runs on as many threads as its OpenMP would give this thread, which is a setting of this thread's
// own task: set to 1 for the call and set back, at some 10 ns, it is seen by nobody else.
class OneOpenMpThread {
 public:
  OneOpenMpThread() noexcept : before_(openmp::max_threads()) {
    if (before_ > 1) openmp::set_num_threads(1);
  }
  ~OneOpenMpThread() {
    if (before_ > 1) openmp::set_num_threads(before_);
  }
  OneOpenMpThread(const OneOpenMpThread&) = delete;
  OneOpenMpThread& operator=(const OneOpenMpThread&) = delete;

 private:
  int before_;
};
#endif

}  // namespace

bool has_onednn() noexcept {
#if defined(XGRAD_WITH_ONEDNN) && defined(__x86_64__)
  return true;
#else
  return false;
#endif
}

OneBlasThread::OneBlasThread() noexcept { OpenBlas::instance().enter(); }
OneBlasThread::~OneBlasThread() { OpenBlas::instance().leave(); }

void cblas(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, bool transpose_a,
           const float* b, std::int64_t ldb, bool transpose_b, float* c, std::int64_t ldc,
           bool accumulate) noexcept {
  cblas_sgemm(CblasRowMajor, flag(transpose_a), flag(transpose_b), narrow(m), narrow(n), narrow(k), 1.0F, a,
              narrow(lda), b, narrow(ldb), accumulate ? 1.0F : 0.0F, c, narrow(ldc));
}

void cblas(std::int64_t m, std::int64_t n, std::int64_t k, const double* a, std::int64_t lda,
           bool transpose_a, const double* b, std::int64_t ldb, bool transpose_b, double* c, std::int64_t ldc,
           bool accumulate) noexcept {
  cblas_dgemm(CblasRowMajor, flag(transpose_a), flag(transpose_b), narrow(m), narrow(n), narrow(k), 1.0, a,
              narrow(lda), b, narrow(ldb), accumulate ? 1.0 : 0.0, c, narrow(ldc));
}

void onednn(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
            bool transpose_a, const float* b, std::int64_t ldb, bool transpose_b, float* c, std::int64_t ldc,
            bool accumulate) noexcept {
#ifdef XGRAD_WITH_ONEDNN
  {
    const OneOpenMpThread one;
    if (dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.0F, a, lda, b, ldb,
                   accumulate ? 1.0F : 0.0F, c, ldc) == dnnl_success)
      return;
  }
#endif
  const OneBlasThread one;
  cblas(m, n, k, a, lda, transpose_a, b, ldb, transpose_b, c, ldc, accumulate);
}

}  // namespace xgrad::inline v0::kernels::blas
