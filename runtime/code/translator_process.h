#pragma once

#include "ptx/job.h"

namespace rt::code {

/// Has a job done by the translator program, which is started on the first call and kept. Any thread; jobs of several
/// threads run side by side. A program that has died is started again, once; a forked child of the application starts
/// its own. Throws Error{jit_compiler_not_found} when the program cannot be found, started, or does not answer; what is
/// wrong with the job itself stands in the reply.
ptx::Reply run_job(const ptx::Job&);

} // namespace rt::code
