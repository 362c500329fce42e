#include <xgrad/core/create.hpp>
#include <xgrad/io/safetensors.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/folder.hpp"

using namespace xgrad;
using test::Folder;
namespace fs = std::filesystem;

namespace {

std::string file_with(const Folder& folder, const std::string& header, const std::string& data) {
  const std::string path = folder / "made.safetensors";
  std::ofstream out(path, std::ios::binary);
  for (int i = 0; i < 8; ++i) out.put(static_cast<char>(header.size() >> (8 * i)));
  out << header << data;
  return path;
}

StateDict some_state() {
  return {{"flags", tensor({true, false, true})},
          {"hidden.weight", tensor({{1.5, -2.0}, {0.25, 1e-30}}, {.dtype = float32})},
          {"wide", tensor({{1.0 / 3}}, {.dtype = float64})},
          {"steps", tensor(7)},
          {"bytes", tensor({1, 2, 255}, {.dtype = uint8})},
          {"small", tensor({-5}, {.dtype = int32})},
          {"empty", zeros({0, 3})},
          {"scalar", tensor(2.5)}};
}

void check_equal(const StateDict& a, const StateDict& b) {
  REQUIRE(a.size() == b.size());
  for (const NamedTensor& entry : a) {
    INFO(entry.name);
    const Tensor* other = find(b, entry.name);
    REQUIRE(other != nullptr);
    CHECK(other->dtype() == entry.tensor.dtype());
    CHECK(other->shape() == entry.tensor.shape());
    CHECK(other->to_vector<double>() == entry.tensor.to_vector<double>());
  }
}

}  // namespace

TEST_CASE("a state dict comes back as it was saved, in every dtype") {
  const Folder folder;
  const std::string path = folder / "state.safetensors";
  io::save(path, some_state(), {{"format", "pt"}, {"by", "xgrad \"quoted\" ü"}});
  check_equal(some_state(), io::load(path));
  CHECK(io::load_metadata(path).at("by") == "xgrad \"quoted\" ü");
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator{}) ==
        1);  // no temporary stays
}

TEST_CASE("a view is saved as what it shows") {
  const Folder folder;
  io::save(folder / "t", {{"t", Tensor(tensor({{1, 2}, {3, 4}}).array().transpose(0, 1))}});
  CHECK(io::load(folder / "t")[0].tensor.to_vector<int>() == std::vector<int>{1, 3, 2, 4});
}

TEST_CASE("saving refuses names that cannot be told apart, and leaves the old file") {
  const Folder folder;
  const std::string path = folder / "state";
  io::save(path, {{"a", tensor(1)}});
  CHECK_THROWS_WITH(io::save(path, {{"b", tensor(1)}, {"b", tensor(2)}}),
                    Catch::Contains("\"b\" occurs twice"));
  CHECK_THROWS_WITH(io::save(path, {{"__metadata__", tensor(1)}}), Catch::Contains("belongs to the format"));
  CHECK_THROWS_AS(io::save(path, {{"\xff", tensor(1)}}), ValueError);
  CHECK_THROWS_AS(io::save(folder / "no/such/folder", {{"a", tensor(1)}}), IoError);
  CHECK(io::load(path)[0].name == "a");
}

TEST_CASE("malformed files are refused, and the message names the file and the fault") {
  const Folder folder;
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::string data(8, '\0');
  CHECK(io::load(file_with(folder, good, data)).size() == 1);
  struct Bad {
    const char* header;
    std::size_t bytes;
    const char* message;
  };
  const Bad cases[] = {
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 8, "not JSON"},
      {R"([1])", 0, "not an object"},
      {R"({"a":3})", 0, "not described by"},
      {R"({"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})", 8, "dtype F16"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "larger than the file"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 8, "8 bytes instead of 4"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "-2 where a natural number"},
      {R"({"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", 8, "2.5 where a natural number"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8, "claims a size"},
      {R"({"a":{"dtype":"F32","shape":[1000000000,1000000000,1000000000],"data_offsets":[0,8]}})", 8,
       "more than memory can hold"},
      {R"({"a":{"dtype":"F32","shape":[0,1000000000,1000000000,1000000000],"data_offsets":[0,0]}})", 0,
       "more than memory can hold"},
      {R"({"a":[[[[[[1]]]]]]})", 0, "nested deeper"},
      {R"({"a":{"b":{"c":{"d":{"e":{}}}}}})", 0, "nested deeper"},
      {R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}})", 8, "9 axes"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}})", 8, "lies at [0, 16) of 8"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "lies at [8, 0)"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 12, "4 bytes belong to no tensor"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "begins at 4"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       8, "begins at"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       8, "a name twice"},
      {R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},"__metadata__":{"k":1}})", 1,
       "metadata \"k\" is not a string"},
      {R"({"__metadata__":[]})", 0, "metadata is not an object"},
  };
  for (const Bad& bad : cases) {
    INFO(bad.header);
    const std::string path = file_with(folder, bad.header, std::string(bad.bytes, '\0'));
    CHECK_THROWS_AS(io::load(path), IoError);
    CHECK_THROWS_WITH(io::load(path),
                      Catch::Contains(path) && Catch::Contains(bad.message) && Catch::Contains(": "));
  }
  CHECK_THROWS_WITH(
      io::load(file_with(folder, R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", "\x02")),
      Catch::Contains("neither 0 nor 1"));
  CHECK_THROWS_WITH(io::load(folder / "absent"), Catch::Contains("cannot open it: No such file"));
  CHECK_THROWS_WITH(io::load(folder.path.string()), Catch::Contains("not a regular file"));
}

TEST_CASE("a file cut off anywhere, or with any byte of its header damaged, never gives other tensors") {
  const Folder folder;
  const std::string path = folder / "state", hurt = folder / "hurt";
  io::save(path, some_state());
  std::ifstream in(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const auto try_load = [&](const std::string& text) {
    std::ofstream(hurt, std::ios::binary) << text;
    try {
      return static_cast<int>(io::load(hurt).size());
    } catch (const IoError&) {
      return -1;
    }
  };
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK(try_load(whole.substr(0, n)) == -1);
  std::size_t refused = 0;
  const std::size_t header = 8 + 400;
  for (std::size_t i = 0; i < header; ++i) {
    std::string text = whole;
    text[i] = static_cast<char>(text[i] ^ 0x11);
    refused += try_load(text) == -1;
  }
  CHECK(refused > header / 2);  // a changed name or an equally large dtype is still a well-formed file
}

#ifdef XGRAD_PYTHON
TEST_CASE("Python's safetensors and PyTorch read our files, and we read theirs") {
  const Folder folder;
  io::save(folder / "ours.safetensors", some_state(), {{"format", "pt"}});
  const std::string command =
      std::string(XGRAD_PYTHON) + " " XGRAD_SOURCE_DIR "/tests/io/read_back.py " + folder.path.string();
  REQUIRE(std::system(command.c_str()) == 0);
  check_equal(some_state(), io::load(folder / "theirs.safetensors"));
}
#endif
