#include <fmt/args.h>
#include <fmt/format.h>

#include <xgrad/io/file.hpp>
#include <xgrad/io/safetensors.hpp>
#include <xgrad/nn/model.hpp>
#include <xgrad/train/monitor.hpp>

namespace xgrad::inline v0 {
namespace {

constexpr std::string_view op = "model_checkpoint";

class ModelCheckpoint final : public CallbackHooks {
 public:
  ModelCheckpoint(std::string path, const ModelCheckpointOptions& options)
      : path_(std::move(path)), options_(options), monitor_(op, options.monitor, options.mode) {}

  void on_train_begin(TrainState& s) override {
    if (options_.save_best_only) monitor_.start(s, 0);
    // Refuses what is bound to fail after an epoch: a path that cannot be filled in, or has no folder.
    io::detail::check_writable(op, file(s, std::vector<double>(s.history.columns().size(), 0.0)));
  }

  void on_epoch_end(TrainState& s) override {
    if (options_.save_best_only && !monitor_.improves(monitor_.current(s))) return;
    const auto row = s.history.row(s.history.epochs() - 1);
    io::save(file(s, {row.begin(), row.end()}), nn::detail::state_dict(s.model, {}));
  }

 private:
  /// The path with epoch and columns filled in.
  std::string file(const TrainState& s, const std::vector<double>& row) const {
    fmt::dynamic_format_arg_store<fmt::format_context> values;
    values.push_back(fmt::arg("epoch", s.epoch + 1));
    const auto& columns = s.history.columns();
    for (std::size_t i = 0; i < columns.size(); ++i) values.push_back(fmt::arg(columns[i].c_str(), row[i]));
    try {
      return fmt::vformat(path_, values);
    } catch (const fmt::format_error& e) {
      throw ValueError(
          op, fmt::format("the path {} cannot be filled in ({}): it may name {{epoch}} and the columns {}",
                          path_, e.what(), fmt::join(columns, ", ")));
    }
  }

  std::string path_;
  ModelCheckpointOptions options_;
  detail::Monitor monitor_;
};

}  // namespace

Callback model_checkpoint(const std::string& path, const ModelCheckpointOptions& options) {
  return Callback(new ModelCheckpoint(path, options));
}

}  // namespace xgrad::inline v0
