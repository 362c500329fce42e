#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>

#include <xgrad/ops/kernels/parallel.hpp>

/// Where products keep the operands that they copy. Only gemm.cpp uses it.
namespace xgrad::inline v0::kernels::detail {

constexpr std::int64_t round_up(std::int64_t x, std::int64_t step) { return (x + step - 1) / step * step; }

/// Memory that stays, so that a training step finds it there.
template <class T>
class Scratch {
 public:
  Scratch() = default;
  ~Scratch() { std::free(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // Null if there is no memory.
  T* at_least(std::int64_t size) {
    if (size > size_) {
      std::free(data_);
      const std::size_t bytes = static_cast<std::size_t>(round_up(size * std::int64_t{sizeof(T)}, 64));
      data_ = static_cast<T*>(std::aligned_alloc(64, bytes));
      size_ = data_ ? size : 0;
      std::fill_n(data_, size_,
                  T(0));  // now, whichever thread comes to use it: memory is settled after a few steps
    }
    return data_;
  }
  T* data() const { return data_; }

 private:
  T* data_ = nullptr;
  std::int64_t size_ = 0;
};

/// Copies of operands: those of each thread that works on a product, made and kept by the thread that asked
/// for it. To read another core's copy would take longer than to make one's own.
template <class T>
class Workspace {
 public:
  struct Place {
    Scratch<T> scratch;
    std::uint64_t product = 0;  // whose panels are in it
    std::int64_t first = 0;     // row or column of them

    // Whether they have to be copied; they count as copied afterwards.
    bool lacks(std::uint64_t number, std::int64_t first_of_panels) {
      const bool there = product == number && first == first_of_panels;
      product = number;
      first = first_of_panels;
      return !there;
    }
  };

  // A number for a product that is going to copy operands.
  static std::uint64_t next_product() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  // The calling thread's, with room for `size` elements for each thread that works on `chunks` chunks. Null
  // if there is no memory. Inside somebody's region the calling thread works alone.
  static Workspace* prepare(std::int64_t chunks, std::int64_t size) {
    thread_local Workspace own;
    const auto places = static_cast<std::size_t>(
        team_place() > 0 ? 1 : std::min<std::int64_t>({chunks, num_threads(), most_places}));
    for (std::size_t k = 0; k < places; ++k)
      if (!own.places_[k].scratch.at_least(size)) return nullptr;
    own.owner_ = team_place();
    own.size_ = size;
    return &own;
  }

  // The place of the thread that calls this within the region. Its memory is there, unless the number of
  // threads has been raised since.
  Place& mine() {
    Place& place = places_[team_place() == owner_ ? 0U : static_cast<std::size_t>(team_place())];
    place.scratch.at_least(size_);
    return place;
  }

 private:
  static constexpr std::int64_t most_places = 128;
  std::array<Place, most_places> places_;
  int owner_ = 0;
  std::int64_t size_ = 0;
};

}  // namespace xgrad::inline v0::kernels::detail
