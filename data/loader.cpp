#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <xgrad/core/random.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/ops/kernels/parallel.hpp>

namespace xgrad::inline v0::data {

namespace {

/// Bytes that one thread copies by itself.
constexpr std::int64_t copy_grain = 1 << 17;

/// Has the beginning of a row fetched; what follows in order the processor fetches by itself.
void prefetch_row(const std::byte* row, std::int64_t bytes) {
  constexpr std::int64_t beginning = 512, line = 64;
  for (std::int64_t i = 0; i < std::min(bytes, beginning); i += line) __builtin_prefetch(row + i);
}

/// Copies rows whose length the compiler knows: labels and the inputs of tiny models.
template <class Word>
void gather_words(const std::byte* from, std::byte* to, std::span<const std::int64_t> indices) {
  for (const std::int64_t i : indices) {
    std::memcpy(to, from + i * static_cast<std::int64_t>(sizeof(Word)), sizeof(Word));
    to += sizeof(Word);
  }
}

Tensor contiguous_or_undefined(const Tensor& t) {
  return t.defined() ? Tensor(t.array().contiguous()) : Tensor();
}

}  // namespace

Tensor random_order(std::int64_t n, std::uint64_t seed, std::uint64_t epoch) {
  // The upper half of a seed's streams: the lower one belongs to the threads' generators.
  Generator generator(seed, std::uint64_t{1} << 63 | epoch);
  return randperm(n, {}, &generator);
}

std::uint64_t random_seed() {
  const RandomDraw draw = default_generator().reserve(2);
  std::uint64_t seed = 0;
  kernels::fill_bits(draw.key, draw.offset, &seed, 1);
  return seed;
}

Array detail::gather_rows(const Array& a, std::span<const std::int64_t> indices) {
  const auto count = static_cast<std::int64_t>(indices.size());
  Shape shape = a.shape();
  const std::int64_t rows = shape[0];
  shape[0] = count;
  Array out = Array::empty(shape, a.dtype());
  if (out.numel() == 0) return out;
  const std::int64_t bytes = static_cast<std::int64_t>(a.nbytes()) / rows;
  const std::byte* const from = a.bytes();
  std::byte* const to = out.mutable_bytes();
  if (bytes == 4) {
    gather_words<std::uint32_t>(from, to, indices);
  } else if (bytes == 8) {
    gather_words<std::uint64_t>(from, to, indices);
  } else {
    const auto row = [&](std::int64_t i) { return from + indices[static_cast<std::size_t>(i)] * bytes; };
    kernels::parallel_for(count, std::max<std::int64_t>(1, copy_grain / bytes),
                          [&](std::int64_t b, std::int64_t e) {
                            for (std::int64_t i = b; i < e; ++i) {
                              if (i + 1 < e) prefetch_row(row(i + 1), bytes);
                              std::memcpy(to + i * bytes, row(i), static_cast<std::size_t>(bytes));
                            }
                          });
  }
  return out;
}

DataLoader::DataLoader(Dataset dataset, const LoaderOptions& options) : options_(options) {
  check("DataLoader", dataset);
  if (options.batch_size < 1)
    throw ValueError("DataLoader",
                     fmt::format("batch_size is {}: a batch has at least one sample: make it 1 or more",
                                 options.batch_size));
  const std::int64_t n = dataset.size(), size = options.batch_size;
  if (options.drop_last && n < size)
    throw ValueError("DataLoader",
                     fmt::format("{} samples make no whole batch of {}: choose a smaller batch_size or "
                                 ".drop_last = false",
                                 n, size));
  batches_ = options.drop_last ? n / size : (n - 1) / size + 1;
  samples_ = options.drop_last ? batches_ * size : n;
  dataset_ = {contiguous_or_undefined(dataset.x), contiguous_or_undefined(dataset.y),
              contiguous_or_undefined(dataset.sample_weight)};
}

void DataLoader::start(std::uint64_t epoch) {
  position_ = 0;
  next_epoch_ = epoch + 1;
  if (!options_.shuffle) return;
  if (!options_.seed) options_.seed = random_seed();
  order_ = random_order(dataset_.size(), *options_.seed, epoch);
}

bool DataLoader::next(Batch& batch) {
  if (position_ >= samples_) return false;
  if (options_.shuffle && !order_.defined()) start(0);
  const std::int64_t count = std::min(options_.batch_size, samples_ - position_);
  const auto rows = [&](const Tensor& t) {
    if (!t.defined()) return Tensor();
    if (!options_.shuffle) return Tensor(t.array().slice(0, position_, count));
    return Tensor(detail::gather_rows(
        t.array(), {order_.array().data<std::int64_t>() + position_, static_cast<std::size_t>(count)}));
  };
  batch.x = rows(dataset_.x);
  batch.y = rows(dataset_.y);
  batch.sample_weight = rows(dataset_.sample_weight);
  position_ += count;
  return true;
}

DataLoader::Iterator DataLoader::begin() {
  start(next_epoch_);
  Iterator it(this);
  ++it;
  return it;
}

}  // namespace xgrad::inline v0::data
