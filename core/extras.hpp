#pragma once
#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <xgrad/core/tape.hpp>

namespace xgrad::inline v0::detail {

struct Hook {
  std::uint64_t id;
  std::uint32_t output;
  Function<Tensor(const Tensor&)> call;
};

/// What a leaf is called. Threads that share a model may be the first to visit it at once, and others may
/// read the name meanwhile: it appears whole, and the first one stays.
class LeafName {
 public:
  LeafName() = default;
  LeafName(const LeafName&) = delete;
  LeafName& operator=(const LeafName&) = delete;
  ~LeafName() { delete text_.load(std::memory_order_relaxed); }

  /// Empty until it has one.
  std::string_view view() const {
    const std::string* text = text_.load(std::memory_order_acquire);
    return text != nullptr ? std::string_view(*text) : std::string_view();
  }
  void set(std::string_view name) {
    delete text_.exchange(name.empty() ? nullptr : new std::string(name), std::memory_order_acq_rel);
  }
  /// Sets it unless there is one.
  void offer(std::string_view name) {
    const std::string* none = nullptr;
    if (name.empty() || !view().empty()) return;
    auto* text = new std::string(name);
    if (!text_.compare_exchange_strong(none, text, std::memory_order_acq_rel)) delete text;
  }

 private:
  std::atomic<const std::string*> text_{nullptr};
};

struct NodeExtras {
  LeafName name;
  std::vector<Hook> hooks;
  std::vector<std::string> trace;  // the calls that led to the recording, innermost first; anomaly mode only
};

inline NodeExtras& extras_of(Node& n) {
  if (n.extras == nullptr) n.extras = new NodeExtras;
  return *n.extras;
}

/// The name of a leaf; empty if it has none.
inline std::string_view name_of(const Node& n) {
  return n.extras != nullptr ? n.extras->name.view() : std::string_view();
}
/// Gives a leaf this name unless it has one. With an empty name it makes the place for a later one, so that
/// naming it writes nothing that other threads read.
void offer_name(const Tensor& leaf, std::string_view name);

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
