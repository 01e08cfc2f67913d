// The functions that directed rounding is lowered to, by name: cuttle_round_fadd_rz_f32 and so on. Not guarded: included
// once, at the end of what defines LIBRARY and the templates add, subtract, multiply, divide, root and fuse over Rounding.
#define ROUNDED(mode, type, t)                                                                                         \
    LIBRARY t cuttle_round_fadd_##mode##_##type(t a, t b) { return add<Rounding::mode>(a, b); }                        \
    LIBRARY t cuttle_round_fsub_##mode##_##type(t a, t b) { return subtract<Rounding::mode>(a, b); }                   \
    LIBRARY t cuttle_round_fmul_##mode##_##type(t a, t b) { return multiply<Rounding::mode>(a, b); }                   \
    LIBRARY t cuttle_round_fdiv_##mode##_##type(t a, t b) { return divide<Rounding::mode>(a, b); }                     \
    LIBRARY t cuttle_round_sqrt_##mode##_##type(t a) { return root<Rounding::mode>(a); }                               \
    LIBRARY t cuttle_round_fma_##mode##_##type(t a, t b, t c) { return fuse<Rounding::mode>(a, b, c); }
#define ROUNDED_BOTH(mode) ROUNDED(mode, f32, float) ROUNDED(mode, f64, double)

ROUNDED_BOTH(rz)
ROUNDED_BOTH(rm)
ROUNDED_BOTH(rp)
#undef ROUNDED_BOTH
#undef ROUNDED
