#pragma once
#include <xgrad/ops/kernels/parallel.hpp>

/// How many threads large operations may use: `set_num_threads(4)`. Results are the same to the bit for any
/// number.
namespace xgrad::inline v0 {

using kernels::num_threads;
using kernels::set_num_threads;

}  // namespace xgrad::inline v0
