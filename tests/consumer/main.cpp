// What a program outside the project can do with the library: see CMakeLists.txt beside this file.
#include <xgrad/core/version.hpp>

#include <cstring>

int main() { return std::strcmp(xgrad::version(), XGRAD_VERSION) == 0 ? 0 : 1; }
