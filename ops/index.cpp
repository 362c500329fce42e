#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include <xgrad/core/loops.hpp>
#include <xgrad/core/op.hpp>
#include <xgrad/core/require.hpp>
#include <xgrad/ops/index.hpp>
#include <xgrad/ops/kernels/parallel.hpp>
#include <xgrad/ops/position.hpp>
#include <xgrad/ops/reference.hpp>

namespace xgrad::inline v0 {

namespace detail {

void throw_out_of_range(std::string_view op, std::int64_t index, int axis, std::int64_t size,
                        const Shape& shape) {
  const std::string problem = fmt::format("index {} is out of range for axis {} of size {} in shape {}",
                                          index, axis, size, shape.str());
  if (size == 0) throw IndexError(op, problem + ": there is nothing to pick: check that it is not empty");
  throw IndexError(op, fmt::format("{}: give indices in [-{}, {}]", problem, size, size - 1));
}

Array integer_index(std::string_view op, const Array& index) {
  if (!is_integer(index.dtype()))
    throw DTypeError(op, fmt::format("indices of shape {} are of dtype {}, not integers: convert with "
                                     "astype(int64)",
                                     index.shape().str(), xgrad::name(index.dtype())));
  return index.astype(DType::int64);
}

}  // namespace detail

namespace {

using detail::at;
using detail::require_rank;

constexpr std::string_view op_name = "index";

/// x at starts, starts + steps, … (counts of them along each axis), as a view under `shape`, which differs
/// from `counts` by axes of size 1.   dx = dy at these places, zeros elsewhere
struct BasicIndex {
  static constexpr std::string_view name = "slice";
  static std::vector<Sample> samples() {
    return {sample(BasicIndex{{1, 0}, {2, 4}, {1, 1}, {2, 4}}, {4, 4}),
            sample(BasicIndex{{4, 1}, {3, 2}, {-2, 2}, {3, 2}}, {5, 4}),
            sample(BasicIndex{{0, 2, 1}, {2, 1, 2}, {1, 1, 1}, {2, 1, 2}}, {2, 3, 4}),
            sample(BasicIndex{{1, 0}, {1, 3}, {1, 1}, {1, 3, 1}}, {2, 3}),
            sample(BasicIndex{{2}, {0}, {1}, {0}}, {3}),
            sample(BasicIndex{{}, {}, {}, {1}}, {}),
            sample(BasicIndex{{0, 0}, {0, 2}, {1, 1}, {0, 2}}, {0, 2}),
            sample(BasicIndex{{0}, {1}, {1}, {1}}, {1}),
            sample(BasicIndex{{1, 2, 0, 0}, {1, 2, 2, 1}, {1, -2, 1, 1}, {1, 2, 2, 1}}, {2, 3, 2, 2})};
  }
  Array reference(const Array& x) const {
    std::vector<double> values;
    detail::for_each_index(counts, [&](const Shape& index) {
      Shape from = index;
      for (int i = 0; i < index.rank(); ++i) from[i] = starts[i] + steps[i] * index[i];
      values.push_back(at(x, from));
    });
    return Array::from<double>(values, shape);
  }

  Array forward(const Array& x) const {
    const Array y = strided(x);
    return shape == counts ? y : y.reshape(shape);
  }
  Tensor vjp(const Tensor& dy, Skip x) const;

  /// The places in x, with one axis for each of x's.
  Array strided(const Array& x) const {
    Shape strides = x.strides();
    std::int64_t offset = 0;
    for (int i = 0; i < x.rank(); ++i) {
      offset += starts[i] * strides[i];
      strides[i] *= steps[i];
    }
    return x.as_strided(counts, strides, counts.numel() == 0 ? 0 : offset);
  }
  void push_axis(std::int64_t start, std::int64_t count, std::int64_t step) {
    starts.push_back(start);
    counts.push_back(count);
    steps.push_back(step);
  }

  Shape starts, counts, steps, shape;
};

/// Zeros of `full`, with x at the places that `where` picks.   dx = what `where` picks of dy
struct PutBack {
  static constexpr std::string_view name = "put_back";
  static std::vector<Sample> samples() {
    return {sample(PutBack{{{1, 0}, {2, 4}, {1, 1}, {2, 4}}, {4, 4}}, {2, 4}),
            sample(PutBack{{{4, 1}, {3, 2}, {-2, 2}, {3, 1, 2}}, {5, 4}}, {3, 1, 2}),
            sample(PutBack{{{2}, {0}, {1}, {0}}, {3}}, {0}), sample(PutBack{{{2}, {1}, {1}, {}}, {3}}, {}),
            sample(PutBack{{{2}, {1}, {1}, {1}}, {3}}, {1})};
  }
  Array reference(const Array& x) const {
    Array y = Array::full(full, 0.0, DType::float64);
    const std::vector<double> values = x.to_vector<double>();
    std::size_t k = 0;
    detail::for_each_index(where.counts, [&](const Shape& index) {
      std::int64_t offset = 0;
      for (int i = 0; i < index.rank(); ++i)
        offset = offset * full[i] + where.starts[i] + where.steps[i] * index[i];
      y.mutable_data<double>()[offset] = values[k++];
    });
    return y;
  }

  Array forward(const Array& x) const {
    Array y = Array::full(full, 0, x.dtype());
    where.strided(y).copy_in(x.reshape(where.counts));
    return y;
  }
  Tensor vjp(const Tensor& dy) const { return record(where, dy); }

  BasicIndex where;
  Shape full;
};

Tensor BasicIndex::vjp(const Tensor& dy, Skip x) const { return record(PutBack{*this, x.shape}, dy); }

/// How blocks of a large array, one for each element of an index, lie beside each other in a small one. The
/// index counts positions in the axes of `mask`, row-major; the small array has its axes at `place` among the
/// others.
struct Blocks {
  unsigned mask = 1;
  int place = 0;

  bool picked(int axis) const { return mask >> axis & 1; }

  Shape small_shape(const Shape& large, const Shape& index) const {
    Shape shape;
    int others = 0;
    const auto put_index = [&] {
      for (const std::int64_t n : index) shape.push_back(n);
    };
    for (int i = 0; i < large.rank(); ++i) {
      if (picked(i)) continue;
      if (others++ == place) put_index();
      shape.push_back(large[i]);
    }
    if (others <= place) put_index();
    return shape;
  }

  /// Calls f(small, large, n, small_stride, large_stride) for rows of the blocks `begin` to `end`. `small` is
  /// row-major, `index` is too.
  template <class Small, class Large, class F>
  void for_each_row(const Array& small, const Array& large, const Array& index, Small* s, Large* l,
                    std::int64_t begin, std::int64_t end, const F& f) const {
    Shape rest, small_strides, large_strides;
    int others = 0;
    std::int64_t spacing = 1;  // from one block to the next in the small array
    for (int i = 0; i < large.rank(); ++i) {
      if (picked(i)) continue;
      const int own = others < place ? others : others + index.rank();
      if (others++ >= place) spacing *= large.size(i);
      rest.push_back(large.size(i));
      small_strides.push_back(small.stride(own));
      large_strides.push_back(large.stride(i));
    }
    const Array small_block = small.as_strided(rest, small_strides, 0);
    const Array large_block = large.as_strided(rest, large_strides, 0);
    const detail::LoopPlan plan = detail::plan_loops(rest, {&small_block, &large_block});
    const std::int64_t n = plan.inner_size();
    const std::int64_t* positions = index.data<std::int64_t>();
    for (std::int64_t e = begin; e < end; ++e) {
      std::int64_t left = positions[e], offset = 0;
      for (int i = large.rank() - 1; i >= 0; --i) {
        if (!picked(i)) continue;
        offset += left % large.size(i) * large.stride(i);
        left /= large.size(i);
      }
      Small* const to = s + e * spacing;
      Large* const from = l + offset;
      if (plan.rank == 1) {
        f(to, from, n, plan.inner_stride(0), plan.inner_stride(1));
      } else {
        detail::for_each_row(plan, 0, plan.rows(), [&](const std::int64_t* row) {
          f(to + row[0], from + row[1], n, plan.inner_stride(0), plan.inner_stride(1));
        });
      }
    }
  }

  /// Where element `i` of the small array comes from, as plainly as can be, for references.
  Shape source(const Shape& large, const Array& index, const Shape& i) const {
    Shape own, from = Shape::filled(large.rank(), 0);
    for (int k = 0; k < index.rank(); ++k) own.push_back(i[place + k]);
    auto left = static_cast<std::int64_t>(at(index, own));
    for (int k = large.rank() - 1; k >= 0; --k)
      if (picked(k)) {
        from[k] = left % large[k];
        left /= large[k];
      }
    for (int k = 0, others = 0; k < large.rank(); ++k)
      if (!picked(k)) {
        from[k] = i[others < place ? others : others + index.rank()];
        ++others;
      }
    return from;
  }
};

/// The blocks of x that an index picks.   dx = dy added up at the places picked
struct Pick {
  static constexpr std::string_view name = op_name;
  static std::vector<Sample> samples() {
    return {sample(Pick{{0b1, 0}}, {4, 3}, {5}).integers(1, 0, 4),
            sample(Pick{{0b10, 1}}, {2, 3, 2}, {2, 2}).integers(1, 0, 3),
            sample(Pick{{0b101, 0}}, {2, 2, 3}, {4}).integers(1, 0, 6),
            sample(Pick{{0b11, 0}}, {2, 3}, {4}).integers(1, 0, 6),
            sample(Pick{{0b1, 0}}, {3, 2}, {}).integers(1, 0, 3),
            sample(Pick{{0b1, 0}}, {3, 2}, {0}).integers(1, 0, 3),
            sample(Pick{{0b1, 0}}, {1}, {1}).integers(1, 0, 1),
            sample(Pick{{0b1, 0}}, {301, 257}, {331}).integers(1, 0, 301).large()};
  }
  Array reference(const Array& x, const Array& index) const {
    return detail::generate(blocks.small_shape(x.shape(), index.shape()),
                            [&](const Shape& i) { return at(x, blocks.source(x.shape(), index, i)); });
  }

  Array forward(const Array& x, const Array& index) const {
    const Array positions = index.contiguous();
    Array y = Array::empty(blocks.small_shape(x.shape(), index.shape()), x.dtype());
    if (y.numel() == 0) return y;
    const std::int64_t grain = std::max<std::int64_t>(1, 65536 * index.numel() / y.numel());
    dispatch(x.dtype(), [&]<class T>() {
      T* const to = y.mutable_data<T>();
      const T* const from = x.data<T>();
      kernels::parallel_for(index.numel(), grain, [&](std::int64_t b, std::int64_t e) {
        blocks.for_each_row(y, x, positions, to, from, b, e,
                            [](T* s, const T* l, std::int64_t n, std::int64_t ss, std::int64_t ls) {
                              if (ss == 1 && ls == 1)
                                std::memcpy(s, l, static_cast<std::size_t>(n) * sizeof(T));
                              else
                                for (std::int64_t i = 0; i < n; ++i) s[i * ss] = l[i * ls];
                            });
      });
    });
    return y;
  }
  Grads<2> vjp(const Tensor& dy, Skip x, const Tensor& index) const;

  Blocks blocks;
};

/// Zeros of `full`, to which x is added at the places that an index picks.   dx = what it picks of dy
struct AddBack {
  static constexpr std::string_view name = "add_back";
  static std::vector<Sample> samples() {
    return {sample(AddBack{{0b1, 0}, {4, 3}}, {5, 3}, {5}).integers(1, 0, 4),
            sample(AddBack{{0b10, 1}, {2, 3, 2}}, {2, 4, 2}, {4}).integers(1, 0, 3),
            sample(AddBack{{0b101, 0}, {2, 2, 3}}, {4, 2}, {4}).integers(1, 0, 6),
            sample(AddBack{{0b1, 0}, {4, 3}}, {0, 3}, {0}).integers(1, 0, 4),
            sample(AddBack{{0b1, 0}, {4}}, {1}, {1}).integers(1, 0, 4),
            sample(AddBack{{0b1, 0}, {301, 257}}, {331, 257}, {331}).integers(1, 0, 301).large()};
  }
  Array reference(const Array& x, const Array& index) const {
    Array y = Array::full(full, 0.0, DType::float64);
    detail::for_each_index(x.shape(), [&](const Shape& i) {
      const Shape to = blocks.source(full, index, i);
      std::int64_t offset = 0;
      for (int k = 0; k < to.rank(); ++k) offset = offset * full[k] + to[k];
      y.mutable_data<double>()[offset] += at(x, i);
    });
    return y;
  }

  Array forward(const Array& x, const Array& index) const {
    const Array from = x.contiguous(), positions = index.contiguous();
    Array y = Array::full(full, 0, x.dtype());
    if (x.numel() == 0) return y;
    dispatch_numeric(name, x.dtype(), [&]<class T>() {
      blocks.for_each_row(from, y, positions, from.data<T>(), y.mutable_data<T>(), 0, index.numel(),
                          [](const T* s, T* l, std::int64_t n, std::int64_t ss, std::int64_t ls) {
                            for (std::int64_t i = 0; i < n; ++i)
                              l[i * ls] = static_cast<T>(l[i * ls] + s[i * ss]);
                          });
    });
    return y;
  }
  Grads<2> vjp(const Tensor& dy, Skip, const Tensor& index) const {
    return {record(Pick{blocks}, dy, index), Tensor()};
  }

  Blocks blocks;
  Shape full;
};

Grads<2> Pick::vjp(const Tensor& dy, Skip x, const Tensor& index) const {
  return {record(AddBack{blocks, x.shape}, dy, index), Tensor()};
}

// ---- what a list of indices means -------------------------------------------------------------------------

/// The first position and the number of positions that a slice has on an axis of `size`.
std::pair<std::int64_t, std::int64_t> resolve(const Slice& s, std::int64_t size) {
  if (s.step == 0)
    throw ValueError("slice", fmt::format("step 0 along an axis of size {} never ends: give a step that is "
                                          "not 0",
                                          size));
  // Where an end may lie: before the first element only when walking down.
  const std::int64_t low = s.step > 0 ? 0 : -1, high = s.step > 0 ? size : size - 1;
  const auto end = [&](Bound b, std::int64_t missing) {
    return b ? std::clamp(*b < 0 ? *b + size : *b, low, high) : missing;
  };
  const std::int64_t start = end(s.start, s.step > 0 ? low : high),
                     stop = end(s.stop, s.step > 0 ? high : low);
  const std::int64_t span = s.step > 0 ? stop - start : start - stop;
  const std::int64_t step =
      s.step > 0 ? s.step : -std::max(s.step, -std::numeric_limits<std::int64_t>::max());
  return {start, span <= 0 ? 0 : (span - 1) / step + 1};
}

/// The indices of the true elements of a mask, one array for each of its axes.
std::vector<Array> nonzero(const Array& mask) {
  std::vector<std::vector<std::int64_t>> found(static_cast<std::size_t>(mask.rank()));
  const Array m = mask.contiguous();
  const bool* set = m.data<bool>();
  detail::for_each_index(m.shape(), [&](const Shape& i) {
    if (*set++)
      for (int k = 0; k < i.rank(); ++k) found[static_cast<std::size_t>(k)].push_back(i[k]);
  });
  std::vector<Array> indices;
  for (const auto& f : found)
    indices.push_back(Array::from<std::int64_t>(f, {static_cast<std::int64_t>(f.size())}));
  return indices;
}

/// A list of indices, taken apart into a view and a choice of elements in it.
class IndexPlan {
 public:
  IndexPlan(const Shape& x, std::span<const Index> indices) : x_(x) {
    int used = 0, ellipses = 0;
    for (std::size_t k = 0; k < indices.size(); ++k) {
      const Index& i = indices[k];
      if (i.kind() == Index::Kind::tensor && !i.tensor().defined())
        throw ValueError(op_name, fmt::format("index {} of shape {} is an undefined tensor: give it a value "
                                              "first",
                                              k, x.str()));
      used += axes_of(i);
      ellipses += i.kind() == Index::Kind::remaining_axes;
      choosing_ |= i.kind() == Index::Kind::tensor;
    }
    if (used > x.rank())
      throw IndexError(
          op_name, fmt::format("shape {} has {} axes, and {} are indexed: drop {} of the indices", x.str(),
                               x.rank(), used, used - x.rank()));
    if (ellipses > 1)
      throw IndexError(op_name, fmt::format("the ellipsis appears twice for shape {}: keep one, and use "
                                            "slice() for single axes",
                                            x.str()));
    int rank = x.rank() - used;
    for (const Index& i : indices) rank += axes_in_view(i);
    require_rank(op_name, x, rank);
    for (const Index& i : indices) add(i, x.rank() - used);
    while (axis_ < x.rank()) keep_axis();
  }

  Tensor apply(const Tensor& x) const {
    const bool whole = view_.counts == x_ && view_.shape == x_ &&
                       std::all_of(view_.steps.begin(), view_.steps.end(), [](auto s) { return s == 1; });
    const Tensor v = whole ? x : record(view_, x);
    if (!choosing_) return v;
    Blocks blocks{0, groups_ == 1 ? choices_.front().view_axis : 0};
    for (const Choice& c : choices_) blocks.mask |= 1u << c.view_axis;
    const Array at = positions();
    require_rank(op_name, x_, v.rank() - std::popcount(blocks.mask) + at.rank());
    return record(Pick{blocks}, v, Tensor(at));
  }

 private:
  /// Elements chosen along one axis of the view.
  struct Choice {
    int view_axis;
    int x_axis;
    Array index;  // int64
  };

  /// How many axes of the view an index makes.
  int axes_in_view(const Index& i) const {
    switch (i.kind()) {
      case Index::Kind::position:
        return choosing_ ? 1 : 0;
      case Index::Kind::tensor:
        return std::max(axes_of(i), 1);
      case Index::Kind::remaining_axes:
        return 0;
      default:
        return 1;
    }
  }

  static int axes_of(const Index& i) {
    switch (i.kind()) {
      case Index::Kind::position:
      case Index::Kind::range:
        return 1;
      case Index::Kind::tensor:
        return i.tensor().dtype() == DType::bool_ ? i.tensor().rank() : 1;
      default:
        return 0;
    }
  }

  void keep_axis() {
    view_.push_axis(0, x_[axis_], 1);
    view_.shape.push_back(x_[axis_++]);
  }

  void choose(Array index) { choices_.push_back({view_.shape.rank(), axis_, std::move(index)}); }

  void add(const Index& i, int left_over) {
    const bool choice = i.kind() == Index::Kind::tensor || (i.kind() == Index::Kind::position && choosing_);
    groups_ += choice && !after_choice_;
    after_choice_ = choice;
    switch (i.kind()) {
      case Index::Kind::added_axis:
        return view_.shape.push_back(1);
      case Index::Kind::remaining_axes:
        for (int k = 0; k < left_over; ++k) keep_axis();
        return;
      case Index::Kind::range: {
        const auto [start, count] = resolve(i.range(), x_[axis_]);
        view_.push_axis(start, count, i.range().step);
        view_.shape.push_back(count);
        ++axis_;
        return;
      }
      case Index::Kind::position: {
        // Beside tensors it is a choice of one element, so that it counts in where their axes go.
        const std::int64_t p = detail::position(op_name, i.position(), axis_, x_[axis_], x_);
        if (choosing_) {
          choose(Array::scalar<std::int64_t>(0));
          view_.shape.push_back(1);
        }
        view_.push_axis(p, 1, 1);
        ++axis_;
        return;
      }
      case Index::Kind::tensor:
        return add_tensor(i.tensor().array());
    }
  }

  void add_tensor(const Array& index) {
    if (index.dtype() != DType::bool_) {
      choose(detail::integer_index(op_name, index));
      return keep_axis();
    }
    if (index.rank() == 0) {  // an axis of size 1, kept or not
      choose(Array::full({index.value<bool>() ? 1 : 0}, 0, DType::int64));
      return view_.shape.push_back(1);
    }
    for (int k = 0; k < index.rank(); ++k)
      if (index.size(k) != x_[axis_ + k])
        throw ShapeError(op_name,
                         fmt::format("a mask of shape {} does not fit shape {}: sizes {} and {} at axis {} "
                                     "differ: make the mask as large as the axes it picks from",
                                     index.shape().str(), x_.str(), index.size(k), x_[axis_ + k], axis_ + k));
    for (Array& a : nonzero(index)) {
      choose(std::move(a));
      keep_axis();
    }
  }

  /// All choices together: row-major positions in the axes that they choose from.
  Array positions() const {
    Shape shape;
    for (const Choice& c : choices_) shape = broadcast_shapes(op_name, shape, c.index.shape());
    Array all = Array::full(shape, 0, DType::int64);
    std::int64_t* out = all.mutable_data<std::int64_t>();
    for (const Choice& c : choices_) {
      const std::int64_t size = view_.shape[c.view_axis];
      const Array index = c.index.broadcast_to(shape).contiguous();
      const std::int64_t* in = index.data<std::int64_t>();
      for (std::int64_t e = 0; e < all.numel(); ++e)
        out[e] = out[e] * size + detail::position(op_name, in[e], c.x_axis, size, x_);
    }
    return all;
  }

  const Shape& x_;
  BasicIndex view_;
  std::vector<Choice> choices_;
  int axis_ = 0;  // of x, the next one to be indexed
  int groups_ = 0;
  bool choosing_ = false;
  bool after_choice_ = false;
};

}  // namespace

Tensor index(const Tensor& x, std::span<const Index> indices) {
  detail::require_defined(op_name, x);
  return IndexPlan(x.shape(), indices).apply(x);
}

Tensor slice(const Tensor& x, std::int64_t axis, detail::SliceEnd start, detail::SliceEnd stop,
             std::int64_t step) {
  detail::require_defined("slice", x);
  const int k = normalize_axis("slice", axis, x.shape());
  BasicIndex view;
  for (int i = 0; i < x.rank(); ++i) {
    const auto [first, count] = i == k ? resolve({start.value, stop.value, step}, x.shape()[i])
                                       : std::pair(std::int64_t{0}, x.shape()[i]);
    view.push_axis(first, count, i == k ? step : 1);
  }
  view.shape = view.counts;
  return record(view, x);
}

Tensor Tensor::index(std::initializer_list<Index> indices) const { return xgrad::index(*this, indices); }

}  // namespace xgrad::inline v0
