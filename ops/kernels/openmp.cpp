#include <xgrad/ops/kernels/openmp.hpp>

#include <dlfcn.h>

namespace xgrad::inline v0::kernels::openmp {
namespace {

template <class Function>
Function* symbol(const char* name) noexcept {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

struct Runtime {
  int (*in_parallel)() = symbol<int()>("omp_in_parallel");
  int (*max_threads)() = symbol<int()>("omp_get_max_threads");
  void (*set_num_threads)(int) = symbol<void(int)>("omp_set_num_threads");
};

const Runtime& runtime() noexcept {
  static const Runtime functions;
  return functions;
}

}  // namespace

bool in_parallel() noexcept { return runtime().in_parallel != nullptr && runtime().in_parallel() != 0; }
int max_threads() noexcept { return runtime().max_threads != nullptr ? runtime().max_threads() : 0; }
void set_num_threads(int n) noexcept {
  if (runtime().set_num_threads != nullptr) runtime().set_num_threads(n);
}

}  // namespace xgrad::inline v0::kernels::openmp
