#pragma once
#pragma clang system_header

// The macros of <nv/target>, which NVRTC knows by itself: code by architecture. A condition is 1 or 0.
#define __NV_TARGET_H
#define __NV_TARGET_MACROS

#define CUTTLE_NV_JOIN_(a, b) a##b
#define CUTTLE_NV_JOIN(a, b) CUTTLE_NV_JOIN_(a, b)

// Code stands in parentheses or without: the macro takes them away, or stays and is joined to one that is nothing.
#define CUTTLE_NV_CODE(code) {CUTTLE_NV_BARE(CUTTLE_NV_PARENTHESES code)}
#define CUTTLE_NV_PARENTHESES(...) CUTTLE_NV_PARENTHESES __VA_ARGS__
#define CUTTLE_NV_BARE(...) CUTTLE_NV_BARE_(__VA_ARGS__)
#define CUTTLE_NV_BARE_(...) CUTTLE_NO_##__VA_ARGS__
#define CUTTLE_NO_CUTTLE_NV_PARENTHESES

#define CUTTLE_NV_IF_1(yes, ...) CUTTLE_NV_CODE(yes)
#define CUTTLE_NV_IF_0(yes, ...) __VA_OPT__(CUTTLE_NV_CODE(__VA_ARGS__))
#define NV_IF_TARGET(condition, ...) CUTTLE_NV_JOIN(CUTTLE_NV_IF_, condition)(__VA_ARGS__)
#define NV_IF_ELSE_TARGET(condition, yes, no) NV_IF_TARGET(condition, yes, no)

// Pairs of a condition and its code, seven at most; the first that holds counts.
#define CUTTLE_NV_FIRST_1(code, ...) CUTTLE_NV_CODE(code)
#define CUTTLE_NV_FIRST_0(code, ...) __VA_ARGS__
#define CUTTLE_NV_PAIR(condition, code, ...) CUTTLE_NV_JOIN(CUTTLE_NV_FIRST_, condition)(code, __VA_ARGS__)
#define CUTTLE_NV_D7(condition, code, ...) CUTTLE_NV_PAIR(condition, code, )
#define CUTTLE_NV_D6(condition, code, ...) CUTTLE_NV_PAIR(condition, code, __VA_OPT__(CUTTLE_NV_D7(__VA_ARGS__)))
#define CUTTLE_NV_D5(condition, code, ...) CUTTLE_NV_PAIR(condition, code, __VA_OPT__(CUTTLE_NV_D6(__VA_ARGS__)))
#define CUTTLE_NV_D4(condition, code, ...) CUTTLE_NV_PAIR(condition, code, __VA_OPT__(CUTTLE_NV_D5(__VA_ARGS__)))
#define CUTTLE_NV_D3(condition, code, ...) CUTTLE_NV_PAIR(condition, code, __VA_OPT__(CUTTLE_NV_D4(__VA_ARGS__)))
#define CUTTLE_NV_D2(condition, code, ...) CUTTLE_NV_PAIR(condition, code, __VA_OPT__(CUTTLE_NV_D3(__VA_ARGS__)))
#define NV_DISPATCH_TARGET(condition, code, ...) CUTTLE_NV_PAIR(condition, code, __VA_OPT__(CUTTLE_NV_D2(__VA_ARGS__)))

#define NV_IS_DEVICE 1
#define NV_IS_HOST 0
#define NV_ANY_TARGET 1
#define NV_NO_TARGET 0

#if __CUDA_ARCH__ >= 350
#define NV_PROVIDES_SM_35 1
#else
#define NV_PROVIDES_SM_35 0
#endif
#if __CUDA_ARCH__ == 350
#define NV_IS_EXACTLY_SM_35 1
#else
#define NV_IS_EXACTLY_SM_35 0
#endif

#if __CUDA_ARCH__ >= 370
#define NV_PROVIDES_SM_37 1
#else
#define NV_PROVIDES_SM_37 0
#endif
#if __CUDA_ARCH__ == 370
#define NV_IS_EXACTLY_SM_37 1
#else
#define NV_IS_EXACTLY_SM_37 0
#endif

#if __CUDA_ARCH__ >= 500
#define NV_PROVIDES_SM_50 1
#else
#define NV_PROVIDES_SM_50 0
#endif
#if __CUDA_ARCH__ == 500
#define NV_IS_EXACTLY_SM_50 1
#else
#define NV_IS_EXACTLY_SM_50 0
#endif

#if __CUDA_ARCH__ >= 520
#define NV_PROVIDES_SM_52 1
#else
#define NV_PROVIDES_SM_52 0
#endif
#if __CUDA_ARCH__ == 520
#define NV_IS_EXACTLY_SM_52 1
#else
#define NV_IS_EXACTLY_SM_52 0
#endif

#if __CUDA_ARCH__ >= 530
#define NV_PROVIDES_SM_53 1
#else
#define NV_PROVIDES_SM_53 0
#endif
#if __CUDA_ARCH__ == 530
#define NV_IS_EXACTLY_SM_53 1
#else
#define NV_IS_EXACTLY_SM_53 0
#endif

#if __CUDA_ARCH__ >= 600
#define NV_PROVIDES_SM_60 1
#else
#define NV_PROVIDES_SM_60 0
#endif
#if __CUDA_ARCH__ == 600
#define NV_IS_EXACTLY_SM_60 1
#else
#define NV_IS_EXACTLY_SM_60 0
#endif

#if __CUDA_ARCH__ >= 610
#define NV_PROVIDES_SM_61 1
#else
#define NV_PROVIDES_SM_61 0
#endif
#if __CUDA_ARCH__ == 610
#define NV_IS_EXACTLY_SM_61 1
#else
#define NV_IS_EXACTLY_SM_61 0
#endif

#if __CUDA_ARCH__ >= 620
#define NV_PROVIDES_SM_62 1
#else
#define NV_PROVIDES_SM_62 0
#endif
#if __CUDA_ARCH__ == 620
#define NV_IS_EXACTLY_SM_62 1
#else
#define NV_IS_EXACTLY_SM_62 0
#endif

#if __CUDA_ARCH__ >= 700
#define NV_PROVIDES_SM_70 1
#else
#define NV_PROVIDES_SM_70 0
#endif
#if __CUDA_ARCH__ == 700
#define NV_IS_EXACTLY_SM_70 1
#else
#define NV_IS_EXACTLY_SM_70 0
#endif

#if __CUDA_ARCH__ >= 720
#define NV_PROVIDES_SM_72 1
#else
#define NV_PROVIDES_SM_72 0
#endif
#if __CUDA_ARCH__ == 720
#define NV_IS_EXACTLY_SM_72 1
#else
#define NV_IS_EXACTLY_SM_72 0
#endif

#if __CUDA_ARCH__ >= 750
#define NV_PROVIDES_SM_75 1
#else
#define NV_PROVIDES_SM_75 0
#endif
#if __CUDA_ARCH__ == 750
#define NV_IS_EXACTLY_SM_75 1
#else
#define NV_IS_EXACTLY_SM_75 0
#endif

#if __CUDA_ARCH__ >= 800
#define NV_PROVIDES_SM_80 1
#else
#define NV_PROVIDES_SM_80 0
#endif
#if __CUDA_ARCH__ == 800
#define NV_IS_EXACTLY_SM_80 1
#else
#define NV_IS_EXACTLY_SM_80 0
#endif

#if __CUDA_ARCH__ >= 860
#define NV_PROVIDES_SM_86 1
#else
#define NV_PROVIDES_SM_86 0
#endif
#if __CUDA_ARCH__ == 860
#define NV_IS_EXACTLY_SM_86 1
#else
#define NV_IS_EXACTLY_SM_86 0
#endif

#if __CUDA_ARCH__ >= 870
#define NV_PROVIDES_SM_87 1
#else
#define NV_PROVIDES_SM_87 0
#endif
#if __CUDA_ARCH__ == 870
#define NV_IS_EXACTLY_SM_87 1
#else
#define NV_IS_EXACTLY_SM_87 0
#endif

#if __CUDA_ARCH__ >= 880
#define NV_PROVIDES_SM_88 1
#else
#define NV_PROVIDES_SM_88 0
#endif
#if __CUDA_ARCH__ == 880
#define NV_IS_EXACTLY_SM_88 1
#else
#define NV_IS_EXACTLY_SM_88 0
#endif

#if __CUDA_ARCH__ >= 890
#define NV_PROVIDES_SM_89 1
#else
#define NV_PROVIDES_SM_89 0
#endif
#if __CUDA_ARCH__ == 890
#define NV_IS_EXACTLY_SM_89 1
#else
#define NV_IS_EXACTLY_SM_89 0
#endif

#if __CUDA_ARCH__ >= 900
#define NV_PROVIDES_SM_90 1
#else
#define NV_PROVIDES_SM_90 0
#endif
#if __CUDA_ARCH__ == 900
#define NV_IS_EXACTLY_SM_90 1
#else
#define NV_IS_EXACTLY_SM_90 0
#endif

#if __CUDA_ARCH__ >= 1000
#define NV_PROVIDES_SM_100 1
#else
#define NV_PROVIDES_SM_100 0
#endif
#if __CUDA_ARCH__ == 1000
#define NV_IS_EXACTLY_SM_100 1
#else
#define NV_IS_EXACTLY_SM_100 0
#endif

#if __CUDA_ARCH__ >= 1010
#define NV_PROVIDES_SM_101 1
#else
#define NV_PROVIDES_SM_101 0
#endif
#if __CUDA_ARCH__ == 1010
#define NV_IS_EXACTLY_SM_101 1
#else
#define NV_IS_EXACTLY_SM_101 0
#endif

#if __CUDA_ARCH__ >= 1030
#define NV_PROVIDES_SM_103 1
#else
#define NV_PROVIDES_SM_103 0
#endif
#if __CUDA_ARCH__ == 1030
#define NV_IS_EXACTLY_SM_103 1
#else
#define NV_IS_EXACTLY_SM_103 0
#endif

#if __CUDA_ARCH__ >= 1100
#define NV_PROVIDES_SM_110 1
#else
#define NV_PROVIDES_SM_110 0
#endif
#if __CUDA_ARCH__ == 1100
#define NV_IS_EXACTLY_SM_110 1
#else
#define NV_IS_EXACTLY_SM_110 0
#endif

#if __CUDA_ARCH__ >= 1200
#define NV_PROVIDES_SM_120 1
#else
#define NV_PROVIDES_SM_120 0
#endif
#if __CUDA_ARCH__ == 1200
#define NV_IS_EXACTLY_SM_120 1
#else
#define NV_IS_EXACTLY_SM_120 0
#endif

#if __CUDA_ARCH__ >= 1210
#define NV_PROVIDES_SM_121 1
#else
#define NV_PROVIDES_SM_121 0
#endif
#if __CUDA_ARCH__ == 1210
#define NV_IS_EXACTLY_SM_121 1
#else
#define NV_IS_EXACTLY_SM_121 0
#endif

// The features of one architecture (a), and of a family (f): clang is asked for one of its members.
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define NV_HAS_FEATURE_SM_90a 1
#else
#define NV_HAS_FEATURE_SM_90a 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM100_ALL
#define NV_HAS_FEATURE_SM_100a 1
#else
#define NV_HAS_FEATURE_SM_100a 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM100_ALL
#define NV_HAS_FEATURE_SM_100f 1
#else
#define NV_HAS_FEATURE_SM_100f 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM101_ALL
#define NV_HAS_FEATURE_SM_101a 1
#else
#define NV_HAS_FEATURE_SM_101a 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM101_ALL
#define NV_HAS_FEATURE_SM_101f 1
#else
#define NV_HAS_FEATURE_SM_101f 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM103_ALL
#define NV_HAS_FEATURE_SM_103a 1
#else
#define NV_HAS_FEATURE_SM_103a 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM103_ALL
#define NV_HAS_FEATURE_SM_103f 1
#else
#define NV_HAS_FEATURE_SM_103f 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM110_ALL
#define NV_HAS_FEATURE_SM_110a 1
#else
#define NV_HAS_FEATURE_SM_110a 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM110_ALL
#define NV_HAS_FEATURE_SM_110f 1
#else
#define NV_HAS_FEATURE_SM_110f 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM120_ALL
#define NV_HAS_FEATURE_SM_120a 1
#else
#define NV_HAS_FEATURE_SM_120a 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM120_ALL
#define NV_HAS_FEATURE_SM_120f 1
#else
#define NV_HAS_FEATURE_SM_120f 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM121_ALL
#define NV_HAS_FEATURE_SM_121a 1
#else
#define NV_HAS_FEATURE_SM_121a 0
#endif
#ifdef __CUDA_ARCH_FEAT_SM121_ALL
#define NV_HAS_FEATURE_SM_121f 1
#else
#define NV_HAS_FEATURE_SM_121f 0
#endif
