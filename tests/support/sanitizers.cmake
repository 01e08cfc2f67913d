# What the sanitizers need to know when they watch the tests; ctest reads this in a build with CUTTLE_SANITIZE.
#   handle_segv, handle_sigbus, ...: tests provoke signals and look at how the process ends, which a report would change.
#   detect_stack_use_after_return: kernels run on stacks of our own.
set(options handle_segv=0 handle_sigbus=0 handle_sigfpe=0 handle_sigill=0 handle_abort=0)
list(JOIN options ":" options)
set(ENV{ASAN_OPTIONS} "${options}")
set(ENV{UBSAN_OPTIONS} "print_stacktrace=1")
#   report_signal_unsafe: the handler of faults allocates nothing, but those of tests may.
set(ENV{TSAN_OPTIONS} "handle_segv=0 handle_sigbus=0 handle_sigfpe=0 handle_sigill=0 handle_abort=0 report_signal_unsafe=0")
