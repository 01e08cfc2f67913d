// What a library's source needs of the lanes, by the target that it is compiled for.
#ifdef CUTTLE_SPIRV
#include "spirv_warp.h"
#else
#include "amdgpu_warp.h"
#endif
