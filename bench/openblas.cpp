#include "openblas.hpp"

#include <xgrad/xgrad.hpp>

namespace bench {

void wake_openblas() {
  const xgrad::NoGrad guard;
  const xgrad::Tensor a = xgrad::zeros({256, 256}, {.dtype = xgrad::float64});  // float64 is OpenBLAS's part
  matmul(a, a);
}

}  // namespace bench
