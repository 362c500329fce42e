#include <cstdlib>
#include <filesystem>
#include <xgrad/core/create.hpp>
#include <xgrad/io/npy.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/folder.hpp"

using namespace xgrad;
using test::contents;
using test::Folder;
namespace fs = std::filesystem;

namespace {

/// A file of version 1, 2 or 3 with this header.
std::string npy(const std::string& header, const std::string& data, int version = 1) {
  std::string s = "\x93NUMPY";
  s += {static_cast<char>(version), '\0'};
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) s += static_cast<char>(header.size() >> (8 * i));
  return s + header + data;
}
std::string npy_of(const std::string& descr, const std::string& shape, const std::string& data) {
  return npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n", data);
}

struct Named {
  const char* name;
  Tensor tensor;
};
std::vector<Named> some_tensors() {
  return {{"f4", tensor({{1.5, -2.0, 0.25}, {1e-30, 3.0, 4.0}}, {.dtype = float32})},
          {"f8", tensor({1.0 / 3}, {.dtype = float64})},
          {"i4", tensor({{{-5}, {6}}}, {.dtype = int32})},
          {"i8", tensor(7)},
          {"u1", tensor({1, 2, 255}, {.dtype = uint8})},
          {"b1", tensor({true, false, true})},
          {"empty", zeros({0, 3})}};
}

void check_equal(const Tensor& a, const Tensor& b) {
  CHECK(a.dtype() == b.dtype());
  CHECK(a.shape() == b.shape());
  CHECK(a.to_vector<double>() == b.to_vector<double>());
}

}  // namespace

TEST_CASE("an array comes back as it was saved, in every dtype, and a view as what it shows") {
  const Folder folder;
  for (const Named& n : some_tensors()) {
    INFO(n.name);
    io::save_npy(folder / "x.npy", n.tensor);
    check_equal(io::load_npy(folder / "x.npy"), n.tensor);
  }
  const Tensor view(tensor({{1, 2}, {3, 4}}).array().transpose(0, 1));
  io::save_npy(folder / "x.npy", view);
  check_equal(io::load_npy(folder / "x.npy"), view);
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator{}) ==
        1);  // no temporary stays
}

TEST_CASE("the bytes are those that numpy.save writes") {
  const Folder folder;
  io::save_npy(folder / "x.npy", tensor({1, -2}, {.dtype = int32}));
  CHECK(contents(folder / "x.npy") ==
        npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }" + std::string(60, ' ') + "\n",
            std::string("\1\0\0\0\xfe\xff\xff\xff", 8)));
}

TEST_CASE("column-major order, the other byte order and every version are read") {
  const Folder folder;
  const std::string data("\0\0\0\0\0\0@@\0\0\x80?\0\0\x80@\0\0\0@\0\0\xa0@", 24);
  const Tensor a =
      io::load_npy(folder.file(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }   \n", data)));
  CHECK(a.shape() == Shape{2, 3});
  CHECK(a.array().is_contiguous());
  CHECK(a.to_vector<int>() == std::vector<int>{0, 1, 2, 3, 4, 5});
  const std::string shorts("\0\1\xff\xfe", 4);
  const Tensor b =
      io::load_npy(folder.file(npy("{\"shape\":(2,),'fortran_order':False,'descr':'>i2'}", shorts, 2)));
  CHECK(b.dtype() == int32);
  CHECK(b.to_vector<int>() == std::vector<int>{1, -2});
  const std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (), }\n";
  CHECK(io::load_npy(folder.file(npy(header, std::string("\7\0\0\0\0\0\0\0", 8), 3))).item<int>() == 7);
  CHECK(io::load_npy(folder.file(npy_of("|i1", "(1,)", "\xff"))).item<int>() == -1);
  CHECK(io::load_npy(folder.file(npy_of("<u2", "(1,)", "\xff\xff"))).item<int>() == 65535);
  CHECK(io::load_npy(folder.file(npy_of("<u4", "(1,)", "\xff\xff\xff\xff"))).item() == 4294967295.0);
  CHECK(io::load_npy(folder.file(npy_of(">f8", "(1,)", std::string("\xbf\xf8\0\0\0\0\0\0", 8)))).item() ==
        -1.5);
}

TEST_CASE("malformed .npy files are refused, and the message names the file and the fault") {
  const Folder folder;
  const std::string one(4, '\0');
  struct Bad {
    std::string bytes;
    const char* message;
  };
  const Bad cases[] = {
      {"", "does not begin as an .npy file"},
      {"PK\3\4 a zip archive", "does not begin as an .npy file"},
      {std::string("\x93NUMPY\4\0aa", 10), "its version is 4.0"},
      {std::string("\x93NUMPY\1\0a", 9), "ends within its header"},
      {std::string("\x93NUMPY\1\0\xff\xff{}", 12), "its header claims 65535 bytes of 12"},
      {std::string("\x93NUMPY\3\0\xff\xff\xff\xff{}", 14), "its header claims 4294967295 bytes of 14"},
      {npy("", ""), "no '{' where one belongs"},
      {npy("{}", ""), "lacks one of descr"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", one), "no '}' where one belongs"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", one), "goes on after"},
      {npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", one), "a key twice"},
      {npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", one), "unknown key \"x\""},
      {npy("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", one), "neither True nor False"},
      {npy("{'descr: <f4}", one), "string that does not end"},
      {npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }", one),
       "no '\"' where one belongs"},
      {npy_of("<f4", "(-1,)", one), "not a tuple of natural numbers"},
      {npy_of("<f4", "(1.5,)", one), "no ')' where one belongs"},
      {npy_of("<f4", "(99999999999999999999,)", one), "not a tuple of natural numbers"},
      {npy_of("<f4", "(1, 1, 1, 1, 1, 1, 1, 1, 1)", one), "more than 8 axes"},
      {npy_of("<f4", "(4611686018427387904, 4)", one), "more than memory can hold"},
      {npy_of("<f4", "(0, 4611686018427387904, 4)", ""), "more than memory can hold"},
      {npy_of("<f4", "(2,)", one), "shape (2,) needs 8 bytes, 4 are there"},
      {npy_of("<f4", "(1,)", one + one), "shape (1,) needs 4 bytes, 8 are there"},
      {npy_of("<f2", "(2,)", one), "it holds \"<f2\", which xgrad does not have"},
      {npy_of("|O", "(1,)", one), "it holds \"|O\""},
      {npy_of("|f4", "(1,)", one), "it holds \"|f4\""},
      {npy_of("", "(1,)", one), "it holds \"\""},
      {npy_of("|b1", "(1,)", "\2"), "neither 0 nor 1"},
  };
  for (const Bad& bad : cases) {
    INFO(bad.message);
    const std::string path = folder.file(bad.bytes);
    CHECK_THROWS_AS(io::load_npy(path), IoError);
    CHECK_THROWS_WITH(io::load_npy(path),
                      Catch::Contains("[io::load_npy] " + path) && Catch::Contains(bad.message));
  }
  CHECK_THROWS_WITH(io::load_npy(folder / "absent.npy"), Catch::Contains("cannot open it"));
  CHECK_THROWS_AS(io::save_npy(folder / "no/such/x.npy", tensor(1)), IoError);
}

TEST_CASE("an .npy file cut off anywhere is refused, and no damaged byte of its header crashes") {
  const Folder folder;
  io::save_npy(folder / "x.npy", some_tensors()[0].tensor);
  const std::string whole = contents(folder / "x.npy");
  for (std::size_t n = 0; n < whole.size(); ++n)
    CHECK_THROWS_AS(io::load_npy(folder.file(whole.substr(0, n))), IoError);
  int refused = 0;
  for (std::size_t i = 0; i < 128; ++i) {
    for (int bit : {0x01, 0x10, 0x80}) {
      std::string text = whole;
      text[i] = static_cast<char>(text[i] ^ bit);
      std::int64_t elements = 6;
      try {
        elements = io::load_npy(folder.file(text)).numel();
      } catch (const IoError&) {
        ++refused;
      }
      CHECK(elements == 6);
    }
  }
  CHECK(refused > 350);  // "=f4", in native order, is still a well-formed file
}

#ifdef XGRAD_PYTHON
TEST_CASE("NumPy reads our .npy files, and we read its") {
  const Folder folder;
  for (const Named& n : some_tensors())
    io::save_npy(folder / (std::string("ours_") + n.name + ".npy"), n.tensor);
  const std::string command =
      std::string(XGRAD_PYTHON) + " " XGRAD_SOURCE_DIR "/tests/io/read_back_npy.py " + folder.path.string();
  REQUIRE(std::system(command.c_str()) == 0);
  for (const Named& n : some_tensors())
    for (const char* kind : {"c", "fortran", "swapped", "v2", "v3"}) {
      INFO(n.name << " " << kind);
      check_equal(io::load_npy(folder / (std::string("theirs_") + n.name + "_" + kind + ".npy")), n.tensor);
    }
}
#endif
