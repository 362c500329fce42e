#pragma once
#include <iosfwd>
#include <string>

#include <xgrad/core/tensor.hpp>

namespace xgrad::inline v0 {

/// The values as NumPy's `str` writes them: eight digits, columns aligned, scientific where the values ask
/// for it, lines of 75 characters, and of more than 1000 elements only the first and last three along each
/// axis. "undefined" for an undefined tensor.
std::string to_string(const Tensor& x);
std::string to_string(const Array& x);

std::ostream& operator<<(std::ostream& out, const Tensor& x);
std::ostream& operator<<(std::ostream& out, const Array& x);

}  // namespace xgrad::inline v0
