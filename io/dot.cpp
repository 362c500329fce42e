#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <xgrad/core/extras.hpp>
#include <xgrad/io/dot.hpp>

namespace xgrad::inline v0::io {
namespace {

using xgrad::detail::Edge;
using xgrad::detail::Node;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

std::string label(const Node& n) {
  std::string shapes;
  for (int i = 0; i < n.output_count; ++i) shapes += (i > 0 ? ", " : "") + n.outputs[i].shape.str();
  if (!n.is_leaf) return fmt::format("{} {}", n.op_name(), shapes);
  const std::string_view name = name_of(n);
  return fmt::format("{} {}", name.empty() ? "leaf" : name, shapes);
}

}  // namespace

std::string to_dot(const Tensor& output) {
  if (!output.requires_grad())
    throw GraphError(
        "to_dot", fmt::format("nothing was recorded for {} of shape {}: set requires_grad on an input, and "
                              "compute it without NoGrad",
                              output.describe(), output.defined() ? output.shape().str() : "()"));
  // Numbered in the order in which they are met; histories are long, so without recursion.
  std::unordered_map<const Node*, std::size_t> numbers;
  std::vector<const Node*> nodes;
  const auto number = [&](const Node* n) {
    const auto [it, fresh] = numbers.try_emplace(n, nodes.size());
    if (fresh) nodes.push_back(n);
    return it->second;
  };
  number(output.impl()->node);
  std::string arrows;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    const Node& n = *nodes[k];
    for (int i = 0; i < n.edge_count; ++i) {
      const Edge& e = n.edges[i];
      if (e.node != nullptr) arrows += fmt::format("  n{} -> n{};\n", number(e.node), k);
    }
  }
  std::string dot = "digraph xgrad {\n  rankdir = BT;\n  node [fontname = \"sans-serif\"];\n";
  for (std::size_t k = 0; k < nodes.size(); ++k)
    dot += fmt::format("  n{} [label = {}, shape = {}];\n", k, quoted(label(*nodes[k])),
                       nodes[k]->is_leaf ? "ellipse" : "box");
  return dot + arrows + "}\n";
}

}  // namespace xgrad::inline v0::io
