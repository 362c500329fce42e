#pragma once

namespace bench {

/// OpenBLAS takes a CPU younger than itself for the oldest it knows. xgrad sees to that before it first uses
/// it; this makes it do so now, for floors that call OpenBLAS themselves.
void wake_openblas();

}  // namespace bench
