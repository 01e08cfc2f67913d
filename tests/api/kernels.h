#pragma once

/// PTX texts for the tests.
namespace kernels {

/// out[i] = in[i] + addend + bias for i < n; `bias` is a variable of the module.
inline constexpr const char* add = R"(
.version 7.0
.target sm_70
.address_size 64
.global .align 4 .u32 bias = 100;
.visible .entry add(.param .u64 out, .param .u64 in, .param .u32 n, .param .u32 addend)
{
    .reg .pred %p;
    .reg .b32 %r<9>;
    .reg .b64 %rd<6>;
    ld.param.u64 %rd1, [out];
    ld.param.u64 %rd2, [in];
    ld.param.u32 %r1, [n];
    ld.param.u32 %r2, [addend];
    mov.u32 %r3, %ctaid.x;
    mov.u32 %r4, %ntid.x;
    mov.u32 %r5, %tid.x;
    mad.lo.s32 %r6, %r3, %r4, %r5;
    setp.ge.u32 %p, %r6, %r1;
    @%p bra done;
    mul.wide.u32 %rd3, %r6, 4;
    add.s64 %rd4, %rd2, %rd3;
    ld.global.u32 %r7, [%rd4];
    add.s32 %r7, %r7, %r2;
    ld.global.u32 %r8, [bias];
    add.s32 %r7, %r7, %r8;
    add.s64 %rd5, %rd1, %rd3;
    st.global.u32 [%rd5], %r7;
done:
    ret;
}
)";

/// calls `twice`, which another text defines.
inline constexpr const char* caller = R"(
.version 7.0
.target sm_70
.address_size 64
.extern .func (.param .b32 result) twice (.param .b32 value);
.visible .entry apply(.param .u64 out)
{
    .reg .b32 %r<3>;
    .reg .b64 %rd<2>;
    ld.param.u64 %rd1, [out];
    ld.global.u32 %r1, [%rd1];
    {
        .param .b32 value;
        .param .b32 result;
        st.param.b32 [value], %r1;
        call (result), twice, (value);
        ld.param.b32 %r2, [result];
    }
    st.global.u32 [%rd1], %r2;
    ret;
}
)";

inline constexpr const char* callee = R"(
.version 7.0
.target sm_70
.address_size 64
.visible .func (.param .b32 result) twice (.param .b32 value)
{
    .reg .b32 %r<3>;
    ld.param.b32 %r1, [value];
    shl.b32 %r2, %r1, 1;
    st.param.b32 [result], %r2;
    ret;
}
)";

inline constexpr const char* broken = R"(
.version 7.0
.target sm_70
.address_size 64
.visible .entry broken()
{
    frobnicate.u32 %r1, 1;
    ret;
}
)";

} // namespace kernels
