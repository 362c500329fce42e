#pragma once
#include <optional>
#include <span>

#include <xgrad/data/dataset.hpp>

/// Batches of a dataset, epoch after epoch.
namespace xgrad::inline v0::data {

struct LoaderOptions {
  std::int64_t batch_size = 32;
  bool shuffle = false;                    ///< a different order in each epoch
  bool drop_last = false;                  ///< leave out a last batch that is smaller than the others
  std::optional<std::uint64_t> seed = {};  ///< of the order; by default the first epoch draws one from the
                                           ///< thread's generator
};

/// Rows of a dataset, with what belongs to them.
struct Batch {
  Tensor x;
  Tensor y;              ///< undefined if the dataset has none
  Tensor sample_weight;  ///< undefined if the dataset has none
};

/// The batches of a dataset:
///
///     data::DataLoader loader({x, y}, {.batch_size = 128, .shuffle = true});
///     for (int epoch = 0; epoch < 10; ++epoch)
///       for (const auto& [xb, yb, weight] : loader) …
///
/// The order of an epoch follows from the seed and the epoch's number alone: it is the same on every machine
/// and for any number of threads. Rows in order are views; shuffled ones are copied into memory from the
/// pool, one memcpy a row, so that no batch after the first asks the system for memory.
class DataLoader {
 public:
  /// Throws as `check` does, and ValueError unless batch_size ≥ 1 and there is at least one batch.
  explicit DataLoader(Dataset dataset, const LoaderOptions& options = {});

  /// The number of batches in an epoch.
  std::int64_t size() const { return batches_; }
  /// The number of samples in an epoch: all, but for what `drop_last` leaves out.
  std::int64_t samples() const { return samples_; }
  const Dataset& dataset() const { return dataset_; }
  const LoaderOptions& options() const { return options_; }

  /// Goes to the beginning of epoch `epoch`; a loader fresh from its constructor is at that of epoch 0.
  void start(std::uint64_t epoch);
  /// Puts the next batch into `batch`; false, and `batch` as it was, at the end of the epoch.
  bool next(Batch& batch);

  class Iterator {
   public:
    const Batch& operator*() const { return batch_; }
    const Batch* operator->() const { return &batch_; }
    Iterator& operator++() {
      more_ = loader_->next(batch_);
      return *this;
    }
    /// Compares with the end only.
    bool operator!=(const Iterator&) const { return more_; }

   private:
    friend class DataLoader;
    explicit Iterator(DataLoader* loader) : loader_(loader) {}
    DataLoader* loader_;
    Batch batch_ = {};
    bool more_ = false;
  };
  /// Each call starts the next epoch.
  Iterator begin();
  Iterator end() { return Iterator(this); }

 private:
  Dataset dataset_;
  LoaderOptions options_;
  std::int64_t samples_, batches_;
  std::int64_t position_ = 0;
  std::uint64_t next_epoch_ = 0;
  Tensor order_;  // of the rows, int64; undefined unless shuffled
};

/// The numbers 0 … n - 1 (int64) in the order of epoch `epoch`. Throws ValueError for a negative n.
Tensor random_order(std::int64_t n, std::uint64_t seed, std::uint64_t epoch);
/// A seed drawn from the thread's generator.
std::uint64_t random_seed();

namespace detail {
/// The rows of `a`, which is row-major, with these numbers, which have been checked.
Array gather_rows(const Array& a, std::span<const std::int64_t> indices);
}  // namespace detail

}  // namespace xgrad::inline v0::data
