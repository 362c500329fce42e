#pragma once
#include <string>
#include <utility>
#include <vector>
#include <xgrad/core/tape.hpp>

namespace xgrad::inline v0::detail {

struct Hook {
  std::uint64_t id;
  std::uint32_t output;
  Function<Tensor(const Tensor&)> call;
};

struct NodeExtras {
  std::string name;
  std::vector<Hook> hooks;
  std::vector<std::string> trace;  // the calls that led to the recording, innermost first; anomaly mode only
};

inline NodeExtras& extras_of(Node& n) {
  if (n.extras == nullptr) n.extras = new NodeExtras;
  return *n.extras;
}

/// The leaf node of a tensor, or null.
inline Leaf* leaf_of(const Tensor& t) {
  Node* n = t.impl()->node;
  return n != nullptr && n->is_leaf ? static_cast<Leaf*>(n) : nullptr;
}

/// a += b for arrays of one shape and dtype, where nobody else looks at `a`.
void accumulate_in_place(Array& a, const Array& b);

bool all_finite(const Tensor& t);
/// Notes in `n` the calls outside the library that led here.
void note_trace(Node& n);
/// For anomaly mode, in a sweep: throws ValueError if a gradient has a NaN or an infinity and no cotangent
/// has.
void check_anomaly(const Node& n, const Tensor* dys, const Tensor* grads);

}  // namespace xgrad::inline v0::detail
