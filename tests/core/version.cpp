#include <xgrad/core/version.hpp>

#include <cstring>

#include "tests/support/catch.hpp"

TEST_CASE("the linked library has the version of the headers") {
  CHECK(std::strcmp(xgrad::version(), XGRAD_VERSION) == 0);
}
