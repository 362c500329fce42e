#include <limits>
#include <xgrad/ops/shape.hpp>

#include "tests/ops/errors.hpp"

namespace xgrad::test {
namespace {

constexpr std::int64_t huge = std::int64_t{1} << 40, most = std::numeric_limits<std::int64_t>::max();

}  // namespace

Table shapes(const Inputs& i) {
  // clang-format off
  return {
      {is<ShapeError>, "reshape", [&] { i.x.reshape({4, 2}); },
       {"(2, 3) has 6 elements", "(4, 2)", "product is 6"}},
      {is<ShapeError>, "reshape", [&] { i.x.reshape({-1, -1}); },
       {"(-1, -1)", "two sizes are -1", "at most"}},
      {is<ShapeError>, "reshape", [&] { i.x.reshape({-2, 3}); }, {"(-2, 3)", "a size is negative"}},
      {is<ShapeError>, "reshape", [&] { zeros({0, 2}).reshape({0, -1}); }, {"(0, -1)"}},
      {is<ShapeError>, "flatten", [&] { i.x.flatten(1, 0); }, {"axes 1 to 0 of shape (2, 3)", "swap"}},
      {is<IndexError>, "flatten", [&] { i.x.flatten(0, 2); }, {"axis 2"}},
      {is<ValueError>, "permute", [&] { i.x.permute({0, 0}); },
       {"axes (0, 0) for shape (2, 3)", "each of its 2"}},
      {is<ValueError>, "transpose", [&] { transpose(i.x, {1}); }, {"axes (1,) for shape (2, 3)"}},
      {is<IndexError>, "transpose", [&] { i.x.transpose(0, 2); }, {"axis 2", "(2, 3)"}},
      {is<ShapeError>, "squeeze", [&] { i.x.squeeze(1); },
       {"axis 1 of shape (2, 3) has size 3", "leave it out"}},
      {is<IndexError>, "unsqueeze", [&] { i.x.unsqueeze(4); }, {"axis 4", "(2, 3)", "-3 to 2"}},
      {is<ShapeError>, "unsqueeze", [&] { i.wide.unsqueeze(0); },
       {"(1, 1, 1, 1, 1, 1, 1, 1)", "9 axes", "reshape"}},
      {is<ShapeError>, "expand", [&] { expand(i.x, {-1, 2, 3}); }, {"(2, 3) to (-1, 2, 3)", "give its size"}},
      {is<ShapeError>, "expand", [&] { expand(i.x, {4, 3}); },
       {"(2, 3) does not broadcast to (4, 3)", "equal or 1"}},
      {is<ShapeError>, "broadcast_to", [&] { broadcast_to(i.x, {3}); },
       {"(2, 3) does not broadcast to (3,)"}},
      {is<ShapeError>, "broadcast_to", [&] { broadcast_to(i.x, {-2, 3}); }, {"(-2, 3) has a negative size"}},
      {is<ShapeError>, "sum_to", [&] { sum_to(i.x, {2}); }, {"(2, 3) and (2,)", "sum over whole axes"}},
      {is<ValueError>, "concat", [] { concat({}); }, {"empty", "at least one"}},
      {is<ShapeError>, "concat", [&] { concat({i.x, i.logits}, 1); },
       {"(2, 3) (input 0) and (4, 3) (input 1) differ beside axis 1", "equal"}},
      {is<IndexError>, "concat", [&] { concat({i.x}, 2); }, {"axis 2"}},
      {is<ValueError>, "concat", [&] { concat({i.x, i.none}); }, {"input 1 is an undefined tensor"}},
      {is<ShapeError>, "stack", [&] { stack({i.x, i.x.T()}); },
       {"(2, 3) (input 0) and (3, 2) (input 1)", "one shape"}},
      {is<IndexError>, "stack", [&] { stack({i.x}, 3); }, {"axis 3", "(2, 3)", "-3 to 2"}},
      {is<ValueError>, "stack", [] { stack({}); }, {"empty"}},
      {is<ShapeError>, "stack", [&] { stack({i.wide}); }, {"9 axes"}},
      {is<ShapeError>, "split", [&] { split(i.x, 2, 1); },
       {"(2, 3)", "2 sections do not divide size 3", "chunk"}},
      {is<IndexError>, "split", [&] { split(i.x, {4}, 1); }, {"cut 4", "(2, 3)", "[-3, 3]"}},
      {is<ValueError>, "split", [&] { split(i.x, {2, 1}, 1); }, {"cut 1", "(2, 3)", "ascending"}},
      {is<ValueError>, "chunk", [&] { chunk(i.x, 0); }, {"0 chunks of shape (2, 3)", "at least 1"}},
      {is<IndexError>, "chunk", [&] { chunk(i.x, 2, 2); }, {"axis 2"}},
      {is<IndexError>, "flip", [&] { flip(i.x, 2); }, {"axis 2", "(2, 3)"}},
      {is<IndexError>, "roll", [&] { roll(i.x, 1, -3); }, {"axis -3", "(2, 3)"}},
      {is<IndexError>, "roll", [&] { roll(i.x, {1, 1}, {0, 2}); }, {"axis 2", "(2, 3)"}},
      {is<ValueError>, "roll", [&] { roll(i.x, {1, 1}, std::vector<std::int64_t>{0}); },
       {"2 shifts along 1 axes of shape (2, 3)", "one shift for each"}},
      {is<ShapeError>, "pad", [&] { pad(i.x, {{1, 1}, {1, 1}, {1, 1}}); }, {"3 pairs", "(2, 3)", "2 axes"}},
      {is<ValueError>, "pad", [&] { pad(i.x, -1); }, {"-1 and -1 at axis 0", "use slice to cut"}},
      {is<ValueError>, "pad", [&] { pad(i.empty, 1, {.mode = PadMode::edge}); },
       {"(0, 3)", "PadMode::constant"}},
      {is<ShapeError>, "pad", [&] { pad(i.x, huge); }, {"more elements than memory"}},
      {is<ValueError>, "pad", [&] { pad(i.bytes, 1, {.value = 999}); }, {"999 does not fit uint8"}},
      {is<ValueError>, "repeat", [&] { repeat(i.x, -1); }, {"-1 copies of shape (2, 3)", "0 or more"}},
      {is<ShapeError>, "repeat", [&] { repeat(i.x, most); }, {"(2, 3) would get more elements"}},
      {is<ShapeError>, "repeat", [&] { repeat(i.x, tensor({1, 2, 3}), 0); },
       {"(3,) for axis 0 of shape (2, 3)", "2"}},
      {is<DTypeError>, "repeat", [&] { repeat(i.x, tensor({0.5, 1.0}), 0); }, {"float32", "astype(int64)"}},
      {is<ValueError>, "tile", [&] { tile(i.x, {-1}); }, {"-1 copies"}},
      {is<ShapeError>, "tile", [&] { tile(i.x, {huge, huge}); }, {"(2, 3) would get more elements"}},
      {is<ShapeError>, "diag", [&] { diag(i.c); }, {"(2, 2, 3) is neither a vector nor a matrix", "reshape"}},
      {is<ShapeError>, "diag", [&] { diag(i.v, huge); }, {"(4,) would get more elements"}},
      {is<ShapeError>, "tril", [&] { tril(i.v); }, {"(4,) has no matrix", "rank 2"}},
      {is<ShapeError>, "triu", [&] { triu(i.v); }, {"(4,) has no matrix"}},
  };
  // clang-format on
}

Table indexing(const Inputs& i) {
  // clang-format off
  return {
      {is<IndexError>, "index", [&] { i.x(2); }, {"index 2", "axis 0 of size 2 in shape (2, 3)", "[-2, 1]"}},
      {is<IndexError>, "index", [&] { i.x(slice(), tensor({0, 7})); }, {"index 7", "(2, 3)", "[-3, 2]"}},
      {is<IndexError>, "index", [&] { i.empty(0); }, {"(0, 3)", "nothing to pick"}},
      {is<IndexError>, "index", [&] { i.x(0, 0, 0); }, {"(2, 3) has 2 axes, and 3 are indexed", "drop 1"}},
      {is<IndexError>, "index", [&] { i.x(ellipsis, 0, ellipsis); }, {"twice for shape (2, 3)", "keep one"}},
      {is<ShapeError>, "index", [&] { i.wide(newaxis); }, {"(1, 1, 1, 1, 1, 1, 1, 1)", "9 axes"}},
      {is<ShapeError>, "index", [&] { i.wide(tensor({{0}})); }, {"9 axes"}},
      {is<ShapeError>, "index", [&] { i.x(tensor({0, 1}), tensor({0, 1, 2})); },
       {"(2,) and (3,) do not broadcast"}},
      {is<DTypeError>, "index", [&] { i.x(tensor({0.5})); }, {"shape (1,)", "float32", "astype(int64)"}},
      {is<ShapeError>, "index", [&] { i.x(tensor({true, false, true})); },
       {"(3,) does not fit shape (2, 3)"}},
      {is<ValueError>, "index", [&] { i.x(slice(), i.none); }, {"index 1 of shape (2, 3) is an undefined"}},
      {is<ValueError>, "slice", [&] { i.x(slice(0, 2, 0)); }, {"step 0", "size 2", "not 0"}},
      {is<IndexError>, "slice", [&] { slice(i.x, 2, 0, 1); }, {"axis 2", "(2, 3)"}},
      {is<IndexError>, "gather", [&] { gather(i.x, 1, tensor({{0, 3}})); }, {"index 3", "(2, 3)"}},
      {is<ShapeError>, "gather", [&] { gather(i.x, 1, i.classes); },
       {"(4,) does not fit shape (2, 3)", "ranks"}},
      {is<IndexError>, "gather", [&] { gather(i.x, 2, i.rows); }, {"axis 2"}},
      {is<DTypeError>, "gather", [&] { gather(i.x, 0, tensor({{0.0}})); }, {"float32"}},
      {is<ValueError>, "gather", [&] { gather(i.x, 0, i.none); }, {"input 1 is an undefined"}},
      {is<ShapeError>, "scatter_add", [&] { scatter_add(i.x, 0, i.rows, counting({1, 1})); },
       {"(1, 2) and src of shape (1, 1)", "at least as large"}},
      {is<DTypeError>, "scatter_add", [&] { scatter_add(i.x, 0, tensor({{0}}), tensor({{1}})); },
       {"(2, 3) is float64", "src of shape (1, 1) is int64"}},
      {is<IndexError>, "scatter_add", [&] { scatter_add(i.x, 0, tensor({{2}}), counting({1, 1})); },
       {"index 2"}},
      {is<ValueError>, "scatter_add", [&] { scatter_add(i.x, 0, i.rows, i.none); },
       {"input 2 is an undefined"}},
      {is<ShapeError>, "take_along_axis", [&] { take_along_axis(i.x, tensor({0}), 0); },
       {"(2, 3) and (1,)", "rank"}},
      {is<ShapeError>, "take_along_axis", [&] { take_along_axis(i.x, tensor({{0}, {0}, {0}}), 1); },
       {"(2, 1)"}},
      {is<ValueError>, "take_along_axis", [&] { take_along_axis(i.none, i.rows, 0); },
       {"input 0 is an undefined"}},
      {is<IndexError>, "one_hot", [] { one_hot(tensor({0, 3}), 3); },
       {"index 3 in shape (2,)", "[0, 2]", "more classes"}},
      {is<IndexError>, "one_hot", [] { one_hot(tensor({-1})); }, {"[0, "}},
      {is<DTypeError>, "one_hot", [] { one_hot(tensor({0.0}), 3); }, {"float32"}},
      {is<ValueError>, "one_hot", [] { one_hot(tensor({0}), -1); },
       {"-1 classes for an index of shape (1,)"}},
      {is<ShapeError>, "one_hot", [] { one_hot(tensor({most})); }, {"(1,) would get more elements"}},
  };
  // clang-format on
}

}  // namespace xgrad::test
