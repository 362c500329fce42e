#include <zlib.h>
#include <xgrad/data/csv.hpp>
#include <xgrad/data/idx.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/folder.hpp"

using namespace xgrad;

namespace {

struct Folder : test::Folder {
  std::string packed(const std::string& text) const {
    const std::string name = *this / "file.gz";
    gzFile f = gzopen(name.c_str(), "wb");
    gzwrite(f, text.data(), static_cast<unsigned>(text.size()));
    gzclose(f);
    return name;
  }
};

std::string idx(int type, const std::vector<unsigned>& shape, const std::string& data) {
  std::string s{'\0', '\0', static_cast<char>(type), static_cast<char>(shape.size())};
  for (unsigned n : shape)
    for (int k = 3; k >= 0; --k) s += static_cast<char>(n >> (8 * k));
  return s + data;
}

}  // namespace

TEST_CASE("a CSV file with quotes, line ends in cells and missing values") {
  const Folder f;
  const data::Csv t = data::read_csv(f.file(
      "\xEF\xBB\xBFid,\"a \"\"b\"\"\",kind\r\n1,2.5,\"x, y\"\r\n\r\n+2,NA,\"line\nend\"\n3,-1e3,\"x, y\""));
  CHECK(t.names() == std::vector<std::string>{"id", "a \"b\"", "kind"});
  CHECK(t.rows() == 3);
  CHECK(t.cell(1, 2) == "line\nend");
  const std::vector<double> v =
      t.values({"a \"b\"", "id"}, {.fill = std::nan(""), .dtype = float64}).to_vector<double>();
  CHECK(v[0] == 2.5);
  CHECK(std::isnan(v[2]));
  CHECK(v[4] == -1000);
  CHECK(v[3] == 2);
  CHECK(t.labels("kind") == std::vector<std::string>{"line\nend", "x, y"});
  CHECK(t.classes("kind").to_vector<int>() == std::vector<int>{1, 0, 1});
  CHECK(t.values_without({"kind"}, {.fill = 0}).shape() == Shape{3, 2});
}

TEST_CASE("labels that are numbers are ordered by size") {
  const Folder f;
  CHECK(data::read_csv(f.file("10\n9\n10\n"), {.header = false}).labels("0") ==
        std::vector<std::string>{"9", "10"});
}

TEST_CASE("an error in a CSV file names file, line and column") {
  const Folder f;
  const auto values = [&](const char* text) { return data::read_csv(f.file(text)).values(); };
  CHECK_THROWS_WITH(values("a,b\n1,2\n3,x\n"),
                    Catch::Contains("file: line 3, column 2 (\"b\"): \"x\" is not a number"));
  CHECK_THROWS_WITH(values("a,b\n1,\n"), Catch::Contains("line 2, column 2 (\"b\"): the value is missing") &&
                                             Catch::Contains(".fill"));
  CHECK_THROWS_WITH(values("a,b\n\"p\nq\",1\n1,2,3\n"),
                    Catch::Contains("line 4, column 3: the row has 3 cells, the first one 2"));
  CHECK_THROWS_WITH(values("a,b\n1,\"2\n"), Catch::Contains("line 2, column 2: a quote is opened"));
  CHECK_THROWS_WITH(values("a,b\n\"1\"x,2\n"),
                    Catch::Contains("line 2, column 1: text behind a closing quote"));
  CHECK_THROWS_WITH(values("a,a\n1,2\n"), Catch::Contains("line 1, column 2: the name \"a\" occurs twice"));
  CHECK_THROWS_WITH(values(""), Catch::Contains("it has no rows"));
  CHECK_THROWS_AS(data::read_csv("/no/such/file"), IoError);
  const data::Csv t = data::read_csv(f.file("a,b\n1,2\n"));
  CHECK_THROWS_WITH(t.values({"c"}), Catch::Contains("no column \"c\": its columns are a, b"));
  CHECK_THROWS_WITH(t.cell(1, 0), Catch::Contains("cell (1, 0) of a table of 1 rows"));
}

TEST_CASE("IDX files, plain and packed, in every element type") {
  const Folder f;
  const Tensor a = data::read_idx(f.file(idx(0x08, {2, 3}, "\x01\x02\x03\x04\x05\xff")));
  CHECK(a.shape() == Shape{2, 3});
  CHECK(a.dtype() == uint8);
  CHECK(a.to_vector<int>().back() == 255);
  CHECK(data::read_idx(f.packed(idx(0x0B, {2}, std::string("\xff\xfe\x01\x00", 4)))).to_vector<int>() ==
        std::vector<int>{-2, 256});
  CHECK(data::read_idx(f.packed(idx(0x0D, {1}, std::string("\x3f\xc0\x00\x00", 4)))).item() == 1.5);
  CHECK(data::read_idx(f.file(idx(0x0E, {1}, std::string("\xbf\xf0\x00\x00\x00\x00\x00\x00", 8)))).item() ==
        -1);
  CHECK(data::read_idx(f.file(idx(0x0C, {0, 5}, ""))).shape() == Shape{0, 5});
}

TEST_CASE("an IDX file that is not what it claims is refused") {
  const Folder f;
  const auto refuse = [&](const std::string& path, const char* message) {
    CHECK_THROWS_AS(data::read_idx(path), IoError);
    CHECK_THROWS_WITH(data::read_idx(path), Catch::Contains(path) && Catch::Contains(message));
  };
  refuse(f.file("hello"), "does not begin as an IDX file");
  refuse(f.file(idx(0x07, {1}, "a")), "type 0x07 is unknown");
  refuse(f.file(idx(0x08, {2, 3}, "abc")), "shape (2, 3) needs 6 bytes, 3 are there");
  refuse(f.file(idx(0x08, {2}, "abc")), "needs 2 bytes, more are there");
  refuse(f.file(idx(0x08, {4294967295u, 4294967295u}, "abc")), "claims a shape");
  refuse(f.file(idx(0x08, {0, 4294967295u, 4294967295u}, "")), "more than memory can hold");
  refuse(f.file(idx(0x08, {4294967295u}, "abc")), "needs 4294967295 bytes, 3 are there");
  refuse(f.file(idx(0x08, std::vector<unsigned>(9, 1), "a")), "claims 9 axes");
  refuse(f.file(std::string("\0\0\x08\x02\0\0", 6)), "ends within its header");
  refuse("/no/such/file", "cannot open it");
  std::ifstream in(f.packed(idx(0x08, {1000}, std::string(1000, 'a'))), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  refuse(f.file(whole.substr(0, whole.size() / 2)), "file: ");
}
