#pragma once
#include <string>

#include <xgrad/core/tensor.hpp>

namespace xgrad::inline v0::data {

/// The array in an IDX file, the format of MNIST (Y. LeCun, C. Cortes, C. Burges, "The MNIST database"),
/// plain or gzip: uint8 stays, int8, int16 and int32 give int32, floats keep their type. Throws IoError,
/// naming the file and what is wrong with it.
Tensor read_idx(const std::string& path);

}  // namespace xgrad::inline v0::data
