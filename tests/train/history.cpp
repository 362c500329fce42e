#include <cstdio>
#include <fstream>
#include <sstream>
#include <xgrad/core/errors.hpp>
#include <xgrad/train/history.hpp>

#include "tests/support/catch.hpp"

using namespace xgrad;
using Catch::Matchers::Contains;

namespace {

History two_epochs() {
  History h({"loss", "accuracy"});
  const double first[] = {0.7, 0.5}, second[] = {1.0 / 3, 0.75};
  h.append(first);
  h.append(second);
  return h;
}

}  // namespace

TEST_CASE("a history gives its columns by name and its epochs as rows") {
  const History h = two_epochs();
  CHECK(h.epochs() == 2);
  CHECK(h["loss"] == std::vector<double>{0.7, 1.0 / 3});
  CHECK(h.last("accuracy") == 0.75);
  CHECK(h.row(0)[1] == 0.5);
  CHECK(h.has("accuracy"));
  CHECK_FALSE(h.has("val_loss"));
}

TEST_CASE("a history as CSV has a line for each epoch and numbers that read back") {
  CHECK(two_epochs().to_csv() == "epoch,loss,accuracy\n0,0.7,0.5\n1,0.3333333333333333,0.75\n");
  CHECK(two_epochs().to_csv(';').substr(0, 19) == "epoch;loss;accuracy");
}

TEST_CASE("write_csv writes that file") {
  const std::string path = XGRAD_BINARY_DIR "/history_test.csv";
  two_epochs().write_csv(path);
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  CHECK(text.str() == two_epochs().to_csv());
  std::remove(path.c_str());
  CHECK_THROWS_AS(two_epochs().write_csv("/nowhere/at/all.csv"), IoError);
}

TEST_CASE("a column or an epoch that is not there is an error that names what is") {
  const History h = two_epochs();
  CHECK_THROWS_AS(h["val_loss"], ValueError);
  CHECK_THROWS_WITH(h["val_loss"], Contains("no column \"val_loss\": choose among loss, accuracy"));
  CHECK_THROWS_AS(h.row(2), IndexError);
  CHECK_THROWS_WITH(History({"loss"}).last("loss"), Contains("no epoch yet"));
}
