#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <xgrad/core/create.hpp>
#include <xgrad/core/print.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;

namespace {

DType dtype_named(const std::string& text) {
  for (DType t : {float32, float64, int32, int64, uint8, xgrad::bool_})
    if (name(t) == text) return t;
  throw std::runtime_error("unknown dtype " + text);
}

Array array_of(const nlohmann::json& c) {
  const auto shape = c["shape"].get<std::vector<std::int64_t>>();
  std::vector<double> floats;
  std::vector<std::int64_t> integers;
  for (const auto& v : c.value("values", nlohmann::json::array())) {
    if (v.is_string())
      floats.push_back(std::strtod(v.get<std::string>().c_str(), nullptr));
    else
      integers.push_back(v.get<std::int64_t>());
  }
  if (c.contains("scale")) {
    const double scale = std::strtod(c["scale"].get<std::string>().c_str(), nullptr);
    for (std::int64_t i = 0; i < Shape(shape).numel(); ++i)
      floats.push_back(static_cast<double>(i * 7919 % 10007 - 5000) * scale);
    return Array::from(std::span<const double>(floats), shape).astype(dtype_named(c["dtype"]));
  }
  const DType t = dtype_named(c["dtype"]);
  return is_floating(t) ? Array::from(std::span<const double>(floats), shape).astype(t)
                        : Array::from(std::span<const std::int64_t>(integers), shape).astype(t);
}

}  // namespace

TEST_CASE("tensors print as NumPy prints them") {
  std::ifstream file(XGRAD_SOURCE_DIR "/tests/core/print_vectors.json");
  const auto cases = nlohmann::json::parse(file);
  REQUIRE(cases.size() > 100);
  for (const auto& c : cases) {
    INFO(c["dtype"] << " " << c["shape"]);
    CHECK(to_string(array_of(c)) == c["text"].get<std::string>());
  }
}

TEST_CASE("a view prints its own elements") {
  const Tensor x = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.5}});
  CHECK(to_string(x.array().transpose(0, 1)) == "[[1.  4. ]\n [2.  5. ]\n [3.  6.5]]");
  CHECK(to_string(x.array().slice(1, 2, 3, -1)) == "[[3.  2.  1. ]\n [6.5 5.  4. ]]");
  CHECK(to_string(Array::full({}, 3, int64).broadcast_to({2, 1000})) ==
        "[[3 3 3 ... 3 3 3]\n [3 3 3 ... 3 3 3]]");
}

TEST_CASE("printing goes to streams and takes undefined tensors") {
  std::ostringstream out;
  out << tensor({1, 2}) << "; " << Tensor();
  CHECK(out.str() == "[1 2]; undefined");
}
