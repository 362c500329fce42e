#include <fmt/core.h>

#include <algorithm>
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/extras.hpp>
#include <xgrad/core/grad.hpp>

/// The reverse sweep. It claims every entry that the outputs depend on, walks them in reverse order of
/// recording, asks each for the cotangents of its inputs and adds these up where the inputs were made.
namespace xgrad::inline v0 {
namespace detail {
namespace {

/// Entries of the running sweeps of this thread, one sweep's behind the other's: a hook may start a sweep of
/// its own. Kept between sweeps, so that a training step allocates nothing.
thread_local std::vector<Node*> entries;

std::uint32_t next_sweep_id() {
  static std::atomic<std::uint32_t> last{0};
  std::uint32_t id = ++last;
  return id != 0 ? id : ++last;
}

[[noreturn]] void throw_busy(std::string_view op, const Node& n) {
  if (n.is_leaf) {
    throw GraphError(op,
                     fmt::format("another sweep is adding to the gradient of {} right now: use grad, which "
                                 "leaves leaves alone, when threads share them",
                                 name_of(n).empty() ? "a leaf" : fmt::format("\"{}\"", name_of(n))));
  }
  throw GraphError(
      op, fmt::format("another sweep is using the entry of {} right now: give each thread a graph of its "
                      "own, or sweep one after the other",
                      n.op_name()));
}

[[noreturn]] void throw_released(std::string_view op, const Node& n) {
  throw GraphError(
      op, fmt::format("the history of {} was freed by an earlier sweep: pass {{.retain_graph = true}} to the "
                      "first sweep, or compute the result again",
                      n.op_name()));
}

/// Where a `grad` ends, with the cotangents that arrive there: leaves, which threads share and which carry no
/// scratch then, and in a local sweep the inputs themselves.
class EndTable {
 public:
  struct Entry {
    const Node* node;
    std::uint32_t output;
    Tensor cotangent;
    bool reached = false;
  };
  void add(const Node* node, std::uint32_t output) {
    if (find(node, output) != nullptr) return;
    list_.push_back({node, output, {}});
    sorted_ = list_.size() > 16;
    if (sorted_) std::sort(list_.begin(), list_.end(), before);
  }
  Entry* find(const Node* node, std::uint32_t output) {
    if (!sorted_) {
      for (Entry& e : list_)
        if (e.node == node && e.output == output) return &e;
      return nullptr;
    }
    const Entry wanted{node, output, {}};
    auto it = std::lower_bound(list_.begin(), list_.end(), wanted, before);
    return it != list_.end() && it->node == node && it->output == output ? &*it : nullptr;
  }

 private:
  static bool before(const Entry& a, const Entry& b) {
    return a.node != b.node ? a.node < b.node : a.output < b.output;
  }
  std::vector<Entry> list_;
  bool sorted_ = false;
};

class Sweep {
 public:
  /// Into leaves when `inputs` is null.
  Sweep(const std::vector<Tensor>* inputs, bool create_graph, bool release)
      : entries_(entries),
        first_(entries.size()),
        id_(next_sweep_id()),
        inputs_(inputs),
        create_graph_(create_graph),
        release_(release) {
    was_off_ = thread_state.no_grad;
    thread_state.no_grad = !create_graph;
  }
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  ~Sweep() {
    thread_state.no_grad = was_off_;
    const std::size_t end = entries_.size();
    for (std::size_t k = first_; k < end; ++k) {
      Node* n = entries_[k];
      if (!finished_)  // a rule threw, or a `grad` had no use for what arrived here
        for (int i = 0; i < n->output_count; ++i) Tensor(std::exchange(n->outputs[i].cotangent, nullptr));
      n->captured = n->needed = false;
      n->sweep.store(0, std::memory_order_release);
    }
    entries_.resize(first_);
    drop(root_);
    for (Node* n : more_roots_) drop(n);
  }

  /// Adds a root with its cotangent.
  void seed(const Tensor& output, Tensor cotangent) {
    Node* n = output.impl()->node;
    if (ends_at(n, output.impl()->output)) {
      // An output that is itself an input: its cotangent is final.
      if (auto* e = ends_.find(n, output.impl()->output)) {
        e->reached = true;
        add_to(e->cotangent, std::move(cotangent));
      }
      return;
    }
    claim(n);
    hold(n);
    Tensor sum(std::exchange(n->outputs[output.impl()->output].cotangent, nullptr));
    add_to(sum, std::move(cotangent));
    n->outputs[output.impl()->output].cotangent = sum.release();
  }

  /// The sweep goes no further than this input.
  void end_at(const Tensor& input) { ends_.add(input.impl()->node, input.impl()->output); }

  /// Claims everything that the roots depend on and puts it in reverse order of recording. Nothing is
  /// computed yet: what can be refused is refused here.
  void collect() {
    bool sorted = true;
    std::uint64_t last = ~std::uint64_t{0};
    for (std::size_t k = first_; k < entries_.size(); ++k) {
      Node* n = entries_[k];
      if (n->released) throw_released(op(), *n);
      for (int i = 0; i < n->saved_count; ++i)
        if (n->saved[i].tensor.impl()->array.version() != n->saved[i].version)
          throw_stale(op(), *n, n->saved[i]);
      sorted = sorted && n->sequence <= last;
      last = n->sequence;
      for (int i = 0; i < n->edge_count; ++i) {
        Edge& e = n->edges[i];
        e.wanted = e.node != nullptr;
        if (e.node != nullptr && !ends_at(e.node, e.output)) claim(e.node);
      }
    }
    if (!sorted)
      std::sort(entries_.begin() + static_cast<std::ptrdiff_t>(first_), entries_.end(),
                [](const Node* a, const Node* b) { return a->sequence > b->sequence; });
    count_ = entries_.size();
    if (into_inputs()) find_paths();
  }

  /// Runs the rules.
  void run() {
    for (std::size_t k = first_; k < count_; ++k) {
      Node& n = *entries_[k];
      if (n.is_leaf || (into_inputs() && !n.needed && !n.captured)) continue;
      if (n.output_count == 1) {
        if (n.outputs[0].cotangent == nullptr) continue;
        Tensor dy(std::exchange(n.outputs[0].cotangent, nullptr));
        step(n, &dy);
      } else {
        std::vector<Tensor> dys;
        bool any = false;
        for (int i = 0; i < n.output_count; ++i) {
          dys.emplace_back(std::exchange(n.outputs[i].cotangent, nullptr));
          any = any || dys.back().defined();
        }
        if (any) step(n, dys.data());
      }
      if (release_ && (!into_inputs() || n.needed)) release(n);
    }
  }

  /// Adds what arrived to the leaves' gradients, after which no entry holds a cotangent.
  void finish_leaves() {
    const std::size_t end = entries_.size();
    for (std::size_t k = first_; k < end; ++k) {
      if (!entries_[k]->is_leaf) continue;
      auto& leaf = static_cast<Leaf&>(*entries_[k]);
      Tensor dy(std::exchange(leaf.slot.cotangent, nullptr));
      if (!dy.defined()) continue;
      if (has_hooks(leaf)) run_hooks(leaf, &dy);
      add_to(leaf.grad, std::move(dy));
    }
    finished_ = true;
  }

  /// The gradient of input `i` of a `grad`; undefined if nothing arrived.
  Tensor result(std::size_t i) {
    const Tensor& x = (*inputs_)[i];
    Node* n = x.impl()->node;
    EndTable::Entry* e = ends_.find(n, x.impl()->output);
    if (e == nullptr) {
      for (const Captured& c : captured_)
        if (c.node == n && c.output == x.impl()->output) return c.cotangent;
      return {};
    }
    Tensor dy = e->cotangent;
    if (dy.defined() && n->is_leaf && has_hooks(*n)) run_hooks(*n, &dy);
    return dy;
  }

  /// Whether the outputs depend on the input.
  bool reached(const Tensor& x) {
    const EndTable::Entry* e = ends_.find(x.impl()->node, x.impl()->output);
    return e != nullptr ? e->reached : claimed(x.impl()->node);
  }

 private:
  struct Captured {
    Node* node;
    std::uint32_t output;
    Tensor cotangent;
  };

  bool into_inputs() const { return inputs_ != nullptr; }
  bool claimed(const Node* n) const { return n->sweep.load(std::memory_order_relaxed) == id_; }
  bool ends_at(const Node* n, std::uint32_t output) {
    return into_inputs() && (n->is_leaf || ends_.find(n, output) != nullptr);
  }

  void claim(Node* n) {
    std::uint32_t holder = n->sweep.load(std::memory_order_acquire);
    if (holder == id_) return;
    if (holder != 0 || !n->sweep.compare_exchange_strong(holder, id_, std::memory_order_acq_rel))
      throw_busy(op(), *n);
    entries_.push_back(n);
  }

  /// Entries hold those that made their inputs, so the roots keep all of them, whatever a hook drops.
  void hold(Node* root) {
    root->refs.increment();
    if (root_ == nullptr)
      root_ = root;
    else
      more_roots_.push_back(root);
  }

  /// Marks the entries that lead to a wanted input, from the earliest on, and with them the gradients to ask
  /// for.
  void find_paths() {
    for (const Tensor& x : *inputs_) {
      Node* n = x.impl()->node;
      if (!claimed(n) || ends_.find(n, x.impl()->output) != nullptr) continue;
      n->captured = true;
      captured_.push_back({n, x.impl()->output, {}});
    }
    for (std::size_t k = count_; k-- > first_;) {
      Node& n = *entries_[k];
      for (int i = 0; i < n.edge_count; ++i) {
        Edge& e = n.edges[i];
        if (e.node == nullptr) continue;
        if (ends_at(e.node, e.output)) {
          EndTable::Entry* end = ends_.find(e.node, e.output);
          e.wanted = end != nullptr;
          if (end != nullptr) end->reached = true;
        } else {
          e.wanted = e.node->needed || e.node->captured;
        }
        n.needed = n.needed || e.wanted;
      }
    }
  }

  void step(Node& n, Tensor* dys) {
    if (has_hooks(n)) run_hooks(n, dys);
    if (n.captured) {
      for (Captured& c : captured_)
        if (c.node == &n && dys[c.output].defined()) c.cotangent = dys[c.output];
      if (!n.needed) return;
    }
    constexpr int few = 4;
    if (n.edge_count <= few) {
      Tensor grads[few];
      propagate(n, dys, grads);
    } else {
      std::vector<Tensor> grads(n.edge_count);
      propagate(n, dys, grads.data());
    }
  }

  /// In anomaly mode an entry is judged as a whole and under its own name, not by the operations of its rule.
  void run_watched(Node& n, Tensor* dys, Tensor* grads) {
    const std::vector<Tensor> held(dys, dys + n.output_count);  // so that no rule computes in their memory
    {
      struct Pause {
        Pause() { thread_state.anomaly = false; }
        ~Pause() { thread_state.anomaly = true; }
      } pause;
      n.vjp(dys, grads, create_graph_);
    }
    check_anomaly(n, dys, grads);
  }

  void propagate(Node& n, Tensor* dys, Tensor* grads) {
    n.last_use = release_;
    if (thread_state.anomaly) [[unlikely]]
      run_watched(n, dys, grads);
    else
      n.vjp(dys, grads, create_graph_);
    // The rule is done with the cotangent: if nobody else holds its buffer, sums may be formed in it.
    for (int i = 0; i < n.output_count; ++i) dys[i] = Tensor();
    for (int i = 0; i < n.edge_count; ++i) {
      Edge& e = n.edges[i];
      if (!e.wanted || !grads[i].defined()) continue;
      Tensor g = fit(n, e, std::move(grads[i]));
      if (ends_at(e.node, e.output)) {
        add_to(ends_.find(e.node, e.output)->cotangent, std::move(g));
      } else {
        OutputSlot& slot = e.node->outputs[e.output];
        if (slot.cotangent == nullptr) {
          slot.cotangent = g.release();
        } else {
          Tensor sum(std::exchange(slot.cotangent, nullptr));
          add_to(sum, std::move(g));
          slot.cotangent = sum.release();
        }
      }
    }
  }

  /// Undoes a broadcast and a promotion: the cotangent of an input has the input's shape and dtype.
  Tensor fit(const Node& n, const Edge& e, Tensor g) {
    const OutputSlot& want = e.node->outputs[e.output];
    const Array& a = g.impl()->array;
    if (a.shape() != want.shape) {
      if (!broadcasts_to(want.shape, a.shape()))
        throw ShapeError(n.op_name(),
                         fmt::format("its vjp returned a gradient of shape {} for an input of shape {}: "
                                     "return the shape of the input, or one that it broadcasts to",
                                     a.shape().str(), want.shape.str()));
      g = sum_to(g, want.shape);
    }
    if (g.impl()->array.dtype() != want.dtype) g = astype(g, want.dtype);
    return g;
  }

  void add_to(Tensor& sum, Tensor g) {
    if (!sum.defined()) {
      sum = std::move(g);
      return;
    }
    TensorImpl& s = *sum.impl();
    const Array& b = g.impl()->array;
    if (!create_graph_ && s.node == nullptr && s.refs.unique() && s.array.unique() &&
        s.array.is_contiguous() && b.is_contiguous() && s.array.dtype() == b.dtype() &&
        s.array.shape() == b.shape()) {
      accumulate_in_place(s.array, b);
    } else {
      sum = add(sum, g);
    }
  }

  static bool has_hooks(const Node& n) { return n.extras != nullptr && !n.extras->hooks.empty(); }

  void run_hooks(Node& n, Tensor* dys) {
    // A copy: a hook may remove itself.
    const std::vector<Hook> hooks = n.extras->hooks;
    for (const Hook& h : hooks) {
      if (!dys[h.output].defined()) continue;
      Tensor replaced = h.call(dys[h.output]);
      if (!replaced.defined()) continue;
      if (replaced.shape() != n.outputs[h.output].shape)
        throw ShapeError("register_hook",
                         fmt::format("the hook returned shape {} for a gradient of shape {}: return "
                                     "the same shape, or an undefined tensor to leave it",
                                     replaced.shape().str(), n.outputs[h.output].shape.str()));
      dys[h.output] = std::move(replaced);
    }
  }

  void release(Node& n) {
    n.released = true;
    for (int i = 0; i < n.saved_count; ++i) n.saved[i].tensor = Tensor();
    n.saved_count = 0;
    n.release();
  }

  std::string_view op() const { return inputs_ != nullptr ? "grad" : "backward"; }

  std::vector<Node*>& entries_;  // this thread's, fetched once
  Node* root_ = nullptr;
  std::vector<Node*> more_roots_;
  std::size_t first_, count_ = 0;
  std::uint32_t id_;
  const std::vector<Tensor>* inputs_;
  bool create_graph_, release_, was_off_, finished_ = false;
  EndTable ends_;
  std::vector<Captured> captured_;
};

Tensor cotangent_for(std::string_view op, const Tensor& output, const Tensor& given) {
  const Array& y = output.array();
  if (!given.defined()) {
    if (y.numel() != 1)
      throw ShapeError(
          op, fmt::format("the output has shape {}: only a tensor of one element needs no cotangent: "
                          "reduce it with sum or mean, or pass a cotangent of its shape",
                          y.shape().str()));
    return Tensor(Array::full(y.shape(), 1.0, y.dtype()));
  }
  if (given.shape() != y.shape())
    throw ShapeError(op, fmt::format("a cotangent of shape {} for an output of shape {}: make them equal",
                                     given.shape().str(), y.shape().str()));
  return given.dtype() == y.dtype() ? given : astype(given, y.dtype());
}

void require_history(std::string_view op, const Tensor& output) {
  if (!output.defined()) throw_undefined_input(op, 0);
  if (!output.requires_grad())
    throw GraphError(
        op, fmt::format("{} of shape {} does not depend on anything that requires a gradient: set "
                        "requires_grad on an input, and compute it without NoGrad or detach(); if it "
                        "is made of gradients, get those with {{.create_graph = true}}",
                        output.describe(), output.shape().str()));
}

}  // namespace

std::vector<Tensor> local_grad(const Tensor& output, const std::vector<Tensor>& inputs,
                               const Tensor& cotangent) {
  std::vector<Tensor> wanted;
  for (const Tensor& x : inputs)
    if (x.requires_grad()) wanted.push_back(x);
  std::vector<Tensor> results(inputs.size());
  if (wanted.empty() || !output.requires_grad()) return results;
  Sweep sweep(&wanted, grad_enabled(), false);
  for (const Tensor& x : wanted) sweep.end_at(x);
  sweep.seed(output, cotangent);
  sweep.collect();
  sweep.run();
  for (std::size_t i = 0, k = 0; i < inputs.size(); ++i)
    if (inputs[i].requires_grad()) results[i] = sweep.result(k++);
  return results;
}

}  // namespace detail

void Tensor::backward(const BackwardOptions& options) const {
  using namespace detail;
  require_history("backward", *this);
  Tensor cotangent = cotangent_for("backward", *this, options.gradient);
  Sweep sweep(nullptr, options.create_graph, !(options.retain_graph || options.create_graph));
  sweep.seed(*this, std::move(cotangent));
  sweep.collect();
  sweep.run();
  sweep.finish_leaves();
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options) {
  using namespace detail;
  if (!options.grad_outputs.empty() && options.grad_outputs.size() != outputs.size())
    throw ValueError("grad",
                     fmt::format("{} grad_outputs for {} outputs: give one for each (an undefined one is 1)",
                                 options.grad_outputs.size(), outputs.size()));
  std::vector<Tensor> cotangents;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    require_history("grad", outputs[i]);
    cotangents.push_back(
        cotangent_for("grad", outputs[i], options.grad_outputs.empty() ? Tensor() : options.grad_outputs[i]));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) throw_undefined_input("grad", static_cast<int>(i));
    if (!inputs[i].requires_grad())
      throw GraphError("grad", fmt::format("input {} of shape {} does not require a gradient: create it with "
                                           "{{.requires_grad = true}}",
                                           i, inputs[i].shape().str()));
  }
  Sweep sweep(&inputs, options.create_graph, !options.retain_graph.value_or(options.create_graph));
  for (const Tensor& x : inputs)
    if (x.impl()->node->is_leaf) sweep.end_at(x);
  for (std::size_t i = 0; i < outputs.size(); ++i) sweep.seed(outputs[i], std::move(cotangents[i]));
  sweep.collect();
  if (!options.allow_unused) {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (!sweep.reached(inputs[i]))
        throw GraphError(
            "grad", fmt::format("the outputs do not depend on input {}, {} of shape {}: leave it out, or "
                                "pass {{.allow_unused = true}}",
                                i, inputs[i].describe(), inputs[i].shape().str()));
  }
  sweep.run();
  std::vector<Tensor> results;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Tensor g = sweep.result(i);
    if (!g.defined() && sweep.reached(inputs[i]))
      g = Tensor(Array::full(inputs[i].shape(), 0.0, inputs[i].dtype()));  // every rule on the way said zero
    results.push_back(std::move(g));
  }
  return results;
}

Tensor grad(const Tensor& output, const Tensor& input, const GradOptions& options) {
  return grad(std::vector<Tensor>{output}, std::vector<Tensor>{input}, options)[0];
}

std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs,
                         const GradOptions& options) {
  return grad(std::vector<Tensor>{output}, inputs, options);
}

NoGrad::NoGrad() : previous_(std::exchange(detail::thread_state.no_grad, true)) {}
NoGrad::~NoGrad() { detail::thread_state.no_grad = previous_; }
bool grad_enabled() { return !detail::thread_state.no_grad; }

Anomaly::Anomaly() : previous_(std::exchange(detail::thread_state.anomaly, true)) {}
Anomaly::~Anomaly() { detail::thread_state.anomaly = previous_; }

}  // namespace xgrad::inline v0
