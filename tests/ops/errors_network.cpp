#include <cmath>
#include <xgrad/ops/linalg.hpp>
#include <xgrad/ops/loss.hpp>
#include <xgrad/ops/norm.hpp>

#include "tests/ops/errors.hpp"

namespace xgrad::test {
namespace {

Tensor doubles(const Shape& shape) { return ones(shape, {.dtype = float64}); }

}  // namespace

Table products(const Inputs& i) {
  // clang-format off
  return {
      {is<ShapeError>, "matmul", [&] { matmul(i.x, i.logits); },
       {"(2, 3) and (4, 3)", "inner dimensions 3 and 4 differ", "make b (3, 3)"}},
      {is<ShapeError>, "matmul", [&] { matmul(i.c, zeros({3, 3, 2}, {.dtype = float64})); },
       {"(2, 2, 3) and (3, 3, 2)", "batch axes (2,) and (3,)", "equal, or 1"}},
      {is<ShapeError>, "matmul", [&] { matmul(i.x, tensor(2.0)); }, {"(2, 3) and ()", "use *"}},
      {is<DTypeError>, "matmul", [&] { matmul(i.flags, i.flags); }, {"bool", "astype", i.flags.shape().str()}},
      {is<DTypeError>, "matmul", [] { matmul(zeros({0, 3}, {.dtype = bool_}), zeros({3, 2}, {.dtype = bool_})); },
       {"bool", "(0, 3)", "(3, 2)", "astype"}},
      {is<ValueError>, "matmul", [&] { matmul(i.x, i.none); }, {"input 1 is an undefined"}},
      {is<ShapeError>, "dot", [&] { dot(i.x, i.v); }, {"(2, 3) and (4,)", "vectors", "use matmul"}},
      {is<ShapeError>, "dot", [&] { dot(i.v, counting({3})); }, {"(4,) and (3,)", "make them equal"}},
      {is<ValueError>, "dot", [&] { dot(i.v, i.none); }, {"input 1 is an undefined"}},
      {is<ShapeError>, "outer", [&] { outer(i.x, i.v); }, {"(2, 3) and (4,)", "vectors"}},
      {is<ValueError>, "outer", [&] { outer(i.none, i.v); }, {"input 0 is an undefined"}},
      {is<ShapeError>, "linear", [&] { linear(i.v, i.x); }, {"(4,) and (2, 3)", "3 inputs", "make x (3,)"}},
      {is<ShapeError>, "linear", [&] { linear(i.x, i.logits, zeros({3}, {.dtype = float64})); },
       {"bias of shape (3,) beside a weight of shape (4, 3)", "make it (4,)"}},
      {is<ShapeError>, "linear", [&] { linear(i.x, i.v); }, {"weight has shape (4,)", "(out, in)"}},
      {is<DTypeError>, "linear", [&] { linear(i.x, i.logits.astype(float32)); },
       {"float64", "float32", "astype"}},
      {is<DTypeError>, "linear", [&] { linear(i.x, i.logits, zeros({4})); }, {"the bias is float32"}},
      {is<DTypeError>, "linear", [&] { linear(i.ints, i.ints); }, {"floating dtype, got int64"}},
      {is<ValueError>, "linear", [&] { linear(i.none, i.x); }, {"input 0 is an undefined"}},
  };
  // clang-format on
}

Table losses(const Inputs& i) {
  // clang-format off
  return {
      {is<ShapeError>, "mse", [&] { mse(i.p, i.v); },
       {"prediction (4, 1) and target (4,)", "reshape the target to (4, 1)"}},
      {is<DTypeError>, "mse", [&] { mse(i.ints, i.ints); }, {"floating dtype, got int64"}},
      {is<ShapeError>, "mse", [&] { mse(i.p, i.p, {.sample_weight = doubles({3})}); },
       {"weights of shape (3,) for losses of shape (4, 1)", "(4,)"}},
      {is<ValueError>, "mse", [&] { mse(i.none, i.p); }, {"input 0 is an undefined"}},
      {is<ShapeError>, "mae", [&] { mae(i.v, i.p); }, {"prediction (4,) and target (4, 1)"}},
      {is<ValueError>, "huber", [&] { huber(i.p, i.p, {.delta = 0}); }, {"delta is 0", "positive"}},
      {is<ValueError>, "binary_cross_entropy", [&] { binary_cross_entropy(i.p, i.p, {.eps = 0.7}); },
       {"eps is 0.7", "1e-7"}},
      {is<ShapeError>, "binary_cross_entropy_with_logits",
       [&] { binary_cross_entropy_with_logits(i.p, i.v); }, {"(4, 1)"}},
      {is<ValueError>, "kl_div", [&] { kl_div(i.p, i.none); }, {"input 1 is an undefined"}},
      {is<IndexError>, "cross_entropy", [&] { cross_entropy(i.logits, tensor({0, 1, 3, 0})); },
       {"target 3 at position 2", "predictions (4, 3)", "0 to 2"}},
      {is<ShapeError>, "cross_entropy", [&] { cross_entropy(i.logits, tensor({0, 1})); },
       {"indices of shape (2,) for predictions (4, 3)", "make them (4,)"}},
      {is<ShapeError>, "cross_entropy", [&] { cross_entropy(i.logits, zeros({4})); },
       {"logits (4, 3) and a target (4,) of dtype float32", "astype(int64)"}},
      {is<DTypeError>, "cross_entropy", [&] { cross_entropy(i.logits, tensor({true, true, true, true})); },
       {"shape (4,) are bool", "astype(int64)"}},
      {is<ShapeError>, "cross_entropy", [&] { cross_entropy(i.v, i.classes); },
       {"(4,)", "(N, C)", "reshape"}},
      {is<ValueError>, "cross_entropy", [&] { cross_entropy(i.logits, i.classes, {.label_smoothing = 1.5}); },
       {"label_smoothing is 1.5", "[0, 1)"}},
      {is<ShapeError>, "cross_entropy",
       [&] { cross_entropy(i.logits, i.classes, {.class_weights = doubles({2})}); },
       {"class weights of shape (2,) for 3 classes", "make them (3,)"}},
      {is<ShapeError>, "cross_entropy",
       [&] { cross_entropy(i.logits, i.classes, {.sample_weight = doubles({3})}); },
       {"sample weights of shape (3,) for losses of shape (4,)"}},
      {is<DTypeError>, "nll", [&] { nll(i.logits, i.logits); }, {"shape (4, 3) are float64"}},
      {is<IndexError>, "nll", [&] { nll(i.logits, tensor({0, 1, -1, 0})); }, {"target -1 at position 2"}},
      {is<ValueError>, "nll", [&] { nll(i.logits, i.none); }, {"input 1 is an undefined"}},
  };
  // clang-format on
}

Table normalisations(const Inputs& i) {
  // clang-format off
  return {
      {is<ShapeError>, "layer_norm", [&] { layer_norm(i.x, {4}); },
       {"(2, 3) does not end in", "(4,)", "last axes"}},
      {is<ShapeError>, "layer_norm", [&] { layer_norm(i.x, {3}, doubles({2})); },
       {"(2, 3) and weight of shape (2,)", "must have shape (3,)"}},
      {is<DTypeError>, "layer_norm", [&] { layer_norm(i.x, {3}, ones({3})); },
       {"x is float64 and weight is float32"}},
      {is<DTypeError>, "layer_norm", [&] { layer_norm(i.ints, {3}); }, {"got int64"}},
      {is<ValueError>, "layer_norm", [&] { layer_norm(i.x, {3}, {}, {}, -1); }, {"eps = -1", "1e-5"}},
      {is<ShapeError>, "batch_norm", [&] { batch_norm_train(i.v); }, {"x has shape (4,)", "(N, C)"}},
      {is<ShapeError>, "batch_norm", [&] { batch_norm_train(i.empty); },
       {"(0, 3) has no values", "not empty"}},
      {is<ValueError>, "batch_norm", [&] { batch_norm_train(i.x, {}, {}, INFINITY); }, {"eps = inf"}},
      {is<ShapeError>, "batch_norm", [&] { batch_norm(i.x, doubles({2}), doubles({3})); },
       {"mean of shape (2,)", "(3,)"}},
      {is<ValueError>, "batch_norm", [&] { batch_norm(i.x, doubles({3}), {}); },
       {"the variance for x of shape (2, 3) is undefined", "batch_norm_train"}},
  };
  // clang-format on
}

}  // namespace xgrad::test
