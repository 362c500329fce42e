#pragma once
#include <string>

#include <xgrad/core/tensor.hpp>

/// Single arrays in NumPy's .npy files (numpy.lib.format): numpy.load and numpy.save on the other side.
namespace xgrad::inline v0::io {

/// Writes the values of `x`, all or nothing: the path holds the old file or the whole new one. Throws IoError
/// when the file cannot be written.
void save_npy(const std::string& path, const Tensor& x);

/// The array in a file of version 1, 2 or 3, of either byte order, row-major whatever the order in the file.
/// int8, int16 and uint16 give int32, uint32 gives int64. Throws IoError, naming the file and what is wrong
/// with it, for other dtypes and anything that is not a well-formed file.
Tensor load_npy(const std::string& path);

}  // namespace xgrad::inline v0::io
