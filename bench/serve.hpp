#pragma once

#include <string>

namespace bench {

/// Runs the registered workloads of one system on demand, one process per system and thread count, so that
/// the driver can alternate between systems. Requests come as lines on stdin, each is answered by one line on
/// stdout that starts with "ok" or "error":
///
///     list               ok NAME NAME …
///     prepare NAME       ok                       builds it, dropping the one before
///     run N              ok SECONDS               N calls; seconds per step and unit
///     allocations        ok OWN OTHERS LIB=CALLS… allocations per step: its own, its libraries'
///     memory NAME        ok BYTES                 heap peak within a step; in a fresh process only
///
/// The last two say only "ok" for a workload that starts programs of its own.
/// The end of stdin ends it. The Python peers speak the same (peers/protocol.py).
int serve(const std::string& system, int threads);

}  // namespace bench
