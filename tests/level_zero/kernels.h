#pragma once

/// PTX of the tests of the Level Zero device.
namespace kernels {

inline constexpr const char* level_zero = R"(
.version 7.0
.target sm_80
.address_size 64

.visible .global .align 4 .u32 counter = 1000;
.visible .const .align 4 .u32 factor;
.extern .shared .align 16 .b8 dynamic_memory[];

.visible .entry saxpy(.param .f32 a, .param .u64 x, .param .u64 y, .param .u32 n)
{
    .reg .pred %p;
    .reg .f32 %a, %x, %y;
    .reg .b32 %n, %i, %block, %size;
    .reg .b64 %xp, %yp, %offset;
    ld.param.f32 %a, [a];
    ld.param.u64 %xp, [x];
    ld.param.u64 %yp, [y];
    ld.param.u32 %n, [n];
    mov.u32 %block, %ctaid.x;
    mov.u32 %size, %ntid.x;
    mov.u32 %i, %tid.x;
    mad.lo.s32 %i, %block, %size, %i;
    setp.ge.u32 %p, %i, %n;
    @%p bra done;
    cvta.to.global.u64 %xp, %xp;
    cvta.to.global.u64 %yp, %yp;
    mul.wide.u32 %offset, %i, 4;
    add.s64 %xp, %xp, %offset;
    add.s64 %yp, %yp, %offset;
    ld.global.f32 %x, [%xp];
    ld.global.f32 %y, [%yp];
    fma.rn.f32 %y, %a, %x, %y;
    st.global.f32 [%yp], %y;
done:
    ret;
}

// out[block] = the sum of in[block * ntid ...]. The values go through dynamic shared memory into static.
.visible .entry block_sum(.param .u64 in, .param .u64 out, .param .u32 n)
{
    .shared .align 4 .b8 sums[1024];
    .reg .pred %p;
    .reg .f32 %value, %other;
    .reg .b32 %n, %i, %t, %block, %size, %half, %mine, %theirs, %dynamic;
    .reg .b64 %p64, %offset;
    ld.param.u32 %n, [n];
    mov.u32 %t, %tid.x;
    mov.u32 %block, %ctaid.x;
    mov.u32 %size, %ntid.x;
    mad.lo.s32 %i, %block, %size, %t;
    mov.f32 %value, 0f00000000;
    setp.ge.u32 %p, %i, %n;
    @%p bra loaded;
    ld.param.u64 %p64, [in];
    cvta.to.global.u64 %p64, %p64;
    mul.wide.u32 %offset, %i, 4;
    add.s64 %p64, %p64, %offset;
    ld.global.f32 %value, [%p64];
loaded:
    shl.b32 %i, %t, 2;
    mov.u32 %dynamic, dynamic_memory;
    add.s32 %dynamic, %dynamic, %i;
    st.shared.f32 [%dynamic], %value;
    mov.u32 %mine, sums;
    add.s32 %mine, %mine, %i;
    mov.f32 %other, 0f7FC00000;
    st.shared.f32 [%mine], %other;
    bar.sync 0;
    ld.shared.f32 %value, [%dynamic];
    st.shared.f32 [%mine], %value;
    bar.sync 0;
    shr.u32 %half, %size, 1;
more:
    setp.eq.u32 %p, %half, 0;
    @%p bra summed;
    setp.ge.u32 %p, %t, %half;
    @%p bra joined;
    shl.b32 %theirs, %half, 2;
    add.s32 %theirs, %mine, %theirs;
    ld.shared.f32 %value, [%mine];
    ld.shared.f32 %other, [%theirs];
    add.f32 %value, %value, %other;
    st.shared.f32 [%mine], %value;
joined:
    bar.sync 0;
    shr.u32 %half, %half, 1;
    bra more;
summed:
    setp.ne.u32 %p, %t, 0;
    @%p bra done;
    ld.param.u64 %p64, [out];
    cvta.to.global.u64 %p64, %p64;
    mul.wide.u32 %offset, %block, 4;
    add.s64 %p64, %p64, %offset;
    ld.shared.f32 %value, [sums];
    st.global.f32 [%p64], %value;
done:
    ret;
}

// out[2 i] = 1 / in[i], out[2 i + 1] = the root of in[i]
.visible .entry divide(.param .u64 in, .param .u64 out)
{
    .reg .f32 %v, %one, %r;
    .reg .b32 %i, %block, %size;
    .reg .b64 %in, %out, %offset;
    mov.u32 %block, %ctaid.x;
    mov.u32 %size, %ntid.x;
    mov.u32 %i, %tid.x;
    mad.lo.s32 %i, %block, %size, %i;
    ld.param.u64 %in, [in];
    ld.param.u64 %out, [out];
    mul.wide.u32 %offset, %i, 4;
    add.s64 %in, %in, %offset;
    mul.wide.u32 %offset, %i, 8;
    add.s64 %out, %out, %offset;
    ld.global.f32 %v, [%in];
    mov.f32 %one, 0f3F800000;
    div.rn.f32 %r, %one, %v;
    st.global.f32 [%out], %r;
    sqrt.rn.f32 %r, %v;
    st.global.f32 [%out+4], %r;
    ret;
}

// out[3 i ...] = in[i], saturated, times 252 plus 1.5 * 2^23 + 1, rounded down, to zero and up: as exponential functions
// find the whole part of an exponent.
.visible .entry whole_parts(.param .u64 in, .param .u64 out)
{
    .reg .f32 %v, %r;
    .reg .b32 %i, %block, %size;
    .reg .b64 %in, %out, %offset;
    mov.u32 %block, %ctaid.x;
    mov.u32 %size, %ntid.x;
    mov.u32 %i, %tid.x;
    mad.lo.s32 %i, %block, %size, %i;
    ld.param.u64 %in, [in];
    ld.param.u64 %out, [out];
    mul.wide.u32 %offset, %i, 4;
    add.s64 %in, %in, %offset;
    mul.wide.u32 %offset, %i, 12;
    add.s64 %out, %out, %offset;
    ld.global.f32 %v, [%in];
    cvt.sat.f32.f32 %v, %v;
    fma.rm.f32 %r, %v, 0f437C0000, 0f4B400001;
    st.global.f32 [%out], %r;
    fma.rz.f32 %r, %v, 0f437C0000, 0f4B400001;
    st.global.f32 [%out+4], %r;
    fma.rp.f32 %r, %v, 0f437C0000, 0f4B400001;
    st.global.f32 [%out+8], %r;
    ret;
}

// Thread i: out[8 i ...] = the parameters, the table's element i, and two halves of the pair.
.visible .entry parameters(.param .u64 out, .param .u8 byte, .param .s16 half, .param .f64 number,
                           .param .align 8 .b8 table[256], .param .align 8 .b8 pair[8])
{
    .reg .f64 %number;
    .reg .b16 %half;
    .reg .b32 %i, %byte, %low, %high;
    .reg .b64 %out, %offset, %table, %value;
    ld.param.u64 %out, [out];
    mov.u32 %i, %tid.x;
    mul.wide.u32 %offset, %i, 64;
    add.s64 %out, %out, %offset;
    ld.param.u8 %byte, [byte];
    cvt.u64.u32 %value, %byte;
    st.global.u64 [%out], %value;
    ld.param.s16 %half, [half];
    cvt.s64.s16 %value, %half;
    st.global.u64 [%out+8], %value;
    ld.param.f64 %number, [number];
    st.global.f64 [%out+16], %number;
    mov.b64 %table, table;
    mul.wide.u32 %offset, %i, 8;
    add.s64 %table, %table, %offset;
    ld.param.u64 %value, [%table];
    st.global.u64 [%out+24], %value;
    ld.param.v2.u32 {%low, %high}, [pair];
    cvt.u64.u32 %value, %high;
    st.global.u64 [%out+32], %value;
    ld.param.u64 %value, [pair];
    st.global.u64 [%out+40], %value;
    ld.param.u8 %byte, [pair+3];
    cvt.u64.u32 %value, %byte;
    st.global.u64 [%out+48], %value;
    ld.param.u64 %value, [table+8];
    st.global.u64 [%out+56], %value;
    ret;
}

.visible .entry count(.param .u64 out)
{
    .reg .b32 %i, %block, %size, %f, %old;
    .reg .b64 %out, %offset, %counter;
    mov.u32 %block, %ctaid.x;
    mov.u32 %size, %ntid.x;
    mov.u32 %i, %tid.x;
    mad.lo.s32 %i, %block, %size, %i;
    ld.param.u64 %out, [out];
    mul.wide.u32 %offset, %i, 4;
    add.s64 %out, %out, %offset;
    ld.const.u32 %f, [factor];
    mul.lo.u32 %f, %f, %i;
    st.global.u32 [%out], %f;
    mov.u64 %counter, counter;
    atom.global.add.u32 %old, [%counter], 1;
    ret;
}

.func (.param .b32 result) deep(.param .b32 depth)
{
    .reg .pred %p;
    .reg .b32 %n, %r;
    ld.param.b32 %n, [depth];
    mov.b32 %r, 0;
    setp.eq.u32 %p, %n, 0;
    @%p bra done;
    sub.u32 %n, %n, 1;
    {
        .param .b32 less;
        .param .b32 answer;
        st.param.b32 [less], %n;
        call (answer), deep, (less);
        ld.param.b32 %r, [answer];
    }
    mad.lo.u32 %r, %r, 3, %n;
done:
    st.param.b32 [result], %r;
    ret;
}

.visible .entry recursion(.param .u64 out)
{
    .reg .b32 %i, %v;
    .reg .b64 %out, %offset;
    mov.u32 %i, %tid.x;
    {
        .param .b32 depth;
        .param .b32 answer;
        st.param.b32 [depth], %i;
        call (answer), deep, (depth);
        ld.param.b32 %v, [answer];
    }
    ld.param.u64 %out, [out];
    mul.wide.u32 %offset, %i, 4;
    add.s64 %out, %out, %offset;
    st.global.u32 [%out], %v;
    ret;
}

// Calls itself %n & 3 times, and only then exchanges its lane's number with lane 31 - lane.
.func (.param .b32 result) meet(.param .b32 depth)
{
    .reg .pred %p;
    .reg .b32 %n, %r, %lane;
    ld.param.b32 %n, [depth];
    setp.ne.u32 %p, %n, 0;
    @%p bra deeper;
    mov.u32 %lane, %laneid;
    shfl.sync.bfly.b32 %r, %lane, 31, 31, -1;
    bra done;
deeper:
    sub.u32 %n, %n, 1;
    {
        .param .b32 less;
        .param .b32 answer;
        st.param.b32 [less], %n;
        call (answer), meet, (less);
        ld.param.b32 %r, [answer];
    }
done:
    st.param.b32 [result], %r;
    ret;
}

.visible .entry meet_in_recursion(.param .u64 out)
{
    .reg .b32 %i, %n, %v;
    .reg .b64 %out, %offset;
    mov.u32 %i, %tid.x;
    and.b32 %n, %i, 3;
    {
        .param .b32 depth;
        .param .b32 answer;
        st.param.b32 [depth], %n;
        call (answer), meet, (depth);
        ld.param.b32 %v, [answer];
    }
    ld.param.u64 %out, [out];
    mul.wide.u32 %offset, %i, 4;
    add.s64 %out, %out, %offset;
    st.global.u32 [%out], %v;
    ret;
}
)";

/// One kernel that this device cannot have, and one that it can.
inline constexpr const char* one_refused = R"(
.version 8.3
.target sm_90
.address_size 64

.visible .entry exchange(.param .u64 at)
{
    .reg .b64 %at, %low, %high;
    .reg .b128 %new, %old;
    ld.param.u64 %at, [at];
    mov.u64 %low, 1;
    mov.b128 %new, {%low, %low};
    atom.global.exch.b128 %old, [%at], %new;
    mov.b128 {%low, %high}, %old;
    st.global.u64 [%at+16], %low;
    ret;
}

.visible .entry add(.param .u64 at)
{
    .reg .b64 %at;
    ld.param.u64 %at, [at];
    red.global.add.u32 [%at], 1;
    ret;
}
)";

} // namespace kernels
