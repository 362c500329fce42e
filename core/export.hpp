#pragma once

/// Marks what the shared library offers. core/exports.map already exports everything in namespace xgrad and hides the
/// rest; this keeps a marked symbol visible also where somebody compiles the sources with -fvisibility=hidden.
#define XGRAD_API __attribute__((visibility("default")))
