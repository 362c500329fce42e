#pragma once
#include <xgrad/core/tensor.hpp>

/// The tape. Each recorded operation is one Node: the op with its attributes, edges to the entries that made
/// its inputs, and the values its gradient needs. Nodes are owned by the tensors they produced and by later
/// nodes, so dropping the last handle frees a history. A leaf that requires a gradient has a node as well,
/// which holds its accumulated gradient.
namespace xgrad::inline v0::detail {

/// What recording needs to know about its thread.
struct ThreadState {
  bool no_grad = false;
  bool anomaly = false;
  bool draining = false;
  Node* drain = nullptr;       // nodes whose last owner has gone, waiting to be destroyed
  std::uint64_t sequence = 0;  // of the last entry recorded here
};
extern constinit thread_local ThreadState thread_state;

/// Where the gradient of one input goes: result `output` of `node`; null when no gradient is wanted.
struct Edge {
  Node* node = nullptr;
  std::uint32_t output = 0;
  bool wanted = false;  // by the sweep that runs
};

/// One result of a node: its shape and dtype, which its cotangent shares, and the cotangent itself during a
/// sweep.
struct OutputSlot {
  TensorImpl* cotangent = nullptr;
  DType dtype = DType::float32;
  Shape shape;
};

/// An input that the gradient needs, with the version its storage had when it was saved.
struct SavedTensor {
  Tensor tensor;
  std::uint32_t version = 0;
};

/// Rarely used parts of a node: hooks, a leaf's name, where anomaly mode saw it recorded.
struct NodeExtras;

class Node {
 public:
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  virtual std::string_view op_name() const = 0;
  /// Cotangents of the inputs, in `grads`, from those of the results. An undefined one is zero. With
  /// `recorded` the rule runs on the tape.
  virtual void vjp(Tensor* dys, Tensor* grads, bool recorded) = 0;
  /// Drops what was saved beside `saved`.
  virtual void release() noexcept = 0;

  RefCount refs;
  std::atomic<std::uint32_t> sweep{0};  // id of the sweep that holds this entry; 0: none
  std::uint64_t sequence = 0;
  Node* next_drain = nullptr;
  Edge* edges = nullptr;
  OutputSlot* outputs = nullptr;
  SavedTensor* saved = nullptr;
  NodeExtras* extras = nullptr;
  std::uint32_t bytes = 0;  // of this node's block
  std::uint16_t edge_count = 0;
  std::uint16_t output_count = 0;
  std::uint16_t saved_count = 0;
  bool is_leaf = false;
  bool released = false;  // saved values are gone
  bool captured = false;  // the running `grad` wants a result of this node
  bool needed = false;    // the running `grad` leads through this node
  bool last_use = false;  // the running sweep frees what was saved once the rule has run

 protected:
  friend void destroy(Node* n) noexcept;
  virtual ~Node() = default;
};

/// The node of a leaf.
class Leaf final : public Node {
 public:
  Leaf();
  std::string_view op_name() const override { return "leaf"; }
  void vjp(Tensor*, Tensor*, bool) override {}
  void release() noexcept override {}

  Tensor grad;
  OutputSlot slot;
};

/// Queues the node and whatever only it owned for destruction, without recursion: histories are long.
void destroy(Node* n) noexcept;

inline void drop(Node* n) noexcept {
  if (n != nullptr && n->refs.decrement()) destroy(n);
}

/// Fills in everything of a fresh node but its op: edges to `inputs`, sequence, and the slots of `results`,
/// whose place on the tape it becomes.
void attach(Node& node, const Tensor* const* inputs, int input_count, Tensor* results, int result_count);

/// GraphError: a saved value was overwritten since.
[[noreturn]] void throw_stale(std::string_view op, const Node& node, const SavedTensor& s);
/// ValueError: an input of `op` is undefined.
[[noreturn]] void throw_undefined_input(std::string_view op, int index, const Tensor* const* inputs = nullptr,
                                        int count = 0);
/// Adds to an error of `op` how its inputs came about, and their shapes where it tells none. They are called
/// by their `names`, else x, or a, b and so on. To be called in a handler; the caller rethrows.
void annotate_inputs(Error& e, std::string_view op, const Tensor* const* inputs, int count,
                     std::span<const std::string_view> names = {});
/// For anomaly mode: throws ValueError if `result` has a NaN or an infinity and the inputs have none.
void check_anomaly(std::string_view op, const Tensor& result, const Tensor* const* inputs, int count);

}  // namespace xgrad::inline v0::detail
