#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <xgrad/core/check.hpp>
#include <xgrad/core/check_inputs.hpp>
#include <xgrad/core/grad.hpp>
#include <xgrad/core/require.hpp>

/// Derivatives against finite differences. For random cotangents w, φ(t) = Σ w · f(x + t v) has the
/// derivative Σ (∂f/∂x)ᵀw · v at 0, which one sweep gives. Derivatives of order n + 1 are those of order 1 of
/// the function (x, w) → (∂f/∂x)ᵀw, so one routine checks every order.
namespace xgrad::inline v0::detail {
namespace {

using Values = std::vector<double>;

/// A function with the place where its derivatives are wanted.
struct Problem {
  TensorFunction f;
  std::vector<Array> x;
  std::vector<bool> varied;
  std::vector<std::string> names;  // of the inputs, for messages
};

Tensor leaf(const Array& a) {
  Tensor t(a);
  t.set_requires_grad(true);
  return t;
}

/// All floating results, one after the other, with nothing recorded.
Values values_at(const Problem& p, const std::vector<Array>& x) {
  std::vector<Tensor> in;
  for (const Array& a : x) in.emplace_back(a);
  Values all;
  for (const Tensor& y : p.f(in)) {
    if (!is_floating(y.dtype())) continue;
    const Values v = y.to_vector<double>();
    all.insert(all.end(), v.begin(), v.end());
  }
  return all;
}

/// (∂f/∂x)ᵀw for each varied input, in order; zero where nothing arrives.
std::vector<Tensor> gradients(const TensorFunction& f, const std::vector<Tensor>& x,
                              const std::vector<bool>& varied, std::span<const Tensor> w, bool recorded) {
  std::vector<Tensor> outputs, cotangents, wanted;
  std::size_t k = 0;
  for (const Tensor& y : f(x)) {
    if (!is_floating(y.dtype())) continue;
    if (y.requires_grad()) {
      outputs.push_back(y);
      cotangents.push_back(w[k]);
    }
    ++k;
  }
  for (std::size_t i = 0; i < x.size(); ++i)
    if (varied[i]) wanted.push_back(x[i]);
  std::vector<Tensor> grads(wanted.size());
  if (!outputs.empty())
    grads = grad(outputs, wanted,
                 {.create_graph = recorded, .allow_unused = true, .grad_outputs = std::move(cotangents)});
  for (std::size_t i = 0; i < grads.size(); ++i)
    if (!grads[i].defined()) grads[i] = Tensor(Array::full(wanted[i].shape(), 0.0, wanted[i].dtype()));
  return grads;
}

std::vector<Tensor> leaves(const Problem& p) {
  std::vector<Tensor> x;
  for (std::size_t i = 0; i < p.x.size(); ++i) x.push_back(p.varied[i] ? leaf(p.x[i]) : Tensor(p.x[i]));
  return x;
}

/// The function (x, w) → (∂f/∂x)ᵀw.
Problem gradient_of(const Problem& p, const std::vector<Array>& w) {
  Problem g;
  g.x = p.x;
  g.varied = p.varied;
  g.names = p.names;
  for (std::size_t k = 0; k < w.size(); ++k) {
    g.x.push_back(w[k]);
    g.varied.push_back(true);
    g.names.push_back(fmt::format("the cotangent of result {}, of shape {}", k, w[k].shape().str()));
  }
  g.f = [f = p.f, varied = p.varied](std::span<const Tensor> in) {
    std::vector<Tensor> x;
    for (std::size_t i = 0; i < varied.size(); ++i)
      x.push_back(varied[i] && !in[i].requires_grad() ? leaf(in[i].array()) : in[i]);
    return gradients(f, x, varied, in.subspan(varied.size()), true);
  };
  return g;
}

/// d/dt of all results at x + t v for input `i`, by central differences of the fourth order: the error is
/// h⁴ f⁽⁵⁾ / 30.
Values numeric_derivative(const Problem& p, std::size_t i, const Values& v, double h) {
  const Values x = p.x[i].to_vector<double>();
  const auto at = [&](double t) {
    Values moved = x;
    for (std::size_t k = 0; k < moved.size(); ++k) moved[k] += t * v[k];
    std::vector<Array> in = p.x;
    in[i] = Array::from<double>(moved, p.x[i].shape());
    return values_at(p, in);
  };
  const Values a = at(h), b = at(-h), a2 = at(2 * h), b2 = at(-2 * h);
  Values d(a.size());
  for (std::size_t k = 0; k < d.size(); ++k) d[k] = (8 * (a[k] - b[k]) - (a2[k] - b2[k])) / (12 * h);
  return d;
}

double step_for(const Array& x, double step) {
  double largest = 1;
  for (double v : x.to_vector<double>()) largest = std::max(largest, std::fabs(v));
  return step * largest;
}

/// The element of the gradient that is furthest off, for the message.
std::string worst_element(const Problem& p, std::size_t i, const Values& g, const Values& w, double h) {
  if (g.size() > 256) return "";
  std::size_t worst = 0;
  double error = -1, expected = 0;
  for (std::size_t e = 0; e < g.size(); ++e) {
    Values v(g.size(), 0.0);
    v[e] = 1;
    const Values d = numeric_derivative(p, i, v, h);
    double numeric = 0;
    for (std::size_t k = 0; k < d.size(); ++k) numeric += w[k] * d[k];
    if (std::fabs(g[e] - numeric) <= error) continue;
    worst = e;
    error = std::fabs(g[e] - numeric);
    expected = numeric;
  }
  return fmt::format("; furthest off at {}: {:.10g} against {:.10g}",
                     element_name(p.x[i].shape(), static_cast<std::int64_t>(worst)), g[worst], expected);
}

/// Checks the first derivatives of p; empty if they are right.
std::string check_derivatives(const Problem& p, const std::vector<Array>& cotangents, std::string_view what,
                              const GradcheckOptions& options, CheckRandom& random) {
  Values w;
  std::vector<Tensor> w_tensors;
  for (const Array& c : cotangents) {
    const Values v = c.to_vector<double>();
    w.insert(w.end(), v.begin(), v.end());
    w_tensors.emplace_back(c);
  }
  const Values y = values_at(p, p.x);
  double magnitude = 0;
  for (std::size_t k = 0; k < y.size(); ++k) magnitude += std::fabs(w[k] * y[k]);

  const std::vector<Tensor> swept[] = {gradients(p.f, leaves(p), p.varied, w_tensors, false),
                                       gradients(p.f, leaves(p), p.varied, w_tensors, true)};
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < p.x.size(); ++i) {
    if (!p.varied[i]) continue;
    const std::size_t which = wanted++;
    const double h = step_for(p.x[i], options.step);
    for (int direction = 0; direction < options.directions && p.x[i].numel() > 0; ++direction) {
      Values v(static_cast<std::size_t>(p.x[i].numel()));
      for (double& e : v) e = random.uniform(-1, 1);
      const Values d = numeric_derivative(p, i, v, h);
      double numeric = 0, numeric_scale = 0;
      for (std::size_t k = 0; k < d.size(); ++k) {
        numeric += w[k] * d[k];
        numeric_scale += std::fabs(w[k] * d[k]);
      }
      for (bool recorded : {false, true}) {
        const Values g = swept[recorded][which].to_vector<double>();
        double analytic = 0, scale = 0;
        for (std::size_t e = 0; e < g.size(); ++e) {
          analytic += g[e] * v[e];
          scale += std::fabs(g[e] * v[e]);
        }
        const double rounding = 16 * std::numeric_limits<double>::epsilon() * magnitude / h;
        const double allowed = options.tolerance * std::max(scale, numeric_scale) + rounding;
        const double error = std::fabs(analytic - numeric);
        if (error <= allowed) continue;
        return fmt::format(
            "{} in {}, direction {}, {} sweep: {:.10g} from the tape, {:.10g} from finite differences, "
            "relative "
            "error {:.2g}, allowed {:.2g}{}",
            what, p.names[i], direction, recorded ? "recorded" : "unrecorded", analytic, numeric,
            error / std::max(std::fabs(numeric), std::numeric_limits<double>::min()),
            allowed / std::max(std::fabs(numeric), std::numeric_limits<double>::min()),
            worst_element(p, i, g, w, h));
      }
    }
  }
  return "";
}

std::string order_name(int order) {
  if (order == 1) return "first derivative";
  if (order == 2) return "second derivative";
  return fmt::format("derivative of order {}", order);
}

void check_options(const GradcheckOptions& o) {
  const auto require = [](bool fine, std::string_view option, double value, std::string_view domain) {
    if (!fine) throw ValueError("gradcheck", fmt::format("{} is {}: give {}", option, value, domain));
  };
  require(o.order >= 1, "order", o.order, "1 for first derivatives, 2 for second ones too");
  require(o.directions >= 1, "directions", o.directions, "at least 1");
  require(o.step > 0 && std::isfinite(o.step), "step", o.step, "a small positive number, as 1e-4");
  require(o.tolerance >= 0 && std::isfinite(o.tolerance), "tolerance", o.tolerance,
          "a small number that is 0 or more, as 1e-7");
}

void require_same_each_time(const Problem& p) {
  const Values a = values_at(p, p.x), b = values_at(p, p.x);
  const bool same = a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](double u, double v) {
                      return u == v || (std::isnan(u) && std::isnan(v));
                    });
  if (!same)
    throw ValueError("gradcheck",
                     "two calls of the function on the same inputs gave different values: fix the seed of "
                     "what it draws, and let it change nothing");
}

}  // namespace

GradcheckResult run_gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                              const std::vector<bool>& varied, const GradcheckOptions& options,
                              int first_order) {
  check_options(options);
  Problem p{f, {}, varied, {}};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) throw_undefined_input("gradcheck", static_cast<int>(i));
    const Array& a = inputs[i].array();
    p.x.push_back(is_floating(a.dtype()) ? a.astype(DType::float64).contiguous() : a);
    p.names.push_back(fmt::format("input {} of shape {}", i, a.shape().str()));
  }
  if (std::find(varied.begin(), varied.end(), true) == varied.end())
    throw ValueError("gradcheck", "no input is floating, so there is nothing to differentiate in: pass one");
  require_same_each_time(p);
  CheckRandom random(options.seed);
  for (int order = 1; order <= options.order; ++order) {
    std::vector<Array> cotangents;
    std::vector<Tensor> in;
    for (const Array& a : p.x) in.emplace_back(a);
    for (const Tensor& y : p.f(in))
      if (is_floating(y.dtype()))
        cotangents.push_back(draw_cotangent(y.array(), random).astype(DType::float64));
    if (order >= first_order) {
      const std::string problem = check_derivatives(p, cotangents, order_name(order), options, random);
      if (!problem.empty()) return {false, "[gradcheck] " + problem};
    }
    p = gradient_of(p, cotangents);
  }
  return {};
}

}  // namespace xgrad::inline v0::detail
