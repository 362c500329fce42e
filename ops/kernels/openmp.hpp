#pragma once

/// The OpenMP runtime that happens to be in the process: oneDNN's, or that of a program which uses OpenMP
/// itself. We are not linked with one; its functions are asked for by name, and stand for a program without
/// OpenMP when there is none.
namespace xgrad::inline v0::kernels::openmp {

/// Whether the calling thread is inside a parallel region of somebody's program.
bool in_parallel() noexcept;

/// How many threads a region that the calling thread starts would get; 0 without OpenMP.
int max_threads() noexcept;

/// Sets that, for regions that the calling thread starts.
void set_num_threads(int n) noexcept;

}  // namespace xgrad::inline v0::kernels::openmp
