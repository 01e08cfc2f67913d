#pragma once

namespace ptx {

/// For programs that are the translator's own process; never for a process that belongs to somebody else.

/// Does once what every translation needs (LLVM's target tables), so that forked children find it done. Starts no
/// threads: they would be missing after a fork.
void warm_up();

/// Calls `handler` when LLVM gives up (report_fatal_error, out of memory). The handler ends the process; if it
/// returns, LLVM does.
using FatalErrorHandler = void (*)(const char* reason);
void set_fatal_error_handler(FatalErrorHandler handler);

} // namespace ptx
