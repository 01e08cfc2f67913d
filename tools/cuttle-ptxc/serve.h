#pragma once

/// The server side of ptx/job.h: does jobs that come over the control socket, each in a forked child, until the other
/// end is closed. A child that dies is answered for. Leaves the process that was started (which ends at once), so that
/// nobody has a child to wait for. Returns the exit code.
int serve(int control_descriptor);
