#include <sys/stat.h>
#include <zlib.h>
#include <cmath>
#include <xgrad/data/csv.hpp>
#include <xgrad/data/dataset.hpp>
#include <xgrad/data/idx.hpp>
#include <xgrad/data/loader.hpp>

#include "tests/support/damage.hpp"
#include "tests/support/folder.hpp"
#include "tests/support/refusals.hpp"

using namespace xgrad;
using test::Damage;
using test::Folder;
using test::is;

TEST_CASE("wrong datasets and parts of them are refused") {
  using namespace data;
  const Dataset set{ones({8, 3}), ones({8})};
  const std::vector<std::int64_t> outside{0, 8};
  // clang-format off
  test::check({
      {is<ValueError>, "op", [] { check("op", {}); }, {"x is undefined", "give it samples"}},
      {is<ShapeError>, "op", [] { check("op", {tensor(1.0)}); }, {"x has shape ()", "(N, …)"}},
      {is<ValueError>, "op", [] { check("op", {zeros({0, 3})}); }, {"(0, 3)", "at least one"}},
      {is<ShapeError>, "op", [] { check("op", {ones({8, 3}), ones({7})}); },
       {"(8, 3) and (7,)", "8 samples and y has 7", "one row for each"}},
      {is<ShapeError>, "op", [] { check("op", {ones({8, 3}), {}, ones({8, 1})}); }, {"(8, 1)", "(8,)"}},
      {is<ShapeError>, "rows", [] { rows(std::vector<std::vector<float>>{{1, 2}, {3}}); },
       {"row 1 has 1 values and row 0 has 2", "one length"}},
      {is<IndexError>, "slice", [&] { slice(set, 6, 3); }, {"rows 6 to 9 of 8 samples", "within 0 and 8"}},
      {is<IndexError>, "slice", [&] { slice(set, -1, 2); }, {"rows -1 to 1"}},
      {is<IndexError>, "take", [&] { take(set, outside); }, {"row 8 of 8 samples", "within 0 and 7"}},
      {is<ValueError>, "split", [&] { split(set, 0); }, {"split of 0 is not in (0, 1)", "as 0.1"}},
      {is<ValueError>, "split", [&] { split(set, NAN, {.shuffle = true}); }, {"split of nan"}},
      {is<ValueError>, "split", [&] { split(set, 0.99); }, {"leaves 0 of 8", "both parts"}},
  });
  // clang-format on
}

TEST_CASE("wrong loaders are refused") {
  using namespace data;
  const Dataset set{ones({8, 3}), ones({8})};
  // clang-format off
  test::check({
      {is<ValueError>, "DataLoader", [&] { DataLoader({}); }, {"x is undefined"}},
      {is<ValueError>, "DataLoader", [&] { DataLoader(set, {.batch_size = 0}); },
       {"batch_size is 0", "1 or more"}},
      {is<ValueError>, "DataLoader", [&] { DataLoader(set, {.batch_size = 9, .drop_last = true}); },
       {"8 samples make no whole batch of 9", "smaller batch_size"}},
      {is<ValueError>, "randperm", [] { random_order(-1, 0, 0); }, {"n is -1"}},
  });
  // clang-format on
}

TEST_CASE("wrong normalisation is refused") {
  using data::Normalizer;
  const Normalizer normalize(tensor({{1.0, 2.0}, {3.0, 5.0}}));
  // clang-format off
  test::check({
      {is<ValueError>, "Normalizer", [] { Normalizer(zeros({0, 3})); }, {"(0, 3) has no elements"}},
      {is<ValueError>, "Normalizer", [] { Normalizer{Tensor()}; }, {"undefined"}},
      {is<DTypeError>, "Normalizer", [] { Normalizer(tensor({{true}})); }, {"got bool"}},
      {is<IndexError>, "Normalizer", [] { Normalizer(ones({2, 3}), {.axes = 2}); }, {"axis 2", "(2, 3)"}},
      {is<ValueError>, "Normalizer", [] { Normalizer(tensor({{1.0, NAN}, {2.0, 3.0}})); },
       {"(2, 2)", "feature 1 has a NaN", "fill in"}},
      {is<ShapeError>, "Normalizer", [&] { normalize(ones({4, 3})); }, {"(1, 2) and (4, 3)", "features"}},
      {is<ValueError>, "Normalizer", [&] { normalize(Tensor()); }, {"undefined"}},
  });
  // clang-format on
}

TEST_CASE("wrong use of a table is refused") {
  const Folder folder;
  const std::string path = folder.file("a,b\n1,2.5\n,x\n");
  const data::Csv table = data::read_csv(path);
  // clang-format off
  test::check({
      {is<ValueError>, "read_csv", [&] { data::read_csv(path, {.separator = '"'}); },
       {"separator", "as ','"}},
      {is<IndexError>, "Csv::cell", [&] { table.cell(2, 0); },
       {"(2, 0) of a table of 2 rows and 2", "from 0"}},
      {is<ValueError>, "Csv::values", [&] { table.values({"c"}); }, {path, "no column \"c\"", "a, b"}},
      {is<ValueError>, "Csv::values_without", [&] { table.values_without({"c"}); }, {"no column \"c\""}},
      {is<ValueError>, "Csv::labels", [&] { table.labels("c"); }, {"no column \"c\""}},
      {is<ValueError>, "Csv::labels", [&] { table.classes("c"); }, {"no column \"c\""}},
      {is<IoError>, "Csv::values", [&] { table.values({"b"}); },
       {path, "line 3, column 2 (\"b\"): \"x\" is not a number"}},
      {is<IoError>, "Csv::values", [&] { table.values({"a"}); },
       {"line 3, column 1 (\"a\"): the value is missing"}},
      {is<IoError>, "Csv::labels", [&] { table.classes("a"); }, {"line 3, column 1", "name a class"}},
      {is<IoError>, "Csv::values", [&] { table.values({"b"}, {.dtype = int64}); },
       {"line 2, column 2 (\"b\"): \"2.5\" is no int64", "float64"}},
      {is<ValueError>, "Csv::values", [&] { table.values({"a"}, {.fill = NAN, .dtype = int64}); },
       {"fill = nan"}},
  });
  // clang-format on
}

TEST_CASE("what is no CSV or IDX file is refused") {
  const Folder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  std::ofstream(folder / "wide", std::ios::binary) << std::string(
      "\xff\xfe"
      "a\0,\0b\0\n\0",
      10);
  std::ofstream(folder / "empty");
  const auto csv = [&](const std::string& name) { return [p = folder / name] { data::read_csv(p); }; };
  const auto idx = [&](const std::string& name) { return [p = folder / name] { data::read_idx(p); }; };
  // clang-format off
  test::check({
      {is<IoError>, "read_csv", csv("absent"), {"absent: cannot open it: No such file"}},
      {is<IoError>, "read_csv", csv("."), {"not a regular file"}},
      {is<IoError>, "read_csv", csv("pipe"), {"not a regular file"}},
      {is<IoError>, "read_csv", csv("empty"), {"it has no rows"}},
      {is<IoError>, "read_csv", csv("wide"), {"UTF-16", "save it as UTF-8"}},
      {is<IoError>, "read_idx", idx("absent"), {"absent: cannot open it: No such file"}},
      {is<IoError>, "read_idx", idx("."), {"not a regular file"}},
      {is<IoError>, "read_idx", idx("pipe"), {"not a regular file"}},
      {is<IoError>, "read_idx", idx("empty"), {"does not begin as an IDX file"}},
  });
  // clang-format on
}

TEST_CASE("an IDX file damaged at random, plain or packed, is refused, or loads whole") {
  const Folder folder;
  const std::string plain(
      "\0\0\x0d\x02\0\0\0\x02\0\0\0\x03"
      "abcdefghijklmnopqrstuvwx",
      36);
  gzFile file = gzopen((folder / "packed").c_str(), "wb");
  gzwrite(file, plain.data(), static_cast<unsigned>(plain.size()));
  gzclose(file);
  Damage damage;
  for (const std::string& good : {plain, test::contents(folder / "packed")}) {
    int refused = 0, loaded = 0;
    for (int i = 0; i < 2000; ++i) {
      INFO("file " << i);
      try {
        const Tensor t = data::read_idx(folder.file(damage(good)));
        CHECK(t.numel() <= 64);
        ++loaded;
      } catch (const IoError&) {
        ++refused;
      }
    }
    CHECK(refused > 500);
    CHECK(loaded > 0);
  }
}

TEST_CASE("a CSV file damaged at random is refused, or read as a table") {
  const Folder folder;
  const std::string good =
      "id,\"a \"\"b\"\"\",kind\r\n1,2.5,\"x, y\"\r\n+2,NA,\"line\nend\"\n3,-1e3,\"x, y\"\n";
  Damage damage;
  int refused = 0, loaded = 0;
  for (int i = 0; i < 2000; ++i) {
    INFO("file " << i);
    try {
      const data::Csv table = data::read_csv(folder.file(damage(good)));
      ++loaded;
      for (const std::string& name : table.names()) table.values({name}, {.fill = 0});
    } catch (const IoError&) {
      ++refused;
    }
  }
  CHECK(refused > 500);
  CHECK(loaded > 500);
}
