#pragma once
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
#include <xgrad/xgrad.hpp>

/// A recorded run of Keras's API (examples/data/keras_xor_trace.json): where it started, what it saw and
/// where it ended.
struct KerasTrace {
  xgrad::Tensor x, y;
  std::vector<xgrad::Tensor> initial, final;  ///< as `get_weights()` gives them: kernels are (in, out)
  std::vector<double> losses;                 ///< one for each epoch
  double loss, accuracy;                      ///< of the evaluation after training
  std::vector<double> predictions;            ///< one for each row of x
};

inline KerasTrace read_keras_trace(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw xgrad::IoError("read_keras_trace", "cannot open " + path + ": look at the path");
  const auto json = nlohmann::json::parse(file);
  const auto table = [](const nlohmann::json& rows) {
    return xgrad::data::rows(rows.get<std::vector<std::vector<float>>>());
  };
  const auto weights = [](const nlohmann::json& arrays) {
    std::vector<xgrad::Tensor> out;
    for (const auto& a : arrays) {
      const xgrad::Shape shape(a["shape"].get<std::vector<std::int64_t>>());
      out.push_back(xgrad::tensor(a["data"].get<std::vector<float>>(), shape));
    }
    return out;
  };
  return {table(json["x"]),        table(json["y"]),    weights(json["init"]), weights(json["final"]),
          json["history"]["loss"], json["evaluate"][0], json["evaluate"][1],   json["predict"]};
}
