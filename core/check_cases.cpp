#include <fmt/core.h>

#include <algorithm>
#include <xgrad/core/check_cases.hpp>
#include <xgrad/core/grad.hpp>

namespace xgrad::inline v0::detail {

int Case::differentiable_inputs() const {
  int n = 0;
  for (std::size_t i = 0; i < x.size(); ++i) n += differentiable_in(i) ? 1 : 0;
  return n;
}

int Case::floating_results() const {
  return static_cast<int>(
      std::count_if(results.begin(), results.end(), [](const Array& y) { return is_floating(y.dtype()); }));
}

Case make_case(const OpInfo& op, const Sample& s, std::string name, std::uint64_t seed) {
  CheckRandom random(seed);
  Case c{std::move(name), s, draw_inputs(op.name, s, random), {}, {}};
  c.results = run_op(op, c, c.x, {}).results;
  for (const Array& y : c.results)
    c.cotangents.push_back(is_floating(y.dtype()) ? draw_cotangent(y, random) : Array());
  return c;
}

Case reshaped_case(const OpInfo& op, const Case& c, const std::vector<Shape>& shapes, std::uint64_t seed) {
  Sample s = c.sample;
  std::string text;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    s.inputs()[i].shape = shapes[i];
    text.append(" ").append(shapes[i].str());
  }
  return make_case(op, s, c.name + " as" + text, seed);
}

Run run_op(const OpInfo& op, const Case& c, const std::vector<Array>& x, const std::vector<Array>& cotangents,
           const RunOptions& options) {
  std::vector<Tensor> in, wanted;
  for (std::size_t i = 0; i < x.size(); ++i) {
    in.emplace_back(x[i]);
    if (cotangents.empty() || !op.differentiable || !c.differentiable_in(i)) continue;
    in.back().set_requires_grad(true);
    if (options.only_input < 0 || options.only_input == static_cast<int>(i)) wanted.push_back(in.back());
  }
  const std::vector<Tensor> ys = op.apply(c.sample, in);
  Run run;
  run.grads.resize(x.size());
  std::vector<Tensor> outputs, ws;
  for (std::size_t k = 0; k < ys.size(); ++k) {
    run.results.push_back(ys[k].array());
    if (!ys[k].requires_grad() || (options.only_result >= 0 && options.only_result != static_cast<int>(k)))
      continue;
    outputs.push_back(ys[k]);
    ws.emplace_back(cotangents[k]);
  }
  if (outputs.empty() || wanted.empty()) return run;
  const std::vector<Tensor> grads =
      grad(outputs, wanted,
           {.create_graph = options.recorded, .allow_unused = true, .grad_outputs = std::move(ws)});
  std::size_t next = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (next == wanted.size() || wanted[next].impl() != in[i].impl()) continue;
    const Tensor& g = grads[next++];
    run.grads[i] = g.defined() ? g.array() : Array::full(x[i].shape(), 0.0, x[i].dtype());
  }
  return run;
}

std::vector<Array> expected_results(const OpInfo& op, const Case& c, const std::vector<Array>& x) {
  if (op.array_reference != nullptr) return op.array_reference(c.sample.op(), x);
  if (op.scalar_reference == nullptr) return {};
  Shape shape;
  for (const Array& a : x) shape = broadcast_shapes(op.name, shape, a.shape());
  std::vector<std::vector<double>> columns;
  for (const Array& a : x) columns.push_back(a.broadcast_to(shape).to_vector<double>());
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  std::vector<long double> arguments(x.size());
  for (std::size_t e = 0; e < values.size(); ++e) {
    for (std::size_t i = 0; i < x.size(); ++i) arguments[i] = columns[i][e];
    values[e] = static_cast<double>(op.scalar_reference(c.sample.op(), arguments.data()));
  }
  return {Array::from<double>(values, shape)};
}

std::string results_difference(const std::vector<Array>& got, const std::vector<Array>& expected,
                               const Tolerance& tolerance) {
  return run_difference({got, {}}, {expected, {}}, tolerance);
}

std::string run_difference(const Run& got, const Run& expected, const Tolerance& tolerance,
                           const std::vector<std::vector<double>>& spread) {
  if (got.results.size() != expected.results.size())
    return fmt::format("{} results, expected {}", got.results.size(), expected.results.size());
  std::size_t at = 0;
  const auto compare = [&](const char* what, const std::vector<Array>& a, const std::vector<Array>& b) {
    for (std::size_t k = 0; k < a.size() && k < b.size(); ++k, ++at) {
      const std::string d =
          difference(a[k], b[k], tolerance, spread.empty() ? std::vector<double>{} : spread[at]);
      if (!d.empty()) return fmt::format("{} {}: {}", what, k, d);
    }
    return std::string();
  };
  std::string text = compare("result", got.results, expected.results);
  return text.empty() ? compare("gradient of input", got.grads, expected.grads) : text;
}

}  // namespace xgrad::inline v0::detail
