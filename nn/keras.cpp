#include <xgrad/nn/keras.hpp>

#include <fmt/format.h>

#include <unordered_set>
#include <xgrad/nn/model.hpp>

namespace xgrad::inline v0::nn {

void KerasWeights::take(const Tensor& target, std::string_view name, const Shape& axes) {
  if (!target.defined()) return;
  for (const Pending& p : pending_)
    if (p.target.impl() == target.impl()) return;  // tied: Keras lists it once
  const std::size_t at = next_++;
  const std::string path = path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
  Tensor value = at < arrays_.size() ? arrays_[at] : Tensor();
  pending_.push_back({target, value});
  if (!value.defined()) {
    problems_.push_back(fmt::format("there is no array {} for \"{}\"", at, path));
    return;
  }
  Shape expected = target.shape();  // as Keras keeps it
  for (int i = 0; i < axes.rank(); ++i) expected[static_cast<int>(axes[i])] = target.shape()[i];
  if (value.shape() != expected)
    problems_.push_back(fmt::format("array {} has shape {} and \"{}\" takes {}", at, value.shape().str(),
                                    path, expected.str()));
  else if (is_floating(value.dtype()) && !is_floating(target.dtype()))
    problems_.push_back(fmt::format("array {} is {} and \"{}\" is {}", at, xgrad::name(value.dtype()), path,
                                    xgrad::name(target.dtype())));
  else if (!axes.empty())
    pending_.back().value = Tensor(value.array().permute(axes));
}

void KerasWeights::finish() {
  if (next_ < arrays_.size())
    problems_.push_back(fmt::format("there are {} arrays and the model takes {}", arrays_.size(), next_));
  if (!problems_.empty())
    throw ValueError(
        "load_keras",
        fmt::format("{} problem{}: {}: give what get_weights() of a model of this structure gives",
                    problems_.size(), problems_.size() == 1 ? "" : "s", fmt::join(problems_, "; ")));
  for (Pending& p : pending_)  // arrays may lie in the model's own memory
    for (const Pending& other : pending_)
      if (p.value.array().shares_storage_with(other.target.array())) p.value = Tensor(p.value.array().copy());
  for (const Pending& p : pending_) p.target.assign(p.value);
}

namespace {

struct KerasLoader final : Visitor {
  explicit KerasLoader(std::span<const Tensor> arrays) : weights(arrays) {}

  bool enter(const ModuleInfo& info, void* module) override {
    if (info.load_keras == nullptr) return true;
    weights.set_path(path());
    info.load_keras(module, weights);
    return false;
  }
  void parameter(Parameter& p) override { take(p); }
  void buffer(Buffer& b) override { take(b); }
  void take(const Tensor& t) {
    weights.set_path({});
    weights.take(t, path());
  }

  KerasWeights weights;
};

}  // namespace

void detail::load_keras(ModelRef model, std::span<const Tensor> arrays) {
  KerasLoader loader(arrays);
  model.visit(loader);
  loader.weights.finish();
}

}  // namespace xgrad::inline v0::nn
