#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <xgrad/core/check_runs.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/ops/kernels/parallel.hpp>

namespace xgrad::inline v0::detail {
void run_broadcast(Context& t) {
  const std::vector<Shape> shapes = {{2, 3, 4}, {3, 1}, {2, 1, 4}, {4}, {}};
  for (std::size_t turn = 0; turn < shapes.size(); ++turn) {
    std::vector<Shape> turned = shapes;
    std::rotate(turned.begin(), turned.begin() + static_cast<std::ptrdiff_t>(turn), turned.end());
    t.each_as(turned, check_basics);
  }
}

std::string check_layout(const Context& t, const Case& c, Layout layout) {
  std::vector<Array> plain, odd, plain_w, odd_w;
  for (const Array& a : c.x) {
    odd.push_back(laid_out(a, layout));
    plain.push_back(odd.back().contiguous());
  }
  for (const Array& w : c.cotangents) {
    odd_w.push_back(w.defined() ? laid_out(w, layout) : w);
    plain_w.push_back(w.defined() ? odd_w.back().contiguous() : w);
  }
  for (bool recorded : {false, true}) {
    const Run expected = run_op(t.op, c, plain, plain_w, {.recorded = recorded});
    const auto compare = [&](const std::vector<Array>& x, const std::vector<Array>& w, std::string what) {
      const std::string d =
          run_difference(run_op(t.op, c, x, w, {.recorded = recorded}), expected, reordered);
      return d.empty() ? d : fmt::format("{} ({} sweep): {}", what, sweep_name(recorded), d);
    };
    std::string d = compare(odd, odd_w, "inputs and cotangents");
    if (d.empty()) d = compare(plain, odd_w, "cotangents");
    for (std::size_t i = 0; d.empty() && i < odd.size(); ++i) {
      std::vector<Array> one = plain;
      one[i] = odd[i];
      d = compare(one, plain_w, fmt::format("input {}", i));
    }
    if (!d.empty()) return d;
  }
  return "";
}

namespace {
std::string check_channels_last(const Context& t, const Case& c) {
  if (t.elementwise()) {
    std::vector<Array> x;
    for (const Array& a : c.x) x.push_back(laid_out(a, Layout::channels_last));
    for (const Array& y : run_op(t.op, c, x, {}).results)
      if (!(y.strides() == x[0].strides()))
        return fmt::format(
            "inputs have strides {}, the result {}: elementwise results keep the order of axes",
            x[0].strides().str(), y.strides().str());
  }
  return check_layout(t, c, Layout::channels_last);
}

}  // namespace

void run_channels_last(Context& t) {
  if (t.elementwise())
    t.each_as({{2, 3, 4, 5}}, check_channels_last);
  else
    t.each(check_channels_last, has_rank<4>);
}

std::string check_expanded_cotangent(const Context& t, const Case& c) {
  std::vector<Array> plain, odd;
  for (const Array& w : c.cotangents) {
    odd.push_back(w.defined() ? Array::full({}, 0.75, w.dtype()).broadcast_to(w.shape()) : w);
    plain.push_back(w.defined() ? odd.back().contiguous() : w);
  }
  for (bool recorded : {false, true}) {
    const std::string d = run_difference(run_op(t.op, c, c.x, odd, {.recorded = recorded}),
                                         run_op(t.op, c, c.x, plain, {.recorded = recorded}), reordered);
    if (!d.empty()) return fmt::format("{} sweep: {}", sweep_name(recorded), d);
  }
  return "";
}

namespace {

/// A sample whose inputs `first` and `second` may be one tensor.
struct Twin {
  const Case* from;
  Sample sample;
  std::size_t first, second;
};

std::vector<Twin> twins(const Context& t) {
  std::vector<Twin> list;
  for (const Case& c : t.cases) {
    for (std::size_t i = 0; i < c.x.size(); ++i) {
      for (std::size_t j = i + 1; j < c.x.size(); ++j) {
        if (!is_floating(c.x[i].dtype()) || !is_floating(c.x[j].dtype())) continue;
        if (!t.elementwise() && !(c.x[i].shape() == c.x[j].shape())) continue;
        Twin twin{&c, c.sample, i, j};
        if (t.elementwise())
          for (SampleInput& in : twin.sample.inputs()) in.shape = {3, 4};
        SampleInput &a = twin.sample.inputs()[i], &b = twin.sample.inputs()[j];
        a.low = b.low = std::max(a.low, b.low);
        a.high = b.high = std::min(a.high, b.high);
        a.avoided.insert(a.avoided.end(), b.avoided.begin(), b.avoided.end());
        if (a.low < a.high) list.push_back(std::move(twin));
      }
    }
  }
  return list;
}

std::string check_twin(const Context& t, const Twin& twin) {
  const Case drawn = make_case(t.op, twin.sample, twin.from->name, t.seed);
  std::vector<Array> x = drawn.x;
  x[twin.second] = x[twin.first];
  if (t.has_reference()) {
    Case same = drawn;
    same.x = x;
    same.results = run_op(t.op, same, x, {}).results;
    const std::string d = check_value(t, same);
    if (!d.empty()) return d;
  }
  if (!t.op.differentiable || !drawn.differentiable_in(twin.first) || !drawn.differentiable_in(twin.second))
    return "";
  std::vector<Tensor> in = tensors(x), outputs, ws;
  in[twin.first].set_requires_grad(true);
  in[twin.second] = in[twin.first];
  const std::vector<Tensor> ys = t.op.apply(twin.sample, in);
  for (std::size_t k = 0; k < ys.size(); ++k) {
    if (!ys[k].requires_grad()) continue;
    outputs.push_back(ys[k]);
    ws.emplace_back(drawn.cotangents[k]);
  }
  if (outputs.empty()) return "";
  const Array got = grad(outputs, {in[twin.first]}, {.grad_outputs = ws})[0].array();
  const Run apart = run_op(t.op, drawn, x, drawn.cotangents);
  const std::string d = difference(got, sum_of(apart.grads[twin.first], apart.grads[twin.second]), reordered);
  return d.empty() ? d : fmt::format("the gradient against the sum of both inputs' gradients: {}", d);
}

}  // namespace

bool any_twins(const Context& t) { return !twins(t).empty(); }

void run_twins(Context& t) {
  for (const Twin& twin : twins(t))
    t.record(fmt::format("{}, inputs {} and {}", twin.from->name, twin.first, twin.second),
             [&] { return check_twin(t, twin); });
}

namespace {

/// Restores the number of threads.
class ThreadsGuard {
 public:
  ThreadsGuard() : before_(kernels::num_threads()) {}
  ~ThreadsGuard() { kernels::set_num_threads(before_); }
  ThreadsGuard(const ThreadsGuard&) = delete;
  ThreadsGuard& operator=(const ThreadsGuard&) = delete;

 private:
  int before_;
};

/// Whether two lists of arrays hold the same bits; zeros of either sign differ, NaN is equal to itself.
bool same_bits(const std::vector<Array>& a, const std::vector<Array>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Array& p, const Array& q) {
    if (!p.defined() || !q.defined()) return p.defined() == q.defined();
    if (p.shape() != q.shape() || p.dtype() != q.dtype()) return false;
    const Array x = p.contiguous(), y = q.contiguous();
    return dispatch(x.dtype(), [&]<class T>() {
      return x.numel() == 0 || std::memcmp(x.data<T>(), y.data<T>(), x.nbytes()) == 0;
    });
  });
}

std::string check_threads(const Context& t, const Case& c) {
  std::vector<Array> x, w;
  for (const Array& a : c.x) x.push_back(is_floating(a.dtype()) ? a.astype(DType::float32) : a);
  for (const Array& a : c.cotangents) w.push_back(a.defined() ? a.astype(DType::float32) : a);
  const ThreadsGuard guard;
  for (bool recorded : {false, true}) {
    kernels::set_num_threads(1);
    const Run alone = run_op(t.op, c, x, w, {.recorded = recorded});
    for (int threads : {2, 4, 8}) {
      kernels::set_num_threads(threads);
      const Run together = run_op(t.op, c, x, w, {.recorded = recorded});
      std::string d = run_difference(together, alone, {});
      if (d.empty() &&
          !(same_bits(together.results, alone.results) && same_bits(together.grads, alone.grads)))
        d = "zeros of other signs, or NaN with other bits";
      if (!d.empty())
        return fmt::format("on {} threads, compared with 1 ({} sweep): {}", threads, sweep_name(recorded), d);
    }
  }
  return "";
}

}  // namespace

void run_threads(Context& t) {
  for (const Case& c : t.large_cases) t.record(c.name, [&] { return check_threads(t, c); });
  if (!t.elementwise()) return;
  // More elements than one thread takes by itself, in rows that do not divide evenly.
  for (const std::vector<Shape>& shapes : {std::vector<Shape>{{331, 257}}, {{257}, {331, 257}}}) {
    const Case& c = t.cases.front();
    std::vector<Shape> own;
    for (std::size_t i = 0; i < c.x.size(); ++i) own.push_back(shapes[i % shapes.size()]);
    t.record(c.name, [&] { return check_threads(t, reshaped_case(t.op, c, own, t.seed)); });
  }
}

}  // namespace xgrad::inline v0::detail
