#include <mutex>
#include <xgrad/core/registry.hpp>

namespace xgrad::inline v0 {
namespace {

std::vector<OpInfo>& registry() {
  static std::vector<OpInfo> list;
  return list;
}

std::mutex& registry_mutex() {
  static std::mutex m;
  return m;
}

}  // namespace

std::span<const OpInfo> registered_ops() { return registry(); }

bool register_op(OpInfo info) {
  std::lock_guard lock(registry_mutex());
  for (const OpInfo& known : registry())
    if (known.name == info.name) return true;
  registry().push_back(std::move(info));
  return true;
}

bool register_function(std::string_view name, std::vector<Sample> (*samples)(),
                       Function<Tensor(std::span<const Tensor>)> f,
                       std::vector<Array> (*reference)(const void*, std::span<const Array>)) {
  OpInfo info;
  info.name = name;
  info.samples = samples;
  info.apply = [f = std::move(f)](const Sample&, std::span<const Tensor> in) {
    return std::vector<Tensor>{f(in)};
  };
  info.array_reference = reference;
  info.inputs = -1;
  info.composed = true;
  return register_op(std::move(info));
}

}  // namespace xgrad::inline v0
