# The instruction sets for which vectors of threads (CUTTLE_CPU_MODE=warp) are tested beside the machine's own: lesser
# ones, which it can run, too. By the names that CUTTLE_CPU_TARGET takes.
set(CUTTLE_LESSER_PROCESSORS x86-64-v2)
if(EXISTS /proc/cpuinfo)
  file(STRINGS /proc/cpuinfo flags REGEX "^flags" LIMIT_COUNT 1)
  if(flags MATCHES " avx512vl ")
    list(APPEND CUTTLE_LESSER_PROCESSORS haswell)
  endif()
endif()
