#include <sys/stat.h>

#include <bit>
#include <xgrad/core/create.hpp>
#include <xgrad/io/dot.hpp>
#include <xgrad/io/npy.hpp>
#include <xgrad/io/safetensors.hpp>
#include <xgrad/nn/nn.hpp>

#include "tests/support/damage.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/refusals.hpp"

using namespace xgrad;
using test::Damage;
using test::Folder;
using test::is;
using test::Refusal;

namespace {

struct Net {
  nn::Linear hidden{2, 3};
  nn::BatchNorm1d norm{3};
  Tensor operator()(const Tensor& x) const { return norm(hidden(x)); }
};

/// The bits, since a file that was damaged and loads may hold NaN.
std::vector<std::vector<std::uint64_t>> values_of(const Net& net) {
  std::vector<std::vector<std::uint64_t>> all;
  for (const auto& [name, t] : nn::state_dict(net)) {
    all.emplace_back();
    for (const double v : t.to_vector<double>()) all.back().push_back(std::bit_cast<std::uint64_t>(v));
  }
  return all;
}

std::string safetensors(std::uint64_t length, const std::string& header, const std::string& data = {}) {
  std::string s;
  for (int i = 0; i < 8; ++i) s += static_cast<char>(length >> (8 * i));
  return s + header + data;
}
std::string safetensors(const std::string& header, const std::string& data = {}) {
  return safetensors(header.size(), header, data);
}

}  // namespace

TEST_CASE("what is no file, or no file of the format, is refused, and the model stays") {
  const Folder folder;
  Net net;
  const auto before = values_of(net);
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  struct Bad {
    std::string path, message;
  };
  int count = 0;
  const auto made = [&](const std::string& bytes) {
    const std::string path = folder / std::to_string(count++);
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  };
  const std::string deep(100000, '[');
  const std::vector<Bad> all{
      {folder / "absent", "cannot open it: No such file"},
      {folder.path.string(), "not a regular file"},
      {folder / "pipe", "not a regular file"},
      {"/dev/zero", "not a regular file"},
      {made(""), "less than 8 bytes"},
      {made("1234567"), "less than 8 bytes"},
      {made(std::string(8, '\0')), "not JSON"},
      {made(std::string(8, '\xff') + "{}"), "its header claims 18446744073709551615 bytes of 10"},
      {made(safetensors(std::uint64_t{1} << 40, "{}")), "its header claims 1099511627776 bytes"},
      {made(safetensors(3, "{}")), "claims 3 bytes of 10"},
      {made("PK\3\4 a zip archive, as PyTorch writes it"), "its header claims"},
      {made(safetensors("{\"\xff\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", "abcd")),
       "not JSON"},
      {made(safetensors(std::string("{\"a\0\":1}", 8))), "not JSON"},
      {made(safetensors(deep)), "nested deeper"},
      {made(safetensors("{\"a\":" + deep)), "nested deeper"},
      {made(safetensors(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})",
                        "abcd")),
       "claims a size of 18446744073709551615"},
      {made(safetensors(R"({"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,4]}})", "abcd")),
       "not JSON"},
      {made(safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}})",
                        "abcd")),
       "lies at [0, 18446744073709551615) of 4"},
      {made(safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", "abcd")),
       "-4 where a natural"},
      {made(safetensors(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
           "abcd")),
       "begins at 0"},
      {made(safetensors(R"({"a":{"dtype":"F32","shape":"1","data_offsets":[0,4]}})", "abcd")),
       "not described by"},
  };
  for (const Bad& bad : all)
    test::check({is<IoError>,
                 "io::load",
                 [&] { nn::load_state_dict(net, io::load(bad.path)); },
                 {bad.path + ": ", bad.message}});
  for (const Bad& bad : all)
    test::check(
        {is<IoError>, "io::load", [&] { io::load_metadata(bad.path); }, {bad.path + ": ", bad.message}});
  // Well formed, and of another model.
  io::save(folder / "other", {{"hidden.weight", ones({3, 2})}});
  test::check({is<ValueError>,
               "load_state_dict",
               [&] { nn::load_state_dict(net, io::load(folder / "other")); },
               {"\"hidden.bias\" is missing"}});
  CHECK(values_of(net) == before);
}

TEST_CASE("a safetensors file damaged at random is refused, or loads whole") {
  const Folder folder;
  Net net;
  io::save(folder / "good", nn::state_dict(net));
  const std::string good = test::contents(folder / "good");
  Damage damage;
  int refused = 0, loaded = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto before = values_of(net);
    const std::string path = folder.file(damage(good));
    INFO("file " << i);
    try {
      nn::load_state_dict(net, io::load(path));
      ++loaded;
    } catch (const IoError&) {
      ++refused;
      CHECK(values_of(net) == before);
    } catch (const ValueError& e) {  // a name, a dtype or a shape is another one
      CHECK(std::string(e.what()).starts_with("[load_state_dict] "));
      CHECK(values_of(net) == before);
    }
  }
  CHECK(refused > 1000);
  CHECK(loaded > 100);  // those whose elements alone have changed
}

TEST_CASE("an .npy file damaged at random is refused, or loads whole") {
  const Folder folder;
  io::save_npy(folder / "good", tensor({{1.5, -2.0}, {3.0, 4.0}}));
  const std::string good = test::contents(folder / "good");
  Damage damage;
  int refused = 0, loaded = 0;
  for (int i = 0; i < 3000; ++i) {
    INFO("file " << i);
    try {
      const Tensor t = io::load_npy(folder.file(damage(good)));
      CHECK(t.numel() <= 16);
      ++loaded;
    } catch (const IoError&) {
      ++refused;
    }
  }
  CHECK(refused > 1000);
  CHECK(loaded > 100);
}

TEST_CASE("what is no .npy file is refused") {
  const Folder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const auto load = [](const std::string& path) { return [path] { io::load_npy(path); }; };
  // clang-format off
  test::check({
      {is<IoError>, "io::load_npy", load(folder / "absent"), {"absent: cannot open it: No such file"}},
      {is<IoError>, "io::load_npy", load(folder.path.string()), {"not a regular file", "path of a file"}},
      {is<IoError>, "io::load_npy", load(folder / "pipe"), {"not a regular file"}},
      {is<IoError>, "io::load_npy", load("/dev/zero"), {"not a regular file"}},
      {is<IoError>, "io::load_npy", load(folder.file("")), {"does not begin as an .npy file"}},
  });
  // clang-format on
}

TEST_CASE("wrong saving is refused, and the old file stays") {
  const Folder folder;
  const std::string path = folder / "state", npy = folder / "array";
  io::save(path, {{"a", tensor(1)}});
  io::save_npy(npy, tensor(1));
  const std::string before = test::contents(path), npy_before = test::contents(npy);
  // clang-format off
  test::check({
      {is<ValueError>, "io::save", [&] { io::save(path, {{"b", tensor(1)}, {"b", tensor(2)}}); },
       {"\"b\" occurs twice", "name of its own"}},
      {is<ValueError>, "io::save", [&] { io::save(path, {{"__metadata__", tensor(1)}}); },
       {"belongs to the format"}},
      {is<ValueError>, "io::save", [&] { io::save(path, {{"\xff", tensor(1)}}); }, {"not UTF-8"}},
      {is<ValueError>, "io::save", [&] { io::save(path, {{"a", tensor(1)}}, {{"by", "\xff"}}); },
       {"not UTF-8"}},
      {is<ValueError>, "io::save", [&] { io::save(path, {{"a", Tensor()}}); },
       {"\"a\" is an undefined tensor"}},
      {is<IoError>, "io::save", [&] { io::save(folder / "no/folder", {{"a", tensor(1)}}); },
       {"no/folder: cannot write beside it: No such file"}},
      {is<IoError>, "io::save", [&] { io::save(folder.path.string(), {{"a", tensor(1)}}); },
       {"put it in place"}},
      {is<ValueError>, "io::save_npy", [&] { io::save_npy(npy, Tensor()); }, {"undefined"}},
      {is<IoError>, "io::save_npy", [&] { io::save_npy(folder / "no/array", tensor(1)); },
       {"cannot write beside it"}},
      {is<GraphError>, "to_dot", [] { io::to_dot(ones({2})); }, {"shape (2,)", "requires_grad"}},
      {is<GraphError>, "to_dot", [] { io::to_dot(Tensor()); }, {"an undefined tensor"}},
  });
  // clang-format on
  CHECK(test::contents(path) == before);
  CHECK(test::contents(npy) == npy_before);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path),
                      std::filesystem::directory_iterator{}) == 2);
}
