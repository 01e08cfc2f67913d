// clang's __clang_cuda_intrinsics.h asks for a file of this name, which a toolkit has. What that holds is in intrinsics.h.
