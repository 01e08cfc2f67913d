#include "ast_to_ast/grid_group.h"

#include <algorithm>

namespace ptx {
namespace {

constexpr std::string_view prefix = "__cuda_syscall_CGS_";

// The launch's workspace is at %envreg1:%envreg2, 0 without one. Its second word counts who has arrived, as grid.sync()
// of cooperative groups does it (host_abi.h, Grid): the first block adds what makes bit 31 change when all others have
// added 1. A handle stands for the group alone; the numbers are an H100's, as are the grid's rank, 1, and its status,
// not 0 for flags other than 0 (all threads call) and 1 (one thread of each block calls, which has met).
constexpr std::string_view functions = R"(.version 4.0
.target sm_30
.address_size 64
.func cuttle_grid_group_meet(.param .b64 workspace)
{
    .reg .b32 %block, %blocks, %x, %y, %z, %nx, %ny, %mine, %old, %now;
    .reg .b64 %word;
    .reg .pred %first, %waits;
    ld.param.b64 %word, [workspace];
    mov.u32 %nx, %nctaid.x;
    mov.u32 %ny, %nctaid.y;
    mov.u32 %z, %nctaid.z;
    mul.lo.u32 %blocks, %nx, %ny;
    mul.lo.u32 %blocks, %blocks, %z;
    mov.u32 %x, %ctaid.x;
    mov.u32 %y, %ctaid.y;
    mov.u32 %z, %ctaid.z;
    or.b32 %block, %x, %y;
    or.b32 %block, %block, %z;
    setp.eq.u32 %first, %block, 0;
    sub.u32 %mine, 0x80000001, %blocks;
    selp.b32 %mine, %mine, 1, %first;
    membar.gl;
    atom.global.add.u32 %old, [%word + 4], %mine;
WAIT:
    ld.volatile.global.u32 %now, [%word + 4];
    xor.b32 %now, %now, %old;
    setp.ge.s32 %waits, %now, 0;
    @%waits bra WAIT;
    membar.gl;
    ret;
}
.visible .func (.param .b64 handle) __cuda_syscall_CGS_get_intrinsic_handle(.param .b32 scope)
{
    .reg .b32 %scope, %high, %low;
    .reg .b64 %workspace, %handle;
    .reg .pred %none, %other;
    ld.param.b32 %scope, [scope];
    mov.u32 %high, %envreg1;
    mov.u32 %low, %envreg2;
    mov.b64 %workspace, {%low, %high};
    setp.eq.u64 %none, %workspace, 0;
    setp.ne.or.u32 %other, %scope, 1, %none;
    selp.b64 %handle, 0, 0x7ffffffffffff, %other;
    st.param.b64 [handle], %handle;
    ret;
}
.visible .func (.param .b32 status) __cuda_syscall_CGS_sync(.param .b64 handle, .param .b32 flags)
{
    .reg .b32 %flags, %high, %low, %thread, %part;
    .reg .b64 %workspace;
    .reg .pred %wrong, %one, %others;
    ld.param.b32 %flags, [flags];
    mov.u32 %high, %envreg1;
    mov.u32 %low, %envreg2;
    mov.b64 %workspace, {%low, %high};
    setp.eq.u64 %wrong, %workspace, 0;
    setp.gt.or.u32 %wrong, %flags, 1, %wrong;
    @%wrong bra WRONG;
    setp.eq.u32 %one, %flags, 1;
    @%one bra ONE;
    bar.sync 0;
    mov.u32 %thread, %tid.x;
    mov.u32 %part, %tid.y;
    or.b32 %thread, %thread, %part;
    mov.u32 %part, %tid.z;
    or.b32 %thread, %thread, %part;
    setp.ne.u32 %others, %thread, 0;
    @%others bra MET;
    {
        .param .b64 to;
        st.param.b64 [to], %workspace;
        call.uni cuttle_grid_group_meet, (to);
    }
MET:
    bar.sync 0;
    bra DONE;
ONE:
    {
        .param .b64 to;
        st.param.b64 [to], %workspace;
        call.uni cuttle_grid_group_meet, (to);
    }
DONE:
    st.param.b32 [status], 0;
    ret;
WRONG:
    st.param.b32 [status], 1;
    ret;
}
.visible .func (.param .b32 status) __cuda_syscall_CGS_get_size(.param .b64 threads, .param .b64 grids, .param .b64 handle)
{
    .reg .b32 %n, %part;
    .reg .b64 %to;
    .reg .pred %none;
    mov.u32 %n, %nctaid.x;
    mov.u32 %part, %nctaid.y;
    mul.lo.u32 %n, %n, %part;
    mov.u32 %part, %nctaid.z;
    mul.lo.u32 %n, %n, %part;
    mov.u32 %part, %ntid.x;
    mul.lo.u32 %n, %n, %part;
    mov.u32 %part, %ntid.y;
    mul.lo.u32 %n, %n, %part;
    mov.u32 %part, %ntid.z;
    mul.lo.u32 %n, %n, %part;
    ld.param.b64 %to, [threads];
    setp.eq.u64 %none, %to, 0;
    @!%none st.u32 [%to], %n;
    ld.param.b64 %to, [grids];
    setp.eq.u64 %none, %to, 0;
    @!%none st.u32 [%to], 1;
    st.param.b32 [status], 0;
    ret;
}
.visible .func (.param .b32 status) __cuda_syscall_CGS_get_rank(.param .b64 thread, .param .b64 grid, .param .b64 handle)
{
    .reg .b32 %rank, %size, %part;
    .reg .b64 %to;
    .reg .pred %none;
    mov.u32 %rank, %ctaid.z;
    mov.u32 %size, %nctaid.y;
    mov.u32 %part, %ctaid.y;
    mad.lo.u32 %rank, %rank, %size, %part;
    mov.u32 %size, %nctaid.x;
    mov.u32 %part, %ctaid.x;
    mad.lo.u32 %rank, %rank, %size, %part;
    mov.u32 %size, %ntid.z;
    mov.u32 %part, %tid.z;
    mad.lo.u32 %rank, %rank, %size, %part;
    mov.u32 %size, %ntid.y;
    mov.u32 %part, %tid.y;
    mad.lo.u32 %rank, %rank, %size, %part;
    mov.u32 %size, %ntid.x;
    mov.u32 %part, %tid.x;
    mad.lo.u32 %rank, %rank, %size, %part;
    ld.param.b64 %to, [thread];
    setp.eq.u64 %none, %to, 0;
    @!%none st.u32 [%to], %rank;
    ld.param.b64 %to, [grid];
    setp.eq.u64 %none, %to, 0;
    @!%none st.u32 [%to], 1;
    st.param.b32 [status], 0;
    ret;
}
)";

} // namespace

std::string_view grid_group_functions(const Module& module) {
    const bool declared = std::ranges::any_of(module.functions, [](const auto& function) {
        return !function->has_body && function->name.starts_with(prefix);
    });
    return declared ? functions : std::string_view();
}

} // namespace ptx
