#pragma once
#pragma clang system_header

// Which memory a pointer is for, and pointers of one kind of memory as numbers.

CUTTLE_DEVICE unsigned __isGlobal(const void* p) { return __nvvm_isspacep_global(p); }
CUTTLE_DEVICE unsigned __isShared(const void* p) { return __nvvm_isspacep_shared(p); }
CUTTLE_DEVICE unsigned __isConstant(const void* p) { return __nvvm_isspacep_const(p); }
CUTTLE_DEVICE unsigned __isLocal(const void* p) { return __nvvm_isspacep_local(p); }
CUTTLE_DEVICE unsigned __isGridConstant(const void* p) {
    unsigned is;
    asm("{ .reg .pred p; isspacep.param p, %1; selp.u32 %0, 1, 0, p; }" : "=r"(is) : "l"(p));
    return is;
}

#define CUTTLE_CVTA(space, number)                                                                                     \
    CUTTLE_DEVICE size_t __cvta_generic_to_##space(const void* p) {                                                    \
        return (size_t)(const void __attribute__((address_space(number)))*)p;                                          \
    }                                                                                                                  \
    CUTTLE_DEVICE void* __cvta_##space##_to_generic(size_t p) {                                                        \
        return (void*)(void __attribute__((address_space(number)))*)p;                                                 \
    }
CUTTLE_CVTA(global, 1)
CUTTLE_CVTA(shared, 3)
CUTTLE_CVTA(constant, 4)
CUTTLE_CVTA(local, 5)
#undef CUTTLE_CVTA
