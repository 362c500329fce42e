#pragma once
#include <string>

#include <xgrad/core/tensor.hpp>

namespace xgrad::inline v0::io {

/// The graph behind `output` in Graphviz's DOT language, for `dot -Tsvg`: a box for each recorded operation
/// with its name and the shape of its results, an ellipse for each leaf with its name and shape, arrows from
/// inputs to results. Constants are not part of the tape and not drawn. Throws GraphError when nothing was
/// recorded.
std::string to_dot(const Tensor& output);

}  // namespace xgrad::inline v0::io
