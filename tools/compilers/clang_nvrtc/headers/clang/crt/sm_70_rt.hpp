// clang's __clang_cuda_intrinsics.h asks for a file of this name, which a toolkit has. What that holds is in intrinsics.h.
// This folder is searched before all others.
#define __SM_70_RT_HPP__
