#include <cmath>
#include <map>
#include <set>
#include <xgrad/core/check.hpp>
#include <xgrad/ops/activation.hpp>
#include <xgrad/ops/cumulative.hpp>
#include <xgrad/ops/fused.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/linalg.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/norm.hpp>
#include <xgrad/ops/random.hpp>
#include <xgrad/ops/reduce.hpp>

#include "tests/ops/errors.hpp"

using namespace xgrad;
using test::Inputs;
using test::is;
using test::Refusal;
using test::Table;

namespace {

/// A function of one tensor, under the name of its op.
struct Unary {
  const char* op;
  Tensor (*f)(const Tensor&);
};
const Unary unary[] = {
    {"neg", neg},
    {"abs", abs},
    {"sign", sign},
    {"square", square},
    {"reciprocal", reciprocal},
    {"sqrt", sqrt},
    {"rsqrt", rsqrt},
    {"floor", floor},
    {"ceil", ceil},
    {"round", round},
    {"clip", [](const Tensor& x) { return clip(x, 0, 1); }},
    {"exp", exp},
    {"expm1", expm1},
    {"log", log},
    {"log1p", log1p},
    {"log2", log2},
    {"log10", log10},
    {"sin", sin},
    {"cos", cos},
    {"tan", tan},
    {"asin", asin},
    {"acos", acos},
    {"atan", atan},
    {"sinh", sinh},
    {"cosh", cosh},
    {"tanh", [](const Tensor& x) { return tanh(x); }},
    {"asinh", asinh},
    {"acosh", acosh},
    {"atanh", atanh},
    {"erf", erf},
    {"erfc", erfc},
    {"logical_not", logical_not},
    {"isnan", isnan},
    {"isinf", isinf},
    {"isfinite", isfinite},
    {"sigmoid", [](const Tensor& x) { return sigmoid(x); }},
    {"log_sigmoid", log_sigmoid},
    {"relu", [](const Tensor& x) { return relu(x); }},
    {"leaky_relu", [](const Tensor& x) { return leaky_relu(x); }},
    {"elu", [](const Tensor& x) { return elu(x); }},
    {"selu", selu},
    {"celu", [](const Tensor& x) { return celu(x); }},
    {"silu", silu},
    {"mish", mish},
    {"softplus", [](const Tensor& x) { return softplus(x); }},
    {"softsign", softsign},
    {"hardtanh", [](const Tensor& x) { return hardtanh(x); }},
    {"hardsigmoid", hardsigmoid},
    {"hardswish", hardswish},
    {"gelu", [](const Tensor& x) { return gelu(x); }},
    {"gelu_tanh", [](const Tensor& x) { return gelu(x, GeluForm::tanh); }},
    {"dropout", [](const Tensor& x) { return dropout(x); }},
    {"sum", [](const Tensor& x) { return sum(x); }},
    {"mean", [](const Tensor& x) { return mean(x); }},
    {"prod", [](const Tensor& x) { return prod(x); }},
    {"max", [](const Tensor& x) { return max(x); }},
    {"min", [](const Tensor& x) { return min(x); }},
    {"var", [](const Tensor& x) { return var(x); }},
    {"std", [](const Tensor& x) { return xgrad::std(x); }},
    {"norm", [](const Tensor& x) { return norm(x); }},
    {"logsumexp", [](const Tensor& x) { return logsumexp(x); }},
    {"softmax", [](const Tensor& x) { return softmax(x); }},
    {"log_softmax", [](const Tensor& x) { return log_softmax(x); }},
    {"argmax", [](const Tensor& x) { return argmax(x); }},
    {"argmin", [](const Tensor& x) { return argmin(x); }},
    {"any", [](const Tensor& x) { return any(x); }},
    {"all", [](const Tensor& x) { return all(x); }},
    {"count_nonzero", [](const Tensor& x) { return count_nonzero(x); }},
    {"cumsum", [](const Tensor& x) { return cumsum(x); }},
    {"cumprod", [](const Tensor& x) { return cumprod(x); }},
    {"reshape", [](const Tensor& x) { return reshape(x, {-1}); }},
    {"flatten", [](const Tensor& x) { return flatten(x); }},
    {"transpose", [](const Tensor& x) { return transpose(x); }},
    {"permute", [](const Tensor& x) { return permute(x, {}); }},
    {"squeeze", [](const Tensor& x) { return squeeze(x); }},
    {"unsqueeze", [](const Tensor& x) { return unsqueeze(x, 0); }},
    {"expand", [](const Tensor& x) { return expand(x, {2}); }},
    {"broadcast_to", [](const Tensor& x) { return broadcast_to(x, {2}); }},
    {"sum_to", [](const Tensor& x) { return sum_to(x, {}); }},
    {"contiguous", [](const Tensor& x) { return contiguous(x); }},
    {"astype", [](const Tensor& x) { return astype(x, int64); }},
    {"split", [](const Tensor& x) { return split(x, 1)[0]; }},
    {"chunk", [](const Tensor& x) { return chunk(x, 1)[0]; }},
    {"flip", [](const Tensor& x) { return flip(x); }},
    {"roll", [](const Tensor& x) { return roll(x, 1); }},
    {"pad", [](const Tensor& x) { return pad(x, 1); }},
    {"repeat", [](const Tensor& x) { return repeat(x, 2); }},
    {"tile", [](const Tensor& x) { return tile(x, {2}); }},
    {"diag", [](const Tensor& x) { return diag(x); }},
    {"tril", [](const Tensor& x) { return tril(x); }},
    {"triu", [](const Tensor& x) { return triu(x); }},
    {"index", [](const Tensor& x) { return x(0); }},
    {"slice", [](const Tensor& x) { return slice(x, 0, 0, 1); }},
    {"one_hot", [](const Tensor& x) { return one_hot(x); }},
    {"layer_norm", [](const Tensor& x) { return layer_norm(x, {2}); }},
    {"batch_norm", [](const Tensor& x) { return batch_norm_train(x).y; }},
    {"fused_name",
     [](const Tensor& x) {
       return fused(
           "fused_name", [](auto v) { return v * v; }, x);
     }},
};

/// A function of two tensors that broadcast.
struct Binary {
  const char* op;
  Tensor (*f)(const Tensor&, const Tensor&);
};
const Binary binary[] = {
    {"add", [](const Tensor& a, const Tensor& b) { return a + b; }},
    {"sub", sub},
    {"mul", mul},
    {"div", div},
    {"pow", [](const Tensor& a, const Tensor& b) { return pow(a, b); }},
    {"maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); }},
    {"minimum", [](const Tensor& a, const Tensor& b) { return minimum(a, b); }},
    {"fmod", [](const Tensor& a, const Tensor& b) { return fmod(a, b); }},
    {"atan2", [](const Tensor& a, const Tensor& b) { return atan2(a, b); }},
    {"less", [](const Tensor& a, const Tensor& b) { return a < b; }},
    {"less_equal", [](const Tensor& a, const Tensor& b) { return a <= b; }},
    {"greater", [](const Tensor& a, const Tensor& b) { return a > b; }},
    {"greater_equal", [](const Tensor& a, const Tensor& b) { return a >= b; }},
    {"equal", [](const Tensor& a, const Tensor& b) { return a == b; }},
    {"not_equal", [](const Tensor& a, const Tensor& b) { return a != b; }},
    {"logical_and", logical_and},
    {"logical_or", logical_or},
    {"logical_xor", logical_xor},
    {"fused_name",
     [](const Tensor& a, const Tensor& b) {
       return fused(
           "fused_name", [](auto p, auto q) { return p * q; }, a, b);
     }},
};

Table undefined_inputs() {
  Table table;
  for (const Unary& u : unary)
    table.push_back({is<ValueError>, u.op, [f = u.f] { f(Tensor()); }, {"input 0 is an undefined tensor"}});
  for (const Binary& b : binary)
    table.push_back(
        {is<ValueError>, b.op, [f = b.f] { f(ones({2}), Tensor()); }, {"input 1 is an undefined tensor"}});
  return table;
}

Table shapes_that_do_not_broadcast() {
  Table table;
  for (const Binary& b : binary)
    table.push_back(
        {is<ShapeError>,
         b.op,
         [f = b.f] {
           f(ones({2, 3}), ones({4}));
         },
         {"shapes (2, 3) and (4,) do not broadcast", "3 and 4 at axis -1 differ", "reshape one"}});
  return table;
}

constexpr Table (*families[])(const Inputs&) = {test::elementwise,   test::reductions, test::shapes,
                                                test::indexing,      test::products,   test::losses,
                                                test::normalisations};

/// Ops that nobody can call wrongly, and why.
const std::map<std::string_view, std::string_view> beyond_reach = {
    {"put_back", "the gradient of slice, which gives it its places"},
    {"add_back", "the gradient of index, which gives it its places"},
    {"linear_recurrence", "the gradient of cumprod, which gives it its inputs"},
    {"diagonal", "diag of a matrix takes every k, and refuses the rest under its own name"},
    {"pad_reflect", "pad in another mode, which refuses under its own name"},
};

}  // namespace

namespace xgrad::test {

Table elementwise(const Inputs& i) {
  // clang-format off
  return {
      {is<DTypeError>, "add", [&] { i.flags + i.flags; }, {"expects numbers, got bool", "astype(int64)"}},
      {is<DTypeError>, "maximum", [&] { maximum(i.flags, i.flags); }, {"got bool"}},
      {is<DTypeError>, "neg", [&] { -i.flags; }, {"got bool"}},
      {is<DTypeError>, "relu", [&] { relu(i.flags); }, {"got bool"}},
      {is<ValueError>, "add", [&] { i.bytes + 300; }, {"300 does not fit uint8", "wider dtype"}},
      {is<ValueError>, "less", [&] { static_cast<void>(i.bytes < 300); }, {"300 does not fit uint8"}},
      {is<ValueError>, "maximum", [&] { maximum(i.bytes, -1); }, {"-1 does not fit uint8"}},
      {is<ValueError>, "where", [&] { where(i.flags, i.bytes, 256); }, {"256 does not fit uint8"}},
      {is<DTypeError>, "where", [&] { where(i.x, i.x, 0); }, {"the condition is float64", "x != 0"}},
      {is<ShapeError>, "where", [&] { where(i.flags, i.x, 0); }, {"(2,) and (2, 3)", "reshape"}},
      {is<ValueError>, "where", [&] { where(i.none, 1, 2); }, {"input 0 is an undefined tensor"}},
      {is<ValueError>, "where", [&] { where(i.flags, 1, i.none); }, {"input 2 is an undefined tensor"}},
      {is<ShapeError>, "lerp", [&] { lerp(i.x, i.x, i.v); }, {"(2, 3) and (4,)"}},
      {is<ValueError>, "clip", [&] { clip(i.x, 1, 0); }, {"limits 1 and 0", "swap them"}},
      {is<ValueError>, "clip", [&] { clip(i.x, NAN, 0); }, {"limits nan and 0"}},
      {is<ValueError>, "leaky_relu", [&] { leaky_relu(i.x, NAN); }, {"negative_slope is nan", "finite"}},
      {is<ValueError>, "elu", [&] { elu(i.x, INFINITY); }, {"alpha is inf"}},
      {is<ValueError>, "celu", [&] { celu(i.x, 0); }, {"alpha is 0, by which it divides"}},
      {is<ValueError>, "softplus", [&] { softplus(i.x, 0); }, {"beta is 0"}},
      {is<ValueError>, "hardtanh", [&] { hardtanh(i.x, 2, 1); }, {"limits 2 and 1"}},
      {is<ValueError>, "dropout", [&] { dropout(i.x, 1.5); }, {"p = 1.5 is not a probability", "[0, 1]"}},
      {is<DTypeError>, "dropout", [&] { dropout(i.ints, 0.5); }, {"got int64"}},
  };
  // clang-format on
}

Table reductions(const Inputs& i) {
  // clang-format off
  return {
      {is<IndexError>, "sum", [&] { i.x.sum(2); }, {"axis 2", "(2, 3)", "-2 to 1"}},
      {is<ValueError>, "mean", [&] { i.x.mean({0, -2}); },
       {"axis -2 of shape (2, 3) is named twice", "once"}},
      {is<IndexError>, "prod", [] { prod(tensor(2.0), 0); }, {"axis 0 of shape ()", "leave the axis out"}},
      {is<ValueError>, "max", [&] { i.empty.max(0); }, {"(0, 3) has no elements", "not empty"}},
      {is<ValueError>, "min", [&] { i.empty.min(); }, {"(0, 3)"}},
      {is<ValueError>, "argmax", [&] { i.empty.argmax(0); }, {"(0, 3)"}},
      {is<IndexError>, "argmin", [&] { i.x.argmin(5); }, {"axis 5", "(2, 3)"}},
      {is<ValueError>, "var", [&] { var(i.x, 0, {.ddof = 2}); },
       {"2 values of shape (2, 3)", "ddof = 2", "lower ddof"}},
      {is<ValueError>, "std", [&] { xgrad::std(i.x, every_axis, {.ddof = 6}); },
       {"6 values of shape (2, 3)"}},
      {is<IndexError>, "norm", [&] { norm(i.x, {0, 3}); }, {"axis 3"}},
      {is<IndexError>, "logsumexp", [&] { logsumexp(i.x, -3); }, {"axis -3"}},
      {is<IndexError>, "any", [&] { any(i.x, 2); }, {"axis 2"}},
      {is<IndexError>, "all", [&] { all(i.x, 2); }, {"axis 2"}},
      {is<IndexError>, "count_nonzero", [&] { count_nonzero(i.x, 2); }, {"axis 2"}},
      {is<IndexError>, "softmax", [&] { softmax(i.x, 5); }, {"axis 5", "(2, 3)"}},
      {is<IndexError>, "log_softmax", [] { log_softmax(tensor(1.0)); }, {"axis -1 of shape ()"}},
      {is<IndexError>, "cumsum", [&] { cumsum(i.x, 2); }, {"axis 2", "(2, 3)"}},
      {is<IndexError>, "cumprod", [&] { cumprod(i.x, -3); }, {"axis -3", "(2, 3)"}},
  };
  // clang-format on
}

}  // namespace xgrad::test

TEST_CASE("wrong calls of the operations are refused, and the inputs stay") {
  const Inputs i;
  for (const auto& family : families) test::check(family(i));
  test::check(i.x, {2, 3}, {0, 1, 2, 3, 4, 5});
  CHECK(i.x.array().version() == 0);
  CHECK_FALSE(i.x.grad().defined());
}

TEST_CASE("every operation refuses an undefined tensor by its own name") { test::check(undefined_inputs()); }

TEST_CASE("every operation of two tensors refuses shapes that do not broadcast") {
  test::check(shapes_that_do_not_broadcast());
}

TEST_CASE("there is a wrong call of every registered operation") {
  const Inputs i;
  std::set<std::string_view> covered;
  std::vector<Table> tables{undefined_inputs(), shapes_that_do_not_broadcast()};
  for (const auto& family : families) tables.push_back(family(i));
  for (const Table& table : tables)
    for (const Refusal& r : table) covered.insert(r.op);
  for (const OpInfo& op : registered_ops()) {
    if (op.name.starts_with("test_")) continue;
    INFO(op.name << ": add a wrong call of it to the tables of this file");
    CHECK((covered.contains(op.name) || beyond_reach.contains(op.name)));
  }
}

TEST_CASE("an error says how the inputs came about") {
  const Tensor w = ones({10, 500}, {.requires_grad = true});
  w.set_name("out.weight");
  // clang-format off
  test::check({
      {is<ShapeError>, "linear", [&] { linear(relu(ones({128, 784})), w); },
       {"(128, 784) and (10, 500)", "weight is \"out.weight\"", "make x (128, 500)"}},
      {is<ShapeError>, "matmul", [&] { matmul(relu(w), ones({128, 784})); },
       {"a is the result of relu", "make b (500, 784)"}},
  });
  // clang-format on
}
