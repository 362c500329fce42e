#include <fmt/core.h>

#include <new>
#include <xgrad/core/extras.hpp>
#include <xgrad/core/op.hpp>

namespace xgrad::inline v0::detail {

constinit thread_local ThreadState thread_state{};

void destroy(Node* n) noexcept {
  ThreadState& t = thread_state;
  n->next_drain = t.drain;
  t.drain = n;
  if (t.draining) return;
  t.draining = true;
  while (Node* m = t.drain) {
    t.drain = m->next_drain;
    for (int i = 0; i < m->edge_count; ++i) drop(m->edges[i].node);
    for (int i = 0; i < m->output_count; ++i) Tensor(std::exchange(m->outputs[i].cotangent, nullptr));
    delete m->extras;
    const std::size_t bytes = m->bytes;
    m->~Node();
    pool_free(m, bytes);
  }
  t.draining = false;
}

void free_tensor(TensorImpl* t) noexcept {
  Node* n = t->node;
  t->~TensorImpl();
  free_lines(t, tensor_lines);
  drop(n);
}

Leaf::Leaf() {
  is_leaf = true;
  outputs = &slot;
  output_count = 1;
  bytes = sizeof(Leaf);
}

void attach(Node& node, const Tensor* const* inputs, int input_count, Tensor* results, int result_count) {
  std::uint64_t sequence = ++thread_state.sequence;
  node.edge_count = static_cast<std::uint16_t>(input_count);
  for (int i = 0; i < input_count; ++i) {
    const TensorImpl& in = *inputs[i]->impl();
    if (!in.requires_grad) continue;
    in.node->refs.increment();
    node.edges[i].node = in.node;
    node.edges[i].output = in.output;
    // A graph handed over by another thread still sweeps in order.
    if (in.node->sequence >= sequence) sequence = in.node->sequence + 1;
  }
  thread_state.sequence = sequence;
  node.sequence = sequence;
  node.output_count = static_cast<std::uint16_t>(result_count);
  if (thread_state.anomaly) [[unlikely]]
    note_trace(node);
  bool held = false;  // the first result takes over the creator's reference
  for (int k = 0; k < result_count; ++k) {
    TensorImpl& y = *results[k].impl();
    node.outputs[k].dtype = y.array.dtype();
    node.outputs[k].shape = y.array.shape();
    if (!is_floating(y.array.dtype())) {
      continue;  // an index among several results has no gradient
    }
    if (y.node != nullptr) drop(y.node);
    y.node = &node;
    y.output = static_cast<std::uint16_t>(k);
    y.requires_grad = true;
    if (held) node.refs.increment();
    held = true;
  }
  if (!held) drop(&node);
}

void throw_stale(std::string_view op, const Node& node, const SavedTensor& s) {
  throw GraphError(
      op,
      fmt::format(
          "{} of shape {}, which the gradient of {} needs, was overwritten by assign since it was used (its "
          "version is {}, {} was saved): call backward before assign, or compute the result again",
          s.tensor.describe(), s.tensor.shape().str(), node.op_name(), s.tensor.array().version(),
          s.version));
}

void throw_undefined_input(std::string_view op, int index, const Tensor* const* inputs, int count) {
  std::string others;
  for (int i = 0; i < count; ++i)
    if (inputs[i]->defined()) others += (others.empty() ? " beside shape " : ", ") + inputs[i]->shape().str();
  throw ValueError(op, fmt::format("input {} is an undefined tensor{}, as a gradient is until backward() has "
                                   "run: give it a value first",
                                   index, others));
}

void annotate_inputs(Error& e, std::string_view op, const Tensor* const* inputs, int count,
                     std::span<const std::string_view> names) {
  if (auto* memory = dynamic_cast<MemoryError*>(&e)) memory->name_operation(op);
  const std::string_view message = e.what();
  const auto told = [&](int i) { return message.find(inputs[i]->shape().str()) != std::string_view::npos; };
  bool tells_shapes = false;
  for (int i = 0; i < count; ++i) tells_shapes |= told(i);
  std::string note;
  for (int i = 0; i < count && i < 4; ++i) {
    const std::string what = inputs[i]->describe();
    if (what == "a tensor" && tells_shapes) continue;
    if (!note.empty()) note += ", ";
    if (static_cast<std::size_t>(i) < names.size())
      note += names[static_cast<std::size_t>(i)];
    else
      note += count == 1 ? 'x' : static_cast<char>('a' + i);
    note += fmt::format(" is {}", what);
    if (!told(i)) note += fmt::format(" of shape {}", inputs[i]->shape().str());
  }
  if (!note.empty()) e.annotate(note);
}

}  // namespace xgrad::inline v0::detail
