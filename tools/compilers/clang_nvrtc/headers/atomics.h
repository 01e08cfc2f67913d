#pragma once
#pragma clang system_header

// Atomic functions. Without a suffix they hold for the device, _block and _system for a block and for the host, too.

#define CUTTLE_SCOPES(define, ...)                                                                                     \
    define(, __MEMORY_SCOPE_DEVICE, __VA_ARGS__) define(_block, __MEMORY_SCOPE_WRKGRP, __VA_ARGS__)                    \
        define(_system, __MEMORY_SCOPE_SYSTEM, __VA_ARGS__)

#define CUTTLE_FETCH(suffix, scope, type, name, builtin)                                                               \
    CUTTLE_DEVICE type name##suffix(type* place, type value) {                                                         \
        return __scoped_atomic_##builtin(place, value, __ATOMIC_RELAXED, scope);                                       \
    }
#define CUTTLE_INTEGERS(name, builtin)                                                                                 \
    CUTTLE_SCOPES(CUTTLE_FETCH, int, name, builtin)                                                                    \
    CUTTLE_SCOPES(CUTTLE_FETCH, unsigned, name, builtin)                                                               \
    CUTTLE_SCOPES(CUTTLE_FETCH, unsigned long long, name, builtin)
CUTTLE_INTEGERS(atomicAdd, fetch_add)
CUTTLE_INTEGERS(atomicMin, fetch_min)
CUTTLE_INTEGERS(atomicMax, fetch_max)
CUTTLE_INTEGERS(atomicAnd, fetch_and)
CUTTLE_INTEGERS(atomicOr, fetch_or)
CUTTLE_INTEGERS(atomicXor, fetch_xor)
CUTTLE_INTEGERS(atomicExch, exchange_n)
#undef CUTTLE_INTEGERS
CUTTLE_SCOPES(CUTTLE_FETCH, int, atomicSub, fetch_sub)
CUTTLE_SCOPES(CUTTLE_FETCH, unsigned, atomicSub, fetch_sub)
CUTTLE_SCOPES(CUTTLE_FETCH, long long, atomicMin, fetch_min)
CUTTLE_SCOPES(CUTTLE_FETCH, long long, atomicMax, fetch_max)
CUTTLE_SCOPES(CUTTLE_FETCH, float, atomicAdd, fetch_add)
CUTTLE_SCOPES(CUTTLE_FETCH, double, atomicAdd, fetch_add)
#undef CUTTLE_FETCH

#define CUTTLE_EXCHANGE_FLOAT(suffix, scope, ...)                                                                      \
    CUTTLE_DEVICE float atomicExch##suffix(float* place, float value) {                                                \
        return __builtin_bit_cast(float, atomicExch##suffix((unsigned*)place, __builtin_bit_cast(unsigned, value)));   \
    }
CUTTLE_SCOPES(CUTTLE_EXCHANGE_FLOAT)
#undef CUTTLE_EXCHANGE_FLOAT

#define CUTTLE_COMPARE(suffix, scope, type)                                                                            \
    CUTTLE_DEVICE type atomicCAS##suffix(type* place, type expected, type value) {                                     \
        __scoped_atomic_compare_exchange_n(place, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED, scope); \
        return expected;                                                                                               \
    }
CUTTLE_SCOPES(CUTTLE_COMPARE, int)
CUTTLE_SCOPES(CUTTLE_COMPARE, unsigned)
CUTTLE_SCOPES(CUTTLE_COMPARE, unsigned long long)
CUTTLE_SCOPES(CUTTLE_COMPARE, unsigned short)
#undef CUTTLE_COMPARE

// Wrapping counters: no builtin of clang's has them for all scopes.
#define CUTTLE_WRAP(name, suffix, ptx)                                                                                 \
    CUTTLE_DEVICE unsigned name##suffix(unsigned* place, unsigned limit) {                                             \
        unsigned old;                                                                                                  \
        asm volatile("atom." ptx ".u32 %0, [%1], %2;" : "=r"(old) : "l"(place), "r"(limit) : "memory");                \
        return old;                                                                                                    \
    }
CUTTLE_WRAP(atomicInc, , "gpu.inc")
CUTTLE_WRAP(atomicInc, _block, "cta.inc")
CUTTLE_WRAP(atomicInc, _system, "sys.inc")
CUTTLE_WRAP(atomicDec, , "gpu.dec")
CUTTLE_WRAP(atomicDec, _block, "cta.dec")
CUTTLE_WRAP(atomicDec, _system, "sys.dec")
#undef CUTTLE_WRAP
#undef CUTTLE_SCOPES
