#pragma once

/// The version of these headers. CMakeLists.txt reads it from here.
#define XGRAD_VERSION_MAJOR 0
#define XGRAD_VERSION_MINOR 1
#define XGRAD_VERSION_PATCH 0
#define XGRAD_VERSION "0.1.0"

namespace xgrad::inline v0 {

/// The version of the library that was linked: equal to XGRAD_VERSION when headers and library belong
/// together.
const char* version();

}  // namespace xgrad::inline v0
