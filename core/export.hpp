#pragma once

/// Marks what the shared library exports. The linker's version script (core/exports.map) already exports
/// everything in namespace xgrad and hides the rest; the macro is for the rare symbol that must stay visible when
/// somebody compiles the sources with -fvisibility=hidden.
#define XGRAD_API __attribute__((visibility("default")))
