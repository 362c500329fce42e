#include <fmt/core.h>

#include <optional>
#include <typeinfo>
#include <xgrad/core/accumulate.hpp>
#include <xgrad/core/loops.hpp>
#include <xgrad/core/map.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/activation_rules.hpp>
#include <xgrad/ops/kernels/gemm.hpp>
#include <xgrad/ops/kernels/reduce.hpp>
#include <xgrad/ops/linalg.hpp>

namespace xgrad::inline v0 {
namespace {

/// A matrix, or a stack of them, whose rows or columns are dense: what a product kernel takes. Refers to the
/// array it was made of, unless that had to be copied.
class Matrix {
 public:
  explicit Matrix(const Array& a) : array_(&a) {
    const std::int64_t rows = a.size(-2), cols = a.size(-1);
    if (a.is_contiguous()) {
      lead = cols;
    } else {
      const std::int64_t rs = a.stride(a.rank() - 2), cs = a.stride(a.rank() - 1);
      if ((cs == 1 || cols == 1) && (rs >= cols || rows == 1)) {
        lead = rows == 1 ? cols : rs;
      } else if ((rs == 1 || rows == 1) && (cs >= rows || cols == 1)) {
        transposed = true;
        lead = cols == 1 ? rows : cs;
      } else {
        copy();
        lead = cols;
      }
    }
    if (lead < 1) lead = 1;
  }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;

  /// `x` (…, cols) as one matrix of all its rows.
  static Matrix rows_of(const Array& x) { return x.rank() == 2 ? Matrix(x) : Matrix(x, Rows()); }

  const Array& array() const { return *array_; }
  template <class T>
  const T* data() const {
    return array_->data<T>();
  }

  bool transposed = false;  // columns are dense
  std::int64_t lead = 1;    // from one dense line to the next

 private:
  struct Rows {};
  Matrix(const Array& x, Rows) : lead(x.size(-1) < 1 ? 1 : x.size(-1)), array_(&x) {
    if (!x.is_contiguous()) copy();
  }
  void copy() { array_ = &copy_.emplace(array_->contiguous()); }

  const Array* array_;
  std::optional<Array> copy_;
};

/// How many rows an array (…, cols) has.
std::int64_t row_count(const Array& x) {
  std::int64_t rows = 1;
  for (int i = 0; i + 1 < x.rank(); ++i) rows *= x.shape()[i];
  return rows;
}

template <class T>
void multiply_plain(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda, bool ta,
                    const T* b, std::int64_t ldb, bool tb, T* c) {
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      T sum = 0;
      for (std::int64_t l = 0; l < k; ++l)
        sum = static_cast<T>(sum +
                             (ta ? a[l * lda + i] : a[i * lda + l]) * (tb ? b[j * ldb + l] : b[l * ldb + j]));
      c[i * n + j] = sum;
    }
}

/// y (…, m, n) = a (…, m, k) · b (…, k, n); y is row-major, the batch axes of a and b broadcast to y's.
template <class T>
void multiply(const Matrix& a, const Matrix& b, Array& y) {
  const std::int64_t m = y.size(-2), n = y.size(-1), k = a.array().size(-1);
  if constexpr (std::is_floating_point_v<T>) {
    if (y.rank() == 2) {
      kernels::gemm(m, n, k, a.data<T>(), a.lead, a.transposed, b.data<T>(), b.lead, b.transposed,
                    y.mutable_data<T>(), n);
      return;
    }
  }
  const auto batch_part = [](const Array& x) {
    Shape shape, strides;
    for (int i = 0; i + 2 < x.rank(); ++i) {
      shape.push_back(x.size(i));
      strides.push_back(x.stride(i));
    }
    return x.as_strided(shape, strides, 0);
  };
  const Array yb = batch_part(y), ab = batch_part(a.array()), bb = batch_part(b.array());
  const detail::LoopPlan plan = detail::plan_loops(yb.shape(), {&yb, &ab, &bb});
  T* yp = y.mutable_data<T>();
  const T* ap = a.data<T>();
  const T* bp = b.data<T>();
  detail::for_each_row(plan, 0, plan.rows(), [&](const std::int64_t* at) {
    const std::int64_t count = plan.inner_size();
    if constexpr (std::is_floating_point_v<T>) {
      if (count == 1) {
        kernels::gemm(m, n, k, ap + at[1], a.lead, a.transposed, bp + at[2], b.lead, b.transposed, yp + at[0],
                      n);
      } else {
        kernels::gemm_batched(count, {plan.inner_stride(1), plan.inner_stride(2), plan.inner_stride(0)}, m, n,
                              k, ap + at[1], a.lead, a.transposed, bp + at[2], b.lead, b.transposed,
                              yp + at[0], n);
      }
    } else {
      for (std::int64_t i = 0; i < count; ++i)
        multiply_plain(m, n, k, ap + at[1] + i * plan.inner_stride(1), a.lead, a.transposed,
                       bp + at[2] + i * plan.inner_stride(2), b.lead, b.transposed,
                       yp + at[0] + i * plan.inner_stride(0));
    }
  });
}

/// With an axis of size 1 at `axis`.
Array with_axis(const Array& x, int axis) {
  Shape s = x.shape();
  s.insert(axis, 1);
  return x.reshape(s);
}
Tensor with_axis(const Tensor& x, int axis) {
  Shape s = x.shape();
  s.insert(axis, 1);
  return x.reshape(s);
}

/// a · b.   da = dy · bᵀ, db = aᵀ · dy
struct MatMul {
  static constexpr std::string_view name = "matmul";
  static std::vector<Sample> samples() {
    return {sample({3, 4}, {4, 2}),
            sample({4}, {4}),
            sample({4}, {4, 2}),
            sample({3, 4}, {4}),
            sample({2, 3, 4}, {4, 2}),
            sample({5, 2, 3}, {3, 4}),
            sample({2, 1, 3, 4}, {3, 4, 2}),
            sample({3, 4}, {2, 4, 2}),
            sample({4}, {2, 4, 3}),
            sample({2, 3, 4}, {4}),
            sample({3, 0}, {0, 2}),
            sample({1, 1}, {1, 1}),
            sample({2, 0, 3}, {3, 2}),
            sample({130, 301}, {301, 257}).large(),
            sample({40, 33, 65}, {40, 65, 31}).large()};
  }
  static Array reference(const Array& a0, const Array& b0) {
    const Array a = a0.rank() == 1 ? with_axis(a0, 0) : a0, b = b0.rank() == 1 ? with_axis(b0, 1) : b0;
    Array y = Array::empty(matrix_shape(a0.shape(), b0.shape(), a.shape(), b.shape()), DType::float64);
    const std::int64_t m = a.size(-2), k = a.size(-1), n = b.size(-1),
                       batches = y.numel() / std::max<std::int64_t>(1, m * n);
    Shape batch;
    for (int i = 0; i + 2 < y.rank(); ++i) batch.push_back(y.size(i));
    const auto stack = [&](const Array& x) {
      Shape s = batch;
      s.push_back(x.size(-2));
      s.push_back(x.size(-1));
      return x.broadcast_to(s).contiguous();
    };
    const Array as = stack(a), bs = stack(b);
    for (std::int64_t t = 0; t < batches; ++t)
      for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t j = 0; j < n; ++j) {
          long double sum = 0;
          for (std::int64_t l = 0; l < k; ++l)
            sum += static_cast<long double>(as.data<double>()[(t * m + i) * k + l]) *
                   bs.data<double>()[(t * k + l) * n + j];
          y.mutable_data<double>()[(t * m + i) * n + j] = static_cast<double>(sum);
        }
    return y.reshape(result_shape(a0.shape(), b0.shape(), y.shape()));
  }

  Array forward(const Array& a0, const Array& b0) const {
    const DType t = promote(a0.dtype(), b0.dtype());
    if (a0.rank() == 0 || b0.rank() == 0)
      throw ShapeError(name,
                       fmt::format("shapes {} and {}: a 0-d operand has no axis to multiply along: use * for "
                                   "products with a number",
                                   a0.shape().str(), b0.shape().str()));
    const Array a = (a0.rank() == 1 ? with_axis(a0, 0) : a0).astype(t);
    const Array b = (b0.rank() == 1 ? with_axis(b0, 1) : b0).astype(t);
    const Shape shape = matrix_shape(a0.shape(), b0.shape(), a.shape(), b.shape());
    Array y = Array::empty(shape, t);
    dispatch_numeric(name, t, [&]<class T>() {
      if (y.numel() == 0) return;
      // A stack of matrices times one matrix is one tall product.
      if (a.rank() > 2 && b.rank() == 2 && a.is_contiguous()) {
        const std::int64_t rows = a.numel() / std::max<std::int64_t>(1, a.size(-1));
        if (a.size(-1) > 0) {
          Array flat = y.reshape({rows, y.size(-1)});
          multiply<T>(Matrix(a.reshape({rows, a.size(-1)})), Matrix(b), flat);
          return;
        }
      }
      multiply<T>(Matrix(a), Matrix(b), y);
    });
    return y.reshape(result_shape(a0.shape(), b0.shape(), shape));
  }

  Grads<2> vjp(const Tensor& dy0, const Tensor& a0, const Tensor& b0, Needs needs) const {
    const Tensor a = a0.rank() == 1 ? with_axis(a0, 0) : a0, b = b0.rank() == 1 ? with_axis(b0, 1) : b0;
    Tensor dy = dy0;
    if (b0.rank() == 1) dy = with_axis(dy, dy.rank());
    if (a0.rank() == 1) dy = with_axis(dy, dy.rank() - 1);
    Tensor da, db;
    if (needs[0]) {
      da = matmul(dy, b.transpose(-1, -2));
      if (a0.rank() == 1) {
        Shape s = da.shape();
        s.erase(s.rank() - 2);
        da = da.reshape(s);
      }
    }
    if (needs[1]) {
      if (b.rank() == 2 && a.rank() > 2) {  // the sum over the batch is part of the product
        db = matmul(a.reshape({-1, a.size(-1)}).transpose(0, 1), dy.reshape({-1, dy.size(-1)}));
      } else {
        db = matmul(a.transpose(-1, -2), dy);
      }
      if (b0.rank() == 1) {
        Shape s = db.shape();
        s.erase(s.rank() - 1);
        db = db.reshape(s);
      }
    }
    return {da, db};
  }

  /// (…, m, n) of operands that are matrices by now; messages show what the user passed.
  static Shape matrix_shape(const Shape& shown_a, const Shape& shown_b, const Shape& a, const Shape& b) {
    const std::int64_t k = a.back(), inner = b[b.rank() - 2];
    if (k != inner) {
      Shape fixed = shown_b;
      fixed[shown_b.rank() == 1 ? 0 : shown_b.rank() - 2] = k;
      throw ShapeError(name, fmt::format("shapes {} and {}: inner dimensions {} and {} differ: make b {}",
                                         shown_a.str(), shown_b.str(), k, inner, fixed.str()));
    }
    const auto batch = [](const Shape& s) { return Shape(std::span(s.begin(), s.end() - 2)); };
    Shape shape;
    try {
      shape = broadcast_shapes(name, batch(a), batch(b));
    } catch (const ShapeError&) {
      throw ShapeError(
          name, fmt::format("shapes {} and {}: batch axes {} and {} do not broadcast: make them equal, or 1",
                            shown_a.str(), shown_b.str(), batch(a).str(), batch(b).str()));
    }
    shape.push_back(a[a.rank() - 2]);
    shape.push_back(b.back());
    return shape;
  }

  /// `shape` without the axes that vectors did not have.
  static Shape result_shape(const Shape& a, const Shape& b, Shape shape) {
    if (b.rank() == 1) shape.erase(shape.rank() - 1);
    if (a.rank() == 1) shape.erase(shape.rank() - (b.rank() == 1 ? 1 : 2));
    return shape;
  }
};

/// f(x · weightᵀ + bias).   dz = dy f'(f⁻¹(y)); dx = dz · weight, dweight = dzᵀ · x, dbias = Σ dz
struct Linear {
  static constexpr std::string_view name = "linear";
  static constexpr std::string_view inputs[] = {"x", "weight", "bias"};
  static std::vector<Sample> samples() {
    return {sample({5, 3}, {4, 3}, {4}),
            sample({2, 5, 3}, {4, 3}, {4}),
            sample({3}, {4, 3}, {4}),
            sample({0, 3}, {4, 3}, {4}),
            sample({5, 3}, {0, 3}, {0}),
            sample({1, 1}, {1, 1}, {1}),
            sample({2, 3, 2, 3}, {4, 3}, {4}),
            sample(ending_with(Activation::relu), {5, 3}, {4, 3}, {4}),
            sample(ending_with(Activation::sigmoid), {5, 3}, {4, 3}, {4}),
            sample(ending_with(Activation::tanh), {0, 3}, {4, 3}, {4}),
            sample(ending_with(Activation::tanh), {2, 1, 3}, {4, 3}, {4}),
            sample({301, 130}, {257, 130}, {257}).large()};
  }
  static Linear ending_with(Activation activation) {
    Linear op;
    op.end_with(activation);
    return op;
  }
  Array reference(const Array& x, const Array& w, const Array& b) const {
    Shape shape = x.shape();
    shape.back() = w.size(0);
    Array y = Array::empty(shape, DType::float64);
    const std::int64_t in = w.size(1), out = w.size(0);
    const std::vector<double> xs = x.to_vector<double>(), ws = w.to_vector<double>(),
                              bs = b.to_vector<double>();
    for (std::int64_t i = 0; i < y.numel(); ++i) {
      const std::int64_t row = i / out, j = i % out;
      long double sum = bs[static_cast<std::size_t>(j)];
      for (std::int64_t l = 0; l < in; ++l)
        sum += static_cast<long double>(xs[static_cast<std::size_t>(row * in + l)]) *
               ws[static_cast<std::size_t>(j * in + l)];
      if (activation != Activation::none)
        sum = detail::with_rule(activation, [&](auto rule) { return rule.reference(sum); });
      y.mutable_data<double>()[i] = static_cast<double>(sum);
    }
    return y;
  }

  Array forward(const Array& x, const Array& w, const Array& b) const {
    check(x, w, b);
    Shape shape = x.shape();
    shape.back() = w.size(0);
    Array y = Array::empty(shape, x.dtype());
    if (y.numel() == 0) return y;
    const Matrix xm = Matrix::rows_of(x), wm(w);
    const std::int64_t out = w.size(0), in = w.size(1);
    Array dense_bias;
    if (!b.is_contiguous()) dense_bias = b.contiguous();
    dispatch_floating(name, x.dtype(), [&]<class T>() {
      kernels::GemmOptions<T> options;
      options.bias = (dense_bias.defined() ? dense_bias : b).template data<T>();
      options.activation = activation;
      kernels::gemm(row_count(y), out, in, xm.data<T>(), xm.lead, xm.transposed, wm.data<T>(), wm.lead,
                    !wm.transposed, y.mutable_data<T>(), out, options);
    });
    return y;
  }

  Grads<3> vjp(const Tensor& dy, const Tensor& x, const Tensor& w, Skip b, Output y, Needs needs) const {
    const Tensor dz = activation == Activation::none
                          ? dy
                          : detail::with_rule(activation, [&](auto rule) { return rule.vjp(dy, y); });
    const std::int64_t rows = row_count(dz.array());
    const auto by_row = [rows](const Tensor& t) { return t.reshape({rows, t.size(-1)}); };
    return {needs[0] ? matmul(dz, w) : Tensor(),
            needs[1] ? matmul(by_row(dz).transpose(0, 1), by_row(x)) : Tensor(),
            needs[2] ? sum_to(dz, b.shape) : Tensor()};
  }

  GradArrays<3> vjp_kernel(Array dy, const Array& x, const Array& w, Skip b, Output y, Needs needs) const {
    if (activation != Activation::none) {
      detail::with_rule(activation, [&](auto rule) { map_onto(label, rule.gradient, dy, y.array()); });
      y = Output();  // so that its memory may serve what follows
    }
    const Matrix dm = Matrix::rows_of(dy), xm = Matrix::rows_of(x), wm(w);
    const std::int64_t out = w.size(0), in = w.size(1), m = row_count(dy);
    GradArrays<3> grads;
    dispatch_floating(name, dy.dtype(), [&]<class T>() {
      if (needs[0]) {
        grads[0] = Array::empty(x.shape(), x.dtype());
        kernels::gemm(m, in, out, dm.data<T>(), dm.lead, dm.transposed, wm.data<T>(), wm.lead, wm.transposed,
                      grads[0].mutable_data<T>(), in);
      }
      if (needs[1]) {
        grads[1] = Array::empty(w.shape(), w.dtype());
        kernels::gemm(out, in, m, dm.data<T>(), dm.lead, !dm.transposed, xm.data<T>(), xm.lead, xm.transposed,
                      grads[1].mutable_data<T>(), in);
      }
      if (needs[2]) {
        if (dm.transposed) {
          grads[2] = sum_to(dy, b.shape);
        } else if (m == 1) {
          grads[2] = dm.array().reshape(b.shape);
        } else {
          grads[2] = Array::empty(b.shape, dy.dtype());
          kernels::reduce_columns<kernels::SumReducer>(dm.data<T>(), m, out, dm.lead,
                                                       grads[2].mutable_data<T>());
        }
      }
    });
    return grads;
  }

  /// Only an activation's derivative needs the result.
  bool reads_result() const { return activation != Activation::none; }

  void end_with(Activation a) {
    activation = a;
    label = detail::with_rule(a, [](auto rule) { return rule.linear; });
  }

  static void check(const Array& x, const Array& w, const Array& b) {
    check_product(x, w);
    if (b.rank() != 1 || b.size(0) != w.size(0))
      throw ShapeError(name, fmt::format("a bias of shape {} beside a weight of shape {}: make it ({},)",
                                         b.shape().str(), w.shape().str(), w.size(0)));
    if (x.dtype() != b.dtype())
      throw DTypeError(name, fmt::format("x of shape {} is {} and the bias is {}: make them one with astype",
                                         x.shape().str(), xgrad::name(x.dtype()), xgrad::name(b.dtype())));
  }

  /// The same for what there is without a bias.
  static void check_product(const Array& x, const Array& w) {
    if (w.rank() != 2)
      throw ShapeError(
          name, fmt::format("the weight has shape {}: it must be (out, in): reshape it", w.shape().str()));
    if (x.rank() == 0 || x.size(-1) != w.size(1)) {
      Shape fixed = x.rank() == 0 ? Shape{1} : x.shape();
      fixed.back() = w.size(1);
      throw ShapeError(
          name, fmt::format("shapes {} and {}: the last axis of x must have the weight's {} inputs: make x "
                            "{}, or the weight (out, in) with x's size as in",
                            x.shape().str(), w.shape().str(), w.size(1), fixed.str()));
    }
    if (x.dtype() != w.dtype())
      throw DTypeError(
          name,
          fmt::format("x of shape {} is {} and the weight of shape {} is {}: make them one "
                      "with astype",
                      x.shape().str(), xgrad::name(x.dtype()), w.shape().str(), xgrad::name(w.dtype())));
    if (!is_floating(x.dtype())) throw_not_floating(name, x.dtype());
  }

  Activation activation = Activation::none;
  std::string_view label = name;
};

void require_vectors(std::string_view op, const Tensor& a, const Tensor& b) {
  detail::require_defined(op, a, b);
  if (a.rank() != 1 || b.rank() != 1)
    throw ShapeError(op, fmt::format("shapes {} and {}: both must be vectors: flatten them, or use matmul",
                                     a.shape().str(), b.shape().str()));
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) { return record(MatMul{}, a, b); }

Tensor dot(const Tensor& a, const Tensor& b) {
  require_vectors("dot", a, b);
  if (a.numel() != b.numel())
    throw ShapeError("dot", fmt::format("shapes {} and {}: the sizes differ: make them equal",
                                        a.shape().str(), b.shape().str()));
  return matmul(a, b);
}

Tensor outer(const Tensor& a, const Tensor& b) {
  require_vectors("outer", a, b);
  return matmul(a.reshape({-1, 1}), b.reshape({1, -1}));
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (bias.defined()) return record(Linear{}, x, weight, bias);
  detail::require_defined(Linear::name, x, weight);
  try {
    Linear::check_product(x.array(), weight.array());
  } catch (Error& e) {
    const Tensor* const inputs[] = {&x, &weight};
    detail::annotate_inputs(e, Linear::name, inputs, 2, Linear::inputs);
    throw;
  }
  return matmul(x, weight.transpose(0, 1));
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  if (activation == Activation::none) return linear(x, weight, bias);
  if (bias.defined()) return record(Linear::ending_with(activation), x, weight, bias);
  const Tensor y = linear(x, weight);
  return activation == Activation::relu ? relu(y) : activation == Activation::sigmoid ? sigmoid(y) : tanh(y);
}

bool detail::end_with(Tensor& y, Activation activation) {
  TensorImpl* const t = y.impl();
  if (t == nullptr || t->node == nullptr || thread_state.no_grad || thread_state.anomaly) return false;
  Node& node = *t->node;
  if (typeid(node) != typeid(OpNode<Linear>) || node.extras != nullptr || !node.refs.unique() ||
      !t->refs.unique() || !t->array.unique())
    return false;
  auto& product = static_cast<OpNode<Linear>&>(node);
  if (product.op().activation != Activation::none) return false;
  with_rule(activation, [&](auto rule) { map_onto(rule.name, rule.value, t->array); });
  product.op().end_with(activation);
  product.keep_result(t->array);
  return true;
}

Tensor Tensor::matmul(const Tensor& other) const { return xgrad::matmul(*this, other); }

}  // namespace xgrad::inline v0
