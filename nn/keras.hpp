#pragma once
#include <span>
#include <string>
#include <vector>

#include <xgrad/core/tensor.hpp>

namespace xgrad::inline v0::nn {

/// What `load_keras` hands to modules whose weights Keras keeps in another order or layout than their fields:
/// a module then has `void load_keras(KerasWeights& from) const`, and takes them in Keras's order.
class KerasWeights {
 public:
  explicit KerasWeights(std::span<const Tensor> arrays) : arrays_(arrays) {}

  /// The next of Keras's arrays goes to `target`, its axes permuted: axis i of `target` is axis axes[i] of
  /// the array, as in `permute`; in their order when none are given. An undefined target takes none. `name`
  /// is the field's.
  void take(const Tensor& target, std::string_view name, const Shape& axes = {});

  // For the walk.
  void set_path(std::string path) { path_ = std::move(path); }
  /// Throws ValueError with all that did not fit; assigns otherwise.
  void finish();

 private:
  struct Pending {
    Tensor target, value;
  };
  std::span<const Tensor> arrays_;
  std::size_t next_ = 0;
  std::string path_;
  std::vector<Pending> pending_;
  std::vector<std::string> problems_;
};

}  // namespace xgrad::inline v0::nn
